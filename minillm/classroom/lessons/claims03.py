"""What notebook 03 claims, and how it is measured: a number a seed."""

import functools
import math

from torch import Tensor

from minillm.classroom.evidence import Claim
from minillm.classroom.first_reading.objective import (
    PROMPT,
    UNSEEN_PROMPTS,
    count_pairs,
    counted_loss,
    held_out_losses,
    read_planted,
    smoothed,
    speeches,
    train_player,
    train_table,
)
from minillm.corpus.synthetic import planted_sentences, planted_shares
from minillm.tokenizer import course_tokenizer


def fingerprint() -> str:
    """Return the fingerprint of the text that the notebook counts and trains on."""
    return speeches(course_tokenizer()).fingerprint


def speech_pairs() -> Tensor:
    """Return the counts of neighbours in that text, [V, V]."""
    tokenizer = course_tokenizer()
    return count_pairs(speeches(tokenizer).train["books"], tokenizer.vocab_size).float()


def product_off(seed: int) -> float:
    """Return how far the product of conditional shares is from a continuation's share, at most, in any prompt."""
    tokenizer = course_tokenizer()
    sentences = [tokenizer.encode(sentence) for sentence in planted_sentences(seed=seed)]
    worst = 0.0
    for continuation, share in planted_shares(PROMPT).items():
        before, after = tokenizer.encode(PROMPT), tokenizer.encode(f" {continuation}.")
        product, beginning = 1.0, list(before)
        for token in after:
            following = [s for s in sentences if s[: len(beginning)] == beginning]
            product *= sum(s[len(beginning)] == token for s in following) / len(following)
            beginning.append(token)
        worst = max(worst, abs(product - share))
    return worst


@functools.cache
def planted_end(seed: int) -> dict:
    """Return the last record of a model that reads the planted corpus."""
    *_, last = read_planted(course_tokenizer(), seed=seed)
    return last


def planted_off(seed: int) -> float:
    """Return how far the trained model's probability of a continuation is from its share, at most."""
    found = planted_end(seed)["probabilities"]
    return max(abs(found[end] - share) for end, share in planted_shares(PROMPT).items())


def unseen_alike(seed: int) -> float:
    """Return the probability of 'artificial intelligence' after an unseen prompt that ends alike, the lower of two."""
    return min(planted_end(seed)["unseen"][prompt] for prompt in UNSEEN_PROMPTS[:2])


def unseen_other(seed: int) -> float:
    """Return the probability of 'artificial intelligence' after an unseen prompt that ends otherwise."""
    return planted_end(seed)["unseen"][UNSEEN_PROMPTS[2]]


def table_gap(seed: int) -> float:
    """Return by how many nats the learned table's loss lies above that of the counted one, on a third of the text."""
    tokenizer = course_tokenizer()
    text = speeches(tokenizer).train["books"]
    third = len(text) // 3
    part = seed % 3  # each seed has its own third, as well as its own random start
    counts = count_pairs(text[part * third : (part + 1) * third], tokenizer.vocab_size).float()
    *_, (_, loss_nats, _) = train_table(counts, steps=100, seed=seed)
    return loss_nats - counted_loss(counts)


def table_start(seed: int) -> float:
    """Return how far the untrained table's loss is from ln V, in nats."""
    counts = speech_pairs()
    _, loss_nats, _ = next(train_table(counts, steps=1, seed=seed))
    return abs(loss_nats - math.log(len(counts)))


def model_ahead(seed: int) -> float:
    """Return by how many nats a token the game's model beats the smoothed table of pairs on held-out text."""
    tokens = speeches(course_tokenizer())
    *_, (_, model) = train_player(tokens, seed=seed)
    losses = held_out_losses(model, smoothed(speech_pairs()), tokens)
    return losses["bigram"] - losses["model"]


CLAIMS = (
    Claim(
        "03_product",
        "The product of a continuation's conditional shares is its share of the planted corpus, to float error.",
        product_off,
        0.0,
        1e-12,
    ),
    Claim(
        "03_planted",
        "A small trained transformer gives each continuation its share of the planted corpus within 0.1.",
        planted_off,
        0.0,
        0.1,
    ),
    Claim(
        "03_unseen",
        "After an unseen beginning that ends in 'branch of', whether on learning or on birds, it expects 'artificial "
        "intelligence' with at least 0.3.",
        unseen_alike,
        0.3,
        0.7,
    ),
    Claim(
        "03_unseen_other",
        "After an unseen beginning that ends in 'full of' it expects 'artificial intelligence' with less than 0.3.",
        unseen_other,
        0.0,
        0.3,
    ),
    Claim(
        "03_table_gap",
        "On each third of the speeches a table learned by gradient descent ends above the loss of the counted table, "
        "by less than 0.01 nats.",
        table_gap,
        0.0,
        0.01,
        "nats",
        corpus=fingerprint,
    ),
    Claim(
        "03_table_start",
        "The loss of a table of small random logits is ln V within 0.01 nats.",
        table_start,
        0.0,
        0.01,
        "nats",
        corpus=fingerprint,
    ),
    Claim(
        "03_model_ahead",
        "On held-out text a small transformer pays at least 0.05 nats a token less than the table of pairs.",
        model_ahead,
        0.05,
        0.5,
        "nats a token",
        corpus=fingerprint,
    ),
)
