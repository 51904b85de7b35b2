"""The whole story on one page: a text becomes tokens, batches, losses, weights, a checkpoint, samples and a report.

`pretrain` reads from top to bottom; the functions below it, in the order in which it calls them, are its steps.
"""

import contextlib
import dataclasses
import json
import math
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from torch.optim import Optimizer
from tqdm.auto import tqdm

from minillm import checkpoint
from minillm.batches import Tokens, prepare_tokens
from minillm.config import ModelConfig, RunConfig, TrainConfig, from_dict
from minillm.cost import training_flops
from minillm.errors import CheckpointError, ConfigError, DataError, TrainingError
from minillm.evaluate import evaluate
from minillm.model import Transformer, count_parameters
from minillm.optimizer import make_optimizers
from minillm.paths import write_json
from minillm.records import Record, append_line, cut_after, read_lines
from minillm.report import write_report
from minillm.runtime import (
    autocast,
    has_native,
    keep_freed_memory,
    loss_scaler,
    machine,
    matmul_flops_per_s,
    peak_memory_bytes,
    pick_device,
    usable_cores,
    versions,
)
from minillm.sampling import generate
from minillm.tokenizer import Tokenizer, course_tokenizer
from minillm.train import train


def pretrain(
    config: RunConfig,
    out: Path,
    *,
    resume: bool = False,
    device: str | None = None,
    say: Callable[[str], None] = print,
    progress: bool = True,
) -> dict:
    """Pretrain a model from nothing (or from where the run in `out` stopped) and return its report.

    `out` receives config.json, metrics.jsonl, evals.jsonl, samples.jsonl, checkpoints, loss.png, report.html and
    report.json. Raises a MinillmError, before anything is written, for settings, text or a folder that cannot work.
    """
    place = pick_device(device)
    autocast(place, config.train.precision)  # a wrong precision fails here, before the corpus is read
    check_folder(out, resume)
    tokenizer = course_tokenizer()
    check_vocabulary(config.model, tokenizer)
    tokens = prepare_tokens(
        config.source,
        tokenizer,
        part=config.corpus_part,
        held_out_bytes=config.held_out_bytes,
        filtered=config.filtered,
        say=say,
    )
    check_length(tokens, config.model)
    check_prompts(config, tokenizer)
    keep_freed_memory()
    with claimed(out), stop_on_signals() as stop:
        check_folder(out, resume)  # once more, now that no other process can write into it
        config = settle(config, out, tokens, place, say)
        torch.manual_seed(config.train.seed)
        model = Transformer(config.model).to(place)
        optimizers = make_optimizers(model, config.train)
        scaler = loss_scaler(place, config.train.precision)
        run = Run(out, config, tokenizer, tokens, model, optimizers, scaler, say)
        after = run.go_on() if resume else None
        finished = run.train(after, stop, progress)
        if not finished:
            say(f"Stopped and saved. To go on: minillm pretrain --resume --out {out} with the settings as before.")
            return {"finished": False, "out": str(out)}
        report = run.report()
    return report


def check_folder(out: Path, resume: bool) -> None:
    """Raise a CheckpointError if the run's folder holds something that this run would mix with."""
    if not out.exists():
        return
    if not out.is_dir():
        raise CheckpointError(f"{out} is a file.", "Name a folder with --out.")
    others = [path.name for path in out.iterdir() if path.name != ".lock" and not path.name.endswith(".part")]
    if others and not resume:
        raise CheckpointError(
            f"The folder {out} is not empty.",
            "Use --resume to go on with its run, or another --out for a new one.",
        )
    if others and "config.json" not in others:
        raise CheckpointError(f"{out} holds other files and no run.", "Use another --out.")


def check_vocabulary(config: ModelConfig, tokenizer: Tokenizer) -> None:
    """Raise a ConfigError if the tokenizer has ids that the model does not know."""
    if config.vocab_size < tokenizer.vocab_size:
        raise ConfigError(
            f"The model knows {config.vocab_size} tokens and the tokenizer has {tokenizer.vocab_size}.",
            f"Use vocab_size={tokenizer.vocab_size}.",
        )


def check_length(tokens: Tokens, config: ModelConfig) -> None:
    """Raise a DataError if a kind of text is too short for one sequence, or nothing is held out."""
    for kind, ids in tokens.train.items():
        if tokens.weights[kind] > 0 and len(ids) <= config.context_length:
            raise DataError(
                f"The {kind} text has {len(ids)} tokens to train on; one sequence takes {config.context_length + 1}.",
                "Give a longer text, or use a model with a shorter context.",
            )
    if not any(tokens.held_out_bytes.values()):
        raise DataError("No text is held out, so the loss could not be checked.", "Give a longer text.")


