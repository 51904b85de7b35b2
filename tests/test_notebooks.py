"""The notebooks and their machinery: rules, comparison of every computed result, recordings, exercises solved.

What is tested on the course's notebooks is tested first on a small demonstration, whose text form lies beside this
file. The comparison of stored outputs itself is nbval's (`pytest --nbval`), run by `make test`.
"""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import nbformat
import notebook_lesson99
import pytest

from minillm.classroom import exercises, notebooks, replays, runs
from minillm.errors import MinillmError
from minillm.paths import data_dir

HERE = Path(__file__).parent
COURSE = sorted((notebooks.ROOT / "notebooks").glob("*.ipynb"))
REPLAY_LIMIT_S = 60
"""Three times the 20 s that REPLAY may take: tests run two at a time."""
MEMORY_LIMIT_BYTES = 1.2e9
RECORDING_LIMITS = {
    ("00", "03"): 2_000_000,
    ("01", "02", "04", "05", "06"): 8_000_000,
    ("07", "08"): 3_000_000,
    ("09", "10", "11"): 2_000_000,
}


@pytest.fixture(autouse=True, scope="module")
def surroundings():
    """Kernels find the demonstration's material, and what a notebook commits stays in the build folder."""
    patch = pytest.MonkeyPatch()
    patch.setenv("PYTHONPATH", str(HERE), prepend=os.pathsep)
    patch.setenv("XDG_DATA_HOME", str(notebooks.ROOT / "build" / "data"))
    patch.setitem(sys.modules, "minillm.classroom.lessons.lesson99", notebook_lesson99)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demonstration as a notebook that has run, with its recording beside it."""
    path = tmp_path_factory.mktemp("demo") / "99_demo.ipynb"
    notebooks.main(["from-text", str(HERE / "notebook_demo.txt"), str(path)])
    execution = replays.record(path, path.parent)
    notebooks.write(path, execution.notebook)
    return path


def in_order(path):
    return notebooks.problems(notebooks.read(path), path)


def nbval(path, speed):
    """Run nbval on a notebook and return its code cells' numbers (as nbval counts them) that passed and failed."""
    report = path.with_suffix(".xml")
    options = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=300", "-q", "-p", "no:cacheprovider"]
    places = ["-o", "addopts=", f"--rootdir={path.parent}", f"--junitxml={report}", str(path)]
    subprocess.run(
        [sys.executable, "-m", "pytest", *options, *places],
        env=os.environ | {"MINILLM_SPEED": speed},
        cwd=path.parent,
        capture_output=True,
        timeout=600,
    )
    passed, failed = [], []
    for case in ElementTree.parse(report).iter("testcase"):
        number = int(case.get("name").rsplit(" ", 1)[-1])
        (passed if len(case) == 0 else failed).append(number)
    return passed, failed


def plant(cell):
    """Change the last digit of a computed number, wherever a compared output of the cell states it."""
    wrong = notebooks.computed_numbers(cell)[0]
    planted = wrong[:-1] + str((int(wrong[-1]) + 1) % 10)
    for output in cell.outputs:
        if "text" in output:
            output.text = output.text.replace(wrong, planted)
        for kind, text in output.get("data", {}).items():
            if kind.startswith("text/"):
                output.data[kind] = text.replace(wrong, planted)


