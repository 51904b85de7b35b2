"""The whole story on one page: a text becomes tokens, batches, losses, weights, a checkpoint, samples and a report.

`pretrain` reads from top to bottom; the functions below it, in the order in which it calls them, are its steps.
"""

import contextlib
import dataclasses
import json
import math
import shlex
import signal
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
from minillm.config import RunConfig
from minillm.cost import training_flops
from minillm.errors import CheckpointError, TrainingError
from minillm.evaluate import evaluate
from minillm.model import Transformer, n_parameters
from minillm.optimizer import make_optimizers
from minillm.paths import write_json
from minillm.records import Record, append_line, cut_after, read_lines
from minillm.report import write_report
from minillm.runtime import (
    keep_freed_memory,
    loss_scaler,
    machine,
    matmul_flops_per_s,
    peak_memory_bytes,
    versions,
)
from minillm.sampling import generate
from minillm.settings import as_it_began, check_machine, check_text, settle
from minillm.tokenizer import Tokenizer, course_tokenizer
from minillm.train import train


def pretrain(
    config: RunConfig,
    out: Path,
    *,
    resume: bool = False,
    say: Callable[[str], None] = lambda line: None,
    progress: bool = True,
) -> dict:
    """Pretrain a model from nothing (or from where the run in `out` stopped) and return its report.

    `out` receives config.json, metrics.jsonl, evals.jsonl, samples.jsonl, checkpoints, loss.png, report.html and
    report.json. Raises a MinillmError, before anything is written, for settings, text or a folder that cannot work.
    """
    check_folder(out, resume)
    if resume:
        config = as_it_began(config, out)
    device = check_machine(config)
    tokenizer = course_tokenizer()
    # files -> documents -> filters, duplicates, split (corpus) -> ids by kind (tokenizer), cached by fingerprint
    tokens = prepare_tokens(
        config.source,
        tokenizer,
        part=config.corpus_part,
        held_out_bytes=config.held_out_bytes,
        filtered=config.filtered,
        say=say,
    )
    check_text(config, tokens, tokenizer)
    keep_freed_memory()
    with claimed(out), stop_on_signals(say) as stop:
        check_folder(out, resume)  # once more, now that no other process can write into it
        config = settle(config, out, tokens, device, say)
        # ids -> batches -> logits -> loss -> weights (train), with checkpoints, evaluations and samples on the way
        torch.manual_seed(config.train.seed)
        model = Transformer(config.model).to(device)
        optimizers = make_optimizers(model, config.train)
        scaler = loss_scaler(device, config.train.precision)
        run = Run(out, config, tokenizer, tokens, model, optimizers, scaler, say)
        after = run.go_on() if resume else None
        finished = run.train(after, stop, progress)
        if not finished:
            words = ["minillm", "pretrain", "--config", str(out / "config.json"), "--resume", "--out", str(out)]
            say(f"Stopped and saved. To go on: {shlex.join(words)}")
            return {"finished": False, "out": str(out)}
        # everything written -> loss.png, report.html, report.json
        return run.report()


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
def stop_on_signals(say: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and SIGTERM into a question the loop can ask: shall we stop after this step?

    A second signal does not wait: it raises KeyboardInterrupt, and the run goes on later from its last checkpoint.
    """
    received = []
    before = {}

    def receive(number: int, frame: object) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)
        say("Stopping after this step, with a checkpoint. Once more to stop at once.")

    with contextlib.suppress(ValueError):  # only the main thread may set handlers; elsewhere signals stay as they are
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, receive)
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if type(error) is RuntimeError and "can't allocate memory" not in str(error):
                raise  # the CPU's allocator has no error class of its own
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
        saved = str(checkpoint.list_checkpoints(self.out / "checkpoints")[-1])
        with contextlib.suppress(OSError, ValueError):  # a run that had ended keeps its report, wherever it lies now
            done = json.loads((self.out / "report.json").read_text(encoding="utf-8"))
            return {**done, "out": str(self.out), "checkpoint": saved}
        metrics, evals, samples = (read_lines(self.out / f"{name}.jsonl") for name in ("metrics", "evals", "samples"))
        last, config = metrics[-1], self.config
        flops = training_flops(config.model, last["tokens_seen"])
        rate = matmul_flops_per_s(self.model.device, config.train.precision)
        report = {
            "finished": True,
            "parameters": n_parameters(self.model),
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
            "device": self.model.device.type,
            "precision": config.train.precision,
            "threads": config.train.threads,
            "versions": versions(),
            "machine": machine(),
            "checkpoint": saved,
            "out": str(self.out),
        }
        write_report(self.out, report, metrics, evals, samples, math.log(config.model.vocab_size))
        write_json(self.out / "report.json", report)
        return report
