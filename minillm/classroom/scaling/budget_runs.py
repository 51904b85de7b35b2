"""Runs at five budgets, and a larger one held back until its outcome has been forecast.

Each run is a record: its budget, width, parameters and tokens, and the exact excess over the floor in nats with each
of the ways it was trained, side by side. `best` is the least of the three rates tried; `fixed` has one rate for all
runs; `steady` has the usual rate and never brings it down.
"""

import functools
from collections.abc import Iterator, Sequence

import numpy as np

from minillm.classroom.scaling.small_models import (
    RATE_FACTORS,
    Training,
    parameters,
    tokens_for,
    train,
    usual_rate,
    width_of,
)
from minillm.classroom.scaling.zipf_source import Source, make_source
from minillm.errors import ConfigError
from minillm.scaling import Forecast, Point, forecast

BUDGETS = (2.5e8, 5e8, 1e9, 2e9, 4e9)
HELD_BACK = 1.6e10
WIDTHS = (8, 16, 32, 64, 128)
FIXED_RATE = usual_rate(20_000)
"""The rate that suits the middle of the cheapest budget, kept for every run."""


def widths_at(flops: float, factor: float = 1.0) -> list[int]:
    """Return five widths, each twice the one before, twice as large from a budget of 2e9; `factor` moves them all."""
    return [round(width * factor * (2 if flops >= 2e9 else 1)) for width in WIDTHS]


def run(source: Source, width: int, tokens: int, *, seed: int, ways: bool = False) -> dict:
    """Train one size on so many tokens, three rates side by side, and return its record.

    ways: also with the fixed rate, and with the usual rate that stays.
    """
    usual = usual_rate(tokens)
    rates, decay = tuple(usual * factor for factor in RATE_FACTORS), (True,) * len(RATE_FACTORS)
    if ways:
        rates, decay = (*rates, FIXED_RATE, usual), (*decay, True, False)
    # the stream of draws hangs on the run alone, not on which runs came before
    log_p = train(source, width, Training(tokens, rates, decay), np.random.default_rng([seed, width, tokens]))
    excess = [source.excess_nats(each) for each in log_p]
    best = min(range(len(RATE_FACTORS)), key=excess.__getitem__)
    record = {
        "width": width,
        "parameters": parameters(width),
        "tokens": tokens,
        "flops": 6 * parameters(width) * tokens,
        "loss_best_nats": excess[best],
        "agreement": source.agreement(log_p[best]),
    }
    if ways:
        record |= {"loss_fixed_nats": excess[-2], "loss_steady_nats": excess[-1]}
    return record


def sweep(source: Source, flops: float, *, seed: int, factor: float = 1.0, ways: bool = False) -> Iterator[dict]:
    """Yield the records of five sizes at one budget."""
    for width in widths_at(flops, factor):
        yield {"budget": flops, **run(source, width, tokens_for(flops, width), seed=seed, ways=ways)}


def family(source: Source, *, seed: int, factors: Sequence[float] = (1.0,) * 5, ways: bool = False) -> Iterator[dict]:
    """Yield the records of five sizes at each of five budgets, cheapest first."""
    for flops, factor in zip(BUDGETS, factors, strict=True):
        yield from sweep(source, flops, seed=seed, factor=factor, ways=ways)


def held_back(source: Source, planned: Forecast, *, seed: int, ways: bool = False) -> dict:
    """Train the run that a forecast has planned and return its record."""
    width = width_of(planned.parameters)
    return {"budget": planned.flops, **run(source, width, tokens_for(planned.flops, width), seed=seed, ways=ways)}


def points(records: Sequence[dict], way: str = "best") -> list[Point]:
    """Return the runs as points of a law, their excess trained one way: best, fixed or steady."""
    key = f"loss_{way}_nats"
    if not records or key not in records[0]:
        raise ConfigError(f"These runs were not trained the way '{way}'.", "Use best, fixed or steady.")
    return [Point(r["parameters"], r["tokens"], r[key]) for r in records]


@functools.cache
def foretold(seed: int) -> tuple[Forecast, float, float]:
    """Return a forecast for the source of this seed, what the held-back run then came to, and the best run so far.

    The sizes are drawn anew as well: at each budget all five are moved by one factor of up to 1.27 either way.
    """
    source = make_source(seed)
    factors = 2 ** np.random.default_rng([8, seed]).uniform(-0.35, 0.35, len(BUDGETS))
    known = points(list(family(source, seed=seed, factors=factors.tolist())))
    said = forecast(known, HELD_BACK, seed=seed)
    outcome = held_back(source, said, seed=seed)["loss_best_nats"]
    return said, outcome, min(p.loss_nats for p in known)
