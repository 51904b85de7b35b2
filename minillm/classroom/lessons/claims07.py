"""What notebook 07 claims about sizes, rates and repeats, and how it is measured: a number a seed.

What it claims about forecasts is in claims07_forecast.
"""

import functools

from minillm.classroom.evidence import Claim
from minillm.classroom.scaling.budget_runs import HELD_BACK, family, held_back, points, sweep
from minillm.classroom.scaling.repeat_runs import EPOCHS, repeats, worth_in_new
from minillm.classroom.scaling.zipf_source import make_source
from minillm.scaling import forecast, power_law, valley, valleys

ONE_BUDGET = 1e9


@functools.cache
def known(seed: int) -> list[dict]:
    """Return the 25 runs at five budgets, each trained every way."""
    return list(family(make_source(seed), seed=seed, ways=True))


@functools.cache
def read_again(seed: int) -> tuple[float, ...]:
    """Return what each number of epochs is worth, in epochs of new text."""
    return tuple(worth_in_new(list(repeats(make_source(seed), seed=seed))))


def ends_above(seed: int) -> float:
    """Return by how many percent the better of the smallest and largest model lies above the valley's bottom."""
    runs = points(list(sweep(make_source(seed), ONE_BUDGET, seed=seed)))
    ends = min(runs[0].loss_nats, runs[-1].loss_nats)
    return 100 * (ends / valley(runs).loss_nats - 1)


def growth(seed: int) -> float:
    """Return the power of the budget with which the best size grows, from the valleys of five budgets."""
    found = valleys(points(known(seed)))
    return power_law([v.flops for v in found], [v.parameters for v in found]).exponent


def fixed_off(seed: int) -> float:
    """Return how far a forecast from runs with one fixed rate lies above such a run's outcome, in percent of it."""
    said = forecast(points(known(seed), "fixed"), HELD_BACK, seed=seed)
    outcome = held_back(make_source(seed), said, seed=seed, ways=True)["loss_fixed_nats"]
    return 100 * said.off(outcome)


def steady_above(seed: int) -> float:
    """Return by how many percent the best run without decay at the largest budget lies above the best with it."""
    last = known(seed)[-5:]
    return 100 * (min(r["loss_steady_nats"] for r in last) / min(r["loss_best_nats"] for r in last) - 1)


def four_worth(seed: int) -> float:
    """Return what four epochs of the same text are worth, in epochs of new text."""
    return read_again(seed)[EPOCHS.index(4)]


def forty_worth(seed: int) -> float:
    """Return what forty epochs of the same text are worth, in epochs of new text."""
    return read_again(seed)[EPOCHS.index(40)]


CLAIMS = (
    Claim(
        "07_ends",
        "At one budget the smallest and the largest of five models lie at least 3 percent above the valley's bottom.",
        ends_above,
        3.0,
        30.0,
        "percent",
        (0, 1, 2, 3, 4),
    ),
    Claim(
        "07_growth",
        "The best size grows with a power of the budget between 0.25 and 0.6.",
        growth,
        0.25,
        0.6,
        "",
    ),
    Claim(
        "07_fixed",
        "With one learning rate for every run the forecast is at least 5 percent too low.",
        fixed_off,
        -40.0,
        -5.0,
        "percent",
    ),
    Claim(
        "07_steady",
        "Without decay the best excess at the largest budget is at least 20 percent higher.",
        steady_above,
        20.0,
        100.0,
        "percent",
    ),
    Claim(
        "07_four",
        "Four epochs of the same text are worth more than 1.3 epochs of new text, and less than 4.",
        four_worth,
        1.3,
        4.0,
        "epochs of new text",
    ),
    Claim(
        "07_forty",
        "Forty epochs of the same text are worth less than 12 epochs of new text.",
        forty_worth,
        1.0,
        12.0,
        "epochs of new text",
    ),
)
