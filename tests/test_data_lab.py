"""The text experiments of notebook 01: planted copies, licence files, leaks, and a page and its text."""

import random

import pytest

from minillm.classroom.data import data_lab
from minillm.corpus.documents import Document
from minillm.corpus.extract import page_text, render_page
from minillm.corpus.filters import FILTERS


def document(text: str) -> Document:
    return Document(text, "text", "here", text[:10], "MIT")


def test_edits_replace_exactly_the_share_of_words_and_keep_the_rest():
    text = "one two\nthree  four five six seven eight nine ten"
    edited = data_lab.edit_words(text, 0.3, ["A", "B"], random.Random(0))
    before, after = text.split(), edited.split()
    assert len(after) == 10 and sum(a != b for a, b in zip(before, after, strict=True)) == 3
    assert "\n" in edited and "  " in edited


def test_an_edited_word_is_never_replaced_by_itself():
    edited = data_lab.edit_words("a a a a", 1.0, ["a", "A", "b"], random.Random(1))
    assert edited == "b b b b"


@pytest.mark.parametrize("seed", [11, 12])
def test_edited_copies_are_found_without_false_alarm(seed):
    planted = data_lab.plant_copies(seed)
    assert len(planted.documents) == 200 and len(planted.copies) == len(set(planted.source)) == 100
    copies, articles = data_lab.dropped_by_minhash(planted)
    assert copies >= 95 and articles == 0
    assert data_lab.found_by(planted, 5, 0.8) == (0.0, 0)
    hits, false = data_lab.found_by(planted, 5, 0.3)
    assert hits >= 0.95 and false == 0


def test_the_overlap_of_edited_copies_is_what_arithmetic_says():
    # a run of 3 survives with 0.9 ** 3 = 0.729: expected similarity 0.729 / (2 - 0.729) = 0.574
    planted = data_lab.plant_copies(5, distinct=60, edited=60)
    assert data_lab.found_by(planted, 3, 0.40)[0] > 0.95
    assert data_lab.found_by(planted, 3, 0.75)[0] < 0.05


def test_unedited_copies_are_found_at_any_threshold():
    planted = data_lab.plant_copies(3, share=0.0, distinct=20, edited=5)
    assert data_lab.found_by(planted, 5, 1.0) == (1.0, 0)


def test_licence_files_are_mostly_copies():
    files = data_lab.licence_files()
    exact, near = data_lab.without_duplicates(files)
    assert len(files) > len(exact) > 2 * len(near) > 0
    assert len({file.source for file in files}) > 20


def test_twins_and_their_price():
    rng = random.Random(0)
    words = [f"{a}{b}{c}" for a in "bdfgklmn" for b in "aeiou" for c in "lnrst"]
    texts = [" ".join(rng.choice(words) for _ in range(150)) for _ in range(4)]
    train = [document(text) for text in texts[:3]]
    held_out = [document(texts[0] + " and more"), document(texts[3])]
    assert data_lab.twins(train, held_out) == [True, False]
    copied, new = (data_lab.xz_bits_per_byte(train, file) for file in held_out)
    assert copied < 0.5 < 1.5 < new
    assert data_lab.without_twins(train, held_out[0]) == train[1:]
    assert data_lab.without_twins(train, held_out[1]) == train
    assert data_lab.xz_bits_per_byte(train[1:], held_out[0]) > 3 * copied


def test_a_random_split_keeps_every_document_on_one_side():
    files = [document(str(n)) for n in range(11)]
    train, held_out = data_lab.split_at_random(files, seed=1)
    assert sorted(d.text for d in train + held_out) == sorted(d.text for d in files)
    assert len(held_out) == 6 and data_lab.split_at_random(files, seed=1) == (train, held_out)


def test_leaks_are_runs_of_words_within_one_text():
    held_out = ["The sea is calm today.", "A boat, a boat!", "wide is the"]
    train = ["we say THE SEA -- is calm", "the", "a boat a", "boat the is wide"]
    assert data_lab.contaminated(held_out, train, 4) == [0]
    assert data_lab.contaminated(held_out, train, 3) == [0, 1]
    assert data_lab.contaminated(held_out, train, 5) == []


def test_planted_leaks_are_found_and_nothing_was_lost():
    held_out, train, leaked = data_lab.plant_leaks(seed=21)
    found = data_lab.contaminated(held_out, train, 13)
    assert set(leaked) <= set(found) and len(set(found) - set(leaked)) <= 4
    clean_held_out, clean_train, _ = data_lab.plant_leaks(seed=21, leaks=0)
    assert held_out == clean_held_out and len(train) == len(clean_train)


def test_what_extraction_throws_away_is_not_in_its_text():
    page = render_page("Tidepool", data_lab.TIDEPOOL)
    away = data_lab.thrown_away(page)
    assert {"Home", "cookies", "Privacy", "passing"} <= set(away)
    assert not {"Home", "cookies"} & set(page_text(page).split())
    assert 'count_waves("harbour.wav")' in page_text(page)


def test_each_filter_refuses_one_specimen_and_two_pass():
    refused = [[keep.__name__ for keep in FILTERS if not keep(d)] for d in data_lab.specimens()]
    assert sum(not names for names in refused) == 2
    assert sorted(name for names in refused for name in names) == sorted(keep.__name__ for keep in FILTERS)
