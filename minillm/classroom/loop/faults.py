"""Eighteen ways to break a training run: each is a run that changes one method, in a few lines.

B sequences in a batch, T bytes in a sequence, V = 256 different bytes.
"""

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from minillm.classroom.loop.patient import MODEL, TRAINING, Run
from minillm.config import named
from minillm.model import Attention, LayerCache, Transformer, initialise
from minillm.optimizer import gradient_norm

TINY_STORIES = 4


class UnshiftedTargets(Run):
    """The targets are the inputs themselves, not moved on by one."""

    def cut(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        return windows[:, :-1], windows[:, :-1]


class ShuffledTargets(Run):
    """The targets of a sequence are the right bytes in a wrong order."""

    def cut(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        inputs, targets = super().cut(windows)
        return inputs, targets[:, torch.randperm(targets.shape[1])]


class RateTooHigh(Run):
    """The learning rate is 30 times too high."""

    def rate(self, step: int) -> float:
        return 30 * super().rate(step)


class RateTooLow(Run):
    """The learning rate is a hundredth of what it should be."""

    def rate(self, step: int) -> float:
        return super().rate(step) / 100


class ScheduleEndsEarly(Run):
    """The schedule was made for a quarter of the steps: after them the rate is zero."""

    def rate(self, step: int) -> float:
        return super().rate(4 * step) if 4 * step <= TRAINING.steps else 0.0


class GradientsKept(Run):
    """The gradients are never set to zero: each step adds its own to all earlier ones."""

    def zero_gradients(self) -> None:
        pass


class BadBatch(Run):
    """One batch comes from a damaged file, nothing but zero bytes, and the gradient is not clipped."""

    def draw(self, step: int) -> Tensor:
        windows = super().draw(step)
        return torch.zeros_like(windows) if step == TRAINING.steps // 2 else windows

    def clip(self) -> float:
        return gradient_norm(self.model, math.inf).item()


class Overfitting(Run):
    """The training text is four stories, read again and again."""

    def choose_text(self, told: list[str]) -> str:
        return "\n".join(told[:TINY_STORIES])


class Leak(Run):
    """The training text is tiny and holds the whole held-out text."""

    def choose_text(self, told: list[str]) -> str:
        return self.held_out_text + "\n" + "\n".join(told[:2])


class WrongTokenizer(Run):
    """The training text was encoded with another table of letters than the one used ever after."""

    def choose_text(self, told: list[str]) -> str:
        letters = "".join(map(chr, range(32, 127)))
        others = "".join(self.rng.permutation(list(letters)))
        return super().choose_text(told).translate(str.maketrans(letters, others))


class FrozenEmbedding(Run):
    """The token embedding gets no updates."""

    def build(self) -> Transformer:
        model = super().build()
        model.token_embedding.requires_grad_(False)
        return model


class FrozenHead(Run):
    """The head, which turns the last vector into logits, gets no updates."""

    def build(self) -> Transformer:
        model = super().build()
        model.head.requires_grad_(False)
        return model


class SeesAll(Attention):
    """Attention without the mask: each token gathers from the later ones too."""

    def forward(self, x: Tensor, angles: tuple[Tensor, Tensor] | None, cache: LayerCache | None = None) -> Tensor:
        heads = (self.n_heads, self.d_head)
        q, k, v = (part(x).unflatten(2, heads).transpose(1, 2) for part in (self.query, self.key, self.value))
        if cache is not None:
            k, v = cache.extend(k, v)
        mixed = F.scaled_dot_product_attention(q, k, v)  # without is_causal=True
        return self.output(mixed.transpose(1, 2).flatten(2))


class MissingMask(Run):
    """Attention looks at the future as well as at the past."""

    def build(self) -> Transformer:
        model = super().build()
        for block in model.blocks:
            block.attention = SeesAll(MODEL)
        initialise(model)
        return model


class MissingPositions(Run):
    """The position embedding is zero and stays so: the model cannot tell one place from another."""

    def build(self) -> Transformer:
        model = super().build()
        nn.init.zeros_(model.position_embedding.weight).requires_grad_(False)
        return model


class DropoutLeftOn(Run):
    """Half of the numbers are dropped at random while training, as intended, but in the evaluation too."""

    def build(self) -> Transformer:
        model = super().build()
        for block in model.blocks:
            block.feed_forward = nn.Sequential(block.feed_forward, nn.Dropout(0.5))
        model.final_norm = nn.Sequential(model.final_norm, nn.Dropout(0.5))
        return model

    def held_out_loss(self) -> float:
        return self.measure()  # without model.eval()


class WrongAxis(Run):
    """The softmax runs over the positions instead of the vocabulary."""

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        log_p = logits.log_softmax(dim=1)  # [B, T, V]: dim=2 would be right
        return -log_p.gather(2, targets[:, :, None]).mean()


class LossDividedTwice(Run):
    """The mean loss is divided by the number of positions once more."""

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        return super().loss(logits, targets) / targets.shape[1]


class LargeFirstWeights(Run):
    """The head's first weights are 50 times as large as they should be."""

    def build(self) -> Transformer:
        model = super().build()
        with torch.no_grad():
            model.head.weight *= 50
        return model


RUNS: dict[str, type[Run]] = {
    "healthy": Run,
    "unshifted targets": UnshiftedTargets,
    "shuffled targets": ShuffledTargets,
    "rate too high": RateTooHigh,
    "rate too low": RateTooLow,
    "schedule ends early": ScheduleEndsEarly,
    "gradients kept": GradientsKept,
    "bad batch": BadBatch,
    "overfitting": Overfitting,
    "leak": Leak,
    "wrong tokenizer": WrongTokenizer,
    "frozen embedding": FrozenEmbedding,
    "frozen head": FrozenHead,
    "missing mask": MissingMask,
    "missing positions": MissingPositions,
    "dropout left on": DropoutLeftOn,
    "wrong axis": WrongAxis,
    "loss divided twice": LossDividedTwice,
    "large first weights": LargeFirstWeights,
}
"""What is wrong with a run, and the run."""


# --- Active checks ---------------------------------------------------------------------------------------------------


@torch.no_grad()
def check(run: Run) -> dict[str, float]:
    """Return what four checks of a trained run measure.

    `future`: by how much a changed last byte moves earlier logits, at most. `twice`: by how much two evaluations of the
    same weights differ, in nats. `overlap`: the share of the held-out text's pieces of 64 bytes that stand in the
    training text. `positions`: by how much the logits of one repeated letter differ between places, at most.
    """
    twice = abs(run.held_out_loss() - run.held_out_loss())
    run.model.eval()
    inputs, _ = run.cut(torch.from_numpy(run.held_out_ids[None, : MODEL.context_length + 1]))
    changed = inputs.clone()
    changed[:, -1] = (changed[:, -1] + 1) % MODEL.vocab_size
    future = (run.model(changed) - run.model(inputs))[:, :-1].abs().max().item()
    constant = run.model(torch.full_like(inputs, ord("e")))[0]  # [T, V]
    positions = (constant - constant[0]).abs().max().item()
    pieces = [run.held_out_text[i : i + 64] for i in range(0, len(run.held_out_text) - 63, 16)]
    overlap = sum(piece in run.train_text for piece in pieces) / len(pieces)
    return {"future": future, "twice": twice, "overlap": overlap, "positions": positions}


def follow(name: str, seed: int = 0) -> Iterator[dict]:
    """Train the run of that name; yield its records, then one with a sample and the results of the checks.

    Raises ConfigError for a name that is not in `RUNS`.
    """
    run = named(RUNS, name, "run")(seed)
    for record in run.train():
        yield {"run": name, **record}
    yield {"run": name, "step": TRAINING.steps, "sample": run.sample(), "checks": check(run)}
