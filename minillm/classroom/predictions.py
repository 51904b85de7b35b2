"""Predict before running: a number, a choice or a curve with a confidence, shown beside the outcome afterwards.

Each function returns a prediction. Without a value it shows a form; left alone, the prediction counts as skipped,
which is recorded and never an error, so a notebook runs from top to bottom with no one at the keyboard.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from minillm.classroom import diary
from minillm.classroom.markup import escaped, number, printable, show, status
from minillm.errors import ConfigError

SKIPPED = "No prediction: skipped."


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
        sure = "" if self.confidence is None else f" ({self.confidence:g}% sure)"
        return Reveal(f"You predicted {self.shown(self.value)}{sure}. {told} {comment}", hit)

    def __repr__(self) -> str:
        state = f"predicted: {self.shown(self.value)}" if not self.skipped else f"skipped so far; {self.how()}"
        return printable(f"{self.question}\n{state}")

    def _ipython_display_(self):
        text = repr(self)
        show(text, f"<p>{escaped(self.question)}</p><p>{escaped(text.splitlines()[-1])}</p>", self.form)

    def form(self):
        """Build the widget: the question, its fields, a confidence, and a button that commits."""
        import ipywidgets as w

        prompt = w.HTML(f"<p><strong>Predict first.</strong> {escaped(self.question)}</p>")
        fields, read = self.fields(w)
        layout = w.Layout(width="30em")
        style = {"description_width": "10em"}
        sure = w.IntSlider(value=50, min=0, max=100, step=5, description="Sure, percent", layout=layout, style=style)
        button = w.Button(description="Commit prediction")
        told = w.HTML(status("Not committed yet; you may skip this."))

        def commit(_):
            try:
                self.commit(read(), sure.value)
                told.value = status(f"Committed: {self.shown(self.value)}, {sure.value}% sure. Now run the next cell.")
            except ConfigError as error:
                told.value = status(str(error))

        button.on_click(commit)
        return w.VBox([prompt, *fields, sure, button, told])


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

    def fields(self, w):
        """Return the widgets and a function that reads them."""
        middle = (self.low + self.high) / 2
        style = {"description_width": "10em"}
        field = w.BoundedFloatText(
            value=middle,
            min=self.low,
            max=self.high,
            step=(self.high - self.low) / 100,
            description=self.unit[:1].upper() + self.unit[1:],
            style=style,
        )
        note = f"From {number(self.low)} to {number(self.high)}. You are right within {self.shown(self.within)}."
        return [w.HTML(f"<p>{escaped(note)}</p>"), field], lambda: field.value


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
        if value not in self.options:
            raise ConfigError(f"The prediction is {value!r}.", f"Use one of {', '.join(self.options)}.")
        return value

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

    def fields(self, w):
        """Return the widgets and a function that reads them."""
        labels = [(f"{letter}: {printable(text)}", letter) for letter, text in self.options.items()]
        layout = w.Layout(width="auto")
        radio = w.RadioButtons(options=labels, value=None, description="Your choice", layout=layout)
        return [radio], lambda: radio.value


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
        value = value.values() if isinstance(value, Mapping) else value
        values = [value] if isinstance(value, int | float) else list(value)
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

    def fields(self, w):
        """Return the widgets and a function that reads them."""
        middle = (self.low + self.high) / 2
        step = (self.high - self.low) / 100
        style = {"description_width": "10em"}
        rows = [
            w.BoundedFloatText(
                value=middle,
                min=self.low,
                max=self.high,
                step=step,
                description=f"at {number(x)}",
                style=style,
            )
            for x in self.points
        ]
        return rows, lambda: [row.value for row in rows]


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
