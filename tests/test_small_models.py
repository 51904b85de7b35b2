"""The family of small models: an exact floor, gradients that torch agrees with, and runs that hang on nothing else."""

import dataclasses
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from minillm.classroom import evidence, runs
from minillm.classroom.predictions import predict_number
from minillm.classroom.scaling import (
    budget_runs,
    kinds_of_text,
    metering,
    repeat_runs,
    sealed,
    small_models,
    small_transformers,
    sudden,
)
from minillm.classroom.scaling.small_models import Models, Training, parameters, tokens_for, train, usual_rate, views
from minillm.classroom.scaling.zipf_source import CONTEXTS, STEEPNESS, make_source, one_hot
from minillm.errors import ConfigError
from minillm.scaling import Forecast

SOURCE = make_source(3)


def test_the_source_is_what_it_says():
    assert SOURCE.weights.sum() == pytest.approx(1) and SOURCE.shares.sum(1) == pytest.approx(np.ones(CONTEXTS))
    falling = np.sort(SOURCE.weights)[::-1]
    assert falling[0] / falling[99] == pytest.approx(100**STEEPNESS)  # Zipf: rank 100 against rank 1
    assert SOURCE.shares.min() >= 0.02 / 16 - 1e-12
    entropies = [-sum(p * math.log(p) for p in row) for row in SOURCE.shares[:5]]
    assert SOURCE.floor_nats == pytest.approx(
        sum(w * -(row * np.log(row)).sum() for w, row in zip(SOURCE.weights, SOURCE.shares, strict=True))
    )
    assert all(0 < e < math.log(16) for e in entropies)


def test_samples_have_the_shares_of_the_source():
    contexts, followers = SOURCE.sample(200_000, np.random.default_rng(0))
    commonest = SOURCE.weights.argmax()
    times = (contexts == commonest).sum()
    assert times / 200_000 == pytest.approx(SOURCE.weights[commonest], abs=0.006)
    counted = np.bincount(followers[contexts == commonest], minlength=16) / times
    assert np.abs(counted - SOURCE.shares[commonest]).max() < 0.01


def test_the_excess_is_the_loss_above_the_floor():
    assert SOURCE.excess_nats(np.log(SOURCE.shares)) == pytest.approx(0, abs=1e-12)
    guess = np.full((CONTEXTS, 16), -math.log(16))
    assert SOURCE.excess_nats(guess) == pytest.approx(math.log(16) - SOURCE.floor_nats)
    assert SOURCE.agreement(np.log(SOURCE.shares)) == pytest.approx(1)


def test_contexts_are_read_as_three_ones_and_a_constant():
    codes = one_hot()
    assert codes.shape == (4096, 49) and (codes.sum(1) == 4).all() and len(np.unique(codes, axis=0)) == 4096
    assert list(np.flatnonzero(codes[1 * 256 + 2 * 16 + 3])) == [1, 16 + 2, 32 + 3, 48]


def test_parameters_and_budgets_by_hand():
    assert parameters(8) == 65 * 8 + 16 == 536 == Models(8, 1, np.random.default_rng(0)).flat.shape[1]
    assert small_models.width_of(parameters(40)) == 40
    tokens = tokens_for(1e9, 32)
    assert tokens % 32 == 0 and 6 * parameters(32) * tokens == pytest.approx(1e9, rel=0.001)
    assert usual_rate(100_000) == 0.02 and usual_rate(3_200_000) == pytest.approx(0.005)  # 32 to the 0.4 is 4


