"""The learner's own model of notebook 09: small, trained in seconds on encyclopedia and speeches."""

from collections.abc import Iterator
from pathlib import Path

import torch

from minillm import checkpoint
from minillm.batches import Tokens, get_batch
from minillm.classroom.threads import one_thread
from minillm.config import ModelConfig, TrainConfig
from minillm.model import Transformer
from minillm.optimizer import make_optimizers, rate_factor, set_rates
from minillm.train import train_step

MODEL = ModelConfig(n_layers=2, d_model=64, n_heads=2, context_length=128)
TRAINING = TrainConfig(steps=160, batch_size=12, learning_rate=0.01)
KINDS = ("web", "books")


def text_of(tokens: Tokens) -> Tokens:
    """Return the part of a corpus that the model reads: whole sentences, no code."""
    train = {kind: ids for kind, ids in tokens.train.items() if kind in KINDS} or tokens.train
    weights = {kind: tokens.weights[kind] for kind in train}
    whole = sum(weights.values())
    return Tokens(train, {}, {}, {kind: w / whole for kind, w in weights.items()}, tokens.fingerprint, {})


def read(tokens: Tokens, *, training: TrainConfig = TRAINING) -> Iterator[tuple[int, float, Transformer]]:
    """Train the model; yield step, loss in nats and the model after each step. One thread: the same digits anywhere."""
    torch.manual_seed(training.seed)
    model = Transformer(MODEL)
    optimizers = make_optimizers(model, training)
    own = text_of(tokens)
    for step in range(1, training.steps + 1):
        batch = get_batch(
            own,
            seed=training.seed,
            step=step,
            batch_size=training.batch_size,
            context_length=MODEL.context_length,
        )
        set_rates(optimizers, rate_factor(training, step))
        with one_thread():
            loss, _ = train_step(model, optimizers, *batch)
        yield step, loss, model


def newest_run(runs: Path = Path("runs")) -> Transformer | None:
    """Return the model of the newest run in a folder of runs, or None if no run there has a whole checkpoint."""
    for folder in sorted(runs.glob("*/checkpoints"), key=lambda path: path.stat().st_mtime, reverse=True):
        saved = checkpoint.list_checkpoints(folder)
        if saved:
            return checkpoint.load_model(saved[-1]).eval()
    return None
