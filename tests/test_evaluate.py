"""Evaluation: every held-out token but the first once, the same as one by one; bits a byte by hand."""

import math
from dataclasses import replace

import core
import numpy as np
import pytest
import torch

from minillm.errors import DataError
from minillm.evaluate import evaluate, stream_nats, windows


@pytest.mark.parametrize("length", [2, 16, 17, 18, 33, 100])
@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_every_token_but_the_first_is_a_target_exactly_once(length, batch_size):
    ids = np.arange(length).astype(np.uint16)
    inputs, targets = [], []
    for window_inputs, window_targets in windows(ids, 16, batch_size):
        assert window_inputs.shape == window_targets.shape and window_inputs.shape[1] <= 16
        inputs += window_inputs.flatten().tolist()
        targets += window_targets.flatten().tolist()
    assert targets == list(range(1, length)) and inputs == list(range(length - 1))


@pytest.mark.parametrize("config", core.FORMS.values(), ids=core.FORMS)
def test_equals_token_by_token(config):
    model, ids = core.awake(config), core.counting_tokens(70).train["up"]
    total = 0.0
    with torch.no_grad():
        for place in range(1, len(ids)):
            start = (place - 1) // 16 * 16  # windows of the context length, not overlapping
            logits = model(torch.tensor([ids[start:place].tolist()]))[0, -1]
            total -= torch.log_softmax(logits.double(), 0)[int(ids[place])].item()
    assert stream_nats(model, ids, batch_size=2) == pytest.approx(total, rel=1e-5)
    assert stream_nats(model, ids, batch_size=64) == pytest.approx(total, rel=1e-5)


class Even(torch.nn.Module):
    """Gives each of 16 tokens the same probability: a surprise of 4 bits."""

    def __init__(self):
        super().__init__()
        self.config = replace(core.MODERN, vocab_size=16)
        self.device = torch.device("cpu")

    def forward(self, ids):
        return torch.zeros(*ids.shape, 16)


def test_bits_a_byte_by_hand_and_their_plain_mean_over_the_kinds():
    tokens = replace(
        core.counting_tokens(),
        held_out={"up": np.ones(70, np.uint16), "down": np.ones(50, np.uint16)},
        held_out_bytes={"up": 138, "down": 49},
    )
    result = evaluate(Even(), tokens)
    # up: 69 targets of 4 bits in 138 bytes = 2; down: 49 targets of 4 bits in 49 bytes = 4; their plain mean 3
    assert result.bits_per_byte_by_kind == pytest.approx({"up": 2.0, "down": 4.0})
    assert result.val_bits_per_byte == pytest.approx(3.0)
    assert result.val_loss_nats == pytest.approx(math.log(16))
    assert result.val_perplexity == pytest.approx(16)


def test_a_kind_without_held_out_text_is_left_out_and_none_at_all_is_refused():
    end = np.array([1], np.uint16)
    tokens = replace(core.counting_tokens(), held_out={"up": np.ones(70, np.uint16), "down": end})
    result = evaluate(Even(), replace(tokens, held_out_bytes={"up": 138, "down": 0}))
    assert result.bits_per_byte_by_kind == pytest.approx({"up": 2.0})
    with pytest.raises(DataError, match="No text is held out"):
        evaluate(Even(), replace(tokens, held_out={"up": end, "down": end}, held_out_bytes={"up": 0, "down": 0}))


def test_evaluation_changes_nothing():
    model = core.awake(core.MODERN).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state = torch.get_rng_state()
    first = evaluate(model, core.counting_tokens())
    assert model.training and evaluate(model, core.counting_tokens()) == first
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
