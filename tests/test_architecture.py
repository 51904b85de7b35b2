"""The rooms of the package stand on floors, and imports point down."""

import ast
import subprocess
import sys

import pytest
import source

# A room imports from lower floors, or from a room to its left on its own; nothing imports classroom.
FLOORS = [
    ["errors", "paths", "config", "runtime", "facts", "records"],
    ["corpus", "bpe", "tokenizer", "model", "loss", "cost"],
    ["batches", "optimizer", "sampling"],
    ["evaluate", "checkpoint", "base_model", "train", "scaling"],
    ["report", "settings", "doctor", "plan"],
    ["pretrain", "cli"],
]
ORDER = [room for floor in FLOORS for room in floor]
CLASSROOM_MAY_IMPORT = {room for floor in FLOORS[:5] for room in floor}
WITHOUT_TORCH = ["errors", "paths", "config", "facts", "cost", "scaling", "plan"]
LEARNERS_FACE = ("matplotlib", "IPython", "ipywidgets")


def allowed(room: str) -> set[str]:
    """Return the rooms that a room may import."""
    return CLASSROOM_MAY_IMPORT if room == "classroom" else set(ORDER[: ORDER.index(room)])


def python(script: str) -> str:
    """Run a script in a fresh interpreter; what it printed, or a failure that shows why it ended."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_room_has_a_floor():
    rooms = {source.room(path) for path in source.files()} - {"__init__", "__main__"}
    assert rooms <= {*ORDER, "classroom"}, "give the new room a place in FLOORS, CONTRIBUTING.md and README.md"


@pytest.mark.parametrize("path", source.files(), ids=lambda path: path.relative_to(source.PACKAGE).as_posix())
def test_imports_point_down(path):
    if path.parent == source.PACKAGE and path.stem in ("__init__", "__main__"):
        assert source.imported_rooms(path) <= {"cli"}
    else:
        assert source.imported_rooms(path) <= allowed(source.room(path))


def test_imports_are_seen_in_every_form(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "PACKAGE", tmp_path)
    for name in ("cli", "train", "cost", "facts"):
        (tmp_path / f"{name}.py").write_text("", encoding="utf-8")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "__init__.py").write_text("", encoding="utf-8")
    path = tmp_path / "corpus" / "x.py"
    text = "import minillm.cli as c\nfrom minillm import train\n"
    text += "def f():\n    from ..cost import g\n    from .. import facts\n"
    path.write_text(text, encoding="utf-8")
    assert source.imported_rooms(path) == {"cli", "train", "cost", "facts"}


def test_figures_and_widgets_have_one_home_each():
    for path in source.files():
        homes = {"matplotlib": {"report", "classroom"}}
        for name in LEARNERS_FACE:
            if source.room(path) not in homes.get(name, {"classroom"}):
                assert name not in {module.split(".")[0] for module in source.imported_modules(path)}, path


def test_these_rooms_load_without_torch():
    checks = "\n".join(
        f"import minillm.{room}\nassert 'torch' not in sys.modules, '{room} loads torch'" for room in WITHOUT_TORCH
    )
    python(f"import sys\n{checks}")


def test_nothing_happens_at_import():
    """Every module loads without a word, without a connection and without touching the random state."""
    modules = [".".join(["minillm", *p.relative_to(source.PACKAGE).with_suffix("").parts]) for p in source.files()]
    modules = [name.removesuffix(".__init__") for name in modules if not name.endswith("__main__")]
    said = python(
        "import importlib, random, socket, torch\n"
        "def refuse(*arguments, **options):\n    raise OSError('a connection at import')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "before = random.getstate(), torch.random.get_rng_state().tolist(), torch.get_num_threads()\n"
        f"for name in {modules!r}:\n    importlib.import_module(name)\n"
        "after = random.getstate(), torch.random.get_rng_state().tolist(), torch.get_num_threads()\n"
        "assert after == before\n"
    )
    assert said == ""


def test_only_the_command_line_and_the_classroom_print():
    for path in source.files():
        if source.room(path) not in ("cli", "classroom"):
            prints = [c.lineno for c in source.calls(path) if isinstance(c.func, ast.Name) and c.func.id == "print"]
            assert not prints, f"{path}: {prints}"


def opens_text_without_encoding(call: ast.Call) -> bool:
    """Tell whether a call opens a file as text and leaves its encoding to the system."""
    if any(keyword.arg == "encoding" for keyword in call.keywords):
        return False
    if isinstance(call.func, ast.Attribute):
        texts = {"read_text": 0, "write_text": 1}  # positional arguments before the encoding
        return call.func.attr in texts and len(call.args) <= texts[call.func.attr]
    modes = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    binary = any(isinstance(mode, ast.Constant) and "b" in str(mode.value) for mode in modes)
    return isinstance(call.func, ast.Name) and call.func.id == "open" and not binary


def test_text_files_name_their_encoding():
    for path in [*source.files(), *(source.PACKAGE.parent / "tests").glob("*.py")]:
        lines = [call.lineno for call in source.calls(path) if opens_text_without_encoding(call)]
        assert not lines, f"{path}: lines {lines}"


def test_code_lines_are_counted_by_hand():
    text = '"""A docstring\nof two lines."""\n\nimport os  # one\n\n\n'
    text += 'def f(\n    x,\n):\n    """Doc."""\n    # comment\n'
    text += '    return """a\nb"""\n'
    assert source.code_lines(text) == 1 + 3 + 2
