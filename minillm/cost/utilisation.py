"""How much of its peak an accelerator reaches in a whole job: an interval, fitted to published runs.

utilisation = operations of the model / (hours x peak), restarts and evaluations included. The fit is a straight
line in logarithms with six numbers, found by least squares from the runs in `data/facts`:

- one level for each kind of job: a run on a cluster, on one or two tuned machines, by a hobbyist;
- above the A100's 312 TFLOP/s a device is the harder to feed the faster it is: (312 / peak)^b;
- on a cluster, models below 3e9 parameters fill a device less: (parameters / 3e9)^c;
- on a cluster before 2023 (before fused attention spread): times d.

Without the kind of job, operations take its place: 1e21 and more count as a cluster, less as one machine. An
interval's upper end is twice its lower one (1.98 times), 2.9 times for a hobbyist, of whom three runs are known, and
2.9 times without a kind.
"""

import math
from dataclasses import dataclass
from functools import cache

from minillm.config import named
from minillm.cost import six_n_d
from minillm.cost.flops import run_flops
from minillm.cost.numbers import Interval, positive
from minillm.cost.shapes import count_shape, named_shape
from minillm.facts import Run, runs

JOBS = {
    "cluster": "a run on a cluster, from a laboratory's dozens of devices to the frontier's thousands",
    "node": "one or two machines with code tuned for them, as in llm.c or nanochat",
    "hobby": "one machine with a plain training script",
}
ALSO_CALLED = {"frontier": "cluster", "tuned-node": "node"}
WIDTHS = {"cluster": 1.98, "node": 1.98, "hobby": 2.9}
WIDTH_WITHOUT_JOB = 2.9
CONSTANT = 0.38
"""The share that a rule of thumb would take for all."""
REFERENCE_PEAK, SMALL_MODEL, FUSED_SINCE, CLUSTER_FLOPS = 312e12, 3e9, 2023, 1e21


@dataclass(frozen=True)
class Job:
    """What is known of a job before it runs."""

    flops: float
    """Operations of the model in all."""
    parameters: float
    """Active in one token."""
    peak: float
    """Operations a second of one device, dense 16-bit."""
    kind: str | None = None
    """One of JOBS, or None where it is not known."""
    year: int | None = None
    """None: today's software."""


@dataclass(frozen=True)
class Observation:
    """One published run with its hours."""

    name: str
    job: Job
    utilisation: float
    """Implied: operations of the model / (hours x peak)."""


def best_flops(run: Run) -> float | None:
    """Return a run's model operations: counted from its shape, else 6ND, else as published; None without any."""
    if run.training_tokens and run.shape:
        return run_flops(named_shape(run.shape), run.training_tokens)
    if run.training_tokens and run.parameters_active:
        return six_n_d(run.parameters_active, run.training_tokens)
    return run.training_flops


def active_parameters(run: Run) -> float | None:
    """Return a run's active parameters, as published or from its shape."""
    if run.parameters_active or not run.shape:
        return run.parameters_active
    return count_shape(named_shape(run.shape)).active


def job_kind(name: str) -> str:
    """Return a kind of job by its name or another name for it; ConfigError names the nearest."""
    kind = ALSO_CALLED.get(name, name)
    named(JOBS, kind, "kind of job")
    return kind


@cache
def observations() -> tuple[Observation, ...]:
    """Return the published runs whose utilisation can be computed and whose kind of job is known."""
    found = []
    for run in runs():
        flops, parameters = best_flops(run), active_parameters(run)
        if run.job and flops and parameters and run.accelerator_hours and run.peak_bf16_tflops:
            peak = run.peak_bf16_tflops * 1e12
            job = Job(flops, parameters, peak, run.job, run.year)
            found.append(Observation(run.name, job, flops / (run.accelerator_hours * 3600 * peak)))
    return tuple(found)


