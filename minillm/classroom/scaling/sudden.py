"""One model on its way, scored twice: by its excess, and by an exam that wants ten answers right in a row."""

from collections.abc import Iterator

import numpy as np

from minillm.classroom.scaling.small_models import Training, train, usual_rate
from minillm.classroom.scaling.zipf_source import Source

WIDTH = 64
LENGTHS = tuple(2**k for k in range(9, 20))
ASKED = 100
"""The exam asks for the likeliest token after each of so many of the commonest contexts."""


FACTORS = (0.8, 0.9, 1.0, 1.1, 1.25)
"""Five models side by side, their learning rates a little apart: one alone scatters."""


def exam(source: Source, *, seed: int) -> Iterator[dict]:
    """Yield, for runs of 512 tokens and each twice as long, the excess and the share of questions answered rightly.

    Both are means over five models.
    """
    common = np.argsort(-source.weights)[:ASKED]
    for tokens in LENGTHS:
        training = Training(tokens, tuple(usual_rate(tokens) * factor for factor in FACTORS))
        log_p = train(source, WIDTH, training, np.random.default_rng([seed, tokens]))
        right = (log_p[:, common].argmax(-1) == source.shares[common].argmax(-1)).mean()
        excess = sum(source.excess_nats(each) for each in log_p) / len(FACTORS)
        yield {"tokens": tokens, "loss_excess_nats": excess, "right": float(right)}
