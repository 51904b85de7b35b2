"""A source of known entropy, a model that reads it, and the paired difference that tells honest from too good.

B sequences, T symbols in a sequence. A source's rows are known, so the least possible loss is known too.
"""

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from minillm.classroom import packed
from minillm.classroom.threads import one_thread
from minillm.config import ModelConfig, TrainConfig
from minillm.corpus.synthetic import MarkovSource, markov_source
from minillm.loss import token_surprise
from minillm.model import Transformer
from minillm.optimizer import make_optimizers, rate_factor, set_rates
from minillm.runtime import keep_freed_memory
from minillm.train import train_step

ORDER, SYMBOLS, CONTEXT = 2, 8, 64
STEPS = {"A": 600, "B": 300}
"""Training steps of the two models of the notebook."""
MODEL = ModelConfig(n_layers=2, d_model=32, n_heads=2, vocab_size=SYMBOLS, context_length=CONTEXT)
TRAINING = TrainConfig(
    steps=STEPS["A"], batch_size=32, optimizer="adamw", learning_rate=0.01, weight_decay=0.0, decay_fraction=0.5
)
FRESH_SEQUENCES = 1600
"""Sequences on which a model is judged: 1,600 of 64 targets, a little over 100,000."""
LEAK_EVERY = 5
"""In model B every fifth sequence of a batch tells what comes next."""
TOO_GOOD, GOOD_NATS = -2.0, 0.02
"""A paired difference is believed from -2 standard errors, and close to the source up to 0.02 nats."""


def make_source(seed: int = 0) -> MarkovSource:
    """Return a source of eight symbols, each drawn from probabilities that depend on the last two."""
    return markov_source(ORDER, SYMBOLS, seed=seed)


class LeakingEmbedding(nn.Embedding):
    """A planted fault: in every fifth sequence of a batch each position is also told the symbol after it."""

    def forward(self, ids: Tensor) -> Tensor:
        """Return the embeddings [B, T, C]; the last position has nothing after it and is told the first symbol."""
        x = super().forward(ids)
        told = torch.arange(len(ids), device=ids.device) % LEAK_EVERY == 0
        return x + told[:, None, None] * x.roll(-1, dims=1)


def make_model(seed: int, variant: str = "A") -> Transformer:
    """Return an untrained model: A, or B, which has the planted fault."""
    torch.manual_seed(seed)
    return as_variant(Transformer(MODEL), variant)


def as_variant(model: Transformer, variant: str) -> Transformer:
    """Return the model as A, unchanged, or as B: with the leaking embedding and the weights that it has."""
    if variant == "B":
        leaking = LeakingEmbedding(*model.token_embedding.weight.shape)
        leaking.weight = model.token_embedding.weight
        model.token_embedding = leaking
    return model


def read_source(source: MarkovSource, variant: str = "A", *, steps: int | None = None, seed: int = 0) -> Iterator[dict]:
    """Train model A or B on fresh samples of a source; yield step and loss, and at the end the `packed` model."""
    keep_freed_memory()
    model = make_model(seed, variant)
    config = dataclasses.replace(TRAINING, steps=steps or STEPS[variant])
    optimizers = make_optimizers(model, config)
    with one_thread():
        for step in range(1, config.steps + 1):
            set_rates(optimizers, rate_factor(config, step))
            inputs, targets = batch(source, config.batch_size, seed=1_000_000 * (seed + 1) + step)
            loss_nats, _ = train_step(model, optimizers, inputs, targets)
            made = {"step": step, "train_loss_nats": loss_nats}
            yield made if step < config.steps else {**made, "packed": packed.pack(model)}


def trained(record: dict, variant: str = "A") -> Transformer:
    """Return the model that the last record of `read_source` holds."""
    return as_variant(packed.unpack(record["packed"]), variant)


def batch(source: MarkovSource, sequences: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return inputs and targets [B, T] of sequences drawn from the source; the same seed gives the same ones."""
    ids = torch.from_numpy(source.sample(sequences, CONTEXT + 1, seed))
    return ids[:, :-1], ids[:, 1:]


# --- the judgement


@dataclass(frozen=True)
class Difference:
    """The mean of log p(source) - log p(model) over fresh symbols, in nats, and its standard error."""

    mean_nats: float
    standard_error: float

    @property
    def verdict(self) -> str:
        """Say what the difference means: too good to be true, close to the source, or more to learn."""
        if self.mean_nats < TOO_GOOD * self.standard_error:
            return "too good to be true"
        return "honest, and close to the source" if self.mean_nats <= GOOD_NATS else "honest, with more to learn"

    def __repr__(self) -> str:
        errors = self.mean_nats / self.standard_error
        return f"{self.mean_nats:.3f} nats a symbol, {errors:.0f} standard errors from 0: {self.verdict}"


def paired_difference(source_nats: np.ndarray, model_nats: np.ndarray) -> Difference:
    """Return by how much the model's surprise exceeds the source's own, symbol by symbol on the same symbols.

    Both [sequences, T], in nats. Luck that makes a text hard or easy meets both and cancels. The standard error is
    that of the sequences' means, since symbols of one sequence are not independent.
    """
    means = (model_nats - source_nats).mean(1)
    return Difference(float(means.mean()), float(means.std(ddof=1) / math.sqrt(len(means))))


def fresh_surprise(
    source: MarkovSource, model: Transformer, *, seed: int, sequences: int = FRESH_SEQUENCES
) -> tuple[np.ndarray, np.ndarray]:
    """Return the surprise at symbols that nobody has seen, the source's own and the model's, in nats.

    Both are [sequences, T]. The source knows its rows and all symbols before, the first of each sequence too.
    """
    ids = source.sample(sequences, CONTEXT + 1, seed=2_000_000_000 + seed)
    own = -source.log_probabilities_nats(ids)[:, 1:]
    parts = []
    with torch.no_grad(), one_thread():
        for part in torch.from_numpy(ids).split(200):
            parts.append(token_surprise(model(part[:, :-1]), part[:, 1:]).numpy())
    return own, np.concatenate(parts).astype(float)
