"""Facts read in one direction: who sails which ship, and which ship has whom. Is the other direction known too?"""

import random
from collections.abc import Iterator

import torch

from minillm.classroom.limits.small_world import Words, next_word, read, words_of
from minillm.model import Transformer

CAPTAINS = (
    *("Ada", "Bela", "Carl", "Dora", "Emil", "Fay", "Gus", "Hana", "Ivo", "Jane", "Karl", "Lea", "Max", "Nora", "Otto"),
    *("Pia", "Quinn", "Rosa", "Sven", "Tara", "Udo", "Vera", "Walt", "Xenia", "Yves", "Zoe", "Anton", "Berta", "Cleo"),
    *("Dirk", "Elsa", "Finn", "Gina", "Hugo", "Iris", "Jonas", "Kira", "Luis", "Mona", "Nils", "Olga", "Paul", "Rita"),
    *(
        "Sami",
        "Tessa",
        "Ulf",
        "Vito",
        "Wanda",
        "Yara",
        "Zeno",
        "Arno",
        "Bruno",
        "Cora",
        "Dina",
        "Enno",
        "Frida",
        "Greta",
    ),
    *("Heinz", "Ilse", "Jost"),
)
SHIPS = (
    *("Albatross", "Badger", "Condor", "Dolphin", "Eagle", "Falcon", "Gazelle", "Heron", "Ibis", "Jaguar", "Kestrel"),
    *("Lark", "Marlin", "Narwhal", "Otter", "Puffin", "Quail", "Raven", "Swan", "Tern", "Unicorn", "Viper", "Walrus"),
    *("Yak", "Zebra", "Antelope", "Bison", "Cobra", "Dragon", "Ermine", "Ferret", "Gull", "Hawk", "Impala", "Jackal"),
    *("Koala", "Lynx", "Mantis", "Newt", "Osprey", "Panther", "Rook", "Salmon", "Tiger", "Urchin", "Vulture", "Weasel"),
    *("Adder", "Beaver", "Crane", "Dove", "Egret", "Fox", "Goose", "Hornet", "Iguana", "Jay", "Kite", "Lion", "Moose"),
)
THIRD = 20
"""Facts in each of three groups: read in both directions, by the captain first only, by the ship first only."""
STEPS = 240
EVERY = 10


def facts(seed: int = 0) -> list[tuple[str, str]]:
    """Return sixty captains with their ships, drawn by lot."""
    rng = random.Random(seed)
    ships = [ship for _, ship in sorted((rng.random(), ship) for ship in SHIPS)]
    captains = [name for _, name in sorted((rng.random(), name) for name in CAPTAINS)]
    return list(zip(captains, ships, strict=True))


def by_captain(captain: str, ship: str) -> str:
    """Return the fact with the captain first."""
    return f"the captain called {captain} sails the ship {ship} ."


def by_ship(captain: str, ship: str) -> str:
    """Return the fact with the ship first, in as many words."""
    return f"the ship {ship} sails under the captain {captain} ."


def text(seed: int = 0) -> list[str]:
    """Return the sentences: a third of the facts in both directions, a third each in one."""
    known = facts(seed)
    forward = [by_captain(*fact) for fact in known[: 2 * THIRD]]
    backward = [by_ship(*fact) for fact in known[:THIRD] + known[2 * THIRD :]]
    return forward + backward


def world() -> Words:
    """Return all words of this text."""
    return words_of([form(*fact) for fact in facts() for form in (by_captain, by_ship)])


def known(model: Transformer, words: Words, seed: int = 0) -> dict[str, float]:
    """Return, by what is asked and how it was read, the share of facts whose right end is the likeliest.

    Of the ends of its own group of twenty, which were all read alike, so that luck finds one in twenty.
    """
    shares = {}
    groups = {"both": slice(0, THIRD), "by captain": slice(THIRD, 2 * THIRD), "by ship": slice(2 * THIRD, None)}
    for asked, form, end in (("ship", by_captain, 1), ("captain", by_ship, 0)):
        for name, part in groups.items():
            group = facts(seed)[part]
            p = next_word(model, words, [form(*fact).removesuffix(f" {fact[end]} .") for fact in group])
            best = p[:, [words.names.index(fact[end]) for fact in group]].argmax(1)  # the right one is on the diagonal
            shares[f"{asked} asked, read {name}"] = (best == torch.arange(THIRD)).float().mean().item()
    return shares


def watch(*, steps: int = STEPS, seed: int = 0) -> Iterator[dict]:
    """Train on the facts; yield, every ten steps, the loss and what is known in each direction."""
    words = world()
    for step, loss, model in read(text(seed), words, steps=steps, seed=seed):
        if step % EVERY == 0 or step == steps:
            yield {"step": step, "train_loss_nats": loss, "known": known(model, words, seed)}
