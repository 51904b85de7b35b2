"""A small training run with one method for each thing that can go wrong, and with everything written down.

B sequences in a batch, T bytes in a sequence, V = 256 different bytes. A run takes a few seconds and reads made
stories, other ones with each seed.
"""

import itertools
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from minillm.config import ModelConfig, TrainConfig
from minillm.corpus.synthetic import stories
from minillm.loss import cross_entropy
from minillm.model import Transformer
from minillm.optimizer import gradient_norm, make_optimizers, rate_factor, set_rates
from minillm.sampling import generate_ids

MODEL = ModelConfig(
    n_layers=2, d_model=64, n_heads=2, vocab_size=256, context_length=32, form="gpt2", tied=False, d_hidden=128
)
TRAINING = TrainConfig(steps=130, batch_size=32, weight_decay=0.0, warmup_steps=5)
LOOK_EVERY = 5
"""Steps between looks at the held-out loss and the updates."""
STORIES, HELD_OUT_STORIES = 400, 8
PROMPT = "One morning "
SAMPLE_BYTES = 100
PARTS = {
    "embedding": "token_embedding.",
    "attention": ".attention.",
    "feed-forward": ".feed_forward.",
    "head": "head.",
}
"""The parts whose updates are looked at, and what the names of their parameters hold."""


class Run:
    """A run as it should be; a fault is a subclass that changes one method."""

    def __init__(self, seed: int):
        torch.manual_seed(seed)
        self.rng = np.random.default_rng(seed)
        told = list(itertools.islice(stories(seed), HELD_OUT_STORIES + STORIES))
        self.held_out_text = "\n".join(told[:HELD_OUT_STORIES])
        self.train_text = self.choose_text(told[HELD_OUT_STORIES:])
        self.train_ids, self.held_out_ids = self.encode(self.train_text), self.encode(self.held_out_text)
        self.model = self.build()
        self.optimizers = make_optimizers(self.model, TRAINING)

    def choose_text(self, told: list[str]) -> str:
        """Return the text to train on: these stories, none of which is held out."""
        return "\n".join(told)

    def encode(self, text: str) -> np.ndarray:
        """Return the text's bytes as ids."""
        return np.frombuffer(text.encode("utf-8"), np.uint8).astype(np.int64)

    def build(self) -> Transformer:
        """Return the model before its first step."""
        return Transformer(MODEL)

    def draw(self, step: int) -> Tensor:
        """Return pieces of the training text from random places, [B, T + 1]."""
        starts = self.rng.integers(len(self.train_ids) - MODEL.context_length, size=TRAINING.batch_size)
        return torch.from_numpy(self.train_ids[starts[:, None] + np.arange(MODEL.context_length + 1)])

    def cut(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Return inputs and targets [B, T]: each target is the byte that comes next."""
        return windows[:, :-1], windows[:, 1:]

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean surprise in nats."""
        return cross_entropy(logits, targets)

    def rate(self, step: int) -> float:
        """Return the learning rate as a share of its peak: up, steady, down to zero."""
        return rate_factor(TRAINING, step)

    def zero_gradients(self) -> None:
        """Forget the last step's gradients: backward() adds to what is there."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    def clip(self) -> float:
        """Shorten a gradient that is too long; return the length that it had."""
        return gradient_norm(self.model, TRAINING.grad_clip).item()

    def held_out_loss(self) -> float:
        """Return the loss on the held-out text."""
        self.model.eval()
        loss = self.measure()
        self.model.train()
        return loss

    @torch.no_grad()
    def measure(self) -> float:
        """Return the loss on the held-out text with the model as it stands, in windows side by side."""
        count = (len(self.held_out_ids) - 1) // MODEL.context_length
        starts = np.arange(count)[:, None] * MODEL.context_length
        windows = torch.from_numpy(self.held_out_ids[starts + np.arange(MODEL.context_length + 1)])
        inputs, targets = self.cut(windows)
        return self.loss(self.model(inputs), targets).item()

    def sample(self) -> str:
        """Return what the model writes after the prompt."""
        ids = self.encode(PROMPT).tolist()
        written = generate_ids(self.model, ids, SAMPLE_BYTES, temperature=0.7)
        return bytes(written).decode("utf-8", "replace")

    def train(self) -> Iterator[dict]:
        """Train and yield a record a step: losses, the gradient's length, and now and then the updates by part."""
        self.model.train()
        for step in range(1, TRAINING.steps + 1):
            set_rates(self.optimizers, self.rate(step))
            inputs, targets = self.cut(self.draw(step))
            self.zero_gradients()
            loss = self.loss(self.model(inputs), targets)
            loss.backward()
            record = {"step": step, "train_loss_nats": loss.item(), "grad_norm": self.clip()}
            looking = step == 1 or step % LOOK_EVERY == 0
            before = parts(self.model) if looking else {}
            for optimizer in self.optimizers:
                optimizer.step()
            if looking:
                record["update_ratio"] = update_ratios(before, parts(self.model))
                record["held_out_loss_nats"] = self.held_out_loss()
            yield record


def parts(model: Transformer) -> dict[str, Tensor]:
    """Return a copy of the weights of each part, in one row."""
    named = list(model.named_parameters())
    return {
        part: torch.cat([p.detach().flatten() for name, p in named if mark in name]) for part, mark in PARTS.items()
    }


def update_ratios(before: dict[str, Tensor], after: dict[str, Tensor]) -> dict[str, float]:
    """Return for each part the length of its update, divided by the length of its weights before."""
    return {part: ((after[part] - old).norm() / old.norm()).item() for part, old in before.items()}
