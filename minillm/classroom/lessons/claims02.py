"""What notebook 02 claims, and how it is measured: a number a seed."""

import functools
import random

from minillm import bpe
from minillm.classroom.evidence import Claim
from minillm.classroom.tokens.token_lab import (
    STEPS,
    VOCABULARIES,
    encode_elsewhere,
    learn_elsewhere,
    read,
    same_text_steps,
    small_corpus,
    split_documents,
    unseen_share,
    words,
)
from minillm.corpus import Corpus

SAMPLE_CHARACTERS = 4_000
"""Of each kind, for the comparison of programs."""


@functools.cache
def corpus() -> Corpus:
    """Return the notebook's corpus."""
    return small_corpus()


def fingerprint() -> str:
    """Return the fingerprint of the notebook's corpus."""
    return corpus().fingerprint


def unseen(seed: int) -> float:
    """Return the share (in %) of running words in a random tenth of the web documents that no other one holds."""
    learned_from, held_out = split_documents(corpus().train["web"], seed)
    return 100 * unseen_share(words(learned_from), words(held_out))


def differing(seed: int) -> float:
    """Return how many merges and ids of other programs differ from those of the plain algorithm, on random passages."""
    rng = random.Random(seed)
    passages = []
    for documents in corpus().train.values():
        text = rng.choice([d.text for d in documents if len(d.text) >= 500])
        start = rng.randrange(max(1, len(text) - SAMPLE_CHARACTERS))
        passages.append(text[start : start + SAMPLE_CHARACTERS])
    sample = "\n".join(passages)
    merges = bpe.train(sample, 200)
    pairs = [(merges, found) for found in learn_elsewhere(sample, 200).values()]
    pairs += [(bpe.encode(sample, merges), found) for found in encode_elsewhere(sample, merges).values()]
    return sum(
        abs(len(ours) - len(theirs)) + sum(a != b for a, b in zip(ours, theirs, strict=False))
        for ours, theirs in pairs
        if theirs is not None
    )


@functools.cache
def graded(vocab_size: int, steps: int, seed: int) -> dict[str, float]:
    """Return the grades of a model that has read the corpus in tokens of this vocabulary."""
    *_, last = read(corpus(), vocab_size, steps=steps, seed=seed)
    return last["held_out"]


def perplexity_ratio(seed: int) -> float:
    """Return the largest vocabulary's perplexity over the smallest one's."""
    first, last = (graded(size, STEPS, seed)["perplexity"] for size in (VOCABULARIES[0], VOCABULARIES[-1]))
    return last / first


def bits_gap(seed: int) -> float:
    """Return by how many bits a byte the smallest vocabulary's model pays more than the largest one's."""
    first, last = (graded(size, STEPS, seed)["bits_a_byte"] for size in (VOCABULARIES[0], VOCABULARIES[-1]))
    return first - last


def same_text_gap(seed: int) -> float:
    """Return the same gap when the smallest vocabulary's model has read as much text as the other."""
    first = graded(VOCABULARIES[0], same_text_steps(corpus()), seed)["bits_a_byte"]
    return first - graded(VOCABULARIES[-1], STEPS, seed)["bits_a_byte"]


CLAIMS = (
    Claim(
        "02_unseen",
        "Of the running words in a random tenth of the web documents, 8 to 18% stand in none of the others.",
        unseen,
        8.0,
        18.0,
        "% of the words",
        corpus=fingerprint,
    ),
    Claim(
        "02_same",
        "The plain algorithm, the fast one, rustbpe, tiktoken and tokenizers give the same merges and ids.",
        differing,
        0.0,
        0.0,
        "differences",
        corpus=fingerprint,
    ),
    Claim(
        "02_perplexity",
        "At the same number of steps the perplexity with 2,048 tokens is 12 to 25 times that with 257.",
        perplexity_ratio,
        12.0,
        25.0,
        "times",
        corpus=fingerprint,
    ),
    Claim(
        "02_bits",
        "At the same number of steps the model with 2,048 tokens pays 0.6 to 1.1 bits a byte less than that with 257.",
        bits_gap,
        0.6,
        1.1,
        "bits a byte",
        corpus=fingerprint,
    ),
    Claim(
        "02_same_text",
        "After as many bytes of text the model with 2,048 tokens still pays 0.2 to 0.45 bits a byte less.",
        same_text_gap,
        0.2,
        0.45,
        "bits a byte",
        corpus=fingerprint,
    ),
)
