"""The claims of notebook 00, measured on the first part of its run: the same run, from other seeds, left early."""

import dataclasses
import math
import statistics
from collections.abc import Callable
from functools import cache

from minillm.batches import Tokens, prepare_tokens
from minillm.classroom.evidence import Claim
from minillm.classroom.first_reading import first_run
from minillm.classroom.first_reading.probes import ACROSS, GROUPS, PROBES, end_alike, group_of, score, times_stated
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


def first_loss(seed: int) -> float:
    """Return how far the first loss lies above ln V."""
    return run(seed)[0][0] - math.log(first_run.MODEL.vocab_size)


def last_loss(seed: int) -> float:
    """Return the mean loss of the last 20 steps."""
    return math.fsum(run(seed)[0][-20:]) / 20


def share_right(name: str, seed: int) -> float:
    """Return the share of a set's items that are right."""
    return score(name, run(seed)[1][name]).share


def last_token_median(alike: bool, seed: int) -> float:
    """Return the median margin of all items whose contexts end in the same token, or in different ones."""
    found = [
        margin
        for name, items in PROBES.items()
        for probe, margin in zip(items, run(seed)[1][name], strict=True)
        if end_alike(probe, course_tokenizer()) == alike
    ]
    return statistics.median(found)


def group_share(group: str, seed: int) -> float:
    """Return the share of right items among the facts that the text states so often."""
    stated = times_stated(text(), course_tokenizer(), PROBES["facts"])
    margins = [m for m, times in zip(run(seed)[1]["facts"], stated, strict=True) if group_of(times) == group]
    return score(group, margins).share


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
        "After 150 steps more of the grammar items are right than by chance.",
        lambda seed: share_right("grammar", seed),
        0.53,
        1.0,
        unit="of the items right",
    ),
    about(
        "00_association",
        "After 150 steps about half of the associations are right, as by chance or hardly more.",
        lambda seed: share_right("association", seed),
        0.32,
        0.74,
        unit="of the items right",
    ),
    about(
        "00_facts",
        "After 150 steps half of the facts and fixed phrases are right, or somewhat more: a mixed lot.",
        lambda seed: share_right("facts", seed),
        0.38,
        0.86,
        unit="of the items right",
    ),
    about(
        "00_differ",
        "After 150 steps the median item whose contexts end in different tokens is on the right side.",
        lambda seed: last_token_median(False, seed),
        0.15,
        2.6,
    ),
    about(
        "00_alike",
        "After 150 steps the median item whose contexts end in the same token is close to a tie.",
        lambda seed: last_token_median(True, seed),
        -0.3,
        0.4,
    ),
    about(
        "00_across",
        "After 150 steps less than half of the items across a noun are right: the nearest noun misleads.",
        lambda seed: share_right(ACROSS, seed),
        0.0,
        0.49,
        unit="of the items right",
    ),
    about(
        "00_often",
        "After 150 steps most facts that the text states 32 times or more are right.",
        lambda seed: group_share(GROUPS[3], seed),
        0.5,
        1.0,
        unit="of the items right",
    ),
    about(
        "00_never",
        "After 150 steps about as many as by chance are right of the facts that the text never states.",
        lambda seed: group_share(GROUPS[0], seed),
        0.1,
        0.9,
        unit="of the items right",
    ),
)
