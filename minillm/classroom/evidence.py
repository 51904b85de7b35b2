"""Claims and their evidence: each empirical sentence, run over seeds, with the band in which its number must lie.

    python -m minillm.classroom.evidence [NAME ...]     run the claims and write data/evidence/NAME.json

A notebook takes its numbers from `band(name)`. The tests check that the stored values lie in the bands and that the
code and the corpus are still those they were measured with, and run one seed of each again.
"""

import argparse
import ast
import hashlib
import importlib
import importlib.util
import json
import pkgutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import minillm
from minillm.classroom.markup import number
from minillm.errors import ConfigError, DataError, MinillmError
from minillm.paths import data_dir, write_json

NO_EFFECT = {"minillm.errors", "minillm.paths", "minillm.report", "minillm.cli"}
"""Modules whose code cannot change a measured number."""


@dataclass(frozen=True)
class Claim:
    """A sentence that a number decides: `measure(seed)` must lie from low to high for every seed.

    corpus: returns the fingerprint of the text measured on, or None for a claim that needs no corpus.
    """

    name: str
    sentence: str
    measure: Callable[[int], float]
    low: float
    high: float
    unit: str = ""
    seeds: tuple[int, ...] = (0, 1, 2)
    corpus: Callable[[], str] | None = None


@dataclass(frozen=True)
class Band:
    """What a claim measured: the values, one a seed, and the least and the greatest of them."""

    name: str
    sentence: str
    unit: str
    values: tuple[float, ...]

    @property
    def low(self) -> float:
        """The least value."""
        return min(self.values)

    @property
    def high(self) -> float:
        """The greatest value."""
        return max(self.values)

    @property
    def mean(self) -> float:
        """The mean value."""
        return sum(self.values) / len(self.values)

    def __repr__(self) -> str:
        low, high = (number(float(f"{value:.2g}")) for value in (self.low, self.high))
        if low == high:
            return " ".join(f"{low} {self.unit} with each of {len(self.values)} seeds".split())
        return " ".join(f"{low} to {high} {self.unit} over {len(self.values)} seeds".split())


def claims() -> dict[str, Claim]:
    """Return all claims by name, from the modules claimsNN in `lessons`; ConfigError if a name is used twice."""
    from minillm.classroom import lessons

    found = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(lessons.__path__) if m.name.startswith("claims")):
        for claim in importlib.import_module(f"{lessons.__name__}.{module}").CLAIMS:
            if claim.name in found:
                raise ConfigError(f"The claim '{claim.name}' is stated twice.", "Give each its own name.")
            found[claim.name] = claim
    return found


def path_of(name: str) -> Path:
    """Return where a claim's evidence lies."""
    return data_dir() / "evidence" / f"{name}.json"


def load(name: str) -> dict:
    """Read a claim's evidence; DataError if there is none."""
    try:
        return json.loads(path_of(name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise DataError(
            f"There is no readable evidence '{name}'.", f"Run: python -m minillm.classroom.evidence {name}"
        ) from None


def band(name: str) -> Band:
    """Return what a claim measured, for prose that states it."""
    stored = load(name)
    return Band(name, stored["sentence"], stored["unit"], tuple(stored["values"].values()))


def gather(claim: Claim) -> dict:
    """Run a claim over its seeds and return its evidence."""
    from minillm.runtime import machine, versions

    start = time.perf_counter()
    values = {str(seed): float(f"{claim.measure(seed):.6g}") for seed in claim.seeds}
    return {
        "name": claim.name,
        "sentence": claim.sentence,
        "band": [claim.low, claim.high],
        "unit": claim.unit,
        "values": values,
        "seconds_a_seed": round((time.perf_counter() - start) / len(values), 2),
        "code": code_fingerprint(claim.measure.__module__),
        "corpus": claim.corpus() if claim.corpus else None,
        "versions": versions(),
        "machine": machine(),
    }


def faults(claim: Claim, stored: dict) -> list[str]:
    """Return how stored evidence fails its claim: values outside the band, other words, seeds, code or corpus."""
    found = [
        f"seed {seed}: {value} is not from {claim.low} to {claim.high}"
        for seed, value in stored["values"].items()
        if not claim.low <= value <= claim.high
    ]
    expected = {
        "sentence": claim.sentence,
        "band": [claim.low, claim.high],
        "unit": claim.unit,
        "code": code_fingerprint(claim.measure.__module__),
        "corpus": claim.corpus() if claim.corpus else None,
    }
    found += [f"its {key} has changed since it was recorded" for key, now in expected.items() if stored[key] != now]
    if set(stored["values"]) != {str(seed) for seed in claim.seeds}:
        found.append("it was recorded with other seeds")
    return found


def code_fingerprint(module: str) -> str:
    """Return the sha256 of the code that a module and all of the package it imports compute with.

    Comments, docstrings and layout do not count, nor do modules that cannot change a number.
    """
    waiting, done = {module}, {}
    while waiting:
        name = waiting.pop()
        tree = ast.parse(Path(importlib.util.find_spec(name).origin).read_text(encoding="utf-8"))
        done[name] = _canonical(tree)
        waiting |= _imported(tree) - set(done) - NO_EFFECT
    whole = "\n".join(f"{name} {done[name]}" for name in sorted(done))
    return hashlib.sha256(whole.encode("utf-8")).hexdigest()


def _imported(tree: ast.Module) -> set[str]:
    """Return the package's modules that a module imports, anywhere in its code."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    ours = {name for name in names if name.startswith(f"{minillm.__name__}.")}
    return {name for name in ours if _is_module(name)}


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is a module, not a package: the name is one of a definition
        return False


def _canonical(node: object) -> str:
    """Return a syntax tree as text that is the same on every Python, without layout, comments and docstrings."""
    if isinstance(node, list):
        docstrings = [n for n in node if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)]
        return "[" + ",".join(_canonical(n) for n in node if n not in docstrings) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    # versions differ in which empty fields a node has
    fields = [(name, value) for name, value in ast.iter_fields(node) if value not in (None, [])]
    return f"{type(node).__name__}({','.join(f'{name}={_canonical(value)}' for name, value in fields)})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named claims, or all, and store their evidence; return 1 if a value lies outside its band."""
    parser = argparse.ArgumentParser(prog="python -m minillm.classroom.evidence", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="claims; all if none is named")
    names = parser.parse_args(arguments).names
    known = claims()
    wrong = 0
    try:
        for name in names or known:
            if name not in known:
                raise ConfigError(f"There is no claim '{name}'.", f"Use one of {', '.join(known)}.")
            evidence = gather(known[name])
            path_of(name).parent.mkdir(parents=True, exist_ok=True)
            write_json(path_of(name), evidence)
            found = faults(known[name], evidence)
            wrong += len(found)
            print(f"{name}: {band(name)!r}, {evidence['seconds_a_seed']} s a seed", *found, sep="\n  ")
    except MinillmError as error:
        print(error, file=sys.stderr)
        return 2
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
