"""The notebooks' machinery: check, sync, execute and normalise, and a plain text form for writing them.

    python -m minillm.classroom.notebooks check     [NOTEBOOK ...]   the rules every notebook keeps
    python -m minillm.classroom.notebooks sync      [NOTEBOOK ...]   rewrite what is generated from the package
    python -m minillm.classroom.notebooks execute   [NOTEBOOK ...]   run from top to bottom, store the outputs
    python -m minillm.classroom.notebooks normalise [NOTEBOOK ...]   drop what differs from run to run
    python -m minillm.classroom.notebooks from-text FILE.txt NOTEBOOK    and to-text NOTEBOOK FILE.txt

Each code cell has one kind, its first tag: sketch, verbatim (a definition of the package), use, settings, exercise,
or colab. Generated cells: verbatim, exercise, colab; in Markdown badges and question. What they come from is named in
the cell's metadata: {"minillm": {"verbatim": "minillm.loss.cross_entropy"}}.
"""

import argparse
import ast
import hashlib
import importlib
import inspect
import itertools
import os
import re
import statistics
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

import minillm
from minillm.classroom import exercises
from minillm.errors import ConfigError, MinillmError
from minillm.paths import write_atomically

ROOT = Path(minillm.__file__).parent.parent
KINDS = ("sketch", "verbatim", "use", "settings", "exercise", "colab")
GENERATED_TEXT = ("badges", "question")
IGNORED = {"nbval-ignore-output", "nbval-skip"}
CELL_LIMIT_S = 300
MINIMUM_COMPARED = 8
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
MACHINE_TRACE = re.compile(r"(/home/|/root/|/Users/|/work/|/tmp/|[A-Z]:\\|site-packages| at 0x[0-9a-f]{6,})")


class NotebookError(MinillmError):
    """A notebook that breaks a rule, or whose text form cannot be read."""


def read(path: Path) -> NotebookNode:
    """Read a notebook."""
    return nbformat.read(str(path), as_version=4)


def write(path: Path, notebook: NotebookNode) -> None:
    """Write a notebook, valid and with the line ends of Unix."""
    nbformat.validate(notebook)
    write_atomically(path, nbformat.writes(notebook, version=4).rstrip("\n") + "\n")


def tags(cell: NotebookNode) -> list[str]:
    """Return a cell's tags."""
    return list(cell.metadata.get("tags", []))


def kind(cell: NotebookNode) -> str:
    """Return a code cell's kind, or '' if it has none or several."""
    kinds = [tag for tag in tags(cell) if tag in KINDS]
    return kinds[0] if len(kinds) == 1 else ""


def named(cell: NotebookNode, what: str) -> str:
    """Return what a generated cell comes from: a definition's full name, or an exercise's key."""
    return cell.metadata.get("minillm", {}).get(what, "")


# --- generated cells


def repository() -> tuple[str, str]:
    """Return the repository (ORG/NAME) and the ref that links and the Colab cell point to, from pyproject.toml."""
    setting = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8")).get("tool", {}).get("minillm", {})
    return setting.get("repository", "ORG/REPO"), setting.get("ref", "main")


def badges(name: str) -> str:
    """Return the links that open a notebook elsewhere."""
    where, ref = repository()
    colab = f"https://colab.research.google.com/github/{where}/blob/{ref}/notebooks/{name}"
    binder = f"https://mybinder.org/v2/gh/{where}/{ref}?urlpath=lab/tree/notebooks/{name}"
    return (
        f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab})\n"
        f"[![Open on Binder](https://mybinder.org/badge_logo.svg)]({binder})"
    )


def colab_cell() -> str:
    """Return the cell that installs the package on Colab, and does nothing elsewhere."""
    where, ref = repository()
    return f'import sys\n\nif "google.colab" in sys.modules:\n    %pip install -q git+https://github.com/{where}@{ref}'


