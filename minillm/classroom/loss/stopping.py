"""When to stop a run: loss curves that unroll in chunks, a price for compute, and a score against plan and hindsight.

A chunk is a twelfth of a run. Losses are held-out losses in nats.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from minillm.batches import Tokens
from minillm.classroom.loss import known_entropy
from minillm.classroom.threads import one_thread
from minillm.config import ModelConfig, TrainConfig
from minillm.errors import ConfigError
from minillm.evaluate import stream_nats
from minillm.loss import cross_entropy
from minillm.model import Transformer
from minillm.optimizer import make_optimizers, rate_factor, set_rates
from minillm.runtime import keep_freed_memory
from minillm.train import train, train_step

CHUNKS = 12
PRICE_NATS = 0.02
"""What a chunk costs: so much must the loss fall to be worth it."""
FLAT_NATS = 0.02
"""A loss has stabilised, to the rule that watches it, after a chunk that brought less than this."""
MODEL = ModelConfig(n_layers=2, d_model=64, n_heads=1, context_length=64)
TRAINING = TrainConfig(steps=240, batch_size=12, schedule="constant")
SMALL_TOKENS, EPOCHS = 12_000, 4
HELD_OUT_TOKENS = 3000
COPY_SYMBOLS, COPY_LENGTH = 64, 16


# --- the runs


def read_text(
    tokens: Tokens, *, schedule: str = "constant", small: bool = False, steps: int = TRAINING.steps, seed: int = 0
) -> Iterator[dict]:
    """Train a small model on the text, or on its first 12,000 tokens again and again; yield a record a step.

    After every twentieth step, and before the first as step 0, the record has the held-out loss. `wsd` brings the rate
    down to 0 over the last two fifths of the steps.
    """
    keep_freed_memory()
    stream = np.asarray(tokens.train["books"])
    text = dataclasses.replace(tokens, train={"books": stream[:SMALL_TOKENS] if small else stream})
    held_out = np.asarray(tokens.held_out["books"])[: HELD_OUT_TOKENS + 1]
    torch.manual_seed(seed)
    model = Transformer(MODEL)
    config = dataclasses.replace(TRAINING, steps=steps, schedule=schedule, seed=seed)
    yield {"step": 0, "held_out_loss_nats": stream_nats(model, held_out) / HELD_OUT_TOKENS}
    for record in train(model, text, config):
        made = {"step": record.step, "train_loss_nats": record.train_loss_nats}
        if record.step % (TRAINING.steps // CHUNKS) == 0 or record.step == steps:
            made["held_out_loss_nats"] = stream_nats(model, held_out) / HELD_OUT_TOKENS
        yield made


def planned_steps() -> int:
    """Return the steps in which the small text is read four times."""
    return round(EPOCHS * SMALL_TOKENS / (TRAINING.batch_size * MODEL.context_length))


def copies(sequences: int, rng: np.random.Generator) -> torch.Tensor:
    """Return sequences [B, 32] of sixteen symbols that are then said again; low symbols are more frequent."""
    shares = np.arange(1, COPY_SYMBOLS + 1) ** -0.6
    half = rng.choice(COPY_SYMBOLS, size=(sequences, COPY_LENGTH), p=shares / shares.sum())
    return torch.from_numpy(np.concatenate([half, half], 1))


def read_copies(*, seed: int = 0, steps: int = 720) -> Iterator[dict]:
    """Train a model on text that is said twice, which it must discover; yield records as `read_text` does."""
    keep_freed_memory()
    torch.manual_seed(seed)
    shape = ModelConfig(2, 32, 1, vocab_size=COPY_SYMBOLS, context_length=2 * COPY_LENGTH)
    config = TrainConfig(
        steps=steps, batch_size=32, optimizer="adamw", learning_rate=0.003, schedule="constant", weight_decay=0.0
    )
    held_out = copies(200, np.random.default_rng([seed, 1]))
    yield from _chunked(Transformer(shape), config, lambda rng: copies(32, rng), held_out, seed)


def read_known_source(*, seed: int = 0, steps: int = 360) -> Iterator[dict]:
    """Train a model on a source of known entropy; yield records as `read_text` does."""
    keep_freed_memory()
    source = known_entropy.make_source(seed)
    held_out = torch.from_numpy(source.sample(200, known_entropy.CONTEXT + 1, seed=1_900_000_000 + seed))
    config = dataclasses.replace(known_entropy.TRAINING, steps=steps, schedule="constant", learning_rate=0.005)

    def draw(rng):
        return torch.from_numpy(source.sample(16, known_entropy.CONTEXT + 1, seed=int(rng.integers(2**40))))

    yield from _chunked(known_entropy.make_model(seed), config, draw, held_out, seed)


def _chunked(model: Transformer, config: TrainConfig, draw, held_out: torch.Tensor, seed: int) -> Iterator[dict]:
    """Train on what `draw(rng)` gives; yield a record a step, twelve of them and step 0 with the held-out loss."""

    def measure() -> float:
        with torch.no_grad():
            return cross_entropy(model(held_out[:, :-1]), held_out[:, 1:]).item()

    optimizers, rng = make_optimizers(model, config), np.random.default_rng(seed)
    every = -(-config.steps // CHUNKS)
    yield {"step": 0, "held_out_loss_nats": measure()}
    for step in range(1, config.steps + 1):
        set_rates(optimizers, rate_factor(config, step))
        batch = draw(rng)
        made = {"step": step, "train_loss_nats": train_step(model, optimizers, batch[:, :-1], batch[:, 1:])[0]}
        if step % every == 0 or step == config.steps:
            made["held_out_loss_nats"] = measure()
        yield made


RUNS = {
    "new": "New text all the time; the learning rate comes down over the last two fifths of the plan.",
    "small": "The same 12,000 tokens again and again; the plan was another run, which reads them four times while the "
    "rate comes down.",
    "copies": "Text that is said twice, which the model has to discover; the plan was all twelve chunks.",
    "known": "A source of known entropy; the plan was all twelve chunks.",
}
"""What each run of the game was, told when it has been played."""
CONSTANT, FOUR_TIMES = "new, constant rate", "small, four times"


def all_runs(tokens: Tokens, *, seed: int = 0) -> Iterator[dict]:
    """Train the runs of the game and two more to compare with, one after another; each record names its `run`."""
    made = {
        "new": read_text(tokens, schedule="wsd", seed=seed),
        "small": read_text(tokens, small=True, seed=seed),
        "copies": read_copies(seed=seed),
        "known": read_known_source(seed=seed),
        CONSTANT: read_text(tokens, seed=seed),
        FOUR_TIMES: read_text(tokens, small=True, schedule="wsd", steps=planned_steps(), seed=seed),
    }
    with one_thread():
        for name, records in made.items():
            for record in records:
                yield {"run": name, **record}


# --- the game


@dataclass(frozen=True)
class Run:
    """A run as the game sees it: the held-out loss at its start and after each chunk, and the chunks planned."""

    name: str
    losses: tuple[float, ...]
    planned: int
    planned_loss: float | None = None
    """Where a run that was planned to end there ended; None: this run is the planned one."""

    @property
    def plan_cost(self) -> float:
        """The loss of the planned run plus what its chunks cost, in nats."""
        loss = self.losses[self.planned] if self.planned_loss is None else self.planned_loss
        return loss + PRICE_NATS * self.planned

    def cost(self, chunks: int) -> float:
        """Return the loss when stopped after so many chunks, plus what they cost, in nats."""
        return self.losses[chunks] + PRICE_NATS * chunks

    @property
    def best(self) -> int:
        """The chunks after which stopping would have cost least: known in hindsight alone."""
        return min(range(len(self.losses)), key=self.cost)

    @property
    def stabilised(self) -> int:
        """The chunks after which a rule stops that waits until a chunk brings less than 0.02 nats."""
        for chunks in range(1, len(self.losses)):
            if self.losses[chunks - 1] - self.losses[chunks] < FLAT_NATS:
                return chunks
        return len(self.losses) - 1

    def __repr__(self) -> str:
        return f"A run of {len(self.losses) - 1} chunks. Watch it with stopping.watch(run, 3)."


def game_runs(records: Sequence[dict]) -> list[Run]:
    """Return the four runs of the game from the records of `all_runs`."""
    losses = {name: tuple(held_out(records, name)) for name in RUNS}
    small = Run(
        "small", losses["small"], round(CHUNKS * planned_steps() / TRAINING.steps), held_out(records, FOUR_TIMES)[-1]
    )
    return [small if name == "small" else Run(name, losses[name], CHUNKS) for name in RUNS]


def held_out(records: Sequence[dict], name: str) -> list[float]:
    """Return the held-out losses of one run, the first before its first step."""
    return [r["held_out_loss_nats"] for r in records if r["run"] == name and "held_out_loss_nats" in r]


def training(records: Sequence[dict], name: str) -> list[float]:
    """Return the training losses of one run, each the mean over a chunk; the first is that of its first step."""
    losses = [r["train_loss_nats"] for r in records if r["run"] == name and "train_loss_nats" in r]
    size = -(-len(losses) // CHUNKS)
    return [losses[0], *(float(np.mean(losses[i : i + size])) for i in range(0, len(losses), size))]


@dataclass(frozen=True)
class Outcome:
    """What stopping cost in one run, in nats above the best in hindsight; `you` is None if you did not play."""

    name: str
    chunks: dict[str, int]
    above: dict[str, float]

    @property
    def you(self) -> float | None:
        """What you paid above hindsight."""
        return self.above.get("you")

    def __repr__(self) -> str:
        paid = [f"{who} after {self.chunks[who]}: {nats + 0.0:.2f}" for who, nats in self.above.items()]
        return f"{RUNS[self.name]}\nNats above the best in hindsight. Stopped {'; '.join(paid)}."


def checked(run: Run, chunks: int) -> int:
    """Return the chunks if the run has so many; ConfigError if not."""
    if isinstance(chunks, bool) or not isinstance(chunks, int) or not 0 <= chunks < len(run.losses):
        raise ConfigError(
            f"{chunks!r} chunks are not possible.", f"Use a whole number from 0 to {len(run.losses) - 1}."
        )
    return chunks


def play(run: Run, chunks: int | None = None) -> Outcome:
    """Stop a run after so many chunks and compare with the rule, the plan and hindsight; None: you do not play."""
    stops = {} if chunks is None else {"you": checked(run, chunks)}
    stops |= {"watching": run.stabilised, "plan": run.planned, "hindsight": run.best}
    least = run.cost(run.best)
    costs = {who: run.cost(at) for who, at in stops.items()} | {"plan": run.plan_cost}
    return Outcome(run.name, stops, {who: cost - least for who, cost in costs.items()})


def watch(run: Run, chunks: int) -> str:
    """Return the losses so far as text, a line a chunk: what the form of the game draws."""
    shown = run.losses[: checked(run, chunks) + 1]
    return "\n".join(f"after {n:2} chunks: loss {loss:.2f}, paid {PRICE_NATS * n:.2f}" for n, loss in enumerate(shown))


def scoreboard(outcomes: Sequence[Outcome]) -> dict[str, list]:
    """Return the outcomes as columns, nats above hindsight, with the means in the last row."""
    columns = {"run": [*(o.name for o in outcomes), "mean"]}
    for who in ("you", "watching", "plan"):
        paid = [o.above.get(who) for o in outcomes]
        played = [p for p in paid if p is not None]
        mean = sum(played) / len(played) if played else None
        columns[who] = ["-" if p is None else f"{p:.2f}" for p in [*paid, mean]]
    return columns
