"""How long each preset takes here, part by part, from its first line to its report.

Steps, evaluation and sampling are measured. What is plain Python on one core (starting, reading the corpus, the
report) was measured once, in units of a small loop that is timed here too.
"""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from minillm.config import PRESETS, RunConfig
from minillm.cost import count_parameters
from minillm.doctor.machine import Machine, look, read_before
from minillm.doctor.speed import (
    KINDS,
    MEASURED_STEPS,
    RUN_MEASURES_S,
    SAMPLE_TOKENS,
    Pace,
    any_tokens,
    pace,
    python_unit_s,
    speeds,
)
from minillm.errors import MinillmError
from minillm.runtime import keep_freed_memory, matmul_flops_per_s, pick_device
from minillm.settings import check_machine

# Plain Python work of a run, in units of `python_unit_s` (measured in seconds of one core, unit and work side by side)
START_UNITS = 280
"""Importing torch and this package, making model and optimizers, ending."""
READ_UNITS, READ_MORE_UNITS = 70, 2000
"""Reading the corpus for the first time: what does not depend on the part that is read, and the whole of it besides."""
CACHED_UNITS = 4
REPORT_UNITS = 50
"""The figure, with matplotlib's import, and the page."""
CHECKPOINT_UNITS = 6
REPORT_RATE_S = 0.5
TOKENS_A_BYTE, OVERSHOOT_TOKENS = 0.42, 5_000
"""Tokens of the course's vocabulary for each byte held out, and those of a kind's last document that were not asked."""


@dataclass(frozen=True)
class RunTime:
    """How long a run takes here from the command to its end, part by part, in seconds."""

    name: str
    """The preset, or the size."""
    parameters: int
    steps: int
    precision: str
    threads: int
    start_s: float
    """Starting Python and torch, and ending."""
    text_s: float
    """Reading the corpus, or its tokens from the cache."""
    measuring_s: float
    """Only a run by the clock measures."""
    training_s: float
    evaluation_s: float
    sampling_s: float
    saving_s: float
    report_s: float
    obstacle: str = ""
    """Why it cannot run here; empty where it can."""

    @property
    def total_s(self) -> float:
        """All parts together."""
        return self.training_s + self.besides_s

    @property
    def besides_s(self) -> float:
        """All parts but training."""
        parts = (self.start_s, self.text_s, self.measuring_s, self.evaluation_s, self.sampling_s, self.saving_s)
        return sum(parts) + self.report_s


@dataclass(frozen=True)
class Examination:
    """The machine, what was measured on it, and the time of every preset."""

    machine: Machine
    python_unit_s: float
    matmul_flops_per_s: float
    presets: tuple[RunTime, ...]
    elapsed_s: float
    """How long the examination took."""


def measuring_s(run: RunConfig, found: Pace) -> float:
    """Return how long a run by the clock measures: each way for RUN_MEASURES_S, or for six steps if longer."""
    if run.minutes is None:
        return 0.0
    return sum(max(RUN_MEASURES_S + step_s / 2, MEASURED_STEPS * step_s) for step_s in found.tried.values())


def held_out_tokens(run: RunConfig) -> float:
    """Return about how many tokens a run of the embedded corpus holds out."""
    return KINDS * (run.held_out_bytes * TOKENS_A_BYTE + OVERSHOOT_TOKENS)


def run_time(
    name: str, run: RunConfig, found: Pace, unit_s: float, read: bool, tokens_per_s: tuple[float, float]
) -> RunTime:
    """Return how long a run takes here, from its pace and the tokens a second that it reads in tests and writes."""
    train = found.train
    reading, writing = tokens_per_s
    saves = math.ceil(train.steps / train.checkpoint_every) if train.checkpoint_every else 1
    return RunTime(
        name=name,
        parameters=count_parameters(run.model).total,
        steps=train.steps,
        precision=train.precision,
        threads=train.threads,
        start_s=START_UNITS * unit_s,
        text_s=unit_s * (CACHED_UNITS if read else READ_UNITS + READ_MORE_UNITS * run.corpus_part),
        measuring_s=measuring_s(run, found),
        training_s=train.steps * found.step_s,
        evaluation_s=run.evaluations * held_out_tokens(run) / reading,
        sampling_s=run.sample_moments * len(run.prompts) * SAMPLE_TOKENS / writing,
        saving_s=saves * CHECKPOINT_UNITS * unit_s,
        report_s=REPORT_UNITS * unit_s + REPORT_RATE_S,
    )


def examine(
    presets: Mapping[str, RunConfig] = PRESETS,
    device: torch.device | None = None,
    say: Callable[[str], None] = lambda line: None,
    seconds: float = 0.4,
) -> Examination:
    """Look at this machine and measure how long each preset takes on it; 15 to 25 seconds in all on two idle cores.

    seconds: for each measurement, or six steps where these take longer. A preset that cannot work here has its
    obstacle instead of times. `say` hears which preset is being measured.
    """
    start = time.perf_counter()
    device = device or pick_device()
    machine = look(device)
    say("Measuring this machine for some seconds, longer if it is slow or busy ...")
    keep_freed_memory()
    unit_s = python_unit_s()
    times, by_clock, known = [], None, {}
    for name, run in presets.items():
        try:
            check_machine(dataclasses.replace(run, device=device.type))
        except MinillmError as error:
            times.append(cannot_run(name, run, error))
            continue
        say(f"  {name} ...")
        found = pace(run, any_tokens(run.model.vocab_size), device, seconds, by_clock if run.minutes else None)
        if run.minutes and by_clock is None:
            by_clock = found
        tokens_per_s = speeds(run.model, found.train.threads, device, seconds, known)
        times.append(run_time(name, run, found, unit_s, read_before(run) is not None, tokens_per_s))
    return Examination(machine, unit_s, matmul_flops_per_s(device), tuple(times), time.perf_counter() - start)


def cannot_run(name: str, run: RunConfig, error: MinillmError) -> RunTime:
    """Return a run without times, and with the reason."""
    return RunTime(name, count_parameters(run.model).total, 0, "", 0, *[0.0] * 8, obstacle=error.cause)
