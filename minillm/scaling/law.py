"""The law L(N, D) = E + A / N^alpha + B / D^beta: fitted to runs, evaluated, and its best split of a budget.

N parameters, D tokens, L nats a token, E the floor that neither lowers; C = 6 N D is the budget in FLOPs. The form and
the fit (Huber loss between logarithms, from several starts) are those of Hoffmann et al. 2022, section 3.3.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist

import numpy as np

from minillm.errors import ConfigError

FLOPS_PER_PARAMETER_AND_TOKEN = 6
HUBER = 1e-3
"""Residuals of the logarithm beyond this count by their size instead of its square: outliers pull less."""
WIDTHS, ITERATIONS = (math.inf, 0.1, 0.01, HUBER), 60
LEAST_LOG_E = 5
"""A fitted E is not sought below this many powers of e under the least loss: from there nothing leads back."""
STARTS = tuple(itertools.product((0.3, 0.9), (0.25, 0.6), (0.25, 0.6)))
"""Where fits begin: E as a share of the least loss, alpha and beta."""


@dataclass(frozen=True)
class Point:
    """One finished run: its parameters, the tokens it read, and its loss."""

    parameters: float
    tokens: float
    loss_nats: float

    @property
    def flops(self) -> float:
        """The run's cost, 6 N D."""
        return FLOPS_PER_PARAMETER_AND_TOKEN * self.parameters * self.tokens


@dataclass(frozen=True)
class Law:
    """The five constants, and those of the same fit to resampled runs, which say how sure they are."""

    E: float
    A: float
    B: float
    alpha: float
    beta: float
    draws: tuple[tuple[float, float, float, float, float], ...] = field(default=(), repr=False)

    def loss(self, parameters: float, tokens: float) -> float:
        """Return the loss in nats a token of a model of so many parameters that reads so many tokens."""
        if not (parameters > 0 and tokens > 0):
            raise ConfigError(f"{parameters} parameters and {tokens} tokens cannot be.", "Both must be above 0.")
        return self.E + self.A / parameters**self.alpha + self.B / tokens**self.beta

    def optimal(self, flops: float) -> tuple[float, float]:
        """Return the parameters and tokens that give the least loss for a budget.

        Where a step in log N gains as much from N as it loses from D: alpha A / N^alpha = beta B / D^beta.
        """
        if not flops > 0:
            raise ConfigError(f"A budget of {flops} FLOPs buys nothing.", "Use a number above 0.")
        product = flops / FLOPS_PER_PARAMETER_AND_TOKEN  # N D
        both = self.alpha + self.beta
        balance = (self.alpha * self.A / (self.beta * self.B)) ** (1 / both)
        parameters = balance * product ** (self.beta / both)
        return parameters, product / parameters

    @property
    def exponent(self) -> float:
        """The power of the budget with which the best number of parameters grows: beta / (alpha + beta)."""
        return self.beta / (self.alpha + self.beta)

    def tokens_per_parameter(self, flops: float) -> float:
        """Return D / N of the best split of a budget."""
        parameters, tokens = self.optimal(flops)
        return tokens / parameters

    def samples(self) -> list["Law"]:
        """Return the laws fitted to resampled runs; itself alone if there are none."""
        return [Law(*constants) for constants in self.draws] or [replace(self, draws=())]

    def interval(
        self, parameters: float, tokens: float, coverage: float = 0.8, form: float = 0.0
    ) -> tuple[float, float]:
        """Return the loss from low to high that holds the share `coverage` of the resampled fits.

        form: what the form of the law may be off by itself, as a relative standard deviation of the loss above E;
        resampling cannot see it.
        """
        above = [(law.E, law.loss(parameters, tokens) - law.E) for law in self.samples()]
        values = [floor + excess * step for floor, excess in above for step in steps(form)]
        return central(values, coverage)


def steps(form: float, count: int = 51) -> list[float]:
    """Return factors that spread evenly as a lognormal of this relative standard deviation does; [1] for none."""
    if form == 0:
        return [1.0]
    return [math.exp(form * NormalDist().inv_cdf((i + 0.5) / count)) for i in range(count)]


def central(values: Sequence[float], coverage: float) -> tuple[float, float]:
    """Return the quantiles between which the middle share `coverage` of the values lies."""
    if not 0 < coverage < 1:
        raise ConfigError(f"A coverage of {coverage} is none.", "Use a share between 0 and 1, such as 0.8.")
    low, high = np.quantile(values, [(1 - coverage) / 2, (1 + coverage) / 2])
    return float(low), float(high)


