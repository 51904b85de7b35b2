"""Settings: checked when they are made, varied with replace, read from a dict; what cannot work is named."""

import dataclasses
import json
import math
from dataclasses import replace

import core
import pytest

from minillm.config import PRESETS, SIZES, ModelConfig, RunConfig, TrainConfig, from_dict, named
from minillm.errors import ConfigError, MinillmError

MINI, TRAIN = SIZES["mini"], TrainConfig()
RUN = RunConfig(model=MINI, train=TRAIN)

BAD = {
    "width": (MINI, {"d_model": 129}, "d_model 129 is not divisible by n_heads 2", "multiple of 2, such as 128"),
    "kv heads": (MINI, {"n_heads": 4, "n_kv_heads": 3}, "n_kv_heads 3 does not divide n_heads 4", "divisor"),
    "no kv heads": (MINI, {"n_kv_heads": 0}, "n_kv_heads is 0", "above 0"),
    "odd head": (MINI, {"d_model": 130, "n_heads": 2}, "head of 65", "even"),
    "form": (MINI, {"form": "bert"}, "form 'bert' is unknown", "form='gpt2'"),
    "grouped gpt2": (MINI, {"form": "gpt2", "n_kv_heads": 1}, "gpt2 form has no grouped", "Leave n_kv_heads out"),
    "layers": (MINI, {"n_layers": 0}, "n_layers is 0", "above 0"),
    "negative": (MINI, {"vocab_size": -5}, "vocab_size is -5", "above 0"),
    "type": (MINI, {"n_layers": "3"}, "n_layers is '3', a str", "type int"),
    "bool": (MINI, {"n_layers": True}, "n_layers is True, a bool", "type int"),
    "float": (MINI, {"context_length": 12.5}, "context_length is 12.5, a float", "type int"),
    "nan": (MINI, {"norm_eps": math.nan}, "norm_eps is nan", "above 0"),
    "rate": (TRAIN, {"learning_rate": -0.1}, "learning_rate is -0.1", "above 0"),
    "rate nan": (TRAIN, {"learning_rate": math.nan}, "learning_rate is nan", "above 0"),
    "rate inf": (TRAIN, {"muon_learning_rate": math.inf}, "muon_learning_rate is inf", "above 0"),
    "decay": (TRAIN, {"weight_decay": -1.0}, "weight_decay is -1.0", "0 or more"),
    "decay nan": (TRAIN, {"weight_decay": math.nan}, "weight_decay is nan", "0 or more"),
    "beta": (TRAIN, {"beta2": 1.0}, "beta2 is 1.0", "below 1"),
    "momentum": (TRAIN, {"momentum": math.nan}, "momentum is nan", "below 1"),
    "warm-up": (TRAIN, {"steps": 10, "warmup_steps": 11}, "warm-up of 11 steps", "more steps"),
    "decay share": (TRAIN, {"decay_fraction": 1.5}, "decay_fraction is 1.5", "from 0 to 1"),
    "optimizer": (TRAIN, {"optimizer": "sgd"}, "optimizer 'sgd' is unknown", "muon, adamw"),
    "precision": (TRAIN, {"precision": "int8"}, "precision 'int8' is unknown", "fp32, bf16, fp16, auto"),
    "parts": (TRAIN, {"batch_size": 12, "micro_batches": 5}, "12 cannot be cut into 5", "divisor"),
    "steps": (TRAIN, {"steps": 0}, "steps is 0", "above 0"),
    "seed": (TRAIN, {"seed": -1}, "seed is -1", "0 or more"),
    "seed too large": (TRAIN, {"seed": 2**64}, f"seed is {2**64}", "below"),
    "threads": (TRAIN, {"threads": 0}, "threads is 0", "above 0"),
    "keep": (TRAIN, {"keep_last": 1}, "keep_last is 1", "at least 2"),
    "save": (TRAIN, {"checkpoint_minutes": 0.0}, "checkpoint_minutes is 0", "above 0"),
    "save nan": (TRAIN, {"checkpoint_minutes": math.nan}, "checkpoint_minutes is nan", "above 0"),
    "minutes": (RUN, {"minutes": -1.0}, "minutes is -1", "above 0"),
    "minutes type": (RUN, {"minutes": "1"}, "minutes is '1', a str", "type float"),
    "part": (RUN, {"corpus_part": 1.5}, "corpus_part is 1.5", "up to 1"),
    "evaluations": (RUN, {"evaluations": 2.5}, "evaluations is 2.5", "type int"),
    "source": (RUN, {"source": 5}, "source is 5", "type str"),
    "filtered": (RUN, {"filtered": "no"}, "filtered is 'no'", "type bool"),
    "one prompt": (RUN, {"prompts": "def "}, "prompts is 'def ', a str", "type tuple"),
    "empty prompt": (RUN, {"prompts": ("a", "")}, "prompts are", "at least one character"),
    "prompt type": (RUN, {"prompts": (3,)}, "prompts are", "at least one character"),
    "model": (RUN, {"model": "mini"}, "model is 'mini'", "type ModelConfig"),
}


