"""How wrong a prediction is: nats a token, perplexity, bits a byte.

B sequences in a batch, T tokens in a sequence, V different tokens.
"""

import math

import torch.nn.functional as F
from torch import Tensor

from minillm.errors import DataError


def cross_entropy(logits: Tensor, targets: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return the mean surprise at the targets, in nats a token: -log of the probability that the model gave them.

    logits [B, T, V] floats, targets [B, T] ids, mask [B, T] (1 counts, 0 does not); the result is a scalar.
    Raises DataError if the mask leaves no target. Computed in 32 bits whatever the logits' format.
    """
    surprise = token_surprise(logits, targets)
    if mask is None:
        return surprise.mean()
    if not mask.any():
        raise DataError("Every target is masked, so there is nothing to learn from.", "Unmask at least one target.")
    return (surprise * mask).sum() / mask.sum()


def token_surprise(logits: Tensor, targets: Tensor) -> Tensor:
    """Return -log p(target) for each position, in nats: [B, T, V] and [B, T] give [B, T]."""
    flat = F.cross_entropy(logits.flatten(0, -2).float(), targets.flatten(), reduction="none")
    return flat.view(targets.shape)


def perplexity(loss_nats: float) -> float:
    """Return e to the loss: among how many equally likely tokens the model is as good as guessing."""
    return math.exp(loss_nats)


def bits_per_byte(total_nats: float, n_bytes: int) -> float:
    """Return the bits that the model needs for one byte of text: total surprise over the text's length.

    Unlike nats a token it does not depend on how the tokenizer cuts the text. Raises DataError for an empty text.
    """
    if n_bytes <= 0:
        raise DataError("Bits a byte of an empty text are not defined.", "Give at least one byte of text.")
    return total_nats / math.log(2) / n_bytes
