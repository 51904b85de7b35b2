"""Show how fast this machine trains: its rate of matrix products, and each preset's tokens a second.

Run: python tests/benchmarks/speed.py [seconds per measurement]
Nothing is asserted: the figures are the machine's, and of the moment.
"""

import sys
import time
from dataclasses import replace

import numpy as np
import torch

from minillm.batches import Tokens
from minillm.config import PRESETS
from minillm.cost import flops_per_token
from minillm.model import Transformer, n_parameters
from minillm.runtime import keep_freed_memory, matmul_flops_per_s, pick_device
from minillm.sampling import generate_ids
from minillm.settings import measure_step

SPEED_ROW = "{:10} {:>6} {:>12} {:>12} {:>9} {:>7} {:>14}"


def noise(vocab_size: int, length: int = 200_000) -> Tokens:
    """Return random tokens: the speed does not depend on what is read."""
    ids = np.random.default_rng(0).integers(vocab_size, size=length).astype(np.uint16)
    return Tokens({"noise": ids}, {"noise": ids[:1000]}, {"noise": 2000}, {"noise": 1.0}, "noise", {})


def sampled_tokens_per_s(model: Transformer, seconds: float) -> float:
    """Return the tokens a second of sampling with a cache."""
    start, drawn = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        drawn += sum(1 for _ in generate_ids(model, [0], 50))
    return drawn / (time.perf_counter() - start)


def main(seconds: float) -> None:
    """Print the table."""
    keep_freed_memory()
    device = pick_device()
    rates = {}
    for precision in ("fp32", "bf16"):
        rates[precision] = matmul_flops_per_s(device, precision, seconds=min(1.0, seconds))
        print(
            f"matrix products in {precision}: {rates[precision] / 1e9:,.0f} GFLOP/s, {torch.get_num_threads()} threads"
        )
    print(SPEED_ROW.format("preset", "format", "parameters", "tokens/s", "ms/step", "MFU", "sampled/s"))
    for name, preset in PRESETS.items():
        config, tokens = preset.model, noise(preset.model.vocab_size)
        model = Transformer(config).to(device)
        per_step = preset.train.batch_size * config.context_length
        for precision in rates:
            train = replace(preset.train, precision=precision, threads=torch.get_num_threads())
            step_s = measure_step(config, train, tokens, device, seconds=seconds)
            mfu = flops_per_token(config) * per_step / step_s / rates[precision]
            row = (f"{n_parameters(model):,}", f"{per_step / step_s:,.0f}", f"{1000 * step_s:.1f}", f"{mfu:.0%}")
            print(SPEED_ROW.format(name, precision, *row, f"{sampled_tokens_per_s(model, seconds / 2):,.0f}"))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0)
