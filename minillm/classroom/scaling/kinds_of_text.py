"""As much text again, of three kinds: what does each do to the loss on the kind that counts?"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from minillm.classroom.scaling.small_models import RATE_FACTORS, Training, train, usual_rate
from minillm.classroom.scaling.zipf_source import Source, make_source

WIDTH, TOKENS = 32, 16_384


@dataclass(frozen=True)
class Mixture:
    """Two sources read in equal shares, in random order."""

    parts: tuple[Source, Source]

    def sample(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw pairs of a context's number [count] and the token that follows it [count], half from each part."""
        halves = [
            part.sample(size, rng) for part, size in zip(self.parts, (count - count // 2, count // 2), strict=True)
        ]
        order = rng.permutation(count)
        contexts, followers = (np.concatenate(arrays)[order] for arrays in zip(*halves, strict=True))
        return contexts, followers


def other_contexts(source: Source, seed: int) -> Source:
    """Return a source of the same probabilities after each context, where other contexts are the common ones."""
    return replace(source, weights=np.random.default_rng([9, seed]).permutation(source.weights))


def other_followers(source: Source, seed: int) -> Source:
    """Return a source of the same contexts, each followed by other tokens."""
    return replace(source, shares=make_source(seed + 1000).shares)


def compare(source: Source, *, seed: int) -> Iterator[dict]:
    """Yield the exact excess on the source after its text alone, and after as much again of each kind.

    The best of three learning rates each.
    """
    second = {
        "nothing": None,
        "the same kind": source,
        "other contexts": other_contexts(source, seed),
        "other followers": other_followers(source, seed),
    }
    for kind, added in second.items():
        tokens = TOKENS if added is None else 2 * TOKENS
        usual = usual_rate(tokens)
        training = Training(tokens, tuple(usual * factor for factor in RATE_FACTORS))
        read = source if added is None else Mixture((source, added))
        log_p = train(read, WIDTH, training, np.random.default_rng([seed, tokens]))
        yield {"added": kind, "tokens": tokens, "loss_nats": min(source.excess_nats(each) for each in log_p)}
