"""The probe sets: what a model expects, in grammar, in words that keep company, in facts and fixed phrases.

Three sets, and agreement across a noun apart: there a model that goes by the nearest word is not at chance but wrong.
"""

from collections.abc import Mapping, Sequence

from minillm.classroom.first_reading.associations import association
from minillm.classroom.first_reading.grammar import across, grammar
from minillm.classroom.first_reading.scoring import (
    TIE_NATS,
    Probe,
    Score,
    chance_interval,
    count_right,
    crossed,
    end_alike,
    log_probabilities,
    margins,
    score,
)
from minillm.classroom.first_reading.statements import GROUPS, facts, group_of, times_stated
from minillm.model import Transformer
from minillm.tokenizer import Tokenizer

__all__ = [
    "ACROSS",
    "GROUPS",
    "PROBES",
    "SETS",
    "TIE_NATS",
    "Probe",
    "Score",
    "all_margins",
    "chance_interval",
    "count_right",
    "crossed",
    "end_alike",
    "group_of",
    "log_probabilities",
    "margins",
    "parts",
    "score",
    "scores",
    "times_stated",
]

PROBES: dict[str, tuple[Probe, ...]] = {"grammar": grammar(), "association": association(), "facts": facts()}
ACROSS = "across a noun"
"""The name of the set that stands apart."""
SETS: dict[str, tuple[Probe, ...]] = {**PROBES, ACROSS: across()}
"""All four."""


def all_margins(model: Transformer, tokenizer: Tokenizer) -> dict[str, list[float]]:
    """Return each set's margins in nats, item by item."""
    return {name: margins(model, tokenizer, items) for name, items in SETS.items()}


def scores(margins_of: Mapping[str, Sequence[float]], stated: Sequence[int] | None = None) -> list[Score]:
    """Return the score of each set; given how often each fact is stated, those of its groups after it.

    margins_of: as `all_margins` returns it. stated: as `times_stated` returns it for the facts.
    """
    found = []
    for name, values in margins_of.items():
        found.append(score(name, values))
        if name == "facts" and stated is not None:
            found += parts(values, [f"facts, {group_of(times)}" for times in stated], [f"facts, {g}" for g in GROUPS])
    return found


def parts(margins_nats: Sequence[float], labels: Sequence[str], order: Sequence[str] | None = None) -> list[Score]:
    """Return the score of each part of a set, its items sorted by a label each; parts without items are left out."""
    names = dict.fromkeys(order or labels)
    chosen = {name: [m for m, label in zip(margins_nats, labels, strict=True) if label == name] for name in names}
    return [score(name, values) for name, values in chosen.items() if values]