@pytest.mark.parametrize("config, change, cause, remedy", BAD.values(), ids=BAD)
def test_what_cannot_work_is_refused_with_cause_and_remedy(config, change, cause, remedy):
    with pytest.raises(ConfigError) as raised:
        replace(config, **change)
    assert cause in raised.value.cause and remedy in raised.value.remedy
    assert "\n" not in raised.value.cause + raised.value.remedy
    assert str(raised.value) == f"{raised.value.cause}\n{raised.value.remedy}"
    assert isinstance(raised.value, MinillmError)


@pytest.mark.parametrize("config", [*SIZES.values(), *PRESETS.values(), core.GPT2], ids=repr)
def test_settings_survive_a_trip_through_json(config):
    values = json.loads(json.dumps(dataclasses.asdict(config)))
    if isinstance(config, RunConfig):
        values["model"] = from_dict(ModelConfig, values["model"])
        values["train"] = from_dict(TrainConfig, values["train"])
    assert from_dict(type(config), values) == config


def test_what_is_left_out_follows_from_the_form():
    gpt2 = ModelConfig(n_layers=1, d_model=64, n_heads=4, form="gpt2")
    modern = ModelConfig(n_layers=1, d_model=64, n_heads=4)
    assert (gpt2.kv_heads, gpt2.hidden_width, gpt2.ties_head, gpt2.d_head) == (4, 256, True, 16)
    assert (modern.kv_heads, modern.hidden_width, modern.ties_head, modern.d_head) == (4, 192, False, 16)
    wider = replace(modern, d_model=96, n_heads=6)
    assert (wider.kv_heads, wider.hidden_width, wider.ties_head) == (6, 288, False)
    assert replace(wider, form="gpt2") == ModelConfig(n_layers=1, d_model=96, n_heads=6, form="gpt2")


def test_settings_cannot_be_changed_in_place():
    with pytest.raises(dataclasses.FrozenInstanceError):
        MINI.n_layers = 5


def test_the_nearest_name_is_proposed():
    assert named(SIZES, "mini", "size") is MINI
    with pytest.raises(ConfigError, match=r"no preset named 'minut'.\nDid you mean 'minute'\? Known: smoke, minute"):
        named(PRESETS, "minut", "preset")
    with pytest.raises(ConfigError, match=r"no size named 'zzz'.\nKnown: "):
        named(SIZES, "zzz", "size")


def test_an_unknown_key_and_a_missing_one_are_named():
    with pytest.raises(ConfigError, match=r"ModelConfig has no setting 'n_layer'.\nDid you mean 'n_layers'\?"):
        from_dict(ModelConfig, {"n_layer": 3, "d_model": 64, "n_heads": 2})
    with pytest.raises(ConfigError, match="ModelConfig lacks n_heads"):
        from_dict(ModelConfig, {"n_layers": 3, "d_model": 64})


def test_every_preset_can_sample_its_prompts():
    for preset in PRESETS.values():
        assert all(preset.prompts) and preset.sample_moments >= 1 and preset.evaluations >= 1
