"""The staircase of notebook 04: chains that are new in every sequence, and models of attention alone that read them.

A chain has `STATES` states; the row of a state holds the probabilities of the next one. B sequences, T predictions in
each, S = STATES. The experiment is that of Edelman et al. (2024), "The Evolution of Statistical Induction Heads".
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
from torch import Tensor

from minillm.classroom.threads import one_thread
from minillm.config import ModelConfig
from minillm.loss import cross_entropy
from minillm.model import Attention, RMSNorm, rotary_angles, rotate

STATES, LENGTH, CONCENTRATION = 8, 64, 0.3
"""States of a chain, predictions in a sequence, and the Dirichlet parameter of the rows: small, so rows are uneven."""
BATCH, STEPS, RATE = 64, 500, 2e-4
UNIGRAM_ADDED = 2.0
"""Added to each count of the in-context unigram; about the best for these chains."""
MAP_STEPS = (0, 100, 200, 250, 300, 350, 400)
"""Steps whose attention is kept for pictures, besides the last."""
SHOWN = 32
"""Tokens of the one sequence whose attention is kept for pictures."""
FRESH_SEED = 1_000_000
"""Added to a run's seed for the sequences on which it is measured, so that no training batch holds them."""


# --- chains, and what can be known about them


def draw_chains(rng: np.random.Generator, n_sequences: int, length: int = LENGTH) -> Tensor:
    """Return ids [B, T + 1], each sequence from a chain of its own: rows Dirichlet(0.3), the first state uniform."""
    rows = rng.dirichlet([CONCENTRATION] * STATES, size=(n_sequences, STATES)).cumsum(-1)  # [B, S, S]
    ids = np.empty((n_sequences, length + 1), dtype=np.int64)
    ids[:, 0] = rng.integers(STATES, size=n_sequences)
    for t in range(length):
        row = rows[np.arange(n_sequences), ids[:, t]]  # [B, S]
        drawn = (rng.random((n_sequences, 1)) > row).sum(-1)
        ids[:, t + 1] = np.minimum(drawn, STATES - 1)  # a row's sum can be a hair below 1
    return torch.from_numpy(ids)


def bigram_losses(ids: Tensor, added: float = CONCENTRATION) -> Tensor:
    """Return what the best possible predictor pays for each id but the first, in nats: [B, T].

    Whoever knows how the chains are drawn but not which one this is must, by Bayes' rule, give the next state
    (n_ab + 0.3) / (n_a + 8 x 0.3): n_ab counts how often b has followed the present state a in this sequence so far.
    """
    counts = torch.full((len(ids), STATES, STATES), added, dtype=torch.float64)
    every, losses = torch.arange(len(ids)), []
    for now, following in zip(ids[:, :-1].T, ids[:, 1:].T, strict=True):
        row = counts[every, now]  # [B, S]
        losses.append(-(row[every, following] / row.sum(-1)).log())
        counts[every, now, following] += 1
    return torch.stack(losses, dim=1)


def unigram_losses(ids: Tensor, added: float = UNIGRAM_ADDED) -> Tensor:
    """Return what a predictor pays that counts states in this sequence but not what follows what, in nats: [B, T]."""
    counts = torch.full((len(ids), STATES), added, dtype=torch.float64)
    every, losses = torch.arange(len(ids)), []
    for now, following in zip(ids[:, :-1].T, ids[:, 1:].T, strict=True):
        counts[every, now] += 1
        losses.append(-(counts[every, following] / counts.sum(-1)).log())
    return torch.stack(losses, dim=1)


@dataclass(frozen=True)
class Levels:
    """Mean losses in nats of three predictors that need no training, on many fresh sequences."""

    even: float
    """Even odds: ln 8."""
    unigram: float
    bigram: float
    """The exact Bayes bigram: no predictor does better on average."""

    def share_left(self, loss_nats: float) -> float:
        """Return how much of the way from the unigram to the bigram is still to go: 1 at the one, 0 at the other."""
        return (loss_nats - self.bigram) / (self.unigram - self.bigram)