def definition(name: str) -> str:
    """Return the source of a function or class of the package by its full name; NotebookError if there is none."""
    module, _, attribute = name.rpartition(".")
    try:
        return inspect.getsource(getattr(importlib.import_module(module), attribute)).rstrip()
    except (ImportError, AttributeError, TypeError, ValueError):
        raise NotebookError(
            f"There is no definition '{name}'.", "Name it in full: minillm.loss.cross_entropy"
        ) from None


def question_text(key: str) -> str:
    """Return the Markdown of an exercise's question."""
    exercise = exercises.find(key)
    return f"**Exercise {key}** (difficulty {exercise.difficulty} of 5)\n\n{exercise.question}"


def generated(cell: NotebookNode, path: Path) -> str | None:
    """Return what a generated cell must say, or None for a cell that is written by hand."""
    if "badges" in tags(cell):
        return badges(path.name)
    if "question" in tags(cell):
        return question_text(named(cell, "question"))
    makers = {
        "verbatim": lambda: definition(named(cell, "verbatim")),
        "exercise": lambda: exercises.find(named(cell, "exercise")).starter.strip(),
        "colab": colab_cell,
    }
    return makers[kind(cell)]() if kind(cell) in makers else None


def sync(notebook: NotebookNode, path: Path) -> list[str]:
    """Rewrite the generated cells in place and return the ids of those that changed."""
    changed = []
    for cell in notebook.cells:
        text = generated(cell, path)
        if text is not None and not same_code(cell, text):
            cell.source = text
            changed.append(cell.id)
    return changed


def same_code(cell: NotebookNode, text: str) -> bool:
    """Tell whether a cell says the same as the text: a definition by its syntax tree, anything else by its words."""
    if kind(cell) != "verbatim":
        return cell.source.strip() == text.strip()
    try:
        return ast.dump(ast.parse(cell.source)) == ast.dump(ast.parse(text))
    except SyntaxError:
        return False


# --- the text form


def from_text(text: str) -> NotebookNode:
    """Return the notebook of a text whose lines `%% KIND [NAME] [TAG ...]` begin its cells (md: Markdown).

    `%% verbatim minillm.loss.cross_entropy`, `%% exercise 03.surprise` and `%% question 03.surprise` name their
    source and need no body: `sync` writes it.
    """
    notebook = nbformat.v4.new_notebook(metadata=_metadata())
    head, *parts = re.split(r"^%% *", text, flags=re.MULTILINE)
    if head.strip():
        raise NotebookError("The text does not begin with a cell.", "Begin with a line such as '%% md'.")
    for part in parts:
        line, _, body = part.partition("\n")
        what, *words = line.split()
        if what not in ("md", *KINDS, *GENERATED_TEXT):
            raise NotebookError(f"'%% {line}' begins no cell.", f"Use md, {', '.join((*KINDS, *GENERATED_TEXT))}.")
        markdown = what in ("md", *GENERATED_TEXT)
        cell = (nbformat.v4.new_markdown_cell if markdown else nbformat.v4.new_code_cell)(body.strip("\n"))
        if what in ("verbatim", "exercise", "question"):
            cell.metadata["minillm"] = {what: words.pop(0)}
        if found := [*([] if what == "md" else [what]), *words]:
            cell.metadata["tags"] = found
        notebook.cells.append(cell)
    return normalise(notebook)


def to_text(notebook: NotebookNode) -> str:
    """Return the text form of a notebook, without outputs and without the bodies of generated cells."""
    parts = []
    for cell in notebook.cells:
        found = tags(cell)
        what = next((t for t in found if t in (*KINDS, *GENERATED_TEXT)), "md")
        source = named(cell, what)
        words = [what, *([source] if source else []), *(t for t in found if t != what)]
        body = "" if source or what in ("badges", "colab") else cell.source.strip("\n") + "\n"
        parts.append(f"%% {' '.join(words)}\n{body}")
    return "\n".join(parts)


def _metadata() -> dict:
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return {"kernelspec": kernel, "language_info": {"name": "python"}}


