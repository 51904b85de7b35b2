"""A reader's own text: how it is split, and what is said when it cannot be read."""

import json

import pytest

from minillm.corpus import load_corpus
from minillm.errors import DataError


def joined(documents) -> str:
    return "".join(document.text for document in documents)


def test_the_last_tenth_of_a_file_is_held_out(tmp_path):
    text = "".join(f"{number:04d}\n" for number in range(2000))  # 10,000 bytes
    (tmp_path / "own.txt").write_text(text, encoding="utf-8", newline="")
    corpus = load_corpus(tmp_path / "own.txt")
    assert corpus.kinds == ("text",) and corpus.weights == {"text": 1.0}
    assert joined(corpus.train["text"]) == text[:9000]
    assert joined(corpus.held_out["text"]) == text[9000:]


@pytest.mark.parametrize("character", ["é", "語", "🐦"])
def test_the_cut_falls_between_characters(tmp_path, character):
    text = "a" + character * 1001
    (tmp_path / "own.md").write_text(text, encoding="utf-8")
    corpus = load_corpus(str(tmp_path / "own.md"))
    train, held_out = joined(corpus.train["text"]), joined(corpus.held_out["text"])
    assert train + held_out == text
    size = len(text.encode("utf-8"))
    cut = len(train.encode("utf-8"))
    assert 0 <= cut - size * 9 // 10 < len(character.encode("utf-8"))


def test_fewer_than_ten_documents_are_one_text(tmp_path):
    for number in range(4):
        (tmp_path / f"{number}.txt").write_text(str(number) * 1000, encoding="utf-8")
    corpus = load_corpus(tmp_path)
    assert [d.text for d in corpus.train["text"]] == ["0" * 1000, "1" * 1000, "2" * 1000, "3" * 600]
    assert joined(corpus.held_out["text"]) == "3" * 400


def test_ten_documents_are_drawn_whole_and_copies_stay_on_one_side(tmp_path):
    texts = [f"document {number} " * 20 for number in range(40)]
    lines = [json.dumps({"text": text, "other": 1}) for text in texts * 2]
    (tmp_path / "own.jsonl").write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    corpus = load_corpus(tmp_path / "own.jsonl")
    train, held_out = ([d.text for d in side["text"]] for side in (corpus.train, corpus.held_out))
    assert sorted(train + held_out) == sorted(texts * 2)
    assert not set(train) & set(held_out)
    assert 8 <= len(held_out) <= 12
    assert train == [text for text in texts * 2 if text in set(train)]  # in the order of the file


def test_one_giant_among_many_documents_does_not_eat_the_training_text(tmp_path):
    for number in range(12):
        (tmp_path / f"{number}.txt").write_text(f"{number} " * (100_000 if number == 7 else 50), encoding="utf-8")
    corpus = load_corpus(tmp_path)
    assert corpus.train_bytes["text"] > 0.7 * (corpus.train_bytes["text"] + corpus.held_out_bytes["text"])


def test_own_text_is_unfiltered_unless_asked(tmp_path):
    good = "The town is small and the road to the next one is long, so that few people have ever gone there in winter. "
    texts = [f"Number {number}. {good * 2}{'xyz' * number}" for number in range(12)]
    lines = [json.dumps({"text": text}) for text in [*texts, "1 2 3", "1 2 3", texts[0].upper()]]
    (tmp_path / "own.jsonl").write_text("\n".join(lines), encoding="utf-8")
    whole, filtered = (load_corpus(tmp_path / "own.jsonl", filtered=choice) for choice in (None, True))
    assert sum(len(d) for d in (*whole.train.values(), *whole.held_out.values())) == 15
    assert all("1 2 3" not in d.text for d in (*filtered.train["text"], *filtered.held_out["text"]))
    assert "exact duplicates" in [step.name for step in filtered.steps]


def test_newlines_and_byte_order_mark_are_made_plain(tmp_path):
    (tmp_path / "own.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthree\n")
    corpus = load_corpus(tmp_path / "own.txt")
    assert joined((*corpus.train["text"], *corpus.held_out["text"])) == "one\ntwo\nthree\n"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("own.txt", b"caf\xe9 au lait", "byte 3"),
        ("own.txt", b"", "holds no text"),
        ("own.txt", b" \n\n", "holds no text"),
        ("own.pdf", b"%PDF", "not a text source"),
        ("own.jsonl", b'{"text": "fine"}\n{"text": \n', "line 2"),
        ("own.jsonl", b'{"text": "fine"}\n\n{"words": "no"}\n', "line 3"),
        ("own.jsonl", b'["text"]\n', "line 1"),
        ("own.jsonl", b'{"text": 5}\n', "line 1"),
        ("own.jsonl", b'{"text": "\\ud800"}\n', "line 1"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        load_corpus(tmp_path / name)
    assert "\n" not in caught.value.cause and caught.value.remedy


def test_missing_path_and_empty_folder_are_named(tmp_path):
    with pytest.raises(DataError, match="no file or folder"):
        load_corpus(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"holds no \.txt"):
        load_corpus(tmp_path)
