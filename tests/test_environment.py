"""One set of dependencies: pyproject.toml, constraints.txt, environment.yml and the hooks agree."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from closure import closure, direct_requirements
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# where conda-forge calls a package by another name
PYPI_NAMES = {"pytorch-cpu": "torch", "matplotlib-base": "matplotlib", "playwright-python": "playwright"}
# what Colab had installed in August 2026: an installation there must leave these as they are
COLAB = {
    "torch": "2.11.0",
    "numpy": "2.1.3",
    "matplotlib": "3.10.0",
    "tiktoken": "0.14.0",
    "ipywidgets": "7.7.1",
}


def requirements_by_name(lines) -> dict[str, Requirement]:
    requirements = [Requirement(line) for line in lines]
    return {canonicalize_name(PYPI_NAMES.get(r.name, r.name)): r for r in requirements}


def constraints(repository) -> dict[str, str]:
    lines = (repository / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_conda_environment_names_the_same_set_in_the_same_ranges(repository):
    environment = yaml.safe_load((repository / "environment.yml").read_text(encoding="utf-8"))
    *conda, from_pypi = environment["dependencies"]
    assert environment["channels"] == ["conda-forge"]
    assert conda[:2] == ["python=3.12", "pip"]
    assert from_pypi["pip"][-1] == "-e ."
    there = requirements_by_name(conda[2:] + from_pypi["pip"][:-1])
    here = {canonicalize_name(r.name): r for r in direct_requirements()}
    assert there.keys() == here.keys()
    assert {name: r.specifier for name, r in there.items()} == {name: r.specifier for name, r in here.items()}


def test_constraints_lie_in_the_ranges(repository):
    pinned = constraints(repository)
    assert pinned["torch"] == "2.13.0"
    for requirement in direct_requirements():
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), requirement


@pytest.mark.skipif(sys.platform != "linux", reason="other systems need a few other packages")
def test_constraints_name_everything_that_an_installation_brings(repository):
    accelerator = ("nvidia-", "cuda-", "triton")  # only PyTorch's CUDA build brings these
    missing = {name for name in closure() if not name.startswith(accelerator)} - constraints(repository).keys()
    assert not missing, "renew with: python tests/closure.py > constraints.txt"


def test_colabs_versions_are_admitted():
    ranges = {canonicalize_name(r.name): r.specifier for r in direct_requirements()}
    for name, version in COLAB.items():
        assert ranges[name].contains(version), name


def test_hooks_are_local(repository):
    hooks = yaml.safe_load((repository / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [block["repo"] for block in hooks["repos"]] == ["local"]
    assert {hook["language"] for hook in hooks["repos"][0]["hooks"]} == {"system"}


# --- the Makefile, with a stand-in for Python that notes what it is asked ---

STAND_IN = """#!/bin/sh
echo "$*" >> "{log}"
case "$*" in
    *"-m venv"*) mkdir -p .venv/bin; cp "$0" .venv/bin/python;;
    *"pip install"*) exit ${{PIP_EXIT:-0}};;
esac
"""

needs_make = pytest.mark.skipif(not shutil.which("make"), reason="GNU Make is not installed")


@pytest.fixture
def checkout(repository, tmp_path) -> Path:
    """A folder, with a space in its name, that holds only what an installation reads."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(repository / name, folder)
    python = tmp_path / "python"
    python.write_text(STAND_IN.format(log=tmp_path / "log"), encoding="utf-8")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    return folder


def make(checkout: Path, *arguments: str, **environment: str) -> tuple[int, str, list[str]]:
    """Run make; its exit code, what it printed, and the calls of pip install it made."""
    log = checkout.parent / "log"
    log.write_text("", encoding="utf-8")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    done = subprocess.run(
        ["make", *arguments],
        cwd=checkout,
        env=inherited | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    calls = log.read_text(encoding="utf-8").splitlines()
    return done.returncode, done.stdout + done.stderr, [call for call in calls if "pip install" in call]


@needs_make
def test_installs_once_under_the_constraints_and_again_when_they_change(checkout):
    python = f"PYTHON={checkout.parent / 'python'}"
    code, said, installs = make(checkout, "install", python)
    assert code == 0, said
    assert len(installs) == 1 and "-c constraints.txt" in installs[0] and "[lab,hub,offline,test]" in installs[0]
    assert make(checkout, "install", python) == (0, "", [])
    os.utime(checkout / "pyproject.toml")  # a newer date alone changes nothing
    assert make(checkout, "install", python) == (0, "", [])
    with open(checkout / "constraints.txt", "a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert len(make(checkout, "install", python)[2]) == 1


@needs_make
def test_failed_installation_is_tried_again(checkout):
    python = f"PYTHON={checkout.parent / 'python'}"
    assert make(checkout, "install", python, PIP_EXIT="1")[0] != 0
    code, _, installs = make(checkout, "install", python)
    assert code == 0 and len(installs) == 1


@needs_make
def test_cpu_build_comes_first_and_from_its_own_index(checkout):
    _, _, installs = make(checkout, "install", "TORCH=cpu", f"PYTHON={checkout.parent / 'python'}")
    first, second = installs
    assert first.endswith("--index-url https://download.pytorch.org/whl/cpu torch") and "--no-deps" in first
    assert "--index-url" not in second
    code, said, installs = make(checkout, "install", "TORCH=gpu")
    assert code != 0 and "TORCH=gpu is unknown" in said and not installs


@needs_make
def test_missing_python_is_named_with_a_remedy(checkout):
    code, said, installs = make(checkout, "install", "PYTHON=/nowhere/python3")
    assert code != 0 and not installs
    assert "needs Python 3.11, 3.12 or 3.13" in said and "/nowhere/python3" in said and "PYTHON=" in said
    assert not (checkout / ".venv").exists()