def fit(points: Sequence[Point], *, floor_nats: float | None = None, draws: int = 200, seed: int = 0) -> Law:
    """Fit the law to runs, and again to `draws` resamples of them (drawn with replacement).

    floor_nats: E where it is known, such as 0 for losses that are an excess already; None: fitted too.
    Raises ConfigError for fewer runs than constants, or a size or loss that is not above 0.
    """
    constants = 5 if floor_nats is None else 4
    if len({(p.parameters, p.tokens) for p in points}) < constants:
        raise ConfigError(f"{len(points)} runs do not determine {constants} constants.", "Add sizes and lengths.")
    table = np.array([(p.parameters, p.tokens, p.loss_nats) for p in points], float)
    if not (np.isfinite(table).all() and (table > 0).all()):
        raise ConfigError("A run has a size, a length or a loss that is not above 0.", "Leave out runs that failed.")
    logs = np.log(table)
    centre = logs[:, :2].mean(0)  # near the middle of the data the constants hang less on one another
    runs = np.column_stack([logs[:, :2] - centre, logs[:, 2]])
    ones = np.ones((len(STARTS), len(runs)))
    found, off = _minimise(runs, ones, _starts(logs[:, 2], floor_nats), floor_nats is not None)
    best = found[off.argmin()]
    again = ()
    if draws:
        counts = np.random.default_rng(seed).multinomial(len(runs), np.full(len(runs), 1 / len(runs)), draws)
        found, _ = _minimise(runs, counts.astype(float), np.tile(best, (draws, 1)), floor_nats is not None)
        again = tuple(_constants(theta, centre) for theta in found)
    return Law(*_constants(best, centre), again)


def _starts(log_losses: np.ndarray, floor_nats: float | None) -> np.ndarray:
    """Return first guesses [S, 5] of log E, log A and log B at the centre of the data, alpha and beta."""
    guesses = []
    for share, alpha, beta in STARTS:
        floor = share * math.exp(log_losses.min()) if floor_nats is None else floor_nats
        half = max(math.exp(np.median(log_losses)) - floor, 1e-3 * math.exp(log_losses.min())) / 2
        guesses.append([math.log(floor) if floor > 0 else -math.inf, math.log(half), math.log(half), alpha, beta])
    return np.array(guesses)


def _constants(theta: np.ndarray, centre: np.ndarray) -> tuple[float, float, float, float, float]:
    """Return E, A, B, alpha and beta, no longer relative to the centre of the data."""
    log_e, log_a, log_b, alpha, beta = theta
    logs = (log_e, log_a + alpha * centre[0], log_b + beta * centre[1])
    return (*(float(np.exp(value)) for value in logs), float(alpha), float(beta))


def _residuals(runs: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far the logarithm of the law is from that of each loss [S, n], and its derivatives [S, n, 5]."""
    log_n, log_d, log_loss = runs.T
    log_e, log_a, log_b, alpha, beta = (theta[:, i, None] for i in range(5))
    parts = np.exp(np.stack(np.broadcast_arrays(log_e, log_a - alpha * log_n, log_b - beta * log_d)))
    whole = parts.sum(0)
    e, a, b = parts / whole
    return np.log(whole) - log_loss, np.stack([e, a, b, -log_n * a, -log_d * b], -1)


def _minimise(
    runs: np.ndarray, counts: np.ndarray, theta: np.ndarray, floor_known: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Minimise the Huber loss of S fits at once and return their theta [S, 5] and losses [S].

    counts: how often each run counts in each fit [S, n]. Levenberg and Marquardt's method; a Huber loss is a weighted
    sum of squares whose weights follow the residuals. It begins with plain squares and narrows in steps: at once,
    one ruined run can lead it so far away that it stays there.
    """
    free = slice(1, 5) if floor_known else slice(0, 5)
    least_log_e = runs[:, 2].min() - LEAST_LOG_E
    for width in WIDTHS:
        damping = np.full(len(theta), 1e-2)
        off, slopes = _residuals(runs, theta)
        least = _huber(off, counts, width)
        for _ in range(ITERATIONS):
            pull = counts * np.minimum(1, width / np.maximum(np.abs(off), 1e-12))
            matrix = np.einsum("sni,sn,snj->sij", slopes[..., free], pull, slopes[..., free])
            target = np.einsum("sni,sn->si", slopes[..., free], pull * off)
            diagonal = np.einsum("sii->si", matrix)
            diagonal += damping[:, None] * diagonal + 1e-12
            tried = theta.copy()
            tried[:, free] -= np.clip(np.linalg.solve(matrix, target[..., None])[..., 0], -1, 1)
            if not floor_known:
                tried[:, 0] = np.maximum(tried[:, 0], least_log_e)
            new_off, new_slopes = _residuals(runs, tried)
            value = _huber(new_off, counts, width)
            better = value < least
            theta[better], off[better], slopes[better] = tried[better], new_off[better], new_slopes[better]
            least[better] = value[better]
            damping = np.clip(np.where(better, damping / 3, damping * 4), 1e-9, 1e9)
    return theta, least


def _huber(off: np.ndarray, counts: np.ndarray, width: float) -> np.ndarray:
    """Return the Huber loss of each fit [S]: squares within the width, straight lines beyond."""
    size = np.abs(off)
    if math.isinf(width):
        return (counts * off**2 / 2).sum(1)
    return (counts * np.where(size < width, off**2 / 2, width * (size - width / 2))).sum(1)
