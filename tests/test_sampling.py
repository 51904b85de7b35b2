"""Sampling: probabilities by hand, greedy as a special case, the cache, seeds, and what is refused."""

import core
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minillm.config import ModelConfig
from minillm.errors import ConfigError
from minillm.sampling import generate, generate_ids, probabilities
from minillm.tokenizer import course_tokenizer

LOGITS = torch.log(torch.tensor([0.1, 0.4, 0.2, 0.3]))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-30, 30), min_size=1, max_size=12),
    st.one_of(st.just(0.0), st.floats(1e-6, 100)),
    st.one_of(st.none(), st.integers(1, 15)),
    st.floats(0.001, 1),
)
def test_probabilities_sum_to_one_and_keep_the_likeliest_token(logits, temperature, top_k, top_p):
    p = probabilities(torch.tensor(logits), temperature, top_k, top_p)
    assert p.sum().item() == pytest.approx(1, abs=1e-5)
    assert p.min() >= 0 and p[torch.tensor(logits).argmax()] > 0
    assert top_k is None or (p > 0).sum() <= top_k


def test_temperature_by_hand():
    # temperature 1/2 squares probabilities: 1, 16, 4, 9 of 30
    assert probabilities(LOGITS, 0.5).tolist() == pytest.approx([1 / 30, 16 / 30, 4 / 30, 9 / 30], rel=1e-5)
    assert probabilities(LOGITS, 1.0).tolist() == pytest.approx([0.1, 0.4, 0.2, 0.3], rel=1e-5)
    assert probabilities(LOGITS, 0).tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("temperature", [1e-30, 1e-45])
def test_a_tiny_temperature_is_nearly_zero_and_not_an_overflow(temperature):
    assert probabilities(LOGITS, temperature).tolist() == pytest.approx([0, 1, 0, 0])


def test_top_p_by_hand():
    # in order 0.4, 0.3, 0.2, 0.1: 0.6 needs the first two, which become 4/7 and 3/7
    assert probabilities(LOGITS, top_p=0.6).tolist() == pytest.approx([0, 4 / 7, 0, 3 / 7], rel=1e-5)
    assert probabilities(LOGITS, top_p=0.75).tolist() == pytest.approx([0, 4 / 9, 2 / 9, 3 / 9], rel=1e-5)
    assert probabilities(LOGITS, top_p=0.01).tolist() == [0, 1, 0, 0]


def test_top_k_by_hand():
    assert probabilities(LOGITS, top_k=2).tolist() == pytest.approx([0, 4 / 7, 0, 3 / 7], rel=1e-5)
    assert probabilities(LOGITS, top_k=1).tolist() == [0, 1, 0, 0]
    assert probabilities(LOGITS, top_k=99).tolist() == pytest.approx([0.1, 0.4, 0.2, 0.3], rel=1e-5)


def greedy_without_cache(model, ids, n):
    """Take the likeliest token again and again, the whole text read anew each time."""
    ids = list(ids)
    for _ in range(n):
        ids.append(model(torch.tensor([ids]))[0, -1].argmax().item())
    return ids[-n:]


@pytest.mark.parametrize("config", core.FORMS.values(), ids=core.FORMS)
@pytest.mark.parametrize("how", [{"temperature": 0}, {"top_k": 1}, {"top_p": 1e-6}], ids=str)
def test_greedy_with_a_cache_equals_reading_everything_anew(config, how):
    model = core.awake(config)
    expected = greedy_without_cache(model, [5, 9, 2], 13)
    assert list(generate_ids(model, [5, 9, 2], 13, seed=3, **how)) == expected
    assert len(set(expected)) > 1


def test_past_the_context_it_goes_on_with_the_newest_half():
    model = core.awake(core.MODERN)  # context 16
    drawn = list(generate_ids(model, [1, 2, 3], 40, temperature=0))
    assert len(drawn) == 40
    # the 14th new token would be read as the 17th: from there on the last 8 are read anew
    seen = [1, 2, 3, *drawn]
    assert drawn[:14] == greedy_without_cache(model, seen[:3], 14)
    assert drawn[14:23] == greedy_without_cache(model, seen[17 - 8 : 17], 9)


