"""The runs of the clinic that notebook 05 shows, the faults as a table, and how the rule did on unseen seeds."""

from collections.abc import Iterator

from minillm.classroom import evidence
from minillm.classroom.lessons.claims05_clinic import quarter
from minillm.classroom.loop import clinic
from minillm.classroom.loop.loop_lab import one_thread
from minillm.classroom.markup import Columns

PATIENTS = ("healthy", "gradients kept", "overfitting", "leak", "missing mask")
"""A healthy run first, then those that the learner diagnoses."""


def admit() -> Iterator[dict]:
    """Train the runs of PATIENTS, one after another, and yield their records."""
    with one_thread():
        for name in PATIENTS:
            yield from clinic.run(name)


def rounds() -> Columns:
    """Return for each seed of the recorded evidence the runs made on it and how many of them the rule named right."""
    from_curves, with_checks = (evidence.load(f"05_clinic_{how}")["values"] for how in ("curves", "checks"))
    made = {seed: quarter(int(seed)) for seed in from_curves}
    return {
        "seed": list(made),
        "runs": [", ".join(names) for names in made.values()],
        "from the curves": [f"{round(from_curves[s] * len(names))} of {len(names)}" for s, names in made.items()],
        "with the checks": [f"{round(with_checks[s] * len(names))} of {len(names)}" for s, names in made.items()],
    }


def share_right() -> float:
    """Return the percentage of all those runs that the rule named right from the curves alone."""
    values = evidence.load("05_clinic_curves")["values"]
    made = {seed: len(quarter(int(seed))) for seed in values}
    return 100 * sum(values[seed] * n for seed, n in made.items()) / sum(made.values())


def faults() -> Columns:
    """Return every run of the clinic with how it shows and what cures it, as columns."""
    return {
        "what is wrong": list(clinic.FAULTS),
        "how it shows": [fault.symptom for fault in clinic.FAULTS.values()],
        "what cures it": [fault.cure for fault in clinic.FAULTS.values()],
    }
