"""The learner's own model of notebook 09: small, trained in seconds on encyclopedia and speeches."""

from collections.abc import Iterator
from pathlib import Path

import torch

from minillm import checkpoint
from minillm.batches import Tokens
from minillm.classroom.threads import one_thread
from minillm.config import ModelConfig, TrainConfig
from minillm.model import Transformer
from minillm.records import Record
from minillm.train import train

MODEL = ModelConfig(n_layers=2, d_model=64, n_heads=2, context_length=128)
TRAINING = TrainConfig(steps=160, batch_size=12, learning_rate=0.01)
KINDS = ("web", "books")


def text_of(tokens: Tokens) -> Tokens:
    """Return the part of a corpus that the model reads: whole sentences, no code."""
    streams = {kind: ids for kind, ids in tokens.train.items() if kind in KINDS} or tokens.train
    weights = {kind: tokens.weights[kind] for kind in streams}
    whole = sum(weights.values())
    return Tokens(streams, {}, {}, {kind: w / whole for kind, w in weights.items()}, tokens.fingerprint, {})


def read(tokens: Tokens, *, training: TrainConfig = TRAINING) -> Iterator[tuple[int, float, Transformer]]:
    """Train the model; yield step, loss in nats and the model after each step. One thread: the same digits anywhere."""
    torch.manual_seed(training.seed)
    model = Transformer(MODEL)
    records = train(model, text_of(tokens), training)

    def step() -> Record | None:
        with one_thread():  # around each step, not the loop: between two steps the caller has its own threads
            return next(records, None)

    for record in iter(step, None):
        yield record.step, record.train_loss_nats, model


def newest_run(runs: Path = Path("runs")) -> Transformer | None:
    """Return the model of the newest run in a folder of runs, or None if no run there has a whole checkpoint."""
    for folder in sorted(runs.glob("*/checkpoints"), key=lambda path: path.stat().st_mtime, reverse=True):
        newest, _ = checkpoint.newest_whole(folder)
        if newest:
            return checkpoint.load_model(newest)
    return None
