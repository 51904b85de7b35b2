"""Numbers as a learner writes them, checked, and intervals of them."""

import math
import re
from dataclasses import dataclass

from minillm.errors import ConfigError

SUFFIXES = {"": 1, "k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
LARGEST = 1e40
"""Beyond any run; products of two such numbers are still finite."""
LARGE = "7e9, 7B or 7000000000, without commas"
WHOLE = "8 or 1024, without commas"
SHARE = "0.38, 38% or 0.3-0.5"
"""How numbers are written, for remedies."""


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


def parse_number(text: str | float, what: str, example: str = LARGE, zero: bool = False) -> float:
    """Return a number above 0, as in '7e9', '7B', '1.5T' or 7e9; raises ConfigError for anything else.

    example: how such a number is written, for the remedy. zero: whether 0 is allowed too.
    """
    written = str(text).strip().lower()
    match = re.fullmatch(r"([+-]?[0-9._]+(?:e[+-]?[0-9]+)?)\s*([kmbgt]?)", written)
    try:
        # nan and inf are numbers, which `positive` refuses; the digits of other scripts are none here
        value = float(match[1]) * SUFFIXES[match[2]] if match else float(written.encode("ascii"))
    except ValueError:
        raise ConfigError(f"{what} is '{text}', which is no number.", f"Write it as {example}.") from None
    if zero and value == 0:
        return 0.0
    if positive(value, what) > LARGEST:
        raise ConfigError(f"{what} is {value:g}, more than anything there is.", "Use a smaller number.")
    return value


def parse_whole(text: str | float, what: str) -> int:
    """Return a whole number above 0, written as for `parse_number`."""
    value = parse_number(text, what, WHOLE)
    if value != int(value):
        raise ConfigError(f"{what} is {value:g}, which is no whole number.", "Use a whole number above 0.")
    return int(value)


def split_ends(text: str | float, what: str, example: str) -> list[str]:
    """Return the one or two numbers of '0.4', '0.3-0.5', '0.3 to 0.5' or '30%-50%' (any dash) as texts."""
    ends = re.split(r"(?<=[0-9.%])\s*(?:[-\u2013\u2014]|to)\s*(?=[0-9.])", str(text).strip())
    if len(ends) > 2:
        raise ConfigError(f"{what} is '{text}', more than two numbers.", f"Write it as {example}.")
    return ends


def parse_interval(text: str | float, what: str, example: str = "0.4 or 0.3-0.5", zero: bool = False) -> Interval:
    """Return an interval: '0.3-0.5', or one number for both ends; `example` and `zero` as for `parse_number`."""
    ends = split_ends(text, what, example)
    low, high = (parse_number(end, what, example, zero) for end in (ends[0], ends[-1]))
    if low > high:
        raise ConfigError(f"{what} is '{text}', from more to less.", "Give the lower number first.")
    return Interval(low, high)


def parse_share(text: str | float, what: str) -> Interval:
    """Return an interval of shares of a whole, above 0 and up to 1: '0.38', '0.3-0.5', in percent '38%', '30-50%'."""
    ends = split_ends(text, what, SHARE)
    if not ends[-1].endswith("%"):
        return check_share(parse_interval(text, what, SHARE), what)
    percent = parse_interval("-".join(end.removesuffix("%") for end in ends), what, SHARE)
    return check_share(Interval(percent.low / 100, percent.high / 100), what)


def check_share(interval: Interval, what: str) -> Interval:
    """Return an interval of shares of a whole, or raise ConfigError."""
    if not 0 < interval.low <= interval.high <= 1:
        raise ConfigError(f"{what} is {interval}.", "Use a share above 0, up to 1, such as 0.4.")
    return interval


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
    size = float(f"{size:.2e}") if size >= 1e6 else size  # 999.9M are 1B
    letter, scale = next(((a, b) for a, b in (("T", 1e12), ("B", 1e9), ("M", 1e6)) if size >= b), ("", 1))
    if size >= 1e15 or 0 < size < 0.001:
        mantissa, exponent = f"{value:.2e}".split("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    else:
        digits = max(0, 2 - math.floor(math.log10(size / scale))) if value else 0
        text = f"{value / scale:,.{digits}f}"
        text = (text.rstrip("0").rstrip(".") if "." in text else text) + letter
    return f"{text} {unit}".rstrip()
