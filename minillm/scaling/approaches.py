"""Two more ways to the best size for a budget: the least of many curves, and the bottom of a valley.

With `law.fit` they are the three approaches of Hoffmann et al. 2022. All three end in a power law N = k C^a.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minillm.errors import ConfigError
from minillm.scaling.law import FLOPS_PER_PARAMETER_AND_TOKEN, Point


@dataclass(frozen=True)
class PowerLaw:
    """y = coefficient x^exponent."""

    coefficient: float
    exponent: float

    def at(self, x: float) -> float:
        """Return y."""
        return self.coefficient * x**self.exponent


@dataclass(frozen=True)
class Curve:
    """One run's losses on its way, at rising numbers of tokens."""

    parameters: float
    tokens: Sequence[float]
    losses_nats: Sequence[float]

    def loss_at(self, flops: float) -> float:
        """Return the loss when the run had cost so much, between its points; infinite where it has none."""
        cost = FLOPS_PER_PARAMETER_AND_TOKEN * self.parameters * np.asarray(self.tokens, float)
        if not cost[0] <= flops <= cost[-1] * (1 + 1e-9):
            return math.inf
        return float(np.exp(np.interp(math.log(flops), np.log(cost), np.log(self.losses_nats))))


@dataclass(frozen=True)
class Valley:
    """The bottom of a parabola through the runs of one budget."""

    flops: float
    parameters: float
    loss_nats: float
    inside: bool
    """Whether the bottom lies between the sizes tried; beyond them it is a guess."""


def power_law(x: Sequence[float], y: Sequence[float]) -> PowerLaw:
    """Fit a power law by least squares between logarithms; ConfigError without two different x."""
    if len(set(x)) < 2:
        raise ConfigError("A power law needs two different places.", "Add a budget.")
    exponent, log_coefficient = np.polyfit(np.log(x), np.log(y), 1)
    return PowerLaw(math.exp(log_coefficient), float(exponent))


def least_of_curves(curves: Sequence[Curve], flops: Sequence[float]) -> list[tuple[float, Curve]]:
    """Return for each budget (that a curve reaches) which curve is lowest there: approach 1."""
    found = []
    for budget in flops:
        best = min(curves, key=lambda curve, budget=budget: curve.loss_at(budget))
        if math.isfinite(best.loss_at(budget)):
            found.append((budget, best))
    return found


def valley(points: Sequence[Point]) -> Valley:
    """Return the bottom of a parabola in log N through the log losses of one budget's runs: approach 2.

    Raises ConfigError for fewer than three sizes, or where the parabola has no bottom.
    """
    log_n = np.log([p.parameters for p in points])
    if len(set(log_n)) < 3:
        raise ConfigError("A valley needs three sizes at one budget.", "Train a smaller and a larger model.")
    middle = log_n.mean()
    bend, slope, height = np.polyfit(log_n - middle, np.log([p.loss_nats for p in points]), 2)
    if bend <= 0:
        raise ConfigError("These runs have no valley: the parabola bends down.", "Try sizes farther apart.")
    bottom = middle - slope / (2 * bend)
    flops = math.exp(np.mean([math.log(p.flops) for p in points]))
    inside = bool(log_n.min() <= bottom <= log_n.max())
    return Valley(flops, math.exp(bottom), math.exp(height - slope**2 / (4 * bend)), inside)


def by_budget(points: Sequence[Point]) -> list[list[Point]]:
    """Return the runs in groups of about equal cost (within 10%), cheapest group first."""
    groups: list[list[Point]] = []
    for point in sorted(points, key=lambda p: p.flops):
        if groups and point.flops < 1.1 * groups[-1][0].flops:
            groups[-1].append(point)
        else:
            groups.append([point])
    return groups


def valleys(points: Sequence[Point]) -> list[Valley]:
    """Return the valley of each budget, cheapest first."""
    return [valley(group) for group in by_budget(points)]
