"""A live run and its recording, through one loop: `for record in stream(...)` does not know which it reads.

A recording is data/replays/NAME.jsonl.gz: a header, then one record a line. The header names the command, the seed,
the versions, the fingerprints of corpus and tokenizer, the machine without its name, and the sha256 of the records.
"""

import dataclasses
import gzip
import hashlib
import io
import json
import math
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from minillm.errors import MinillmError
from minillm.paths import checked_name, data_dir, write_atomically

DIGITS = 7
"""Significant digits of a recorded number: a loss to 1e-6."""

# what stands between a live run and its consumer: nothing, the recorder, or the comparison of the tests
_watcher: Callable[[str, Iterator[dict], dict], Iterator[dict]] | None = None


class ReplayError(MinillmError):
    """A recording that is missing, damaged, or unlike the live run."""


@dataclass(frozen=True)
class Replay:
    """A recorded run: its header and its records."""

    header: dict
    records: list[dict]

    def __repr__(self) -> str:
        about = f"{self.header['name']}, seed {self.header['seed']}"
        return f"{len(self.records)} records of {about}, recorded on {self.header['machine']['cores']} cores"


def plain(record: object) -> dict:
    """Return a record as what JSON gives back: a dict of plain values, floats to seven significant digits.

    Live records pass through here as well, so that a consumer meets the same types and digits from a recording.
    """
    if dataclasses.is_dataclass(record):
        record = dataclasses.asdict(record)
    return json.loads(json.dumps(_rounded(record), ensure_ascii=False, allow_nan=False))


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _rounded(inner) for key, inner in value.items()}
    if hasattr(value, "tolist"):  # numpy and torch
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    if isinstance(value, float) and math.isfinite(value):
        return float(f"{value:.{DIGITS}g}")
    return value


def stream(
    name: str,
    live: Callable[[], Iterable[object]],
    speed: str,
    *,
    seed: int,
    corpus: str | None = None,
    tokenizer: str | None = None,
) -> Iterator[dict]:
    """Yield the records of `live()` as dicts, or at the speed REPLAY those of the recording called `name`.

    name: the notebook's number first, such as 00_first_run. live: called only when it is needed, returns records
    that JSON can hold (dicts or dataclasses). seed, corpus, tokenizer: written into a recording's header.
    Raises ReplayError for a missing or damaged recording.
    """
    checked_name(name)
    if speed == "REPLAY":
        return iter(load(name).records)
    records = (plain(record) for record in live())
    about = {"seed": seed, "corpus": corpus, "tokenizer": tokenizer}
    return _watcher(name, records, about) if _watcher else records


def path_of(name: str) -> Path:
    """Return where the recording of that name lies."""
    return data_dir() / "replays" / f"{checked_name(name)}.jsonl.gz"


def load(name: str) -> Replay:
    """Read and verify the recording of that name; ReplayError if it is missing or damaged."""
    return read(path_of(name))


def read(path: Path) -> Replay:
    """Read and verify a recording; ReplayError if it is missing or damaged."""
    if not path.exists():
        raise ReplayError(
            f"There is no recording {path.name} in {path.parent}.",
            "Set MINILLM_SPEED=LIVE to compute the run here, or install the package again.",
        )
    try:
        head, _, body = gzip.decompress(path.read_bytes()).decode("utf-8").partition("\n")
        header = json.loads(head)
        whole = hashlib.sha256(body.encode("utf-8")).hexdigest() == header["sha256"]
        records = [json.loads(line) for line in body.split("\n")[:-1]]  # splitlines would cut at U+2028
    except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error) as error:
        raise _damaged(path, f"cannot be read ({error})") from None
    if not whole or len(records) != header.get("records"):
        raise _damaged(path, "does not have the sha256 that its header states")
    return Replay(header, records)


def _damaged(path: Path, how: str) -> ReplayError:
    return ReplayError(
        f"The recording {path.name} {how}.",
        "Install the package again or restore the file, or set MINILLM_SPEED=LIVE to compute the run here.",
    )


def write(path: Path, records: Iterable[dict], about: dict) -> Replay:
    """Write a recording, the same bytes for the same records and header on one machine."""
    from minillm.runtime import machine, versions

    records = list(records)
    lines = [json.dumps(r, ensure_ascii=False, allow_nan=False, separators=(",", ":")) for r in records]
    body = "".join(line + "\n" for line in lines)
    header = {
        "name": path.name.split(".")[0],
        **about,
        "versions": versions(),
        "machine": machine(),
        "records": len(records),
        "sha256": hashlib.sha256(body.encode("utf-8")).hexdigest(),
    }
    text = json.dumps(header, ensure_ascii=False) + "\n" + body
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as file:  # no name, no date: same bytes again
        file.write(text.encode("utf-8"))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, packed.getvalue())
    return Replay(header, records)


def record_to(folder: str | Path, command: str) -> None:
    """From now on write each live run that passes through `stream` into the folder, when its loop ends."""
    global _watcher

    def recorder(name: str, records: Iterator[dict], about: dict) -> Iterator[dict]:
        taken = []
        try:
            for record in records:
                taken.append(record)
                yield record
        except GeneratorExit:  # the consumer had enough: what it saw is the run
            pass
        write(Path(folder) / f"{name}.jsonl.gz", taken, {"command": command, **about})

    _watcher = recorder


def compare_first(count: int = 20, tolerance: float = 1e-3, report: str | Path | None = None) -> None:
    """From now on compare each live run's first losses with the recording, then go on with the recording.

    Raises ReplayError, in the consumer's loop, where they differ. `report` gets the names of the runs compared.
    """
    global _watcher

    def comparison(name: str, records: Iterator[dict], about: dict) -> Iterator[dict]:
        replay = load(name)
        if about != {key: replay.header.get(key) for key in about}:
            raise _unlike(name, f"it was recorded from other data or seeds than {about}")
        for position, recorded in enumerate(replay.records[:count]):
            now = next(records, None)
            if now is None:
                raise _unlike(name, f"the live run ended after {position} records")
            for key in _compared(recorded):
                if not math.isclose(recorded[key], now.get(key, math.nan), rel_tol=0, abs_tol=tolerance):
                    raise _unlike(name, f"record {position}: {key} is {now.get(key)} live, {recorded[key]} recorded")
        if report:
            with open(report, "a", encoding="utf-8") as file:
                file.write(name + "\n")
        yield from replay.records

    _watcher = comparison


def _unlike(name: str, how: str) -> ReplayError:
    remedy = "Record the run again: python -m minillm.classroom.replays record NOTEBOOK"
    return ReplayError(f"The recording {name} is unlike the live run: {how}.", remedy)


def _compared(record: dict) -> list[str]:
    """Return the keys to compare: the losses, or in a record without one all numbers but times and rates."""
    numbers = [key for key, value in record.items() if isinstance(value, int | float) and not key.endswith("_s")]
    return [key for key in numbers if "loss" in key] or numbers
