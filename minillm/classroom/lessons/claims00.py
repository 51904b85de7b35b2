"""The claims of notebook 00, measured on the first part of its run: the same model and text, for fewer steps."""

import dataclasses
import math
from functools import cache

from minillm.batches import Tokens, prepare_tokens
from minillm.classroom import first_run
from minillm.classroom.evidence import Claim
from minillm.tokenizer import course_tokenizer

STEPS = 150
"""Steps of a measured run: a third of the notebook's, so that a test can repeat one."""


@cache
def text() -> Tokens:
    """Return the corpus."""
    return prepare_tokens("embedded", course_tokenizer())


def fingerprint() -> str:
    """Return the corpus's fingerprint."""
    return text().fingerprint


@cache
def run(seed: int) -> tuple[list[float], dict[str, float]]:
    """Train for so many steps; return the losses in nats and each probe set's mean margin in nats at the end."""
    training = dataclasses.replace(first_run.TRAINING, steps=STEPS, seed=seed)
    records = list(first_run.pretrain(text(), course_tokenizer(), training=training, moments=()))
    losses = [record["train_loss_nats"] for record in records if "train_loss_nats" in record]
    return losses, {name: math.fsum(values) / len(values) for name, values in records[-1]["margins"].items()}


def first_loss(seed: int) -> float:
    """Return how far the first loss lies above ln V."""
    return run(seed)[0][0] - math.log(first_run.MODEL.vocab_size)


def last_loss(seed: int) -> float:
    """Return the mean loss of the last 20 steps."""
    return math.fsum(run(seed)[0][-20:]) / 20


CLAIMS = (
    Claim(
        "00_first_loss",
        "Before anything is learned the loss lies at ln V or a few hundredths of a nat above.",
        first_loss,
        0.0,
        0.06,
        unit="nats above ln V",
        corpus=fingerprint,
    ),
    Claim(
        "00_loss",
        "After 150 steps the loss has fallen by more than a third.",
        last_loss,
        3.8,
        4.4,
        unit="nats",
        corpus=fingerprint,
    ),
    Claim(
        "00_grammar",
        "After 150 steps the grammar endings are clearly likelier in their own contexts.",
        lambda seed: run(seed)[1]["grammar"],
        0.8,
        3.5,
        unit="nats",
        corpus=fingerprint,
    ),
    Claim(
        "00_association",
        "After 150 steps the association endings are about as likely in either context.",
        lambda seed: run(seed)[1]["association"],
        -0.6,
        0.6,
        unit="nats",
        corpus=fingerprint,
    ),
    Claim(
        "00_facts",
        "After 150 steps the endings of facts and fixed phrases are likelier in their own contexts.",
        lambda seed: run(seed)[1]["facts"],
        1.0,
        4.5,
        unit="nats",
        corpus=fingerprint,
    ),
)
