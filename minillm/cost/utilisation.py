"""How much of its peak an accelerator reaches in a whole job: an interval, fitted to published runs.

utilisation = operations of the model / (hours x peak), restarts and evaluations included. The fit is a straight
line in logarithms with six numbers, found by least squares from the runs in `data/facts/pretraining_runs.csv`:

- one level for each kind of job: a run on a cluster, on one or two tuned machines, by a hobbyist;
- above the A100's 312 TFLOP/s a device is the harder to feed the faster it is: (312 / peak)^b;
- on a cluster, models below 30e9 parameters reach less, for they fill a device less and fewer people tune them:
  (parameters / 30e9)^c;
- on a cluster before 2023 (before fused attention spread): times d.

Runs of one team resemble each other, and some teams published many: each team has one vote for each kind of job,
shared among its runs. Without the kind of job, operations take its place: below 3e19 a run counts as one machine's,
above 3e21 as a cluster's, between them as a mixture; then size counts below 3e9 parameters only.

An interval's upper end is twice its lower one (1.98 times), and 2.95 times where runs scatter more: for models below
15e9 parameters on a cluster, for a hobbyist, of whom three runs are known, and without a kind. `evaluate` holds each
run against a fit that has not seen it, or not seen its team; `evaluate_held_out` asks for the runs of
`data/facts/held_out_runs.csv`, to which nothing was fitted, though the pivots above were chosen with some of them in
view, and the size below which an interval is wide with all of them. What no interval of these widths can hold are
models below 1.5e9 parameters on a cluster: published ones reach anything from 7 to 58% of the peak.
"""

import difflib
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from minillm.cost import six_n_d
from minillm.cost.flops import run_flops
from minillm.cost.numbers import Interval, positive
from minillm.cost.shapes import count_shape, named_shape
from minillm.errors import ConfigError
from minillm.facts import Run, held_out_runs, runs

JOBS = {
    "cluster": "a run on a cluster, from a laboratory's dozens of devices to the frontier's thousands",
    "node": "one or two machines with code tuned for them, as in llm.c or nanochat",
    "hobby": "one machine with a plain training script",
}
ALSO_CALLED = {
    "frontier": "cluster",
    "frontier-cluster": "cluster",
    "tuned-node": "node",
    "single-node": "node",
    "single-tuned-node": "node",
}
NARROW, WIDE = 1.98, 2.95
"""How many times its lower end an interval's upper end is; `width_of` says which."""
CONSTANT = 0.38
"""The share that a rule of thumb would take for all."""
REFERENCE_PEAK, FUSED_SINCE, TUNED_PARAMETERS = 312e12, 2023, 15e9
FULL_SIZE, FULL_SIZE_WITHOUT_KIND = 30e9, 3e9
ONE_MACHINE_FLOPS, CLUSTER_FLOPS = 3e19, 3e21
SMALL = 1.5e9
"""Below so many active parameters runs scatter more than any interval of these widths: see `seen_on_new_runs`."""


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
    team: str
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
    """Return a kind of job by its name or another name for it; ConfigError names the nearest.

    Case, spaces, hyphens, underscores and a last word "run" do not matter: "Frontier cluster run" is a cluster.
    """
    wanted = "-".join(re.findall(r"[^\W_]+", str(name).casefold())).removesuffix("-run")
    kind = ALSO_CALLED.get(wanted, wanted)
    if kind in JOBS:
        return kind
    nearest = difflib.get_close_matches(wanted, [*JOBS, *ALSO_CALLED], n=1)
    hint = f"Did you mean '{nearest[0]}'? " if nearest else ""
    others = {job: [other for other, meant in ALSO_CALLED.items() if meant == job] for job in JOBS}
    known = (f"{job} (or {', '.join(found)})" if found else job for job, found in others.items())
    raise ConfigError(f"There is no kind of job named '{name}'.", f"{hint}Known: {', '.join(known)}.")


@cache
def observations() -> tuple[Observation, ...]:
    """Return the published runs whose utilisation can be computed and whose kind of job is known."""
    return observed(runs())


@cache
def held_out() -> tuple[Observation, ...]:
    """Return the runs to which nothing is fitted."""
    return observed(held_out_runs())


def observed(published: Sequence[Run]) -> tuple[Observation, ...]:
    """Return the utilisation of those runs whose operations, hours, peak and kind of job are known."""
    found = []
    for run in published:
        flops, parameters = best_flops(run), active_parameters(run)
        if run.job and flops and parameters and run.accelerator_hours and run.peak_bf16_tflops:
            peak = run.peak_bf16_tflops * 1e12
            job = Job(flops, parameters, peak, run.job, run.year)
            utilisation = flops / (run.accelerator_hours * 3600 * peak)
            found.append(Observation(run.name, run.organisation, job, utilisation))
    return tuple(found)


def features(job: Job) -> list[float]:
    """Return what the logarithm of the utilisation is a weighted sum of."""
    on_cluster = float(job.kind == "cluster") if job.kind else cluster_share(job.flops)
    levels = [float(job.kind == kind) for kind in JOBS] if job.kind else [on_cluster, 1 - on_cluster]
    speed = math.log(max(job.peak, REFERENCE_PEAK) / REFERENCE_PEAK)
    full_size = FULL_SIZE if job.kind else FULL_SIZE_WITHOUT_KIND
    smallness = on_cluster * min(0.0, math.log(job.parameters / full_size))
    early = job.kind == "cluster" and job.year is not None and job.year < FUSED_SINCE
    return [*levels, speed, smallness, float(early)]


