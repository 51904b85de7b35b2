"""A budget becomes a plan: sizes measured where need be, compared by recorded runs, and the best one chosen."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from minillm.config import PRESETS, RunConfig
from minillm.cost import count_parameters
from minillm.cost.bill import years_on
from minillm.cost.flops import run_flops
from minillm.cost.memory import model_states
from minillm.cost.numbers import Interval, parse_number
from minillm.cost.shapes import named_shape
from minillm.errors import ConfigError
from minillm.facts import find, runs
from minillm.scaling import course
from minillm.scaling.budget import Rent, Split, best_split, rent
from minillm.scaling.course import CANDIDATES, SPEED_OFF, Choice, CourseCurves, choose, choose_by_flops

if TYPE_CHECKING:  # the doctor needs torch, and a plan by operations or dollars does not
    from minillm.doctor import Pace

FAMOUS = {"GPT-2": "llm.c GPT-2 1558M", "GPT-3": "GPT-3 175B", "Llama-3.1 405B": "Llama-3.1 405B"}
"""Published runs; GPT-2's own tokens were never published, so its reproduction stands for it."""
FIRST = "mini"
"""The size that is measured first: what the others can reach at most follows from it."""
AT_MOST = 2.5
"""So many times as fast, in operations a second, another size may be than the one measured first."""
MEASURE_S = 12.0
"""No further size is measured after so many seconds, but for one that would win by a guessed speed."""
BEYOND_SIZES = 2.0
"""A published law answers where it asks for a model so many times as large as the course's largest."""


@dataclass(frozen=True)
class Famous:
    """What a published run would take on this machine."""

    name: str
    run: str
    flops: float
    years: Interval
    """From this machine's rate of matrix products to the rate that it reaches in training the planned model."""
    memory_bytes: float
    """Weights, gradients and the optimizer's state."""
    source: str


@dataclass(frozen=True)
class WallTime:
    """How long the planned run takes in all, in seconds."""

    training_s: float
    besides_s: float
    """Start, text, measuring, evaluations, samples, report."""
    text_s: float
    """The part of `besides_s` that reads the text."""

    @property
    def total_s(self) -> float:
        """All together."""
        return self.training_s + self.besides_s


@dataclass(frozen=True)
class Plan:
    """What to train for a budget."""

    kind: str
    """minutes, flops or dollars."""
    amount: float
    choices: tuple[Choice, ...] = ()
    """The course's sizes at this budget, best first; none for dollars."""
    speeds: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """Tokens a second of each size."""
    guessed: frozenset[str] = frozenset()
    """Sizes whose speed was not measured but follows from another's."""
    precision: str = ""
    threads: int = 0
    device: str = ""
    wall: WallTime | None = None
    famous: tuple[Famous, ...] = ()
    memory_bytes: int = 0
    """This machine's."""
    busy: bool = False
    other_text: bool = False
    """Whether the text in this machine's cache is another than that of the recorded runs."""
    split: Split | None = None
    """By a published law; for budgets beyond the course's sizes."""
    rent: Rent | None = None
    curves: CourseCurves | None = None

    @property
    def best(self) -> Choice | None:
        """The size with the least expected loss; None where the budget lies far beyond all sizes, or is in dollars."""
        return self.choices[0] if self.choices and self.split is None else None

    @property
    def command(self) -> str | None:
        """What carries the plan out."""
        if self.best is None:
            return None
        length = f"--minutes {self.amount:g}" if self.kind == "minutes" else f"--steps {self.best.steps}"
        return f"minillm pretrain --size {self.best.size} {length}"


