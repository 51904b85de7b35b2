"""What notebook 08 claims, and how it is measured: a number a seed."""

import math
import random
from functools import cache

from minillm.classroom.evidence import Claim
from minillm.cost.utilisation import CONSTANT, features, fit, observations, width_of

SPLITS = 40
SEEDS = (0, 1, 2, 3, 4)


@cache
def half_and_half(seed: int) -> tuple[float, float, float]:
    """Fit to the runs of a random half of the teams, judge by those of the others, over 40 splits.

    Only kinds of job that are in the first half are judged: of another kind the fit knows nothing.

    Returns the share of intervals that hold the truth in percent, and the mean log error of the fit and of one
    constant share of the peak for all.
    """
    rng, seen = random.Random(seed), observations()
    teams = sorted({item.team for item in seen})
    inside, errors, constant = [], [], []
    for _ in range(SPLITS):
        half = rng.sample(teams, len(teams) // 2)
        ours = [item for item in seen if item.team in half]
        weights, kinds = fit(ours, with_kind=True), {item.job.kind for item in ours}
        for other in (item for item in seen if item.team not in half and item.job.kind in kinds):
            log_middle = sum(w * x for w, x in zip(weights, features(other.job), strict=True))
            off = abs(math.log(other.utilisation) - log_middle)
            inside.append(off <= math.log(width_of(other.job)) / 2)
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
        "Fitted to the runs of a random half of the teams, the intervals hold about eight in ten of the others.",
        half_inside,
        72,
        88,
        "percent",
        seeds=SEEDS,
    ),
    Claim(
        "08_half_error",
        "Its error on the other teams is less than nine tenths of that of one share of the peak for all.",
        half_error,
        0.6,
        0.9,
        seeds=SEEDS,
    ),
)
