"""Questions with four options, each option explained, whether it is right or tempting."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field

from minillm.classroom import diary, forms, lessons
from minillm.classroom.exercises import CORRECT, NOT_ATTEMPTED, NOT_YET, Result, lookup
from minillm.classroom.markup import escaped, printable, show, status
from minillm.classroom.predictions import plain_number
from minillm.errors import ConfigError


@dataclass(frozen=True)
class QuizItem:
    """One question: options and their explanations by letter, the right letter, where it is taught.

    notebook: its number. section: a heading of that notebook, as it stands there, or nothing. beliefs: for a wrong
    option the key of the common belief that it states (see `misconceptions`). evidence: the claim that decides it.

    Shown in a notebook it is a form; its plain twin is `answer(key, letter)`.
    """

    key: str
    question: str
    options: Mapping[str, str]
    right: str
    explanations: Mapping[str, str]
    notebook: str
    section: str = ""
    beliefs: Mapping[str, str] = field(default_factory=dict)
    evidence: str = ""

    def where(self) -> str:
        """Say where to read about it."""
        written = importlib.util.find_spec(f"{lessons.__name__}.lesson{self.notebook}")
        notebook = f"notebook {self.notebook}" + ("" if written else " (planned)")
        return f"Read '{self.section}' in {notebook}." if self.section else f"{notebook.capitalize()} teaches it."

    def __repr__(self) -> str:
        listed = "\n".join(f"  {letter}) {text}" for letter, text in self.options.items())
        return printable(f'{self.question}\n{listed}\nAnswer with quiz.answer("{self.key}", "letter").')

    def _ipython_display_(self):
        show(repr(self), f"<p>{escaped(self.question)}</p>{forms.options_html(self.options)}", self.form)

    def form(self, number: int | None = None):
        """Build the widget: question, options, fields for a letter and a confidence, a button, what it says.

        number: which question of a sheet it is, read out with each field.
        """
        import ipywidgets as w

        which = "" if number is None else f" {number}"
        asked = f"{number}. {self.question}" if number else self.question
        prompt = w.HTML(f"<p><strong>{escaped(asked)}</strong></p>{forms.options_html(self.options)}")
        chosen, sure = forms.letter_field(list(self.options)), forms.percent_field(forms.BLIND)
        chosen.description, sure.description = chosen.description + which, sure.description + which
        button, told = w.Button(description=f"Check answer{which}"), w.HTML(status("Not answered yet."))

        def give(_):
            try:
                letter = forms.read_letter(chosen, list(self.options))
                result = answer(self.key, letter, forms.read_percent(sure, forms.BLIND))
            except ConfigError as error:
                told.value = status(str(error))
                return
            told.value = status(f"Your answer {letter}: {result!r}")
            if result.outcome != CORRECT:
                chosen.value = ""
                forms.focus(chosen)

        button.on_click(give)
        return w.VBox([prompt, chosen, sure, button, told])


def ask(key: str) -> QuizItem:
    """Return the question of that key, which a notebook shows as a form."""
    return lookup(key, "QUIZ", "quiz question")


def answer(key: str, letter: str | None = None, confidence: float | None = None) -> Result:
    """Answer a question by letter and learn why that option is right or tempting; None counts as not attempted.

    confidence: in percent, from a blind guess (25) to 100, or None. Nothing is recorded of an answer that is none.
    """
    item = ask(key)
    if letter is None or letter is ...:
        diary.note("quiz", key, skipped=True)
        return Result(NOT_ATTEMPTED, "Choose one of the options.")
    letter = str(letter).strip().lower()
    if letter not in item.options:
        return Result(NOT_ATTEMPTED, f"That is none of the options: use one of {', '.join(item.options)}.")
    try:
        confidence = read_confidence(confidence)
    except ConfigError as error:
        return Result(NOT_ATTEMPTED, f"{error.cause} {error.remedy}")
    right = letter == item.right
    diary.note("quiz", key, value=letter, confidence=confidence, hit=right)
    where = "" if right else f" {item.where()}"
    return Result(CORRECT if right else NOT_YET, item.explanations[letter] + where)


def read_confidence(confidence: object) -> float | None:
    """Return a confidence in percent, given as a number or as text such as '80%'; ConfigError if it is none."""
    if confidence is None or confidence is ...:
        return None
    value = plain_number(confidence)
    if isinstance(value, str):
        try:
            value = float(value.strip().removesuffix("%"))
        except ValueError:
            value = None
    if isinstance(value, bool) or not isinstance(value, int | float) or not forms.BLIND <= value <= 100:
        raise ConfigError(
            f"The confidence is {printable(confidence)!r}.",
            f"Use a number from {forms.BLIND} (a blind guess) to 100, in percent.",
        )
    return int(value) if float(value).is_integer() else value
