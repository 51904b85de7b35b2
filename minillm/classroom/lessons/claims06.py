"""What notebook 06 claims, and how it is measured: a number a seed."""

import bz2
import functools
import gzip
import lzma

import numpy as np

from minillm.classroom import packed
from minillm.classroom.evidence import Claim
from minillm.classroom.loss import known_entropy, stopping, surprise
from minillm.classroom.threads import one_thread
from minillm.evaluate import stream_nats
from minillm.loss import bits_per_byte
from minillm.tokenizer import course_tokenizer


@functools.cache
def addresses():
    """Return the text that the notebook's models read."""
    return surprise.addresses(course_tokenizer())


def fingerprint() -> str:
    """Return the fingerprint of that text."""
    return addresses().fingerprint


def judged(seed: int, variant: str) -> known_entropy.Difference:
    """Return the paired difference of model A or B on a source of its own, each with this seed."""
    source = known_entropy.make_source(seed)
    *_, last = known_entropy.read_source(source, variant, seed=seed)
    model = known_entropy.trained(last, variant)
    return known_entropy.paired_difference(*known_entropy.fresh_surprise(source, model, seed=seed))


def source_gap(seed: int) -> float:
    """Return by how many nats model A pays more than the source itself on fresh symbols."""
    return judged(seed, "A").mean_nats


def leak_errors(seed: int) -> float:
    """Return how many standard errors model B lies from what is possible; negative: below it."""
    found = judged(seed, "B")
    return found.mean_nats / found.standard_error


def compressor_ahead(seed: int) -> float:
    """Return how many bits a byte the trained reader needs less than the best of gzip, bz2 and xz, on held-out text."""
    tokenizer, tokens = course_tokenizer(), addresses()
    *_, (last, _) = surprise.read_addresses(tokens, tokenizer, seed=seed)
    model, ids = packed.unpack(last["packed"]), np.asarray(tokens.held_out["books"])
    text = "".join(surprise.documents(ids, tokenizer)).encode("utf-8")
    files = gzip.compress(text, 9), bz2.compress(text, 9), lzma.compress(text, preset=9)
    best = 8 * min(len(file) for file in files) / len(text)
    return best - bits_per_byte(stream_nats(model, ids), len(text))


def held_out(records) -> list[float]:
    """Return the held-out losses of a run's records."""
    with one_thread():
        return [record["held_out_loss_nats"] for record in records if "held_out_loss_nats" in record]


@functools.cache
def small_run(seed: int) -> tuple[float, ...]:
    """Return the held-out losses of the small text, read again and again."""
    return tuple(held_out(stopping.read_text(addresses(), small=True, seed=seed)))


def overfit_rise(seed: int) -> float:
    """Return by how many nats the held-out loss of the small text ends above its lowest."""
    losses = small_run(seed)
    return losses[-1] - min(losses)


def decay_gain(seed: int) -> float:
    """Return how many nats bringing the rate down brings, against the same steps at a constant rate."""
    constant = held_out(stopping.read_text(addresses(), seed=seed))[-1]
    return constant - held_out(stopping.read_text(addresses(), schedule="wsd", seed=seed))[-1]


def plateau_lost(seed: int) -> float:
    """Return how many nats the loss falls after the watching rule has stopped, on the text that is said twice."""
    run = stopping.Run("copies", tuple(held_out(stopping.read_copies(seed=seed))), stopping.CHUNKS)
    return run.losses[run.stabilised] - run.losses[-1]


CLAIMS = (
    Claim(
        "06_source",
        "On a source of known entropy a small transformer pays at most 0.02 nats a symbol more than the source itself.",
        source_gap,
        -0.002,
        0.02,
        "nats a symbol",
        seeds=(0, 1, 2, 3, 4, 5),
    ),
    Claim(
        "06_leak",
        "The planted leak lies at least 10 standard errors below what is possible.",
        leak_errors,
        -60.0,
        -10.0,
        "standard errors",
    ),
    Claim(
        "06_compressor",
        "On held-out addresses the model needs at least 0.4 bits a byte less than the best of gzip, bz2 and xz.",
        compressor_ahead,
        0.4,
        1.2,
        "bits a byte",
        corpus=fingerprint,
    ),
    Claim(
        "06_overfit",
        "Read again and again, a small text brings the held-out loss down and then up by at least 0.4 nats.",
        overfit_rise,
        0.4,
        6.0,
        "nats a token",
        corpus=fingerprint,
    ),
    Claim(
        "06_decay",
        "With the rate brought down a run ends lower than with a constant rate, after the same steps.",
        decay_gain,
        0.01,
        0.3,
        "nats a token",
        corpus=fingerprint,
    ),
    Claim(
        "06_plateau",
        "A rule that waits for the loss to stabilise stops on a plateau, and misses a fall of at least 0.3 nats.",
        plateau_lost,
        0.3,
        3.0,
        "nats a symbol",
    ),
)
