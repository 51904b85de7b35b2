"""The update: AdamW and Muon against independent arithmetic, the groups, the schedules, clipping."""

import math
from dataclasses import replace

import core
import pytest
import torch

from minillm.config import TrainConfig
from minillm.model import Transformer
from minillm.optimizer import gradient_norm, make_optimizers, parameter_groups, rate_factor, set_rates

each_form = pytest.mark.parametrize("config", core.FORMS.values(), ids=core.FORMS)


@each_form
@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_every_parameter_is_updated_by_exactly_one_group(config, tied, optimizer):
    model = Transformer(replace(config, tied=tied))
    grouped = [id(p) for group in parameter_groups(model).values() for p in group]
    updated = [
        id(p)
        for one in make_optimizers(model, TrainConfig(optimizer=optimizer))
        for group in one.param_groups
        for p in group["params"]
    ]
    everything = sorted(id(p) for p in model.parameters())
    assert sorted(grouped) == everything and sorted(updated) == everything


@each_form
def test_groups_hold_what_their_names_say(config):
    model = Transformer(config)
    groups = parameter_groups(model)
    tables = {id(p) for name, p in model.named_parameters() if "embedding" in name or name == "head.weight"}
    assert {id(p) for p in groups["tables"]} == tables
    assert all(p.ndim == 1 for p in groups["vectors"])
    assert all(p.ndim == 2 and p.shape[1] != config.vocab_size for p in groups["matrices"])
    for one in make_optimizers(model, TrainConfig(optimizer="adamw", weight_decay=0.3)):
        for group in one.param_groups:
            assert group["weight_decay"] == (0.0 if group["params"][0].ndim == 1 else 0.3)


def adamw_by_hand(weight, gradients, rate, beta1, beta2, decay, epsilon=1e-8):
    """Loshchilov and Hutter 2019, algorithm 2, on one number."""
    mean = square = 0.0
    for t, g in enumerate(gradients, start=1):
        mean, square = beta1 * mean + (1 - beta1) * g, beta2 * square + (1 - beta2) * g * g
        weight -= rate * decay * weight
        weight -= rate * (mean / (1 - beta1**t)) / (math.sqrt(square / (1 - beta2**t)) + epsilon)
    return weight


def test_adamw_steps_by_hand():
    model = Transformer(core.MODERN).double()
    config = TrainConfig(optimizer="adamw", learning_rate=0.01, weight_decay=0.2, beta1=0.9, beta2=0.95)
    (optimizer,) = make_optimizers(model, config)
    matrix, vector = model.blocks[0].attention.query.weight, model.final_norm.weight
    before, gradients = (matrix[0, 0].item(), vector[0].item()), [0.3, -0.1, 0.25]
    for g in gradients:
        for parameter in model.parameters():
            parameter.grad = torch.full_like(parameter, g)
        optimizer.step()
    assert matrix[0, 0].item() == pytest.approx(adamw_by_hand(before[0], gradients, 0.01, 0.9, 0.95, 0.2), rel=1e-9)
    assert vector[0].item() == pytest.approx(adamw_by_hand(before[1], gradients, 0.01, 0.9, 0.95, 0.0), rel=1e-9)


def test_muon_makes_the_singular_values_of_the_update_alike():
    """Jordan et al. 2024: the update is near U V^T of the gradient U S V^T, between 0.5 and 1.5 times."""
    model = Transformer(replace(core.MODERN, d_model=64, n_heads=4))
    adamw, muon = make_optimizers(model, TrainConfig(optimizer="muon", weight_decay=0.0, muon_learning_rate=0.02))
    for parameter in (model.blocks[0].attention.query.weight, model.blocks[0].feed_forward.down.weight):
        rows, columns = parameter.shape
        left, _, right = torch.linalg.svd(torch.randn(rows, columns, generator=torch.Generator().manual_seed(0)), False)
        sizes = torch.logspace(0, -1.5, min(rows, columns))  # a gradient with directions of very unlike size
        before, gradient = parameter.detach().clone(), left @ sizes.diag() @ right
        parameter.grad = gradient
        muon.step()
        update = (before - parameter.detach()) / (0.02 * math.sqrt(max(1, rows / columns)))
        values = torch.linalg.svdvals(update)
        assert values.min() > 0.5 and values.max() < 1.5 and sizes.min() < 0.05
        assert torch.sum(update * (left @ right)) / (update.norm() * (left @ right).norm()) > 0.95
        parameter.grad = None
    assert not {id(p) for g in adamw.param_groups for p in g["params"]} & {
        id(p) for g in muon.param_groups for p in g["params"]
    }


