"""What a prompt can do without any training: the same question with examples before it and without them.

Scored by log-probability: by how many bits do the examples raise the right answer? The control has the question alone.
Everything is made by rule from common words, so that the items of a task differ in their words only.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from minillm.classroom.threads import one_thread
from minillm.model import Transformer
from minillm.tokenizer import Tokenizer

COMMON = (
    *("river", "school", "army", "music", "city", "book", "film", "water", "money", "trade", "court", "land", "north"),
    *("people", "peace", "law", "house", "car", "king", "sea", "island", "church", "woman", "child", "animal", "plant"),
)
OPPOSITES = (
    *(("hot", "cold"), ("large", "small"), ("old", "new"), ("long", "short"), ("first", "last"), ("north", "south")),
    *(("east", "west"), ("high", "low"), ("true", "false"), ("good", "bad")),
)
ITEMS = 10
DRAWS = 5
"""Seeds from which the items of a task are drawn, in the notebook."""
TASKS = ("repeat the words", "say it twice", "go on with a list", "count", "say the opposite")


@dataclass(frozen=True)
class Item:
    """A question with examples before it, the same without, its answer, and wrong answers to choose among.

    The wrong answers stand in the examples too, so that knowing which words occur is not enough.
    """

    task: str
    with_examples: str
    alone: str
    answer: str
    others: tuple[str, ...]


def items(task: str, seed: int = 0) -> list[Item]:
    """Return ten items of a task; their words are drawn from the seed."""
    rng = random.Random(seed)
    return [_item(task, rng, number) for number in range(ITEMS)]


def _item(task: str, rng: random.Random, number: int) -> Item:
    words = _drawn(rng, COMMON, 5)
    if task == "repeat the words":  # river school army river school army river school -> army
        cycle = " ".join(words[:3])
        others = tuple(f" {word}" for word in words[:2])
        return Item(task, f"{cycle} {cycle} {words[0]} {words[1]}", f"{words[0]} {words[1]}", f" {words[2]}", others)
    if task == "go on with a list":  # a line with a dash, again and again
        lines = [f"- the {word}" for word in words]
        return Item(task, "\n".join(lines), lines[-1], "\n- the", ())
    if task == "count":
        counted = [str(n) for n in range(1 + number, 7 + number)]
        others = tuple(f" {n}" for n in counted[:5])
        return Item(task, ", ".join(counted[:5]) + ",", f"{counted[4]},", f" {counted[5]}", others)
    pairs = [(word, word) for word in words] if task == "say it twice" else _drawn(rng, OPPOSITES, 5)
    shown = "".join(f"{one}: {other}\n" for one, other in pairs[:4])
    others = tuple(f" {other}" for _, other in pairs[:4])
    return Item(task, f"{shown}{pairs[4][0]}:", f"{pairs[4][0]}:", f" {pairs[4][1]}", others)


def _drawn(rng: random.Random, options: Sequence, count: int) -> list:
    return [option for _, option in sorted((rng.random(), option) for option in options)[:count]]


@torch.no_grad()
def log_p(model: Transformer, tokenizer: Tokenizer, before: str, after: str) -> float:
    """Return the log-probability, in nats, of a text after another one that begins a document."""
    begin, end = [tokenizer.end_of_text, *tokenizer.encode(before)], tokenizer.encode(after)
    with one_thread():
        logs = model(torch.tensor([begin + end]))[0].log_softmax(-1)
    return sum(logs[len(begin) - 1 + i, token].item() for i, token in enumerate(end))


def gains_bits(model: Transformer, tokenizer: Tokenizer, task: str, seed: int = 0) -> list[float]:
    """Return by how many bits the examples raise the answer, for each item of a task."""
    return [
        (log_p(model, tokenizer, i.with_examples, i.answer) - log_p(model, tokenizer, i.alone, i.answer)) / math.log(2)
        for i in items(task, seed)
    ]


def chosen_right(model: Transformer, tokenizer: Tokenizer, task: str, seed: int = 0) -> float | None:
    """Return the share of items whose answer is likelier, after the examples, than each of the wrong ones.

    None for a task without wrong answers to choose among.
    """

    def right(item: Item) -> bool:
        own, *others = (log_p(model, tokenizer, item.with_examples, text) for text in (item.answer, *item.others))
        return own > max(others)

    asked = items(task, seed)
    return sum(map(right, asked)) / ITEMS if asked[0].others else None


def luck(task: str) -> float | None:
    """Return the share that a choice by lot would get, or None."""
    others = items(task)[0].others
    return 1 / (1 + len(others)) if others else None
