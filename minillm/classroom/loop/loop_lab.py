"""The experiments of notebook 05 on the loop: its rate, its batch, clipping, schedule, and stopping half-way.

Here a token is a character, so that a run takes seconds. V different tokens, B sequences in a batch, T in a sequence.
Runs are generators: they yield what `runs.stream` can record.
"""

import dataclasses
import functools
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from minillm import checkpoint
from minillm.batches import Tokens, get_batch, prepare_tokens
from minillm.classroom.threads import one_thread
from minillm.config import ModelConfig, TrainConfig
from minillm.errors import ConfigError, TrainingError
from minillm.evaluate import windows
from minillm.loss import cross_entropy, token_surprise
from minillm.model import Transformer
from minillm.optimizer import make_optimizers
from minillm.records import Record
from minillm.sampling import generate_ids
from minillm.tokenizer import END_OF_TEXT, course_tokenizer
from minillm.train import train, train_step

ALPHABET = "\n abcdefghijklmnopqrstuvwxyz.,-;"
"""The 32 characters that the notebook's models know; ln 32 nats are 5 bits."""

MODEL = ModelConfig(n_layers=2, d_model=64, n_heads=1, vocab_size=len(ALPHABET), context_length=32)
TRAINING = TrainConfig(steps=150, batch_size=16, optimizer="adamw", learning_rate=0.003, schedule="constant")
RATES = (0.0003, 0.003, 0.03, 0.3)
HELD_OUT = 8192
"""Held-out characters that a small run is scored on."""
LINES_STEPS = 120
BAD_STEP, BAD_RUN_STEPS = 90, 110
DECAY_TRAINING = dataclasses.replace(TRAINING, steps=240, learning_rate=0.01, schedule="wsd", decay_fraction=0.4)
STOP_TRAINING = dataclasses.replace(TRAINING, steps=80, learning_rate=0.01, warmup_steps=10)
SAVED_STEP, KILLED_STEP = 40, 53
RESUMED = {
    "weights": {"optimizer": False, "step": False},
    "weights, step": {"optimizer": False, "step": True},
    "weights, step, optimizer": {"optimizer": True, "step": True},
}
"""What a resumed run gets back from the checkpoint, by name."""


# --- the text


@functools.cache
def speeches() -> tuple[str, str, str]:
    """Return speeches of US presidents in the alphabet's characters: to train on, held out, and the fingerprint."""
    tokenizer = course_tokenizer()
    tokens = prepare_tokens("embedded", tokenizer, part=0.04, held_out_bytes=20_000)
    texts = []
    for streams in (tokens.train, tokens.held_out):
        text = tokenizer.decode_bytes(streams["books"].tolist()).decode("utf-8")
        text = text.replace(END_OF_TEXT, "\n").lower()
        texts.append("".join(c for c in text if c in ALPHABET))
    return *texts, tokens.fingerprint


def encode(text: str) -> list[int]:
    """Return the ids of a text: a character's place in the alphabet."""
    return [ALPHABET.index(character) for character in text]


def decode(ids: Sequence[int]) -> str:
    """Return the text of ids."""
    return "".join(ALPHABET[i] for i in ids)


@functools.cache
def characters() -> Tokens:
    """Return the speeches as a corpus of characters, as `get_batch` and `train` take it."""
    train_text, held_out_text, fingerprint = speeches()
    train_ids, held_out_ids = (np.array(encode(text), dtype=np.uint16) for text in (train_text, held_out_text))
    return Tokens(
        {"speeches": train_ids},
        {"speeches": held_out_ids},
        {"speeches": len(held_out_ids)},
        {"speeches": 1.0},
        fingerprint,
        {},
    )


# --- small things that every run needs


def new_model(config: ModelConfig = MODEL, seed: int = 0) -> Transformer:
    """Return an untrained model whose weights the seed decides."""
    torch.manual_seed(seed)
    return Transformer(config)


@torch.no_grad()
def held_out_loss(model: Transformer, count: int = HELD_OUT) -> float:
    """Return the model's mean surprise at the next character of the held-out text, in nats."""
    ids = characters().held_out["speeches"][: count + 1]
    total = 0.0
    for inputs, targets in windows(ids, model.config.context_length, 64):
        total += token_surprise(model(inputs), targets).double().sum().item()
    return total / count


