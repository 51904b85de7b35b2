"""The FLOP and parameter formulas against torch's counter, real models and arithmetic by hand."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from minillm.config import SIZES, ModelConfig
from minillm.cost import (
    count_parameters,
    flops_per_token,
    forward_flops_per_token,
    six_n_d,
    training_flops,
)
from minillm.errors import ConfigError
from minillm.model import Transformer

MODERN = ModelConfig(n_layers=2, d_model=24, n_heads=3, vocab_size=50, context_length=16)
SHAPES = {
    "modern": MODERN,
    "modern, grouped": replace(MODERN, n_kv_heads=1, d_hidden=40),
    "modern, no query-key norm": replace(MODERN, qk_norm=False),
    "modern, tied": replace(MODERN, tied=True),
    "gpt2": ModelConfig(n_layers=3, d_model=24, n_heads=3, vocab_size=50, context_length=16, form="gpt2"),
    "gpt2, untied": ModelConfig(
        n_layers=1,
        d_model=16,
        n_heads=1,
        vocab_size=30,
        context_length=8,
        form="gpt2",
        tied=False,
        d_hidden=40,
    ),
}
each_shape = pytest.mark.parametrize("config", SHAPES.values(), ids=SHAPES.keys())


def measured_flops(config: ModelConfig, length: int, backward: bool) -> int:
    model = Transformer(config)
    ids = torch.randint(config.vocab_size, (2, length))
    # the plain form of attention: on a CPU the counter sees nothing of the fused one
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        logits = model(ids)
        if backward:
            logits.sum().backward()
    return counter.get_total_flops()


@each_shape
def test_parameters_equal_those_of_the_real_model(config):
    model = Transformer(config)
    count = count_parameters(config)
    assert count.total == sum(parameter.numel() for parameter in model.parameters())
    embedding = model.token_embedding.weight.numel()
    if config.form == "gpt2":
        embedding += model.position_embedding.weight.numel()
    assert count.embedding == embedding
    assert count.non_embedding == count.total - embedding


def test_parameters_of_published_models():
    # GPT-2 as released (Hugging Face counts the same), and Llama 2 7B's model card
    assert count_parameters(SIZES["gpt2"]).total == 124_439_808
    assert count_parameters(SIZES["gpt2-xl"]).total == 1_557_611_200
    llama_2_7b = ModelConfig(
        n_layers=32,
        d_model=4096,
        n_heads=32,
        vocab_size=32_000,
        context_length=4096,
        d_hidden=11_008,
        qk_norm=False,
    )
    assert count_parameters(llama_2_7b).total == 6_738_415_616


@each_shape
@pytest.mark.parametrize("length", [1, 5, 8])
def test_flops_equal_torchs_counter(config, length):
    tokens = 2 * length
    assert measured_flops(config, length, backward=False) == tokens * forward_flops_per_token(
        config, length, causal=False
    )
    assert measured_flops(config, length, backward=True) == tokens * flops_per_token(config, length, causal=False)


def test_flops_by_hand():
    # d_model 4, 2 heads of 2, 1 key-value head, feed-forward 6, 10 tokens, 3 of context
    config = ModelConfig(n_layers=2, d_model=4, n_heads=2, n_kv_heads=1, d_hidden=6, vocab_size=10, context_length=3)
    matrices = 4 * 4 + 4 * 2 + 4 * 2 + 4 * 4 + 3 * 4 * 6  # query, key, value, output, SwiGLU = 120
    head = 4 * 10
    # the three tokens look at 1, 2 and 3 tokens, 6 in all; each costs 2 * 4 for the score and 2 * 4 for the mix
    by_hand = 3 * 2 * (2 * matrices + head) + 2 * 6 * (8 + 8)
    assert 3 * forward_flops_per_token(config) == by_hand == 1872
    assert training_flops(config, tokens=3) == 3 * by_hand
    assert training_flops(config, tokens=3, causal=False) == 3 * (by_hand + 2 * 3 * (8 + 8))


def test_a_token_alone_needs_no_halving():
    config = SHAPES["modern"]
    assert flops_per_token(config, 1) == flops_per_token(config, 1, causal=False)


def test_six_n_d_is_near_for_a_large_model_and_off_for_a_small_one():
    # the scores of attention, which 6ND leaves out, add some percent: Chinchilla's table A4 finds 3 to 10
    config = SIZES["gpt2-xl"]
    ratio = training_flops(config, 1e9) / six_n_d(count_parameters(config).total, 1e9)
    assert 1.0 < ratio < 1.1
    # here a quarter of all parameters are embeddings, which are looked up and not multiplied
    small = SIZES["micro"]
    assert training_flops(small, 1.0) < 0.8 * six_n_d(count_parameters(small).total, 1.0)


def test_impossible_questions_are_named():
    with pytest.raises(ConfigError, match="context of 0"):
        flops_per_token(SHAPES["gpt2"], 0)
    with pytest.raises(ConfigError, match="-1 tokens"):
        training_flops(SHAPES["gpt2"], -1)


def test_cost_and_facts_load_without_torch():
    code = (
        "import sys; sys.modules['torch'] = None; import minillm.facts; minillm.facts.runs();"
        "from minillm.cost import request, tables; tables.audit_table();"  # these two import all the others
        "print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
