"""Questions with four options, each option explained, whether it is right or tempting."""

from collections.abc import Mapping
from dataclasses import dataclass

from minillm.classroom import diary
from minillm.classroom.exercises import CORRECT, NOT_ATTEMPTED, NOT_YET, Result, lookup
from minillm.classroom.markup import escaped, printable, show, status
from minillm.errors import ConfigError


@dataclass(frozen=True)
class QuizItem:
    """One question: options and their explanations by letter, the right letter, the notebook that teaches it.

    Shown in a notebook it is a form; its plain twin is `answer(key, letter)`.
    """

    key: str
    question: str
    options: Mapping[str, str]
    right: str
    explanations: Mapping[str, str]
    notebook: str

    def __repr__(self) -> str:
        listed = "\n".join(f"  {letter}) {text}" for letter, text in self.options.items())
        return printable(f'{self.question}\n{listed}\nAnswer with quiz.answer("{self.key}", "letter").')

    def _ipython_display_(self):
        listed = "".join(f"<li>{letter}) {escaped(text)}</li>" for letter, text in self.options.items())
        html = f'<p>{escaped(self.question)}</p><ul style="list-style: none">{listed}</ul>'
        show(repr(self), html, self.form)

    def form(self):
        """Build the widget: question, options, a confidence, a button, and the explanation it gives."""
        import ipywidgets as w

        prompt = w.HTML(f"<p><strong>{escaped(self.question)}</strong></p>")
        labels = [(f"{letter}) {printable(text)}", letter) for letter, text in self.options.items()]
        radio = w.RadioButtons(options=labels, value=None, description="Answer", layout=w.Layout(width="auto"))
        sure = w.IntSlider(
            value=50,
            min=25,
            max=100,
            step=5,
            description="Sure, percent",
            layout=w.Layout(width="30em"),
            style={"description_width": "8em"},
        )
        button, told = w.Button(description="Check answer"), w.HTML(status("Not answered yet."))

        def give(_):
            told.value = status(repr(answer(self.key, radio.value, sure.value)))

        button.on_click(give)
        return w.VBox([prompt, radio, sure, button, told])


def ask(key: str) -> QuizItem:
    """Return the question of that key, which a notebook shows as a form."""
    return lookup(key, "QUIZ", "quiz question")


def answer(key: str, letter: str | None = None, confidence: float | None = None) -> Result:
    """Answer a question by letter and learn why that option is right or tempting; None counts as not attempted."""
    item = ask(key)
    if letter is None or letter is ...:
        diary.note("quiz", key, skipped=True)
        return Result(NOT_ATTEMPTED, "Choose one of the options.")
    if letter not in item.options:
        raise ConfigError(f"{letter!r} is none of the options.", f"Use one of {', '.join(item.options)}.")
    right = letter == item.right
    diary.note("quiz", key, value=letter, confidence=confidence, hit=right)
    where = "" if right else f" Notebook {item.notebook} teaches it."
    return Result(CORRECT if right else NOT_YET, item.explanations[letter] + where)
