"""What rises when: the probe sets over the checkpoints of a run, of three seeds of the first run and of the base model.

    python -m minillm.classroom.first_reading.rises seeds              trains three seeds, some minutes
    python -m minillm.classroom.first_reading.rises base_model FOLDER  looks at the checkpoints in a folder

Each writes its part of data/base_model/rises.json and leaves the other as it is.
"""

import argparse
import dataclasses
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch

from minillm import checkpoint
from minillm.batches import Tokens, prepare_tokens
from minillm.classroom.first_reading import first_run
from minillm.classroom.first_reading.probes import PROBES, SETS, all_margins, scores, times_stated
from minillm.classroom.runs import plain
from minillm.config import ModelConfig, TrainConfig
from minillm.errors import DataError, MinillmError
from minillm.model import Transformer
from minillm.paths import data_dir, write_atomically
from minillm.runtime import keep_freed_memory, pick_device
from minillm.tokenizer import Tokenizer, course_tokenizer
from minillm.train import train

SEEDS = (0, 1, 2)
MOMENTS = (0, 10, 30, 60, 100, 150, 250, 500)
"""Steps after which a seed's run is looked at; 0 is before the first."""
BASE_MODEL = "base model"


def rows(
    run: str,
    step: int,
    tokens_seen: int,
    train_loss_nats: float | None,
    margins_of: Mapping[str, Sequence[float]],
    stated: Sequence[int],
) -> Iterator[dict]:
    """Yield a record for each probe set, and each group of the facts, at one moment of a run."""
    for found in scores(margins_of, stated):
        yield {
            "run": run,
            "step": step,
            "tokens_seen": tokens_seen,
            "train_loss_nats": train_loss_nats,
            "set": found.name,
            "right": found.right,
            "items": found.items,
            "median_margin_nats": found.median_margin_nats,
            "clearly_right": found.clearly_right,
            "clearly_wrong": found.clearly_wrong,
        }


def watch_seed(
    tokens: Tokens,
    tokenizer: Tokenizer,
    seed: int,
    *,
    model: ModelConfig = first_run.MODEL,
    training: TrainConfig = first_run.TRAINING,
    moments: Sequence[int] = MOMENTS,
) -> Iterator[dict]:
    """Train the first run from this seed as far as the last moment; yield the records of each."""
    keep_freed_memory()
    stated = times_stated(tokens, tokenizer, PROBES["facts"])
    torch.manual_seed(seed)
    transformer = Transformer(model).to(pick_device())

    def look(step: int, tokens_seen: int, loss: float | None) -> Iterator[dict]:
        return rows(f"seed {seed}", step, tokens_seen, loss, all_margins(transformer, tokenizer), stated)

    if 0 in moments:
        yield from look(0, 0, None)
    for record in train(transformer, tokens, dataclasses.replace(training, seed=seed)):
        if record.step in moments:
            yield from look(record.step, record.tokens_seen, record.train_loss_nats)
        if record.step >= max(moments):
            return


def watch_checkpoints(folder: Path, tokens: Tokens, tokenizer: Tokenizer) -> Iterator[dict]:
    """Yield the records of each checkpoint in a folder, the first steps first; DataError if there is none."""
    found = checkpoint.list_checkpoints(folder)
    if not found:
        raise DataError(f"There are no checkpoints in {folder}.", "Name the folder that holds step-000500 and others.")
    stated = times_stated(tokens, tokenizer, PROBES["facts"])
    for path in found:
        model, about = checkpoint.load_model(path), checkpoint.read_state(path).record
        margins_of = all_margins(model, tokenizer)
        yield from rows(BASE_MODEL, about.step, about.tokens_seen, about.train_loss_nats, margins_of, stated)


def probes_fingerprint() -> str:
    """Return the sha256 of all items, which tells whether a recording was made with these."""
    items = [dataclasses.astuple(probe) for probes in SETS.values() for probe in probes]
    return hashlib.sha256(json.dumps(items).encode("utf-8")).hexdigest()


def path() -> Path:
    """Return where the recorded rises lie."""
    return data_dir() / "base_model" / "rises.json"


def load() -> list[dict]:
    """Return the recorded records, of the three seeds and of the base model; DataError if there are none."""
    try:
        parts = json.loads(path().read_text(encoding="utf-8"))
        return [
            dict(zip(part["columns"], values, strict=True)) for part in parts.values() for values in part["records"]
        ]
    except (OSError, ValueError, KeyError, AttributeError):
        raise DataError(
            f"There is no readable {path().name} in {path().parent}.", "Install the course again, or record it."
        ) from None


def line(records: Sequence[dict], run: str, name: str) -> tuple[list[int], list[float]]:
    """Return the steps of a run and, at each, the share of a set's items that are right."""
    chosen = [record for record in records if record["run"] == run and record["set"] == name]
    return [record["step"] for record in chosen], [record["right"] / record["items"] for record in chosen]


def write(part: str, records: Sequence[dict], tokens: Tokens, tokenizer: Tokenizer) -> None:
    """Write one part of the file, `seeds` or `base_model`, and keep the other."""
    parts = json.loads(path().read_text(encoding="utf-8")) if path().exists() else {}
    parts[part] = {
        "corpus": tokens.fingerprint,
        "tokenizer": tokenizer.fingerprint,
        "probes": probes_fingerprint(),
        "columns": list(records[0]),
        "records": [list(plain(record).values()) for record in records],
    }
    path().parent.mkdir(parents=True, exist_ok=True)
    ordered = {name: parts[name] for name in sorted(parts)}
    write_atomically(path(), json.dumps(ordered, separators=(",", ":")) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Record one part of the file; return 2 for bad input."""
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name}", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("seeds", help="train the first run from three seeds")
    commands.add_parser("base_model", help="look at checkpoints").add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    tokenizer = course_tokenizer()
    try:
        tokens = prepare_tokens("embedded", tokenizer)
        if options.command == "seeds":
            records = [record for seed in SEEDS for record in watch_seed(tokens, tokenizer, seed)]
        else:
            records = list(watch_checkpoints(options.folder, tokens, tokenizer))
        write(options.command, records, tokens, tokenizer)
    except MinillmError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{len(records)} records written to {path().name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
