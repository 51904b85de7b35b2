"""Practice questions answered in one's own words: a claim, a number, ideas seen or not seen, the model answer.

Free text is never scored. Rules look for each idea and say "seen" or "not seen"; then the model answer stands beside
the learner's sentence, and the learner judges.
"""

import importlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from minillm.classroom import diary, evidence, forms
from minillm.classroom.exercises import lookup
from minillm.classroom.markup import escaped, number, paragraphs, printable, show, status
from minillm.classroom.practice import language
from minillm.classroom.predictions import plain_number
from minillm.errors import ConfigError

SEEN, NOT_SEEN = "seen", "not seen"
LONGEST = 2000
"""Characters of an answer that are read: about a page."""
NO_SCORE = "This is no score. Simple rules looked, and they miss much: compare with the model answer yourself."
DOUBLE = ("not ~2 (true|case|right|mean|possible|think|believe) ~6 not", "not ~6 not ~2 (label|task)", "not not")
"""A negation denied."""


@dataclass(frozen=True)
class Concept:
    """One idea of an answer, and the rules that see it (written as `language.pattern` reads them).

    patterns: one of them must be found in a clause that no negation reaches. denials: rules that hold their own
    negation, such as "no label". unless: a clause with one of these counts for nothing. never: with one of these
    anywhere the idea is not seen.
    """

    name: str
    patterns: tuple[str, ...] = ()
    denials: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    never: tuple[str, ...] = ()

    def seen(self, text: str, harmless: Sequence[str] = ()) -> bool:
        """Tell whether a clause states the idea; harmless: negations that deny nothing else."""
        clauses = language.clauses(text)
        for row in (*clauses, *language.wholes(text)):
            if not denied(row, harmless) and found(self.never, without(harmless, row)):
                return False
        return any(self._stated(row, harmless) for row in clauses)

    def _stated(self, text: str, harmless: Sequence[str]) -> bool:
        if found(self.unless, text):
            return False
        if found(self.denials, text) and not found(DOUBLE, text):
            return True
        return not denied(text, harmless) and found(self.patterns, text)


def found(rules: Sequence[str], text: str) -> bool:
    """Tell whether one of the rules is found in a clause, as it is or without what stands between two commas."""
    variants = {text, re.sub(r" ,[^,]*, ", " ", text)}
    return any(language.pattern(rule).search(variant) for rule in rules for variant in variants)


def denied(text: str, harmless: Sequence[str]) -> bool:
    """Tell whether a negation is left in a clause once the harmless ones are taken out."""
    return language.NOT in without((*language.BENIGN, *harmless), text).split()


def without(rules: Sequence[str], text: str) -> str:
    """Return a clause without what the rules find in it."""
    for rule in rules:
        text = language.pattern(rule).sub("", text)
    return text


@dataclass(frozen=True)
class OwnNumber:
    """A number that the learner's own run gave: the claim whose runs gave it here, and what is added to its value."""

    question: str
    unit: str
    claim: str
    added: float = 0.0
    notebook: str = ""

    def expected(self) -> tuple[float, float]:
        """Return the least and the greatest value over the recorded runs."""
        band = evidence.band(self.claim)
        return band.low + self.added, band.high + self.added

    def stated(self) -> tuple[float, float]:
        """Return the band in which the claim says that a run lies."""
        low, high = evidence.load(self.claim)["band"]
        return low + self.added, high + self.added

    def beside(self, value: float) -> str:
        """Put a learner's number beside those of the recorded runs."""
        (low, high), (least, most) = self.expected(), self.stated()
        ours = f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
        told = f"Your number: {number(value)} {self.unit}. Recorded runs: {ours}."
        if least <= value <= most:
            return f"{told} Yours is of that kind."
        return f"{told} Yours lies outside {least:.2f} to {most:.2f}: look it up in notebook {self.notebook}."


