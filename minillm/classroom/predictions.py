"""Predict before running: a number, a choice or a curve with a confidence, shown beside the outcome afterwards.

Each function returns a prediction. Without a value it shows a form; left alone, the prediction counts as skipped,
which is recorded and never an error, so a notebook runs from top to bottom with no one at the keyboard.
"""

import contextlib
import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from minillm.classroom import diary, forms
from minillm.classroom.markup import escaped, number, printable, show, status
from minillm.errors import ConfigError

SKIPPED = "No prediction: skipped."

_committed: dict[str, tuple[object, float]] = {}  # by key, from the forms of this session


def plain_number(value: object) -> object:
    """Return a number of any kind, or an array or tensor of one, as Python's own; anything else as it is."""
    if hasattr(value, "item"):
        try:
            value = value.item()
        except (ValueError, RuntimeError):  # an array of several
            return value
    if isinstance(value, numbers.Real) and not isinstance(value, bool | int | float):
        return float(value)
    return value


@dataclass(frozen=True)
class Reveal:
    """A prediction beside its outcome: the sentence, and whether it came true (None: skipped)."""

    text: str
    hit: bool | None

    def __repr__(self) -> str:
        return self.text


class Prediction:
    """What a learner expects, with a confidence from 0 to 100; `value` is None until it is committed."""

    def __init__(self, key: str, question: str, value: object = None, confidence: float | None = None):
        self.key, self.question = key, question
        self.value, self.confidence = None, None
        if value is not None:
            self.commit(value, confidence)
        elif key in _committed:  # its cell is run again
            with contextlib.suppress(ConfigError):  # and may ask something else by now
                self.commit(*_committed[key])

    @property
    def skipped(self) -> bool:
        """Tell whether nothing has been committed."""
        return self.value is None

    def commit(self, value: object, confidence: float | None = None) -> None:
        """Set the prediction; ConfigError if the value is none of those possible."""
        if confidence is not None and not 0 <= confidence <= 100:
            raise ConfigError(f"The confidence is {confidence}.", "Use 0 to 100, in percent.")
        self.value, self.confidence = self.checked(value), confidence

    def reveal(self, outcome: object) -> Reveal:
        """Compare with the outcome and note both in the learner's diary."""
        told = f"It came out as {self.shown(outcome)}."
        if self.skipped:
            diary.note("prediction", self.key, skipped=True, outcome=outcome)
            return Reveal(f"{SKIPPED} {told}", None)
        hit, comment = self.judge(outcome)
        diary.note("prediction", self.key, value=self.value, confidence=self.confidence, outcome=outcome, hit=hit)
        sure = f" ({self.sure()})" if self.sure() else ""
        return Reveal(f"You predicted {self.shown(self.value)}{sure}. {told} {comment}", hit)

    def sure(self) -> str:
        """Say the confidence, if there is one."""
        return "" if self.confidence is None else f"{self.confidence:g}% sure"

    def __repr__(self) -> str:
        state = f"predicted: {self.shown(self.value)}" if not self.skipped else f"skipped so far; {self.how()}"
        return printable(f"{self.question}\n{state}")

    def _ipython_display_(self):
        text = repr(self)
        show(text, f"<p>{escaped(self.question)}</p><p>{escaped(text.splitlines()[-1])}</p>", self.form)

    def form(self):
        """Build the widget: the question, its fields, a confidence, and a button that commits."""
        import ipywidgets as w

        prompt = w.HTML(f"<p><strong>Predict first.</strong> {escaped(self.question)}</p>{self.note()}")
        fields, sure = self.fields(), forms.percent_field(0)
        button, told = w.Button(description="Commit prediction"), w.HTML(status(self.state()))

        def commit(_):
            try:
                self.commit(self.read(fields), forms.read_percent(sure, 0))
            except ConfigError as error:
                told.value = status(str(error))
                return
            _committed[self.key] = (self.value, self.confidence)
            told.value = status(self.state())

        button.on_click(commit)
        return w.VBox([prompt, *fields, sure, button, told])

    def state(self) -> str:
        """Say whether it is committed, and what to do next."""
        if self.skipped:
            return "Not committed yet; you may skip this."
        return f"Committed: {', '.join(filter(None, [self.shown(self.value), self.sure()]))}. Now run the cells below."


