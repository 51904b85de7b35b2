"""Calibration, the map back, sheets of questions, and the twenty questions themselves."""

import json
import math
import random
from collections import Counter

import pytest

from minillm.classroom import diary, evidence, exercises, forms, quiz
from minillm.classroom.exercises import CORRECT, NOT_ATTEMPTED
from minillm.classroom.lessons import lesson10
from minillm.classroom.misconceptions import MISCONCEPTIONS
from minillm.classroom.practice import calibration, revisit
from minillm.classroom.practice.calibration import Answered, calibrate, wilson
from minillm.errors import ConfigError

KEYS = [item.key for item in lesson10.BELIEFS]
RIGHT = [item.right for item in lesson10.BELIEFS]


@pytest.fixture(autouse=True)
def own_diary(monkeypatch, tmp_path):
    monkeypatch.setattr(diary, "path", lambda: tmp_path / "learner" / "diary.jsonl")
    monkeypatch.setattr(diary, "_session", [])


def answers(*pairs):
    return [Answered(f"k{i}", "a", sure, right) for i, (sure, right) in enumerate(pairs)]


# --- calibration


def test_brier_score_by_hand():
    found = calibrate(answers((80, True), (60, False), (100, True)))
    assert found.brier == pytest.approx((0.2**2 + 0.6**2 + 0) / 3)
    assert calibrate(answers((50, True), (50, False))).brier == 0.25
    assert calibrate(answers((100, False))).brier == 1


def test_wilson_interval_is_where_the_share_lies_1_96_deviations_away():
    for right, count in ((8, 10), (1, 3), (12, 20), (0, 5), (7, 7)):
        for edge in wilson(right, count):
            if 0 < edge < 1:
                assert abs(right / count - edge) == pytest.approx(1.96 * math.sqrt(edge * (1 - edge) / count))
    assert wilson(0, 0) == (0, 1) and wilson(0, 5)[0] == 0 and wilson(7, 7)[1] == 1
    low, high = wilson(8, 10)
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)


def test_wilson_interval_covers_about_as_often_as_it_says():
    rng = random.Random(0)
    for rate in (0.3, 0.6, 0.9):
        draws = [sum(rng.random() < rate for _ in range(20)) for _ in range(2000)]
        covered = sum(low <= rate <= high for low, high in (wilson(right, 20) for right in draws)) / 2000
        assert 0.9 < covered < 0.99


def test_groups_hold_every_answer_once_and_their_own_means():
    found = calibrate(answers((25, False), (49.9, True), (50, True), (69, False), (70, True), (90, True), (100, False)))
    assert [(g.low, g.high, g.count, g.right) for g in found.groups] == [
        (25, 49, 2, 1),
        (50, 69, 2, 1),
        (70, 89, 1, 1),
        (90, 100, 2, 1),
    ]
    assert found.groups[0].confidence == pytest.approx(37.45) and found.groups[3].share == 50


def test_summary_tells_more_than_chance_from_chance():
    assert "overconfident" in repr(calibrate(answers(*[(95, i < 10) for i in range(20)])))
    assert "underconfident" in repr(calibrate(answers(*[(50, i < 18) for i in range(20)])))
    assert "no difference is shown" in repr(calibrate(answers(*[(80, i < 4) for i in range(5)])))


def test_answers_without_a_confidence_are_left_out_and_said_so():
    found = calibrate([*answers((80, True)), Answered("x", "b", None, False)])
    assert (len(found.answers), found.skipped) == (1, 1) and "1 more came without" in found.summary()
    assert repr(calibrate([])) == "No answer with a confidence yet: there is nothing to draw."
    assert "<table>" not in calibrate([])._repr_html_()


def test_chance_of_right_is_binomial():
    chances = calibration.chance_of_right(5, 0.8)
    assert chances[4] == pytest.approx(5 * 0.8**4 * 0.2) and sum(chances) == pytest.approx(1)


def test_the_picture_carries_its_numbers(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *bundle, **_: shown.append(bundle[0]))
    found = calibrate(answers((80, True), (80, False), (95, True), (10, False)))
    calibration.show(found, "Mine")
    picture, table = shown
    assert "2 answers of 70 to 89% confidence, 80% on average: 50% right" in picture["text/plain"]
    assert "Brier score" in picture["text/plain"] and "1 answer of 0 to 24%" in picture["text/plain"]
    assert "70 to 89%" in table["text/html"] and picture["image/png"]
    shown.clear()
    calibration.show(calibrate([]), "Nothing")
    assert "nothing to draw" in repr(shown[0])


