"""A source of tokens whose entropy is exact and whose learning curve is long: some contexts are common, most are rare.

A context is three tokens of 16, so there are C = 4,096. Their probabilities fall as rank^-1.5, in a shuffled order, and
each has its own shares of the V = 16 tokens that may follow. What a model's prediction costs is computed over all
contexts and all tokens: no sample, no noise.
"""

from dataclasses import dataclass

import numpy as np

VOCABULARY, LENGTH = 16, 3
CONTEXTS = VOCABULARY**LENGTH
STEEPNESS = 1.5
"""The probability of a context falls as its rank to the power of minus this."""
CONCENTRATION = 4.8
"""Sum of the Dirichlet parameters of a context's shares: about five tokens carry a row."""
UNIFORM = 0.02
"""Share of every row that is spread evenly, so that nothing is impossible."""


@dataclass(frozen=True, eq=False)
class Source:
    """Probabilities of the contexts [C] and of the token after each [C, V]."""

    weights: np.ndarray
    shares: np.ndarray

    @property
    def floor_nats(self) -> float:
        """The entropy of the next token given its context: the least loss that any model can have."""
        return float(-self.weights @ (self.shares * np.log(self.shares)).sum(1))

    def excess_nats(self, log_p: np.ndarray) -> float:
        """Return by how much predictions log_p [C, V] cost more than the floor, exactly."""
        return float(self.weights @ (self.shares * (np.log(self.shares) - log_p)).sum(1))

    def agreement(self, log_p: np.ndarray) -> float:
        """Return how often the likeliest token of predictions [C, V] is the source's own likeliest one, 0 to 1."""
        return float(self.weights @ (log_p.argmax(1) == self.shares.argmax(1)))

    def sample(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw pairs of a context's number [count] and the token that follows it [count]."""
        contexts = np.searchsorted(np.cumsum(self.weights)[:-1], rng.random(count))
        below = np.cumsum(self.shares, 1)[:, :-1]
        followers = np.empty(count, np.int64)
        for start in range(0, count, 50_000):  # the comparison needs 15 numbers a draw
            part = slice(start, start + 50_000)
            drawn = contexts[part]
            followers[part] = (below[drawn] < rng.random(len(drawn))[:, None]).sum(1)
        return contexts, followers

    def __repr__(self) -> str:
        return f"{len(self.weights):,} contexts of {LENGTH} tokens of {VOCABULARY}, floor {self.floor_nats:.3f} nats"


def make_source(seed: int) -> Source:
    """Return the source of that seed."""
    rng = np.random.default_rng([7, seed])
    ranks = np.arange(1, CONTEXTS + 1) ** -STEEPNESS
    base = 1 / np.arange(1, VOCABULARY + 1)
    rows = rng.dirichlet(CONCENTRATION * base / base.sum(), CONTEXTS)
    return Source(rng.permutation(ranks / ranks.sum()), (1 - UNIFORM) * rows + UNIFORM / VOCABULARY)


def one_hot() -> np.ndarray:
    """Return every context as the model reads it [C, 49]: a one for each of its tokens, and a constant one."""
    digits = np.stack(np.unravel_index(np.arange(CONTEXTS), (VOCABULARY,) * LENGTH), 1)
    codes = np.zeros((CONTEXTS, LENGTH * VOCABULARY + 1), np.float32)
    np.put_along_axis(codes, digits + VOCABULARY * np.arange(LENGTH), 1, 1)
    codes[:, -1] = 1
    return codes
