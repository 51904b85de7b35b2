"""Where things lie: the package's own data, the learner's cache, and a safe way to write a file."""

import json
import os
import re
from pathlib import Path

import platformdirs

from minillm.errors import ConfigError


def data_dir() -> Path:
    """Return the folder with tokenizer, facts, replays and evidence, from a wheel and from a checkout alike.

    A wheel carries `data/` inside the package; an editable install finds it beside the package.
    """
    package = Path(__file__).parent
    inside, beside = package / "data", package.parent / "data"
    return inside if inside.is_dir() else beside


def cache_dir() -> Path:
    """Return the learner's cache folder, made if need be, where the operating system keeps such folders."""
    folder = Path(platformdirs.user_cache_dir("minillm", appauthor=False))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader, or a restart after a crash, sees the old content or the new, never half."""
    payload = content.encode("utf-8") if isinstance(content, str) else content
    partial = path.with_name(path.name + ".part")
    with open(partial, "wb") as file:
        file.write(payload)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def write_json(path: Path, value: object) -> None:
    """Write a value as indented JSON, atomically."""
    write_atomically(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def checked_name(name: str) -> str:
    """Return the last part of a run's path if every file system takes it as a name, else raise ConfigError."""
    plain = re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?", name)  # Windows drops a final dot
    reserved = re.match(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", name.lower())  # Windows keeps these for devices
    if not plain or reserved:
        raise ConfigError(
            f"'{name}' is no name for a run: it must start with a letter or digit, at most 100 characters.",
            "Use letters, digits, '.', '_' and '-' only, for example --out runs/first.",
        )
    return name