def check_prompts(config: RunConfig, tokenizer: Tokenizer) -> None:
    """Raise a ConfigError if a prompt, with the end-of-text before it, fills more than the context."""
    for prompt in config.prompts:
        n_tokens = 1 + len(tokenizer.encode(prompt))
        if n_tokens > config.model.context_length:
            raise ConfigError(
                f"The prompt '{prompt}' has {n_tokens} tokens and the model sees {config.model.context_length}.",
                "Shorten it, or use a model with a longer context.",
            )


@contextlib.contextmanager
def claimed(out: Path) -> Iterator[None]:
    """Hold the run's folder for this process alone; the system lets go of it even after a kill."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / ".lock").acquire(timeout=0)
    except Timeout:
        raise CheckpointError(
            f"Another process is training in {out}.", "Wait for it to end, or use another --out."
        ) from None
    except OSError as error:
        raise CheckpointError(
            f"The folder {out} cannot be written to ({error.strerror or error}).", "Use another --out."
        ) from None
    with lock:
        yield


@contextlib.contextmanager
def stop_on_signals() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and SIGTERM into a question the loop can ask: shall we stop after this step?"""
    received = []
    before = {}
    with contextlib.suppress(ValueError):  # only the main thread may set handlers; elsewhere signals stay as they are
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, lambda number, frame: received.append(number))
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def settle(config: RunConfig, out: Path, tokens: Tokens, device: torch.device, say: Callable[[str], None]) -> RunConfig:
    """Fix what is still open (steps and precision of a clock-limited run, threads) and keep it in config.json.

    A run that goes on takes the settings that it began with; a ConfigError names the first that was asked otherwise.
    """
    path = out / "config.json"
    if path.exists():
        began = read_run_config(path)
        check_same_request(began, config)
        torch.set_num_threads(began.train.threads)
        return began
    threads = config.train.threads or min(torch.get_num_threads(), usable_cores())
    torch.set_num_threads(threads)
    config = dataclasses.replace(config, train=dataclasses.replace(config.train, threads=threads))
    if config.minutes is None and config.train.precision == "auto":
        config = dataclasses.replace(config, train=dataclasses.replace(config.train, precision="fp32"))
    if config.minutes is not None:
        say("Measuring this machine for a few seconds ...")
        config = fix_by_clock(config, tokens, device)
        say(f"{config.minutes:g} minutes are {config.train.steps:,} steps here, in {config.train.precision}.")
    write_json(path, dataclasses.asdict(config))
    return config


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


def check_same_request(began: RunConfig, asked: RunConfig) -> None:
    """Raise a ConfigError if a run that goes on is asked for other settings than it began with."""
    if began.minutes is not None and began.minutes == asked.minutes:
        asked = dataclasses.replace(asked, train=dataclasses.replace(asked.train, steps=began.train.steps))
    elif asked.minutes is None:  # its own config.json, read with --config, has the steps already
        began = dataclasses.replace(began, minutes=None)
    if asked.train.precision == "auto":
        asked = dataclasses.replace(asked, train=dataclasses.replace(asked.train, precision=began.train.precision))
    if asked.train.threads is None:
        asked = dataclasses.replace(asked, train=dataclasses.replace(asked.train, threads=began.train.threads))
    for part, before, now in (
        ("", began, asked),
        ("model.", began.model, asked.model),
        ("train.", began.train, asked.train),
    ):
        for field in dataclasses.fields(before):
            was, wanted = getattr(before, field.name), getattr(now, field.name)
            if field.name not in ("model", "train") and was != wanted:
                raise ConfigError(
                    f"The run began with {part}{field.name} {was}, and now {wanted} is asked for.",
                    "Resume with the same settings, or start a new run with another --out.",
                )


def fix_by_clock(config: RunConfig, tokens: Tokens, device: torch.device) -> RunConfig:
    """Measure a step in each precision that may pay here; set the faster one and the steps that fill the minutes."""
    candidates = ["fp32"]
    if config.train.precision != "auto":
        candidates = [config.train.precision]
    elif device.type == "cuda":
        candidates = ["bf16"] if has_native("bf16", device) else ["fp16"]
    elif device.type == "cpu" and has_native("bf16", device):
        candidates.append("bf16")
    step_s = {precision: measure_step(config, precision, tokens, device) for precision in candidates}
    best = min(step_s, key=lambda precision: step_s[precision] * (0.95 if precision == "fp32" else 1.0))
    steps = max(10, int(config.minutes * 60 / step_s[best]), config.train.warmup_steps)
    return dataclasses.replace(config, train=dataclasses.replace(config.train, steps=steps, precision=best))