def test_a_prompt_that_fills_the_context_and_a_context_of_one():
    model = core.awake(core.MODERN)
    assert len(list(generate_ids(model, list(range(16)), 3))) == 3
    one = core.awake(ModelConfig(n_layers=1, d_model=8, n_heads=1, vocab_size=7, context_length=1))
    assert len(list(generate_ids(one, [3], 4))) == 4


def test_a_forbidden_token_is_never_drawn_not_even_when_it_is_the_likeliest():
    model = core.awake(core.MODERN)
    (likeliest,) = generate_ids(model, [4], 1, temperature=0)
    for how in ({"temperature": 0}, {"temperature": 100.0}, {"top_k": 1}):
        assert likeliest not in list(generate_ids(model, [4], 300, forbidden=(likeliest,), **how))


def test_a_seed_means_the_same_text_whatever_the_global_state():
    model = core.awake(core.MODERN)
    torch.manual_seed(1)
    first = list(generate_ids(model, [4], 30, temperature=2.0, seed=7))
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert list(generate_ids(model, [4], 30, temperature=2.0, seed=7)) == first
    assert torch.equal(torch.get_rng_state(), state)
    assert list(generate_ids(model, [4], 30, temperature=2.0, seed=8)) != first


def test_tokens_are_drawn_as_often_as_their_probability_says():
    model = core.awake(core.MODERN)
    with torch.no_grad():
        expected = probabilities(model(torch.tensor([[4]]))[0, -1], 3.0)
    counts = torch.zeros(61)
    for seed in range(600):
        counts[next(iter(generate_ids(model, [4], 1, temperature=3.0, seed=seed)))] += 1
    errors = (counts / 600 - expected).abs() / (expected * (1 - expected) / 600).sqrt()
    assert errors.max() < 5  # in standard errors


def test_the_model_goes_back_to_training_also_when_sampling_is_broken_off():
    model = core.awake(core.MODERN).train()
    drawn = generate_ids(model, [4], 10)
    next(drawn)
    assert not model.training
    drawn.close()
    assert model.training


def test_text_in_text_out():
    tokenizer = course_tokenizer()
    model = core.awake(ModelConfig(n_layers=1, d_model=32, n_heads=2, vocab_size=tokenizer.vocab_size))
    text = generate(model, tokenizer, "The river", 20, seed=1)
    assert text == generate(model, tokenizer, "The river", 20, seed=1) and not text.startswith("The river")
    assert "<|endoftext|>" not in generate(model, tokenizer, "The river", 300, temperature=100.0)


BAD = {
    "temperature": ({"temperature": -0.1}, "temperature is -0.1"),
    "hot": ({"temperature": 101.0}, "temperature is 101"),
    "nan": ({"temperature": float("nan")}, "temperature is nan"),
    "top_k": ({"top_k": 0}, "top_k is 0"),
    "top_p 0": ({"top_p": 0.0}, "top_p is 0"),
    "top_p": ({"top_p": 1.2}, "top_p is 1.2"),
    "top_p nan": ({"top_p": float("nan")}, "top_p is nan"),
    "seed": ({"seed": 2**64}, "seed is 18446744073709551616"),
    "negative seed": ({"seed": -1}, "seed is -1"),
    "tokens": ({"max_tokens": 0}, "0 tokens were asked for"),
    "empty": ({"prompt": ""}, "prompt is empty"),
    "long": ({"prompt": "river " * 200}, "The prompt has .* tokens and the model sees"),
}


@pytest.mark.parametrize("change, cause", BAD.values(), ids=BAD)
def test_what_cannot_be_sampled_is_refused(change, cause):
    tokenizer = course_tokenizer()
    model = core.awake(ModelConfig(n_layers=1, d_model=32, n_heads=2, vocab_size=tokenizer.vocab_size))
    with pytest.raises(ConfigError, match=cause):
        generate(model, tokenizer, **{"prompt": "The river", "max_tokens": 5, **change})


def test_no_ids_are_nothing_to_continue():
    with pytest.raises(ConfigError, match="nothing to continue"):
        next(generate_ids(core.awake(core.MODERN), [], 5))
