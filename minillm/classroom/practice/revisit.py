"""From answers to what to read again: a sheet of questions, many answers in one line, and the map back to notebooks."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from minillm.classroom import evidence, forms, quiz
from minillm.classroom.exercises import CORRECT, Result
from minillm.classroom.markup import Columns, escaped, printable, show, table_html, table_text
from minillm.classroom.misconceptions import MISCONCEPTIONS
from minillm.classroom.practice.calibration import Answered
from minillm.errors import ConfigError

SKIP = "-"
ENTRY = re.compile(r"([a-z])[:=@]?(\d+(?:\.\d+)?%?)?")
UNSURE = 60
"""Percent: a right answer of at most so much confidence is worth another look."""


@dataclass(frozen=True)
class Told:
    """What a line of answers came to: the number and result of each that was given."""

    results: tuple[tuple[int, Result], ...]
    count: int

    def __repr__(self) -> str:
        right = sum(result.outcome == CORRECT for _, result in self.results)
        lines = [f"{number}. {result!r}" for number, result in self.results]
        return "\n".join([f"{len(self.results)} of {self.count} answered, {right} right.", *lines])

    def _repr_html_(self) -> str:
        head, *lines = repr(self).splitlines()
        listed = "".join(f"<li>{escaped(line)}</li>" for line in lines)
        return f'<div role="status"><p>{escaped(head)}</p><ul style="list-style: none">{listed}</ul></div>'


@dataclass(frozen=True)
class Sheet:
    """Several quiz questions on one page, numbered; `answer` takes a line such as 'd80 a60 - b95'."""

    keys: tuple[str, ...]
    first: int = 1

    def items(self) -> list[quiz.QuizItem]:
        """Return the questions in order."""
        return [quiz.ask(key) for key in self.keys]

    def answer(self, line: str) -> "Told":
        """Answer all in one line: a letter and a percentage each, '-' for none; what is missing is skipped.

        ConfigError, and nothing recorded, if an entry is none or there are too many.
        """
        told = [
            (number, quiz.answer(key, letter, confidence))
            for number, (key, (letter, confidence)) in enumerate(
                zip(self.keys, read_line(line, len(self.keys)), strict=True), self.first
            )
            if letter is not None
        ]
        return Told(tuple(told), len(self.keys))

    def __repr__(self) -> str:
        listed = [
            "\n".join([f"{number}. {item.question}", *(f"  {k}) {text}" for k, text in item.options.items())])
            for number, item in enumerate(self.items(), self.first)
        ]
        return printable("\n".join([*listed, 'Answer in one line, such as .answer("d80 a60 - b95").']))

    def _ipython_display_(self):
        page = "".join(
            f"<p>{number}. {escaped(item.question)}</p>{forms.options_html(item.options)}"
            for number, item in enumerate(self.items(), self.first)
        )
        show(repr(self), page, self.form)

    def form(self):
        """Build the widget: the form of each question, its number in the name of every field."""
        import ipywidgets as w

        return w.VBox([item.form(number) for number, item in enumerate(self.items(), self.first)])


def read_line(line: object, count: int) -> list[tuple[str | None, float | None]]:
    """Return letter and confidence of each of `count` answers in a line; (None, None) for those not given."""
    if not isinstance(line, str):
        raise ConfigError(f"The answers are {printable(line)!r}.", 'Write them as text, such as "d80 a60 - b95".')
    entries = [entry for entry in re.split(r"[\s,;]+", line.strip().lower()) if entry]
    if len(entries) > count:
        raise ConfigError(f"There are {len(entries)} answers for {count} questions.", f"Write {SKIP} for one you skip.")
    found = []
    for place, entry in enumerate(entries, 1):
        if entry == SKIP:
            found.append((None, None))
            continue
        match = ENTRY.fullmatch(entry)
        if not match or match[1] not in "abcd":
            example = "Write a letter from a to d and a percentage, such as b80, or - to skip it."
            raise ConfigError(f"Answer {place} is {printable(entry)!r}.", example)
        try:
            found.append((match[1], quiz.read_confidence(match[2])))
        except ConfigError as error:
            raise ConfigError(f"Answer {place} is {printable(entry)!r}.", error.remedy) from None
    return found + [(None, None)] * (count - len(found))


def marked(line: str, keys: Sequence[str]) -> list[Answered]:
    """Return the answers of a line, judged but not recorded: for somebody else's answers, or an example's."""
    given = zip(keys, read_line(line, len(keys)), strict=True)
    return [
        Answered(key, letter, confidence, letter == quiz.ask(key).right)
        for key, (letter, confidence) in given
        if letter is not None
    ]


@dataclass(frozen=True)
class Plan:
    """What to read again, the surest mistakes first; then what was right but unsure, then what was not answered."""

    rows: tuple[tuple[str, str, str, str], ...]
    count: int

    def table(self) -> Columns:
        """Return a row for each question worth another look."""
        names = ("question", "why", "read again", "what is so")
        return {name: [row[i] for row in self.rows] for i, name in enumerate(names)}

    def summary(self) -> str:
        """Say how many questions are on the list."""
        if not self.rows:
            return f"All {self.count} right, and sure: nothing to revisit. Come back in a week, and answer again."
        return f"{len(self.rows)} of {self.count} questions to look at again."

    def __repr__(self) -> str:
        return "\n".join([self.summary(), *([table_text(self.table())] if self.rows else [])])

    def _repr_html_(self) -> str:
        return f"<p>{self.summary()}</p>{table_html(self.table(), 'What to revisit') if self.rows else ''}"


def plan(answers: Iterable[Answered], keys: Sequence[str]) -> Plan:
    """Return the plan for these questions; an answer without a confidence counts as sure when it was wrong."""
    by_key = {a.key: a for a in answers}
    wrong = [a for key in keys if (a := by_key.get(key)) and not a.right]
    unsure = [a for key in keys if (a := by_key.get(key)) and a.right and (a.confidence or 100) <= UNSURE]
    wrong.sort(key=lambda a: -(100 if a.confidence is None else a.confidence))
    rows = [_row(a.key, keys, _sure("wrong", a), _instead(a)) for a in wrong]
    rows += [_row(a.key, keys, _sure("right", a), "") for a in unsure]
    rows += [_row(key, keys, "not answered", "") for key in keys if key not in by_key]
    return Plan(tuple(rows), len(keys))


def _row(key: str, keys: Sequence[str], why: str, instead: str) -> tuple[str, str, str, str]:
    item = quiz.ask(key)
    place = f"notebook {item.notebook}" + (f": {item.section}" if item.section else "")
    return f"{list(keys).index(key) + 1} ({key})", why, place, instead


def _sure(outcome: str, answered: Answered) -> str:
    return outcome if answered.confidence is None else f"{outcome}, {answered.confidence:g}% sure"


def _instead(answered: Answered) -> str:
    belief = quiz.ask(answered.key).beliefs.get(answered.letter)
    return MISCONCEPTIONS[belief].instead if belief else quiz.ask(answered.key).explanations[answered.letter]


@dataclass(frozen=True)
class Grounds:
    """What the right options rest on, where a run decides: question, notebook, what was measured and found."""

    columns: Columns

    def __repr__(self) -> str:
        return table_text(self.columns)

    def _repr_html_(self) -> str:
        return table_html(self.columns, "What was measured, over several seeds")


def grounds(keys: Sequence[str]) -> Grounds:
    """Return for each question that a claim decides: its notebook, what was measured, and the values over the seeds.

    A claim that has not been measured on this machine is left out.
    """
    items = [(n, quiz.ask(key)) for n, key in enumerate(keys, 1)]
    recorded = [(n, item) for n, item in items if item.evidence and evidence.path_of(item.evidence).exists()]
    measured = [(n, item, evidence.band(item.evidence)) for n, item in recorded]
    return Grounds(
        {
            "question": [n for n, _, _ in measured],
            "notebook": [item.notebook for _, item, _ in measured],
            "what was measured": [band.sentence for _, _, band in measured],
            "found": [repr(band) for _, _, band in measured],
        }
    )
