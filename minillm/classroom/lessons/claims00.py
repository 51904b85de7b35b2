"""The claims of notebook 00, measured on the first part of its run: the same run, from other seeds, left early."""

import dataclasses
import math
import statistics
from collections.abc import Callable
from functools import cache

from minillm.batches import Tokens, prepare_tokens
from minillm.classroom.evidence import Claim
from minillm.classroom.first_reading import first_run
from minillm.classroom.first_reading.probes import PROBES, end_alike
from minillm.tokenizer import course_tokenizer

STEPS = 150
"""Steps after which a measured run is left, of the notebook's 500, so that a test can repeat one."""


@cache
def text() -> Tokens:
    """Return the corpus."""
    return prepare_tokens("embedded", course_tokenizer())


def fingerprint() -> str:
    """Return the corpus's fingerprint."""
    return text().fingerprint


@cache
def run(seed: int) -> tuple[list[float], dict[str, list[float]]]:
    """Begin the notebook's run and leave it; return the losses and each probe set's margins at the end, in nats."""
    losses, training = [], dataclasses.replace(first_run.TRAINING, seed=seed)
    for record in first_run.pretrain(text(), course_tokenizer(), training=training, moments=(STEPS,)):
        if "margins" in record:
            return losses, record["margins"]
        losses.append(record["train_loss_nats"])
    raise AssertionError("the run ended without a look at it")


@cache
def stated() -> list[int]:
    """Return how often the text states each of the facts."""
    whole = b"".join(first_run.text_of(ids, course_tokenizer()) for ids in text().train.values())
    return [first_run.repeats(probe, whole) for probe in PROBES["facts"]]


def first_loss(seed: int) -> float:
    """Return how far the first loss lies above ln V."""
    return run(seed)[0][0] - math.log(first_run.MODEL.vocab_size)


def last_loss(seed: int) -> float:
    """Return the mean loss of the last 20 steps."""
    return math.fsum(run(seed)[0][-20:]) / 20


def set_median(name: str, seed: int) -> float:
    """Return the median margin of a probe set."""
    return statistics.median(run(seed)[1][name])


def last_token_median(alike: bool, seed: int) -> float:
    """Return the median margin of all items whose contexts end in the same token, or in different ones."""
    found = [
        margin
        for name, items in PROBES.items()
        for probe, margin in zip(items, run(seed)[1][name], strict=True)
        if end_alike(probe, course_tokenizer()) == alike
    ]
    return statistics.median(found)


def half_median(often: bool, seed: int) -> float:
    """Return the median margin of the six facts stated most often, or of the six stated least."""
    margins = run(seed)[1]["facts"]
    ordered = sorted(range(len(margins)), key=stated().__getitem__)
    return statistics.median(margins[i] for i in (ordered[6:] if often else ordered[:6]))


def about(name: str, sentence: str, measure: Callable, low: float, high: float, unit: str = "nats") -> Claim:
    """Return a claim about this text."""
    return Claim(name, sentence, measure, low, high, unit=unit, corpus=fingerprint)


CLAIMS = (
    about(
        "00_first_loss",
        "Before anything is learned the loss lies at ln V or a few hundredths of a nat above.",
        first_loss,
        0.0,
        0.06,
        unit="nats above ln V",
    ),
    about("00_loss", "After 150 steps the loss has fallen by more than a third.", last_loss, 4.0, 4.5),
    about(
        "00_grammar",
        "After 150 steps the median grammar item is a nat or more on the right side.",
        lambda seed: set_median("grammar", seed),
        1.0,
        3.5,
    ),
    about(
        "00_association",
        "After 150 steps the median association item is within a fraction of a nat of a tie.",
        lambda seed: set_median("association", seed),
        -0.9,
        0.9,
    ),
    about(
        "00_facts",
        "After 150 steps the median item of facts and fixed phrases is within a fraction of a nat of a tie.",
        lambda seed: set_median("facts", seed),
        -0.5,
        0.95,
    ),
    about(
        "00_differ",
        "After 150 steps the median item whose contexts end in different tokens is a nat or more on the right side.",
        lambda seed: last_token_median(False, seed),
        1.0,
        3.5,
    ),
    about(
        "00_alike",
        "After 150 steps the median item whose contexts end in the same token is close to a tie.",
        lambda seed: last_token_median(True, seed),
        -0.5,
        0.6,
    ),
    about(
        "00_often",
        "After 150 steps the median of the six facts stated most often is a nat or more on the right side.",
        lambda seed: half_median(True, seed),
        1.0,
        4.5,
    ),
    about(
        "00_seldom",
        "After 150 steps the median of the six facts stated least often is close to a tie.",
        lambda seed: half_median(False, seed),
        -0.7,
        0.9,
    ),
)
