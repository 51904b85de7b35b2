"""Three small probe sets: what does a model expect, in grammar, in words that keep company, in facts and fixed phrases?

Each item has two contexts and an ending for each. Scored jointly over swapped contexts, so that neither a frequent
ending nor a short one has an advantage: only the fit of ending and context is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from minillm.model import Transformer
from minillm.tokenizer import Tokenizer

TIE_NATS = 1e-4
"""A margin nearer to zero than this is a tie: rounding, not an opinion."""


@dataclass(frozen=True)
class Probe:
    """Two contexts, each with the ending that belongs to it."""

    first: str
    first_ending: str
    second: str
    second_ending: str

    def __repr__(self) -> str:
        return f"{self.first.strip()}|{self.first_ending} / {self.second.strip()}|{self.second_ending}"


PROBES: dict[str, tuple[Probe, ...]] = {
    "grammar": (
        Probe("These books", " are", "This book", " is"),
        Probe("They", " were", "He", " was"),
        Probe("This is an", " example", "This is a", " person"),
        Probe("We will", " be", "We have", " been"),
        Probe("We want to", " make", "We are", " making"),
        Probe("It was sent to", " them", "It is because", " they"),
        Probe("It is larger", " than", "It is as large", " as"),
        Probe("Both the north", " and", "Either the north", " or"),
        Probe("It can be", " used", "It can", " use"),
        Probe("    for x in", " range", "    if x is", " None"),
        # here the nearest noun misleads
        Probe("The author of the books", " was", "The authors of the book", " were"),
        Probe("The key to the rooms", " is", "The keys to the room", " are"),
    ),
    "association": (
        Probe("The army and the", " navy", "The father and the", " mother"),
        Probe("The river flows into the", " sea", "The road leads into the", " city"),
        Probe("The band recorded a new", " album", "The author wrote a new", " book"),
        Probe("The team won the", " game", "The army won the", " war"),
        Probe("The plant has green", " leaves", "The animal has long", " legs"),
        Probe("The ship crossed the", " ocean", "The train crossed the", " country"),
        Probe("The bank gives", " money", "The school gives", " lessons"),
        Probe("The church speaks of", " God", "The court speaks of", " law"),
        Probe("The singer sang a", " song", "The president signed a", " bill"),
        Probe("The edges of a", " graph", "The rows of a", " matrix"),
        Probe("Farmers work on the", " land", "Sailors work on the", " ship"),
        Probe("The doctor treats the", " disease", "The judge applies the", " law"),
    ),
    # From phrases that its text repeats by the hundred to facts that it hardly states. They begin with a space, as
    # words do within a text: at its very beginning they would be cut into other tokens.
    "facts": (
        Probe(" the United", " States", " the American", " people"),
        Probe(" State of the", " Union", " Secretary of the", " Treasury"),
        Probe(" import numpy as", " np", " the fiscal", " year"),
        Probe(" the Soviet", " Union", " the Middle", " East"),
        Probe(" the House of", " Representatives", " the Supreme", " Court"),
        Probe(" World War", " II", " New York", " City"),
        Probe(" the Panama", " Canal", " the Pacific", " Ocean"),
        Probe(" Saudi", " Arabia", " Los", " Angeles"),
        Probe(" George", " Washington", " Abraham", " Lincoln"),
        Probe(" Rome is the capital of", " Italy", " Cairo is the capital of", " Egypt"),
        Probe(" Berlin is the capital of", " Germany", " Madrid is the capital of", " Spain"),
        Probe(" Tokyo is in", " Japan", " Moscow is in", " Russia"),
    ),
}


@torch.no_grad()
def log_probabilities(model: Transformer, tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]]) -> list[float]:
    """Return, for each pair of context and ending, the log of the probability of the ending after the context, in nats.

    Each context stands at the beginning of a document. An ending of several tokens has the sum of their logs.
    """
    rows = [(tokenizer.encode(context), tokenizer.encode(ending)) for context, ending in pairs]
    longest = 1 + max(len(context) + len(ending) for context, ending in rows)
    ids = torch.full((len(rows), longest), tokenizer.end_of_text)  # what stands after an ending cannot change it
    for row, (context, ending) in enumerate(rows):
        ids[row, 1 : 1 + len(context) + len(ending)] = torch.tensor(context + ending)
    was_training = model.training
    model.eval()
    logs = torch.log_softmax(model(ids.to(model.device)).float(), dim=-1).cpu()  # [B, T, V]
    model.train(was_training)
    return [
        sum(float(logs[row, len(context) + i, token]) for i, token in enumerate(ending))
        for row, (context, ending) in enumerate(rows)
    ]


def crossed(probe: Probe) -> list[tuple[str, str]]:
    """Return the four pairs of an item: each context with its own ending, then each with the other's."""
    return [
        (probe.first, probe.first_ending),
        (probe.second, probe.second_ending),
        (probe.first, probe.second_ending),
        (probe.second, probe.first_ending),
    ]


def end_alike(probe: Probe, tokenizer: Tokenizer) -> bool:
    """Return whether both contexts end in the same token, so that it alone cannot tell them apart."""
    return tokenizer.encode(probe.first)[-1] == tokenizer.encode(probe.second)[-1]


def margins(model: Transformer, tokenizer: Tokenizer, probes: Sequence[Probe]) -> list[float]:
    """Return each item's margin in nats: how much likelier the endings are in their own contexts than swapped.

    log p(a|A) + log p(b|B) - log p(b|A) - log p(a|B): above zero is right, and a model that ignores its context has 0.
    """
    logs = log_probabilities(model, tokenizer, [pair for probe in probes for pair in crossed(probe)])
    fours = [logs[i : i + 4] for i in range(0, len(logs), 4)]
    return [a_in_a + b_in_b - b_in_a - a_in_b for a_in_a, b_in_b, b_in_a, a_in_b in fours]


def count_right(margins_nats: Sequence[float]) -> float:
    """Return how many items are right, a tie counting half, as tossing a coin would give it."""
    return sum(0.5 if abs(margin) < TIE_NATS else float(margin > 0) for margin in margins_nats)
