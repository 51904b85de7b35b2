"""How fast this machine trains, evaluates and samples with one model, measured as a run does it."""

import dataclasses
import math
import statistics
import time
from dataclasses import dataclass

import numpy as np
import torch

from minillm.batches import Tokens
from minillm.config import PRESETS, SIZES, ModelConfig, RunConfig, TrainConfig
from minillm.evaluate import stream_nats
from minillm.model import Transformer
from minillm.runtime import keep_freed_memory, pick_device, synchronise, usable_cores
from minillm.sampling import generate
from minillm.settings import fix_by_clock, measure_step
from minillm.tokenizer import course_tokenizer

KINDS = 4
"""Kinds of the embedded corpus."""
SAMPLE_TOKENS = 60
"""Tokens that a run writes for each prompt."""
RUN_MEASURES_S = 1.5
"""So long a clock-limited run measures each way to compute, and never fewer steps than MEASURED_STEPS."""
MEASURED_STEPS = 6
NOTEBOOK_MODEL = SIZES["mini"]
NOTEBOOK_STEP_TOKENS = TrainConfig().batch_size * NOTEBOOK_MODEL.context_length
SLOW_WAY = 1.5
"""A precision or number of threads so many times as slow as the fastest with one model is not tried with the next."""
PATIENCE_S = 6.0
"""Steps of a whole batch that would take longer than this are not measured but computed from smaller ones."""


@dataclass(frozen=True)
class Pace:
    """How fast this machine trains one model: the settings that were fastest, and all that were tried."""

    train: TrainConfig
    """With the precision and threads chosen, and the steps if a clock decides them."""
    step_s: float
    tried: dict[tuple[str, int], float]
    """Seconds of a step by precision and threads."""


def any_tokens(vocab_size: int = 1024, length: int = 100_000) -> Tokens:
    """Return random tokens of four kinds: the speed does not depend on what is read."""
    rng = np.random.default_rng(0)
    kinds = [f"kind {i}" for i in range(KINDS)]
    train = {kind: rng.integers(vocab_size, size=length).astype(np.uint16) for kind in kinds}
    weights = dict.fromkeys(kinds, 1 / KINDS)
    return Tokens(train, train, dict.fromkeys(kinds, length), weights, "random", {})


def python_unit_s(seconds: float = 0.3) -> float:
    """Return the seconds of a small loop of plain Python, median of as many as fit."""
    times, start = [], time.perf_counter()
    words = b"the river and the stone the light of the house".split()
    while len(times) < 5 or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        counts: dict[bytes, int] = {}
        for i in range(100_000):
            word = words[i % 10]
            counts[word] = counts.get(word, 0) + len(word) + (i & 7)
        times.append(time.perf_counter() - before)
    return statistics.median(times)


def threads_here() -> int:
    """Return the CPU threads that a run starts with: PyTorch's, but no more than the cores it may use."""
    return min(torch.get_num_threads(), usable_cores())


def pace(
    run: RunConfig,
    tokens: Tokens,
    device: torch.device,
    seconds: float = RUN_MEASURES_S,
    like: Pace | None = None,
) -> Pace:
    """Measure a run's step as the run itself will, by the clock or with the precision and threads that it names.

    seconds: for each way of computing that is tried, see `settings.fix_by_clock`; like: the pace of another model, on
    which some ways were so slow that they are not tried again, but taken to be as many times as slow. Leaves PyTorch's
    threads as they were.
    """
    before = torch.get_num_threads()
    threads = run.train.threads or threads_here()
    asked = dataclasses.replace(run, train=dataclasses.replace(run.train, threads=threads))
    tried: dict[tuple[str, int], float] = {}

    def step_s(train: TrainConfig) -> float:
        way = train.precision, train.threads
        if like and like.tried.get(way, 0.0) > SLOW_WAY * like.step_s:
            return math.inf
        tried[way] = measure_step(run.model, train, tokens, device, seconds)
        return tried[way]

    try:
        if run.minutes is None:
            precision = "fp32" if run.train.precision == "auto" else run.train.precision
            train = dataclasses.replace(asked.train, precision=precision)
            about_s = from_parts(run, train, tokens, device)
            if about_s * MEASURED_STEPS < PATIENCE_S:
                step_s(train)
            else:  # such as bf16 where it is emulated
                tried[precision, threads] = about_s
        else:
            fewest = 1 if run.train.threads is None and device.type == "cpu" else threads
            train = fix_by_clock(asked, fewest, step_s, device)
    finally:
        torch.set_num_threads(before)
    fastest_s = tried[train.precision, train.threads]
    slow = {} if like is None else {way: fastest_s * step_s / like.step_s for way, step_s in like.tried.items()}
    return Pace(train, fastest_s, slow | tried)


def notebook_step_s(seconds: float = 1.0) -> float:
    """Return the seconds of a step of the notebooks' first model, in fp32 and with this session's threads."""
    keep_freed_memory()  # as the notebooks' runs do
    train = TrainConfig(threads=threads_here())
    return measure_step(NOTEBOOK_MODEL, train, any_tokens(NOTEBOOK_MODEL.vocab_size), pick_device(), seconds)


def from_parts(run: RunConfig, train: TrainConfig, tokens: Tokens, device: torch.device) -> float:
    """Return about how long a step takes, from steps with an eighth and a quarter of its batch."""
    sizes = [max(1, train.batch_size // 8), max(2, train.batch_size // 4)]
    parts = [dataclasses.replace(train, batch_size=size, micro_batches=1) for size in sizes]
    less, more = (measure_step(run.model, part, tokens, device, seconds=0.0) for part in parts)
    return max(less, less + (more - less) / (sizes[1] - sizes[0]) * (train.batch_size - sizes[0]))


@torch.no_grad()
def evaluated_tokens_per_s(model: Transformer, seconds: float = 0.6) -> float:
    """Return the tokens a second that an evaluation reads."""
    context, vocab_size = model.config.context_length, model.config.vocab_size
    batch = max(1, 2**23 // (context * vocab_size))  # as `stream_nats` has it
    ids = np.random.default_rng(0).integers(vocab_size, size=batch * context + 1).astype(np.uint16)
    model.eval()
    stream_nats(model, ids[: context + 1])  # the first call also loads kernels
    rates, start = [], time.perf_counter()
    while len(rates) < 2 or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        stream_nats(model, ids)
        synchronise(model.device)
        rates.append((len(ids) - 1) / (time.perf_counter() - before))
        if time.perf_counter() - start > 2 * seconds:
            break
    return statistics.median(rates[1:] or rates)


def sampled_tokens_per_s(model: Transformer, tokens: int = SAMPLE_TOKENS) -> float:
    """Return the tokens a second that completing a prompt writes."""
    tokenizer, prompts = course_tokenizer(), PRESETS["minute"].prompts[:2]
    generate(model, tokenizer, prompts[0], 2)
    start = time.perf_counter()
    for prompt in prompts:
        generate(model, tokenizer, prompt, tokens)
    return len(prompts) * tokens / (time.perf_counter() - start)


def speeds(
    config: ModelConfig, threads: int, device: torch.device, seconds: float = 0.4, known: dict | None = None
) -> tuple[float, float]:
    """Measure the tokens a second that an evaluation reads and that sampling writes; `known` keeps them for later."""
    known = {} if known is None else known
    if (config, threads) not in known:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            model = Transformer(config).to(device)
            known[config, threads] = evaluated_tokens_per_s(model, seconds), sampled_tokens_per_s(model)
        finally:
            torch.set_num_threads(before)
    return known[config, threads]
