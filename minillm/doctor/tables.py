"""An examination as JSON and as text."""

import dataclasses

from minillm.cost.numbers import short
from minillm.doctor.machine import Machine
from minillm.doctor.times import Examination


def examination_dict(examination: Examination) -> dict:
    """Return an examination as JSON has it."""
    presets = [dataclasses.asdict(p) | {"total_s": p.total_s, "besides_s": p.besides_s} for p in examination.presets]
    told = dataclasses.asdict(examination) | {"presets": presets}
    told["machine"]["is_busy"] = examination.machine.is_busy
    return told


def machine_lines(machine: Machine) -> list[str]:
    """Return what a machine is, in words."""
    accelerator = "" if machine.accelerator == "none" else f" ({machine.accelerator})"
    extras = ", ".join(f"{name} {'installed' if there else 'absent'}" for name, there in machine.extras.items())
    read = [name for name, there in machine.corpus_read.items() if there]
    lines = [
        f"system     {machine.system} on {machine.processor}, Python {machine.python}, torch {machine.torch}",
        f"processor  {machine.cores} {'core' if machine.cores == 1 else 'cores'} for this program, "
        f"{machine.busy:.0%} of the machine busy",
        f"memory     {machine.memory_bytes / 2**30:.1f} GiB, {machine.memory_free_bytes / 2**30:.1f} free; "
        f"disk {machine.disk_free_bytes / 2**30:.0f} GiB free",
        f"device     {machine.device}{accelerator}, computes in {', '.join(machine.formats)}",
        f"extras     {extras}",
        f"corpus     {'read before for ' + ', '.join(read) if read else 'not read yet: the first run reads it'}",
    ]
    if machine.cache_obstacle:
        lines.append(f"cache      {machine.cache_obstacle}: no run can begin. Set XDG_CACHE_HOME to another folder.")
    return lines


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it: 45 s, 12 min, 1.7 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5940 else f"{seconds / 3600:.1f} h"


BUSY = "Other programs use the processor: these are times for a machine as busy as it is now."


def examination_table(examination: Examination) -> str:
    """Return an examination as text."""
    row = "{:9} {:>10} {:>7} {:>9} {:>7} {:>9} {:>9} {:>9} {:>9}"
    lines = [*machine_lines(examination.machine), ""]
    lines.append(f"measured   {short(examination.matmul_flops_per_s)} multiplications and additions a second (fp32)")
    lines += [
        "",
        row.format("preset", "parameters", "steps", "format", "threads", "training", "tests", "other", "in all"),
    ]
    for p in examination.presets:
        if p.obstacle:
            lines.append(f"{p.name:9} {p.parameters:>10,} cannot run here: {p.obstacle}")
            continue
        tests = p.evaluation_s + p.sampling_s
        times = [duration(value) for value in (p.training_s, tests, p.besides_s - tests, p.total_s)]
        lines.append(row.format(p.name, f"{p.parameters:,}", f"{p.steps:,}", p.precision, p.threads, *times))
    lines += ["", "tests: evaluations on held-out text, and samples; other: start, text, measuring, saving, report."]
    if examination.machine.is_busy:
        lines.append(BUSY)
    return "\n".join(lines)
