"""The chains of notebook 04, what can be known about them, the models that read them, and the head set by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from minillm.classroom.attention import induction, staircase
from minillm.classroom.attention.staircase import AttentionOnly, Levels, Setting
from minillm.config import ModelConfig
from minillm.model import Attention, n_parameters, rotary_angles

# --- chains and predictors


class Certain(np.random.Generator):
    """A generator whose rows lead from each state to the next with certainty."""

    def __init__(self):
        super().__init__(np.random.PCG64(0))

    def dirichlet(self, alpha, size):
        rows = np.roll(np.eye(len(alpha)), 1, axis=1)
        return np.broadcast_to(rows, (*size, len(alpha))).copy()


def test_a_chain_follows_its_rows():
    ids = staircase.draw_chains(Certain(), 5, length=20)
    assert ids.shape == (5, 21)
    assert torch.equal(ids[:, 1:], (ids[:, :-1] + 1) % staircase.STATES)


def test_states_come_as_often_as_the_row_says():
    rng = np.random.default_rng(0)
    rows = np.random.default_rng(0).dirichlet([0.3] * 8, size=(1, 8))[0]  # what the first chain of this seed draws
    ids = staircase.draw_chains(rng, 1, length=20_000)[0].numpy()
    counts = np.zeros((8, 8))
    np.add.at(counts, (ids[:-1], ids[1:]), 1)
    for state in range(8):
        if counts[state].sum() > 500:
            assert np.abs(counts[state] / counts[state].sum() - rows[state]).max() < 0.08


def test_every_sequence_has_a_chain_of_its_own_and_a_seed_decides_all():
    once, again = (staircase.draw_chains(np.random.default_rng(3), 50) for _ in range(2))
    assert torch.equal(once, again)
    assert once.shape == (50, 65) and once.min() >= 0 and once.max() < 8
    favourites = [torch.bincount(row, minlength=8).argmax().item() for row in once]
    assert len(set(favourites)) > 4


def test_losses_of_the_predictors_by_hand():
    ids = torch.tensor([[0, 1, 0, 1, 1]])
    bigram = [math.log(8), math.log(8), -math.log(1.3 / 3.4), -math.log(0.3 / 3.4)]  # 1 was followed by 0 once
    unigram = [-math.log(2 / 17), -math.log(3 / 18), -math.log(3 / 19), -math.log(4 / 20)]
    assert staircase.bigram_losses(ids)[0].tolist() == pytest.approx(bigram)
    assert staircase.unigram_losses(ids)[0].tolist() == pytest.approx(unigram)


def test_no_other_smoothing_beats_bayes():
    ids = staircase.draw_chains(np.random.default_rng(1), 2000)
    best = staircase.bigram_losses(ids).mean()
    assert all(staircase.bigram_losses(ids, added).mean() > best + 0.005 for added in (0.1, 0.6, 1.0))


def test_levels_and_the_share_of_the_way():
    levels = staircase.measure_levels(n_sequences=500)
    assert 1.55 < levels.bigram < 1.7 < 1.9 < levels.unigram < 2.02 < levels.even == math.log(8)
    assert Levels(2.0, 1.9, 1.5).share_left(1.6) == pytest.approx(0.25)


# --- models


def test_the_control_has_as_many_parameters():
    two, one = AttentionOnly(2), AttentionOnly(1, staircase.ONE_WIDE_LAYER.d_model)
    assert n_parameters(two) == 2 * 4 * 64 * 64 + 2 * 8 * 64 + 3 * 64 == 33_984
    assert n_parameters(one) == 4 * 90 * 90 + 2 * 8 * 90 + 2 * 90 == 34_020


@pytest.mark.parametrize("qk_norm", [True, False])
@pytest.mark.parametrize("n_kv_heads", [4, 2])
def test_weights_are_those_of_the_package(n_kv_heads, qk_norm):
    torch.manual_seed(0)
    config = ModelConfig(1, 32, 4, context_length=9, n_kv_heads=n_kv_heads, qk_norm=qk_norm)
    layer, x, angles = Attention(config), torch.randn(2, 9, 32), rotary_angles(config)
    weights = staircase.attention_weights(layer, x, angles)
    values = layer.value(x).view(2, 9, n_kv_heads, 8).transpose(1, 2).repeat_interleave(4 // n_kv_heads, dim=1)
    mixed = layer.output((weights @ values).transpose(1, 2).flatten(2))
    assert torch.allclose(mixed, layer(x, angles), atol=1e-6)
    assert torch.equal(weights, weights.tril()) and torch.allclose(weights.sum(-1), torch.ones(2, 4, 9))


@pytest.mark.parametrize("causal", [True, False])
def test_only_without_a_mask_the_future_is_seen(causal):
    torch.manual_seed(0)
    model = AttentionOnly(2, causal=causal)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    ids = torch.randint(8, (3, 30))
    other = ids.clone()
    other[:, 20] = (ids[:, 20] + 1) % 8
    moved = (model(ids) - model(other)).abs().amax((0, 2))
    assert moved[20:].min() > 0
    assert (moved[:20].max().item() == 0) is causal


def test_maps_are_filled_in_for_every_layer():
    maps = []
    model = AttentionOnly(2)
    ids = torch.randint(8, (3, 12))
    assert torch.equal(model(ids, maps), model(ids))
    assert [m.shape for m in maps] == [(3, 12, 12)] * 2


def test_shares_of_made_up_maps():
    ids = torch.tensor([[0, 1, 2, 0, 0]])
    expected = torch.zeros(5, 5, dtype=torch.bool)
    expected[3, 1] = expected[4, 1] = expected[4, 4] = True  # 1 and 0 have followed a 0
    assert torch.equal(staircase.followed(ids)[0], expected)
    weights = torch.zeros(1, 5, 5)
    weights[0, range(1, 5), range(4)] = 1.0  # all look one place back
    assert staircase.previous_share(weights) == 1.0
    assert staircase.followed_share(weights, ids) == 0.0
    weights[0, 4] = torch.tensor([0, 0.5, 0, 0, 0.5])
    assert staircase.followed_share(weights, ids) == pytest.approx(1 / 3)  # of the rows 2, 3 and 4
    assert staircase.previous_share(weights) == 0.75


# --- the run


def test_a_run_begins_at_even_odds_and_learns_what_is_common():
    records = list(staircase.run(Setting(n_layers=1, steps=40, every=20, map_steps=(0, 40))))
    assert [r["step"] for r in records] == [0, 20, 40]
    assert records[0]["loss_nats"] == pytest.approx(math.log(8), abs=0.05)
    assert records[-1]["loss_nats"] < records[0]["loss_nats"] - 0.04
    assert [sorted(r) == sorted(records[0]) for r in records] == [True, False, True]
    shown = records[-1]
    assert len(shown["ids"]) == staircase.SHOWN and len(shown["maps"]) == 1
    assert all(sum(row) == pytest.approx(1, abs=0.2) for row in shown["maps"][0])  # rounded


def test_a_seed_decides_a_run_and_looking_does_not_disturb_it():
    setting = Setting(n_layers=2, steps=12, every=12)
    losses = [list(staircase.run(s))[-1]["loss_nats"] for s in (setting, setting, replace(setting, seed=1))]
    often = list(staircase.run(replace(setting, every=4)))
    assert losses[0] == losses[1] != losses[2]
    assert np.mean([r["loss_nats"] for r in often[1:]]) == pytest.approx(losses[0], abs=1e-6)


def test_a_run_gives_the_threads_back():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        run = staircase.run(Setting(n_layers=1, steps=2, every=1))
        next(run)
        assert torch.get_num_threads() == 1
        list(run)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_half_way_and_mean_share():
    levels = Levels(2.0, 1.8, 1.0)
    records = [{"step": s, "loss_nats": loss} for s, loss in ((0, 2.0), (10, 1.8), (20, 1.5), (30, 1.3), (40, 1.1))]
    assert staircase.half_way(records, levels) == 30  # at 1.4 half the way would be left
    assert staircase.half_way(records[:3], levels) is None
    assert staircase.mean_share_left(records, levels, 10, 30) == pytest.approx(0.5)


# --- set by hand


def test_followers_by_hand():
    ids = torch.tensor([[4, 7, 4, 4, 9, 7, 4]])
    assert induction.followers(ids).tolist() == [[-1, -1, 7, 4, -1, 4, 9]]


@pytest.mark.parametrize("seed", range(3))
def test_the_head_set_by_hand_never_errs(seed):
    ids = torch.randint(26, (100, 64), generator=torch.Generator().manual_seed(seed))
    layers = [induction.previous_token_layer(), induction.matching_layer()]
    assert induction.accuracy(induction.complete(ids, layers), ids) == 1.0


def test_neither_layer_does_it_alone():
    ids = torch.randint(26, (100, 64), generator=torch.Generator().manual_seed(5))
    for layer in (induction.previous_token_layer(), induction.matching_layer()):
        assert induction.accuracy(induction.complete(ids, [layer]), ids) < 0.1


def test_its_maps_show_the_two_steps():
    text = "QXBKMDZBTQ"
    ids = torch.tensor([[induction.LETTERS.index(letter) for letter in text]])
    first, second = induction.attention_maps(ids, [induction.previous_token_layer(), induction.matching_layer()])
    assert all(first[t][t - 1] > 0.99 for t in range(1, len(text)))
    assert second[7][3] > 0.9 and second[9][1] > 0.9  # B looks at the K, Q at the X
