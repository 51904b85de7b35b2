"""When to stop: costs by hand, the rule that watches, the plan, and the game as a form."""

import numpy as np
import pytest

from minillm.batches import Tokens
from minillm.classroom.loss import stop_game, stopping
from minillm.classroom.loss.stopping import Run
from minillm.errors import ConfigError

FALLING = Run("new", (5.0, 4.0, 3.5, 3.49, 2.0), planned=4)
RISING = Run("small", (5.0, 3.0, 3.2, 3.6, 4.0), planned=2, planned_loss=2.9)


def test_costs_by_hand():
    assert FALLING.cost(3) == pytest.approx(3.49 + 3 * 0.02)
    assert FALLING.best == 4 and RISING.best == 1
    assert FALLING.plan_cost == pytest.approx(2.08)
    assert RISING.plan_cost == pytest.approx(2.94)


def test_the_rule_stops_at_the_first_flat_chunk_and_else_at_the_end():
    assert FALLING.stabilised == 3  # 3.5 to 3.49 brings 0.01
    assert RISING.stabilised == 2
    assert Run("new", (3.0, 2.0, 1.0), planned=2).stabilised == 2


def test_an_outcome_compares_four_ways_of_stopping():
    outcome = stopping.play(FALLING, 2)
    assert outcome.above["you"] == pytest.approx(3.54 - 2.08)
    assert outcome.above["watching"] == pytest.approx(3.55 - 2.08)
    assert outcome.above["plan"] == outcome.above["hindsight"] == pytest.approx(0)
    # a planned run may end better than any moment of the run that was watched
    assert stopping.play(RISING).above["plan"] == pytest.approx(2.94 - 3.02)
    assert stopping.play(RISING).you is None


@pytest.mark.parametrize("chunks", [-1, 5, 1.5, True, "2"])
def test_chunks_that_do_not_exist_are_refused(chunks):
    with pytest.raises(ConfigError, match="not possible"):
        stopping.play(FALLING, chunks)


def test_watching_shows_nothing_that_comes_later():
    assert "3.50" in stopping.watch(FALLING, 2) and "3.49" not in stopping.watch(FALLING, 2)


def test_the_scoreboard_has_the_means_last():
    table = stopping.scoreboard([stopping.play(FALLING, 4), stopping.play(RISING)])
    assert table["run"] == ["new", "small", "mean"]
    assert table["you"] == ["0.00", "-", "0.00"]
    assert table["plan"] == ["0.00", "-0.08", "-0.04"]


@pytest.fixture(scope="module")
def tokens():
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 50, 20_000).astype(np.uint16)  # nothing to learn but which fifty ids occur
    return Tokens({"books": ids}, {"books": ids[:3100]}, {"books": 9000}, {"books": 1.0}, "made", {})


def test_a_run_measures_at_its_start_and_every_twelfth(tokens):
    records = list(stopping.read_text(tokens, steps=45))
    assert [r["step"] for r in records if "held_out_loss_nats" in r] == [0, 20, 40, 45]
    assert records[0]["held_out_loss_nats"] == pytest.approx(np.log(1024), abs=0.1)
    assert records[-1]["held_out_loss_nats"] < 4.3  # ln 50 is 3.9


def test_schedules_part_only_where_the_rate_comes_down(tokens):
    constant, down = ([r["train_loss_nats"] for r in stopping.read_text(tokens, schedule=s, steps=10) if r["step"]]
                      for s in ("constant", "wsd"))  # fmt: skip
    assert constant[:7] == down[:7] and constant[-1] != down[-1]


def test_the_small_text_is_the_beginning_read_again(tokens):
    other = Tokens(
        {"books": tokens.train["books"].copy()}, tokens.held_out, tokens.held_out_bytes, {"books": 1.0}, "", {}
    )
    other.train["books"][stopping.SMALL_TOKENS :] = 7
    runs = [[r for r in stopping.read_text(t, small=True, steps=3)] for t in (tokens, other)]
    assert runs[0] == runs[1]
    assert stopping.planned_steps() * 12 * 64 == pytest.approx(4 * stopping.SMALL_TOKENS, rel=0.01)


def test_copies_are_said_twice():
    made = stopping.copies(5, np.random.default_rng(0))
    assert (made[:, :16] == made[:, 16:]).all() and made.shape == (5, 32)


def test_twelve_chunks_of_the_made_runs():
    for records in (stopping.read_copies(steps=24), stopping.read_known_source(steps=24)):
        assert [r["step"] for r in records if "held_out_loss_nats" in r] == list(range(0, 25, 2))


def test_runs_of_the_game_come_from_their_records():
    records = [
        {"run": name, "step": n, "held_out_loss_nats": 5.0 - n, "train_loss_nats": 1.0 * n}
        for name in [*stopping.RUNS, stopping.FOUR_TIMES]
        for n in range(4)
    ]
    new, small, *_ = stopping.game_runs(records)
    assert new.losses == (5.0, 4.0, 3.0, 2.0) and new.planned == 12 and new.planned_loss is None
    assert small.planned == 3 and small.planned_loss == 2.0
    assert stopping.training(records, "new")[0] == 0.0


def test_the_form_goes_on_stops_and_scores(monkeypatch, tmp_path):
    from minillm.classroom import diary

    monkeypatch.setattr(diary, "path", lambda: tmp_path / "diary.jsonl")
    runs = [
        Run("new", tuple(5 - 0.3 * n for n in range(13)), 12),
        Run("known", tuple(2 - 0.1 * n for n in range(13)), 12),
    ]
    form = stop_game.StopGame(runs).form()
    told, drawn, buttons, board = form.children
    go_on, stop = buttons.children
    assert "Run 1 of 2, after 1 of 12" in told.value and "4.70" in drawn.value and "4.40" not in drawn.value
    go_on.click()
    assert "after 2 of 12" in told.value and "4.40" in drawn.value
    stop.click()
    assert "you after 2" in told.value and "Run 2 of 2" in told.value and "<table>" in board.value
    for _ in range(11):  # to the last chunk, where the run ends by itself
        go_on.click()
    assert "That was the last run." in told.value and go_on.disabled and stop.disabled
    assert 'alt="Held-out loss by chunks' in drawn.value
