"""Text that is read again and again: how much new text is so much repeated text worth?"""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from minillm.classroom.scaling.small_models import RATE_FACTORS, Training, train, usual_rate
from minillm.classroom.scaling.zipf_source import Source

UNIQUE = 32_768
EPOCHS = (1, 2, 4, 8, 16, 40)
WIDTH = 16


def repeats(source: Source, *, seed: int, epochs: Sequence[int] = EPOCHS) -> Iterator[dict]:
    """Yield, for each number of epochs, the excess after so much new text and after one sample read so many times.

    The best of three learning rates each; the sample is the same for every number of epochs.
    """
    for count in epochs:
        tokens = count * UNIQUE
        usual = usual_rate(tokens)
        losses = {}
        for what, unique in (("new", None), ("repeated", UNIQUE)):
            training = Training(tokens, tuple(usual * factor for factor in RATE_FACTORS), unique_tokens=unique)
            log_p = train(source, WIDTH, training, np.random.default_rng([seed, WIDTH]))
            losses[f"loss_{what}_nats"] = min(source.excess_nats(each) for each in log_p)
        yield {"epochs": count, "tokens": tokens, "unique_tokens": UNIQUE, **losses}


def worth_in_new(records: Sequence[dict]) -> list[float]:
    """Return for each record how many samples of new text would have given the excess of the repeated one.

    Read off the runs on new text, between them in logarithms; never less than the fewest or more than the most.
    """
    losses = [-math.log(r["loss_new_nats"]) for r in records]
    tokens = [math.log(r["tokens"] / r["unique_tokens"]) for r in records]
    return [math.exp(np.interp(-math.log(r["loss_repeated_nats"]), losses, tokens)) for r in records]