def write(model: Transformer, prompt: str, count: int, *, temperature: float = 0.8, seed: int = 0) -> str:
    """Return what the model writes after a prompt."""
    return decode(list(generate_ids(model, encode(prompt), count, temperature=temperature, seed=seed)))


def training_losses(config: TrainConfig, seed: int, model: Transformer | None = None) -> Iterator[dict]:
    """Train a model and yield each step's loss and gradient norm; stops early where the run diverges."""
    model = model or new_model(seed=seed)
    with one_thread():
        try:
            for record in train(model, characters(), dataclasses.replace(config, seed=seed)):
                yield {"step": record.step, "train_loss_nats": record.train_loss_nats, "grad_norm": record.grad_norm}
        except TrainingError:
            return


# --- the lesson's five lines, as they stand


def five_lines(*, shift: bool, steps: int = LINES_STEPS, seed: int = 0) -> Iterator[tuple[int, float, Transformer]]:
    """Run the lesson's loop: predict from a batch, compare with the same batch (shifted or not), update."""
    ids = torch.from_numpy(characters().train["speeches"].astype(np.int64))
    model = new_model(seed=seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.003)
    for step in range(steps):
        batch = ids[512 * step : 512 * (step + 1)].view(16, 32)
        predictions = model(batch)
        loss = cross_entropy(predictions[:, :-1], batch[:, 1:]) if shift else cross_entropy(predictions, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield step + 1, loss.item(), model


def watch_five_lines(*, shift: bool, steps: int = LINES_STEPS, seed: int = 0) -> Iterator[dict]:
    """Run the lesson's loop and yield its losses; the last record has more.

    `asked_loss_nats` is the held-out surprise at the next character, `copied` the share of held-out positions where
    the likeliest token is the one just given, `text` what the model writes.
    """
    with one_thread():
        for step, loss, model in five_lines(shift=shift, steps=steps, seed=seed):
            record = {"step": step, "train_loss_nats": loss}
            if step == steps:
                record["asked_loss_nats"] = held_out_loss(model)
                record["copied"] = copied_share(model)
                record["text"] = write(model, "the people of t", 45)
            yield record


@torch.no_grad()
def copied_share(model: Transformer, count: int = HELD_OUT) -> float:
    """Return the share of held-out positions at which the likeliest next token is the token just given."""
    ids = characters().held_out["speeches"][: count + 1]
    copied = sum((model(x).argmax(-1) == x).sum().item() for x, _ in windows(ids, model.config.context_length, 64))
    return copied / count


# --- rate, batch, clipping, schedule


def compare_rates(rates: Sequence[float] = RATES, *, steps: int = TRAINING.steps, seed: int = 0) -> Iterator[dict]:
    """Train the same model with each rate; yield the steps of one after those of another, the last with its score."""
    for rate in rates:
        config = dataclasses.replace(TRAINING, learning_rate=rate, steps=steps)
        yield from scored({"rate": rate}, config, seed)


def compare_batches(sizes: Sequence[tuple[int, int]], *, seed: int = 0) -> Iterator[dict]:
    """Train the same model with each pair of batch size and steps, as `compare_rates` does with rates."""
    for batch_size, steps in sizes:
        config = dataclasses.replace(TRAINING, batch_size=batch_size, steps=steps)
        yield from scored({"batch_size": batch_size, "steps": steps}, config, seed)


def scored(about: dict, config: TrainConfig, seed: int) -> Iterator[dict]:
    """Train one model and yield its steps, each with `about`; the last has the held-out loss too."""
    model = new_model(seed=seed)
    for record in training_losses(config, seed, model):
        if record["step"] == config.steps:
            record["held_out_loss_nats"] = held_out_loss(model)
        yield about | record


def meet_bad_batch(optimizer: str, grad_clip: float, *, bad: bool = True, seed: int = 0) -> Iterator[dict]:
    """Train, meet one batch of nothing but the letter z at step BAD_STEP, and go on; yield loss and gradient norm.

    optimizer: `sgd` (plain descent with momentum) or `adamw`. The norm is the one before clipping. Ends early where the
    run diverges.
    """
    model = new_model(seed=seed)
    if optimizer == "sgd":
        optimizers = [torch.optim.SGD(model.parameters(), lr=0.4, momentum=0.9)]
    elif optimizer == "adamw":
        optimizers = make_optimizers(model, TRAINING)
    else:
        raise ConfigError(f"optimizer '{optimizer}' is unknown.", "Use sgd or adamw.")
    z = ALPHABET.index("z")
    with one_thread():
        for step in range(1, BAD_RUN_STEPS + 1):
            inputs, targets = get_batch(
                characters(), seed=seed, step=step, batch_size=TRAINING.batch_size, context_length=MODEL.context_length
            )
            if bad and step == BAD_STEP:
                inputs, targets = torch.full_like(inputs, z), torch.full_like(targets, z)
            try:
                loss, norm = train_step(model, optimizers, inputs, targets, grad_clip=grad_clip)
            except TrainingError:  # the blow was fatal
                return
            yield {"step": step, "train_loss_nats": loss, "grad_norm": norm}


def compare_endings(*, seed: int = 0, every: int = 12) -> Iterator[dict]:
    """Train with a constant rate and with one that comes down at the end; yield rate and held-out loss now and then."""
    for schedule in ("constant", "wsd"):
        config = dataclasses.replace(DECAY_TRAINING, schedule=schedule, seed=seed)
        model = new_model(seed=seed)
        with one_thread():
            for record in train(model, characters(), config):
                if record.step % every == 0:
                    loss = held_out_loss(model)
                    yield {"schedule": schedule, "step": record.step, "lr": record.lr, "held_out_loss_nats": loss}


# --- stop and go on


def run_to_the_end(folder: Path, *, seed: int = 0, killed: int | None = None) -> Iterator[Record]:
    """Train, saving a checkpoint at SAVED_STEP; `killed` is a step after which nothing more happens."""
    config = dataclasses.replace(STOP_TRAINING, seed=seed)
    model = new_model(seed=seed)
    optimizers = make_optimizers(model, config)
    with one_thread():
        for record in train(model, characters(), config, optimizers=optimizers):
            if record.step == SAVED_STEP:
                state = checkpoint.State(record, characters().fingerprint, "characters")
                checkpoint.save_checkpoint(folder, model, optimizers, config, state)
            yield record
            if record.step == killed:
                return


def go_on(saved: Path, *, optimizer: bool = True, step: bool = True) -> Iterator[Record]:
    """Go on from a checkpoint to the run's last step, with or without the optimizer's state and the step."""
    model_config, config = checkpoint.read_configs(saved)
    model = Transformer(model_config)
    checkpoint.load_weights(saved, model)
    optimizers = make_optimizers(model, config)
    if optimizer:
        checkpoint.load_training(saved, optimizers)
    after: Record | None = checkpoint.read_state(saved).record
    if not step:  # it takes itself to be at the start: the first batches and the warm-up once more
        config, after = dataclasses.replace(config, steps=config.steps - after.step), None
    with one_thread():
        yield from train(model, characters(), config, optimizers=optimizers, after=after)


def stop_and_go_on(*, seed: int = 0) -> Iterator[dict]:
    """Train without a stop; then once more, killed at KILLED_STEP, and resumed with all and with less; yield steps.

    The records of one run come after those of another; `run` says which.
    """
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(kept)
        for record in run_to_the_end(folder / "whole", seed=seed):
            yield {"run": "never stopped", "step": record.step, "train_loss_nats": record.train_loss_nats}
        for record in run_to_the_end(folder / "killed", seed=seed, killed=KILLED_STEP):
            yield {"run": "killed", "step": record.step, "train_loss_nats": record.train_loss_nats}
        saved = folder / "killed" / f"step-{SAVED_STEP:06d}"
        for name, what in RESUMED.items():
            for place, record in enumerate(go_on(saved, **what), start=SAVED_STEP + 1):
                yield {"run": name, "step": place, "train_loss_nats": record.train_loss_nats}


def losses_of(records: Iterable[dict], run: str, after: int = 0) -> list[float]:
    """Return the losses of one run of several, after a step."""
    return [r["train_loss_nats"] for r in records if r["run"] == run and r["step"] > after]


def unlike(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the largest difference between two lists of losses, place by place, in nats."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True))