@dataclass(frozen=True)
class PracticeQuestion:
    """A question in four steps: choose a claim, give a number of your own run, write a sentence, compare.

    Shown in a notebook it is a form; its plain twin is `respond(key, text, claim=, number=)`.
    """

    key: str
    question: str
    claim: str
    options: Mapping[str, str]
    right: str
    explanations: Mapping[str, str]
    own: OwnNumber
    concepts: tuple[Concept, ...]
    model_answer: str

    def __repr__(self) -> str:
        listed = "\n".join(f"  {letter}) {text}" for letter, text in self.options.items())
        call = f'free_text.respond("{self.key}", "your sentence", claim="letter", number=...)'
        lines = (f"1. {self.claim}", listed, f"2. {self.own.question}", f"3. {self.question}", f"Answer with {call}.")
        return printable("\n".join(lines))

    def _ipython_display_(self):
        page = (
            f"<p>1. {escaped(self.claim)}</p>{forms.options_html(self.options)}"
            f"<p>2. {escaped(self.own.question)}</p><p>3. <strong>{escaped(self.question)}</strong></p>"
        )
        show(repr(self), page, self.form)

    def form(self):
        """Build the widget: a letter, a number, a text area, a button, and what the rules saw."""
        import ipywidgets as w

        letters, which = list(self.options), self.number()
        claim = forms.letter_field(letters)
        claim.description = f"Claim {which}"
        value = forms.field(f"Your number {which}", f"{self.own.unit}; may stay empty")
        text = w.Textarea(
            description=f"Your sentence {which}",
            placeholder="One to three sentences, in English",
            continuous_update=False,
            layout=w.Layout(width="45em", max_width="100%", height="6em"),
            style={"description_width": "10em"},
        )
        button, told = (
            w.Button(description=f"Compare {which}"),
            w.HTML(status("Nothing compared yet; you may skip this.")),
        )

        def compare(_):
            try:
                letter = forms.read_letter(claim, letters) if claim.value.strip() else None
                told.value = respond(self.key, text.value, claim=letter, number=value.value or None)._repr_html_()
            except ConfigError as error:
                told.value = status(str(error))

        button.on_click(compare)
        parts = [
            w.HTML(f"<p>1. {escaped(self.claim)}</p>{forms.options_html(self.options)}"),
            claim,
            w.HTML(f"<p>2. {escaped(self.own.question)}</p>"),
            value,
            w.HTML(f"<p>3. <strong>{escaped(self.question)}</strong></p>"),
            text,
        ]
        return w.VBox([*parts, button, told])

    def number(self) -> int:
        """Return its place among the practice questions of its lesson, which every field is named by."""
        asked = importlib.import_module(f"minillm.classroom.lessons.lesson{self.key[:2]}").PRACTICE
        return 1 + [question.key for question in asked].index(self.key)

    def coverage(self, text: object) -> dict[str, bool]:
        """Return for each concept whether the rules see it in a text."""
        read = str(text)[:LONGEST]
        harmless = [rule for concept in self.concepts for rule in concept.denials]
        return {concept.name: concept.seen(read, harmless) for concept in self.concepts}


@dataclass(frozen=True)
class Response:
    """What came of an answer: the claim, the number, each idea seen or not, the model answer; nothing if it was empty.

    seen is empty when there was no text to read.
    """

    claim: str
    number: str
    seen: Mapping[str, bool]
    comment: str
    model_answer: str

    def lines(self) -> list[str]:
        """Return the parts, a line each."""
        if not (self.claim or self.number or self.comment or self.seen):
            return ["Not attempted. Write a sentence, and the model answer appears beside it."]
        ideas = [f"{SEEN if seen else NOT_SEEN}: {name}" for name, seen in self.seen.items()]
        model = [f"Model answer: {self.model_answer}"] if self.seen else []
        return [*filter(None, [self.claim, self.number, self.comment]), *ideas, *([NO_SCORE] if ideas else []), *model]

    def __repr__(self) -> str:
        return printable("\n".join(self.lines()))

    def _repr_html_(self) -> str:
        return f'<div role="status">{paragraphs(repr(self))}</div>'


def ask(key: str) -> PracticeQuestion:
    """Return the practice question of that key, which a notebook shows as a form."""
    try:
        return lookup(key, "PRACTICE", "practice question")
    except AttributeError:  # a lesson without any
        raise ConfigError(f"There is no practice question '{printable(key)}'.", "They begin with 10.") from None


def respond(key: str, text: object = None, *, claim: str | None = None, number: object = None) -> Response:
    """Answer a practice question in words, with a claim's letter and a number if you like; nothing is scored.

    Whatever is left out (None, ... or empty) is skipped. ConfigError if the letter is none of the options, or the
    number none.
    """
    question = ask(key)
    text = "" if text is None or text is ... else str(text).strip()
    claim = None if claim is None or claim is ... else str(claim).strip().lower()
    if claim is not None and claim not in question.options:
        raise ConfigError(f"The claim is {printable(claim)!r}.", f"Use one of {', '.join(question.options)}, or None.")
    value = None if number is None or number is ... else _number(number, question.own.unit)
    told = "" if claim is None else f"Claim {claim}: {question.explanations[claim]}"
    beside = "" if value is None else question.own.beside(value)
    seen = question.coverage(text) if text else {}
    diary.note("practice", key, skipped=not (text or told or beside), claim=claim, number=value, text=text, seen=seen)
    return Response(told, beside, seen, comment(text), question.model_answer)


def model_answer(key: str) -> str:
    """Return the model answer of a practice question."""
    return ask(key).model_answer


def comment(text: str) -> str:
    """Say why the rules can see nothing in a text, if there is a plain reason."""
    if not text:
        return ""
    if len(text) > LONGEST:
        return f"Only the first {LONGEST:,} characters were read."
    return language.obstacle(text)


def _number(value: object, unit: str) -> float:
    value = plain_number(value)
    if isinstance(value, str):
        typed = value.strip().removesuffix(unit).strip()
        try:
            value = float(typed.replace(",", "") if forms.THOUSANDS.fullmatch(typed) else typed)
        except ValueError:
            raise ConfigError(f"The number is {printable(typed)!r}.", f"Use a number, in {unit}.") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigError(f"The number is {printable(value)!r}.", f"Use a number, in {unit}.")
    return value
