"""The estimator held against the published runs: operations, hours, and the utilisation that they imply."""

from dataclasses import asdict, dataclass

from minillm.cost import six_n_d
from minillm.cost.flops import run_flops
from minillm.cost.numbers import Interval
from minillm.cost.shapes import named_shape
from minillm.cost.utilisation import (
    Job,
    active_parameters,
    best_flops,
    evaluate,
    evaluate_held_out,
    utilisation_interval,
)
from minillm.facts import Run, runs

TOLERANCE = 0.05
STATED = ("6nd", "full", "hardware")
"""Ways of counting that can be repeated from the parameters, the tokens and the shape."""


@dataclass(frozen=True)
class AuditRow:
    """One published run beside what is counted for it here."""

    name: str
    year: int | None
    job: str
    accelerator: str
    counting: str
    """How the published operations were counted: 6nd, full, hardware, other, unstated, or empty."""
    published_flops: float | None
    counted_flops: float | None
    """Here, in the same way; None where the way cannot be repeated."""
    model_flops: float | None
    """The exact count, where a shape is known; else 6ND."""
    six_n_d: float | None
    published_hours: float | None
    hours: Interval | None
    """Expected from the kind of job, the run itself left out of the fit."""
    utilisation: float | None
    """Implied: model operations / (published hours x peak)."""
    utilisation_6nd: float | None
    """The same with 6ND for the operations."""
    expected_utilisation: Interval | None
    reported_mfu: float | None
    explanation: str
    """Why a figure stands out, as far as the sources go."""
    source: str
    quality: str

    @property
    def flops_error(self) -> float | None:
        """Counted against published operations: 0.05 is 5% more."""
        if self.counted_flops is None or self.published_flops is None:
            return None
        return self.counted_flops / self.published_flops - 1

    @property
    def flops_agree(self) -> bool | None:
        """Whether they agree within 5%; None where the way of counting cannot be repeated."""
        return None if self.flops_error is None else abs(self.flops_error) <= TOLERANCE

    @property
    def hours_inside(self) -> bool | None:
        """Whether the published hours lie in the interval."""
        return None if self.hours is None or self.published_hours is None else self.published_hours in self.hours


@dataclass(frozen=True)
class AuditSummary:
    """The audit in numbers."""

    runs: int
    flops_checked: int
    flops_within_5_percent: int
    flops_explained: int
    """Published in a way that cannot be repeated, each with its explanation."""
    hours_checked: int
    hours_inside: int
    hours_outside: tuple[str, ...]


def audit() -> tuple[AuditRow, ...]:
    """Return a row for each published run that says its operations or its hours."""
    return tuple(audit_run(run) for run in runs() if run.training_flops or run.accelerator_hours)


def audit_run(run: Run) -> AuditRow:
    """Return one run beside what is counted for it."""
    flops, active, tokens = best_flops(run), active_parameters(run), run.training_tokens
    sixnd = six_n_d(active, tokens) if active and tokens else None
    implied, expected, hours = None, None, None
    if flops and active and run.peak_bf16_tflops and run.accelerator_hours:
        peak = run.peak_bf16_tflops * 1e12
        seconds = run.accelerator_hours * 3600
        implied = flops / (seconds * peak)
        if run.job:
            expected = utilisation_interval(Job(flops, active, peak, run.job, run.year), run.name)
            hours = expected.divides(flops / peak / 3600)
    return AuditRow(
        name=run.name,
        year=run.year,
        job=run.job,
        accelerator=run.accelerator_id,
        counting=run.flops_counting,
        published_flops=run.training_flops,
        counted_flops=counted(run, sixnd),
        model_flops=flops if tokens else None,
        six_n_d=sixnd,
        published_hours=run.accelerator_hours,
        hours=hours,
        utilisation=implied,
        utilisation_6nd=implied * sixnd / flops if implied and sixnd else None,
        expected_utilisation=expected,
        reported_mfu=run.reported_mfu,
        explanation=explain(run, implied, expected),
        source=run.source,
        quality=run.quality,
    )


def counted(run: Run, sixnd: float | None) -> float | None:
    """Return a run's operations in the way in which they were published."""
    if run.flops_counting == "6nd":
        return sixnd
    if run.flops_counting in STATED and run.training_tokens:
        return run_flops(named_shape(run.shape), run.training_tokens, run.flops_counting)
    return None


def explain(run: Run, implied: float | None, expected: Interval | None) -> str:
    """Return why a run stands out: the remark of the tables, or that no source says it."""
    outside = implied is not None and expected is not None and implied not in expected
    if outside and not run.remark:
        return "No source says why."
    return run.remark


def summarise(rows: tuple[AuditRow, ...]) -> AuditSummary:
    """Return the audit in numbers."""
    flops = [row for row in rows if row.flops_agree is not None]
    hours = [row for row in rows if row.hours_inside is not None]
    return AuditSummary(
        runs=len(rows),
        flops_checked=len(flops),
        flops_within_5_percent=sum(bool(row.flops_agree) for row in flops),
        flops_explained=sum(row.published_flops is not None and row.counted_flops is None for row in rows),
        hours_checked=len(hours),
        hours_inside=sum(bool(row.hours_inside) for row in hours),
        hours_outside=tuple(row.name for row in hours if not row.hours_inside),
    )


def audit_dict() -> dict:
    """Return the whole audit as JSON has it."""
    rows = audit()
    listed = []
    for row in rows:
        values = asdict(row)
        for name in ("hours", "expected_utilisation"):
            interval = getattr(row, name)
            values[name] = None if interval is None else interval.as_dict()
        values |= {"flops_error": row.flops_error, "flops_agree": row.flops_agree, "hours_inside": row.hours_inside}
        listed.append(values)
    return {
        "summary": asdict(summarise(rows)),
        "leave_one_out": {"kind_given": asdict(evaluate(True)), "totals_alone": asdict(evaluate(False))},
        "leave_team_out": {
            "kind_given": asdict(evaluate(True, whole_team=True)),
            "totals_alone": asdict(evaluate(False, whole_team=True)),
        },
        "held_out": {"kind_given": asdict(evaluate_held_out(True)), "totals_alone": asdict(evaluate_held_out(False))},
        "rows": listed,
    }
