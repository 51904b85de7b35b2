"""How far a model is from tables of single characters, pairs and triples while it learns, and how good a table gets.

V different tokens, B windows, T tokens in a window. A table of order n has a row for each n - 1 tokens before: it is
[V^(n-1), V], and its row number is those tokens read as digits in base V. All distances are in nats.
"""

import dataclasses
import functools
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from minillm.classroom.loop.loop_lab import ALPHABET, characters, new_model, one_thread, write
from minillm.config import ModelConfig, TrainConfig
from minillm.loss import token_surprise
from minillm.model import Transformer
from minillm.train import train

TABLES = {"unigram": 1, "bigram": 2, "trigram": 3}
V = len(ALPHABET)
MODEL = ModelConfig(n_layers=2, d_model=96, n_heads=1, vocab_size=V, context_length=64)
TRAINING = TrainConfig(steps=500, batch_size=16, optimizer="adamw", learning_rate=0.003, schedule="constant")
DEEP_STEPS = 5000
SAMPLED = (1, 6, 24, 120, 500)
"""Steps after which the model writes something."""
WINDOWS = 128
"""Held-out windows on which distances are measured."""
FIRST = 3
"""Positions left out at the start of each window, so that every table sees its whole row number."""
STRENGTHS = (4, 8, 16, 32)


# --- tables


def row_numbers(ids: Tensor, order: int) -> Tensor:
    """Return each position's row in a table of that order, from the tokens up to and with that position; [B, T].

    The first order - 2 positions of a window do not have enough tokens before them: their row is not to be used.
    """
    rows = torch.zeros_like(ids)
    for back in reversed(range(order - 1)):
        rows = rows * V + torch.roll(ids, back, dims=1)
    return rows


