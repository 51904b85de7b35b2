"""What a run of the course's own recipe will reach, from recorded runs, and which size suits a budget best.

The recipe is `TrainConfig` as it is, on the embedded text: Muon, a rate that falls at the end, batches of 12 sequences.
There are five sizes, and runs of each were recorded at several lengths, so that no law needs to guess between sizes:
each has its curve of bits a byte on held-out text against updates. For a recorded run that it had not seen, a law of
one form for all sizes was 2.6% off, and such a curve between two other runs 1.4% (root mean squares). Some sizes fall
steeply for a while (small between 1,000 and 2,300 updates), which no law of one form knows.
"""

import dataclasses
import math
from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import geometric_mean

from minillm.config import SIZES, ModelConfig, TrainConfig, named
from minillm.cost import count_parameters, flops_per_token
from minillm.cost.numbers import Interval, positive
from minillm.errors import ConfigError
from minillm.facts import CourseRun, course_runs
from minillm.scaling.published import worth

CANDIDATES = ("nano", "micro", "mini", "small", "base")
VOCABULARY = 1024
BATCH = TrainConfig().batch_size
COVERAGE = 0.9
REACH = 2.0
"""So many times beyond the recorded runs of its size an interval is promised, and no farther."""
SAME_LENGTH = 1.2
"""Runs of one size whose lengths differ by less are other seeds or formats of one run: they count as one."""
SPEED_OFF = 0.1
"""How far a short measurement of the machine's speed may be off, either way."""
FEWEST_STEPS = 10
"""Steps that a run by the clock takes at least."""


@dataclass(frozen=True)
class LossCurve:
    """Bits a byte of one size against updates: straight lines between recorded runs, both in logarithms.

    Beyond the first and the last run the nearest line goes on.
    """

    steps: tuple[float, ...]
    """Updates of the recorded runs, rising."""
    bits_per_byte: tuple[float, ...]

    def at(self, n_steps: float) -> float:
        """Return the bits a byte after so many updates."""
        right = min(max(bisect(self.steps, n_steps), 1), len(self.steps) - 1)
        (start, end), (above, below) = self.steps[right - 1 : right + 1], self.bits_per_byte[right - 1 : right + 1]
        share = math.log(n_steps / start) / math.log(end / start)
        return above * (below / above) ** share

    def without(self, i: int) -> "LossCurve":
        """Return the curve of the other runs."""
        return LossCurve(self.steps[:i] + self.steps[i + 1 :], self.bits_per_byte[:i] + self.bits_per_byte[i + 1 :])

    def place(self, n_steps: float) -> str:
        """Return where such a run lies: `before` the first recorded one, `between` two, or `after` the last."""
        return "before" if n_steps < self.steps[0] else "after" if n_steps > self.steps[-1] else "between"

    def errors(self) -> list[tuple[str, float]]:
        """Return for each recorded run where it lies, and ln(expected / measured) by the curve that has not seen it."""
        found = []
        for i, (n_steps, bits) in enumerate(zip(self.steps, self.bits_per_byte, strict=True)):
            others = self.without(i)
            found.append((others.place(n_steps), math.log(others.at(n_steps) / bits)))
        return found


@dataclass(frozen=True)
class CourseCurves:
    """The curves of all sizes, and the runs that they were drawn through."""

    curves: Mapping[str, LossCurve]
    runs: tuple[CourseRun, ...]

    def loss(self, size: str, n_steps: float) -> float:
        """Return the bits a byte expected of a size after so many updates."""
        return self.curves[size].at(self.fresh(size, n_steps))

    def errors(self, place: str) -> list[float]:
        """Return how far the curves were off, as shares, for runs that they had not seen and that lay there."""
        return [abs(x) for curve in self.curves.values() for where, x in curve.errors() if where == place]

    def interval(self, size: str, n_steps: float, off: float = 0.0) -> Interval:
        """Return the bits a byte between which COVERAGE of such runs end.

        off: how far `n_steps` may be off, as a share of it. To both ends comes the error that COVERAGE of the runs
        left out did not exceed, of those that lay as this one does: before, between or after the others of its size.
        """
        error = not_exceeded(self.errors(self.curves[size].place(n_steps)), COVERAGE)
        low, high = self.loss(size, n_steps * (1 + off)), self.loss(size, n_steps * (1 - off))
        return Interval(low * math.exp(-error), high * math.exp(error))

    def fresh(self, size: str, n_steps: float) -> float:
        """Return how many updates on new text so many updates are worth, where they read the same text again."""
        epochs = self.epochs(size, n_steps)
        return n_steps * worth(epochs) / epochs if epochs > 1 else n_steps

    def epochs(self, size: str, n_steps: float) -> float:
        """Return how often the whole text is read."""
        return n_steps * tokens_a_step(size) / self.corpus_tokens

    @property
    def corpus_tokens(self) -> int:
        """Different tokens there are to train on."""
        return max(run.corpus_tokens for run in self.runs)

    def beyond(self, size: str, n_steps: float) -> float:
        """Return how many times such a run is longer or shorter than all recorded runs of its size; 1 between them."""
        steps = self.curves[size].steps
        return max(1.0, n_steps / steps[-1], steps[0] / n_steps)


