"""What notebook 01 claims, and how it is measured: a number a seed."""

from functools import cache
from statistics import mean

from minillm.classroom.data.data_lab import (
    articles_fingerprint,
    contaminated,
    dropped_by_minhash,
    licence_files,
    plant_copies,
    plant_leaks,
    split_at_random,
    twins,
    without_twins,
    xz_bits_per_byte,
)
from minillm.classroom.data.mixture_runs import KINDS, docs_share, fingerprint, train_matrix, train_mixture
from minillm.classroom.evidence import Claim

SEEDS = (0, 1, 2, 3, 4)


def copies_found(seed: int) -> float:
    """Return how many of 100 edited copies `drop_near` takes out."""
    return dropped_by_minhash(plant_copies(seed))[0]


def false_alarms(seed: int) -> float:
    """Return how many of 200 different articles it takes out."""
    return dropped_by_minhash(plant_copies(seed))[1]


def copied_cost(seed: int) -> float:
    """Return what held-out licence files cost with their near-copies in training, as a share of the cost without."""
    train, held_out = split_at_random(licence_files(), seed)
    copied = [file for file, has in zip(held_out, twins(train, held_out), strict=True) if has]
    with_copies = mean(xz_bits_per_byte(train, file) for file in copied)
    return with_copies / mean(xz_bits_per_byte(without_twins(train, file), file) for file in copied)


def leak_errors(seed: int) -> float:
    """Return how many of 300 held-out articles a search by runs of 13 words judges wrongly: missed or accused."""
    held_out, train, leaked = plant_leaks(seed)
    return len(set(contaminated(held_out, train, 13)) ^ set(leaked))


@cache
def matrix(seed: int) -> dict[str, dict[str, float]]:
    """Return the bits a byte of the four models, by what they read and what they are tested on."""
    return {record["read"]: record["bits"] for record in train_matrix(seed=seed) if "bits" in record}


def diagonal_ahead(seed: int) -> float:
    """Return how far the model that read a kind is ahead of the next best on it, in the closest of the four columns."""
    bits = matrix(seed)
    return min(min(bits[read][kind] for read in KINDS if read != kind) - bits[kind][kind] for kind in KINDS)


def docs_bits(share: float, seed: int) -> float:
    """Return what a mixture with this share of scarce documentation pays on held-out documentation."""
    return train_mixture(docs_share(share), seed=seed)[-1]["bits"]["docs"]


def alone_worse(seed: int) -> float:
    """Return how much more documentation alone pays than a mixture with 60% of it."""
    return docs_bits(1.0, seed) - docs_bits(0.6, seed)


def little_worse(seed: int) -> float:
    """Return how much more a mixture with 20% of documentation pays than one with 60%."""
    return docs_bits(0.2, seed) - docs_bits(0.6, seed)


CLAIMS = (
    Claim(
        "01_copies",
        "Of 100 copies with 10% of their words replaced, runs of 5 words and a threshold of 0.3 find at least 95.",
        copies_found,
        95,
        100,
        seeds=SEEDS,
        corpus=articles_fingerprint,
    ),
    Claim(
        "01_false_alarms",
        "Among 200 different articles they take none for a copy of another.",
        false_alarms,
        0,
        0,
        seeds=SEEDS,
        corpus=articles_fingerprint,
    ),
    Claim(
        "01_copied_cost",
        "A held-out licence file costs xz less with its near-copies in training than when these are taken out first.",
        copied_cost,
        0.1,
        0.95,
        seeds=SEEDS,
    ),
    Claim(
        "01_leak_errors",
        "Of 300 held-out articles, 12 of which leaked, a search by runs of 13 words judges at most 4 wrongly.",
        leak_errors,
        0,
        4,
        seeds=SEEDS,
        corpus=articles_fingerprint,
    ),
    Claim(
        "01_diagonal",
        "On each kind of text the model that read it pays at least 0.2 bits a byte less than the next best reader.",
        diagonal_ahead,
        0.2,
        0.8,
        "bits a byte",
        corpus=fingerprint,
    ),
    Claim(
        "01_alone",
        "With 200 kB of documentation, documentation alone pays more on it than a mixture with 60% of it.",
        alone_worse,
        0.02,
        0.4,
        "bits a byte",
        seeds=SEEDS,
        corpus=fingerprint,
    ),
    Claim(
        "01_little",
        "A mixture with 20% of documentation pays more on it than one with 60%.",
        little_worse,
        0.02,
        0.5,
        "bits a byte",
        seeds=SEEDS,
        corpus=fingerprint,
    ),
)
