"""A world of a few hundred words: sentences of one length, one token a word, read by a tiny transformer in seconds.

N sentences of T words, V different words. What a tiny model learns of such a text can be asked exactly, word by word.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from minillm.classroom.threads import one_thread
from minillm.config import ModelConfig, TrainConfig
from minillm.errors import DataError
from minillm.loss import cross_entropy
from minillm.model import Transformer
from minillm.optimizer import make_optimizers, rate_factor, set_rates
from minillm.train import train_step

WIDTH = 64
BATCH = 64
RATE = 0.004


@dataclass(frozen=True)
class Words:
    """The words of a world, each with its number; the first one begins every sentence."""

    names: tuple[str, ...]

    def ids(self, sentence: str) -> list[int]:
        """Return a sentence's numbers, the beginning first. Raises DataError for a word that is not in the world."""
        unknown = [word for word in sentence.split() if word not in self.names]
        if unknown:
            raise DataError(f"'{unknown[0]}' is no word of this small world.", "Use the words of its sentences.")
        return [0, *(self.names.index(word) for word in sentence.split())]

    def __len__(self) -> int:
        return len(self.names)


def words_of(sentences: Sequence[str]) -> Words:
    """Return the words of some sentences in alphabetical order, after the mark that begins a sentence."""
    return Words(("<begin>", *sorted({word for sentence in sentences for word in sentence.split()})))


def read(
    sentences: Sequence[str], words: Words, *, steps: int, seed: int = 0, n_layers: int = 2
) -> Iterator[tuple[int, float, Transformer]]:
    """Train a tiny transformer on sentences of one length; yield step, loss in nats and the model after each step.

    Each pass takes the sentences in a new order, drawn from the seed; `minillm.train.train` would draw windows at any
    place instead, so the loop stands here. One thread: the same digits on any machine.
    """
    table = {word: i for i, word in enumerate(words.names)}
    rows = torch.tensor([[0, *(table[word] for word in sentence.split())] for sentence in sentences])  # [N, T + 1]
    config = TrainConfig(steps=steps, optimizer="adamw", learning_rate=RATE, decay_fraction=0.5, weight_decay=0.0)
    torch.manual_seed(seed)
    model = Transformer(
        ModelConfig(
            n_layers=n_layers, d_model=WIDTH, n_heads=2, vocab_size=len(words), context_length=rows.shape[1] - 1
        )
    )
    optimizers = make_optimizers(model, config)
    generator = torch.Generator().manual_seed(seed)
    order = torch.empty(0, dtype=torch.long)
    for step in range(1, steps + 1):
        if len(order) < BATCH:
            order = torch.cat([order, torch.randperm(len(rows), generator=generator)])
        chosen, order = order[:BATCH], order[BATCH:]
        set_rates(optimizers, rate_factor(config, step))
        with one_thread():
            loss, _ = train_step(model, optimizers, rows[chosen, :-1], rows[chosen, 1:])
        yield step, loss, model


@torch.no_grad()
def next_word(model: Transformer, words: Words, beginnings: Sequence[str]) -> Tensor:
    """Return the probabilities of the next word after each beginning, all of one length: [N, V]."""
    with one_thread():
        return model(torch.tensor([words.ids(beginning) for beginning in beginnings]))[:, -1].softmax(-1)


def mean_loss(model: Transformer, words: Words, sentences: Sequence[str]) -> float:
    """Return the mean loss of some sentences of one length, in nats a word."""
    rows = torch.tensor([words.ids(sentence) for sentence in sentences])
    with torch.no_grad(), one_thread():
        return cross_entropy(model(rows[:, :-1]), rows[:, 1:]).item()
