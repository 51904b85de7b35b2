"""The model as a compressor: its probabilities drive an arithmetic coder, so that loss becomes bytes.

V = vocab_size. Encoder and decoder take the same steps with the same model, token by token; the same machine computes
the same digits, so decoding is exact there. Another machine may round differently and would decode nonsense.
"""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from minillm.classroom.loss.arithmetic_coding import Decoder, Encoder
from minillm.classroom.threads import one_thread
from minillm.errors import TokenizerError, TrainingError
from minillm.model import Transformer

TOTAL = 1 << 24
"""Parts that a prediction is cut into. Rounding costs at most -log2(1 - V / TOTAL) bits a token, 0.0001 for 1,024."""


@dataclass(frozen=True)
class Compressed:
    """Tokens as bytes, and what the model's probabilities alone ask for: the sum of -log2 p, in bits."""

    data: bytes = field(repr=False)
    n_tokens: int
    model_bits: float

    @property
    def n_bytes(self) -> int:
        """Size of the data, without the model that is needed to read it."""
        return len(self.data)

    def __repr__(self) -> str:
        asked = f"the model's own bits are {self.model_bits / 8:,.1f} bytes"
        return f"Compressed({self.n_tokens:,} tokens in {self.n_bytes:,} bytes; {asked})"


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits [V] into probabilities [V] in 64 bits. Raises TrainingError if one is not finite."""
    if not np.isfinite(logits).all():
        raise TrainingError("The model's logits are not finite.", "Use a model whose training did not diverge.")
    odds = np.exp(logits.astype(np.float64) - logits.max())
    return odds / odds.sum()


def frequencies(p: np.ndarray) -> np.ndarray:
    """Cut `TOTAL` parts among tokens by their probabilities [V], rounded down, each token at least 1: integers [V]."""
    return 1 + np.floor(p * (TOTAL - len(p))).astype(np.int64)


class Predictor:
    """Probabilities of the next token, one token at a time, with the keys and values of the earlier ones kept.

    When the context is full it begins again with the newest half of it.
    """

    def __init__(self, model: Transformer):
        self.model, self.cache = model, model.new_cache()
        self.seen: list[int] = []

    def next(self) -> np.ndarray:
        """Return the probabilities [V] of the token after those added; before the first one, even odds."""
        if not self.seen:
            return np.full(self.model.config.vocab_size, 1 / self.model.config.vocab_size)
        fresh = self.seen[-1:]
        if self.cache[0].length == self.model.config.context_length:
            self.cache = self.model.new_cache()
            fresh = self.seen[-max(1, self.model.config.context_length // 2) :]
        logits = self.model(torch.tensor([fresh], device=self.model.device), self.cache)[0, -1]
        return softmax(logits.float().cpu().numpy())

    def add(self, token: int) -> None:
        """Take the token that came."""
        self.seen.append(token)


def compress(model: Transformer, ids: Sequence[int], progress: Callable[[int, int], None] | None = None) -> Compressed:
    """Write tokens in as few bits as the model's predictions allow; the first one costs log2 V bits.

    Begin with an end-of-text id, as documents do. `progress` receives tokens done and all. Raises TokenizerError for an
    id that the model does not know, TrainingError for a model whose logits are not finite.
    """
    ids = [int(token) for token in ids]
    for token in ids:
        if not 0 <= token < model.config.vocab_size:
            raise TokenizerError(f"The model has no token {token}.", f"Use ids below {model.config.vocab_size}.")
    encoder, model_bits = Encoder(), 0.0
    with one_path(model):
        predictor = Predictor(model)
        for done, token in enumerate(ids, start=1):
            p = predictor.next()
            ends = frequencies(p).cumsum()
            encoder.encode(int(ends[token - 1]) if token else 0, int(ends[token]), int(ends[-1]))
            predictor.add(token)
            model_bits -= math.log2(max(p[token], 2.0**-1000))
            if progress is not None:
                progress(done, len(ids))
    return Compressed(encoder.finish(), len(ids), model_bits)


def decompress(
    model: Transformer, data: bytes, n_tokens: int, progress: Callable[[int, int], None] | None = None
) -> list[int]:
    """Return the tokens that `compress` wrote with the same model on the same machine.

    Damaged data, or another model, give other tokens: nothing in the bits can tell.
    """
    decoder = Decoder(data)
    with one_path(model):
        predictor = Predictor(model)
        for done in range(1, n_tokens + 1):
            ends = frequencies(predictor.next()).cumsum()
            token = int(np.searchsorted(ends, decoder.target(int(ends[-1])), side="right"))
            decoder.decode(int(ends[token - 1]) if token else 0, int(ends[token]), int(ends[-1]))
            predictor.add(token)
            if progress is not None:
                progress(done, n_tokens)
    return predictor.seen


@contextlib.contextmanager
def one_path(model: Transformer) -> Iterator[None]:
    """Compute in one order, for both directions alike: one thread, no gradients, no dropout; restored afterwards."""
    was_training = model.training
    model.eval()
    try:
        with one_thread(), torch.inference_mode():
            yield
    finally:
        model.train(was_training)
