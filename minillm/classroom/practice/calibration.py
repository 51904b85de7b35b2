"""Confidence against outcomes: are you right as often as you say? With intervals, and with the Brier score.

Someone who says 80% is well calibrated if 80 of 100 such answers are right. A single answer can tell nothing about
that, and twenty tell little: each share stands with Wilson's interval (1927), the range of true rates that agree with
it. The Brier score (1950) is the mean of (confidence - outcome) squared, with 1 for right and 0 for wrong.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from minillm.classroom import diary, figures
from minillm.classroom.markup import Columns, table_html, table_text

EDGES = (0, 25, 50, 70, 90)
"""Where the groups of confidence begin, in percent; 25 is a blind guess among four."""
NORMAL_95 = 1.96
"""A normal deviation lies within so many standard deviations in 95% of the cases."""


@dataclass(frozen=True)
class Answered:
    """One answer: its letter or value, the confidence in percent (None: not said), and whether it was right."""

    key: str
    letter: str
    confidence: float | None
    right: bool


@dataclass(frozen=True)
class Group:
    """Answers of a similar confidence: how many, how sure on average, how many right."""

    low: int
    high: int
    count: int
    confidence: float
    right: int

    @property
    def share(self) -> float:
        """The percent of them that were right."""
        return 100 * self.right / self.count

    @property
    def interval(self) -> tuple[float, float]:
        """The least and the greatest rate, in percent, that agree with it."""
        return tuple(100 * value for value in wilson(self.right, self.count))


@dataclass(frozen=True)
class Calibration:
    """A learner's answers by confidence; `skipped` had an answer but no confidence, and are left out."""

    answers: tuple[Answered, ...]
    skipped: int

    @property
    def groups(self) -> list[Group]:
        """The answers by confidence, groups without any left out."""
        found = []
        for low, high in zip(EDGES, [*EDGES[1:], 101], strict=True):
            inside = [a for a in self.answers if low <= a.confidence < high]
            if inside:
                sure = sum(a.confidence for a in inside) / len(inside)
                found.append(Group(low, high - 1, len(inside), sure, sum(a.right for a in inside)))
        return found

    @property
    def brier(self) -> float:
        """The Brier score, from 0 (certain and right each time) to 1."""
        return sum((a.confidence / 100 - a.right) ** 2 for a in self.answers) / len(self.answers)

    @property
    def confidence(self) -> float:
        """The mean confidence in percent."""
        return sum(a.confidence for a in self.answers) / len(self.answers)

    @property
    def right(self) -> int:
        """How many were right."""
        return sum(a.right for a in self.answers)

    def table(self) -> Columns:
        """Return a row for each group."""
        groups = self.groups
        return {
            "confidence": [f"{g.low} to {g.high}%" for g in groups],
            "answers": [g.count for g in groups],
            "how sure, %": [round(g.confidence) for g in groups],
            "right, %": [round(g.share) for g in groups],
            "agrees with, %": ["{:.0f} to {:.0f}".format(*g.interval) for g in groups],
        }

    def summary(self) -> str:
        """Say how sure, how often right, whether the difference is more than chance, and the Brier score."""
        count = len(self.answers)
        if not count:
            return "No answer with a confidence yet: there is nothing to draw."
        low, high = (100 * value for value in wilson(self.right, count))
        share = 100 * self.right / count
        told = f"{self.right} of {count} right ({share:.0f}%), {self.confidence:.0f}% sure on average."
        if self.confidence > high:
            found = "More sure than right: overconfident."
        elif self.confidence < low:
            found = "More often right than sure: underconfident."
        else:
            found = f"So few answers agree with any rate from {low:.0f} to {high:.0f}%: no difference is shown."
        left = f" {self.skipped} more came without a confidence." if self.skipped else ""
        return f"{told} {found} Brier score {self.brier:.2f}.{left}"

    def __repr__(self) -> str:
        return "\n".join([self.summary(), *([table_text(self.table())] if self.answers else [])])

    def _repr_html_(self) -> str:
        table = table_html(self.table(), "Confidence and how often it was right") if self.answers else ""
        return f"<p>{self.summary()}</p>{table}"


