"""The bill of a run: hours, dollars, energy and carbon as intervals, the whole programme beside the final run."""

import difflib
import re
from dataclasses import dataclass, replace

from minillm.cost import six_n_d
from minillm.cost.numbers import Interval, check_share, positive
from minillm.cost.utilisation import Job, utilisation_interval
from minillm.errors import ConfigError
from minillm.facts import Accelerator, Price, accelerators, programmes, runs

POWER_SHARE = Interval(0.75, 1.15)
"""What a device draws with its part of the server, as a share of its rated power; see `energy_ratios`."""
PUE = Interval(1.08, 1.2)
"""What the building draws for each watt of the machines: PaLM 1.08, LLaMA 1.1, OLMo-2 1.12 and 1.2."""
CARBON_KG_A_KWH = Interval(0.057, 0.43)
"""Grids of the published runs: France with BLOOM 0.057, GPT-3 0.429."""
COUNTED_AS = {"h800": "h100", "gh200": "h100", "a800": "a100-80gb"}
"""Devices without a row of their own, which compute as another one does."""


@dataclass(frozen=True)
class Bill:
    """What a run takes; every interval follows from those above it."""

    accelerator: Accelerator
    flops: float
    """Operations of the model, recomputation not counted."""
    utilisation: Interval
    """Share of the peak over the whole job, lost time included."""
    goodput: Interval | None
    """Share of the time that trains; None where `utilisation` holds the lost time already."""
    accelerator_hours: Interval
    devices: int | None
    days: Interval | None
    """On `devices`; None without a number of them."""
    price: Price | None
    price_usd_per_hour: Interval | None
    cost_usd: Interval | None
    energy_mwh: Interval | None
    pue: Interval
    carbon_kg_per_kwh: Interval
    co2e_tonnes: Interval | None
    programme_factor: Interval
    """The whole programme, research and failed runs included, against its final run."""
    programme_accelerator_hours: Interval
    programme_cost_usd: Interval | None


