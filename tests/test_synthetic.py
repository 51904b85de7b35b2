"""Sources about which everything is known: the known values against hand calculations and against samples."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from minillm.corpus import load_corpus
from minillm.corpus.synthetic import (
    PLANTED,
    MarkovSource,
    markov_source,
    planted_sentences,
    planted_shares,
    stories,
)
from minillm.errors import DataError


def test_entropy_of_two_states_by_hand():
    # from 0: stay 0.9; from 1: stay 0.6. Balance 0.1 p0 = 0.4 p1 gives p0 = 0.8
    source = MarkovSource(1, np.array([[0.9, 0.1], [0.4, 0.6]]))
    assert source.stationary == pytest.approx([0.8, 0.2])

    def entropy(p):
        return -p * math.log(p) - (1 - p) * math.log(1 - p)

    rate = 0.8 * entropy(0.9) + 0.2 * entropy(0.4)
    assert source.entropy_nats == pytest.approx(rate)
    # the first symbol is known only by its share
    assert source.position_entropies_nats(3) == pytest.approx([entropy(0.8), rate, rate])


def test_a_uniform_start_settles():
    source = MarkovSource(1, np.array([[0.9, 0.1], [0.4, 0.6]]), start=np.array([0.5, 0.5]))
    entropies = source.position_entropies_nats(60)
    assert entropies[0] == pytest.approx(math.log(2))
    # after one step p0 = 0.5 * 0.9 + 0.5 * 0.4 = 0.65
    h0, h1 = source.context_entropies_nats
    assert entropies[1:3] == pytest.approx([0.5 * h0 + 0.5 * h1, 0.65 * h0 + 0.35 * h1])
    assert entropies[-1] == pytest.approx(source.entropy_nats)


def test_a_cycle_and_a_die():
    cycle = MarkovSource(1, np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert cycle.stationary == pytest.approx([0.5, 0.5]) and cycle.entropy_nats == 0
    die = MarkovSource(0, np.full((1, 6), 1 / 6))
    assert die.entropy_nats == pytest.approx(math.log(6))
    assert die.sample(2, 5, seed=0).shape == (2, 5)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_probabilities_of_all_short_sequences_sum_to_one_and_give_the_entropy(order):
    source = markov_source(order, symbols=3, seed=order)
    everything = np.array(list(itertools.product(range(3), repeat=5)))
    logs = source.log_probabilities_nats(everything)
    probabilities = np.exp(logs.sum(1))
    assert probabilities.sum() == pytest.approx(1)
    expected = -(probabilities[:, None] * logs).sum(0)
    assert source.position_entropies_nats(5) == pytest.approx(expected)


@pytest.mark.parametrize("order", [1, 2])
def test_samples_have_the_stated_entropy_and_shares(order):
    source = markov_source(order, symbols=8, seed=3)
    sample = source.sample(400, 100, seed=1)
    assert (sample == source.sample(400, 100, seed=1)).all()
    assert (sample != source.sample(400, 100, seed=2)).any()
    losses = -source.log_probabilities_nats(sample)
    error = losses.mean(1).std() / math.sqrt(400)
    assert abs(losses.mean() - source.position_entropies_nats(100).mean()) < 4 * error
    shares = np.bincount(sample.ravel(), minlength=8) / sample.size
    assert shares == pytest.approx(source.stationary.reshape(-1, 8).sum(0), abs=0.02)


def test_rows_that_are_no_probabilities_are_named():
    with pytest.raises(DataError, match="sum to 1"):
        MarkovSource(1, np.array([[0.5, 0.6], [0.5, 0.5]]))
    with pytest.raises(DataError, match="Order 2"):
        MarkovSource(2, np.eye(2))


def test_stories_are_distinct_short_and_the_same_for_a_seed():
    first = list(itertools.islice(stories(seed=1), 2000))
    assert len(set(first)) == 2000
    assert first == list(itertools.islice(stories(seed=1), 2000))
    assert first[:50] != list(itertools.islice(stories(seed=2), 50))
    assert all(100 < len(story) < 700 and "{" not in story for story in first)


def test_synthetic_corpus_has_its_own_kind():
    corpus = load_corpus("synthetic", part=0.1, held_out_bytes=10_000)
    assert corpus.kinds == ("stories",) and corpus.weights == {"stories": 1.0}
    assert len(corpus.train["stories"]) > 600 and corpus.held_out_bytes["stories"] >= 10_000


def test_planted_shares_hold_exactly():
    sentences = planted_sentences(repeats=7, seed=3)
    assert len(sentences) == 7 * 10 * len(PLANTED)
    prompt = "Machine learning is a branch of"
    ends = Counter(s[len(prompt) + 1 : -1] for s in sentences if s.startswith(prompt))
    assert {end: count / 70 for end, count in ends.items()} == pytest.approx(planted_shares(prompt))
    assert planted_shares(prompt)["artificial intelligence"] == 0.5
    assert sentences != planted_sentences(repeats=7, seed=4)
    assert sum(planted_shares("A triangle has").values()) == pytest.approx(1)
    with pytest.raises(DataError, match="not planted"):
        planted_shares("The meaning of life is")
