"""Fair questions to a model: two contexts, an ending for each, scored jointly over swapped contexts.

A frequent ending or a short one has no advantage: only the fit of ending and context is left.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from minillm.model import Transformer
from minillm.tokenizer import Tokenizer

TIE_NATS = 1e-4
"""A margin nearer to zero than this is a tie: rounding, not an opinion."""
CLEAR_NATS = 1.0
"""A margin larger than this, one way or the other, is a clear answer."""
ROWS = 256
"""Texts that pass through the model at once, so that a thousand do not fill the memory."""


@dataclass(frozen=True)
class Probe:
    """Two contexts, each with the ending that belongs to it; `about` says what is asked, or where it comes from."""

    first: str
    first_ending: str
    second: str
    second_ending: str
    about: str = ""

    def __repr__(self) -> str:
        return f"{self.first.strip()}|{self.first_ending} / {self.second.strip()}|{self.second_ending}"


@dataclass(frozen=True)
class Score:
    """How many items of a set are right, a tie counting half, their median margin in nats, and the clear answers."""

    name: str
    right: float
    items: int
    median_margin_nats: float
    clearly_right: int
    """Items with a margin of more than CLEAR_NATS: where a set is half right, they tell luck from some knowledge."""
    clearly_wrong: int
    """Items with as large a margin below zero."""

    @property
    def share(self) -> float:
        """The share of items that are right; chance is 0.5."""
        return self.right / self.items

    def __repr__(self) -> str:
        low, high = chance_interval(self.items)
        return (
            f"{self.name}: {self.right:g} of {self.items} right ({self.share:.0%}; by tossing coins {low:.0%} to "
            f"{high:.0%}), median margin {self.median_margin_nats:.2f} nats"
        )


@torch.no_grad()
def log_probabilities(model: Transformer, tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]]) -> list[float]:
    """Return, for each pair of context and ending, the log of the probability of the ending after the context, in nats.

    Each context stands at the beginning of a document. An ending of several tokens has the sum of their logs.
    """
    rows = [(tokenizer.encode(context), tokenizer.encode(ending)) for context, ending in pairs]
    was_training = model.training
    model.eval()
    found = [log for i in range(0, len(rows), ROWS) for log in _log_probabilities(model, tokenizer, rows[i : i + ROWS])]
    model.train(was_training)
    return found


def _log_probabilities(
    model: Transformer, tokenizer: Tokenizer, rows: Sequence[tuple[list[int], list[int]]]
) -> list[float]:
    longest = 1 + max(len(context) + len(ending) for context, ending in rows)
    ids = torch.full((len(rows), longest), tokenizer.end_of_text)  # what stands after an ending cannot change it
    for row, (context, ending) in enumerate(rows):
        ids[row, 1 : 1 + len(context) + len(ending)] = torch.tensor(context + ending)
    logs = torch.log_softmax(model(ids.to(model.device)).float(), dim=-1).cpu()  # [B, T, V]
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


def score(name: str, margins_nats: Sequence[float]) -> Score:
    """Return the score of a set, or of any part of one, from its items' margins."""
    return Score(
        name,
        count_right(margins_nats),
        len(margins_nats),
        statistics.median(margins_nats),
        sum(margin > CLEAR_NATS for margin in margins_nats),
        sum(margin < -CLEAR_NATS for margin in margins_nats),
    )


def chance_interval(items: int, outside: float = 0.05) -> tuple[float, float]:
    """Return the least and the greatest share of right items that tossing coins explains.

    Not more than half of `outside` lies below, and as much above: 14 to 26 of 40. Items made alike fall alike, so
    that a set of them strays farther than so many coins.
    """
    below, low = 0.0, 0
    while (below := below + math.comb(items, low) / 2**items) <= outside / 2:
        low += 1
    return low / items, (items - low) / items