def count_table(ids: np.ndarray, order: int, strength: float = 2.0) -> Tensor:
    """Return the shares with which each token follows each row's tokens: [V^(order-1), V], rows that sum to 1.

    The row of the next shorter table counts as `strength` tokens seen (MacKay and Peto 1995), so nothing is
    impossible and a row never seen is the shorter table's.
    """
    shorter = torch.full((1, V), 1 / V) if order == 1 else count_table(ids, order - 1, strength)
    ids = torch.from_numpy(ids.astype(np.int64))
    codes = torch.zeros(len(ids) - order + 1, dtype=torch.int64)
    for offset in range(order):
        codes = codes * V + ids[offset : len(ids) - order + 1 + offset]
    counts = torch.bincount(codes, minlength=V**order).view(-1, V).float()
    # digits in base V: the shorter row of the tokens abc is that of bc, their number modulo V^2
    shorter = shorter.repeat(len(counts) // len(shorter), 1)
    return (counts + strength * shorter) / (counts.sum(1, keepdim=True) + strength)


def divergence(shares: Tensor, log_probabilities: Tensor) -> Tensor:
    """Return by how many nats a token a model pays more than the table itself on text that the table writes.

    The Kullback-Leibler divergence of shares [..., V] from a model's logs of probabilities [..., V], a mean over all
    rows; 0 only if the two agree everywhere.
    """
    return (shares * (shares.log() - log_probabilities)).sum(-1).mean()


# --- the run


@functools.cache
def held_out_windows() -> tuple[Tensor, Tensor]:
    """Return inputs and targets [B, T] of the held-out text on which distances are measured."""
    length = WINDOWS * MODEL.context_length
    ids = torch.from_numpy(characters().held_out["speeches"][: length + 1].astype(np.int64))
    return ids[:-1].view(WINDOWS, -1), ids[1:].view(WINDOWS, -1)


@functools.cache
def table_rows() -> dict[str, Tensor]:
    """Return each table's shares at every held-out position that counts, [B, T - FIRST, V]."""
    inputs, _ = held_out_windows()
    ids = characters().train["speeches"]
    return {name: count_table(ids, order)[row_numbers(inputs, order)[:, FIRST:]] for name, order in TABLES.items()}


def distances(log_probabilities: Tensor) -> dict[str, float]:
    """Return the divergence of each table from predictions at the held-out positions that count."""
    return {name: divergence(rows, log_probabilities).item() for name, rows in table_rows().items()}


@torch.no_grad()
def predictions_of(model: Transformer) -> Tensor:
    """Return the model's logs of probabilities at the held-out positions that count, [B, T - FIRST, V]."""
    inputs, _ = held_out_windows()
    return model(inputs)[:, FIRST:].log_softmax(-1)


def straight_way(log_probabilities: Tensor, parts: int = 50) -> dict[str, float]:
    """Return how near to each table one comes by fading from even odds to the finished model, without learning.

    Each mixture is w times the finished model's probabilities and 1 - w times 1/V. The control of the experiment.
    """
    finished = log_probabilities.exp()
    found = [distances((w * finished + (1 - w) / V).log()) for w in np.linspace(0, 1, parts).tolist()]
    return {name: min(found_at[name] for found_at in found) for name in TABLES}


def watched_steps(steps: int) -> list[int]:
    """Return the steps after which the model is looked at: the first twelve, then each about a ninth further on."""
    found = set(range(1, 13)) | set(SAMPLED)
    step = 12.0
    while step < steps:
        step *= 1.11
        found.add(round(step))
    return [*sorted(step for step in found if step < steps), steps]


def watch(*, steps: int = TRAINING.steps, seed: int = 0) -> Iterator[dict]:
    """Train a model on the characters; yield now and then its loss and its distance from each table.

    Some records have a `text` too. The last has `straight`, the control, and `held_out_loss_nats` by number of
    characters before, as `best_table` has for tables.
    """
    model = new_model(MODEL, seed)
    config = dataclasses.replace(TRAINING, steps=steps, seed=seed)
    looked_at = watched_steps(steps)
    with one_thread():
        for step in train(model, characters(), config):
            if step.step not in looked_at:
                continue
            log_probabilities = predictions_of(model)
            record = {
                "step": step.step,
                "train_loss_nats": step.train_loss_nats,
                "divergence": distances(log_probabilities),
            }
            if step.step in SAMPLED or step.step == steps:
                record["text"] = write(model, "\n", 60, temperature=1.0)
            if step.step == steps:
                record["straight"] = straight_way(log_probabilities)
                record["held_out_loss_nats"] = model_loss(model)
            yield record


def dips(steps: Sequence[int], divergences: Sequence[dict[str, float]]) -> dict[str, int]:
    """Return the step at which each table's divergence was least."""
    return {name: steps[min(range(len(steps)), key=lambda i: divergences[i][name])] for name in TABLES}


# --- the best table, the honest baseline

SCORED_FROM = 16
"""Positions left out at the start of each window when losses are compared: the model then sees 16 tokens or more."""


@torch.no_grad()
def model_loss(model: Transformer) -> float:
    """Return the model's mean surprise on the held-out text, in nats, at positions with some context in the window."""
    ids = torch.from_numpy(characters().held_out["speeches"].astype(np.int64))
    inputs, targets = scored_windows(ids[:-1]), scored_windows(ids[1:])
    found = [
        token_surprise(model(part), wanted)[:, SCORED_FROM:]
        for part, wanted in zip(inputs.split(64), targets.split(64), strict=True)
    ]
    return torch.cat(found).double().mean().item()


def scored_windows(values: Tensor) -> Tensor:
    """Cut a stream into windows of the model's length, [B, T], without its last, shorter one."""
    length = MODEL.context_length
    return values[: len(values) // length * length].view(-1, length)


def codes_of(ids: np.ndarray, length: int) -> np.ndarray:
    """Return each run of so many tokens as one number, its tokens read as digits in base V."""
    codes = np.zeros(len(ids) - length + 1, dtype=np.int64)
    for offset in range(length):
        codes = codes * V + ids[offset : len(ids) - length + 1 + offset]
    return codes


def looked_up(wanted: np.ndarray, known: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return how often each wanted code was counted; `known` is sorted."""
    places = np.searchsorted(known, wanted).clip(max=len(known) - 1)
    return np.where(known[places] == wanted, counts[places], 0)


def table_losses(longest: int, strength: float) -> list[float]:
    """Return the mean surprise, in nats, of tables of order 1 to `longest` on the held-out text.

    Each is smoothed as `count_table` does, and scored on the same targets as `model_loss`.
    """
    train_ids, held_out_ids = (
        part["speeches"].astype(np.int64) for part in (characters().train, characters().held_out)
    )
    p = np.full(len(held_out_ids), 1 / V)  # of each held-out token, by the table of the order reached
    losses = []
    for order in range(1, longest + 1):
        known, counts = np.unique(codes_of(train_ids, order), return_counts=True)
        wanted = codes_of(held_out_ids, order)
        rows, starts = np.unique(known // V, return_index=True)
        row_counts = np.add.reduceat(counts, starts)
        seen, seen_row = looked_up(wanted, known, counts), looked_up(wanted // V, rows, row_counts)
        p[order - 1 :] = (seen + strength * p[order - 1 :]) / (seen_row + strength)
        surprise = scored_windows(torch.from_numpy(-np.log(p[1:])))
        losses.append(surprise[:, SCORED_FROM:].mean().item())
    return losses


@functools.cache
def best_table(longest: int = 8) -> tuple[list[float], float]:
    """Return the losses by order, and the strength, of the smoothing whose best table pays least on the held-out text.

    Order and strength are chosen on the very text that they are scored on, which favours the table.
    """
    found = {strength: table_losses(longest, strength) for strength in STRENGTHS}
    strength = min(found, key=lambda s: min(found[s]))
    return found[strength], strength


def written_by_table(order: int, count: int, seed: int = 0) -> str:
    """Return a text drawn from the table of that order, token by token."""
    table = count_table(characters().train["speeches"], order)
    generator = torch.Generator().manual_seed(seed)
    ids = [0] * max(1, order - 1)  # as after empty lines
    for _ in range(count):
        row = 0
        for token in ids[len(ids) - order + 1 :] if order > 1 else []:
            row = row * V + token
        ids.append(int(torch.multinomial(table[row], 1, generator=generator)))
    return "".join(ALPHABET[i] for i in ids[max(1, order - 1) :])