def test_the_first_answer_counts_and_past_sessions_only_if_asked():
    quiz.answer(KEYS[0], "a", confidence=90)
    quiz.answer(KEYS[0], RIGHT[0], confidence=100)
    quiz.answer(KEYS[1], RIGHT[1])
    quiz.answer(KEYS[2])
    quiz.answer("03.asked", "b", confidence=80)
    first, second = calibration.given(KEYS)
    assert (first.letter, first.confidence, first.right) == ("a", 90, False)
    assert (second.key, second.confidence, second.right) == (KEYS[1], None, True)
    diary._session.clear()
    assert calibration.given(KEYS) == [] and calibration.given(KEYS, past=True) == [first, second]


def test_a_spoilt_diary_is_read_as_far_as_it_goes():
    quiz.answer(KEYS[0], RIGHT[0], confidence=70)
    lines = ["5", "[]", "{", "null", '{"kind": "quiz"}', json.dumps({"kind": "quiz", "key": KEYS[1], "hit": "yes"})]
    odd = {"kind": "quiz", "key": KEYS[2], "value": "a", "hit": True, "confidence": "very"}
    prediction = {"kind": "prediction", "key": "06.third", "value": 50, "hit": False, "confidence": 30}
    with open(diary.path(), "a", encoding="utf-8") as file:
        file.write("\n".join([*lines, json.dumps(odd), json.dumps(prediction)]) + "\n")
    assert [(a.key, a.confidence) for a in calibration.given(KEYS, past=True)] == [(KEYS[0], 70), (KEYS[2], None)]
    assert [(a.key, a.confidence, a.right) for a in calibration.predicted()] == [("06.third", 30, False)]


# --- one line of answers, and the plan


def test_a_line_is_read_answer_by_answer():
    assert revisit.read_line("b80 C:60%, - a", 5) == [("b", 80), ("c", 60), (None, None), ("a", None), (None, None)]
    assert revisit.read_line("  ", 2) == [(None, None)] * 2


@pytest.mark.parametrize(
    "line",
    [
        "e80",
        "b20",
        "b101",
        "80b",
        "bb80",
        "b80 ?",
        "b-5",
        "b80 d 55",
        "a " * 21,
        5,
        None,
        ["a80"],
        "<b>",
        "b1e9",
        "b80b",
    ],
)
def test_nonsense_in_a_line_is_refused_whole(line):
    with pytest.raises(ConfigError) as refused:
        revisit.Sheet(KEYS).answer(line)
    assert refused.value.remedy and diary.session() == []


def test_a_line_does_what_single_answers_do():
    line = " ".join(f"{letter}{60 + i}" for i, letter in enumerate(RIGHT[:-1])) + " -"
    told = revisit.Sheet(KEYS).answer(line)
    assert repr(told).startswith("19 of 20 answered, 19 right.\n1. Correct.")
    given = calibration.given(KEYS)
    assert [a.confidence for a in given] == [60 + i for i in range(19)] and all(a.right for a in given)
    assert given == revisit.marked(line, KEYS)


def test_marked_records_nothing():
    assert len(revisit.marked(lesson10.ONE_LEARNER, KEYS)) == 20 and diary.session() == []


def test_the_plan_begins_with_the_surest_mistakes_and_names_places_and_beliefs():
    wrong = {"10.graded": ("a", 55), "10.rate": ("b", 95), "10.bill": ("c", None)}
    given = [Answered(key, letter, sure, False) for key, (letter, sure) in wrong.items()]
    given += [Answered("10.size", "a", 60, True), Answered("10.hours", "d", 61, True)]
    plan = revisit.plan(given, KEYS)
    assert [row[0] for row in plan.rows[:4]] == ["16 (10.bill)", "11 (10.rate)", "1 (10.graded)", "8 (10.size)"]
    assert plan.rows[1][1:] == (
        "wrong, 95% sure",
        "notebook 05: 3. How far to step",
        MISCONCEPTIONS["faster"].instead,
    )
    assert plan.rows[0][3] == quiz.ask("10.bill").explanations["c"]  # no common belief: the explanation
    assert plan.rows[3][1] == "right, 60% sure" and not any("10.hours" in row[0] for row in plan.rows)
    assert {row[1] for row in plan.rows[4:]} == {"not answered"} and len(plan.rows) == 4 + 15


def test_nothing_to_revisit_is_said():
    line = " ".join(f"{letter}90" for letter in RIGHT)
    assert "nothing to revisit" in repr(revisit.plan(revisit.marked(line, KEYS), KEYS))


def test_both_examples_have_the_same_letters_and_the_better_informed_the_better_brier_score():
    one, other = (revisit.marked(line, KEYS) for line in (lesson10.ONE_LEARNER, lesson10.ANOTHER))
    assert [a.letter for a in one] == [a.letter for a in other] and sum(a.right for a in one) == 12
    assert calibrate(other).brier < calibrate(one).brier
    assert "overconfident" in calibrate(one).summary() and "no difference" in calibrate(other).summary()


# --- forms


def parts(form):
    return [child for row in form.children for child in (getattr(row, "children", None) or [row])]


