"""Parameters and operations of any shape: published totals, other people's models, torch's counter, hand counts."""

from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModelForCausalLM

from minillm.config import SIZES, ModelConfig
from minillm.cost import count_parameters, flops_per_token, forward_flops_per_token
from minillm.cost.flops import flops_of, run_flops, tokens_seen
from minillm.cost.shapes import check_shape, count_shape, named_shape, shape_of, with_context
from minillm.errors import ConfigError
from minillm.facts import Shape, shapes

TINY = Shape("tiny", 3, 32, 4, 2, 8, d_hidden=48, vocab_size=64, context_length=16)
BASE = {"vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4}
EXPERTS = {"n_experts": 8, "n_experts_active": 2, "d_expert": 12}
DEEPSEEK = {
    "intermediate_size": 48,
    "moe_intermediate_size": 12,
    "n_routed_experts": 8,
    "num_experts_per_tok": 2,
    "n_shared_experts": 1,
    "first_k_dense_replace": 1,
    "q_lora_rank": 10,
    "kv_lora_rank": 8,
    "qk_rope_head_dim": 4,
    "qk_nope_head_dim": 6,
    "v_head_dim": 5,
    "n_group": 2,
    "topk_group": 1,
}
LATENT = {"d_head": 6, "n_kv_heads": 4, "q_rank": 10, "kv_rank": 8, "d_rope": 4, "d_value": 5}
# model of transformers, its settings, our shape, parameters that we leave out (norms of queries, keys, embeddings)
OTHERS = {
    "latent attention and experts": (
        "deepseek_v3",
        {**DEEPSEEK, "num_key_value_heads": 4},
        replace(TINY, **LATENT, **EXPERTS, n_experts_shared=1, n_dense_layers=1),
        0,
    ),
    "experts, tied": (
        "qwen3_moe",
        {
            "num_key_value_heads": 2,
            "head_dim": 8,
            "moe_intermediate_size": 12,
            "num_experts": 8,
            "num_experts_per_tok": 2,
            "tie_word_embeddings": True,
        },
        replace(TINY, **EXPERTS, tied=True),
        3 * 2 * 8,
    ),
    "experts": (
        "mixtral",
        {"num_key_value_heads": 2, "intermediate_size": 48, "num_local_experts": 4, "num_experts_per_tok": 2},
        replace(TINY, n_experts=4, n_experts_active=2, d_expert=48),
        0,
    ),
    "grouped, gated, heads wider than the model": (
        "gemma2",
        {"num_key_value_heads": 2, "head_dim": 16, "intermediate_size": 48},
        replace(TINY, d_head=16, tied=True),
        3 * 2 * 32,
    ),
    "biases, untied": (
        "gpt_neox",
        {"intermediate_size": 128},
        replace(TINY, n_kv_heads=4, d_hidden=128, gated=False, norm="layer", biases=True),
        0,
    ),
    "alibi": (
        "bloom",
        {"n_layer": 3, "n_head": 4},
        replace(TINY, n_kv_heads=4, d_hidden=128, gated=False, norm="layer", biases=True, tied=True, positions="alibi"),
        2 * 32,
    ),
}


@pytest.mark.parametrize(("kind", "settings", "shape", "left_out"), OTHERS.values(), ids=OTHERS.keys())
def test_parameters_and_operations_equal_those_of_other_implementations(kind, settings, shape, left_out):
    config = AutoConfig.for_model(kind, **BASE, **settings)
    config._experts_implementation = "eager"  # one product an expert, which the counter sees
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    assert sum(parameter.numel() for parameter in model.parameters()) == count_shape(shape).total + left_out
    ids = torch.randint(64, (1, shape.context_length))
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(ids, use_cache=False)
    assert counter.get_total_flops() == shape.context_length * flops_of(shape, causal=False).forward


CONFIGS = {
    "modern": ModelConfig(n_layers=2, d_model=24, n_heads=3, vocab_size=50, context_length=16, qk_norm=False),
    "grouped": ModelConfig(n_layers=2, d_model=24, n_heads=4, n_kv_heads=2, d_hidden=40, qk_norm=False, tied=True),
    "gpt2": SIZES["gpt2"],
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_the_two_counts_of_this_package_agree(config):
    shape, parts = shape_of(config), count_parameters(config)
    count = count_shape(shape)
    assert (count.total, count.embedding, count.head) == (parts.total, parts.embedding, parts.head)
    for causal in (True, False):
        assert flops_of(shape, causal).forward == forward_flops_per_token(config, causal=causal)
        assert flops_of(shape, causal).model == flops_per_token(config, causal=causal)


@pytest.mark.parametrize("shape", shapes(), ids=lambda shape: shape.name)
def test_the_count_is_within_one_percent_of_the_published_total(shape):
    count = count_shape(shape)
    if shape.parameters_total is None:
        assert shape.quality == "computed here" and "total" in shape.source
    else:
        assert count.total == pytest.approx(shape.parameters_total, rel=0.01)
    if shape.n_experts and shape.parameters_active:
        assert count.active == pytest.approx(shape.parameters_active, rel=0.02)
    if not shape.n_experts:
        assert count.active == count.total


def test_at_least_twenty_shapes_and_the_special_ones_among_them():
    assert len(shapes()) >= 20
    deepseek = named_shape("DeepSeek-V3")
    assert deepseek.kv_rank and deepseek.n_experts
    assert {shape.positions for shape in shapes()} == {"rotary", "learned", "relative", "alibi"}
    assert any(shape.n_window_layers for shape in shapes())


def test_gpt2_part_by_part():
    count = count_shape(named_shape("GPT-2 124M"))
    assert count.embedding == 50257 * 768 + 1024 * 768
    attention = 4 * 768 * 768 + 4 * 768  # query, key, value, output, and their biases
    feed_forward = 2 * 768 * 3072 + 3072 + 768
    assert (count.attention, count.feed_forward) == (12 * attention, 12 * feed_forward)
    assert count.norms == 25 * 2 * 768 and count.head == 0
    assert count.total == 124_439_808


def test_deepseek_v3_by_hand():
    count = count_shape(named_shape("DeepSeek-V3"))
    query = 7168 * 1536 + 1536 * 128 * (128 + 64)
    keys_and_values = 7168 * (512 + 64) + 512 * 128 * (128 + 128)
    output = 128 * 128 * 7168
    assert count.attention == 61 * (query + keys_and_values + output + 1536 + 512)  # and the norms of the latents
    expert = 3 * 7168 * 2048
    assert count.feed_forward == 3 * 3 * 7168 * 18432 + 58 * (257 * expert + 256 * 7168)
    assert count.idle == 58 * 248 * expert
    assert count.head == 129280 * 7168 == count.embedding
    # README_WEIGHTS of the model: 671B in all; 36.7B active with one of the two embeddings, 37B in the report
    assert count.total / 1e9 == pytest.approx(671.0, abs=0.1)
    assert (count.active - count.embedding) / 1e9 == pytest.approx(36.6, abs=0.1)


def test_tokens_seen_by_hand():
    assert tokens_seen(4) == (1 + 2 + 3 + 4) / 4  # causal: half and a half of one
    assert tokens_seen(4, causal=False) == 4
    # a window of 2 in sequences of 5: 1, 2, 2, 2, 2
    assert tokens_seen(5, window=2) == 9 / 5
    assert tokens_seen(5, window=2, causal=False) == 2
    assert tokens_seen(5, window=9) == tokens_seen(5) == 3


@pytest.mark.parametrize(("length", "window"), [(1, 1), (7, 3), (16, 5), (16, 16)])
def test_a_window_against_a_mask(length, window):
    row, column = torch.arange(length)[:, None], torch.arange(length)[None, :]
    mask = (column <= row) & (column > row - window)
    assert tokens_seen(length, window) == pytest.approx(mask.sum().item() / length)


def test_halving_and_window_in_a_whole_model_by_hand():
    shape = replace(TINY, window=4, n_window_layers=2)
    full, causal = flops_of(TINY, causal=False), flops_of(shape)
    assert causal.attention_matrices == full.attention_matrices and causal.head == full.head
    # each of 4 heads of 8: 2 * 8 for a score, 2 * 8 for its share of a value, for each token looked at
    per_token_seen = 4 * (2 * 8 + 2 * 8)
    assert full.attention_scores == 3 * per_token_seen * 16
    window = (1 + 2 + 3 + 4 * 13) / 16
    assert causal.attention_scores == pytest.approx(per_token_seen * (17 / 2 + 2 * window))


def test_windows_and_experts_cost_less_and_more_of_anything_costs_more():
    total = flops_of(TINY).model
    assert flops_of(replace(TINY, window=4, n_window_layers=3)).model < total
    for change in ({"n_layers": 4}, {"d_hidden": 49}, {"vocab_size": 65}, {"context_length": 17}, {"d_head": 9}):
        assert flops_of(replace(TINY, **change)).model > total
    sparse = replace(TINY, **EXPERTS)
    assert flops_of(replace(sparse, n_experts=16)).feed_forward == pytest.approx(
        flops_of(sparse).feed_forward + 2 * 3 * 32 * 8  # the router alone has grown
    )
    assert flops_of(replace(sparse, n_experts_active=3)).feed_forward > flops_of(sparse).feed_forward


def test_recomputation_is_hardware_and_not_model():
    flops = flops_of(TINY)
    assert flops.hardware("none") == flops.model == 3 * flops.forward
    assert flops.hardware("selective") == flops.model + flops.attention_scores
    assert flops.hardware("full") == 4 * flops.forward - flops.head
    with pytest.raises(ConfigError, match="recompute 'twice'"):
        flops.hardware("twice")


def test_published_operations():
    # GPT-3, table D.1: 6 for each parameter and token
    gpt3 = named_shape("GPT-3 175B")
    assert run_flops(gpt3, 300e9, "6nd") == pytest.approx(3.14e23, rel=0.002)
    # OPT: all layers a second time, attention over the whole square
    assert run_flops(named_shape("OPT-175B"), 300e9, "hardware") == pytest.approx(4.30e23, rel=0.002)
    # PaLM: attention over the whole square
    assert run_flops(named_shape("PaLM 540B"), 780e9, "full") == pytest.approx(2.56e24, rel=0.002)
    # nanochat: windows in three layers of four
    assert run_flops(named_shape("nanochat d24"), 8_757_706_752, "full") == pytest.approx(4.33078e19, rel=1e-4)
    assert run_flops(gpt3, 300e9) / run_flops(gpt3, 300e9, "6nd") == pytest.approx(1.014, abs=0.001)
    with pytest.raises(ConfigError, match="counting '7nd' is unknown"):
        run_flops(gpt3, 300e9, "7nd")


BAD = {
    "layers": ({"n_layers": 0}, "n_layers is 0"),
    "width": ({"d_model": -8}, "d_model is -8"),
    "groups": ({"n_kv_heads": 3}, "n_kv_heads 3 does not divide"),
    "positions": ({"positions": "absolute"}, "positions 'absolute'"),
    "norm": ({"norm": "batch"}, "norm 'batch'"),
    "experts": ({**EXPERTS, "n_experts_active": 9}, "n_experts_active is 9"),
    "expert width": ({**EXPERTS, "d_expert": 0}, "d_expert is 0"),
    "window": ({"n_window_layers": 2}, "window is 0"),
    "window layers": ({"window": 4, "n_window_layers": 4}, "n_window_layers is 4"),
    "value": ({"kv_rank": 8}, "d_value is 0"),
}


@pytest.mark.parametrize(("change", "words"), BAD.values(), ids=BAD.keys())
def test_impossible_shapes_are_named(change, words):
    with pytest.raises(ConfigError, match=words):
        check_shape(replace(TINY, **change))


def test_unknown_shapes_and_contexts_are_named():
    with pytest.raises(ConfigError, match=r"no 'DeepSeekV9'.*\nDid you mean 'DeepSeek-V[23]'"):
        named_shape("DeepSeekV9")
    with pytest.raises(ConfigError, match="context_length is 0"):
        with_context(TINY, 0)
