"""A second form for runs that are short: the larger the model, the steeper its loss falls with what it reads.

ln(L - E) = a + b ln N + (c + d ln N) ln S. In A / N^alpha + B / S^beta both terms stand alone, which is true of long
runs; early on all sizes have the same loss, that of word counts, and part from there.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minillm.errors import ConfigError
from minillm.scaling.law import Point

FLOORS = tuple(i / 20 for i in range(20))
"""Values of E that are tried, as shares of the least loss."""
CENTRE_N, CENTRE_S = 1e6, 500
"""Logarithms are taken relative to these, so that the constants hang less on one another."""


@dataclass(frozen=True)
class JointLaw:
    """The five constants, with N in millions and S in units of 500."""

    E: float
    a: float
    b: float
    c: float
    d: float

    def loss(self, parameters: float, n_steps: float) -> float:
        """Return the loss of a model of so many parameters after so many updates."""
        n, s = math.log(parameters / CENTRE_N), math.log(n_steps / CENTRE_S)
        return self.E + math.exp(self.a + self.b * n + (self.c + self.d * n) * s)


def fit_joint(points: Sequence[Point]) -> JointLaw:
    """Fit the form to runs (tokens stand for updates): least squares of the log loss, for each floor tried.

    Raises ConfigError for fewer runs than constants, and where no fit falls with both size and length.
    """
    if len({(p.parameters, p.tokens) for p in points}) < 5:
        raise ConfigError(f"{len(points)} runs do not determine 5 constants.", "Add sizes and lengths.")
    n = np.log([p.parameters / CENTRE_N for p in points])
    s = np.log([p.tokens / CENTRE_S for p in points])
    losses = np.array([p.loss_nats for p in points])
    columns = np.column_stack([np.ones_like(n), n, s, n * s])
    best, least = None, math.inf
    for share in FLOORS:
        floor = share * losses.min()
        # a small error of the loss is a large one of ln(L - E) near the floor: weighted back
        weights = (losses - floor) / losses
        a, b, c, d = np.linalg.lstsq(columns * weights[:, None], np.log(losses - floor) * weights, rcond=None)[0]
        off = np.log((floor + np.exp(columns @ [a, b, c, d])) / losses)
        falls = (c + d * n < 0).all() and (b + d * s < 0).any()
        if falls and (off**2).sum() < least:
            best, least = JointLaw(float(floor), float(a), float(b), float(c), float(d)), float((off**2).sum())
    if best is None:
        raise ConfigError("The runs' loss does not fall with size and length.", "Leave out runs that failed.")
    return best
