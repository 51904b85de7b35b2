"""How good is the model on text it has not read: nats a token, perplexity, bits a byte, by kind.

B windows at a time, T tokens in a window.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from minillm.batches import Tokens
from minillm.errors import DataError
from minillm.loss import bits_per_byte, perplexity, token_surprise
from minillm.model import Transformer


@dataclass(frozen=True)
class Evaluation:
    """The result on all held-out text; `val_bits_per_byte` is the plain mean over the kinds."""

    val_loss_nats: float
    val_perplexity: float
    val_bits_per_byte: float
    bits_per_byte_by_kind: dict[str, float]


def windows(ids: np.ndarray, context_length: int, batch_size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Cut a stream into windows that do not overlap; yield inputs and targets [B, T], the last, shorter one alone.

    Every token but the first is a target exactly once.
    """
    ids = torch.from_numpy(ids.astype(np.int64))
    inputs, targets = ids[:-1], ids[1:]
    whole = len(inputs) // context_length * context_length
    full = inputs[:whole].view(-1, context_length), targets[:whole].view(-1, context_length)
    for start in range(0, len(full[0]), batch_size):
        yield full[0][start : start + batch_size], full[1][start : start + batch_size]
    if whole < len(inputs):
        yield inputs[None, whole:], targets[None, whole:]


@torch.no_grad()
def stream_nats(model: Transformer, ids: np.ndarray, *, batch_size: int | None = None) -> float:
    """Return the total surprise of a stream of ids, in nats, read in windows of the model's context length.

    Computed in 32 bits whatever format the model was trained in, so that figures compare between machines.
    """
    if batch_size is None:  # so many windows that their logits take some 32 MB
        batch_size = max(1, 2**23 // (model.config.context_length * model.config.vocab_size))
    total = 0.0
    for inputs, targets in windows(ids, model.config.context_length, batch_size):
        logits = model(inputs.to(model.device))
        total += token_surprise(logits, targets.to(model.device)).cpu().double().sum().item()
    return total


def evaluate(model: Transformer, tokens: Tokens) -> Evaluation:
    """Measure the model on all held-out tokens of every kind. Raises DataError if there are none."""
    was_training = model.training
    model.eval()
    nats, targets, by_kind = 0.0, 0, {}
    for kind, ids in tokens.held_out.items():
        if not tokens.held_out_bytes[kind]:  # a small source may have nothing left to hold out
            continue
        kind_nats = stream_nats(model, ids)
        nats, targets = nats + kind_nats, targets + len(ids) - 1
        by_kind[kind] = bits_per_byte(kind_nats, tokens.held_out_bytes[kind])
    model.train(was_training)
    if not targets:
        raise DataError("No text is held out, so there is nothing to evaluate on.", "Use a source with more text.")
    loss = nats / targets
    mean = sum(by_kind.values()) / len(by_kind)
    return Evaluation(loss, perplexity(min(loss, math.log(1e12))), mean, by_kind)
