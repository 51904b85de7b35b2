"""The words of the command line: what is named is found, what says nothing or cannot be is refused, never ignored."""

import pytest

from minillm import cli
from minillm.cost.estimate import estimate_named, estimate_run, estimate_shape
from minillm.cost.numbers import Interval, parse_interval, parse_number, parse_share
from minillm.cost.request import make_estimate
from minillm.cost.tables import estimate_dict, estimate_table
from minillm.errors import ConfigError
from minillm.facts import find, runs

# numbers


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("38%", 0.38, 0.38),
        ("0.3-0.5", 0.3, 0.5),
        ("0.3\u20130.5", 0.3, 0.5),
        ("0.3 to 0.5", 0.3, 0.5),
        ("30-50%", 0.3, 0.5),
        ("30% to 50%", 0.3, 0.5),
        ("100%", 1, 1),
        (0.4, 0.4, 0.4),
    ],
)
def test_shares_as_learners_write_them(text, low, high):
    assert parse_share(text, "utilisation") == Interval(low, high)


@pytest.mark.parametrize("text", ["138%", "1.01", "50-101%", "0%", "0", "-5%", "nan%"])
def test_a_share_beyond_the_whole_is_named(text):
    with pytest.raises(ConfigError, match=r"^utilisation is "):
        parse_share(text, "utilisation")


@pytest.mark.parametrize(
    ("option", "text", "remedy"),
    [
        ("utilisation", "a lot", "Write it as 0.38, 38% or 0.3-0.5."),
        ("goodput", "0.9-0.95-1", "Write it as 0.38, 38% or 0.3-0.5."),
        ("price", "$2", "Write it as 2.5 or 2-3."),
        ("price", "20%", "Write it as 2.5 or 2-3."),
        ("pue", "low", "Write it as 1.1 or 1.08-1.2."),
        ("carbon", "clean", "Write it as 0.4 or 0.06-0.43."),
        ("devices", "1,000", "Write it as 8 or 1024, without commas."),
        ("tokens", "1,000", "Write it as 7e9, 7B or 7000000000, without commas."),
    ],
)
def test_remedies_suit_what_is_asked(option, text, remedy):
    with pytest.raises(ConfigError) as raised:
        make_estimate(**{"params": "7B", "tokens": "1T", option: text})
    assert text in raised.value.cause and raised.value.remedy == remedy


@pytest.mark.parametrize("text", ["\uff17", "\uff17\uff45\uff19", "\u0667", "7\u0660B"])
def test_digits_are_those_of_one_script(text):
    with pytest.raises(ConfigError, match="which is no number"):
        parse_number(text, "params")


def test_an_owned_machine_and_clean_power_cost_nothing():
    bill = make_estimate(params="7B", tokens="1T", price="0", carbon="0-0.1").bill
    assert bill.cost_usd == Interval(0, 0) and bill.co2e_tonnes.low == 0 < bill.co2e_tonnes.high
    for option in ("utilisation", "pue", "tokens", "devices"):
        with pytest.raises(ConfigError, match=rf"^{option} is 0"):
            make_estimate(**{"params": "7B", "tokens": "1T", option: "0"})
    with pytest.raises(ConfigError, match="x is 0"):
        parse_interval("0", "x")


# a shape's sizes


@pytest.mark.parametrize("option", ["kv_heads", "hidden", "vocab", "window", "window_layers", "tied", "ungated"])
@pytest.mark.parametrize("named", [{"name": "Llama-2 7B"}, {"shape": "Llama-2 7B"}, {"params": "7B", "tokens": "1T"}])
def test_sizes_without_a_shape_by_hand_are_refused(option, named):
    value = True if option in ("tied", "ungated") else "junk"
    with pytest.raises(ConfigError, match=f"^--{option.replace('_', '-')} is given without --layers"):
        make_estimate(**named, **{option: value})


def test_several_of_them_are_named_together():
    with pytest.raises(ConfigError, match=r"^--hidden and --tied are given without --layers"):
        make_estimate(run="Llama-2 7B", hidden="64", tied=True)


# another context


@pytest.mark.parametrize("word", ["name", "run"])
def test_a_run_in_another_context_is_still_the_run(word):
    short, own = make_estimate(**{word: "Llama-2 7B"}, context="512"), estimate_run("Llama-2 7B")
    assert (short.kind, short.tokens, short.options.job) == ("run", own.tokens, "cluster")
    assert (short.shape.context_length, own.shape.context_length) == (512, 4096)
    # 4 d_model for each of (T + 1) / 2 tokens in each of 32 layers, three times: all that differs
    fewer = 3 * 32 * 4 * 4096 * (4096 - 512) / 2
    assert own.flops_per_token.model - short.flops_per_token.model == fewer
    assert short.bill.accelerator_hours.low < own.bill.accelerator_hours.low
    # the published hours are those of another job
    assert own.hours_inside is not None and short.hours_inside is None


@pytest.mark.parametrize(
    ("name", "kind", "own"), [("nano", "shape", 64), ("gpt2-xl", "shape", 1024), ("Mixtral 8x7B", "shape", 32_768)]
)
def test_sizes_and_shapes_are_found_with_a_context_too(name, kind, own):
    estimate = make_estimate(name=name, context="32")
    assert (estimate.kind, estimate.shape.context_length) == (kind, 32)
    assert estimate_named(name).shape.context_length == own


def test_a_changed_context_is_said():
    changed = make_estimate(shape="GPT-2 124M", context="512")
    assert "512, not its own 1,024" in estimate_table(changed)
    assert estimate_dict(changed)["context_changed_from"] == 1024
    # learned positions are parameters
    own = estimate_shape("GPT-2 124M")
    assert own.parameters_total - changed.parameters_total == 512 * 768
    same = make_estimate(shape="GPT-2 124M", context="1024")
    for estimate in (own, same):
        assert "its own" not in estimate_table(estimate)
        assert estimate_dict(estimate)["context_changed_from"] is None


@pytest.mark.parametrize("asked", [{"run": "Llama-4 Scout"}, {"params": "7B", "tokens": "1T"}])
def test_a_context_needs_a_shape(asked):
    assert find(runs(), "Llama-4 Scout").shape == ""
    with pytest.raises(ConfigError, match="--context is given without a shape"):
        make_estimate(**asked, context="512")


# nothing is no answer


@pytest.mark.parametrize(
    "option",
    ["job", "accelerator", "recompute", "tokens", "context", "price", "devices", "year", "tensor_parallel", "goodput"],
)
def test_an_empty_word_is_refused(option):
    with pytest.raises(ConfigError, match="''"):
        make_estimate(name="Llama-2 7B", **{option: ""})


@pytest.mark.parametrize("word", ["name", "run", "shape", "params"])
def test_an_empty_name_is_refused(word):
    with pytest.raises(ConfigError, match="''"):
        make_estimate(**{word: ""}, tokens="1T")


def test_the_audit_takes_no_empty_word_either():
    with pytest.raises(ConfigError, match="--audit takes every published run"):
        cli.cost(audit=True, job="")
