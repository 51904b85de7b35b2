"""Numbers as a learner writes them, checked, and intervals of them."""

import math
import re
from dataclasses import dataclass

from minillm.errors import ConfigError

SUFFIXES = {"": 1, "k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
LARGEST = 1e40
"""Beyond any run; products of two such numbers are still finite."""


@dataclass(frozen=True)
class Interval:
    """All values from `low` to `high`; one number where both are the same."""

    low: float
    high: float

    def __post_init__(self):
        if not 0 <= self.low <= self.high < math.inf:
            raise ConfigError(f"{self.low} to {self.high} is no interval.", "Use finite numbers, the lower one first.")

    def __mul__(self, other: "Interval | float") -> "Interval":
        """Multiply by a number or an interval: the least by the least, the most by the most."""
        low, high = (other.low, other.high) if isinstance(other, Interval) else (other, other)
        return Interval(self.low * low, self.high * high)

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    @property
    def width(self) -> float:
        """How many times the lower end goes into the upper."""
        return self.high / self.low

    @property
    def middle(self) -> float:
        """The value as many times above the lower end as below the upper (geometric mean)."""
        return math.sqrt(self.low * self.high)

    def divides(self, value: float) -> "Interval":
        """Return `value` divided by each number of the interval."""
        return Interval(value / self.high, value / self.low)

    def as_dict(self) -> dict[str, float]:
        """Return it as JSON has it."""
        return {"low": self.low, "high": self.high}

    def __str__(self) -> str:
        return short(self.low) if self.low == self.high else f"{short(self.low)} to {short(self.high)}"


def parse_number(text: str | float, what: str) -> float:
    """Return a number above 0, as in '7e9', '7B', '1.5T' or 7e9; raises ConfigError for anything else."""
    match = re.fullmatch(r"([+-]?[\d._]+(?:e[+-]?\d+)?)\s*([kmbgt]?)", str(text).strip().lower())
    try:
        value = float(match[1]) * SUFFIXES[match[2]] if match else float(text)
    except (ValueError, TypeError):
        raise ConfigError(f"{what} is '{text}', which is no number.", "Write it as 7e9, 7B or 7000000000.") from None
    if positive(value, what) > LARGEST:
        raise ConfigError(f"{what} is {value:g}, more than anything there is.", "Use a smaller number.")
    return value


def parse_whole(text: str | float, what: str) -> int:
    """Return a whole number above 0, written as for `parse_number`."""
    value = parse_number(text, what)
    if value != int(value):
        raise ConfigError(f"{what} is {value:g}, which is no whole number.", "Use a whole number above 0.")
    return int(value)


def parse_interval(text: str | float, what: str) -> Interval:
    """Return an interval: '0.3-0.5', or one number for both ends."""
    ends = re.split(r"(?<=[\d.])\s*-\s*(?=[\d.])", str(text).strip())
    if len(ends) > 2:
        raise ConfigError(f"{what} is '{text}'.", "Write one number, or two as in 0.3-0.5.")
    low, high = parse_number(ends[0], what), parse_number(ends[-1], what)
    if low > high:
        raise ConfigError(f"{what} is '{text}', from more to less.", "Give the lower number first.")
    return Interval(low, high)


def positive(value: float, what: str) -> float:
    """Return a finite number above 0, or raise ConfigError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{what} is {value!r}, which is no number.", "Use a number above 0.")
    if not (value > 0 and math.isfinite(value)):
        raise ConfigError(f"{what} is {value:g}.", "Use a finite number above 0.")
    return value


def short(value: float, unit: str = "") -> str:
    """Return a number for a table, in three digits: 0.123, 45.6, 1,230, 30.8M, 7B, 15.6T, 3.94e25."""
    size = abs(value)
    letter, scale = next(((a, b) for a, b in (("T", 1e12), ("B", 1e9), ("M", 1e6)) if size >= b), ("", 1))
    if size >= 1e15 or 0 < size < 0.001:
        mantissa, exponent = f"{value:.2e}".split("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    else:
        digits = max(0, 2 - math.floor(math.log10(size / scale))) if value else 0
        text = f"{value / scale:,.{digits}f}"
        text = (text.rstrip("0").rstrip(".") if "." in text else text) + letter
    return f"{text} {unit}".rstrip()