def measure_levels(seed: int = 0, n_sequences: int = 4096) -> Levels:
    """Return the three levels, measured on fresh sequences."""
    ids = draw_chains(np.random.default_rng(FRESH_SEED + seed), n_sequences)
    return Levels(math.log(STATES), unigram_losses(ids).mean().item(), bigram_losses(ids).mean().item())


# --- models of attention alone, out of the package's parts


class AttentionOnly(nn.Module):
    """A transformer without feed-forward parts: ids [B, T] in, logits [B, T, S] out.

    With `causal=False` each token sees the whole sequence, its own target included: a mistake to look at.
    """

    def __init__(self, n_layers: int, d_model: int = 64, causal: bool = True):
        super().__init__()
        self.config = ModelConfig(n_layers, d_model, 1, vocab_size=STATES, context_length=LENGTH, qk_norm=False)
        self.causal = causal
        self.token_embedding = nn.Embedding(STATES, d_model)
        self.norms = nn.ModuleList(RMSNorm(d_model, eps=self.config.norm_eps) for _ in range(n_layers))
        self.layers = nn.ModuleList(Attention(self.config) for _ in range(n_layers))
        self.final_norm = RMSNorm(d_model, eps=self.config.norm_eps)
        self.head = nn.Linear(d_model, STATES, bias=False)
        for parameter in self.parameters():
            if parameter.ndim == 2:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, ids: Tensor, maps: list[Tensor] | None = None) -> Tensor:
        """Predict; a list given as `maps` is filled with each layer's weights [B, T, T], one row a looking token."""
        x = self.token_embedding(ids)
        angles = tuple(part[: ids.shape[1]] for part in rotary_angles(self.config))
        for norm, layer in zip(self.norms, self.layers, strict=True):
            seen = norm(x)
            if maps is not None:
                maps.append(attention_weights(layer, seen, angles, self.causal)[:, 0])
            x = x + (layer(seen, angles) if self.causal else see_everything(layer, seen, angles))
        return self.head(self.final_norm(x))


