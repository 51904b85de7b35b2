"""The loop: it can learn a batch by heart, parts equal the whole, it stops before it harms, it goes on exactly."""

import io
import math
from dataclasses import replace

import core
import pytest
import torch

from minillm.config import TrainConfig
from minillm.errors import DataError, TrainingError
from minillm.loss import cross_entropy
from minillm.model import Transformer
from minillm.optimizer import make_optimizers
from minillm.train import train, train_step

each_form = pytest.mark.parametrize("config", core.FORMS.values(), ids=core.FORMS)
each_optimizer = pytest.mark.parametrize("optimizer", ["muon", "adamw"])


def weights(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return a copy of all weights."""
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


@each_form
@each_optimizer
def test_one_batch_is_learned_by_heart(config, optimizer):
    torch.manual_seed(0)
    model = Transformer(config)
    optimizers = make_optimizers(model, TrainConfig(optimizer=optimizer, learning_rate=0.01, weight_decay=0.0))
    ids = core.random_ids(config, 4, 17)
    losses = [train_step(model, optimizers, ids[:, :-1], ids[:, 1:])[0] for _ in range(120)]
    assert losses[0] > 3.9 and losses[-1] < 0.02  # from ln 61 = 4.11


@each_form
@pytest.mark.parametrize("micro_batches", [2, 3, 6])
@pytest.mark.parametrize("masked", [False, True], ids=["all", "uneven mask"])
def test_micro_batches_equal_one_batch(config, micro_batches, masked):
    ids = core.random_ids(config, 6, 17)
    mask = (torch.arange(16)[None] < torch.tensor([16, 1, 7, 3, 0, 12])[:, None]).int() if masked else None
    results = []
    for parts in (1, micro_batches):
        model = core.awake(config).double()
        optimizers = make_optimizers(model, TrainConfig(optimizer="adamw", weight_decay=0.1))
        for _ in range(3):
            measured = train_step(model, optimizers, ids[:, :-1], ids[:, 1:], mask=mask, micro_batches=parts)
        results.append((measured, weights(model)))
    (whole, whole_weights), (parted, parted_weights) = results
    assert parted == pytest.approx(whole, rel=1e-6)
    for name, tensor in whole_weights.items():
        torch.testing.assert_close(parted_weights[name], tensor, rtol=1e-5, atol=1e-6, msg=name)


def test_the_reported_loss_is_that_before_the_update():
    model, ids = core.awake(core.MODERN), core.random_ids(core.MODERN, 2, 17)
    expected = cross_entropy(model(ids[:, :-1]), ids[:, 1:]).item()
    optimizers = make_optimizers(model, TrainConfig())
    loss, norm = train_step(model, optimizers, ids[:, :-1], ids[:, 1:], grad_clip=1e9)
    assert loss == pytest.approx(expected, rel=1e-6)
    assert norm == pytest.approx(math.sqrt(sum(p.grad.square().sum().item() for p in model.parameters())), rel=1e-4)


@each_optimizer
@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_a_loss_or_gradient_that_is_not_finite_leaves_the_weights_untouched(optimizer, what):
    model, ids = core.awake(core.MODERN), core.random_ids(core.MODERN, 2, 17)
    optimizers = make_optimizers(model, TrainConfig(optimizer=optimizer))
    train_step(model, optimizers, ids[:, :-1], ids[:, 1:])
    if what == "loss":
        with torch.no_grad():
            model.final_norm.weight[3] = torch.inf
    else:
        model.blocks[1].attention.value.weight.register_hook(lambda gradient: gradient * torch.nan)
    before = weights(model)
    with pytest.raises(TrainingError, match="weights are left as they were"):
        train_step(model, optimizers, ids[:, :-1], ids[:, 1:])
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_the_step_that_diverged_is_named():
    model = core.awake(core.MODERN)
    records = train(model, core.counting_tokens(), TrainConfig(steps=5, batch_size=2))
    next(records), next(records)
    with torch.no_grad():
        model.final_norm.weight[0] = torch.nan
    with pytest.raises(TrainingError, match=r"^Step 3: The loss is nan"):
        next(records)


def test_all_targets_masked_is_refused_and_changes_nothing():
    model, ids = core.awake(core.MODERN), core.random_ids(core.MODERN, 2, 17)
    before = weights(model)
    with pytest.raises(DataError, match="masked"):
        train_step(
            model, make_optimizers(model, TrainConfig()), ids[:, :-1], ids[:, 1:], mask=torch.zeros(2, 16, dtype=int)
        )
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


@each_form
def test_a_run_learns_to_count(config):
    torch.manual_seed(0)
    model = Transformer(config)
    settings = TrainConfig(steps=60, batch_size=8, learning_rate=0.01)
    records = list(train(model, core.counting_tokens(), settings))
    # the first token of a sequence does not tell whether it counts up or down; the others do
    assert records[0].train_loss_nats > 3.9 and records[-1].train_loss_nats < 0.5


def test_records_count_steps_tokens_and_time():
    model, settings = Transformer(core.MODERN), TrainConfig(steps=5, batch_size=4, schedule="constant")
    records = list(train(model, core.counting_tokens(), settings))
    assert [record.step for record in records] == [1, 2, 3, 4, 5]
    assert [record.tokens_seen for record in records] == [64, 128, 192, 256, 320]
    assert all(record.lr == settings.learning_rate for record in records)
    elapsed = [record.elapsed_s for record in records]
    assert elapsed == sorted(elapsed) and elapsed[0] > 0
    assert all(record.wall_s >= record.elapsed_s for record in records)
    last = records[-1]
    assert last.tokens_per_s == pytest.approx(64 / (elapsed[-1] - elapsed[-2]))


@each_optimizer
def test_a_run_goes_on_bit_for_bit(optimizer):
    settings = TrainConfig(steps=10, batch_size=2, optimizer=optimizer, warmup_steps=3, schedule="cosine")
    tokens = core.counting_tokens()
    torch.manual_seed(0)
    whole = [record.train_loss_nats for record in train(Transformer(core.MODERN), tokens, settings)]
    torch.manual_seed(0)
    model = Transformer(core.MODERN)
    optimizers, parted = make_optimizers(model, settings), []
    for record in train(model, tokens, settings, optimizers=optimizers):
        parted.append(record.train_loss_nats)
        if record.step == 4:
            break
    stored = io.BytesIO()
    torch.save([model.state_dict(), *(one.state_dict() for one in optimizers)], stored)
    stored.seek(0)
    model_state, *optimizer_states = torch.load(stored, weights_only=True)
    torch.manual_seed(99)
    model = Transformer(core.MODERN)
    model.load_state_dict(model_state)
    optimizers = make_optimizers(model, settings)
    for one, state in zip(optimizers, optimizer_states, strict=True):
        one.load_state_dict(state)
    parted += [r.train_loss_nats for r in train(model, tokens, settings, optimizers=optimizers, after=record)]
    assert parted == whole


def test_a_tied_model_stays_tied():
    model = Transformer(replace(core.MODERN, tied=True))
    list(train(model, core.counting_tokens(), TrainConfig(steps=2, batch_size=2)))
    assert model.head.weight is model.token_embedding.weight


def test_bf16_learns_as_fp32_does_and_keeps_its_weights_in_32_bits():
    losses = {}
    for precision in ("fp32", "bf16"):
        torch.manual_seed(0)
        model = Transformer(core.MODERN)
        settings = TrainConfig(steps=40, batch_size=8, learning_rate=0.01, precision=precision)
        losses[precision] = [record.train_loss_nats for record in train(model, core.counting_tokens(), settings)]
        assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert losses["bf16"] != losses["fp32"]
    assert losses["bf16"][-1] == pytest.approx(losses["fp32"][-1], abs=0.25)
