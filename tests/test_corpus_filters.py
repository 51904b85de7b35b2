"""Each filter on a text that it must keep and one that it must drop, with the arithmetic."""

import pytest

from minillm.corpus import filters
from minillm.corpus.documents import Document

SENTENCE = "The river is wide in spring and the ferry has to wait for the ice to go away. "


def document(text: str, kind: str = "web") -> Document:
    return Document(text, kind, "test", "a title", "MIT")


@pytest.mark.parametrize(
    ("keep", "kind", "good", "bad"),
    [
        (filters.is_long_enough, "web", "a" * 150, "a" * 149),
        (filters.is_long_enough, "web", "é" * 75, "é" * 74),  # bytes, not characters
        (filters.is_english, "web", SENTENCE, "Straßenbahnen fahren nachts selten."),
        (filters.is_english, "docs", "x" * 95 + "é" * 5, "x" * 94 + "é" * 6),  # 5 and 6 of 100 beyond ASCII
        (filters.is_made_of_letters, "web", "abc 1 ", "abc 12"),  # 3 of 4 is 75%, 3 of 5 is not
        (filters.is_made_of_letters, "code", "x = 1 + yzabcdefg", "x = 12345678"),
        (filters.has_usual_words, "web", "four word text here", "a b c d"),
        (filters.repeats_little, "web", "one line\nanother\nthird line", "same line\nsame line\nsame line"),
        (filters.repeats_little, "code", "line\nline\nmore\nrest", "line\nline\nline\nrest"),  # 25% and 50+%
        (filters.is_written_by_hand, "code", "# draws a tree", "# This file is auto-generated, do not edit"),
    ],
)
def test_filters_keep_and_drop(keep, kind, good, bad):
    assert keep(document(good, kind))
    if keep is filters.repeats_little and kind == "code":
        # two repeats of four lines are 50%, which is still kept; three of five are 60%
        assert keep(document(bad, kind))
        assert not keep(document(bad + "\nline", kind))
    else:
        assert not keep(document(bad, kind))


def test_each_filter_reports_what_it_dropped():
    documents = [document(SENTENCE * 3), document("short")]
    kept, steps = filters.apply_filters(documents)
    assert kept == documents[:1]
    assert steps[0].name == "long enough" and steps[0].dropped == {"web": (1, 5)}
    assert all(not step.dropped for step in steps[1:])


def test_lines_that_stand_in_many_documents_go_and_others_stay():
    header = "Copyright by nobody at all, all rights are free."
    texts = [f"{header}\nOnly document {number} says this. {(SENTENCE * 2).strip()}" for number in range(5)]
    cleaned, step = filters.drop_common_lines([document(text) for text in texts], max_documents=4)
    assert [d.text for d in cleaned] == [text.split("\n")[1] for text in texts]
    # five times the header and its newline
    assert step.dropped == {"web": (0, 5 * (len(header) + 1))}
    untouched, step = filters.drop_common_lines([document(text) for text in texts[:4]], max_documents=4)
    assert [d.text for d in untouched] == texts[:4] and not step.dropped


def test_a_text_of_which_little_is_left_goes_as_a_whole():
    lines = "\n".join(f"This is line number {n} of the same old list." for n in range(6))
    kept, step = filters.drop_common_lines([document(lines) for _ in range(5)], max_documents=4)
    assert kept == [] and step.dropped["web"].documents == 5


def test_of_code_only_imports_and_comments_go():
    lines = ["from somewhere.far import something", "# a comment of more than thirty letters"]
    body = "    raise ValueError('always the same words')\n" * 4
    documents = [document("\n".join([*lines, f"def f{n}():", body]), "code") for n in range(5)]
    cleaned, _ = filters.drop_common_lines(documents, max_documents=4)
    assert cleaned[3].text == f"def f3():\n{body}".strip()
