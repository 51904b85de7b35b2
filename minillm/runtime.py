"""The machine that a run meets: device, number format, threads, memory, clock."""

import contextlib
import ctypes
import os
import platform
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import torch

from minillm.errors import DeviceError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def pick_device(name: str | None = None) -> torch.device:
    """Return the named device, or the best one here: CUDA, then Apple's MPS, then the CPU; DeviceError if absent."""
    present = ["cpu"]
    if torch.backends.mps.is_available():
        present.insert(0, "mps")
    if torch.cuda.is_available():
        present.insert(0, "cuda")
    if name is None:
        return torch.device(present[0])
    if name.split(":")[0] not in present:
        raise DeviceError(f"This machine has no device '{name}'.", f"Use one of: {', '.join(present)}.")
    return torch.device(name)


def has_native(precision: str, device: torch.device) -> bool:
    """Tell whether the device computes in this number format itself, not by slow emulation."""
    if precision == "fp32":
        return True
    if device.type == "cuda":
        # torch.cuda.is_bf16_supported() answers True on a T4, which emulates it: ask the chip's generation
        needed = (8, 0) if precision == "bf16" else (7, 0)
        return torch.cuda.get_device_capability(device) >= needed
    if device.type == "cpu" and precision == "bf16":
        capabilities = torch.backends.cpu.get_cpu_capability()
        return "AVX512" in capabilities or platform.machine().lower() in ("arm64", "aarch64")
    return False


def check_precision(precision: str, device: torch.device) -> None:
    """Raise a DeviceError where a number format cannot work on a device."""
    if (precision == "fp16" and device.type != "cuda") or (precision == "bf16" and device.type == "mps"):
        raise DeviceError(f"{precision} is not used on {device.type}.", "Use precision fp32 there.")


def autocast(device: torch.device, precision: str) -> Callable[[], AbstractContextManager]:
    """Return a maker of contexts in which matrix products run in the given format (fp32, auto: nothing changes)."""
    check_precision(precision, device)
    if precision in ("fp32", "auto"):
        return contextlib.nullcontext
    return lambda: torch.autocast(device.type, dtype=DTYPES[precision])


def loss_scaler(device: torch.device, precision: str) -> torch.amp.GradScaler | None:
    """Return what keeps small gradients from vanishing in fp16; other formats need none."""
    return torch.amp.GradScaler(device.type) if precision == "fp16" else None


def synchronise(device: torch.device) -> None:
    """Wait until the device has done what was asked of it, so that a clock read next is true."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def keep_freed_memory() -> None:
    """Ask the C library to keep freed blocks for reuse: 1.1 to 1.25 times faster on models under 1 M parameters.

    Only glibc (Linux) has this switch. Each step frees and takes the same blocks again, and without it the system
    hands them back and must clear them anew.
    """
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        trim_threshold, top_pad, mmap_threshold = -1, -2, -3  # names from malloc.h
        mallopt(mmap_threshold, 1 << 28)
        mallopt(trim_threshold, 1 << 29)
        mallopt(top_pad, 1 << 25)


def usable_cores() -> int:
    """Return the CPU cores that this process may use, container limits included, at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = os.environ.get("CPU_LIMIT")  # JupyterHub and Binder state their limit here
    with contextlib.suppress(OSError, ValueError):
        allowed, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="utf-8").split()
        if allowed != "max":
            cores = min(cores, max(1, round(int(allowed) / int(period))))
    with contextlib.suppress(ValueError, TypeError):
        cores = min(cores, max(1, int(float(quota))))
    return cores


def peak_memory_bytes(device: torch.device | None = None) -> int:
    """Return the largest resident memory of this process so far (of the device's allocations, on CUDA), in bytes."""
    if device is not None and device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    # getrusage would count the memory of the process that started this one; the status file does not
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024
    memory = psutil.Process().memory_info()
    if hasattr(memory, "peak_wset"):
        return memory.peak_wset
    import resource  # macOS, where the unit is bytes; Windows has no such module

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def matmul_flops_per_s(device: torch.device, precision: str = "fp32", seconds: float = 0.5) -> float:
    """Measure this machine's rate of matrix products: floating-point operations a second, best of several tries."""
    size = 1024 if device.type == "cpu" else 4096
    left = torch.randn(size, size, device=device).to(DTYPES[precision])
    right = torch.randn(size, size, device=device).to(DTYPES[precision])
    best, start = float("inf"), time.perf_counter()
    while time.perf_counter() - start < seconds:
        synchronise(device)
        before = time.perf_counter()
        left @ right
        synchronise(device)
        best = min(best, time.perf_counter() - before)
    return 2 * size**3 / best


def versions() -> dict[str, str]:
    """Return the versions that decide a run's digits: Python, torch, numpy, the package."""
    import numpy

    from minillm import __version__

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "minillm": __version__,
    }


def machine() -> dict[str, str | int]:
    """Describe this machine without naming it: system, processor family, cores, number formats."""
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": usable_cores(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
    }
