"""The learner's own record: predictions and answers with their confidence, kept for the calibration plot."""

import contextlib
import json
from pathlib import Path

import platformdirs

_session: list[dict] = []


def path() -> Path:
    """Return the learner's file, where the operating system keeps a user's data."""
    return Path(platformdirs.user_data_dir("minillm", appauthor=False)) / "diary.jsonl"


def note(kind: str, key: str, **what: object) -> dict:
    """Add an entry to this session's record; what the learner committed goes to the file as well.

    A skipped question stays in the session alone. A folder that cannot be written costs the file, not the lesson.
    """
    entry = {"kind": kind, "key": key, **what}
    _session.append(entry)
    if not what.get("skipped"):
        with contextlib.suppress(OSError):
            path().parent.mkdir(parents=True, exist_ok=True)
            with open(path(), "a", encoding="utf-8", newline="\n") as file:
                file.write(json.dumps(entry, ensure_ascii=False, default=_plain) + "\n")
    return entry


def _plain(value: object) -> object:
    """Return what JSON can hold of a number or an array of numpy or torch."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def session() -> list[dict]:
    """Return what was noted in this session, the oldest first."""
    return list(_session)


def entries() -> list[dict]:
    """Return what the learner committed in all sessions, the oldest first; a line that is no JSON is passed over."""
    found = []
    with contextlib.suppress(OSError), open(path(), encoding="utf-8") as file:
        for line in file:
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
    return found