def find_accelerator(name: str) -> Accelerator:
    """Return an accelerator by its id (a100-80gb, tpu-v4), its name or whole words of it; else ConfigError."""
    wanted = hyphened(str(name))
    wanted = COUNTED_AS.get(wanted, wanted)
    exact = [row for row in accelerators() if wanted in (row.id, hyphened(row.name))]
    fitting = exact or [row for row in accelerators() if has_words(row.id, wanted) or has_words(row.name, wanted)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise ConfigError(
            f"The accelerator '{name}' may be one of {len(fitting)}.",
            f"Say which: {', '.join(row.id for row in fitting)}.",
        )
    ids = [row.id for row in accelerators()]
    nearest = max(ids, key=lambda known: difflib.SequenceMatcher(None, wanted, known).ratio())
    raise ConfigError(
        f"There is no accelerator '{name}' in the table.", f"Did you mean '{nearest}'? Known: {', '.join(ids)}."
    )


def hyphened(text: str) -> str:
    """Return a name in small letters with hyphens between its words."""
    return re.sub(r"[\s_-]+", "-", text.strip().casefold())


def has_words(name: str, wanted: str) -> bool:
    """Return whether a name has these words, bracketed ones aside: a100 is in a100-80gb, h20 is not in h200."""
    known = hyphened(re.sub(r"\([^)]*\)", "", name))
    goes_on = "[0-9]" if wanted[-1:].isdigit() else "[a-z]"
    return len(wanted) > 1 and bool(re.search(rf"(?<![a-z0-9]){re.escape(wanted)}(?!{goes_on})", known))


def peak_flops(accelerator: Accelerator) -> float:
    """Return a device's dense peak in operations a second: bf16, else fp16, else fp32."""
    tflops = accelerator.peak_bf16_tflops or accelerator.peak_fp16_tflops or accelerator.peak_fp32_tflops
    if tflops is None:
        raise ConfigError(f"The peak of {accelerator.name} is not known.", "Choose another accelerator.")
    return tflops * 1e12


def price_in(accelerator: Accelerator, year: int | None = None) -> Price | None:
    """Return the quotation of a year, or the newest one; None for a device without any.

    Spot prices, which hold until another bids more, and free hours count only where there is nothing else.
    """
    listed = [price for price in accelerator.prices if price.high_usd_per_hour and "spot" not in price.note.split()]
    listed = listed or list(accelerator.prices)
    dated = [price for price in listed if year and re.search(rf"\b{year}\b", price.note)]
    return (dated or listed or [None])[-1]


def goodput_seen() -> Interval:
    """Return the utilisation of whole jobs against the reported steady state, least to most, by 6ND."""
    ratios = []
    for run in runs():
        known = run.reported_mfu and run.accelerator_hours and run.parameters_active and run.training_tokens
        if known and run.job == "cluster" and run.peak_bf16_tflops:
            flops = six_n_d(run.parameters_active, run.training_tokens)
            whole = flops / (run.accelerator_hours * 3600 * run.peak_bf16_tflops * 1e12)
            ratios.append(whole / run.reported_mfu)
    return Interval(min(ratios), max(ratios))


def energy_ratios() -> dict[str, float]:
    """Return published energy divided by hours times rated power, run by run."""
    found = {}
    for run in runs():
        if run.energy_mwh and run.accelerator_hours and run.accelerator_id:
            power = find_accelerator(run.accelerator_id).power_w
            found[run.name] = run.energy_mwh / (run.accelerator_hours * power / 1e6)
    return found


def programme_factor() -> Interval:
    """Return the whole programme against the final run, where research was counted."""
    ratios = [row.ratio for row in programmes() if row.counts_research]
    return Interval(min(ratios), max(ratios))


def make_bill(
    job: Job,
    accelerator: Accelerator,
    *,
    utilisation: Interval | None = None,
    goodput: Interval | None = None,
    devices: int | None = None,
    price_usd_per_hour: Interval | None = None,
    pue: Interval = PUE,
    carbon_kg_per_kwh: Interval = CARBON_KG_A_KWH,
    without: str = "",
) -> Bill:
    """Return the bill of a job.

    utilisation: measured, of the whole job, or with `goodput` of the steady state; without it the interval of the
    job's kind. job.year chooses the price. without: a run that the fit of utilisation must not have seen.
    Raises ConfigError for shares beyond 1 or numbers that cannot be.
    """
    positive(job.flops, "flops")
    if utilisation is None:
        utilisation, goodput = utilisation_interval(replace(job, peak=peak_flops(accelerator)), without), None
    whole = check_share(utilisation, "utilisation")
    if goodput is not None:
        whole = whole * check_share(goodput, "goodput")
    hours = whole.divides(job.flops / peak_flops(accelerator) / 3600)
    price = price_in(accelerator, job.year)
    rate = price_usd_per_hour
    if rate is None and price is not None:
        rate = Interval(price.low_usd_per_hour, price.high_usd_per_hour)
    if pue.low < 1:
        raise ConfigError(f"pue is {pue}.", "A building draws at least what its machines draw: use 1 or more.")
    energy = None
    if accelerator.power_w:
        energy = hours * POWER_SHARE * pue * (accelerator.power_w / 1e6)
    factor = programme_factor()
    cost = None if rate is None else hours * rate
    return Bill(
        accelerator=accelerator,
        flops=job.flops,
        utilisation=utilisation,
        goodput=goodput,
        accelerator_hours=hours,
        devices=devices,
        days=None if devices is None else hours * (1 / positive(devices, "devices") / 24),
        price=None if price_usd_per_hour else price,
        price_usd_per_hour=rate,
        cost_usd=cost,
        energy_mwh=energy,
        pue=pue,
        carbon_kg_per_kwh=carbon_kg_per_kwh,
        # 1 kg a kWh is 1 tonne a MWh
        co2e_tonnes=None if energy is None else energy * carbon_kg_per_kwh,
        programme_factor=factor,
        programme_accelerator_hours=hours * factor,
        programme_cost_usd=None if cost is None else cost * factor,
    )


def years_on(flops: float, flops_per_s: float) -> float:
    """Return how many years a machine that was measured at `flops_per_s` takes."""
    return positive(flops, "flops") / positive(flops_per_s, "flops_per_s") / (365.25 * 24 * 3600)