def assert_each_planted_error_is_found(path, folder, speed):
    """Plant a wrong number in every compared cell; nbval must fail these cells, and these alone."""
    notebook = notebooks.read(path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    compared = notebooks.compared_cells(notebook)
    for cell in compared:
        plant(cell)
    copy = folder / path.name
    nbformat.write(notebook, copy)
    passed, failed = nbval(copy, speed)
    assert len(compared) >= notebooks.MINIMUM_COMPARED
    assert failed == [code.index(cell) for cell in compared]
    assert len(passed) + len(failed) == len(code)


def solved(cell):
    """Return a cell's source, an exercise's starter replaced by its solution."""
    key = notebooks.named(cell, "exercise")
    return exercises.find(key).solution_code() if key else cell.source


def assert_solutions_pass(path, speed, first=""):
    """Run with every exercise solved: each check says correct, and it did not without."""
    execution = notebooks.run(path, speed, first=first, replace=solved)
    for notebook, expected in ((notebooks.read(path), "Not attempted."), (execution.notebook, "Correct.")):
        checks = [c for c in notebook.cells if c.cell_type == "code" and "exercises.check(" in c.source]
        said = ["".join(notebooks.compared_text(cell)) for cell in checks]
        assert [text for text in said if expected not in text] == []
    exercised = [c for c in execution.notebook.cells if notebooks.named(c, "exercise")]
    assert len(checks) >= len(exercised)
    return execution


def replaying(folder):
    """Return code that makes a kernel find recordings in a folder."""
    return (
        "from pathlib import Path\nfrom minillm.classroom import runs\n"
        f"runs.path_of = lambda name: Path({str(folder)!r}) / (name + '.jsonl.gz')"
    )


# --- the machinery, on the demonstration


def test_demo_is_in_order_and_text_form_round_trips(demo):
    assert in_order(demo) == []
    text = (HERE / "notebook_demo.txt").read_text(encoding="utf-8")
    assert notebooks.to_text(notebooks.read(demo)).strip() == text.strip()


def test_replay_stores_the_bytes_of_live_but_for_the_settings(demo):
    played, stored = notebooks.run(demo, "REPLAY", first=replaying(demo.parent)).notebook, notebooks.read(demo)
    for notebook, speed in ((played, "REPLAY"), (stored, "LIVE")):
        settings = next(cell for cell in notebook.cells if of_kind("settings")(cell))
        assert f"speed {speed}" in settings.outputs[0].data["text/plain"]
        settings.outputs = []
    assert nbformat.writes(played) == nbformat.writes(stored)


def test_planted_errors_in_the_demo_are_found(demo, tmp_path):
    assert_each_planted_error_is_found(demo, tmp_path, "LIVE")


def test_solutions_pass_in_the_demo_and_its_run_is_as_recorded(demo, tmp_path):
    check = replaying(demo.parent) + f"\nruns.compare_first(report={str(tmp_path / 'seen')!r})"
    assert_solutions_pass(demo, "LIVE", first=check)
    assert (tmp_path / "seen").read_text(encoding="utf-8") == "99_demo\n"


def change(path, condition, edit):
    """Return the problems of a notebook after an edit of the first cell that fulfils a condition."""
    notebook = notebooks.read(path)
    edit(next(cell for cell in notebook.cells if condition(cell)))
    return "\n".join(notebooks.problems(notebook, path))


def of_kind(kind):
    return lambda cell: cell.cell_type == "code" and notebooks.kind(cell) == kind


def with_picture(cell):
    return any("image/png" in o.get("data", {}) for o in cell.get("outputs", [])) and "nbval-ignore-output" not in (
        notebooks.tags(cell)
    )


def computed(cell):
    return cell.cell_type == "code" and bool(notebooks.computed_numbers(cell))


BREAKS = {
    "one tag of sketch": (of_kind("sketch"), lambda c: c.metadata.update(tags=[])),
    "differs from what it is generated from": (
        of_kind("verbatim"),
        lambda c: c.update(source=c.source.replace("math.exp(loss_nats)", "math.exp(-loss_nats)")),
    ),
    "There is no definition 'minillm.loss.nothing'": (
        of_kind("verbatim"),
        lambda c: c.metadata.minillm.update(verbatim="minillm.loss.nothing"),
    ),
    "next code cell must compare it": (
        lambda c: "assert perplexity" in c.source,
        lambda c: c.update(source=c.source.replace("assert", "")),
    ),
    "no execution count": (of_kind("sketch"), lambda c: c.update(execution_count=None)),
    "first heading must be its only title": (
        lambda c: c.source.startswith("# "),
        lambda c: c.update(source=c.source.replace("?", ".")),
    ),
    "skips a level": (lambda c: c.source.startswith("## "), lambda c: c.update(source="#" + c.source)),
    "path or an address of one machine": (computed, lambda c: c.outputs[0].data.update({"text/plain": "/home/me/x 7"})),
    "names a path of one machine": (of_kind("use"), lambda c: c.update(source="open('/tmp/x')")),
    "no alternative text": (with_picture, lambda c: c.outputs[0].metadata.clear()),
    "ends with an error": (
        of_kind("use"),
        lambda c: c.outputs.append(nbformat.v4.new_output("error", ename="E", evalue="", traceback=[])),
    ),
    "writes to stderr": (
        of_kind("use"),
        lambda c: c.outputs.append(nbformat.v4.new_output("stream", name="stderr", text="warning")),
    ),
    "not normalised": (of_kind("use"), lambda c: c.metadata.update(execution={"iopub.status.idle": "2026"})),
    "0 cells of kind settings": (of_kind("settings"), lambda c: c.metadata.update(tags=["use"])),
}


@pytest.mark.parametrize("message", BREAKS)
def test_a_broken_rule_is_named(demo, message):
    assert message in change(demo, *BREAKS[message])


def test_too_few_compared_results_are_named(demo):
    notebook = notebooks.read(demo)
    for cell in notebooks.compared_cells(notebook)[7:]:
        cell.metadata.tags.append("nbval-ignore-output")
    found = "\n".join(notebooks.problems(notebook, demo))
    assert "7 computed results are compared: 8 are needed" in found and "at most a quarter may be" in found


def test_a_constant_is_no_computed_result():
    cell = nbformat.v4.new_code_cell("print(41 + 1)", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="42\n")]
    assert notebooks.computed_numbers(cell) == ["42"]
    cell.source = "print(42)"
    assert notebooks.computed_numbers(cell) == []


