"""The model: causal, the same with and without a cache, alone and in a batch; it starts near even odds."""

import math
from dataclasses import replace

import core
import pytest
import torch

from minillm.config import SIZES, ModelConfig
from minillm.cost import count_parameters as counted_by_hand
from minillm.errors import ConfigError
from minillm.loss import cross_entropy
from minillm.model import Transformer, causal_attention, n_parameters, rotary_angles, rotate

each_form = pytest.mark.parametrize("config", core.FORMS.values(), ids=core.FORMS)


@each_form
def test_a_changed_token_leaves_earlier_logits_untouched(config):
    model, ids = core.awake(config), core.random_ids(config, 2, 16)
    before = model(ids)
    for place in (1, 8, 15):
        changed = ids.clone()
        changed[:, place] = (changed[:, place] + 1) % config.vocab_size
        after = model(changed)
        torch.testing.assert_close(after[:, :place], before[:, :place], rtol=0, atol=0)
        assert (after[:, place:] - before[:, place:]).abs().amax(dim=-1).min() > 1e-4


@each_form
def test_a_token_changed_in_the_cached_path_leaves_earlier_logits_untouched(config):
    def read(ids: torch.Tensor) -> torch.Tensor:
        cache = model.new_cache()
        return torch.cat([model(part, cache) for part in ids.split([5, 1, 4, 6], dim=1)], dim=1)

    model, ids = core.awake(config), core.random_ids(config, 1, 16)
    changed = ids.clone()
    changed[0, 8] = (changed[0, 8] + 1) % config.vocab_size
    before, after = read(ids), read(changed)
    torch.testing.assert_close(after[:, :8], before[:, :8], rtol=0, atol=0)
    assert (after[:, 8:] - before[:, 8:]).abs().amax(dim=-1).min() > 1e-4


@each_form
@pytest.mark.parametrize("parts", [[1] * 16, [7, 9], [3, 1, 1, 11]], ids=str)
def test_cached_equals_full(config, parts):
    model, ids = core.awake(config), core.random_ids(config, 2, 16)
    cache = model.new_cache()
    pieces = torch.cat([model(part, cache) for part in ids.split(parts, dim=1)], dim=1)
    torch.testing.assert_close(pieces, model(ids), rtol=1e-5, atol=1e-5)
    assert [layer.length for layer in cache] == [16, 16]


@each_form
def test_a_batch_of_two_is_two_batches_of_one(config):
    model, ids = core.awake(config), core.random_ids(config, 2, 16)
    alone = torch.cat([model(ids[:1]), model(ids[1:])])
    torch.testing.assert_close(model(ids), alone, rtol=1e-5, atol=1e-5)


def test_attention_equals_a_loop_over_positions_and_heads():
    generator = torch.Generator().manual_seed(0)
    q = torch.randn(2, 4, 6, 8, generator=generator)
    k, v = torch.randn(2, 2, 2, 6, 8, generator=generator)
    expected = torch.empty_like(q)
    for b in range(2):
        for h in range(4):
            for t in range(6):  # query heads 0 and 1 share key-value head 0; 2 and 3 share head 1
                scores = k[b, h // 2, : t + 1] @ q[b, h, t] / math.sqrt(8)
                expected[b, h, t] = torch.softmax(scores, 0) @ v[b, h // 2, : t + 1]
    torch.testing.assert_close(causal_attention(q, k, v), expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(causal_attention(q[:, :, 4:], k, v), expected[:, :, 4:], rtol=1e-5, atol=1e-6)


def test_rotation_of_one_pair_by_hand():
    # d_head 2: one pair, base^0 = 1 radian a position; (1, 0) at position 2 becomes (cos 2, sin 2)
    config = ModelConfig(n_layers=1, d_model=2, n_heads=1, vocab_size=5, context_length=4)
    cos, sin = rotary_angles(config)
    turned = rotate(torch.tensor([1.0, 0.0]).expand(1, 1, 4, 2), cos, sin)
    assert turned[0, 0, 2].tolist() == pytest.approx([math.cos(2), math.sin(2)])


def test_rotated_products_depend_on_the_distance_alone():
    config = ModelConfig(n_layers=1, d_model=16, n_heads=1, vocab_size=5, context_length=12)
    cos, sin = rotary_angles(config)
    q, k = torch.randn(2, 1, 1, 1, 16, generator=torch.Generator().manual_seed(0)).expand(2, 1, 1, 12, 16)
    products = (rotate(q, cos, sin) @ rotate(k, cos, sin).transpose(2, 3))[0, 0]
    for distance in range(12):
        same = products.diagonal(-distance)
        torch.testing.assert_close(same, same[:1].expand_as(same), rtol=1e-4, atol=1e-4)
    assert products[:, 0].std() > 0.1


SHAPES = {
    "nano": SIZES["nano"],
    "mini": SIZES["mini"],
    "deep": replace(SIZES["micro"], n_layers=24),
    "wide": replace(SIZES["mini"], n_layers=1, d_model=768, n_heads=12, n_kv_heads=12, context_length=64),
}


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("form", ["gpt2", "modern"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_first_loss_is_near_the_logarithm_of_the_vocabulary(form, shape, tied):
    config = replace(shape, form=form, tied=tied)
    torch.manual_seed(1)
    ids = core.random_ids(config, 2, config.context_length + 1)
    with torch.no_grad():
        loss = cross_entropy(Transformer(config)(ids[:, :-1]), ids[:, 1:]).item()
    assert abs(loss - math.log(config.vocab_size)) < 0.2


def test_named_sizes_have_the_parameters_that_are_counted_by_hand_and_published():
    for name in ("nano", "micro", "mini", "small"):
        assert n_parameters(Transformer(SIZES[name])) == counted_by_hand(SIZES[name]).total
    # GPT-2 small's weights, as its released file has them
    with torch.device("meta"):
        assert sum({p: p.numel() for p in Transformer(SIZES["gpt2"]).parameters()}.values()) == 124_439_808


def test_tied_tables_are_one_and_are_counted_once():
    tied = Transformer(replace(core.MODERN, tied=True))
    assert tied.head.weight is tied.token_embedding.weight
    difference = n_parameters(Transformer(core.MODERN)) - n_parameters(tied)
    assert difference == core.MODERN.vocab_size * core.MODERN.d_model


@each_form
def test_every_parameter_receives_a_gradient(config):
    model, ids = core.awake(config), core.random_ids(config, 2, 16)
    cross_entropy(model(ids), ids.roll(-1, 1)).backward()
    for name, parameter in model.named_parameters():
        # a bias on all keys moves all scores of a query alike, which softmax does not see
        dead = name.endswith("key.bias")
        assert (parameter.grad.abs().max() > 1e-6) != dead, name


@each_form
def test_more_tokens_than_the_context_are_refused(config):
    model = core.awake(config)
    with pytest.raises(ConfigError, match="17 tokens do not fit into a context of 16"):
        model(core.random_ids(config, 1, 17))
    cache = model.new_cache()
    model(core.random_ids(config, 1, 16), cache)
    with pytest.raises(ConfigError, match="17 tokens"):
        model(core.random_ids(config, 1, 1), cache)
