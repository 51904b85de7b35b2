"""Duplicates that were planted are found, and the fast exact search equals the slow one."""

import random

import numpy as np
import pytest

from minillm.corpus.dedup import candidate_pairs, drop_exact, drop_like_held_out, drop_near, shingle_cuts
from minillm.corpus.documents import Document
from minillm.corpus.shingles import WordNumbers, jaccard, shingles, similar_pairs


def document(text: str, kind: str = "web") -> Document:
    return Document(text, kind, "test", text[:20], "MIT")


def random_words(rng: random.Random, count: int, vocabulary: int = 3000) -> list[str]:
    return [f"w{rng.randrange(vocabulary)}" for _ in range(count)]


def edited(rng: random.Random, words: list[str], changes: int) -> list[str]:
    words = list(words)
    for place in rng.sample(range(len(words)), changes):
        words[place] = "changed"
    return words


def test_shingles_by_hand():
    numbers = WordNumbers()
    # "a b a b a" has the word pairs ab, ba, ab, ba: two distinct ones
    assert len(shingles(numbers.encode("a b a b a"), 2)) == 2
    assert len(shingles(numbers.encode("A, b!"), 5)) == 1  # shorter than n: one shingle of its own
    assert len(shingles(numbers.encode(""), 5)) == 0
    # pairs of "a b c d": ab bc cd; of "a b c e": ab bc ce; two of four are shared
    left, right = (shingles(numbers.encode(text), 2) for text in ("a b c d", "a b c e"))
    assert jaccard(left, right) == 2 / 4
    assert jaccard(shingles(numbers.encode(""), 2), left) == 0


@pytest.mark.parametrize("threshold", [0.3, 0.6, 0.8, 1.0])
@pytest.mark.parametrize("n", [1, 3])
def test_similar_pairs_equals_comparing_all_pairs(threshold, n):
    rng = random.Random(int(threshold * 10) + n)
    base = [random_words(rng, rng.randrange(1, 60), vocabulary=80) for _ in range(60)]
    near = [edited(rng, words, rng.randrange(len(words) // 3 + 1)) for words in base]
    left, right = [[tuple(w) for w in side] for side in (base, near)]
    left.append(())

    def slow(words):
        n_here = min(n, len(words))
        return {words[i : i + n_here] for i in range(len(words) - n_here + 1)} if words else set()

    expected = {}
    for i, a in enumerate(map(slow, left)):
        for j, b in enumerate(map(slow, right)):
            similarity = len(a & b) / max(1, len(a | b))
            if similarity >= threshold:
                expected[i, j] = similarity
    numbers = WordNumbers()
    fast = [[shingles(numbers.encode(" ".join(words)), n) for words in side] for side in (left, right)]
    found = {(i, j): similarity for i, j, similarity in similar_pairs(fast[0], fast[1], threshold)}
    assert found == pytest.approx(expected)
    assert len(expected) >= 5 and (0 < len(expected) < len(left) * len(right))


def test_exact_duplicates_are_found_across_kinds_and_spelling():
    documents = [document("One, two: three!"), document("one TWO\nthree", "docs"), document("one two four")]
    kept, step = drop_exact(documents, WordNumbers())
    assert kept == [documents[0], documents[2]]
    assert step.dropped == {"docs": (1, 13)}


def test_planted_near_duplicates_are_dropped_and_nothing_else():
    rng = random.Random(4)
    originals = [random_words(rng, 200) for _ in range(150)]
    # two changed words touch at most 10 of 196 five-grams: Jaccard at least 186 / 206 = 0.90
    copies = [edited(rng, words, 2) for words in originals[:50]]
    # thirty changed words leave at most half
    relatives = [edited(rng, words, 30) for words in originals[50:100]]
    documents = [document(" ".join(words)) for words in (*originals, *copies, *relatives)]
    kept, step = drop_near(documents, WordNumbers())
    assert kept == [*documents[:150], *documents[200:]]
    assert step.dropped["web"].documents == 50


def test_minhash_misses_no_pair_at_the_threshold():
    """At 0.8 a pair is missed with probability (1 - 0.8^4)^32 = 5e-8."""
    rng = np.random.default_rng(0)
    sets = []
    for _ in range(100):
        shared = rng.integers(0, 2**63, 160, dtype=np.uint64)
        for _ in range(2):  # 160 of 160 + 20 + 20 shared: 0.8
            sets.append(np.unique(np.concatenate([shared, rng.integers(0, 2**63, 20, dtype=np.uint64)])))
    pairs = candidate_pairs(sets)
    assert {(2 * i, 2 * i + 1) for i in range(100)} <= pairs
    assert len(pairs) < 200


def test_training_text_like_a_held_out_one_goes_by_any_cut():
    rng = random.Random(5)
    words = random_words(rng, 100)
    held_out = [document(" ".join(words))]
    other_order = words[:]
    rng.shuffle(other_order)
    few_changes = edited(rng, words, 1)
    unrelated = [document(" ".join(random_words(rng, 100))) for _ in range(20)]
    train = [document(" ".join(other_order)), document(" ".join(few_changes), "docs"), *unrelated]
    kept, step = drop_like_held_out(train, held_out, WordNumbers())
    # the same words in another order share no 5-gram but all words
    assert kept == unrelated
    assert set(step.dropped) == {"web", "docs"}


def test_four_cuts_see_one_text_in_four_ways():
    sizes = {name: len(cut("to be or not to be")) for name, cut in shingle_cuts(WordNumbers())}
    # 5-grams: 2; 3-grams: 4; words: to be or not; characters: 18, of which "to be" comes twice: 14 - 1
    assert sizes == {"word 5-grams": 2, "word 3-grams": 4, "word 1-grams": 4, "character 5-grams": 13}
