"""Name what is wrong with a training run: from its curves alone, or with four checks that someone must order.

The numbers in the rule were read off runs of two seeds; each stands about half-way between the runs that it separates.
Those that compare a loss with a healthy run's hold for this text, model and length only; the checks hold for any.
"""

import itertools
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

LN_V = math.log(256)
"""The loss of even odds over 256 bytes, where every run should begin."""
SETTLED = 20
"""Steps after which the first, steep part of a run is over."""
CHECKED = ("missing mask", "leak", "dropout left on", "missing positions")
"""What the four checks prove or rule out."""


class Diagnosis(str):
    """The name of what is wrong, a plain string, with the reason in `because`."""

    because: str

    def __new__(cls, name: str, because: str) -> "Diagnosis":
        """Return the name with its reason."""
        diagnosis = super().__new__(cls, name)
        diagnosis.because = because
        return diagnosis


@dataclass(frozen=True)
class Signals:
    """What anyone sees who watches a run: losses and gradient norms by step, updates by part, a sample of its text."""

    train_loss: tuple[float, ...]
    """One a step, in nats, measured before the step's update."""
    grad_norm: tuple[float, ...]
    """One a step, before clipping."""
    look_steps: tuple[int, ...]
    """The steps at which the next two were looked at."""
    held_out_loss: tuple[float, ...]
    update_ratio: dict[str, tuple[float, ...]]
    """For each part the length of the update over that of the weights."""
    sample: str = ""

    @classmethod
    def from_records(cls, records: Sequence[Mapping]) -> "Signals":
        """Return the signals of one run's records; what the checks found is left out."""
        steps = [r for r in records if "train_loss_nats" in r]
        looks = [r for r in steps if "update_ratio" in r]
        return cls(
            tuple(r["train_loss_nats"] for r in steps),
            tuple(r["grad_norm"] for r in steps),
            tuple(r["step"] for r in looks),
            tuple(r["held_out_loss_nats"] for r in looks),
            {part: tuple(r["update_ratio"][part] for r in looks) for part in looks[0]["update_ratio"]},
            next((r["sample"] for r in records if "sample" in r), ""),
        )

    @cached_property
    def first_loss(self) -> float:
        """The loss before any update."""
        return self.train_loss[0]

    @cached_property
    def settled_loss(self) -> float:
        """The training loss when the first, steep part should be over."""
        return self.train_loss[SETTLED - 1]

    @cached_property
    def train_end(self) -> float:
        """The mean training loss of the last ten steps."""
        return statistics.fmean(self.train_loss[-10:])

    @cached_property
    def held_out_end(self) -> float:
        """The held-out loss at the end."""
        return self.held_out_loss[-1]

    @cached_property
    def jump(self) -> float:
        """The largest rise of the training loss from one step to the next, after the first, steep part."""
        after = self.train_loss[SETTLED - 1 :]
        return max(now - before for before, now in itertools.pairwise(after))

    @cached_property
    def least_norm(self) -> float:
        """The least gradient norm after the first, steep part."""
        return min(self.grad_norm[SETTLED - 1 :])

    @cached_property
    def first_update(self) -> float:
        """By what share of its weights the attention moved in the first step."""
        return self.update_ratio["attention"][0]

    @cached_property
    def middle_update(self) -> dict[str, float]:
        """By what share of its weights each part moved in the step half-way."""
        return {part: ratios[len(ratios) // 2] for part, ratios in self.update_ratio.items()}


def diagnose(signals: Signals, checks: Mapping[str, float] | None = None) -> Diagnosis:
    """Return what is wrong with a run, from its signals or with what the checks found as well."""
    return suspects(signals, checks)[0]


def suspects(signals: Signals, checks: Mapping[str, float] | None = None) -> list[Diagnosis]:
    """Return all that fits, the most telling first and 'healthy' last."""
    likely = [d for d in likely_signs(signals) if checks is None or d not in CHECKED]
    proved = [] if checks is None else list(check_signs(checks))
    healthy = Diagnosis("healthy", "both losses fall together, from even odds to about what this text allows")
    return [*clear_signs(signals), *proved, *likely, healthy]


def clear_signs(s: Signals) -> Iterator[Diagnosis]:
    """Yield what leaves a mark of its own, whatever else there is to see."""
    if s.first_loss > LN_V + 1:
        yield Diagnosis("large first weights", "the first loss is far above even odds: sure of itself, without reason")
    elif s.first_loss < 1:
        yield Diagnosis("loss divided twice", "the first loss is a small fraction of that of even odds")
    elif s.first_loss < LN_V - 1:
        yield Diagnosis("wrong axis", "the first loss is even odds among 32, the positions, not among 256 bytes")
    if max(s.update_ratio["embedding"]) == 0:
        yield Diagnosis("frozen embedding", "the embedding never moves")
    if max(s.update_ratio["head"]) == 0:
        yield Diagnosis("frozen head", "the head never moves")
    if max(s.middle_update.values()) == 0:
        yield Diagnosis("schedule ends early", "half-way through the run all parts stand still")
    elif s.middle_update["attention"] < 0.005:
        yield Diagnosis("rate too low", "each update is tiny beside the weights, and the loss creeps")
    if s.first_update > 0.3:
        yield Diagnosis("rate too high", "the first update is about as large as the weights themselves")
    if s.jump > 3:
        yield Diagnosis("bad batch", "in one step the loss leaps up, with a gradient of enormous length")
    if s.held_out_end > LN_V + 1:
        yield Diagnosis("wrong tokenizer", "training goes well, but held-out text costs more than even odds")
    if s.settled_loss < 1:
        yield Diagnosis("unshifted targets", "within a few steps the loss is nearly zero: there is nothing to predict")
    if s.train_end > 2.6:
        yield Diagnosis("shuffled targets", "the loss stops where single letters are known and nothing else")


def check_signs(checks: Mapping[str, float]) -> Iterator[Diagnosis]:
    """Yield what the checks prove."""
    if checks["future"] > 1e-3:
        yield Diagnosis("missing mask", "changing a byte changes predictions made before it")
    if checks["overlap"] > 0.6:
        yield Diagnosis("leak", "most of the held-out text stands in the training text")
    if checks["positions"] < 1e-3:
        yield Diagnosis("missing positions", "in a row of one repeated letter every place gets the same prediction")
    if checks["twice"] > 1e-5:
        yield Diagnosis("dropout left on", "two evaluations of the same weights differ")


def likely_signs(s: Signals) -> Iterator[Diagnosis]:
    """Yield what a loss at the end suggests, compared with 1.2, where a healthy run ends."""
    if s.held_out_end - s.train_end > 0.5:
        yield Diagnosis("overfitting", "the training loss goes on falling while the held-out loss stays or rises")
    if s.held_out_end < 0.4:
        yield Diagnosis("missing mask", "the loss collapses in mid-run, far below what this text allows")
    if s.held_out_end < 0.95:
        yield Diagnosis("leak", "the held-out loss follows the training loss below what a healthy run reaches")
    if s.held_out_end > 1.4 and s.least_norm > 0.85:
        yield Diagnosis(
            "gradients kept", "the gradient stays long, since old ones are in it, and the loss falls slowly"
        )
    if s.held_out_end > 1.85:
        yield Diagnosis("dropout left on", "everything is in order but slow, as if half of the model were missing")
    if s.held_out_end > 1.4:
        yield Diagnosis("missing positions", "everything is in order but the loss stays a little above a healthy run's")
