"""What a run of the course's own recipe will reach, from recorded runs, and which size suits a budget best.

The recipe is `TrainConfig` as it is, on the embedded text: Muon, a rate that falls at the end, batches of 12 sequences.
With such small batches the loss follows the number of updates S more closely than that of tokens, so that the law is
L = E + A / N^alpha + B / S^beta, in bits a byte on held-out text, with N parameters; or the form of `joint`, if that
was closer to runs it had not seen. Numpy alone.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from minillm.config import SIZES, ModelConfig, TrainConfig, named
from minillm.cost import count_parameters, flops_per_token
from minillm.cost.numbers import Interval, positive
from minillm.errors import ConfigError
from minillm.facts import CourseRun, course_runs
from minillm.scaling.joint import JointLaw, fit_joint
from minillm.scaling.law import Law, Point, fit
from minillm.scaling.published import worth

CANDIDATES = ("nano", "micro", "mini", "small", "base")
VOCABULARY = 1024
BATCH = TrainConfig().batch_size
COVERAGE = 0.8
REACH = 2.0
"""So many times beyond the recorded runs (updates, tokens, operations) an interval is promised, and no farther."""
SPEED_OFF = 0.1
"""How far a short measurement of the machine's speed may be off, either way."""
FEWEST_STEPS = 10
"""Steps that a run by the clock takes at least."""


@dataclass(frozen=True)
class CourseLaw:
    """The law fitted to the recorded runs, and the same fitted without each of them and those like it."""

    law: Law | JointLaw
    without: tuple[Law | JointLaw, ...]
    """For each run the law fitted to the runs that are not like it."""
    off: tuple[float, ...]
    """For each run ln(expected / measured) by that law: what seeds and the form of the law do together."""
    runs: tuple[CourseRun, ...]

    def loss(self, size: str, n_steps: float) -> float:
        """Return the bits a byte expected of a size after so many updates."""
        return self.law.loss(count_parameters(course_model(size)).total, self.fresh(size, n_steps))

    def interval(self, size: str, n_steps: float, off: float = 0.0) -> Interval:
        """Return the bits a byte between which COVERAGE of such runs end.

        off: how far `n_steps` may be off, as a share of it. Each law without a run gives a value here, moved down and
        up by how far it was off there; the ends are quantiles of these (jackknife+, Barber et al. 2021).
        """
        parameters = count_parameters(course_model(size)).total
        more, fewer = self.fresh(size, n_steps * (1 + off)), self.fresh(size, n_steps * (1 - off))
        pairs = list(zip(self.without, self.off, strict=True))
        lows = sorted(law.loss(parameters, more) * math.exp(-abs(error)) for law, error in pairs)
        highs = sorted(law.loss(parameters, fewer) * math.exp(abs(error)) for law, error in pairs)
        spare = math.floor((1 - COVERAGE) * (len(pairs) + 1))
        return Interval(lows[max(spare, 1) - 1], highs[-max(spare, 1)])

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
        """Return how many times such a run lies outside the recorded ones (updates, tokens, operations); 1 inside."""
        asked = n_steps, n_steps * tokens_a_step(size), n_steps * flops_a_step(size)
        seen = zip(*((run_steps(run), run.tokens, run.flops) for run in self.runs), strict=True)
        return max(
            1.0, *(max(value / max(known), min(known) / value) for value, known in zip(asked, seen, strict=True))
        )


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
    """As the law goes on, also where it promises nothing."""
    interval: Interval | None
    """None where no run was near: more than REACH times beyond the recorded ones."""
    beyond: float
    """How many times outside the recorded runs; 1 inside."""


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


def point(run: CourseRun) -> Point:
    """Return a run as the law takes it: parameters, updates, bits a byte."""
    return Point(run.parameters, run_steps(run), run.bits_per_byte)


def alike(run: CourseRun, other: CourseRun) -> bool:
    """Tell whether two runs are of one size and about one length, so that each gives the other away."""
    return run.size == other.size and max(run.tokens, other.tokens) < 1.2 * min(run.tokens, other.tokens)


def fit_additive(points: Sequence[Point]) -> Law:
    """Return E + A / N^alpha + B / S^beta fitted to runs."""
    return fit(points, draws=0)


def fit_course(runs: Sequence[CourseRun]) -> CourseLaw:
    """Return the law of the recipe, fitted to runs on one text, of the form that expects left-out runs best.

    Raises ConfigError for runs on several texts.
    """
    runs = usual(runs)
    if len({run.corpus for run in runs}) > 1:
        raise ConfigError("The runs read different texts, and their bits do not compare.", "Use runs on one text.")
    laws = [fit_form(form, runs) for form in (fit_additive, fit_joint)]
    return min(laws, key=lambda law: sum(error**2 for error in law.off))


def fit_form(form: Callable[[Sequence[Point]], Law | JointLaw], runs: tuple[CourseRun, ...]) -> CourseLaw:
    """Return the law of one form, and the same without each run and those like it."""
    without, off = [], []
    for run in runs:
        without.append(form([point(other) for other in runs if not alike(run, other)]))
        off.append(math.log(without[-1].loss(run.parameters, run_steps(run)) / run.bits_per_byte))
    return CourseLaw(form([point(run) for run in runs]), tuple(without), tuple(off), runs)


@cache
def course_law() -> CourseLaw:
    """Return the law of the recorded runs in `data/facts/course_runs.csv`."""
    return fit_course(course_runs())


def choice(law: CourseLaw, size: str, n_steps: float, off: float = 0.0) -> Choice:
    """Return what a size reaches with so many updates."""
    n_steps = max(FEWEST_STEPS, int(n_steps))
    beyond = law.beyond(size, n_steps)
    return Choice(
        size=size,
        parameters=count_parameters(course_model(size)).total,
        steps=n_steps,
        tokens=n_steps * tokens_a_step(size),
        epochs=law.epochs(size, n_steps),
        flops=n_steps * flops_a_step(size),
        bits_per_byte=law.loss(size, n_steps),
        interval=law.interval(size, n_steps, off) if beyond <= REACH else None,
        beyond=beyond,
    )


def choose(law: CourseLaw, n_steps: Mapping[str, float], off: float = 0.0) -> tuple[Choice, ...]:
    """Return each size with the updates that the budget gives it, the one with the least expected loss first."""
    if not n_steps:
        raise ConfigError("There is no size to choose from.", f"Use some of {', '.join(CANDIDATES)}.")
    return tuple(sorted((choice(law, size, n, off) for size, n in n_steps.items()), key=lambda c: c.bits_per_byte))


def choose_by_flops(law: CourseLaw, flops: float, sizes: Sequence[str] = CANDIDATES) -> tuple[Choice, ...]:
    """Return each size with the updates that so many operations give it, the one with the least expected loss first.

    A size whose FEWEST_STEPS cost more than the budget is left out. Raises ConfigError where that leaves none.
    """
    positive(flops, "flops")
    affordable = {size: flops / flops_a_step(size) for size in sizes if flops >= FEWEST_STEPS * flops_a_step(size)}
    if not affordable:
        least = min(FEWEST_STEPS * flops_a_step(size) for size in sizes)
        raise ConfigError(f"{flops:g} FLOPs are too few for any run.", f"Use {least:.2g} or more.")
    return choose(law, affordable)