def test_sync_mends_a_changed_definition(demo):
    notebook = notebooks.read(demo)
    cell = next(cell for cell in notebook.cells if of_kind("verbatim")(cell))
    whole = cell.source
    cell.source = whole.replace("math.exp", "math.log")
    assert len(notebooks.sync(notebook, demo)) == 1 and cell.source == whole


@pytest.mark.parametrize("text", ["no cell", "%% sketchy\n1", "%% verbatim minillm.loss.nothing\n"])
def test_a_text_that_is_no_notebook_is_named(tmp_path, text, capsys):
    source = tmp_path / "x.txt"
    source.write_text(text, encoding="utf-8")
    assert notebooks.main(["from-text", str(source), str(tmp_path / "x.ipynb")]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 2 and not (tmp_path / "x.ipynb").exists()


def test_links_come_from_the_one_setting(monkeypatch):
    monkeypatch.setattr(notebooks, "repository", lambda: ("someone/course", "v1"))
    assert "github/someone/course/blob/v1/notebooks/00_x.ipynb" in notebooks.badges("00_x.ipynb")
    assert "gh/someone/course/v1?urlpath=lab/tree/notebooks/00_x.ipynb" in notebooks.badges("00_x.ipynb")
    assert "git+https://github.com/someone/course@v1" in notebooks.colab_cell()


# --- the course's notebooks


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
def test_notebook_is_in_order(path):
    assert in_order(path) == []


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
def test_planted_errors_are_found(path, tmp_path):
    assert_each_planted_error_is_found(path, tmp_path, "REPLAY")


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
def test_solutions_pass_within_time_and_memory(path):
    execution = assert_solutions_pass(path, "REPLAY")
    assert execution.elapsed_s < REPLAY_LIMIT_S and execution.peak_bytes < MEMORY_LIMIT_BYTES


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
def test_live_runs_begin_as_recorded(path, tmp_path):
    report = tmp_path / "seen"
    report.touch()
    notebooks.run(path, "LIVE", first=f"from minillm.classroom import runs\nruns.compare_first(report={str(report)!r})")
    recorded = {file.name.split(".")[0] for file in (data_dir() / "replays").glob(f"{path.name[:2]}_*.jsonl.gz")}
    assert set(report.read_text(encoding="utf-8").split()) == recorded


def test_recordings_belong_to_a_notebook_and_are_small():
    files = sorted((data_dir() / "replays").glob("*"))
    for file in files:
        assert runs.read(file).records
        assert any(path.name[:2] == file.name[:2] for path in COURSE), f"{file.name} belongs to no notebook"
    for numbers, limit_bytes in RECORDING_LIMITS.items():
        assert sum(file.stat().st_size for file in files if file.name[:2] in numbers) <= limit_bytes


def test_commands_name_what_is_wrong(tmp_path, capsys):
    assert notebooks.main(["check", str(tmp_path / "none.ipynb")]) == 2
    assert "There is no notebook" in capsys.readouterr().err
    with pytest.raises(MinillmError):
        notebooks.definition("minillm.nothing.at_all")