def features(job: Job) -> list[float]:
    """Return what the logarithm of the utilisation is a weighted sum of."""
    known = [job.kind == kind for kind in JOBS] if job.kind else [job.flops >= CLUSTER_FLOPS, job.flops < CLUSTER_FLOPS]
    on_cluster = known[0]
    speed = math.log(max(job.peak, REFERENCE_PEAK) / REFERENCE_PEAK)
    smallness = on_cluster * min(0.0, math.log(job.parameters / SMALL_MODEL))
    early = on_cluster and job.year is not None and job.year < FUSED_SINCE
    return [*map(float, known), speed, smallness, float(early)]


def fit(seen: tuple[Observation, ...], with_kind: bool) -> list[float]:
    """Return the weights that fit the observed utilisations best (least squares in logarithms)."""
    rows = [features(item.job if with_kind else without_kind(item.job)) for item in seen]
    logs = [math.log(item.utilisation) for item in seen]
    n = len(rows[0])
    table = [
        [sum(row[i] * row[j] for row in rows) for j in range(n)]
        + [sum(row[i] * log for row, log in zip(rows, logs, strict=True))]
        for i in range(n)
    ]
    return solve(table)


def without_kind(job: Job) -> Job:
    """Return a job of which only totals are known."""
    return Job(job.flops, job.parameters, job.peak)


def solve(table: list[list[float]]) -> list[float]:
    """Return the solution of linear equations, one a row with its right side last (Gauss and Jordan)."""
    n = len(table)
    for i in range(n):
        pivot = max(range(i, n), key=lambda row: abs(table[row][i]))
        table[i], table[pivot] = table[pivot], table[i]
        if table[i][i] == 0:  # a feature that no row has: leave its weight at zero
            table[i][i] = 1.0
        table[i] = [value / table[i][i] for value in table[i]]
        for row in range(n):
            if row != i:
                factor = table[row][i]
                table[row] = [a - factor * b for a, b in zip(table[row], table[i], strict=True)]
    return [row[-1] for row in table]


@cache
def weights(with_kind: bool, without: str = "") -> list[float]:
    """Return the fit to all published runs but one."""
    return fit(tuple(item for item in observations() if item.name != without), with_kind)


def expected_utilisation(job: Job, without: str = "") -> float:
    """Return the middle of the interval; `without` names a run that the fit must not have seen."""
    with_kind = job.kind is not None
    return math.exp(sum(w * x for w, x in zip(weights(with_kind, without), features(job), strict=True)))


def utilisation_interval(job: Job, without: str = "") -> Interval:
    """Return the share of the peak that such a job reaches, as an interval meant to hold nine in ten.

    Raises ConfigError for an unknown kind of job or numbers that cannot be.
    """
    if job.kind is not None:
        job_kind(job.kind)
    for name in ("flops", "parameters", "peak"):
        positive(getattr(job, name), name)
    half = math.sqrt(WIDTHS[job.kind] if job.kind else WIDTH_WITHOUT_JOB)
    middle = min(expected_utilisation(job, without), 1 / half)  # no share goes beyond the whole
    return Interval(middle / half, middle * half)


@dataclass(frozen=True)
class Evaluation:
    """How well the intervals hold runs that the fit has not seen (each left out in turn)."""

    runs: int
    coverage: float
    """Share of the runs whose utilisation lies in its interval."""
    median_width: float
    log_error: float
    """Mean distance in natural logarithms between the middle and the truth."""
    constant_log_error: float
    """The same with one utilisation for all, 38%."""
    outside: tuple[str, ...]


@cache
def evaluate(with_kind: bool = True) -> Evaluation:
    """Return the leave-one-out evaluation, with the kind of job given or from totals alone."""
    widths, errors, constant, outside = [], [], [], []
    for item in observations():
        job = item.job if with_kind else without_kind(item.job)
        interval = utilisation_interval(job, item.name)
        widths.append(interval.width)
        errors.append(abs(math.log(item.utilisation / interval.middle)))
        constant.append(abs(math.log(item.utilisation / CONSTANT)))
        if item.utilisation not in interval:
            outside.append(item.name)
    n = len(widths)
    return Evaluation(
        runs=n,
        coverage=1 - len(outside) / n,
        median_width=sorted(widths)[n // 2],
        log_error=sum(errors) / n,
        constant_log_error=sum(constant) / n,
        outside=tuple(outside),
    )