def wilson(right: int, count: int, deviations: float = NORMAL_95) -> tuple[float, float]:
    """Return Wilson's interval for a rate, from 0 to 1: those rates from which the share lies so many deviations."""
    if count < 1:
        return 0.0, 1.0  # nothing is known
    share, square = right / count, deviations**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = deviations / (1 + square / count) * math.sqrt(share * (1 - share) / count + square / (4 * count**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def calibrate(answers: Iterable[Answered]) -> Calibration:
    """Return the calibration of answers; those without a confidence are counted and left out."""
    answers = list(answers)
    sure = tuple(a for a in answers if a.confidence is not None)
    return Calibration(sure, len(answers) - len(sure))


def given(keys: Sequence[str], *, past: bool = False) -> list[Answered]:
    """Return the learner's first answer to each of these questions: of this session, or with `past` of all sessions.

    The first, because the explanation that follows it gives the question away.
    """
    found = _first("quiz", diary.entries() if past else diary.session())
    return [found[key] for key in keys if key in found]


def predicted() -> list[Answered]:
    """Return the learner's first prediction of each kind in all notebooks and sessions: did it come true?"""
    return list(_first("prediction", diary.entries()).values())


def _first(kind: str, entries: Iterable[dict]) -> dict[str, Answered]:
    found = {}
    for entry in entries:
        entry = entry if isinstance(entry, dict) else {}
        key, value, sure, hit = (entry.get(name) for name in ("key", "value", "confidence", "hit"))
        if entry.get("kind") == kind and isinstance(key, str) and isinstance(hit, bool):
            is_sure = isinstance(sure, int | float) and EDGES[0] <= sure <= 100
            found.setdefault(key, Answered(key, str(value), sure if is_sure else None, hit))
    return found


def counted(count: int) -> str:
    """Return '1 answer' or '2 answers'."""
    return f"{count} answer" if count == 1 else f"{count} answers"


def describe(calibration: Calibration, what: str) -> str:
    """Return alternative text: each group's confidence, share and interval, and what stands off the diagonal."""
    parts = [f"Calibration plot: {what}. Share of right answers against confidence, both in percent."]
    for g in calibration.groups:
        low, high = g.interval
        parts.append(
            f"{counted(g.count)} of {g.low} to {g.high}% confidence, {g.confidence:.0f}% on average: {g.share:.0f}% "
            f"right, which agrees with {low:.0f} to {high:.0f}%."
        )
    return " ".join([*parts, "A dashed diagonal marks perfect calibration.", calibration.summary()])


def show(calibration: Calibration, what: str) -> None:
    """Show the plot with its description and table; without an answer the summary says so instead."""
    from IPython.display import display

    if not calibration.answers:
        display(calibration)
        return
    figure, ax = figures.new(6.5, 4.2)
    least = min(20, *(g.confidence - 5 for g in calibration.groups))
    ax.plot([least, 100], [least, 100], linestyle="--", color=figures.QUIET, linewidth=1)
    ax.annotate("as often right as sure", (least + 2, least + 6), rotation=37, color=figures.QUIET)
    for g in calibration.groups:
        low, high = g.interval
        ax.plot([g.confidence] * 2, [low, high], color=figures.PALETTE[0], linewidth=2, marker="_", markersize=10)
        ax.plot(g.confidence, g.share, color=figures.PALETTE[0], marker="o", markersize=8)
        beside = (8, 6) if g.share < 10 else (8, -14)  # not across the axis
        ax.annotate(f"{g.right} of {g.count}", (g.confidence, g.share), xytext=beside, textcoords="offset points")
    ax.set(xlim=(least, 108), ylim=(-4, 104))
    ax.set_xlabel("how sure, percent")
    ax.set_ylabel("how often right, percent")
    ax.set_title(what, loc="left")
    figures.show_figure(figure, describe(calibration, what), calibration.table())


def chance_of_right(count: int, probability: float) -> list[float]:
    """Return for 0 to `count` right answers how probable each number is, if each answer is right with `probability`."""
    return [
        math.comb(count, right) * probability**right * (1 - probability) ** (count - right)
        for right in range(count + 1)
    ]
