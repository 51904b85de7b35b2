"""Reading the package's own source: which rooms a file imports, and how many lines of code it has."""

import ast
import io
import tokenize
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "minillm"
CORE = ("config", "tokenizer", "model", "loss", "batches", "optimizer", "train", "sampling", "checkpoint")


def files() -> list[Path]:
    """Return every Python file of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    """Return the room a file belongs to: a module, or a folder with all that is in it."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_modules(path: Path) -> set[str]:
    """Return the dotted names of all that a file imports, wherever in it, relative imports resolved."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = ("minillm", *path.relative_to(PACKAGE).parts)[: -node.level] if node.level else ()
            module = ".".join([*parents, *([node.module] if node.module else [])])
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return found


def imported_rooms(path: Path) -> set[str]:
    """Return the rooms of this package that a file imports, its own excluded."""
    names = {path.stem if path.name != "__init__.py" else path.parent.name for path in PACKAGE.iterdir()}
    names |= {folder.parent.name for folder in PACKAGE.glob("*/__init__.py")}
    parts = [name.split(".") for name in imported_modules(path)]
    return {p[1] for p in parts if p[0] == "minillm" and len(p) > 1 and p[1] in names} - {room(path)}


def calls(path: Path) -> list[ast.Call]:
    """Return every call in a file."""
    return [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]


def code_lines(source: str) -> int:
    """Count the lines that hold code: no blank lines, no comments, no docstrings."""
    strings = {
        (node.lineno, node.col_offset)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }
    silent = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in silent and token.start not in strings:
            lines |= set(range(token.start[0], token.end[0] + 1))
    return len(lines)


def package_code_lines() -> dict[str, int]:
    """Return the lines of code of each room."""
    counts: dict[str, int] = {}
    for path in files():
        counts[room(path)] = counts.get(room(path), 0) + code_lines(path.read_text(encoding="utf-8"))
    return counts


if __name__ == "__main__":
    counts = package_code_lines()
    for name, count in sorted(counts.items()):
        print(f"{count:6,} {name}")
    print(f"{sum(counts.get(name, 0) for name in CORE):6,} core path\n{sum(counts.values()):6,} everything")
