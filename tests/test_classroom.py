"""The classroom's parts: settings, recorded runs, predictions, checkers, quiz, figures, games, evidence."""

import gzip
import json
import math
import sys
from fractions import Fraction
from types import SimpleNamespace

import notebook_lesson99 as lesson
import numpy as np
import pytest
import torch

from minillm.classroom import diary, evidence, exercises, figures, games, machine, markup, predictions, quiz, runs
from minillm.errors import ConfigError, DataError

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[2J\x07"


@pytest.fixture(autouse=True)
def own_folders(monkeypatch, tmp_path):
    """The demonstration lesson is present, and what a learner commits goes to a folder of the test."""
    monkeypatch.setitem(sys.modules, "minillm.classroom.lessons.lesson99", lesson)
    monkeypatch.setattr(diary, "path", lambda: tmp_path / "learner" / "diary.jsonl")
    monkeypatch.setattr(diary, "_session", [])
    monkeypatch.setattr(predictions, "_committed", {})
    monkeypatch.setattr(runs, "path_of", lambda name: tmp_path / f"{name}.jsonl.gz")
    monkeypatch.setattr(runs, "_watcher", None)


# --- settings


@pytest.mark.parametrize(
    ("wanted", "cores", "speed"),
    [(None, 2, "LIVE"), ("", 8, "LIVE"), (None, 1, "REPLAY"), ("live", 1, "LIVE"), ("DEEP", 2, "DEEP")],
)
def test_speed_from_outside_or_from_the_cores(wanted, cores, speed):
    assert machine.pick_speed(wanted, cores) == speed


def test_settings_read_the_one_switch(monkeypatch):
    monkeypatch.setenv("MINILLM_SPEED", "replay")
    found = machine.settings()
    assert (found.speed, found.pick(live=400, deep=4000)) == ("REPLAY", 400)
    assert machine.settings("DEEP").pick(live=400, deep=4000) == 4000
    monkeypatch.setenv("MINILLM_SPEED", "FAST")
    with pytest.raises(ConfigError, match=r"'FAST' is unknown[.]\nSet MINILLM_SPEED to one of LIVE, REPLAY, DEEP"):
        machine.settings()


def test_estimate_scales_with_the_measured_step(monkeypatch):
    for factor, expected_s in ((1, 60), (2, 120), (0.5, 30), (0.01, 12)):  # never below a fifth
        step_s = factor * machine.REFERENCE_STEP_S
        monkeypatch.setattr("minillm.doctor.notebook_step_s", lambda seconds, step_s=step_s: step_s)
        found = machine.check(60)
        assert found.estimate_s == pytest.approx(expected_s)
        assert found.tokens_per_s == pytest.approx(12 * 128 / step_s)  # a batch of 12 sequences of 128 tokens
        assert f"about {expected_s} s here" in repr(found)
    for busy, words in ((True, "as busy as it is now"), (False, "if no other program")):
        assert words in repr(machine.MachineCheck(2, 2**34, "cpu", 1.0, 60.0, busy))


def test_rate_is_that_of_the_least_disturbed_moment(monkeypatch):
    clock = iter(n * 0.25 for n in range(1, 10_000))  # each look at the clock is a quarter of a second later
    monkeypatch.setattr(machine.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(machine.time, "sleep", lambda seconds: None)
    monkeypatch.setattr("minillm.runtime.pick_device", lambda: SimpleNamespace(type="cpu"))
    assert machine.matmul_rate(5, bursts=5) == pytest.approx(2 * 384**3 / 0.25)
    monkeypatch.undo()
    assert 1e8 < machine.matmul_rate(0.2, bursts=2) < 1e15


# --- recorded runs


def losses(start=5.0, count=40):
    return [{"step": n, "train_loss_nats": start / math.sqrt(n), "elapsed_s": n / 10} for n in range(1, count + 1)]


def record(tmp_path, records, name="99_demo"):
    runs.record_to(tmp_path, "python -m something")
    seen = list(runs.stream(name, lambda: iter(records), "LIVE", seed=3, corpus="abc"))
    runs._watcher = None
    return seen


def test_recording_plays_back_what_the_live_loop_saw(tmp_path):
    records = [*losses(), {"text": "é \u2028 \n", "nested": {"p": (0.1, np.float32(0.25))}, "ids": np.arange(3)}]
    live = record(tmp_path, records)
    played = list(runs.stream("99_demo", lambda: pytest.fail("live was called"), "REPLAY", seed=3))
    assert played == live
    assert played[-1] == {"text": "é \u2028 \n", "nested": {"p": [0.1, 0.25]}, "ids": [0, 1, 2]}
    assert played[1]["train_loss_nats"] == pytest.approx(5 / math.sqrt(2), abs=1e-6)
    header = runs.load("99_demo").header
    assert (header["seed"], header["corpus"], header["tokenizer"]) == (3, "abc", None)
    assert header["command"] == "python -m something" and header["records"] == 41
    assert {"torch", "numpy", "python"} <= header["versions"].keys()


def test_recording_is_the_same_bytes_again(tmp_path):
    record(tmp_path, losses(), "99_one")
    first = (tmp_path / "99_one.jsonl.gz").read_bytes()
    record(tmp_path, losses(), "99_one")
    assert (tmp_path / "99_one.jsonl.gz").read_bytes() == first


def test_a_loop_that_stops_early_records_what_it_saw(tmp_path):
    runs.record_to(tmp_path, "command")
    stream = runs.stream("99_demo", lambda: iter(losses()), "LIVE", seed=0)
    for _, entry in zip(range(5), stream, strict=False):
        assert entry
    stream.close()
    assert len(runs.load("99_demo").records) == 5


def test_damage_is_found(tmp_path):
    record(tmp_path, losses())
    path = tmp_path / "99_demo.jsonl.gz"
    whole = path.read_bytes()
    text = gzip.decompress(whole).decode()
    changed = [
        gzip.compress(text.replace("3.535534", "3.535535").encode()),  # one digit of one loss
        gzip.compress(text.rsplit("\n", 2)[0].encode()),  # a record cut off
        whole[:-20],
        b"not gzip",
        b"",
        gzip.compress(b"[]\n"),
    ]
    assert "3.535534" in text
    for damaged in changed:
        path.write_bytes(damaged)
        with pytest.raises(runs.ReplayError, match="99_demo"):
            runs.stream("99_demo", lambda: [], "REPLAY", seed=0)
    with pytest.raises(runs.ReplayError, match="There is no recording"):
        runs.stream("99_other", lambda: [], "REPLAY", seed=0)
    with pytest.raises(ConfigError):
        runs.stream("../99_demo", lambda: [], "REPLAY", seed=0)


def test_live_is_compared_with_the_recording(tmp_path):
    record(tmp_path, losses())
    runs.compare_first(20, report=tmp_path / "seen")
    near = [
        entry | {"train_loss_nats": entry["train_loss_nats"] + 5e-4, "elapsed_s": 9.0} for entry in losses(count=25)
    ]
    played = list(runs.stream("99_demo", lambda: iter(near), "LIVE", seed=3, corpus="abc"))
    assert len(played) == 40 and (tmp_path / "seen").read_text(encoding="utf-8") == "99_demo\n"
    far = losses()
    far[19]["train_loss_nats"] += 2e-3
    with pytest.raises(runs.ReplayError, match="record 19: train_loss_nats"):
        list(runs.stream("99_demo", lambda: iter(far), "LIVE", seed=3, corpus="abc"))
    with pytest.raises(runs.ReplayError, match="other data or seeds"):
        list(runs.stream("99_demo", lambda: iter(losses()), "LIVE", seed=4, corpus="abc"))
    with pytest.raises(runs.ReplayError, match="ended after 3"):
        list(runs.stream("99_demo", lambda: iter(losses(count=3)), "LIVE", seed=3, corpus="abc"))


# --- predictions


def test_number_prediction_beside_its_outcome():
    guess = predictions.predict_number("99.n", "How many?", "bits", 0, 10, value=4, confidence=80)
    assert repr(guess.reveal(3.5)) == (
        "You predicted 4 bits (80% sure). It came out as 3.5 bits. Within 1 bits: well predicted."
    )
    assert guess.reveal(3.5).hit is True
    missed = guess.reveal(7)
    assert missed.hit is False and missed.text.endswith("You were 3 bits too low.")


def test_choice_and_curve_predictions():
    choice = predictions.predict_choice("99.c", "Which?", {"a": "rises", "b": "falls"}, value="a")
    assert choice.reveal("a").hit is True and choice.reveal("b").hit is False
    curve = predictions.predict_curve("99.k", "Loss?", (1, 10, 100), "nats", 0, 10, value=[7, 5, 3])
    assert curve.reveal([7, 4, 4]).hit is True  # off by 0, 1, 1: two thirds on average, within 1
    assert curve.reveal([7, 3, 1]).hit is False  # off by 0, 2, 2: four thirds


def test_a_skipped_prediction_is_recorded_and_no_error():
    guess = predictions.predict_number("99.n", "How many?", "bits", 0, 10)
    assert guess.reveal(3.5).hit is None and "skipped" in repr(guess)
    (entry,) = diary.session()
    assert (entry["key"], entry["skipped"], entry["outcome"]) == ("99.n", True, 3.5)
    assert diary.entries() == []  # only what was committed goes to the file


def test_a_committed_prediction_goes_to_the_diary():
    predictions.predict_number("99.n", "How many?", "bits", 0, 10, value=4, confidence=80).reveal(np.float32(3.5))
    (entry,) = diary.entries()
    assert (entry["key"], entry["value"], entry["confidence"], entry["hit"]) == ("99.n", 4, 80, True)


@pytest.mark.parametrize(
    "make",
    [
        lambda: predictions.predict_number("k", "q", "u", 0, 10, value=11),
        lambda: predictions.predict_number("k", "q", "u", 0, 10, value="4"),
        lambda: predictions.predict_number("k", "q", "u", 0, 10, value=float("nan")),
        lambda: predictions.predict_number("k", "q", "u", 0, 10, value=4, confidence=120),
        lambda: predictions.predict_number("k", "q", "u", 0, 10, value=np.bool_(True)),
        lambda: predictions.predict_number("k", "q", "u", 0, 10, value=np.array([1.0, 2.0])),
        lambda: predictions.predict_choice("k", "q", {"a": "x"}, value="b"),
        lambda: predictions.predict_curve("k", "q", (1, 2), "u", 0, 10, value=[1]),
        lambda: predictions.predict_curve("k", "q", (1, 2), "u", 0, 10, value=7),
    ],
)
def test_impossible_predictions_are_named(make):
    with pytest.raises(ConfigError):
        make()


def test_predictions_take_numbers_of_any_kind_and_capital_letters():
    for value in (np.int64(2), np.float32(2), np.array([2]), torch.tensor(2.0), Fraction(2)):
        guess = predictions.predict_number("k", "q", "bits", 0, 10, value=value)
        assert guess.value == 2 and isinstance(guess.value, int | float)
    assert predictions.predict_curve("k", "q", (1, 2), "u", 0, 9, value=np.array([3, 4.5])).value == [3, 4.5]
    assert predictions.predict_choice("k", "q", {"a": "x", "b": "y"}, value=" B").value == "b"


def test_prediction_is_drawn_and_a_skipped_one_is_not():
    for value, drawn in ((4, 1), (None, 0)):
        _, ax = figures.new()
        predictions.predict_number("99.n", "How many?", "bits", 0, 10, value=value).draw(ax)
        assert [line.get_ydata()[0] for line in ax.lines] == [4] * drawn
        assert [text.get_text() for text in ax.texts] == ["you: 4 bits"] * drawn


# --- checkers


def outcome(key, answer, **given):
    result = exercises.check(key, answer, **given)
    return result.outcome, result.message


def never_ends(p):
    while True:
        p += 1


def test_checker_never_raises_and_says_what_it_met(monkeypatch):
    monkeypatch.setattr(exercises, "TIME_LIMIT_S", 0.2)
    cases = {
        "stopped: ZeroDivisionError: division by zero": lambda p: 1 / 0,
        "stopped: TypeError": lambda: 1,
        "stopped: SystemExit": lambda p: exit(),
        "stopped: RecursionError": lambda p: recurse(p),
        "stopped: Time is up": never_ends,
        "returns nothing": lambda p: None,
        "It is a text: a number is needed": lambda p: str(p),
        "should be": lambda p: [[p]],
        "without parentheses": 3.0,
    }

    def recurse(p):
        return recurse(p)

    for message, answer in cases.items():
        found = outcome("99.surprise", answer)
        assert found[0] == exercises.NOT_YET and message in found[1], (message, found)


def test_a_mask_may_be_written_either_way_and_a_truth_value_is_asked_for_by_name():
    assert exercises.agree([True, False], [1, 0], 0) and exercises.agree([np.True_, np.False_], [1, 0], 0)
    assert not exercises.agree([True, True], [1, 0], 0) and not exercises.agree([1, 0], [True, False], 0)
    assert not exercises.agree(True, 1, 0)  # a lone truth value is no count
    assert exercises._type_comment("True", True, 0) == "It is a text: True or False is needed."


def test_an_answer_that_compares_or_prints_badly_is_not_yet():
    class Odd:
        def __eq__(self, other):
            raise RuntimeError

        def __repr__(self):
            raise RuntimeError

        __hash__ = None

    assert outcome("99.surprise", lambda p: Odd())[0] == exercises.NOT_YET
    assert outcome("99.total", Odd(), probabilities=(0.5, 0.25))[0] == exercises.NOT_YET


def test_checker_takes_numpy_and_torch_and_leaves_its_cases_alone():
    assert outcome("99.surprise", lambda p: -np.log2(p))[0] == exercises.CORRECT
    assert outcome("99.surprise", lambda p: -torch.log2(torch.tensor(p, dtype=torch.float64)))[0] == exercises.CORRECT
    assert outcome("99.total", torch.tensor([3.0]), probabilities=(0.5, 0.25))[0] == exercises.CORRECT
    assert outcome("99.total", np.array([[3.0]]), probabilities=(0.5, 0.25))[0] == exercises.CORRECT
    assert outcome("99.total", [3.0], probabilities=(0.5, 0.25))[0] == exercises.NOT_YET
    assert outcome("99.total", np.array([3.0, 3.0]), probabilities=(0.5, 0.25))[0] == exercises.NOT_YET
    given = [0.5, 0.25]
    assert outcome("99.total", 3.0, probabilities=given) == (exercises.CORRECT, "")
    assert exercises.attempt(lambda items: items.clear(), (given,)) is None and given == [0.5, 0.25]


def test_a_check_without_what_it_depends_on_says_so():
    found = outcome("99.total", 3.0)
    assert found[0] == exercises.NOT_YET and 'exercises.check("99.total", your_answer, probabilities=...)' in found[1]
    found = outcome("99.total", 3.0, probabilities=["half"])
    assert found[0] == exercises.NOT_YET and "Nothing can be computed from what you gave" in found[1]


def test_coarse_digits_and_overflow_are_named():
    def in_float32(logits, targets):
        surprises = -torch.tensor(logits).log_softmax(-1)
        return surprises[range(len(targets)), targets].mean()

    def in_numpy(logits, targets):
        with np.errstate(all="ignore"):
            weights = np.exp(logits)
            shares = weights / weights.sum(axis=-1, keepdims=True)
            return -np.log(shares[range(len(targets)), targets]).mean()

    def without_softmax(logits, targets):
        return float(np.mean([row[target] for row, target in zip(logits, targets, strict=True)]))

    for seed in range(20):
        results = [exercises.check("03.logits", f, seed=seed) for f in (in_float32, in_numpy, without_softmax)]
        coarse, overflow, other = (result.message for result in results)
        assert "float32, which keeps seven digits" in coarse
        assert overflow.startswith("Right for small logits, but large ones overflow")
        assert "float32" not in other


def test_checks_draw_fresh_cases():
    seen = set()
    for _ in range(3):
        exercises.check("99.surprise", lambda p: seen.add(p) or -math.log2(p))
    assert len(seen) == 15
    again = [exercises.check("99.surprise", lambda p: p, seed=1).message for _ in range(2)]
    assert again[0] == again[1]


def test_named_mistake_hints_and_solution():
    assert outcome("99.surprise", lambda x: -math.log(x))[1] == "That is in nats: take the logarithm to base 2."
    assert "1 of 3" in repr(exercises.hint("99.surprise")) and "3 of 3" in repr(exercises.hint("99.surprise", 3))
    assert repr(exercises.solution("99.surprise")).startswith("def surprise(p):")
    with pytest.raises(ConfigError, match=r"nearest is '99[.]surprise'"):
        exercises.hint("99.surprize")
    with pytest.raises(ConfigError, match="There is no exercise '77"):
        exercises.check("77.x", 1)


# --- quiz


def test_quiz_answers_by_letter():
    assert quiz.answer("99.bits", "b").outcome == exercises.CORRECT
    wrong = quiz.answer("99.bits", "d", confidence=60)
    assert wrong.outcome == exercises.NOT_YET and "nats" in wrong.message and "Notebook 03" in wrong.message
    assert quiz.answer("99.bits").outcome == exercises.NOT_ATTEMPTED
    assert [(e["value"], e["hit"]) for e in diary.entries()] == [("b", True), ("d", False)]
    assert quiz.answer("99.bits", " B ").outcome == exercises.CORRECT
    for slip in ("e", "", 2, "__import__('os')"):
        note = quiz.answer("99.bits", slip)
        assert (note.outcome, note.message) == (
            exercises.NOT_ATTEMPTED,
            "That is none of the options: use one of a, b, c, d.",
        )


# --- what is shown


def test_everything_shown_is_escaped():
    item = quiz.QuizItem("99.x", ATTACK, dict.fromkeys("abcd", ATTACK), "a", dict.fromkeys("abcd", ATTACK), "03")
    rounds = games.Round(ATTACK, (ATTACK, "b", "c", "d"), 0, (0.25,) * 4, (0.25,) * 4)
    shown = [
        markup.table_html({ATTACK: [ATTACK]}, ATTACK),
        markup.paragraphs(ATTACK),
        exercises.Result("not yet", ATTACK)._repr_html_(),
        exercises.Note(ATTACK)._repr_html_(),
        exercises.Code(ATTACK)._repr_html_(),
        *_values(item.form()),
        *_values(games.Game([rounds]).form()),
        *_values(games.Samples([{"step": 1, "prompt": ATTACK, "text": ATTACK}]).form()),
        *_values(predictions.predict_number("k", ATTACK, "u", 0, 1).form()),
        *_values(predictions.predict_choice("k", ATTACK, {"a": ATTACK, "b": ATTACK}).form()),
    ]
    for text in shown:
        assert "<script" not in text and "<img" not in text and "\x1b" not in text and "\x07" not in text
    assert sum("&lt;script&gt;" in text for text in shown) >= 9
    for text in (repr(item), repr(rounds), repr(exercises.Note(ATTACK))):
        assert "\x1b" not in text and "\x07" not in text


def _values(widget):
    """Return the HTML inside a form."""
    import ipywidgets

    found = [widget.value] if isinstance(widget, ipywidgets.HTML) else []
    return found + [value for child in getattr(widget, "children", ()) for value in _values(child)]


def _kinds(widget):
    """Return the kinds of widgets inside a form."""
    return {type(widget).__name__}.union(*map(_kinds, getattr(widget, "children", ())))


def _press(form, *typed, button="Button"):
    """Type into the fields of a form in their order, press its first button (or Skip); return what it says then."""
    flat = [child for row in form.children for child in (getattr(row, "children", None) or [row])]
    fields = [w for w in flat if type(w).__name__ == "Text"]
    for field, text in zip(fields, typed, strict=False):
        field.value = text
    next(w for w in flat if button in (type(w).__name__, getattr(w, "description", ""))).click()
    (told,) = [w.value for w in flat if type(w).__name__ == "HTML" and 'role="status"' in w.value]
    return told


CURVE = ("99.k", "Loss?", (1, 10), "nats", 0, 12)


def test_quiz_form_forgives_case_and_spaces_and_records_only_what_was_chosen():
    form = quiz.ask("99.bits").form()
    for typed in (("", ""), ("", "60"), ("e", "60"), ("ab", "60"), ("b", ""), ("b", "20"), ("b", "101"), ("b", "x")):
        assert "Use " in _press(form, *typed), typed
    assert diary.session() == []
    assert "Your answer d: Not yet." in _press(form, "D", "30")
    assert "Your answer b: Correct. Two to the third" in _press(form, " B ", "62.5 %")
    found = [(e["value"], e["confidence"], e["hit"]) for e in diary.entries()]
    assert found == [("d", 30, False), ("b", 62.5, True)]


def test_prediction_forms_commit_only_what_was_chosen():
    guess = predictions.predict_number("99.n", "How many?", "bits", 0, 5000)
    form = guess.form()
    for typed in (("", ""), ("4", ""), ("", "50"), ("5001", "50"), ("-1", "50"), ("nan", "50"), ("4", "101")):
        assert "Use a number from 0 to " in _press(form, *typed) and guess.skipped, typed
    assert "Committed: 4,000 bits, 50% sure. Now run the cells below." in _press(form, "4,000 bits", "50%")
    assert (guess.value, guess.confidence) == (4000, 50)

    curve = predictions.predict_curve(*CURVE)
    form = curve.form()
    assert "The prediction at 10 is empty." in _press(form, "6", "", "50")
    assert "The prediction at 1 is &#x27;99&#x27;." in _press(form, "99", "3", "50") and curve.skipped
    assert "Committed: 6, 2.5 nats, 0% sure." in _press(form, "6", "2.5", "0")
    assert curve.value == [6, 2.5]

    choice = predictions.predict_choice("99.c", "Which?", {"a": "rises", "b": "falls"})
    form = choice.form()
    assert "Use one of a, b" in _press(form, "", "50") and "Use one of a, b" in _press(form, "c", "50")
    assert choice.skipped and "Committed: b (falls), 80% sure." in _press(form, "B", "80")


def test_a_committed_form_is_still_committed_when_its_cell_runs_again():
    _press(predictions.predict_curve(*CURVE).form(), "6", "2.5", "40")
    again = predictions.predict_curve(*CURVE)
    assert (again.value, again.confidence) == ([6, 2.5], 40) and "Committed: 6, 2.5 nats" in _values(again.form())[-1]
    assert predictions.predict_curve(*CURVE, value=[1, 1]).value == [1, 1]
    assert predictions.predict_curve("99.other", *CURVE[1:]).skipped
    assert predictions.predict_curve("99.k", "Loss?", (1, 10, 100), "nats", 0, 12).skipped  # it asks for more by now


def test_number_form_says_when_it_is_right():
    exact = predictions.predict_number("99.n", "How many?", "questions", 0, 40, within=0)
    assert "It must be exact." in _values(exact.form())[0]
    near = predictions.predict_number("99.n", "How many?", "bits", 0, 8)
    assert "From 0 to 8. You are right within 0.8 bits." in _values(near.form())[0]


def test_game_form_scores_skips_and_refuses():
    first = games.Round("one two ", ("three", "x", "y", "z"), 0, (0.5, 0.2, 0.2, 0.1), (0.25, 0.25, 0.25, 0.25))
    second = games.Round("one ", ("x", "two", "y", "z"), 1, (0.25, 0.5, 0.2, 0.05), (0.25, 0.25, 0.25, 0.25))
    game = games.Game([first, second, first])
    form = game.form()
    assert "Choose first, or press Skip." in _press(form)
    assert "Choose first" in _press(form, " ", "50") and "Use one of a, b, c, d" in _press(form, "ab", "50")
    assert "25 to 99" in _press(form, "a", "100") and "three&#x27;" not in form.children[0].value
    assert game.scores == diary.session() == []
    assert "Round 1: It was &#x27;three&#x27;. you 1.00 bits" in _press(form, "A", "50")
    assert [f.value for f in form.children if type(f).__name__ == "Text"] == ["", "50"]
    assert "Round 2: It was &#x27;two&#x27;. you did not play" in _press(form, button="Skip")
    assert "Round 3: It was" in _press(form, "b", "25")
    assert [score.you for score in game.scores] == [1.0, None, pytest.approx(2.0)]
    assert [(e["skipped"], e["value"]) for e in diary.session()] == [(False, "a"), (True, None), (False, "b")]


def test_fields_of_the_forms_are_text_in_which_keys_are_no_commands():
    one = games.Round("one two ", ("three", "x", "y", "z"), 0, (0.25,) * 4, (0.25,) * 4)
    forms = [
        quiz.ask("99.bits").form(),
        predictions.predict_number("99.n", "q", "u", 0, 1).form(),
        predictions.predict_choice("99.c", "q", {"a": "x", "b": "y"}).form(),
        predictions.predict_curve(*CURVE).form(),
        games.Game([one]).form(),
    ]
    for form in forms:
        assert _kinds(form) <= {"VBox", "HBox", "HTML", "Text", "Button"}


def test_samples_start_with_noise_and_hold_their_table():
    samples = games.Samples([{"step": n, "prompt": "Once ", "text": f"t{n}"} for n in (0, 50)])
    slider, shown, table = samples.form().children
    assert "t0" in shown.value and "t50" not in shown.value
    slider.value = 1
    assert "t50" in shown.value
    assert table.value.startswith("<details>") and table.value.count("<table>") == 1


def test_form_shows_without_ipywidgets(monkeypatch, capsys):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append(bundle))
    quiz.ask("99.bits")._ipython_display_()
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    quiz.ask("99.bits")._ipython_display_()
    with_form, without = shown
    assert set(with_form) - set(without) == {"application/vnd.jupyter.widget-view+json"}
    assert "b) 3" in without["text/plain"] and "<li>b) 3</li>" in without["text/html"]


# --- figures


def test_descriptions_come_from_the_data():
    x, y = [0, 100, 200, 300], [6.93, 2.0, 1.5, 1.8]
    text = figures.describe_lines("a run", x, {"loss": y}, x_name="step", y_name="nats")
    assert text == (
        "Line chart: a run. nats against step, from 0 to 300. "
        "loss starts at 6.93 and ends at 1.8, its lowest is 1.5 at 200."
    )
    text = figures.describe_bars("bits", ["web", "code"], {"model": [2.5, 1.25]}, y_name="bits a byte")
    assert text == "Bar chart: bits. bits a byte. model: web 2.5, code 1.25."
    table = figures.thin(range(1000), {"y": [n / 2 for n in range(1000)]}, x_name="x", rows=5)
    assert table == {"x": [0, 250, 500, 749, 999], "y": [0, 125, 250, 374.5, 499.5]}


def test_figure_carries_description_and_table(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, **more: shown.append((bundle, more)))
    figures.show_lines("a run", [1, 2], {"loss": [3.0, 2.5]}, x_name="step", y_name="nats", levels={"ln V": 6.93})
    (picture, more), (table, _) = shown
    alt = more["metadata"]["image/png"]["alt"]
    assert picture["text/plain"] == alt and "ends at 2.5" in alt and "ln V at 6.93" in alt
    assert picture["image/png"].startswith("iVBOR")
    assert alt in table["text/html"] and '<th scope="col">loss</th>' in table["text/html"]
    assert table["text/plain"].splitlines() == ["step  loss", "   1     3", "   2   2.5"]
    with pytest.raises(ValueError, match="description"):
        figures.show_figure(figures.new()[0], " ", {"x": [1]})


def test_figures_are_the_same_bytes_again():
    pictures = set()
    for _ in range(2):
        figure, ax = figures.new()
        figures.lines(ax, [1, 2], {"a": [1, 2], "b": [2, 1]}, x_name="x", y_name="y")
        pictures.add(figures.png(figure))
    assert len(pictures) == 1


# --- the game


def test_bits_of_the_game_by_hand():
    one = games.Round("one two ", ("three", "x", "y", "z"), 0, (0.5, 0.2, 0.2, 0.1), (0.25, 0.25, 0.25, 0.25))
    assert games.play(one, "a", 50) == games.Score(1.0, 1.0, 2.0, "three")
    assert games.play(one, "b", 25).you == pytest.approx(2.0)  # a blind guess: a quarter for each
    assert games.play(one, "b", 70).you == pytest.approx(-math.log2(0.1))  # the other three share 30%
    assert games.play(one).you is None
    assert games.play_all([one, one], "a", 50) == games.Score(1.0, 1.0, 2.0)
    assert games.play(one, " A ", 50) == games.play(one, "a", 50)
    for bad in (("e", 50), ("", 50), ("a", 10), ("a", 100)):
        with pytest.raises(ConfigError):
            games.play(one, *bad)


def test_rounds_hold_the_true_token_and_renormalised_players():
    ids = [n % 7 for n in range(200)]

    def after(before):  # knows that they count up
        return [0.94 if i == (before[-1] + 1) % 7 else 0.01 for i in range(7)]

    rounds = games.make_rounds(
        ids, lambda x: ",".join(map(str, x)), lambda before: [1 / 7] * 7, after, context=3, count=60
    )
    for one in rounds:
        assert int(one.options[one.truth]) == (int(one.context.split(",")[-1]) + 1) % 7
        assert len(set(one.options)) == 4
        assert one.bigram == pytest.approx((0.25,) * 4) and sum(one.model) == pytest.approx(1)
        assert one.model[one.truth] == pytest.approx(0.94 / 0.97)
        assert games.Round.from_record(json.loads(json.dumps(one.record()))) == one
    assert len({one.truth for one in rounds}) == 4  # the right letter is not always the same


# --- evidence


@pytest.fixture
def stored(monkeypatch, tmp_path):
    monkeypatch.setattr(evidence, "path_of", lambda name: tmp_path / f"{name}.json")
    monkeypatch.setattr(evidence, "claims", lambda: {claim.name: claim for claim in lesson.CLAIMS})
    assert evidence.main(["99_mean"]) == 0
    return evidence.load("99_mean")


def test_evidence_round_trip(stored):
    band = evidence.band("99_mean")
    means = [lesson.measure_mean(seed) for seed in (0, 1, 2)]
    assert band.values == pytest.approx(means, rel=1e-5)
    assert (band.low, band.high) == pytest.approx((min(means), max(means)), rel=1e-5)
    assert repr(band).endswith("3 seeds")
    assert repr(evidence.Band("n", "s", "nats", (0.23366, 0.2379, 0.24003))) == "0.23 to 0.24 nats over 3 seeds"
    assert repr(evidence.Band("n", "s", "", (0.0013145, 0.0013152))) == "0.0013 with each of 2 seeds"
    assert repr(evidence.Band("n", "s", "bytes", (104_000.0, 196_000.0))) == "100,000 to 200,000 bytes over 2 seeds"
    assert evidence.faults(lesson.CLAIMS[0], stored) == []


def test_evidence_that_no_longer_fits_is_found(stored):
    claim = lesson.CLAIMS[0]
    changes = {
        "values": stored["values"] | {"1": 0.9},
        "code": "0" * 64,
        "sentence": "Something else.",
        "corpus": "another",
    }
    for key, value in changes.items():
        assert len(evidence.faults(claim, stored | {key: value})) == 1, key
    assert evidence.faults(claim, stored | {"values": {"7": 0.5}}) == ["it was recorded with other seeds"]


def test_missing_evidence_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(evidence, "path_of", lambda name: tmp_path / f"{name}.json")
    with pytest.raises(DataError, match="no readable evidence 'x'"):
        evidence.band("x")
    assert evidence.main(["no_such_claim"]) == 2
    assert "There is no claim 'no_such_claim'" in capsys.readouterr().err


def test_code_fingerprint_follows_imports_and_ignores_comments(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "measured_module.py"
    first = "from minillm.loss import perplexity\n\ndef f(x):\n    return perplexity(x)\n"
    versions = {
        "first": first,
        "commented": '"""Doc."""\n' + first.replace("x):\n", 'x):  # why\n    """Doc."""\n'),
        "changed": first.replace("perplexity(x)", "perplexity(x + 1)"),
        "alone": "def f(x):\n    return x\n",
    }
    found = {}
    for name, text in versions.items():
        path.write_text(text, encoding="utf-8")
        found[name] = evidence.code_fingerprint("measured_module")
    assert found["first"] == found["commented"]
    assert len(set(found.values())) == 3
    path.write_text(first, encoding="utf-8")
    canonical = evidence._canonical
    monkeypatch.setattr(evidence, "_canonical", lambda node: canonical(node).replace("exp", "log"))
    assert evidence.code_fingerprint("measured_module") != found["first"]  # as if minillm.loss had changed
