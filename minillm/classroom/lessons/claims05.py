"""What notebook 05 claims of its own runs, and how it is measured: a number a seed."""

import functools
import math
import statistics

from minillm.classroom.evidence import Claim
from minillm.classroom.loop import loop_lab, table_divergence


def fingerprint() -> str:
    """Return the fingerprint of the text that the notebook trains on."""
    return loop_lab.characters().fingerprint


def asked_above_even_odds(seed: int) -> float:
    """Return by how many nats a model trained on the unshifted batch pays more than even odds for the next token."""
    *_, last = loop_lab.watch_five_lines(shift=False, seed=seed)
    if last["train_loss_nats"] > 0.1:
        return math.nan  # it was to report a loss near 0
    return last["asked_loss_nats"] - math.log(len(loop_lab.ALPHABET))


def too_fast(seed: int) -> float:
    """Return by how many nats the largest rate ends above the second one, on held-out text."""
    largest, second = loop_lab.RATES[-1], loop_lab.RATES[1]
    ends = {r["rate"]: r.get("held_out_loss_nats") for r in loop_lab.compare_rates((second, largest), seed=seed)}
    return ends[largest] - ends[second]


MOST = 50.0
"""Nats above which a loss is lost anyway."""


def unclipped_harm(seed: int) -> float:
    """Return how much more plain descent pays after a bad batch without clipping than with it; median of 20 steps."""
    after = {}
    for grad_clip in (1.0, math.inf):
        losses = [r["train_loss_nats"] for r in loop_lab.meet_bad_batch("sgd", grad_clip, seed=seed)]
        after[grad_clip] = statistics.median(losses[loop_lab.BAD_STEP :] or [MOST])
    return min(MOST, after[math.inf] - after[1.0])


def gained_by_decay(seed: int) -> float:
    """Return by how many nats the run whose rate comes down ends below the one whose rate stays, on held-out text."""
    ends = {r["schedule"]: r["held_out_loss_nats"] for r in loop_lab.compare_endings(seed=seed)}
    return ends["constant"] - ends["wsd"]


def resume_off(seed: int) -> float:
    """Return how far the losses of a resumed run are from those of a run that never stopped, at most, in nats."""
    return resumed_off(seed, "weights, step, optimizer")


def forgetting_off(seed: int) -> float:
    """Return the same for a run that was resumed without the optimizer's state."""
    return resumed_off(seed, "weights, step")


@functools.cache
def stopped(seed: int) -> list[dict]:
    """Return the records of the run that never stopped and of those that were resumed."""
    return list(loop_lab.stop_and_go_on(seed=seed))


def resumed_off(seed: int, what: str) -> float:
    """Return how far the losses of one way to resume are off, at most, in nats."""
    whole = loop_lab.losses_of(stopped(seed), "never stopped", loop_lab.SAVED_STEP)
    return loop_lab.unlike(whole, loop_lab.losses_of(stopped(seed), what))


@functools.cache
def flagship(seed: int) -> list[dict]:
    """Return the records of the run that is compared with the tables."""
    return list(table_divergence.watch(seed=seed))


def dips_apart(seed: int) -> float:
    """Return by which factor the step of a table's least divergence lies after the one before, the smaller of two."""
    records = flagship(seed)
    found = table_divergence.dips([r["step"] for r in records], [r["divergence"] for r in records])
    return min(found["bigram"] / found["unigram"], found["trigram"] / found["bigram"])


def risen_after(seed: int) -> float:
    """Return by how many nats a table's divergence has risen from its least to the end, the smallest of three."""
    courses = [r["divergence"] for r in flagship(seed)]
    return min(courses[-1][name] - min(c[name] for c in courses) for name in table_divergence.TABLES)


def table_ahead(seed: int) -> float:
    """Return by how many nats a character the best count table pays less than the model, on held-out text."""
    losses, _ = table_divergence.best_table()
    return flagship(seed)[-1]["held_out_loss_nats"] - min(losses)


CLAIMS = (
    Claim(
        "05_copy",
        "Trained on its own inputs a model reports a loss below 0.1 and pays more than even odds for the next token.",
        asked_above_even_odds,
        1.0,
        12.0,
        "nats a token",
        corpus=fingerprint,
    ),
    Claim(
        "05_too_fast",
        "A hundred times the rate of 0.003 ends at least 0.3 nats higher on held-out text after 150 steps.",
        too_fast,
        0.3,
        3.0,
        "nats a token",
        corpus=fingerprint,
    ),
    Claim(
        "05_clip",
        "After one bad batch, plain descent without clipping pays at least 0.2 nats more than with it over 20 steps.",
        unclipped_harm,
        0.2,
        MOST,
        "nats a token",
        corpus=fingerprint,
    ),
    Claim(
        "05_decay",
        "Bringing the rate down over the last 40% of a run lowers its held-out loss.",
        gained_by_decay,
        0.01,
        0.2,
        "nats a token",
        corpus=fingerprint,
    ),
    Claim(
        "05_resume",
        "A run resumed with weights, optimizer state and step has the losses of a run that never stopped, exactly.",
        resume_off,
        0.0,
        0.0,
        "nats",
        corpus=fingerprint,
    ),
    Claim(
        "05_forgotten",
        "Resumed without the optimizer's state, at least one loss is off by 0.02 nats or more.",
        forgetting_off,
        0.02,
        1.0,
        "nats",
        corpus=fingerprint,
    ),
    Claim(
        "05_dips",
        "The divergence from the unigram, bigram and trigram table is least in this order, each time at least 1.5 "
        "times as many steps in.",
        dips_apart,
        1.5,
        30.0,
        "times as late",
        seeds=(0, 1, 2, 3, 4),
        corpus=fingerprint,
    ),
    Claim(
        "05_risen",
        "After its lowest point each of the three divergences rises again, by the end by at least 0.03 nats.",
        risen_after,
        0.03,
        1.0,
        "nats",
        seeds=(0, 1, 2, 3, 4),
        corpus=fingerprint,
    ),
    Claim(
        "05_table_ahead",
        "After the run the best count table still pays at least 0.2 nats a character less than the model.",
        table_ahead,
        0.2,
        0.8,
        "nats a character",
        seeds=(0, 1, 2, 3, 4),
        corpus=fingerprint,
    ),
)