def test_muon_pulls_matrices_towards_zero_by_rate_times_decay():
    model = core.awake(core.MODERN)
    _, muon = make_optimizers(model, TrainConfig(weight_decay=0.5, muon_learning_rate=0.02))
    weight = model.blocks[0].attention.query.weight
    before = weight.detach().clone()
    weight.grad = torch.zeros_like(weight)
    muon.step()
    torch.testing.assert_close(weight.detach(), before * (1 - 0.02 * 0.5))


def test_schedules_by_hand():
    wsd = TrainConfig(schedule="wsd", steps=10, warmup_steps=2, decay_fraction=0.4, final_rate=0.0)
    expected = [0.5, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25]  # the last 4 of 10 steps fall; step 11 would be at 0
    assert [rate_factor(wsd, step) for step in range(1, 11)] == pytest.approx(expected)
    wsd = replace(wsd, final_rate=0.2)
    assert rate_factor(wsd, 10) == pytest.approx(0.2 + 0.8 * 0.25)
    cosine = TrainConfig(schedule="cosine", steps=12, warmup_steps=4, final_rate=0.1)
    expected = {1: 0.25, 4: 1.0, 8: 0.55, 12: 0.1}  # half-way down the cosine is the mean of 1 and 0.1
    assert {step: rate_factor(cosine, step) for step in expected} == pytest.approx(expected)
    constant = TrainConfig(schedule="constant", steps=5, warmup_steps=2)
    assert [rate_factor(constant, step) for step in range(1, 6)] == [0.5, 1, 1, 1, 1]


@pytest.mark.parametrize("schedule", ["constant", "cosine", "wsd"])
@pytest.mark.parametrize("steps", [1, 2, 7, 100])
@pytest.mark.parametrize("warmup_steps", [0, 1])
def test_the_rate_rises_then_never_rises_again_and_stays_between_zero_and_its_peak(schedule, steps, warmup_steps):
    config = TrainConfig(schedule=schedule, steps=steps, warmup_steps=warmup_steps)
    factors = [rate_factor(config, step) for step in range(1, steps + 1)]
    assert all(0 <= factor <= 1 for factor in factors)
    after = factors[warmup_steps:]
    assert after == sorted(after, reverse=True)


def test_rates_are_set_for_every_group_from_its_own_peak():
    optimizers = make_optimizers(Transformer(core.MODERN), TrainConfig(learning_rate=0.004, muon_learning_rate=0.02))
    for factor in (0.5, 0.25, 1.0):  # not factor upon factor
        assert set_rates(optimizers, factor) == pytest.approx(0.004 * factor)
        assert optimizers[1].param_groups[0]["lr"] == pytest.approx(0.02 * factor)


def test_the_whole_gradient_is_shortened_as_one():
    model = torch.nn.Linear(2, 1)
    model.weight.grad, model.bias.grad = torch.tensor([[3.0, 0.0]]), torch.tensor([4.0])
    assert gradient_norm(model, 1.0).item() == pytest.approx(5.0)  # 3, 4, 5
    assert model.weight.grad[0, 0].item() == pytest.approx(0.6, abs=1e-4)
    assert model.bias.grad[0].item() == pytest.approx(0.8, abs=1e-4)
    assert gradient_norm(model, 2.0).item() == pytest.approx(1.0, abs=1e-4)  # shorter ones stay
    assert model.bias.grad[0].item() == pytest.approx(0.8, abs=1e-4)
