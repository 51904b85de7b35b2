"""The wheel carries what the package needs, and works where there is no checkout."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def run(*command: str | Path, **options) -> str:
    """Run a command; its output, or a failure that shows it."""
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(repository, tmp_path_factory) -> Path:
    """The wheel, built without isolation, so without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", folder, repository]
    run(sys.executable, "-m", "pip", *build)
    [built] = folder.glob("minillm-*.whl")
    return built


def test_wheel_carries_the_package_and_all_its_data(repository, wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        f"minillm/{path.relative_to(repository).as_posix()}"
        for path in (repository / "data").rglob("*")
        if path.is_file()
    } | {
        path.relative_to(repository).as_posix()
        for path in (repository / "minillm").rglob("*.py")
    }  # fmt: skip
    assert expected <= names
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_installed_wheel_works_outside_the_checkout(wheel, tmp_path):
    target, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", target, wheel)
    environment = os.environ | {"PYTHONPATH": str(target)}
    said = run(sys.executable, "-P", TESTS / "check_wheel.py", target, cwd=elsewhere, env=environment)
    assert str(target) in said


def test_installed_wheel_has_its_command(wheel, tmp_path):
    run(
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--no-index",
        "--target",
        tmp_path / "site",
        wheel,
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    script = "import minillm.cli, sys; sys.argv = ['minillm', '--help']; minillm.cli.main()"
    said = run(sys.executable, "-P", "-c", script, cwd=tmp_path, env=environment)
    for command in ("pretrain", "sample", "eval", "corpus"):
        assert command in said


def test_source_distribution_holds_the_course(repository, tmp_path):
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path, cwd=repository)
    [archive] = tmp_path.glob("minillm-*.tar.gz")
    with tarfile.open(archive) as file:
        inside = {name.split("/", 1)[1] for name in file.getnames()}
    for needed in (
        "README.md",
        "LICENSE",
        "Makefile",
        "constraints.txt",
        "tests/test_packaging.py",
        "data/facts/memory.csv",
    ):
        assert needed in inside
    assert not [name for name in inside if name.startswith((".venv", "build/", "runs/"))]
