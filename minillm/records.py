"""What a run writes as it goes: one JSON object a line, readable while it is written and after a crash."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from minillm.errors import DataError
from minillm.paths import write_atomically


@dataclass(frozen=True)
class Record:
    """What one step measured: a line of metrics.jsonl. `elapsed_s` counts training alone, `wall_s` everything."""

    step: int
    tokens_seen: int
    elapsed_s: float
    wall_s: float
    train_loss_nats: float
    lr: float
    grad_norm: float | None
    """None where fp16 skipped the step because a gradient was too large for its format."""
    tokens_per_s: float


def append_line(path: Path, value: object) -> None:
    """Add one object, a dict or a dataclass, as a line of JSON, and hand it to the system at once."""
    if dataclasses.is_dataclass(value):
        value = dataclasses.asdict(value)
    with open(path, "a", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")


def read_lines(path: Path) -> list[dict]:
    """Read every whole line; a last line cut short by a crash, and a missing file, are passed over.

    Raises DataError for a whole line that is not an object in JSON.
    """
    if not path.exists():
        return []
    values = []
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):  # after the last newline: unfinished
        try:
            values.append(dict(json.loads(line)))
        except (ValueError, TypeError):
            raise DataError(
                f"{path}, line {number}, is damaged.", "Restore the file, or start a new run with another --out."
            ) from None
    return values


def cut_after(path: Path, step: int) -> None:
    """Drop the lines of steps after `step`, and a half-written last line, so that a resumed run goes on from there."""
    if not path.exists():
        return
    kept = [line for line in read_lines(path) if line["step"] <= step]
    write_atomically(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept))
