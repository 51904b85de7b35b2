"""What notebook 05 claims about its clinic, and how it is measured: a number a seed.

The rule was written on seeds 0 and 1, so it is judged on others. A seed trains a quarter of the runs, and four seeds in
a row train all of them.
"""

import functools

from minillm.classroom.evidence import Claim
from minillm.classroom.loop.diagnosis import Signals, diagnose
from minillm.classroom.loop.faults import RUNS, BadBatch, follow
from minillm.classroom.loop.patient import Run

SEEDS = (2, 3, 4, 5, 6, 7, 8, 9)


def quarter(seed: int) -> list[str]:
    """Return the names of the runs that a seed trains."""
    return list(RUNS)[seed % 4 :: 4]


@functools.cache
def records(name: str, seed: int) -> list[dict]:
    """Return the records of a run."""
    return list(follow(name, seed))


def from_curves(seed: int) -> float:
    """Return the share of a seed's runs that the rule names right from the curves alone."""
    runs = {name: records(name, seed) for name in quarter(seed)}
    return sum(diagnose(Signals.from_records(found)) == name for name, found in runs.items()) / len(runs)


def with_checks(seed: int) -> float:
    """Return the share of a seed's runs that the rule names right when it has the four checks as well."""
    runs = {name: records(name, seed) for name in quarter(seed)}
    right = [diagnose(Signals.from_records(r), r[-1]["checks"]) == name for name, r in runs.items()]
    return sum(right) / len(runs)


def healthy_end(seed: int) -> float:
    """Return the held-out loss at the end of the healthy run."""
    return Signals.from_records(records("healthy", seed)).held_out_end


class ClippedBadBatch(BadBatch):
    """The same bad batch, but the gradient is clipped."""

    def clip(self) -> float:
        return Run.clip(self)


def clipping_saves(seed: int) -> float:
    """Return by how much a bad batch raises the held-out loss at the end without clipping, compared with it."""
    without, clipped = (list(run(seed).train())[-1]["held_out_loss_nats"] for run in (BadBatch, ClippedBadBatch))
    return without - clipped


CLAIMS = (
    Claim(
        "05_clinic_curves",
        "From the curves alone a rule of a few conditions names what is wrong with at least 90% of the runs, healthy "
        "ones included, on seeds other than those it was written on.",
        from_curves,
        0.9,
        1.0,
        "of a quarter of the runs",
        seeds=SEEDS,
    ),
    Claim(
        "05_clinic_checks",
        "With four active checks as well it names at least 95%.",
        with_checks,
        0.95,
        1.0,
        "of a quarter of the runs",
        seeds=SEEDS,
    ),
    Claim(
        "05_clinic_healthy",
        "The clinic's healthy run ends at a held-out loss of about 1.2 nats a byte.",
        healthy_end,
        1.0,
        1.35,
        "nats a byte",
    ),
    Claim(
        "05_clinic_clipping",
        "One damaged batch half-way still costs at least 0.08 nats a byte at the end without clipping, compared with "
        "the same run with it.",
        clipping_saves,
        0.08,
        0.4,
        "nats a byte",
    ),
)