def attention_weights(layer: Attention, x: Tensor, angles: tuple[Tensor, Tensor] | None, causal: bool = True) -> Tensor:
    """Return the weights [B, H, T, T] that a layer of the package gives when it reads x [B, T, C].

    The package's fused kernel never writes them down, so they are computed again from its queries and keys.
    """
    n_batch, length, _ = x.shape
    q = layer.query_norm(layer.query(x).view(n_batch, length, layer.n_heads, -1).transpose(1, 2))
    k = layer.key_norm(layer.key(x).view(n_batch, length, layer.n_kv_heads, -1).transpose(1, 2))
    if angles is not None:
        q, k = rotate(q, *angles), rotate(k, *angles)
    k = k.repeat_interleave(layer.n_heads // layer.n_kv_heads, dim=1)
    scores = q @ k.transpose(-1, -2) / layer.d_head**0.5
    if causal:
        future = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
        scores = scores.masked_fill(future, -math.inf)
    return scores.softmax(-1)


def see_everything(layer: Attention, x: Tensor, angles: tuple[Tensor, Tensor]) -> Tensor:
    """Return what a layer with one head gives if the causal mask is forgotten."""
    return layer.output(attention_weights(layer, x, angles, causal=False)[:, 0] @ layer.value(x))


# --- what a map shows


def previous_share(weights: Tensor) -> float:
    """Return the share of attention [B, T, T] that falls on the token just before, on average over t >= 1."""
    return weights.diagonal(offset=-1, dim1=-2, dim2=-1).mean().item()


def followed(ids: Tensor) -> Tensor:
    """Return where [B, T, T] position j follows an earlier occurrence of the token at t: ids[j - 1] == ids[t], j <= t.

    The present token is not its own earlier occurrence.
    """
    same = torch.zeros(*ids.shape, ids.shape[1], dtype=torch.bool)
    same[:, :, 1:] = ids[:, :, None] == ids[:, None, :-1]
    return same.tril()


def followed_share(weights: Tensor, ids: Tensor) -> float:
    """Return the share of attention [B, T, T] on tokens that followed the present one before, over the second half."""
    on_them = (weights * followed(ids)).sum(-1)
    return on_them[:, ids.shape[1] // 2 :].mean().item()


# --- the run


@dataclass(frozen=True)
class Setting:
    """One run of the experiment."""

    n_layers: int = 2
    d_model: int = 64
    steps: int = STEPS
    seed: int = 0
    every: int = 10
    """Steps between records."""
    map_steps: tuple[int, ...] = ()
    """Steps whose records hold the attention maps of one sequence."""
    learning_rate: float = RATE


TWO_LAYERS = Setting(n_layers=2)
ONE_WIDE_LAYER = Setting(n_layers=1, d_model=90)
"""The control: one layer, so wide that it has as many parameters (34,020 against 33,984)."""


def run(setting: Setting, model: AttentionOnly | None = None) -> Iterator[dict]:
    """Train a model of attention alone on fresh chains; yield every few steps its loss and what it looks at.

    `loss_nats` is the mean over the batches since the last record (before the first, the loss of the untrained
    model). What is looked at is measured on sequences of their own. A model handed over is trained in place.
    """
    torch.manual_seed(setting.seed)
    model = model or AttentionOnly(setting.n_layers, setting.d_model)
    rng = np.random.default_rng(setting.seed)
    fresh = draw_chains(np.random.default_rng(FRESH_SEED + setting.seed), 32)
    optimizer = torch.optim.AdamW(model.parameters(), lr=setting.learning_rate, betas=(0.9, 0.99))
    losses: list[float] = []
    with one_thread():
        for step in range(setting.steps + 1):
            if step % setting.every == 0:
                yield observe(model, fresh, step, losses, step in setting.map_steps)
                losses = []
            losses.append(train_step(model, draw_chains(rng, BATCH), optimizer))


def train_step(model: AttentionOnly, ids: Tensor, optimizer: torch.optim.Optimizer) -> float:
    """Update the model by one batch of ids [B, T + 1]; return the loss before, in nats."""
    loss = cross_entropy(model(ids[:, :-1]), ids[:, 1:])
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def observe(model: AttentionOnly, fresh: Tensor, step: int, losses: Sequence[float], with_maps: bool) -> dict:
    """Return a record of the run: loss, and for each layer where its attention falls; `maps` holds one sequence."""
    maps: list[Tensor] = []
    with torch.no_grad():
        logits = model(fresh[:, :-1], maps)
    found = {
        "step": step,
        "loss_nats": sum(losses) / len(losses) if losses else cross_entropy(logits, fresh[:, 1:]).item(),
        "previous": [previous_share(weights) for weights in maps],
        "followed": [followed_share(weights, fresh[:, :-1]) for weights in maps],
    }
    if with_maps:
        found["ids"] = fresh[0, :SHOWN].tolist()
        found["maps"] = [[[round(w, 2) for w in row] for row in m[0, :SHOWN, :SHOWN].tolist()] for m in maps]
    return found


def half_way(records: Sequence[dict], levels: Levels) -> int | None:
    """Return the first recorded step at which less than half the way from unigram to bigram is left; None if none."""
    return next((r["step"] for r in records if levels.share_left(r["loss_nats"]) < 0.5), None)


def mean_share_left(records: Sequence[dict], levels: Levels, first: int, last: int) -> float:
    """Return the mean share of the way that is left over the records after step `first` up to `last`."""
    losses = [r["loss_nats"] for r in records if first < r["step"] <= last]
    return levels.share_left(sum(losses) / len(losses))


def looked_for(record: dict, first: dict) -> float:
    """Return by how much the last layer's share of attention on what followed has grown since the first record."""
    return record["followed"][-1] - first["followed"][-1]