def measure_step(
    config: RunConfig, precision: str, tokens: Tokens, device: torch.device, seconds: float = 2.0
) -> float:
    """Return the median time of a training step, in seconds, on a model that is thrown away."""
    trial = dataclasses.replace(config.train, precision=precision, steps=1000, warmup_steps=0)
    model = Transformer(config.model).to(device)
    times, start = [], time.perf_counter()
    for record in train(model, tokens, trial, scaler=loss_scaler(device, precision)):
        times.append(config.train.batch_size * config.model.context_length / record.tokens_per_s)
        if len(times) >= 6 and time.perf_counter() - start > seconds:
            break
    return statistics.median(times[3:])  # the first steps also load and tune kernels


def sample_steps(steps: int, moments: int) -> list[int]:
    """Return the steps at which to sample: 0, then each later one the same factor further on, up to the last."""
    later = moments - 1
    return sorted({0, *(round(steps ** (i / later)) for i in range(1, later + 1))}) if later else [steps]


def eval_steps(steps: int, evaluations: int) -> list[int]:
    """Return the steps at which to evaluate: evenly spread, the last one at the end."""
    return sorted({max(1, round(steps * i / evaluations)) for i in range(1, evaluations + 1)})


class Run:
    """One run in its folder: what it needs at every step, and what it writes."""

    def __init__(
        self,
        out: Path,
        config: RunConfig,
        tokenizer: Tokenizer,
        tokens: Tokens,
        model: Transformer,
        optimizers: list[Optimizer],
        scaler: torch.amp.GradScaler | None,
        say: Callable[[str], None],
    ):
        self.out, self.config, self.tokenizer, self.tokens = out, config, tokenizer, tokens
        self.model, self.optimizers, self.scaler, self.say = model, optimizers, scaler, say
        self.evaluate_at = eval_steps(config.train.steps, config.evaluations)
        self.sample_at = sample_steps(config.train.steps, config.sample_moments)
        self.last_saved = time.monotonic()

    def go_on(self) -> Record | None:
        """Load the newest checkpoint that verifies and cut the records after it; None if there is none yet."""
        newest, set_aside = checkpoint.newest_whole(self.out / "checkpoints")
        for folder in set_aside:
            self.say(f"A damaged checkpoint was set aside as {folder}.")
        step, record = -1, None
        if newest is not None:
            state = checkpoint.read_state(newest)
            checkpoint.check_same(newest, state, self.config.model, self.state(state.record))
            checkpoint.load_weights(newest, self.model)
            checkpoint.load_training(newest, self.optimizers, self.scaler)
            step, record = state.record.step, state.record
            self.say(f"Going on after step {step}, from {newest}.")
        for name in ("metrics", "evals", "samples"):
            cut_after(self.out / f"{name}.jsonl", step)
        return record

    def state(self, record: Record) -> checkpoint.State:
        """Return what a checkpoint of this step says."""
        return checkpoint.State(record, self.tokens.fingerprint, self.tokenizer.fingerprint)

    def train(self, after: Record | None, stop: Callable[[], bool], progress: bool) -> bool:
        """Train to the last step, writing as it goes; False if it was stopped before, with a checkpoint."""
        steps = self.config.train.steps
        if after is None and 0 in self.sample_at:
            self.sample(0)
        records = train(
            self.model,
            self.tokens,
            self.config.train,
            optimizers=self.optimizers,
            scaler=self.scaler,
            after=after,
        )
        bar = tqdm(
            total=steps,
            initial=after.step if after else 0,
            disable=not progress,
            unit="step",
            dynamic_ncols=True,
            mininterval=0.5 if sys.stderr.isatty() else 10,  # a log file wants few lines
        )
        try:
            for record in records:
                stopping = stop()  # asked once: a signal that comes later finds its step not yet saved
                self.after_step(record, stopping)
                bar.set_postfix_str(
                    f"loss {record.train_loss_nats:.2f}, {record.tokens_per_s:,.0f} tokens/s", refresh=False
                )
                bar.update()
                if stopping and record.step < steps:
                    return False
        except TrainingError as error:
            newest, _ = checkpoint.newest_whole(self.out / "checkpoints")
            last = f"Last good checkpoint: {newest}." if newest else "There is no checkpoint yet."
            raise TrainingError(error.cause, f"{error.remedy} {last}") from None
        except torch.OutOfMemoryError:
            size, parts = self.config.train.batch_size, self.config.train.micro_batches
            finer = next((n for n in range(parts + 1, size + 1) if size % n == 0), None)
            raise TrainingError(
                f"A batch of {size} sequences in {parts} parts does not fit into the device's memory.",
                f"Use --micro-batches {finer}: the same update in less memory." if finer else "Use a smaller --size.",
            ) from None
        except OSError as error:  # metrics, evaluations or samples; a checkpoint's failure is met where it is saved
            raise TrainingError(
                f"The run could not write into {self.out} ({error.strerror or error}).",
                "Free some space, then use --resume to go on from the last checkpoint.",
            ) from None
        finally:
            bar.close()
        return True

    def after_step(self, record: Record, stopping: bool) -> None:
        """Write what this step measured, and where due an evaluation, samples and a checkpoint, in this order."""
        append_line(self.out / "metrics.jsonl", record)
        if record.step in self.evaluate_at:
            self.evaluate(record)
        if record.step in self.sample_at:
            self.sample(record.step)
        every, last = self.config.train.checkpoint_every, record.step == self.config.train.steps
        due = every and record.step % every == 0
        late = time.monotonic() - self.last_saved > 60 * self.config.train.checkpoint_minutes
        if due or late or last or stopping:
            self.save(record, must=last or stopping)

    def save(self, record: Record, must: bool) -> None:
        """Write a checkpoint; on a full disk warn and go on, or raise if this was the last chance."""
        try:
            checkpoint.save_checkpoint(
                self.out / "checkpoints",
                self.model,
                self.optimizers,
                self.config.train,
                self.state(record),
                scaler=self.scaler,
                keep_last=self.config.train.keep_last,
            )
        except OSError as error:
            cause = f"The checkpoint of step {record.step} could not be written ({error.strerror or error})."
            if must:
                raise CheckpointError(cause, "Free some space, then use --resume.") from None
            self.say(f"Warning: {cause} Training goes on; older checkpoints are kept.")
        self.last_saved = time.monotonic()

    def evaluate(self, record: Record) -> None:
        """Measure the model on all held-out text and add a line to evals.jsonl."""
        result = evaluate(self.model, self.tokens)
        line = {"step": record.step, "tokens_seen": record.tokens_seen, "elapsed_s": record.elapsed_s}
        append_line(self.out / "evals.jsonl", {**line, **dataclasses.asdict(result)})

    def sample(self, step: int) -> None:
        """Complete each prompt and add a line for each to samples.jsonl."""
        for seed, prompt in enumerate(self.config.prompts):
            settings = {"temperature": 0.8, "seed": seed}
            text = generate(self.model, self.tokenizer, prompt, 60, **settings)
            append_line(self.out / "samples.jsonl", {"step": step, "prompt": prompt, "text": text, **settings})

    def report(self) -> dict:
        """Write loss.png, report.html and report.json from the run's own records; return the report."""
        if (self.out / "report.json").exists():
            return json.loads((self.out / "report.json").read_text(encoding="utf-8"))
        metrics, evals, samples = (read_lines(self.out / f"{name}.jsonl") for name in ("metrics", "evals", "samples"))
        last, config = metrics[-1], self.config
        flops = training_flops(config.model, last["tokens_seen"])
        rate = matmul_flops_per_s(self.model.device, config.train.precision)
        report = {
            "finished": True,
            "parameters": count_parameters(self.model),
            "steps": last["step"],
            "tokens_seen": last["tokens_seen"],
            "elapsed_s": last["elapsed_s"],
            "wall_s": last["wall_s"],
            "tokens_per_s": last["tokens_seen"] / last["elapsed_s"],
            "val_loss_nats": evals[-1]["val_loss_nats"],
            "val_perplexity": evals[-1]["val_perplexity"],
            "val_bits_per_byte": evals[-1]["val_bits_per_byte"],
            "bits_per_byte_by_kind": evals[-1]["bits_per_byte_by_kind"],
            "flops": flops,
            "mfu": flops / last["elapsed_s"] / rate,
            "matmul_flops_per_s": rate,
            "peak_memory_bytes": peak_memory_bytes(self.model.device),
            "corpus_fingerprint": self.tokens.fingerprint,
            "tokenizer_fingerprint": self.tokenizer.fingerprint,
            "precision": config.train.precision,
            "threads": config.train.threads,
            "versions": versions(),
            "machine": machine(),
            "checkpoint": str(checkpoint.list_checkpoints(self.out / "checkpoints")[-1]),
            "out": str(self.out),
        }
        write_report(self.out, report, metrics, evals, samples, math.log(config.model.vocab_size))
        write_json(self.out / "report.json", report)
        return report
