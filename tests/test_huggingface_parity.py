"""The same weights give the same logits here and in transformers, which implements the two forms independently."""

from dataclasses import replace

import core
import pytest
import torch
import transformers
from torch import Tensor

from minillm.config import ModelConfig
from minillm.model import Transformer

MODERN = ModelConfig(n_layers=3, d_model=48, n_heads=6, vocab_size=97, context_length=24, d_hidden=80)
GPT2 = ModelConfig(n_layers=3, d_model=48, n_heads=4, vocab_size=97, context_length=24, form="gpt2", norm_eps=1e-5)


def to_gpt2(model: Transformer) -> dict[str, Tensor]:
    """Return a gpt2-form model's weights under the names of GPT2LMHeadModel, whose matrices are [in, out]."""
    w = model.state_dict()
    out = {
        "transformer.wte.weight": w["token_embedding.weight"],
        "transformer.wpe.weight": w["position_embedding.weight"],
        "lm_head.weight": w["head.weight"],
    }
    for kind in ("weight", "bias"):
        out[f"transformer.ln_f.{kind}"] = w[f"final_norm.{kind}"]
        for i in range(model.config.n_layers):
            ours, theirs = f"blocks.{i}", f"transformer.h.{i}"
            qkv = [w[f"{ours}.attention.{part}.{kind}"] for part in ("query", "key", "value")]
            out[f"{theirs}.ln_1.{kind}"] = w[f"{ours}.attention_norm.{kind}"]
            out[f"{theirs}.ln_2.{kind}"] = w[f"{ours}.feed_forward_norm.{kind}"]
            out[f"{theirs}.attn.c_attn.{kind}"] = torch.cat(qkv)
            out[f"{theirs}.attn.c_proj.{kind}"] = w[f"{ours}.attention.output.{kind}"]
            out[f"{theirs}.mlp.c_fc.{kind}"] = w[f"{ours}.feed_forward.up.{kind}"]
            out[f"{theirs}.mlp.c_proj.{kind}"] = w[f"{ours}.feed_forward.down.{kind}"]
    turned = (".c_attn.weight", ".c_proj.weight", ".c_fc.weight")
    return {name: tensor.T if name.endswith(turned) else tensor for name, tensor in out.items()}


def to_llama(model: Transformer) -> dict[str, Tensor]:
    """Return a modern-form model's weights under the names that Llama and Qwen3 share."""
    names = {
        "token_embedding": "model.embed_tokens",
        "final_norm": "model.norm",
        "head": "lm_head",
        "attention_norm": "input_layernorm",
        "feed_forward_norm": "post_attention_layernorm",
        "attention.query": "self_attn.q_proj",
        "attention.key": "self_attn.k_proj",
        "attention.value": "self_attn.v_proj",
        "attention.output": "self_attn.o_proj",
        "attention.query_norm": "self_attn.q_norm",
        "attention.key_norm": "self_attn.k_norm",
        "feed_forward.gate": "mlp.gate_proj",
        "feed_forward.up": "mlp.up_proj",
        "feed_forward.down": "mlp.down_proj",
    }
    out = {}
    for name, tensor in model.state_dict().items():
        name = name.removesuffix(".weight")
        if name.startswith("blocks."):
            _, index, part = name.split(".", 2)
            out[f"model.layers.{index}.{names[part]}.weight"] = tensor
        else:
            out[f"{names[name]}.weight"] = tensor
    return out


def logits_there(model: torch.nn.Module, weights: dict[str, Tensor], ids: Tensor) -> Tensor:
    """Load the weights, all of them and no others, and return the logits."""
    missing, unexpected = model.load_state_dict(weights, strict=False)
    buffers = (".attn.bias", ".attn.masked_bias", "rotary_emb.inv_freq")
    assert [name for name in missing if not name.endswith(buffers)] == [] and unexpected == []
    with torch.no_grad():
        return model.eval()(ids).logits


def settings_there(config: ModelConfig) -> dict:
    """Return the shape in the words that Llama and Qwen3 share."""
    return {
        "vocab_size": config.vocab_size,
        "hidden_size": config.d_model,
        "intermediate_size": config.hidden_width,
        "num_hidden_layers": config.n_layers,
        "num_attention_heads": config.n_heads,
        "num_key_value_heads": config.kv_heads,
        "head_dim": config.d_head,
        "max_position_embeddings": config.context_length,
        "rms_norm_eps": config.norm_eps,
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_base},
        "rope_theta": config.rope_base,  # the name before transformers 5
        "tie_word_embeddings": config.ties_head,
    }


def assert_same(ours: Transformer, theirs: Tensor, ids: Tensor) -> None:
    """Compare logits that are themselves of order one to within 1e-5, in 32 bits."""
    with torch.no_grad():
        logits = ours(ids)
    assert logits.std() > 0.5
    torch.testing.assert_close(logits, theirs, rtol=1e-5, atol=1e-5)


def model_and_ids(config: ModelConfig) -> tuple[Transformer, Tensor]:
    """Return a model with random weights, logits of order one, and two sequences that fill the context."""
    model = core.awake(config, seed=3)
    with torch.no_grad():
        model.head.weight.mul_(0.5)
    return model, core.random_ids(config, 2, config.context_length)


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_the_gpt2_form_is_that_of_gpt2(tied):
    config = replace(GPT2, tied=tied)
    model, ids = model_and_ids(config)
    there = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=config.vocab_size,
            n_positions=config.context_length,
            n_embd=config.d_model,
            n_layer=config.n_layers,
            n_head=config.n_heads,
            n_inner=config.hidden_width,
            layer_norm_epsilon=config.norm_eps,
            tie_word_embeddings=tied,
            bos_token_id=0,
            eos_token_id=0,
        )
    )
    assert_same(model, logits_there(there, to_gpt2(model), ids), ids)


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("n_kv_heads", [6, 2, 1])
@pytest.mark.parametrize("rope_base", [10_000.0, 500.0])
def test_the_modern_form_is_that_of_qwen3(n_kv_heads, tied, rope_base):
    config = replace(MODERN, n_kv_heads=n_kv_heads, tied=tied, rope_base=rope_base)
    model, ids = model_and_ids(config)
    there = transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**settings_there(config)))
    assert_same(model, logits_there(there, to_llama(model), ids), ids)


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("n_kv_heads", [6, 3])
def test_without_qk_norm_it_is_that_of_llama(n_kv_heads, tied):
    config = replace(MODERN, n_kv_heads=n_kv_heads, tied=tied, qk_norm=False)
    model, ids = model_and_ids(config)
    there = transformers.LlamaForCausalLM(transformers.LlamaConfig(**settings_there(config)))
    assert_same(model, logits_there(there, to_llama(model), ids), ids)