# --- normalise and execute


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Drop in place what differs from run to run: times, widget ids and state, counts, random cell ids."""
    notebook.metadata = nbformat.from_dict(_metadata())
    notebook.nbformat_minor = max(5, notebook.nbformat_minor)  # from 4.5 on, cells have ids
    count, seen = 0, {}
    for cell in notebook.cells:
        mark = hashlib.sha256(f"{cell.cell_type}{cell.source}{tags(cell)}".encode()).hexdigest()[:8]
        seen[mark] = seen.get(mark, 0) + 1
        cell.id = mark if seen[mark] == 1 else f"{mark}-{seen[mark]}"
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k in ("tags", "minillm")})
        cell.pop("attachments", None)
        if cell.cell_type != "code":
            continue
        if cell.execution_count is not None:
            count += 1
            cell.execution_count = count
        cell.outputs = _joined(cell.outputs)
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = cell.execution_count
            if "data" in output:
                if len(output.data) > 1:
                    output.data.pop(WIDGET_VIEW, None)
                alt = output.metadata.get("image/png", {}).get("alt")
                output.metadata = nbformat.from_dict({"image/png": {"alt": alt}} if alt else {})
    return notebook


def _joined(outputs: Sequence[NotebookNode]) -> list[NotebookNode]:
    """Join what a stream printed in pieces, since the pieces depend on timing."""
    joined = []
    for output in outputs:
        if joined and output.output_type == "stream" and joined[-1].get("name") == output.name:
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


@dataclass(frozen=True)
class Execution:
    """A notebook that has run, the time it took in seconds, and its kernel's peak resident memory."""

    notebook: NotebookNode
    elapsed_s: float
    peak_bytes: int

    def __repr__(self) -> str:
        return f"{self.elapsed_s:.1f} s, peak memory {self.peak_bytes / 1e9:.2f} GB"


