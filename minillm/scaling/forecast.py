"""What a larger run will cost, said before it is made: three forms, resampled, and an interval that can be wrong.

Losses here are an excess over a floor (or losses with no floor taken off). No single form is trusted: a power law
through the valleys of all budgets, the same through the last three, and A / N^alpha + B / D^beta are pooled.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minillm.errors import ConfigError
from minillm.scaling.approaches import by_budget, power_law, valley, valleys
from minillm.scaling.law import FLOPS_PER_PARAMETER_AND_TOKEN, Point, central, fit, steps

FORM = 0.015
"""What every form together may be off, as a relative standard deviation. Resampling cannot see it: it was chosen on
other sources than those that count (see notebook 07)."""
LAST = 3


@dataclass(frozen=True)
class Forecast:
    """The size and length planned for a budget, the excess expected, and its interval."""

    flops: float
    parameters: float
    tokens: float
    excess_nats: float
    low: float
    high: float
    coverage: float

    def covers(self, excess_nats: float) -> bool:
        """Tell whether an outcome lies in the interval."""
        return self.low <= excess_nats <= self.high

    def off(self, excess_nats: float) -> float:
        """Return how far the forecast was above an outcome, as a share of it; below 0: too low."""
        return self.excess_nats / excess_nats - 1

    def half_widths(self, excess_nats: float) -> float:
        """Return how far an outcome lies above the forecast (below 0: under it), in halves of the interval.

        From -1 to 1 it is covered. Distances are those of logarithms.
        """
        edge = self.high if excess_nats > self.excess_nats else self.low
        size = math.log(excess_nats / self.excess_nats) / math.log(edge / self.excess_nats)
        return math.copysign(size, excess_nats - self.excess_nats)

    @property
    def seal(self) -> str:
        """Twelve letters that any change of the forecast changes: shown before the outcome, compared after."""
        return hashlib.sha256(repr(self).encode("utf-8")).hexdigest()[:12]


def forecast(
    points: Sequence[Point],
    flops: float,
    *,
    coverage: float = 0.8,
    form: float = FORM,
    draws: int = 100,
    seed: int = 0,
) -> Forecast:
    """Plan a run of a larger budget from those of three budgets or more, and say its excess.

    points: runs whose loss is the excess over the floor, three sizes or more at each budget. The size planned follows
    the power law of the valleys' sizes. Raises ConfigError for fewer than three budgets.
    """
    groups = by_budget(points)
    if len(groups) < LAST:
        raise ConfigError(f"{len(groups)} budgets show no trend.", f"Train at {LAST} budgets or more.")
    found = valleys(points)
    parameters = power_law([v.flops for v in found], [v.parameters for v in found]).at(flops)
    tokens = flops / (FLOPS_PER_PARAMETER_AND_TOKEN * parameters)
    laws = fit(points, floor_nats=0, draws=draws, seed=seed).samples()
    bottoms = _redrawn_bottoms(groups, draws, np.random.default_rng(seed))
    costs = np.log([v.flops for v in found])
    pooled = [
        *_extended(costs, bottoms, math.log(flops)),
        *_extended(costs[-LAST:], bottoms[-LAST:], math.log(flops)),
        *(law.loss(parameters, tokens) for law in laws),
    ]
    low, high = central([value * step for value in pooled for step in steps(form)], coverage)
    return Forecast(flops, parameters, tokens, float(np.median(pooled)), low, high, coverage)


def _redrawn_bottoms(groups: Sequence[Sequence[Point]], draws: int, rng: np.random.Generator) -> np.ndarray:
    """Return the log losses at the bottoms of the valleys [budgets, draws], residuals drawn anew among all budgets."""
    fitted, residuals = [], []
    for group in groups:
        log_n, log_loss = np.log([p.parameters for p in group]), np.log([p.loss_nats for p in group])
        fitted.append(np.polyval(np.polyfit(log_n, log_loss, 2), log_n))
        spare = max(1, len(group) - 3)  # a parabola takes three of the runs' freedoms
        residuals += list((log_loss - fitted[-1]) * (len(group) / spare) ** 0.5)
    bottoms = np.empty((len(groups), draws))
    for row, (group, centre) in enumerate(zip(groups, fitted, strict=True)):
        for draw in range(draws):
            redrawn = np.exp(centre + rng.choice(residuals, len(group)))
            again = [Point(p.parameters, p.tokens, loss) for p, loss in zip(group, redrawn, strict=True)]
            try:
                bottoms[row, draw] = math.log(valley(again).loss_nats)
            except ConfigError:  # no valley in this draw: its least run stands in
                bottoms[row, draw] = math.log(redrawn.min())
    return bottoms


def _extended(log_flops: np.ndarray, log_losses: np.ndarray, at: float) -> np.ndarray:
    """Return what straight lines through log losses [budgets, draws] give at a larger log budget."""
    _, height = np.polyfit(log_flops - at, log_losses, 1)
    return np.exp(height)
