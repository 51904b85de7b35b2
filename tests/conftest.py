"""What all tests share: where the repository lies, and caches that stay inside its build folder."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent

# Set before anything is imported, so that subprocesses and notebook kernels inherit it.
os.environ["XDG_CACHE_HOME"] = str(REPOSITORY / "build" / "cache")
os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(REPOSITORY / "build" / "hypothesis")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY
