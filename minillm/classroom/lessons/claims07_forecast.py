"""What notebook 07 claims about forecasts, counted on thirty sources and sets of sizes: a number a seed.

What the forecast states about its own form was chosen on the sources 100 to 107 and 200 to 229; these are others.
"""

from minillm.classroom.evidence import Claim
from minillm.classroom.scaling.budget_runs import foretold

SEEDS = tuple(range(300, 330))


def miss(seed: int) -> float:
    """Return how far the outcome lies above the forecast in halves of its 80% interval; from -1 to 1 it is covered."""
    said, outcome, _ = foretold(seed)
    return said.half_widths(outcome)


def off(seed: int) -> float:
    """Return how far the forecast lay above the outcome, in percent of it."""
    said, outcome, _ = foretold(seed)
    return 100 * said.off(outcome)


def no_change(seed: int) -> float:
    """Return how far the best run so far lay above the outcome, in percent of it."""
    _, outcome, best = foretold(seed)
    return 100 * (best / outcome - 1)


CLAIMS = (
    Claim(
        "07_miss",
        "The excess of a run with four times the largest budget lies within three halves of the forecast's 80% "
        "interval.",
        miss,
        -3.0,
        3.0,
        "halves of the interval",
        SEEDS,
    ),
    Claim("07_off", "The forecast of the excess is off by less than 12 percent.", off, -12.0, 12.0, "percent", SEEDS),
    Claim(
        "07_no_change",
        "The best run so far has at least 20 percent more excess than the larger run.",
        no_change,
        20.0,
        45.0,
        "percent",
        SEEDS,
    ),
)
