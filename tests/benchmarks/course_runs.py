"""Write data/facts/course_runs.csv, from which `minillm plan` learns what a run will reach.

Run: python tests/benchmarks/course_runs.py RUN_FOLDER ...
Each folder is a finished run of the course's recipe on the embedded text, such as
    minillm pretrain --size small --steps 1000 --seed 0 --precision fp32
Others are named and left out. The table that is there is replaced.
"""

import csv
import json
import sys
from dataclasses import fields, replace
from pathlib import Path

from minillm.batches import prepare_tokens
from minillm.config import SIZES, TrainConfig
from minillm.facts import CourseRun
from minillm.paths import data_dir
from minillm.scaling.course import CANDIDATES, course_model
from minillm.settings import read_run_config
from minillm.tokenizer import course_tokenizer

FREE = ("steps", "batch_size", "seed", "precision", "threads", "checkpoint_every", "checkpoint_minutes", "keep_last")
"""Settings that a run of the recipe may choose."""


def row(folder: Path, fingerprint: str, corpus_tokens: int) -> dict | str:
    """Return a run as the table has it, or in words why it is not in it."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    config = read_run_config(folder / "config.json")
    size = next((name for name in CANDIDATES if course_model(name) == config.model), None)
    asked = {name: getattr(config.train, name) for name in FREE}
    if size is None or config.train != replace(TrainConfig(), **asked):
        return "another model or recipe"
    if report["corpus_fingerprint"] != fingerprint:
        return f"another text, {report['corpus_fingerprint']}"
    steps, seed, batch = report["steps"], config.train.seed, config.train.batch_size
    if report["tokens_seen"] != steps * batch * SIZES[size].context_length:
        return "tokens and steps do not go together"
    usual = batch == TrainConfig().batch_size
    versions = report["versions"]
    command = f"minillm pretrain --size {size} --steps {steps} --seed {seed} --precision {report['precision']}"
    return {
        "name": f"{size}, {steps} steps{'' if usual else f' of {batch}'}, seed {seed}, {report['precision']}",
        "size": size,
        "parameters": report["parameters"],
        "tokens": report["tokens_seen"],
        "batch_size": batch,
        "seed": seed,
        "bits_per_byte": f"{report['val_bits_per_byte']:.5f}",
        "loss_nats": f"{report['val_loss_nats']:.5f}",
        "flops": f"{report['flops']:.4g}",
        "corpus_tokens": corpus_tokens,
        "corpus": fingerprint,
        "versions": f"minillm {versions['minillm']}, torch {versions['torch']}, Python {versions['python']}",
        "precision": report["precision"],
        "source": command + ("" if usual else f" --batch-size {batch}"),
        "source_quality": "measured here",
    }


def main(folders: list[Path]) -> None:
    """Write the table."""
    tokens = prepare_tokens("embedded", course_tokenizer())
    rows = []
    for folder in folders:
        found = row(folder, tokens.fingerprint, sum(map(len, tokens.train.values())))
        if isinstance(found, str):
            print(f"{folder}: left out, {found}")
        else:
            rows.append(found)
    rows.sort(key=lambda r: (CANDIDATES.index(r["size"]), r["tokens"], r["seed"], r["precision"]))
    columns = [{"quality": "source_quality"}.get(field.name, field.name) for field in fields(CourseRun)]
    with open(data_dir() / "facts" / "course_runs.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{len(rows)} runs")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
