"""A family of small models: three tokens, one hidden layer of any width, the next token. All of it by hand in numpy.

h is the width, N = 65 h + 16 the parameters, D the tokens read, each once, and C = 6 N D the cost in FLOPs. Letters of
shapes: R runs side by side (they differ in their learning rate), B batch, V vocabulary.
"""

from dataclasses import dataclass

import numpy as np

from minillm.classroom.scaling.zipf_source import LENGTH, VOCABULARY, Source, one_hot

BATCH = 32
INPUTS = LENGTH * VOCABULARY + 1
WARM_UP = 0.05
RATE_FACTORS = (0.5, 1.0, 2.0)
"""The learning rates tried side by side, as multiples of `usual_rate`."""


@dataclass(frozen=True)
class Training:
    """What a run reads and how: tokens, learning rates side by side, and how the rate moves."""

    tokens: int
    rates: tuple[float, ...]
    decay: tuple[bool, ...] = (True,)
    """For each rate, or for all: bring it down to 0, linearly; else it stays."""
    unique_tokens: int | None = None
    """Read this many tokens again and again; None: new ones all the time."""


def parameters(width: int) -> int:
    """Return N of the model of that width: 49 h into the hidden layer, 16 h + 16 out of it."""
    return (INPUTS + VOCABULARY) * width + VOCABULARY


def width_of(count: float) -> int:
    """Return the width whose model has about so many parameters."""
    return max(1, round((count - VOCABULARY) / (INPUTS + VOCABULARY)))


def tokens_for(flops: float, width: int) -> int:
    """Return D, whole batches, such that 6 N D is the budget."""
    return max(1, round(flops / (6 * parameters(width) * BATCH))) * BATCH


def usual_rate(tokens: int) -> float:
    """Return a learning rate that suits so many tokens: longer runs want smaller ones."""
    return 0.02 * (1e5 / tokens) ** 0.4


class Models:
    """R models of one width as one array of weights [R, N], with their parts as views of it."""

    def __init__(self, width: int, runs: int, rng: np.random.Generator):
        self.width = width
        self.flat = np.zeros((runs, parameters(width)), np.float32)
        self.first, self.second, self.bias = views(self.flat, width)
        self.first[:, :-1] = rng.standard_normal((INPUTS - 1, width)) / LENGTH**0.5  # the same start for every rate
        self.codes = one_hot()

    def gradient(self, contexts: np.ndarray, followers: np.ndarray, into: np.ndarray) -> None:
        """Write the gradient of the mean loss of a batch [B] of contexts and followers into an array like `flat`."""
        first, second, bias = views(into, self.width)
        inputs = self.codes[contexts]  # [B, 49]
        hidden = np.maximum(inputs @ self.first, 0)  # [R, B, h]
        off = softmax(hidden @ self.second + self.bias[:, None])  # [R, B, V]
        off[:, np.arange(len(followers)), followers] -= 1
        off /= len(followers)
        np.matmul(hidden.transpose(0, 2, 1), off, out=second)
        off.sum(1, out=bias)
        back = off @ self.second.transpose(0, 2, 1)
        back *= hidden > 0
        np.matmul(inputs.T, back, out=first)

    def log_p(self) -> np.ndarray:
        """Return the log-probabilities of every token after every context [R, C, V]."""
        logits = np.maximum(self.codes @ self.first, 0) @ self.second + self.bias[:, None]
        logits -= logits.max(-1, keepdims=True)
        return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


def views(flat: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the parts of weights [R, N] without copying: [R, 49, h], [R, h, V] and [R, V]."""
    runs, cut = len(flat), INPUTS * width
    first = flat[:, :cut].reshape(runs, INPUTS, width)
    return first, flat[:, cut:-VOCABULARY].reshape(runs, width, VOCABULARY), flat[:, -VOCABULARY:]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities along the last axis."""
    logits -= logits.max(-1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(-1, keepdims=True)
    return logits


def train(source: Source, width: int, training: Training, rng: np.random.Generator) -> np.ndarray:
    """Train one model for each rate side by side and return their log-probabilities [R, C, V].

    Adam (0.9, 0.98) with a warm-up over 5% of the steps; the second layer learns slower in wide models, by sqrt(16/h).
    """
    steps = training.tokens // BATCH
    models = Models(width, len(training.rates), rng)
    gradient, mean, square = (np.zeros_like(models.flat) for _ in range(3))
    rates = np.asarray(training.rates, np.float32)[:, None] * np.ones_like(models.flat)
    views(rates, width)[1][:] *= (16 / width) ** 0.5
    contexts, followers = read(source, training, rng)
    decay = np.broadcast_to(np.array(training.decay), len(training.rates))[:, None]
    for step in range(1, steps + 1):
        batch = slice((step - 1) * BATCH, step * BATCH)
        models.gradient(contexts[batch], followers[batch], gradient)
        mean += 0.1 * (gradient - mean)
        square += 0.02 * (gradient * gradient - square)
        factor = min(1, step / max(1, WARM_UP * steps)) * np.where(decay, 1 - (step - 1) / steps, 1)  # [R, 1]
        scale = factor * (1 - 0.98**step) ** 0.5 / (1 - 0.9**step)
        models.flat -= scale.astype(np.float32) * rates * mean / (np.sqrt(square) + 1e-8)
    return models.log_p().astype(np.float64)


def read(source: Source, training: Training, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the contexts and followers of a run in reading order; repeated ones are shuffled anew each time."""
    if training.unique_tokens is None:
        return source.sample(training.tokens, rng)
    contexts, followers = source.sample(training.unique_tokens, rng)
    epochs = -(-training.tokens // training.unique_tokens)
    order = np.concatenate([rng.permutation(training.unique_tokens) for _ in range(epochs)])[: training.tokens]
    return contexts[order], followers[order]
