"""What notebook 08 claims, and how it is measured: a number a seed."""

import math
import random
from functools import cache

from minillm.classroom.evidence import Claim
from minillm.cost.utilisation import CONSTANT, WIDTHS, features, fit, observations

SPLITS = 40
SEEDS = (0, 1, 2, 3, 4)


@cache
def half_and_half(seed: int) -> tuple[float, float, float]:
    """Fit to a random half of the published runs, judge by the others, over 40 splits.

    Returns the share of intervals that hold the truth in percent, and the mean log error of the fit and of one
    constant share of the peak for all.
    """
    rng, seen = random.Random(seed), observations()
    inside, errors, constant = [], [], []
    for _ in range(SPLITS):
        half = rng.sample(seen, len(seen) // 2)
        weights = fit(tuple(half), with_kind=True)
        for other in (item for item in seen if item not in half):
            log_middle = sum(w * x for w, x in zip(weights, features(other.job), strict=True))
            off = abs(math.log(other.utilisation) - log_middle)
            inside.append(off <= math.log(WIDTHS[other.job.kind]) / 2)
            errors.append(off)
            constant.append(abs(math.log(other.utilisation / CONSTANT)))
    n = len(inside)
    return 100 * sum(inside) / n, sum(errors) / n, sum(constant) / n


def half_inside(seed: int) -> float:
    """Return how many percent of the other half's shares lie in their intervals."""
    return half_and_half(seed)[0]


def half_error(seed: int) -> float:
    """Return the fit's error on the other half as a share of the error of one constant for all."""
    _, error, constant = half_and_half(seed)
    return error / constant


CLAIMS = (
    Claim(
        "08_half_inside",
        "Fitted to a random half of the published runs, the intervals hold 80 to 92% of the other half.",
        half_inside,
        80,
        92,
        "percent",
        seeds=SEEDS,
    ),
    Claim(
        "08_half_error",
        "Its error on the other half is less than three quarters of that of one share of the peak for all.",
        half_error,
        0.4,
        0.75,
        seeds=SEEDS,
    ),
)