def test_every_field_of_a_sheet_has_its_number_in_its_name():
    form = revisit.Sheet(KEYS[5:10], 6).form()
    names = [w.description for w in parts(form) if type(w).__name__ == "Text"]
    assert names == [f"{what} {n}" for n in range(6, 11) for what in ("Your answer", "Sure, percent")]
    assert {type(w).__name__ for w in parts(form)} == {"HTML", "Text", "Button"}


def test_a_form_of_a_sheet_answers_its_own_question():
    form = revisit.Sheet(KEYS[5:10], 6).form().children[1]
    _, letter, sure, button, told = form.children
    letter.value, sure.value = "a", "75"
    button.click()
    assert "Your answer a: Not yet." in told.value and button.description == "Check answer 7"
    assert [(a.key, a.confidence) for a in calibration.given(KEYS)] == [(KEYS[6], 75)]


def test_what_a_sheet_shows_without_a_kernel(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append(bundle))
    revisit.Sheet(KEYS[:2])._ipython_display_()
    for text in (shown[0]["text/plain"], shown[0]["text/html"]):
        assert lesson10.BELIEFS[1].options["d"] in text and "2. " in text


@pytest.mark.parametrize("confidence", [0.8, -5, 24, 101, 250, "very", "", True, float("nan"), [80], {}, object()])
def test_a_confidence_that_is_none_is_refused_and_nothing_recorded(confidence):
    result = quiz.answer(KEYS[0], "a", confidence=confidence)
    assert result.outcome == NOT_ATTEMPTED and "The confidence is" in result.message and diary.session() == []


@pytest.mark.parametrize("confidence, kept", [("80%", 80), (" 62.5 ", 62.5), (25, 25), (100.0, 100), (..., None)])
def test_a_confidence_may_be_text(confidence, kept):
    assert quiz.answer(KEYS[0], RIGHT[0], confidence=confidence).outcome == CORRECT
    assert diary.session()[-1]["confidence"] == kept


# --- the twenty questions


def test_the_right_option_stands_evenly_at_every_letter():
    assert Counter(RIGHT) == {letter: 5 for letter in "abcd"}


def test_options_are_of_similar_length_and_the_right_one_is_no_outlier():
    longest = shortest = 0
    for item in lesson10.QUIZ:
        lengths = {letter: len(text) for letter, text in item.options.items()}
        assert max(lengths.values()) <= 1.4 * min(lengths.values()), item.key
        others = [length for letter, length in lengths.items() if letter != item.right]
        longest += lengths[item.right] > max(others)
        shortest += lengths[item.right] < min(others)
    assert longest <= 7 and shortest <= 7  # of 23: by chance alone about six


def test_every_common_belief_is_the_wrong_option_of_some_question():
    held = [belief for item in lesson10.BELIEFS for belief in item.beliefs.values()]
    assert set(held) == set(MISCONCEPTIONS)
    for item in lesson10.QUIZ:
        assert item.right not in item.beliefs and set(item.beliefs) <= set(item.options)
        assert item in lesson10.LESSON or item.beliefs, f"{item.key} is built on no common belief"


def test_grounds_are_recorded_evidence_of_the_notebook_named():
    found = revisit.grounds(KEYS).columns
    assert len(found["question"]) >= 10
    for item in lesson10.QUIZ:
        assert not item.evidence or item.evidence in evidence.claims()
        assert not item.evidence or item.evidence[:2] == item.notebook


def test_a_question_does_not_hold_its_answer_in_the_example_of_how_to_answer():
    for first, keys in ((1, KEYS[:5]), (6, KEYS[5:10]), (11, KEYS[10:15]), (16, KEYS[15:])):
        shown = repr(revisit.Sheet(keys, first))
        example = revisit.read_line(shown.split('.answer("')[1].split('"')[0], 5)
        rights = [quiz.ask(key).right for key in keys]
        assert not any(letter == right for (letter, _), right in zip(example, rights, strict=True))


def test_the_blind_guess_is_the_least_confidence():
    assert 100 / len(lesson10.BELIEFS[0].options) == forms.BLIND


@pytest.mark.parametrize(
    "key, rounded", [("10.bytes", 1.16), ("10.operations", 7.8), ("10.exposure", 1.44), ("10.tokens", 7.7e10)]
)
def test_a_number_rounded_to_two_or_three_digits_is_right(key, rounded):
    given = {
        "10.bytes": {"loss_nats": 3.1, "tokens": 260, "n_bytes": 1000},
        "10.operations": {"parameters": 1.5e9, "tokens": 30e9, "peak": 1e15, "share": 0.4},
        "10.exposure": {"candidates": 1000},
        "10.tokens": {"dollars": 100, "price": 2.5, "peak": 1e15, "share": 0.4, "parameters": 124e6},
    }
    assert exercises.check(key, rounded, **given[key]).outcome == CORRECT
