"""What this machine is and has; nothing is computed but how busy it is."""

import hashlib
import importlib.util
import json
import platform
import shutil
from dataclasses import dataclass

import psutil
import torch

from minillm import __version__
from minillm.config import PRESETS, RunConfig
from minillm.corpus import input_key
from minillm.paths import cache_dir
from minillm.runtime import has_native, pick_device, usable_cores
from minillm.tokenizer import course_tokenizer

EXTRAS = {"lab": ("jupyterlab", "ipywidgets", "ipykernel"), "hub": ("datasets", "huggingface_hub", "pyarrow")}
BUSY_SHARE = 0.25
"""Above this share of the processor in other programs' hands, times are said to be those of a busy machine."""


@dataclass(frozen=True)
class Machine:
    """What this machine has; sizes in bytes."""

    system: str
    processor: str
    python: str
    torch: str
    minillm: str
    cores: int
    """CPU cores that this process may use."""
    memory_bytes: int
    memory_free_bytes: int
    device: str
    """Where runs are computed: cpu, cuda or mps."""
    accelerator: str
    """The GPU's name, or none."""
    formats: tuple[str, ...]
    """Number formats that the device computes in itself."""
    disk_free_bytes: int
    """Where the learner's cache lies; 0 if it cannot be made."""
    extras: dict[str, bool]
    """Optional parts of the installation: lab (notebooks), hub (datasets)."""
    corpus_read: dict[str, bool]
    """For each preset, whether its text was read before."""
    busy: float
    """Share of the processor that other programs take now."""
    cache_obstacle: str = ""
    """Why the cache cannot be made; empty where it can."""

    @property
    def is_busy(self) -> bool:
        """Whether other programs take so much that times measured now are longer than they need be."""
        return self.busy > BUSY_SHARE


def look(device: torch.device | None = None) -> Machine:
    """Return what this machine is, without measuring its speed. Takes half a second: the processor is watched."""
    device = device or pick_device()
    busy = psutil.cpu_percent(interval=0.4) / 100
    memory = psutil.virtual_memory()
    disk_free_bytes, cache_obstacle = look_at_cache()
    return Machine(
        system=platform.system(),
        processor=platform.machine(),
        python=platform.python_version(),
        torch=torch.__version__,
        minillm=__version__,
        cores=usable_cores(),
        memory_bytes=memory.total,
        memory_free_bytes=memory.available,
        device=device.type,
        accelerator=torch.cuda.get_device_name(device) if device.type == "cuda" else "none",
        formats=tuple(name for name in ("fp32", "bf16", "fp16") if has_native(name, device)),
        disk_free_bytes=disk_free_bytes,
        cache_obstacle=cache_obstacle,
        extras={name: all(map(importlib.util.find_spec, parts)) for name, parts in EXTRAS.items()},
        corpus_read={name: read_before(preset) is not None for name, preset in PRESETS.items()},
        busy=busy,
    )


def look_at_cache() -> tuple[int, str]:
    """Return the bytes free where the learner's cache lies, and why it cannot be made, if so."""
    try:
        return shutil.disk_usage(cache_dir()).free, ""
    except OSError as error:
        return 0, f"{error.filename or 'its folder'} cannot be made ({error.strerror or error})"


def read_before(run: RunConfig) -> str | None:
    """Return the fingerprint of the run's text if the cache holds its tokens, as `batches.prepare_tokens` looks."""
    key = input_key(run.source, part=run.corpus_part, held_out_bytes=run.held_out_bytes, filtered=run.filtered)
    name = hashlib.sha256(f"{key} {course_tokenizer().fingerprint}".encode()).hexdigest()[:24]
    try:
        path = cache_dir() / "tokens" / name / "tokens.json"
        return json.loads(path.read_text(encoding="utf-8"))["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