def run(path: Path, speed: str, *, first: str = "", replace: Callable[[NotebookNode], str] | None = None) -> Execution:
    """Run a notebook from top to bottom in its folder, in memory; raises nbclient's error where a cell fails.

    first: code that runs before it. replace: returns the source that a cell runs with, its own by default.
    """
    from nbclient import NotebookClient

    notebook = read(path)
    sources = [cell.source for cell in notebook.cells]
    for cell in notebook.cells:
        cell.source = replace(cell) if replace else cell.source
    last = "from minillm.runtime import peak_memory_bytes; print(peak_memory_bytes())"
    extra = nbformat.v4.new_code_cell
    notebook.cells = [extra(first or "pass"), *notebook.cells, extra(last)]
    client = NotebookClient(
        notebook,
        timeout=CELL_LIMIT_S,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as empty:  # a stored page shows nobody's own predictions and answers
        client.execute(env=os.environ | {"MINILLM_SPEED": speed, "XDG_DATA_HOME": empty})
    elapsed_s = time.perf_counter() - start
    peak_bytes = int(notebook.cells[-1].outputs[0].text)
    notebook.cells = notebook.cells[1:-1]
    for cell, source in zip(notebook.cells, sources, strict=True):
        cell.source = source
    return Execution(normalise(notebook), elapsed_s, peak_bytes)


# --- check


def is_code(cell: NotebookNode) -> bool:
    """Tell whether a cell is code that runs."""
    return cell.cell_type == "code" and bool(cell.source.strip())


def compared_text(cell: NotebookNode) -> str:
    """Return those of a cell's outputs that nbval compares: printed text, plain text and HTML."""
    if not is_code(cell) or IGNORED & set(tags(cell)) or cell.execution_count is None:
        return ""
    texts = []
    for output in cell.outputs:
        texts.append(output.get("text", ""))
        texts += [text for mime, text in sorted(output.get("data", {}).items()) if mime.startswith("text/")]
    return "\n".join(texts)


def computed_numbers(cell: NotebookNode) -> list[str]:
    """Return the numbers in a cell's compared outputs that its own source does not state."""
    stated = set(NUMBER.findall(cell.source))
    return [n for n in NUMBER.findall(compared_text(cell)) if n not in stated]


def compared_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the cells of which nbval compares at least one computed number."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and computed_numbers(cell)]


def problems(notebook: NotebookNode, path: Path) -> list[str]:
    """Return every rule that a notebook breaks, a line each; empty if it is in order."""
    found = [*_structure(notebook), *_headings(notebook)]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(notebook.cells, 1):
        found += [f"cell {number}: {text}" for text in _cell_problems(notebook, cell, path)]
    compared = len(compared_cells(notebook))
    if compared < MINIMUM_COMPARED:
        found.append(f"{compared} computed results are compared: {MINIMUM_COMPARED} are needed")
    ignored = sum(bool(IGNORED & set(tags(cell))) for cell in code)
    if 4 * ignored > len(code):
        found.append(f"{ignored} of {len(code)} code cells are ignored: at most a quarter may be")
    if nbformat.writes(normalise(nbformat.from_dict(notebook))) != nbformat.writes(notebook):
        found.append("it is not normalised: run normalise")
    return found


def _structure(notebook: NotebookNode) -> list[str]:
    found = []
    kinds = [kind(cell) for cell in notebook.cells if cell.cell_type == "code"]
    for needed in ("colab", "settings"):
        if kinds.count(needed) != 1:
            found.append(f"it has {kinds.count(needed)} cells of kind {needed}: one is needed")
    if sum("badges" in tags(cell) for cell in notebook.cells) != 1:
        found.append("one Markdown cell tagged badges is needed")
    counts = [c.execution_count for c in notebook.cells if is_code(c) and "nbval-skip" not in tags(c)]
    if None in counts:
        found.append("a code cell has no execution count, so nbval would not compare it: run execute")
    return found


def _headings(notebook: NotebookNode) -> list[str]:
    levels, title, fenced = [], "", False
    for cell in notebook.cells:
        for line in cell.source.splitlines() if cell.cell_type == "markdown" else ():
            fenced ^= line.startswith("```")
            if match := re.match(r"(#{1,6}) (.+)", line) if not fenced else None:
                levels.append(len(match[1]))
                title = title or match[2]
    found = []
    if levels[:1] != [1] or levels.count(1) != 1 or not title.rstrip().endswith("?"):
        found.append("its first heading must be its only title, and a question")
    if any(after > before + 1 for before, after in itertools.pairwise(levels)):
        found.append("a heading skips a level")
    return found


def _cell_problems(notebook: NotebookNode, cell: NotebookNode, path: Path) -> list[str]:
    found = []
    if cell.cell_type == "code" and not kind(cell):
        found.append(f"one tag of {', '.join(KINDS)} is needed, found {tags(cell)}")
    try:
        text = generated(cell, path)
        if text is not None and not same_code(cell, text):
            found.append("it differs from what it is generated from: run sync")
    except MinillmError as error:
        found.append(error.cause)
    if MACHINE_TRACE.search(cell.source):
        found.append("its source names a path of one machine")
    if cell.cell_type != "code":
        return found
    if kind(cell) == "verbatim" and not _has_parity(notebook, cell):
        found.append("the next code cell must compare it with the package's by assert")
    for output in cell.outputs:
        found += _output_problems(output, cell)
    return found


def _has_parity(notebook: NotebookNode, cell: NotebookNode) -> bool:
    code = [c for c in notebook.cells if is_code(c)]
    after = code[code.index(cell) + 1].source if cell is not code[-1] else ""
    name = named(cell, "verbatim")
    return "assert" in after and name.rpartition(".")[2] in after and "minillm" in after


def _output_problems(output: NotebookNode, cell: NotebookNode) -> list[str]:
    found = []
    if output.output_type == "error" and "raises-exception" not in tags(cell):
        found.append("it ends with an error")
    if output.get("name") == "stderr":
        found.append("it writes to stderr")
    texts = [output.get("text", ""), *(v for k, v in output.get("data", {}).items() if k.startswith("text/"))]
    if any(MACHINE_TRACE.search(text) for text in texts):
        found.append("its output names a path or an address of one machine")
    if "image/png" in output.get("data", {}):
        alt = output.metadata.get("image/png", {}).get("alt", "")
        shown_live = "nbval-ignore-output" in tags(cell)  # a picture on its way; its last state follows with a text
        if len(alt) < 20 and not shown_live:
            found.append("a picture has no alternative text: show it with figures.show_figure")
    return found


def advice(notebook: NotebookNode) -> list[str]:
    """Return what would make a notebook read better, measured; not an error."""
    code = [c for c in notebook.cells if is_code(c) and kind(c) not in ("colab", "verbatim")]
    lengths = [len(c.source.strip().splitlines()) for c in code] or [0]
    texts = [c.source for c in notebook.cells if c.cell_type == "markdown"]
    words = sum(len(text.split()) for text in texts)
    long = [p for text in texts for p in text.split("\n\n") if len(p.split()) > 90 and not p.startswith(("|", "-"))]
    row, longest = 0, 0
    for cell in notebook.cells:
        row = row + 1 if cell.cell_type == "code" else 0
        longest = max(longest, row)
    short = sum(length < 15 for length in lengths) / len(lengths)
    rules = [
        (
            statistics.median(lengths) <= 5,
            f"the median code cell has {statistics.median(lengths):g} lines: 5 is good",
        ),
        (short >= 0.9, f"{short:.0%} of the code cells have under 15 lines: 90% is good"),
        (2000 <= words <= 3000, f"{words:,} words: 2,000 to 3,000 are good"),
        (
            8 <= words / max(1, sum(lengths)) <= 15,
            f"{words / max(1, sum(lengths)):.1f} words a code line: 8 to 15 are good",
        ),
        (longest <= 2, f"{longest} code cells in a row: 2 are good"),
        (not long, f"{len(long)} paragraphs have more than 90 words: '{long[0][:40] if long else ''} ...'"),
    ]
    return [text for good, text in rules if not good]


# --- command line


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 1 if a notebook breaks a rule, 2 for bad input."""
    parser = argparse.ArgumentParser(prog="python -m minillm.classroom.notebooks", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("check", "sync", "execute", "normalise"):
        command = commands.add_parser(name)
        command.add_argument("notebooks", nargs="*", type=Path, help="all in notebooks/ if none is named")
        if name == "execute":
            command.add_argument("--speed", default="LIVE", choices=("LIVE", "REPLAY", "DEEP"))
    for name in ("from-text", "to-text"):
        command = commands.add_parser(name)
        command.add_argument("source", type=Path)
        command.add_argument("target", type=Path)
    options = parser.parse_args(arguments)
    try:
        return _run_command(options)
    except MinillmError as error:
        print(error, file=sys.stderr)
        return 2


def _run_command(options: argparse.Namespace) -> int:
    if options.command == "from-text":
        notebook = from_text(options.source.read_text(encoding="utf-8"))
        sync(notebook, options.target)
        write(options.target, normalise(notebook))
        return 0
    if options.command == "to-text":
        write_atomically(options.target, to_text(read(options.source)))
        return 0
    wrong = 0
    for path in options.notebooks or sorted((ROOT / "notebooks").glob("*.ipynb")):
        if not path.exists():
            raise ConfigError(f"There is no notebook {path}.", "Name a file of notebooks/.")
        notebook = read(path)
        if options.command == "check":
            found = problems(notebook, path)
            wrong += len(found)
            print(*(f"{path.name}: {text}" for text in found), sep="\n", end="\n" * bool(found))
            print(f"{path.name}: {len(found)} problems, {len(compared_cells(notebook))} computed results compared.")
            print(*(f"{path.name}: advice: {text}" for text in advice(notebook)), sep="\n")
            continue
        if options.command == "sync":
            print(f"{path.name}: {len(sync(notebook, path))} cells rewritten.")
        if options.command == "execute":
            execution = run(path, options.speed)
            notebook = execution.notebook
            print(f"{path.name}: {options.speed} in {execution!r}.")
        write(path, normalise(notebook))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