def cluster_share(flops: float) -> float:
    """Return how much a run of so many operations counts as a cluster's, 0 to 1."""
    share = math.log(flops / ONE_MACHINE_FLOPS) / math.log(CLUSTER_FLOPS / ONE_MACHINE_FLOPS)
    return min(1.0, max(0.0, share))


def fit(seen: Sequence[Observation], with_kind: bool) -> list[float]:
    """Return the weights that fit the observed utilisations best (least squares in logarithms, one vote a team)."""
    rows = [features(item.job if with_kind else without_kind(item.job)) for item in seen]
    logs = [math.log(item.utilisation) for item in seen]
    of_team = Counter((item.team, item.job.kind) for item in seen)
    votes = [1 / of_team[item.team, item.job.kind] for item in seen]
    n = len(rows[0])
    table = [
        [sum(vote * row[i] * row[j] for vote, row in zip(votes, rows, strict=True)) for j in range(n)]
        + [sum(vote * row[i] * log for vote, row, log in zip(votes, rows, logs, strict=True))]
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
def weights(with_kind: bool, without: str = "", without_team: str = "") -> list[float]:
    """Return the fit to all published runs but one, or but those of one team."""
    seen = [item for item in observations() if item.name != without and item.team != without_team]
    return fit(seen, with_kind)


def expected_utilisation(job: Job, without: str = "", without_team: str = "") -> float:
    """Return the middle of the interval; the fit has not seen the run or the team that is named."""
    fitted = weights(job.kind is not None, without, without_team)
    return math.exp(sum(w * x for w, x in zip(fitted, features(job), strict=True)))


def width_of(job: Job) -> float:
    """Return how many times its lower end the upper end of a job's interval is."""
    tuned = job.kind == "node" or (job.kind == "cluster" and job.parameters >= TUNED_PARAMETERS)
    return NARROW if tuned else WIDE


def utilisation_interval(job: Job, without: str = "", without_team: str = "") -> Interval:
    """Return the share of the peak that such a job reaches, as an interval meant to hold nine in ten.

    Raises ConfigError for an unknown kind of job or numbers that cannot be.
    """
    if job.kind is not None:
        job = replace(job, kind=job_kind(job.kind))
    for name in ("flops", "parameters", "peak"):
        positive(getattr(job, name), name)
    half = math.sqrt(width_of(job))
    middle = min(expected_utilisation(job, without, without_team), 1 / half)  # no share goes beyond the whole
    return Interval(middle / half, middle * half)


@dataclass(frozen=True)
class Evaluation:
    """How well the intervals hold runs that the fit has not seen."""

    runs: int
    coverage: float
    """Share of the runs whose utilisation lies in its interval."""
    median_width: float
    log_error: float
    """Mean distance in natural logarithms between the middle and the truth."""
    constant_log_error: float
    """The same with one utilisation for all, 38%."""
    slow: tuple[str, ...]
    """Runs outside whose share of the peak is lower than expected, so that they took more hours."""
    fast: tuple[str, ...]
    """Runs outside whose share is higher."""

    @property
    def outside(self) -> tuple[str, ...]:
        """Return all runs outside their intervals."""
        return self.slow + self.fast


@cache
def evaluate(with_kind: bool = True, whole_team: bool = False) -> Evaluation:
    """Return how runs lie that are left out of the fit, each in its turn, alone or with all runs of its team."""
    asked = [(item, item.job if with_kind else without_kind(item.job)) for item in observations()]
    return judge([(item, utilisation_interval(job, item.name, item.team if whole_team else "")) for item, job in asked])


@cache
def evaluate_held_out(with_kind: bool = True, at_least: float = 0, below: float = math.inf) -> Evaluation:
    """Return how the held-out runs lie, to which nothing is fitted, with active parameters in [at_least, below)."""
    chosen = [item for item in held_out() if at_least <= item.job.parameters < below]
    asked = [(item, item.job if with_kind else without_kind(item.job)) for item in chosen]
    return judge([(item, utilisation_interval(job)) for item, job in asked])


def seen_on_new_runs(job: Job) -> Evaluation:
    """Return how the held-out runs of a job's size lie, from which follows what to expect of its interval."""
    small = job.parameters < SMALL
    return evaluate_held_out(job.kind is not None, 0 if small else SMALL, SMALL if small else math.inf)


def judge(expected: Sequence[tuple[Observation, Interval]]) -> Evaluation:
    """Return how observed utilisations lie in the intervals that were expected."""
    n = len(expected)
    off = [math.log(item.utilisation / interval.middle) for item, interval in expected]
    outside = [
        (item.name, x) for (item, interval), x in zip(expected, off, strict=True) if item.utilisation not in interval
    ]
    return Evaluation(
        runs=n,
        coverage=1 - len(outside) / n,
        median_width=sorted(interval.width for _, interval in expected)[n // 2],
        log_error=sum(map(abs, off)) / n,
        constant_log_error=sum(abs(math.log(item.utilisation / CONSTANT)) for item, _ in expected) / n,
        slow=tuple(name for name, x in outside if x < 0),
        fast=tuple(name for name, x in outside if x > 0),
    )
