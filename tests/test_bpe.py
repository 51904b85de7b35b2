"""Byte-pair encoding: a worked example, and the same merges and ids as three independent libraries."""

import random

import pytest
import rustbpe
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from minillm import bpe
from minillm.errors import TokenizerError
from minillm.tokenizer import gpt2_tokenizer

# Code points that Python 3.11 does not know yet are letters in one regex engine and nothing in another.
known_text = st.text(st.characters(exclude_categories=("Cs", "Cn")), max_size=200)


@pytest.fixture(scope="module")
def text() -> str:
    """Return 60 kB of words with a long-tailed frequency, with numbers, code, accents and runs of spaces."""
    draw = random.Random(0)
    words = ["".join(draw.choices("abcdeiouénrst漢", k=draw.randint(1, 9))) for _ in range(600)]
    signs = [" ", " ", " ", " ", ", ", ".\n\n", "    ", " = (", ") 2026 ", "'s ", "🎈", "\t\r\n"]
    return "".join(words[int(600 * draw.random() ** 3)] + draw.choice(signs) for _ in range(8_000))


def rustbpe_ranks(texts: list[str], n_merges: int) -> dict[bytes, int]:
    trainer = rustbpe.Tokenizer()
    trainer.train_from_iterator(iter(texts), 256 + n_merges, pattern=bpe.SPLIT_PATTERN)
    return {bytes(token): id for token, id in trainer.get_mergeable_ranks()}


def tiktoken_ids(text: str, merges: list[bpe.Pair]) -> list[int]:
    ranks = {token: id for id, token in bpe.vocabulary(merges).items()}
    return tiktoken.Encoding(
        "test", pat_str=bpe.SPLIT_PATTERN, mergeable_ranks=ranks, special_tokens={}
    ).encode_ordinary(text)


def test_worked_example():
    # "hug hug hugs": chunks "hug", " hug", " hugs" (bytes h=104 u=117 g=103 space=32 s=115).
    # Pairs: hu 3, ug 3, " h" 2, "gs" 1. Of hu (104, 117) and ug (117, 103) hu has the smaller ids: 256 = hu.
    # Then (256, g) 3: 257 = "hug". Then (space, 257) 2: 258 = " hug". Then (258, s) 1: 259 = " hugs".
    merges = bpe.train("hug hug hugs", 4)
    assert merges == [(104, 117), (256, 103), (32, 257), (258, 115)]
    assert bpe.encode("hug hugs hu", merges) == [257, 259, 32, 256]
    assert bpe.vocabulary(merges)[259] == b" hugs"


def test_merge_goes_from_left_to_right():
    assert bpe.merge([1, 1, 1], (1, 1), 9) == [9, 1]
    assert bpe.merge([1, 2, 1, 2, 1], (1, 2), 9) == [9, 9, 1]
    assert bpe.merge([], (1, 1), 9) == []


def test_split_keeps_words_numbers_and_indentation_apart():
    text = "if x == 1234:\n    return it's"
    assert bpe.split(text) == ["if", " x", " ==", " ", "12", "34", ":\n", "   ", " return", " it", "'s"]


def test_counts_overlapping_pairs_as_all_trainers_do():
    assert bpe.count_pairs([[1, 1, 1, 2]]) == {(1, 1): 2, (1, 2): 1}


def test_plain_and_fast_learn_the_same_merges(text):
    assert bpe.train_fast([text[:8_000]], 300) == bpe.train(text[:8_000], 300)


def test_fast_learns_the_merges_of_rustbpe(text):
    merges = bpe.train_fast([text[:30_000], text[30_000:]], 800)
    ranks = rustbpe_ranks([text[:30_000], text[30_000:]], 800)
    assert {token: id for id, token in bpe.vocabulary(merges).items()} == ranks
    assert bpe.merges_from_ranks(ranks) == (merges, list(range(256)))


def test_fast_learns_the_merges_of_hugging_face(text):
    # Hugging Face breaks ties by its own ids. One character for each byte, in the order of the bytes, makes
    # these ids the bytes; the cut into chunks is ours, so that nothing but the learning is compared.
    def as_characters(chunk: str) -> str:
        return "".join(chr(0x4E00 + byte) for byte in chunk.encode("utf-8"))

    theirs = Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    alphabet = [chr(0x4E00 + byte) for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=256 + 800, initial_alphabet=alphabet, show_progress=False)
    theirs.train_from_iterator([" ".join(map(as_characters, bpe.split(text)))], trainer)

    tokens = bpe.vocabulary(bpe.train_fast([text], 800))
    expected = {"".join(chr(0x4E00 + byte) for byte in token): id for id, token in tokens.items()}
    assert theirs.get_vocab() == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("ab ", max_size=60), min_size=1, max_size=4), st.integers(0, 30))
def test_trainers_agree_on_ties_and_runs(texts, n_merges):
    # two letters and a space: nearly every count is a tie, and runs of one letter overlap
    ranks = rustbpe_ranks(texts, n_merges)
    merges = bpe.train_fast(texts, len(ranks) - 256)
    assert {token: id for id, token in bpe.vocabulary(merges).items()} == ranks
    if len(texts) == 1:
        assert bpe.train(texts[0], len(merges)) == merges


@settings(max_examples=200, deadline=None)
@given(known_text)
def test_ids_equal_those_of_tiktoken_and_come_back(merges, sample):
    ids = bpe.encode(sample, merges)
    assert ids == tiktoken_ids(sample, merges)
    assert ids == bpe.FastEncoder(merges).encode(sample)
    assert bpe.decode(ids, merges) == sample


@pytest.fixture(scope="module")
def merges(text) -> list[bpe.Pair]:
    return bpe.train_fast([text], 500)


def test_ids_equal_those_of_tiktoken_on_running_text(text, merges):
    ids = tiktoken_ids(text, merges)
    assert bpe.encode(text, merges) == ids
    assert bpe.FastEncoder(merges, remembered=10).encode(text) == ids


def test_gpt2_ids_equal_those_of_tiktoken(text):
    gpt2 = gpt2_tokenizer()
    merges, byte_ids = bpe.merges_from_ranks(gpt2.ranks)
    assert len(merges) == 50_000
    sample = text[:5_000] + "Machine learning is a branch of artificial intelligence.\n\n\tdef f(x): return x"
    ours = bpe.FastEncoder(merges, gpt2.pattern, byte_ids)
    assert ours.encode(sample) == gpt2.encode(sample) == tiktoken.get_encoding("gpt2").encode_ordinary(sample)


def test_too_little_text_and_unknown_ids_are_named():
    for learn in (bpe.train("ab", 1), bpe.train_fast(["ab"], 1)):
        assert learn == [(97, 98)]
    with pytest.raises(TokenizerError, match="after 1 of 2 merges"):
        bpe.train("ab", 2)
    with pytest.raises(TokenizerError, match="after 1 of 2 merges"):
        bpe.train_fast(["ab"], 2)
    with pytest.raises(TokenizerError, match="Token id 257"):
        bpe.decode([256, 257], [(97, 98)])
    with pytest.raises(TokenizerError, match="no pair of earlier tokens"):
        bpe.merges_from_ranks({bytes([byte]): byte for byte in range(256)} | {b"abc": 256})
