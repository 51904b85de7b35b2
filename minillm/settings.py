"""A run's settings, from what is asked to what is fixed: read, checked against text and machine, measured, written."""

import dataclasses
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import torch

from minillm.batches import Tokens
from minillm.config import ModelConfig, RunConfig, TrainConfig, from_dict
from minillm.cost import count_parameters
from minillm.errors import ConfigError, DataError
from minillm.model import Transformer
from minillm.paths import write_json
from minillm.runtime import autocast, has_native, loss_scaler, pick_device, usable_cores
from minillm.tokenizer import Tokenizer
from minillm.train import train


def read_run_config(path: Path) -> RunConfig:
    """Read a run's config.json. Raises ConfigError if it is not one."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        models = from_dict(ModelConfig, values.pop("model")), from_dict(TrainConfig, values.pop("train"))
        return from_dict(RunConfig, {"model": models[0], "train": models[1], **values})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path} is no run's config.json ({type(error).__name__}: {error}).",
            "Name the config.json of a run.",
        ) from None


def as_it_began(asked: RunConfig, out: Path) -> RunConfig:
    """Return the settings that the run in `out` began with, or what is asked if there is none.

    Raises ConfigError, naming the first difference, if they are not the same run.
    """
    if not (out / "config.json").exists():
        return asked
    began = read_run_config(out / "config.json")
    open_before = {"precision": "auto", "threads": None}
    if began.minutes is not None and began.minutes == asked.minutes:
        open_before["steps"] = asked.train.steps  # the clock decided
    wanted = asked.train
    for name, undecided in open_before.items():
        if getattr(wanted, name) == undecided:
            wanted = dataclasses.replace(wanted, **{name: getattr(began.train, name)})
    minutes = began.minutes if asked.minutes is None and wanted.steps == began.train.steps else asked.minutes
    asked = dataclasses.replace(asked, train=wanted, minutes=minutes, device=asked.device or began.device)
    for part, before, now in (
        ("", began, asked),
        ("model.", began.model, asked.model),
        ("train.", began.train, wanted),
    ):
        for field in dataclasses.fields(before):
            was, is_asked = getattr(before, field.name), getattr(now, field.name)
            if field.name not in ("model", "train") and was != is_asked:
                raise ConfigError(
                    f"The run began with {part}{field.name} {was}, and now {is_asked} is asked for.",
                    "Resume with the same settings, or start a new run with another --out.",
                )
    return began


def check_machine(config: RunConfig) -> torch.device:
    """Return the device to compute on; raise a named error for what this machine does not have.

    Looked at are device, number format, threads, and the least memory that weights, optimizer and logits take.
    """
    device = pick_device(config.device)
    autocast(device, config.train.precision)
    most = 4 * (os.cpu_count() or 1)
    if config.train.threads and config.train.threads > most:
        raise ConfigError(f"threads is {config.train.threads}.", f"Use at most {most} on this machine.")
    sequences = config.train.batch_size // config.train.micro_batches
    logits = sequences * config.model.context_length * config.model.vocab_size
    batch = config.train.batch_size * config.model.context_length
    # 4 bytes each for weight, gradient and two of AdamW's; logits and their gradient; ids of inputs and targets
    least_bytes = 16 * count_parameters(config.model).total + 8 * logits + 16 * batch
    if device.type == "cpu" and least_bytes > psutil.virtual_memory().total:
        raise ConfigError(
            f"This run takes at least {least_bytes / 1e9:,.0f} GB of memory, more than this machine has.",
            "Use a smaller --size, a smaller --batch-size, or more --micro-batches.",
        )
    return device


def check_text(config: RunConfig, tokens: Tokens, tokenizer: Tokenizer) -> None:
    """Raise a named error if model, tokenizer, text and prompts do not go together."""
    context, vocab_size = config.model.context_length, config.model.vocab_size
    if vocab_size < tokenizer.vocab_size:
        raise ConfigError(
            f"The model knows {vocab_size} tokens and the tokenizer has {tokenizer.vocab_size}.",
            f"Use vocab_size={tokenizer.vocab_size}.",
        )
    for kind, ids in tokens.train.items():
        if tokens.weights[kind] > 0 and len(ids) <= context:
            raise DataError(
                f"The {kind} text has {len(ids)} tokens to train on; one sequence takes {context + 1}.",
                "Give a longer text, or use a model with a shorter context.",
            )
    if not any(tokens.held_out_bytes.values()):
        raise DataError("No text is held out, so the loss could not be checked.", "Give a longer text.")
    for prompt in config.prompts:
        n_tokens = 1 + len(tokenizer.encode(prompt))  # an end-of-text goes before it
        if n_tokens > context:
            raise ConfigError(
                f"The prompt '{prompt}' has {n_tokens} tokens and the model sees {context}.",
                "Shorten it, or use a model with a longer context.",
            )


def settle(config: RunConfig, out: Path, tokens: Tokens, device: torch.device, say: Callable[[str], None]) -> RunConfig:
    """Fix what is still open (device, threads, steps and precision of a clock-limited run) and write config.json.

    A run that goes on has its config.json already and keeps it.
    """
    path = out / "config.json"
    if path.exists():
        began = as_it_began(config, out)  # written since we looked, perhaps, by a run that has ended
        torch.set_num_threads(began.train.threads)
        return began
    threads = config.train.threads or min(torch.get_num_threads(), usable_cores())
    settled = dataclasses.replace(config.train, threads=threads)
    if config.minutes is None and settled.precision == "auto":
        settled = dataclasses.replace(settled, precision="fp32")
    if config.minutes is not None:
        say("Measuring this machine for a few seconds ...")
        fewest = 1 if config.train.threads is None and device.type == "cpu" else threads
        asked = dataclasses.replace(config, train=settled)
        settled = fix_by_clock(asked, fewest, lambda train: measure_step(asked.model, train, tokens, device), device)
        say(
            f"{config.minutes:g} minutes are {settled.steps:,} steps here, in {settled.precision}, "
            f"with {settled.threads} threads."
        )
    torch.set_num_threads(settled.threads)
    config = dataclasses.replace(config, train=settled, device=device.type)
    write_json(path, dataclasses.asdict(config))
    return config


def fix_by_clock(
    config: RunConfig, fewest_threads: int, step_s: Callable[[TrainConfig], float], device: torch.device
) -> TrainConfig:
    """Return the training settings with the faster precision and threads, and the steps that fill the minutes.

    `step_s` measures the seconds of a step. Tried are the precisions that may pay on this device, each with all threads
    and with the fewest: on a machine that is busy otherwise, two wait for each other longer than one takes alone.
    """
    precisions = ["fp32"]
    if config.train.precision != "auto":
        precisions = [config.train.precision]
    elif device.type == "cuda":
        precisions = ["bf16"] if has_native("bf16", device) else ["fp16"]
    elif device.type == "cpu" and has_native("bf16", device):
        precisions.append("bf16")
    best, fastest_s = config.train, float("inf")
    for threads in sorted({config.train.threads, fewest_threads}, reverse=True):
        for precision in precisions:
            trial = dataclasses.replace(config.train, precision=precision, threads=threads)
            trial_s = step_s(trial)
            if trial_s < 0.95 * fastest_s:  # a lead of less than a twentieth is noise: the one before stays
                best, fastest_s = trial, trial_s
    steps = max(10, int(config.minutes * 60 / fastest_s), config.train.warmup_steps)
    return dataclasses.replace(best, steps=steps)


def measure_step(
    config: ModelConfig, train_config: TrainConfig, tokens: Tokens, device: torch.device, seconds: float = 1.5
) -> float:
    """Return the median time of a training step, in seconds, on a model that is thrown away."""
    torch.set_num_threads(train_config.threads)
    trial = dataclasses.replace(train_config, steps=1000, warmup_steps=0)
    model = Transformer(config).to(device)
    times, start = [], time.perf_counter()
    for record in train(model, tokens, trial, scaler=loss_scaler(device, trial.precision)):
        times.append(trial.batch_size * config.context_length / record.tokens_per_s)
        if len(times) >= 6 and time.perf_counter() - start > seconds:
            break
    return statistics.median(times[3:])  # the first steps also load and tune kernels
