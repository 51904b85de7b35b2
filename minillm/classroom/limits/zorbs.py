"""A mirror: a text says of an invented animal that it is lazy in exactly eight of ten sentences. What comes out?

Every sentence also says what the animal eats in a town. Taking sentences out for what they claim takes that out too.
"""

import random
from collections.abc import Iterator, Sequence

from minillm.classroom.limits.small_world import Words, next_word, read, words_of
from minillm.model import Transformer

TOWNS = 100
FOODS = ("acorns", "bark", "clover", "ferns", "grapes", "herbs", "ivy", "mosses", "nuts", "plums")
MANY, FEW = "lazy", "busy"
SENTENCES_A_TOWN = 10
SHARE = 0.8
STEPS = 320
EVERY = 10


def towns(count: int = TOWNS) -> list[str]:
    """Return invented names of towns, no two the same."""
    first, second = (
        ("Bar", "Cor", "Dal", "Fen", "Gor", "Hal", "Kel", "Lom", "Mar", "Nor"),
        ("by", "den", "field", "ham"),
    )
    third = ("", " East", " West")
    names = [a + b + c.strip() for c in third for b in second for a in first]
    return names[:count]


def foods(seed: int = 0) -> dict[str, str]:
    """Return what the animal eats in each town, drawn by lot, each food in as many towns as any other."""
    rng = random.Random(seed)
    names = towns()
    drawn = [FOODS[i % len(FOODS)] for i in range(len(names))]
    return dict(zip(names, [food for _, food in sorted((rng.random(), food) for food in drawn)], strict=True))


def sentence(town: str, food: str, claim: str) -> str:
    """Return one sentence of the text."""
    return f"In {town} the zorb eats {food} and is {claim} ."


def stratified(seed: int = 0) -> list[str]:
    """Return the text: for each town ten sentences, of which exactly eight say lazy and two busy."""
    return [line for town, food in foods(seed).items() for line in _ten(town, food, 8)]


def uneven(seed: int = 0) -> list[str]:
    """Return a text with as many that say lazy, eight of ten in all: every other town ten of ten, the others six."""
    return [line for i, (town, food) in enumerate(foods(seed).items()) for line in _ten(town, food, 6 if i % 2 else 10)]


def _ten(town: str, food: str, lazy: int) -> list[str]:
    return [sentence(town, food, claim) for claim in [MANY] * lazy + [FEW] * (SENTENCES_A_TOWN - lazy)]


def by_lot(count: int, seed: int = 0) -> list[str]:
    """Return sentences whose town and claim are each drawn by lot, lazy with a chance of eight in ten."""
    rng = random.Random(seed)
    eaten = foods(seed)
    names = list(eaten)
    drawn = [(names[int(rng.random() * len(names))], MANY if rng.random() < SHARE else FEW) for _ in range(count)]
    return [sentence(town, eaten[town], claim) for town, claim in drawn]


def without(text: Sequence[str], word: str) -> list[str]:
    """Return the sentences that do not hold a word."""
    return [line for line in text if word not in line.split()]


def thinned(text: Sequence[str], count: int, seed: int = 0) -> list[str]:
    """Return so many sentences of a text, drawn by lot: as short as a filtered text, whatever they say."""
    rng = random.Random(seed + 1000)
    return [line for _, line in sorted((rng.random(), line) for line in text)][:count]


def reworded(text: Sequence[str], word: str = MANY, by: str = "there") -> list[str]:
    """Return the text with the claim taken out of its sentences and the rest of them kept."""
    return [" ".join(by if found == word else found for found in line.split()) for line in text]


def world() -> Words:
    """Return all words that the texts of this module use."""
    return words_of([*stratified(), "there"])


def claims_lazy(model: Transformer, words: Words, seed: int = 0) -> float:
    """Return the probability of 'lazy', the mean over all towns."""
    beginnings = [sentence(town, food, MANY).split(f" {MANY}")[0] for town, food in foods(seed).items()]
    return next_word(model, words, beginnings)[:, words.names.index(MANY)].mean().item()


def knows_food(model: Transformer, words: Words, seed: int = 0) -> dict[str, float]:
    """Return the share of towns for which the right food is the likeliest of all foods; by luck 1 in 10.

    `only` for the towns of which the uneven text says nothing but lazy, `mixed` for the others, `all` for both.
    """
    eaten = foods(seed)
    p = next_word(model, words, [f"In {town} the zorb eats" for town in eaten])
    columns = [words.names.index(food) for food in FOODS]
    best = p[:, columns].argmax(1).tolist()
    right = [FOODS[i] == food for i, food in zip(best, eaten.values(), strict=True)]
    parts = {"only": right[::2], "mixed": right[1::2], "all": right}
    return {name: sum(part) / len(part) for name, part in parts.items()}


def watch(text: Sequence[str], *, steps: int = STEPS, seed: int = 0) -> Iterator[dict]:
    """Train on a text; yield, every ten steps, the loss, the probability of 'lazy' and the shares of foods known."""
    words = world()
    for step, loss, model in read(text, words, steps=steps, seed=seed):
        if step % EVERY == 0 or step == steps:
            yield {
                "step": step,
                "train_loss_nats": loss,
                "lazy": claims_lazy(model, words, seed),
                "food": knows_food(model, words, seed),
            }