def make_plan(
    minutes: str | float | None = None,
    flops: str | float | None = None,
    dollars: str | float | None = None,
    accelerator: str | None = None,
    job: str | None = None,
    device: str | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Plan:
    """Return the plan for one budget; numbers may be written as 7B and 7e9.

    Raises ConfigError for none or two budgets, for what is no number above 0, and for an unknown accelerator or job.
    """
    given = {
        name: value
        for name, value in {"minutes": minutes, "flops": flops, "dollars": dollars}.items()
        if value is not None
    }
    if len(given) != 1:
        names = " and ".join(f"--{name}" for name in given)
        cause = f"{names} are given together." if given else "No budget is given."
        raise ConfigError(cause, "Give one of --minutes, --flops and --dollars.")
    ((kind, written),) = given.items()
    amount = parse_amount(written, kind)
    if kind != "dollars" and (accelerator or job):
        option = "--accelerator" if accelerator else "--job"
        raise ConfigError(
            f"{option} is given without --dollars.", "Only a budget in dollars is spent on a rented device."
        )
    if kind != "minutes" and device:
        raise ConfigError("--device is given without --minutes.", "Only a budget in minutes is spent on this machine.")
    if kind == "minutes":
        return plan_minutes(amount, device, say)
    return plan_flops(amount) if kind == "flops" else plan_dollars(amount, accelerator or "h100", job)


def parse_amount(written: str | float, kind: str) -> float:
    """Return a budget as a number above 0; minutes take no letter, as 10m would be ten million."""
    text = str(written).strip()
    if kind == "minutes" and text[-1:].isalpha() and text.lower() not in ("nan", "inf", "-inf"):
        raise ConfigError(f"minutes is '{text}', which is no number.", "Write it as 10 or 0.5.")
    return parse_number(text.removeprefix("$") if kind == "dollars" else written, kind)


def plan_flops(flops: float, curves: CourseCurves | None = None) -> Plan:
    """Return the plan for a number of operations, counted exactly; nothing is measured."""
    curves = curves or course.course_curves()
    choices = choose_by_flops(curves, flops)
    return Plan("flops", flops, choices, split=split_beyond(choices[0]), curves=curves)


def plan_dollars(dollars: float, accelerator: str = "h100", job: str | None = None) -> Plan:
    """Return the plan for dollars on an accelerator, by a published law: no run of the course was made there."""
    found = rent(dollars, accelerator, job)
    return Plan("dollars", dollars, split=found.split, rent=found)


def split_beyond(best: Choice) -> Split | None:
    """Return what a published law says of a budget that would train models far larger than the course's."""
    largest = max(count_parameters(course.course_model(size)).total for size in CANDIDATES)
    split = best_split(best.flops)
    return split if split.parameters.low > BEYOND_SIZES * largest else None


def candidate(size: str, minutes: float) -> RunConfig:
    """Return the run that `minillm pretrain --size SIZE --minutes MINUTES` does."""
    return dataclasses.replace(PRESETS["minute"], model=course.course_model(size), minutes=minutes)


def plan_minutes(
    minutes: float,
    device: str | None = None,
    say: Callable[[str], None] = lambda line: None,
    curves: CourseCurves | None = None,
) -> Plan:
    """Return the plan for minutes of this machine, after measuring some sizes on it for about ten seconds.

    Raises ConfigError for minutes that no run takes, DeviceError for a device that is not here.
    """
    from minillm import doctor
    from minillm.runtime import keep_freed_memory, matmul_flops_per_s, pick_device

    candidate(FIRST, minutes)  # refuses minutes that no run takes
    where = pick_device(device)
    curves = curves or course.course_curves()
    machine = doctor.look(where)
    say("Measuring this machine for some seconds ...")
    keep_freed_memory()
    tokens = doctor.any_tokens()

    def measured(size: str, like: "Pace | None") -> "Pace":
        return doctor.pace(candidate(size, minutes), tokens, where, 0.3, like)

    paces, guessed = measure_candidates(curves, minutes, measured)
    choices = choose(curves, steps_of(paces), SPEED_OFF)
    while choices[0].size in guessed:  # no plan rests on a guessed speed
        guessed.remove(choices[0].size)
        paces[choices[0].size] = measured(choices[0].size, paces[FIRST])
        choices = choose(curves, steps_of(paces), SPEED_OFF)
    best = choices[0]
    pace, run = paces[best.size], candidate(best.size, minutes)
    fingerprint = doctor.read_before(run)
    tokens_per_s = doctor.speeds(run.model, pace.train.threads, where, 0.3)
    spent = doctor.run_time(best.size, run, pace, doctor.python_unit_s(), fingerprint is not None, tokens_per_s)
    trained = course.flops_a_step(best.size) / pace.step_s
    rates = sorted((trained, matmul_flops_per_s(where, pace.train.precision)))
    return Plan(
        "minutes",
        minutes,
        choices,
        speeds={size: course.tokens_a_step(size) / found.step_s for size, found in paces.items()},
        guessed=frozenset(guessed),
        precision=pace.train.precision,
        threads=pace.train.threads,
        device=where.type,
        wall=WallTime(spent.training_s, spent.besides_s, spent.text_s),
        famous=famous(Interval(*rates)),
        memory_bytes=machine.memory_bytes,
        busy=machine.is_busy,
        other_text=fingerprint not in (None, curves.runs[0].corpus),
        split=split_beyond(best),
        curves=curves,
    )


def steps_of(paces: Mapping[str, "Pace"]) -> dict[str, int]:
    """Return the updates that each size can do."""
    return {size: pace.train.steps for size, pace in paces.items()}


def measure_candidates(
    curves: CourseCurves, minutes: float, pace: Callable, limit_s: float = MEASURE_S
) -> tuple[dict, set[str]]:
    """Return the pace of each size that may be the best one, by name, and the names of those not measured but guessed.

    pace(size, like) measures one, see `doctor.pace`. The first tells how many steps the others can do at most; a size
    that would lose even so is left out. One that would take beyond `limit_s` to measure is guessed from the first.
    """
    start = time.perf_counter()
    first = pace(FIRST, None)
    found, guessed = {FIRST: first}, set()
    ways = sum(step_s < 1.5 * first.step_s for step_s in first.tried.values())

    def like_first_s(size: str) -> float:
        return first.step_s * course.flops_a_step(size) / course.flops_a_step(FIRST)

    def hoped(size: str) -> float:
        return curves.loss(size, minutes * 60 * AT_MOST / like_first_s(size))

    for size in sorted((size for size in CANDIDATES if size != FIRST), key=hoped):
        if hoped(size) > min(curves.loss(name, known.train.steps) for name, known in found.items()):
            continue
        if time.perf_counter() - start + 6 * ways * like_first_s(size) < limit_s:
            found[size] = pace(size, first)
        else:
            guessed.add(size)
            times = {way: step_s * like_first_s(size) / first.step_s for way, step_s in first.tried.items()}
            steps = max(course.FEWEST_STEPS, int(minutes * 60 / like_first_s(size)))
            train = dataclasses.replace(first.train, steps=steps)
            found[size] = dataclasses.replace(first, train=train, step_s=like_first_s(size), tried=times)
    return found, guessed


def famous(rates: Interval) -> tuple[Famous, ...]:
    """Return what published runs take at rates of operations a second, in years."""
    rows = []
    for name, wanted in FAMOUS.items():
        run = find(runs(), wanted)
        shape = named_shape(run.shape)
        flops = run_flops(shape, run.training_tokens)
        years = Interval(years_on(flops, rates.high), years_on(flops, rates.low))
        rows.append(Famous(name, run.name, flops, years, model_states(run.parameters_total).total, run.source))
    return tuple(rows)
