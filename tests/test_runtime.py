"""The machine: devices and number formats that are absent are refused; memory, cores and rates are plausible."""

import os
import subprocess
import sys

import pytest
import torch

from minillm.errors import DeviceError
from minillm.runtime import (
    autocast,
    has_native,
    keep_freed_memory,
    machine,
    matmul_flops_per_s,
    peak_memory_bytes,
    pick_device,
    usable_cores,
    versions,
)

CPU = torch.device("cpu")


def test_an_absent_device_is_refused_and_those_present_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert pick_device() == pick_device("cpu") == CPU
    for name in ("cuda", "cuda:1", "mps", "tpu", ""):
        with pytest.raises(DeviceError, match=rf"no device '{name}'.\nUse one of: cpu"):
            pick_device(name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device() == torch.device("cuda")


def test_a_number_format_that_a_device_lacks_is_refused():
    for precision, device in (("fp16", "cpu"), ("bf16", "mps"), ("fp16", "mps")):
        with pytest.raises(DeviceError, match=f"{precision} is not used on {device}"):
            autocast(torch.device(device), precision)


def test_products_run_in_the_format_asked_for():
    left = torch.ones(2, 2)
    with autocast(CPU, "bf16")():
        assert (left @ left).dtype == torch.bfloat16
    with autocast(CPU, "fp32")():
        assert (left @ left).dtype == torch.float32


def test_a_t4_has_fp16_and_no_bf16_of_its_own_and_an_a100_both(monkeypatch):
    cuda = torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *_: True)  # what torch says of both
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (7, 5))
    assert has_native("fp16", cuda) and not has_native("bf16", cuda)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (8, 0))
    assert has_native("bf16", cuda)
    assert has_native("fp32", CPU) and not has_native("fp16", CPU)


def test_peak_memory_grows_with_what_is_held_and_does_not_count_the_parent():
    script = (
        "import numpy as np\nfrom minillm.runtime import peak_memory_bytes\n"
        "before = peak_memory_bytes()\nheld = np.ones(20_000_000)\nafter = peak_memory_bytes()\n"
        "held = None\nprint(before, after, peak_memory_bytes())\n"
    )
    ballast = torch.ones(100_000_000)  # 400 MB here, none of them there
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, encoding="utf-8", check=True)
    before, after, later = map(int, done.stdout.split())
    assert 155e6 < after - before < 200e6  # 160 MB of numbers
    assert later > before + 155e6  # a peak stays
    assert before < ballast.nbytes < peak_memory_bytes(CPU)


def test_cores_are_at_most_those_of_the_machine_and_of_a_stated_limit(monkeypatch):
    monkeypatch.delenv("CPU_LIMIT", raising=False)
    assert 1 <= usable_cores() <= os.cpu_count()
    for limit, expected in (("1.0", 1), ("0.5", 1), ("nonsense", usable_cores())):
        monkeypatch.setenv("CPU_LIMIT", limit)
        assert usable_cores() == expected


def test_the_measured_rate_is_that_of_a_product_timed_by_hand():
    rate = matmul_flops_per_s(CPU, "fp32", seconds=0.2)
    assert 1e8 < rate < 1e14


def test_the_machine_is_described_and_not_named():
    described = {**machine(), **versions()}
    assert {"system", "processor", "cores", "python", "torch", "numpy", "minillm"} <= set(described)
    import platform

    assert platform.node() not in described.values()
    keep_freed_memory()  # on a system without this switch it does nothing
