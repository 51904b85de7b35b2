"""The parts of a form: options to read, fields that start empty, and what was typed, refused if nobody chose it.

Every field is a text field. With a radio button, a list or a slider focused, JupyterLab takes keys as commands: the
letter b inserts a cell, and d twice deletes one. In a text field all keys belong to the learner.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import NoReturn

from minillm.classroom.markup import escaped, number, printable
from minillm.errors import ConfigError

BLIND = 25  # percent: a guess among four
THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d*)?")  # as our own texts write them


def options_html(options: Mapping[str, str]) -> str:
    """Return escaped HTML of options by letter, the letters written out."""
    listed = "".join(f"<li>{letter}) {escaped(text)}</li>" for letter, text in options.items())
    return f'<ul style="list-style: none">{listed}</ul>'


def field(description: str, placeholder: str):
    """Return an empty text field; its value arrives in one piece when the learner leaves it."""
    import ipywidgets as w

    return w.Text(
        description=printable(description),
        placeholder=printable(placeholder),
        continuous_update=False,  # else a busy kernel could read the 6 of 65
        layout=w.Layout(width="30em", max_width="100%"),
        style={"description_width": "10em"},
    )


def letter_field(letters: Sequence[str]):
    """Return a field for one of these letters."""
    *others, last = letters
    return field("Your answer", f"{', '.join(others)} or {last}" if others else last)


def number_field(description: str, unit: str, low: float, high: float):
    """Return a field for a number from low to high."""
    return field(description, f"{unit}, {number(low)} to {number(high)}".removeprefix(", "))


def percent_field(low: float, high: float = 100):
    """Return a field for a confidence from low to high percent."""
    return field("Sure, percent", f"{low:g}{' (a blind guess)' if low == BLIND else ''} to {high:g}")


def focus(widget) -> None:
    """Put the keyboard into a field, where the widgets are recent enough to do so; others take no notice."""
    widget.send({"do": "focus"})


def refuse(widget, what: str, remedy: str) -> NoReturn:
    """Raise ConfigError on what stands in a field, and lead the learner back to it."""
    focus(widget)
    typed = widget.value.strip()
    raise ConfigError(f"{what} is {typed!r}." if typed else f"{what} is empty.", remedy)


def read_letter(widget, letters: Sequence[str]) -> str:
    """Return the letter typed, whatever its case; ConfigError if it is none of these."""
    letter = widget.value.strip().lower()
    if letter not in list(letters):
        refuse(widget, "The answer", f"Use one of {', '.join(letters)}.")
    return letter


def read_number(widget, what: str, low: float, high: float, unit: str) -> float:
    """Return the number typed, with or without its unit; ConfigError if it is none from low to high."""
    text = widget.value.strip().removesuffix(unit).strip()
    try:
        value = float(text.replace(",", "") if THOUSANDS.fullmatch(text) else text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        refuse(widget, what, f"Use a number from {number(low)} to {number(high)}.")
    return int(value) if value.is_integer() else value


def read_percent(widget, low: float, high: float = 100) -> float:
    """Return the confidence typed, in percent; ConfigError if it is none from low to high."""
    return read_number(widget, "The confidence", low, high, "%")
