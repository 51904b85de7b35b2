"""The parts of README.md that are written by machine; run as a script, it renews them.

They stand between `<!-- NAME -->` and `<!-- end -->`: badges and the clone command from the address in
pyproject.toml, the tree from the first line of each file, and the package's length from its source.
"""

import ast
import json
import re
from pathlib import Path

import source
from test_architecture import ORDER

from minillm.classroom import notebooks

REPOSITORY = source.PACKAGE.parent
README = REPOSITORY / "README.md"
FIRST_NOTEBOOK = "00_start_here.ipynb"
# phrases for what cannot speak for itself; a name is left out while it does not exist
PHRASES = {
    "data/README.md": "data card: sources, sizes, licences, how the text is filtered and split",
    "data/facts": "published figures on models and machines, each with its source",
    "data/tokenizer": "the course's tokenizer, 1,024 tokens, as plain files",
    "data/replays": "recorded runs that a notebook can show instead of training",
    "data/evidence": "what each claim of a notebook measured, over several seeds",
    "data/figures": "the picture above",
    "tests": "worked examples, round trips, parity with other implementations, faults",
    "Makefile": "the commands: `make help` lists them",
    "pyproject.toml": "the one list of dependencies, as ranges; the repository's address",
    "constraints.txt": "the exact versions tested",
    "environment.yml": "the same dependencies for conda and Binder",
    "CONTRIBUTING.md": "checks, floors, how notebooks are made",
    ".ci/run": "what runs on every change: the two commands, from a clean checkout, and the wheel on its own",
}


def badges() -> str:
    """Return the badges that open the first notebook elsewhere."""
    return notebooks.badges(FIRST_NOTEBOOK)


def clone() -> str:
    """Return the commands that a newcomer types."""
    address, _ = notebooks.repository()
    folder = address.split("/")[1]
    return f"```sh\ngit clone https://github.com/{address} && cd {folder}\nmake lesson\nmake test\n```"


def lines() -> str:
    """Return the sentence on the package's length."""
    counts = source.package_code_lines()
    core = round(sum(counts.get(room, 0) for room in source.CORE), -2)
    everything = round(sum(counts.values()), -2)
    rooms = ", ".join(f"`{room}`" for room in source.CORE)
    return (
        f"The core path ({rooms}) is about {core:,} lines of code, "
        f"everything with `classroom` about {everything:,}, without comments and docstrings."
    )


def phrase(path: Path) -> str:
    """Return what a file says of itself: a module's first line, a notebook's title."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        titles = ["".join(cell["source"]).splitlines()[0] for cell in cells if cell["cell_type"] == "markdown"]
        return next(title.lstrip("# ") for title in titles if title.startswith("# "))
    return (ast.get_docstring(ast.parse(text)) or "").split("\n")[0].rstrip(".")


def package_entries() -> list[tuple[str, str]]:
    """Return depth-marked names and phrases of the package's files, in the order of the pipeline."""
    entries = []
    for room in [*ORDER, "classroom"]:
        folder, file = source.PACKAGE / room, source.PACKAGE / f"{room}.py"
        if file.exists():
            entries.append((f"    {room}.py", phrase(file)))
        elif folder.exists():
            entries.append((f"    {room}/", phrase(folder / "__init__.py")))
            for path in sorted(folder.rglob("*.py")):
                if path.name != "__init__.py":
                    entries.append((f"        {path.relative_to(folder).as_posix()}", phrase(path)))
    return entries


def tree() -> str:
    """Return the annotated tree."""
    entries = [("notebooks/", "the course, in reading order")]
    entries += [(f"    {path.name}", phrase(path)) for path in sorted((REPOSITORY / "notebooks").glob("*.ipynb"))]
    entries += [
        ("minillm/", phrase(source.PACKAGE / "__init__.py").removeprefix("minillm: ")),
        *package_entries(),
    ]
    entries.append(("data/", "what the package needs besides code; a wheel carries it too"))
    for name, words in PHRASES.items():
        path = REPOSITORY / name
        if path.exists():
            shown = name.replace("data/", "    ") + ("/" if path.is_dir() else "")
            entries.append((shown, words))
    width = max(len(name) for name, _ in entries) + 2
    return "```text\n" + "\n".join(f"{name:{width}}{words}".rstrip() for name, words in entries) + "\n```"


PARTS = {"badges": badges, "clone": clone, "lines": lines, "tree": tree}


def renewed(text: str) -> str:
    """Return the text of a README with every machine-written part renewed."""
    for name, part in PARTS.items():
        block = f"<!-- {name} -->\n{part()}\n<!-- end -->"
        text, found = re.subn(rf"<!-- {name} -->\n.*?<!-- end -->", lambda _, block=block: block, text, flags=re.DOTALL)
        assert found == 1, f"README.md has {found} parts named {name}"
    return text


if __name__ == "__main__":
    README.write_text(renewed(README.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
