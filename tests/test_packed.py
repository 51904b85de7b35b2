"""A packed model: what comes back is what was rounded, and a small model's predictions hardly move."""

import json

import numpy as np
import pytest
import torch

from minillm.classroom import packed
from minillm.config import ModelConfig
from minillm.errors import ConfigError
from minillm.model import Transformer, n_parameters

SHAPE = ModelConfig(n_layers=2, d_model=16, n_heads=2, vocab_size=11, context_length=8)


@pytest.fixture
def model():
    torch.manual_seed(0)
    made = Transformer(SHAPE)
    for weight in made.parameters():  # no zeros left, as after training
        torch.nn.init.normal_(weight, std=0.3)
    return made


@pytest.mark.parametrize("bits", [8, 16])
def test_each_weight_is_off_by_half_a_step_of_its_row_at_most(model, bits):
    back = packed.unpack(packed.pack(model, bits))
    for before, after in zip(model.parameters(), back.parameters(), strict=True):
        row = before.detach().reshape(-1, before.shape[-1])
        off = (row - after.reshape(row.shape)).abs().max(1).values
        step = row.abs().max(1).values / (2 ** (bits - 1) - 1)
        assert (off <= step * 0.501).all()


def test_a_packed_model_packs_to_the_same_text_again(model):
    once = packed.pack(model)
    assert packed.pack(packed.unpack(once))["numbers"] == once["numbers"]


def test_it_goes_through_json_and_predicts_alike(model):
    back = packed.unpack(json.loads(json.dumps(packed.pack(model, 16))))
    ids = torch.tensor([[1, 2, 3, 10]])
    assert back.config == SHAPE
    assert torch.allclose(model(ids), back(ids), atol=2e-2)


def test_its_size_is_a_byte_a_weight_and_four_a_row(model):
    rows = sum(weight.numel() // weight.shape[-1] for weight in model.parameters())
    assert packed.packed_bytes(packed.pack(model, 8)) == n_parameters(model) + 4 * rows
    assert packed.packed_bytes(packed.pack(model, 16)) == 2 * n_parameters(model) + 4 * rows


def test_a_tied_head_is_kept_once_and_stays_tied():
    tied = Transformer(ModelConfig(n_layers=1, d_model=8, n_heads=1, vocab_size=5, context_length=4, tied=True))
    back = packed.unpack(packed.pack(tied))
    assert back.head.weight is back.token_embedding.weight
    assert np.allclose(back.head.weight.detach(), tied.head.weight.detach(), atol=2e-3)


def test_rows_of_zeros_stay_zero():
    torch.manual_seed(0)
    fresh = Transformer(SHAPE)  # its last matrices start at zero
    back = packed.unpack(packed.pack(fresh))
    assert (back.blocks[0].attention.output.weight == 0).all()


def test_other_widths_are_refused(model):
    with pytest.raises(ConfigError, match="4 bits"):
        packed.pack(model, 4)