def test_the_gradient_by_hand_is_torchs():
    rng = np.random.default_rng(1)
    models = Models(12, 3, rng)
    models.flat += 0.3 * rng.standard_normal(models.flat.shape).astype(np.float32)  # else the second layer is 0
    contexts, followers = SOURCE.sample(32, rng)
    found = np.zeros_like(models.flat)
    models.gradient(contexts, followers, found)
    flat = torch.tensor(models.flat, requires_grad=True)
    for run in range(3):
        first, second, bias = flat[run, : 49 * 12].view(49, 12), flat[run, 49 * 12 : -16].view(12, 16), flat[run, -16:]
        logits = torch.relu(torch.tensor(one_hot()[contexts]) @ first) @ second + bias
        F.cross_entropy(logits, torch.tensor(followers)).backward()
    np.testing.assert_allclose(found, flat.grad.numpy(), atol=2e-6)
    every = models.log_p()
    np.testing.assert_allclose(np.exp(every).sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(every[2, contexts], logits.log_softmax(1).detach().numpy(), atol=1e-5)


def test_views_are_the_same_memory():
    flat = np.zeros((2, parameters(5)), np.float32)
    for part in views(flat, 5):
        part += 1
    assert (flat == 1).all()


def test_runs_side_by_side_do_not_touch_each_other():
    together = train(SOURCE, 8, Training(640, (0.01, 0.03)), np.random.default_rng(5))
    alone = train(SOURCE, 8, Training(640, (0.03,)), np.random.default_rng(5))
    np.testing.assert_allclose(together[1], alone[0], atol=1e-5)


def test_a_run_hangs_on_its_seed_alone_and_more_text_helps():
    short = budget_runs.run(SOURCE, 16, 1024, seed=1)
    long = budget_runs.run(SOURCE, 16, 16_384, seed=1)
    assert budget_runs.run(SOURCE, 16, 1024, seed=1) == short != budget_runs.run(SOURCE, 16, 1024, seed=2)
    assert long["loss_best_nats"] < 0.8 * short["loss_best_nats"]
    assert short["flops"] == 6 * 1056 * 1024


def test_without_decay_a_run_ends_higher():
    made = budget_runs.run(SOURCE, 16, 32_768, seed=0, ways=True)
    assert made["loss_steady_nats"] > 1.1 * made["loss_best_nats"]
    with pytest.raises(ConfigError, match="'fixed'"):
        budget_runs.points([budget_runs.run(SOURCE, 8, 320, seed=0)], "fixed")


def test_repeated_text_is_the_same_text_in_new_order():
    contexts, followers = small_models.read(SOURCE, Training(300, (), unique_tokens=100), np.random.default_rng(0))
    pairs = [sorted(zip(contexts[i : i + 100], followers[i : i + 100], strict=True)) for i in (0, 100, 200)]
    assert pairs[0] == pairs[1] == pairs[2] and list(contexts[:100]) != list(contexts[100:200])


def test_what_repeats_are_worth_is_read_off_the_runs_on_new_text():
    def record(epochs, new, repeated):
        return {"tokens": 100 * epochs, "unique_tokens": 100, "loss_new_nats": new, "loss_repeated_nats": repeated}

    # from 1 to 4 epochs of new text the excess halves: 0.8 / sqrt 2 is what 2 epochs give
    records = [record(1, 0.8, 0.8), record(4, 0.4, 0.8 / 2**0.5), record(16, 0.2, 0.1)]
    assert repeat_runs.worth_in_new(records) == pytest.approx([1, 2, 16])


def test_the_exam_counts_right_answers_to_common_contexts(monkeypatch):
    monkeypatch.setattr(sudden, "LENGTHS", (512, 8192))
    first, last = sudden.exam(SOURCE, seed=0)
    assert 0 <= first["right"] < last["right"] <= 1 and first["loss_excess_nats"] > last["loss_excess_nats"]


def test_a_mixture_takes_half_of_each_part_in_random_order():
    flat = dataclasses.replace(SOURCE, weights=np.eye(CONTEXTS)[7])  # nothing but context 7
    other = dataclasses.replace(SOURCE, weights=np.eye(CONTEXTS)[9])
    contexts, followers = kinds_of_text.Mixture((flat, other)).sample(1001, np.random.default_rng(0))
    assert (contexts == 7).sum() == 501 and (contexts == 9).sum() == 500 and len(followers) == 1001
    assert 300 < (contexts[:700] == 7).sum() < 400  # 350 on average, one standard deviation is 7


def test_kinds_of_text_change_what_they_say_and_nothing_else():
    contexts = kinds_of_text.other_contexts(SOURCE, 3)
    assert contexts.shares is SOURCE.shares and sorted(contexts.weights) == sorted(SOURCE.weights)
    assert not np.array_equal(contexts.weights, SOURCE.weights)
    followers = kinds_of_text.other_followers(SOURCE, 3)
    assert followers.weights is SOURCE.weights and not np.allclose(followers.shares, SOURCE.shares)


def test_more_of_the_same_kind_helps_and_other_kinds_do_not():
    found = {r["added"]: r["loss_nats"] for r in kinds_of_text.compare(SOURCE, seed=3)}
    assert found["the same kind"] < found["nothing"] < found["other contexts"] < found["other followers"]


def test_the_small_transformer_is_the_courses_and_learns():
    model = small_transformers.model_of(16, seed=0)
    assert len(model.blocks) == 1 and model.config.context_length == 3
    assert small_transformers.ids_of(np.array([1 * 256 + 2 * 16 + 3])).tolist() == [[1, 2, 3]]
    short, long = (small_transformers.excess_after(SOURCE, 8, n, 0.02, seed=0) for n in (320, 3200))
    assert long < 0.8 * short
    assert long == small_transformers.excess_after(SOURCE, 8, 3200, 0.02, seed=0)


def test_recorded_transformers_cost_what_their_budget_says_and_have_an_inner_valley():
    records = runs.load(small_transformers.NAME).records
    assert {(r["budget"], r["width"]) for r in records} == {
        (c, w) for c, ws in small_transformers.SIZES.items() for w in ws
    }
    assert all(6 * r["parameters"] * r["tokens"] == pytest.approx(r["budget"], rel=0.02) for r in records)
    assert all(small_transformers.better_end_above(records, budget) > 0.03 for budget in small_transformers.SIZES)


def test_all_transformers_but_one_are_taken_from_the_recording(monkeypatch):
    computed = []

    def run(source, flops, width, *, seed):
        computed.append((flops, width))
        return {"budget": flops, "width": width}

    monkeypatch.setattr(small_transformers, "run", run)
    made = list(small_transformers.family(SOURCE, seed=0, all_computed=False))
    assert computed == [small_transformers.CHECKED] and len(made) == 15
    assert len(list(small_transformers.family(SOURCE, seed=0, all_computed=True))) == 15 and len(computed) == 16


def grid_record(width: int, tokens: int) -> dict:
    count = parameters(width)
    made = {"width": width, "tokens": tokens, "parameters": count, "flops": 6 * count * tokens}
    return {**made, "loss_best_nats": 100 / width / tokens}


RECORDS = [grid_record(width, tokens) for width in metering.WIDTHS for tokens in metering.LENGTHS]
GRID = [record for record in RECORDS if record["flops"] <= metering.DEAREST]


def test_the_meter_charges_and_scores():
    meter = metering.Meter(GRID)
    assert meter.score().yours is None and "not trained" in repr(meter.score())
    assert "13 million FLOPs; 137 million left" in meter.train(8, 4096)  # 6 x 536 x 4,096 = 13.2 million
    assert meter.left == 1.5e8 - 6 * 536 * 4096
    with pytest.raises(ConfigError, match="you have 33 million"):
        for _ in range(3):
            meter.train(np.int64(16), 16_384.0)  # 103.8 million each
    assert len(meter.bought) == 2
    score = meter.score()
    assert score.yours == min(r["loss_best_nats"] for r in meter.bought) >= score.reachable
    # 100 / width / tokens: of what 150 million can pay, 8 x 32,768 and 16 x 16,384 are the most
    assert score.reachable == 100 / 262_144
    assert "above" in repr(score) and score.spent == pytest.approx(1 - meter.left / 1.5e8)
    assert len(meter.table()["width"]) == 2


@pytest.mark.parametrize(
    ("width", "tokens", "named"),
    [
        (9, 1024, "9 is no width"),
        (8, 1000, "1000 is no number of tokens"),
        ("16", 1024, "without quotation marks"),
        (True, 1024, "True is no width"),
        (8, None, "None is no number"),
        ([8], 1024, r"\[8\] is no width"),
        (8, float("nan"), "nan is no number"),
        (8, "<script>" * 99, "<script>.* [.]{3} is no number"),
    ],
)
def test_the_meter_refuses_what_is_not_offered(width, tokens, named):
    meter = metering.Meter(GRID)
    with pytest.raises(ConfigError, match=named):
        meter.train(width, tokens)
    assert meter.left == meter.budget


def test_the_form_of_the_meter_pays_and_refuses():
    meter = metering.Meter(GRID)
    _, width, tokens, buttons, told, board = meter.form().children
    train, end = buttons.children
    train.click()
    assert "The width is empty" in told.value and not meter.bought
    width.value, tokens.value = "16", "4,096"
    train.click()
    assert "26 million FLOPs" in told.value and "<td>4,096</td>" in board.value and len(meter.bought) == 1
    end.click()
    assert "Your best run" in told.value


def test_the_curves_of_a_grid_are_its_widths():
    first = metering.curves(GRID)[0]
    assert first.parameters == 536 and first.loss_at(6 * 536 * 1024) == pytest.approx(100 / 8 / 1024)


SAID = Forecast(1e10, 5000.0, 3e5, 0.05, 0.047, 0.054, 0.8)


def test_a_seal_cannot_be_changed():
    asked = predict_number("99.x", "How much?", "nats", 0, 1, value=0.06)
    made = sealed.seal("test.change", SAID, asked, 0.07)
    asked.commit(0.05)  # after the fact
    assert made.yours == 0.06
    with pytest.raises(ConfigError, match="under seal already"):
        sealed.seal("test.change", SAID, asked, 0.07)
    asked.commit(0.06)
    assert sealed.seal("test.change", SAID, asked, 0.07) == made  # its cell is run again


def test_what_was_said_is_scored_on_the_excess():
    skipped = predict_number("99.y", "How much?", "nats", 0, 1)
    opened = sealed.seal("test.score", SAID, skipped, 0.07).opened(0.05)
    assert opened["who"] == ["the law", "you", "no change"]
    assert opened["off"] == ["+0%", "-", "+40%"]
    forged = sealed.Sealed(SAID, None, 0.07, "000000000000")
    with pytest.raises(ConfigError, match="not the one that was sealed"):
        forged.opened(0.05)


def test_thirty_recorded_forecasts_cover_as_often_as_they_say():
    # the middle 95% of a binomial with 30 draws of 80%
    values = evidence.band("07_miss").values
    assert len(values) == 30 and 19 <= sum(abs(value) <= 1 for value in values) <= 28