class NumberPrediction(Prediction):
    """A number between two bounds; it comes true within `within` of the outcome."""

    def __init__(self, key, question, unit, low, high, within, value, confidence):
        self.unit, self.low, self.high = unit, low, high
        self.within = (high - low) / 10 if within is None else within
        super().__init__(key, question, value, confidence)

    def how(self) -> str:
        """Say how to predict without the form."""
        return f"give value={number(self.low)} to {number(self.high)} and confidence=0 to 100"

    def checked(self, value: object) -> float:
        """Return the value if it is a number within the bounds."""
        value = plain_number(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            raise ConfigError(f"The prediction is {value!r}.", f"Use a number from {self.low:g} to {self.high:g}.")
        return value

    def shown(self, value: object) -> str:
        """Return the value with its unit."""
        return f"{number(value)} {self.unit}".strip()

    def judge(self, outcome: float) -> tuple[bool, str]:
        """Tell whether it came true, and by how much not."""
        off = self.value - outcome
        if abs(off) <= self.within:
            return True, f"Within {self.shown(self.within)}: well predicted."
        return False, f"You were {self.shown(abs(off))} too {'high' if off > 0 else 'low'}."

    def draw(self, axes, color: str = "#D55E00") -> None:
        """Draw the prediction into a figure as a labelled level; nothing if it was skipped."""
        if not self.skipped:
            axes.axhline(self.value, color=color, linestyle=":")
            label = f"you: {self.shown(self.value)}"
            axes.text(0.01, self.value, label, color=color, va="bottom", transform=axes.get_yaxis_transform())

    def note(self) -> str:
        """Return HTML on when it comes true."""
        right = f"You are right within {self.shown(self.within)}." if self.within else "It must be exact."
        return f"<p>{escaped(f'From {number(self.low)} to {number(self.high)}. {right}')}</p>"

    def fields(self) -> list:
        """Return the field of the number."""
        name = self.unit[:1].upper() + self.unit[1:] or "Your answer"
        return [forms.number_field(name, self.unit, self.low, self.high)]

    def read(self, fields: Sequence) -> float:
        """Return the number typed."""
        return forms.read_number(fields[0], "The prediction", self.low, self.high, self.unit)


class ChoicePrediction(Prediction):
    """One of several options, named by letter."""

    def __init__(self, key, question, options, value, confidence):
        self.options = dict(options)
        super().__init__(key, question, value, confidence)

    def how(self) -> str:
        """Say how to predict without the form."""
        listed = "; ".join(f"{letter}: {text}" for letter, text in self.options.items())
        return f"give value=one letter of {listed}"

    def checked(self, value: object) -> str:
        """Return the value if it is one of the letters."""
        letter = str(value).strip().lower()
        if letter not in self.options:
            raise ConfigError(f"The prediction is {value!r}.", f"Use one of {', '.join(self.options)}.")
        return letter

    def shown(self, value: object) -> str:
        """Return the letter with its text."""
        return printable(f"{value} ({self.options[value]})") if value in self.options else number(value)

    def judge(self, outcome: str) -> tuple[bool, str]:
        """Tell whether it came true."""
        hit = self.value == outcome
        return hit, "Well predicted." if hit else "It came out otherwise: worth a second look."

    def draw(self, axes, color: str = "#D55E00") -> None:
        """Write the prediction into a corner of a figure; nothing if it was skipped."""
        if not self.skipped:
            label = f"you: {self.shown(self.value)}"
            axes.text(0.99, 0.98, label, color=color, ha="right", va="top", transform=axes.transAxes)

    def note(self) -> str:
        """Return HTML of the options."""
        return forms.options_html(self.options)

    def fields(self) -> list:
        """Return the field of the letter."""
        return [forms.letter_field(list(self.options))]

    def read(self, fields: Sequence) -> str:
        """Return the letter typed."""
        return forms.read_letter(fields[0], list(self.options))


class CurvePrediction(Prediction):
    """A value at each of a few points; it comes true if their mean distance is within `within`."""

    def __init__(self, key, question, points, unit, low, high, within, value, confidence):
        self.points, self.unit, self.low, self.high = tuple(points), unit, low, high
        self.within = (high - low) / 10 if within is None else within
        super().__init__(key, question, value, confidence)

    def how(self) -> str:
        """Say how to predict without the form."""
        places = ", ".join(number(x) for x in self.points)
        return f"give value=[...] with a number from {number(self.low)} to {number(self.high)} for each of {places}"

    def checked(self, value: Sequence[float] | Mapping) -> list[float]:
        """Return the values if there is one number within the bounds for each point."""
        value = plain_number(value.values() if isinstance(value, Mapping) else value)
        values = [value] if isinstance(value, int | float) else [plain_number(v) for v in value]
        numbers = all(isinstance(v, int | float) and self.low <= v <= self.high for v in values)
        if len(values) != len(self.points) or not numbers:
            raise ConfigError(f"The prediction is {values}.", f"Use {len(self.points)} numbers: {self.how()}.")
        return values

    def shown(self, value: Sequence[float]) -> str:
        """Return the values, one for each point."""
        return f"{', '.join(number(v) for v in value)} {self.unit}".strip()

    def judge(self, outcome: Sequence[float]) -> tuple[bool, str]:
        """Tell whether it came true, by the mean distance."""
        off = math.fsum(abs(v - o) for v, o in zip(self.value, outcome, strict=True)) / len(self.points)
        return off <= self.within, f"On average you were {number(off)} {self.unit} away."

    def draw(self, axes, color: str = "#D55E00") -> None:
        """Draw the predicted points into a figure, labelled at the last; nothing if it was skipped."""
        if not self.skipped:
            axes.plot(self.points, self.value, color=color, linestyle=":", marker="x")
            axes.annotate(
                "you",
                (self.points[-1], self.value[-1]),
                color=color,
                xytext=(4, 0),
                textcoords="offset points",
            )

    def note(self) -> str:
        """Return HTML on when it comes true."""
        right = f"within {number(self.within)} {self.unit} on average" if self.within else "exact at every point"
        return f"<p>{escaped(f'You are right if you are {right}.')}</p>"

    def fields(self) -> list:
        """Return a field for each point."""
        return [forms.number_field(f"at {number(x)}", self.unit, self.low, self.high) for x in self.points]

    def read(self, fields: Sequence) -> list[float]:
        """Return the numbers typed."""
        places = zip(self.points, fields, strict=True)
        what = "The prediction at {}".format
        return [forms.read_number(field, what(number(x)), self.low, self.high, self.unit) for x, field in places]


def predict_number(
    key: str,
    question: str,
    unit: str,
    low: float,
    high: float,
    *,
    within: float | None = None,
    value: float | None = None,
    confidence: float | None = None,
) -> NumberPrediction:
    """Ask for a number from low to high; it comes true within `within` (a tenth of the range) of the outcome."""
    return NumberPrediction(key, question, unit, low, high, within, value, confidence)


def predict_choice(
    key: str,
    question: str,
    options: Mapping[str, str],
    *,
    value: str | None = None,
    confidence: float | None = None,
) -> ChoicePrediction:
    """Ask for one of several options, a letter each: {"a": "rises", "b": "falls"}."""
    return ChoicePrediction(key, question, options, value, confidence)


def predict_curve(
    key: str,
    question: str,
    points: Sequence[float],
    unit: str,
    low: float,
    high: float,
    *,
    within: float | None = None,
    value: Sequence[float] | None = None,
    confidence: float | None = None,
) -> CurvePrediction:
    """Ask for a number at each of a few points, such as the loss after 10, 100 and 1,000 steps."""
    return CurvePrediction(key, question, points, unit, low, high, within, value, confidence)
