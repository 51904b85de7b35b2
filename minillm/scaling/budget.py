"""A budget beyond the course's sizes: what a published law makes of FLOPs, or of dollars on an accelerator.

The law is Besiroglu et al.'s 2024 refit of Hoffmann et al.'s runs. Numpy alone.
"""

import math
from dataclasses import dataclass

from minillm.cost.bill import find_accelerator, peak_flops, price_in
from minillm.cost.numbers import Interval, positive
from minillm.cost.utilisation import Job, utilisation_interval
from minillm.errors import ConfigError
from minillm.facts import Accelerator, find, scaling_laws
from minillm.scaling.published import besiroglu

MEASURED_FLOPS = Interval(6e18, 3e21)
"""Budgets of the runs behind the law (Hoffmann et al. 2022, section 3.2)."""
MEASURED_TEXT = "MassiveText (web, books, news, code), in tokens of its own vocabulary"
EXPONENT_ERROR = 0.02
"""Standard error of the exponent of N with the budget, as the table of facts has it; a test holds it to that."""
EIGHTY_PERCENT = 1.2816
"""Standard errors either way that hold 80%."""


@dataclass(frozen=True)
class Split:
    """The best model and tokens for a budget, by a published law, as intervals."""

    flops: Interval
    parameters: Interval
    tokens: Interval
    tokens_per_parameter: Interval
    beyond: float
    """How many times the budget lies outside those of the law's own runs; 1 inside."""
    law: str
    text: str
    source: str


@dataclass(frozen=True)
class Rent:
    """What dollars buy on an accelerator."""

    dollars: float
    accelerator: Accelerator
    price_usd_per_hour: Interval
    price_note: str
    accelerator_hours: Interval
    utilisation: Interval
    flops: Interval
    split: Split


def best_split(flops: Interval | float) -> Split:
    """Return parameters and tokens for a budget of operations, known exactly or as an interval.

    The interval of N holds the ends of the budget's and 80% of the exponent's standard error, which pulls the more the
    farther the budget is from the middle of the law's own runs; D follows from C = 6 N D.
    """
    flops = flops if isinstance(flops, Interval) else Interval(positive(flops, "flops"), flops)
    low, high = (law_parameters(end) for end in (flops.low, flops.high))
    # D of the least and the most of N at each end of the budget
    ends = [(c, n) for c, interval in ((flops.low, low), (flops.high, high)) for n in (interval.low, interval.high)]
    tokens = [c / 6 / n for c, n in ends]
    ratios = [c / 6 / n**2 for c, n in ends]
    beyond = max(1.0, flops.high / MEASURED_FLOPS.high, MEASURED_FLOPS.low / flops.low)
    return Split(
        flops=flops,
        parameters=Interval(low.low, high.high),
        tokens=Interval(min(tokens), max(tokens)),
        tokens_per_parameter=Interval(min(ratios), max(ratios)),
        beyond=beyond,
        law="Besiroglu 2024",
        text=MEASURED_TEXT,
        source=find(scaling_laws(), "Besiroglu 2024: a (N_opt exponent)").source,
    )


def law_parameters(flops: float) -> Interval:
    """Return the best number of parameters for a budget, with 80% of the exponent's standard error."""
    middle, _ = besiroglu().optimal(flops)
    pull = EIGHTY_PERCENT * EXPONENT_ERROR * abs(math.log(flops / MEASURED_FLOPS.middle))
    return Interval(middle * math.exp(-pull), middle * math.exp(pull))


def rent(dollars: float, accelerator: str = "h100", job: str | None = None) -> Rent:
    """Return what dollars buy: hours by the prices quoted, operations by the utilisation of such jobs, and the split.

    Raises ConfigError for an unknown accelerator or one without a price, and for dollars that are not above 0.
    """
    positive(dollars, "dollars")
    device = find_accelerator(accelerator)
    price = price_in(device)
    if price is None:
        raise ConfigError(f"No price of {device.name} is known.", "Choose another accelerator, such as h100.")
    rate = Interval(price.low_usd_per_hour, price.high_usd_per_hour)
    hours = rate.divides(dollars)
    peak = peak_flops(device)
    at_peak = hours * (3600 * peak)
    # which share is reached hangs on the size, which hangs on the budget: a few rounds settle it
    share = Interval(0.38, 0.38)
    for _ in range(5):
        flops = at_peak.middle * share.middle
        share = utilisation_interval(Job(flops, besiroglu().optimal(flops)[0], peak, job))
    flops = at_peak * share
    return Rent(dollars, device, rate, price.note, hours, share, flops, best_split(flops))
