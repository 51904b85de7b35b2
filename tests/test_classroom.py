"""The classroom's parts: settings, recorded runs, predictions, checkers, quiz, figures, games, evidence."""

import gzip
import json
import math
import sys

import notebook_lesson99 as lesson
import numpy as np
import pytest

from minillm.classroom import diary, evidence, exercises, figures, games, machine, markup, predictions, quiz, runs
from minillm.errors import ConfigError, DataError

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[2J\x07"


@pytest.fixture(autouse=True)
def own_folders(monkeypatch, tmp_path):
    """The demonstration lesson is present, and what a learner commits goes to a folder of the test."""
    monkeypatch.setitem(sys.modules, "minillm.classroom.lessons.lesson99", lesson)
    monkeypatch.setattr(diary, "path", lambda: tmp_path / "learner" / "diary.jsonl")
    monkeypatch.setattr(diary, "_session", [])
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


def test_estimate_scales_with_the_measured_rate(monkeypatch):
    from minillm import runtime

    for factor, expected_s in ((1, 60), (0.5, 120), (2, 30), (100, 12)):  # never below a fifth
        monkeypatch.setattr(
            runtime, "matmul_flops_per_s", lambda device, seconds, f=factor: f * machine.REFERENCE_FLOPS_PER_S
        )
        assert machine.check(60).estimate_s == pytest.approx(expected_s)


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
        lambda: predictions.predict_choice("k", "q", {"a": "x"}, value="b"),
        lambda: predictions.predict_curve("k", "q", (1, 2), "u", 0, 10, value=[1]),
        lambda: predictions.predict_curve("k", "q", (1, 2), "u", 0, 10, value=7),
    ],
)
def test_impossible_predictions_are_named(make):
    with pytest.raises(ConfigError):
        make()


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
    import torch

    assert outcome("99.surprise", lambda p: -np.log2(p))[0] == exercises.CORRECT
    assert outcome("99.surprise", lambda p: -torch.log2(torch.tensor(p, dtype=torch.float64)))[0] == exercises.CORRECT
    given = [0.5, 0.25]
    assert outcome("99.total", 3.0, probabilities=given) == (exercises.CORRECT, "")
    assert exercises.attempt(lambda items: items.clear(), (given,)) is None and given == [0.5, 0.25]


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
    with pytest.raises(ConfigError):
        quiz.answer("99.bits", "__import__('os')")


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


def _find(form, name):
    return next(w for w in form.children if type(w).__name__ == name)


def test_forms_do_what_the_plain_functions_do():
    form = quiz.ask("99.bits").form()
    _find(form, "RadioButtons").value = "b"
    _find(form, "Button").click()
    assert "Correct. Two to the third" in form.children[-1].value and 'role="status"' in form.children[-1].value
    guess = predictions.predict_number("99.n", "How many?", "bits", 0, 10)
    form = guess.form()
    _find(form, "BoundedFloatText").value = 4
    _find(form, "Button").click()
    assert (guess.value, guess.confidence) == (4, 50)
    choice = predictions.predict_choice("99.c", "Which?", {"a": "rises", "b": "falls"})
    form = choice.form()
    _find(form, "Button").click()
    assert choice.skipped and "Use one of a, b" in form.children[-1].value


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
    assert repr(band).endswith("over 3 seeds")
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
