"""The session a notebook runs in: its speed, device and cores, and how long a run will take here."""

import os
import time
from dataclasses import dataclass
from typing import Literal

from minillm.errors import ConfigError

Speed = Literal["LIVE", "REPLAY", "DEEP"]
SPEEDS = ("LIVE", "REPLAY", "DEEP")
REFERENCE_FLOPS_PER_S = 200e9
"""What `matmul_rate` gives on the 2-core machine (one EPYC of 2024) on which the notebooks' times were measured."""
REFERENCE_STEP_S = 0.085
"""What `doctor.notebook_step_s` gives on the same machine."""


@dataclass(frozen=True)
class Settings:
    """How a notebook runs here: its speed, the device's name, and CPU cores and threads."""

    speed: Speed
    device: str
    cores: int
    threads: int

    def pick(self, live: object, deep: object) -> object:
        """Return `deep` at the speed DEEP and `live` otherwise (a recording is one of a live run)."""
        return deep if self.speed == "DEEP" else live

    def __repr__(self) -> str:
        meaning = {
            "LIVE": "runs are computed here, now",
            "REPLAY": "long runs are played back from recordings",
            "DEEP": "longer runs: 5 to 20 minutes on a CPU, or a GPU",
        }
        cores = f"{self.cores} core" + "s" * (self.cores != 1)
        return f"speed {self.speed} ({meaning[self.speed]}), device {self.device}, {cores}, {self.threads} threads"


def pick_speed(wanted: str | None, cores: int) -> Speed:
    """Return the speed asked for, or LIVE on two cores and more and REPLAY on one; ConfigError if unknown."""
    if not wanted:
        return "LIVE" if cores > 1 else "REPLAY"
    if wanted.upper() not in SPEEDS:
        raise ConfigError(f"The speed '{wanted}' is unknown.", f"Set MINILLM_SPEED to one of {', '.join(SPEEDS)}.")
    return wanted.upper()


def settings(speed: str | None = None) -> Settings:
    """Return this session's settings; the speed comes from the argument, else from MINILLM_SPEED, else from the cores.

    PyTorch gets no more threads than the container allows: it would start one for each core of the whole machine.
    Raises ConfigError for an unknown speed.
    """
    import torch

    from minillm.runtime import pick_device, usable_cores

    cores = usable_cores()
    chosen = pick_speed(speed or os.environ.get("MINILLM_SPEED"), cores)
    if torch.get_num_threads() > cores:
        torch.set_num_threads(cores)
    return Settings(chosen, pick_device().type, cores, torch.get_num_threads())


@dataclass(frozen=True)
class MachineCheck:
    """What this machine has, how fast it trains, and how long a notebook's live run should take on it (seconds)."""

    cores: int
    memory_bytes: int
    device: str
    tokens_per_s: float
    estimate_s: float
    busy: bool

    def __repr__(self) -> str:
        advice = "LIVE" if self.cores > 1 and self.estimate_s <= 150 else "REPLAY"
        cores = f"{self.cores} core" + "s" * (self.cores != 1)
        condition = "as busy as it is now" if self.busy else "if no other program uses the cores"
        return (
            f"{cores}, {self.memory_bytes / 2**30:.1f} GiB of memory, device {self.device}: "
            f"{self.tokens_per_s:,.0f} tokens a second in training.\n"
            f"The live runs of this notebook should take about {self.estimate_s:.0f} s here {condition}. "
            f"Advised speed: {advice}."
        )


def matmul_rate(seconds: float = 1.0, bursts: int = 5) -> float:
    """Measure matrix products on this session's device: floating-point operations a second, best of several bursts.

    On a CPU the products are so short (a millisecond) that some run undisturbed even while another program is busy.
    """
    import torch

    from minillm.runtime import matmul_flops_per_s, pick_device

    device = pick_device()
    if device.type != "cpu":
        return matmul_flops_per_s(device, seconds=seconds)
    size = 384
    left, right = torch.randn(size, size), torch.randn(size, size)
    best_s = float("inf")
    for _ in range(bursts):
        start = time.perf_counter()
        while time.perf_counter() - start < seconds / bursts:
            before = time.perf_counter()
            left @ right
            best_s = min(best_s, time.perf_counter() - before)
        time.sleep(0.1)  # what disturbed this burst may be over before the next
    return 2 * size**3 / best_s


def check(reference_s: float, seconds: float = 1.0) -> MachineCheck:
    """Train a small model for a second or two, as `minillm doctor` does, and scale the reference machine's time.

    reference_s: time of the live runs on the machine of REFERENCE_STEP_S. What a notebook does besides does not gain
    from a faster device, so the estimate never falls below a fifth of that time.
    """
    from minillm import doctor

    machine = doctor.look()
    step_s = doctor.notebook_step_s(min(seconds, 1.5))
    estimate_s = max(reference_s * step_s / REFERENCE_STEP_S, reference_s / 5)
    tokens_per_s = doctor.NOTEBOOK_STEP_TOKENS / step_s
    return MachineCheck(machine.cores, machine.memory_bytes, machine.device, tokens_per_s, estimate_s, machine.is_busy)


class CheckForm:
    """A button that measures the machine; its plain twin is `check`."""

    def __init__(self, reference_s: float):
        self.reference_s = reference_s

    def _ipython_display_(self):
        from minillm.classroom.markup import escaped, show

        text = f"Machine check: machine.check({self.reference_s:g}) measures this machine for a second or two."
        show(text, f"<p>{escaped(text)}</p>", self.form)

    def form(self):
        """Build the widget."""
        import ipywidgets

        from minillm.classroom.markup import status

        button = ipywidgets.Button(description="Check this machine")
        answer = ipywidgets.HTML()

        def measure(_):
            answer.value = status("Measuring for a second or two ...")
            answer.value = status(repr(check(self.reference_s)))

        button.on_click(measure)
        return ipywidgets.VBox([button, answer])