def not_exceeded(errors: Sequence[float], coverage: float) -> float:
    """Return the error that one more, drawn like these, does not exceed with this probability; the largest at most.

    The k-th smallest of n with k = coverage (n + 1), rounded up (split conformal prediction, Vovk et al. 2005).
    """
    k = math.ceil(coverage * (len(errors) + 1))
    return sorted(errors)[min(k, len(errors)) - 1]


@dataclass(frozen=True)
class Choice:
    """One size at a budget."""

    size: str
    parameters: int
    steps: int
    tokens: int
    epochs: float
    flops: float
    bits_per_byte: float
    """As the curve goes on, also where nothing is promised."""
    interval: Interval | None
    """None where no run was near: more than REACH times beyond the recorded ones of the size."""
    beyond: float
    """How many times longer or shorter than the recorded runs of the size; 1 between them."""


def course_model(size: str) -> ModelConfig:
    """Return a size by name with the course's vocabulary; ConfigError for one that is not among the candidates."""
    return dataclasses.replace(named({name: SIZES[name] for name in CANDIDATES}, size, "size"), vocab_size=VOCABULARY)


def tokens_a_step(size: str) -> int:
    """Return the tokens of one update."""
    return BATCH * course_model(size).context_length


def flops_a_step(size: str) -> float:
    """Return the operations of one update."""
    return tokens_a_step(size) * flops_per_token(course_model(size))


def run_steps(run: CourseRun) -> float:
    """Return the updates of a recorded run."""
    return run.tokens / (run.batch_size * SIZES[run.size].context_length)


def usual(runs: Sequence[CourseRun]) -> tuple[CourseRun, ...]:
    """Return the runs that keep to the recipe's batch."""
    return tuple(run for run in runs if run.batch_size == BATCH)


def merged(runs: Sequence[CourseRun]) -> LossCurve:
    """Return the curve of one size; runs of about one length count once, with their geometric mean."""
    groups: list[list[CourseRun]] = []
    for run in sorted(runs, key=run_steps):
        if groups and run_steps(run) < SAME_LENGTH * run_steps(groups[-1][0]):
            groups[-1].append(run)
        else:
            groups.append([run])
    return LossCurve(
        tuple(round(geometric_mean(map(run_steps, group)), 6) for group in groups),
        tuple(round(geometric_mean(run.bits_per_byte for run in group), 6) for group in groups),
    )


def draw_curves(runs: Sequence[CourseRun]) -> CourseCurves:
    """Return the curves through runs of the recipe on one text.

    Raises ConfigError for runs on several texts, and for a size that was not run at three lengths: with fewer the
    curve cannot be held against a run that it has not seen.
    """
    runs = usual(runs)
    if len({run.corpus for run in runs}) > 1:
        raise ConfigError("The runs read different texts, and their bits do not compare.", "Use runs on one text.")
    curves = {size: merged([run for run in runs if run.size == size]) for size in CANDIDATES}
    for size, curve in curves.items():
        if len(curve.steps) < 3:
            cause = f"{len(curve.steps)} lengths of {size} make no curve that can be checked."
            raise ConfigError(cause, "Run it at three lengths or more.")
    return CourseCurves(curves, runs)


@cache
def course_curves() -> CourseCurves:
    """Return the curves through the recorded runs in `data/facts/course_runs.csv`."""
    return draw_curves(course_runs())


def choice(curves: CourseCurves, size: str, n_steps: float, off: float = 0.0) -> Choice:
    """Return what a size reaches with so many updates."""
    n_steps = max(FEWEST_STEPS, int(n_steps))
    beyond = curves.beyond(size, n_steps)
    return Choice(
        size=size,
        parameters=count_parameters(course_model(size)).total,
        steps=n_steps,
        tokens=n_steps * tokens_a_step(size),
        epochs=curves.epochs(size, n_steps),
        flops=n_steps * flops_a_step(size),
        bits_per_byte=curves.loss(size, n_steps),
        interval=curves.interval(size, n_steps, off) if beyond <= REACH else None,
        beyond=beyond,
    )


def choose(curves: CourseCurves, n_steps: Mapping[str, float], off: float = 0.0) -> tuple[Choice, ...]:
    """Return each size with the updates that the budget gives it, the one with the least expected loss first."""
    if not n_steps:
        raise ConfigError("There is no size to choose from.", f"Use some of {', '.join(CANDIDATES)}.")
    return tuple(sorted((choice(curves, size, n, off) for size, n in n_steps.items()), key=lambda c: c.bits_per_byte))


def choose_by_flops(curves: CourseCurves, flops: float, sizes: Sequence[str] = CANDIDATES) -> tuple[Choice, ...]:
    """Return each size with the updates that so many operations give it, the one with the least expected loss first.

    A size whose FEWEST_STEPS cost more than the budget is left out. Raises ConfigError where that leaves none.
    """
    positive(flops, "flops")
    affordable = {size: flops / flops_a_step(size) for size in sizes if flops >= FEWEST_STEPS * flops_a_step(size)}
    if not affordable:
        least = min(FEWEST_STEPS * flops_a_step(size) for size in sizes)
        raise ConfigError(f"{flops:g} FLOPs are too few for any run.", f"Use {least:.2g} or more.")
    return choose(curves, affordable)
