"""Memory and storage against the papers' own worked examples, and the fewest devices by search."""

from dataclasses import replace

import pytest

from minillm.cost.bill import find_accelerator
from minillm.cost.estimate import Options, estimate_named, estimate_run, estimate_shape, estimate_totals
from minillm.cost.memory import (
    USABLE,
    activation_bytes,
    fewest_accelerators,
    model_states,
    storage,
    training_memory,
)
from minillm.cost.shapes import count_shape, named_shape
from minillm.cost.tables import estimate_dict, estimate_table
from minillm.errors import ConfigError
from minillm.facts import Shape, shapes

GPT3 = named_shape("GPT-3 175B")


def test_zero_paper_figure_1():
    # 7.5e9 parameters on 64 devices: 120 GB, 31.4, 16.6, 1.88
    totals = [model_states(7.5e9, stage, 64).total / 1e9 for stage in range(4)]
    assert totals == pytest.approx([120, 31.4, 16.6, 1.88], rel=0.005)
    # 128e9 on 1,024: 2,048 GB, and 4, 2 and 0 bytes a parameter beside the shared part
    totals = [model_states(128e9, stage, 1024).total / 1e9 for stage in range(4)]
    assert totals == pytest.approx([2048, 513.5, 257.75, 2.0], rel=0.001)


def test_states_by_part():
    states = model_states(1e9)
    assert (states.weights, states.gradients, states.optimizer, states.activations) == (2e9, 2e9, 12e9, 0)
    cut = model_states(1e9, zero=1, devices=32, tensor_parallel=8)  # 4 copies, each cut into 8
    assert (cut.weights, cut.optimizer) == (2e9 / 8, 12e9 / 8 / 4)


def test_activations_by_korthikanti():
    # GPT-3, one sequence: s b h = 2048 * 12288; 5 a s / h = 80 beside 34 (their section 4.1)
    sbh = 2048 * 12288
    output = 4 * 2048 * (12288 + 50257)
    assert 5 * 96 * 2048 / 12288 == 80
    assert activation_bytes(GPT3) == 96 * sbh * (34 + 80) + output
    assert activation_bytes(GPT3, recompute="selective") == 96 * sbh * 34 + output
    assert activation_bytes(GPT3, recompute="full") == 96 * sbh * 2 + output
    assert activation_bytes(GPT3, tensor_parallel=8) == 96 * sbh * (10 + 24 / 8 + 80 / 8) + output / 8
    both = activation_bytes(GPT3, tensor_parallel=8, sequence_parallel=True)
    assert both == pytest.approx((96 * sbh * (34 + 80) + output) / 8)
    # their abstract: selective recomputation and sequence parallelism together save five times
    ours = activation_bytes(GPT3, tensor_parallel=8, recompute="selective", sequence_parallel=True)
    assert activation_bytes(GPT3, tensor_parallel=8) / ours == pytest.approx(5, abs=0.5)


def test_activations_grow_with_all_that_they_should():
    assert activation_bytes(GPT3, 2) == 2 * activation_bytes(GPT3)
    half = replace(GPT3, context_length=1024)
    assert activation_bytes(GPT3) > 2 * activation_bytes(half)  # the scores grow with the square
    assert activation_bytes(GPT3, recompute="selective") == 2 * activation_bytes(half, recompute="selective")
    ways = [activation_bytes(GPT3, recompute=way) for way in ("none", "selective", "full")]
    assert ways == sorted(ways, reverse=True)


def fewest_by_search(accelerator, parameters, activations, zero, tensor_parallel) -> int | None:
    for devices in range(tensor_parallel, 5000, tensor_parallel):
        states = model_states(parameters, zero, devices, tensor_parallel).total
        if states + activations <= USABLE * accelerator.memory_gb * 1e9:
            return devices
    return None


@pytest.mark.parametrize("zero", [0, 1, 2, 3])
@pytest.mark.parametrize("tensor_parallel", [1, 8])
@pytest.mark.parametrize("parameters", [1e9, 4e9, 13e9, 70e9, 405e9])
def test_fewest_is_what_a_search_finds(zero, tensor_parallel, parameters):
    for name, activations in (("a100-80gb", 0), ("h100", 20e9), ("v100", 2e9)):
        device = find_accelerator(name)
        expected = fewest_by_search(device, parameters, activations, zero, tensor_parallel)
        assert fewest_accelerators(device, parameters, activations, zero, tensor_parallel) == expected


def test_what_fits_nowhere_is_none():
    h100 = find_accelerator("h100")
    assert fewest_accelerators(h100, 7e9, activations=80e9) is None
    assert fewest_accelerators(h100, 7e9, zero=0) is None
    assert fewest_accelerators(find_accelerator("cpu-2core"), 1e6) is None  # its memory is not known
    # GPT-2 124M with all it needs fits one T4: 16 bytes a parameter are 2 GB
    assert fewest_accelerators(find_accelerator("t4"), 124e6, zero=0) == 1


# estimates: the fewest of all ways, and what is kept on the devices that are asked for


def fewest_of_all(shape: Shape, zero: int, accelerator: str = "h100") -> int:
    """Search every number of devices, cut and way until it fits."""
    room, size = USABLE * find_accelerator(accelerator).memory_gb * 1e9, count_shape(shape).total
    kept = {
        (way, cut): activation_bytes(shape, 1, way, cut)
        for way in ("selective", "full")
        for cut in (1, 2, 4, 8)
        if shape.n_heads % cut == 0
    }
    for devices in range(1, 2000):
        for (_, cut), activations in kept.items():
            if devices % cut == 0 and model_states(size, zero, devices, cut).total + activations <= room:
                return devices
    raise AssertionError("fits nowhere")


@pytest.mark.parametrize("name", ["Llama-3.1 70B", "PaLM 540B", "Llama-2 7B", "GPT-2 1.5B", "DeepSeek-V3"])
def test_the_fewest_are_the_fewest_of_all_ways_and_cuts(name):
    shape = named_shape(name)
    estimate = estimate_shape(shape)
    assert estimate.fewest == fewest_of_all(shape, 3)
    assert estimate.devices == estimate.fewest and estimate.fits and estimate.layout == estimate.fewest_layout


def test_fewest_by_hand():
    # Llama-3.1 70B, all recomputed: 80 layers of 2 x 8192 x 8192 bytes and an output of 4 x 8192 x (8192 + 128256)
    kept = 80 * 2 * 8192 * 8192 + 4 * 8192 * (8192 + 128_256)
    least = 16 * 70_553_706_496 / (0.9 * 80e9 - kept)
    assert 19 < least < 20
    assert estimate_shape("Llama-3.1 70B").fewest == 20
    assert estimate_shape("PaLM 540B").fewest == 140
    by_stage = estimate_dict(estimate_named("Llama-2 7B"))["memory"]["fewest_devices_by_zero_stage"]
    assert by_stage == {"0": 2, "1": 2, "2": 2, "3": 2}  # cut in 2 it needs no sharing


@pytest.mark.parametrize("shape", shapes(), ids=lambda shape: shape.name)
def test_sharing_and_recomputing_never_take_more_devices(shape):
    def fewest(**options) -> float:
        return estimate_shape(shape, options=Options(**options)).fewest or float("inf")

    by_stage = [fewest(zero=stage) for stage in range(4)]
    assert by_stage == sorted(by_stage, reverse=True)
    told = estimate_dict(estimate_shape(shape))["memory"]["fewest_devices_by_zero_stage"]
    assert [told[str(stage)] or float("inf") for stage in range(4)] == by_stage
    by_way = [fewest(recompute=way) for way in ("none", "selective", "full")]
    assert by_way == sorted(by_way, reverse=True) and fewest() == min(by_way[1:])
    cuts = [fewest(tensor_parallel=cut) for cut in (1, 2, 4, 8) if shape.n_heads % cut == 0]
    assert fewest() == min(cuts)


def test_what_is_named_is_kept():
    estimate = estimate_shape("Llama-3.1 70B", options=Options(recompute="selective", tensor_parallel=8))
    assert (estimate.recompute, estimate.tensor_parallel, estimate.fewest) == ("selective", 8, 688)
    odd = estimate_shape("GPT-2 1.5B", options=Options(accelerator="t4"))  # 25 heads cannot be cut in 2, 4 or 8
    assert odd.tensor_parallel == 1


@pytest.mark.parametrize("devices", [1, 3, 100, 101, 2048])
def test_figures_are_for_the_devices_asked_for(devices):
    estimate = estimate_shape("Llama-3.1 405B", 1e12, Options(devices=devices))
    told = estimate_dict(estimate)
    assert told["devices"] == told["memory"]["devices"] == devices and devices % estimate.tensor_parallel == 0
    states = model_states(405_853_388_800, 3, devices, estimate.tensor_parallel)
    assert estimate.memory.weights == states.weights
    assert f"weights on each of {devices:,}" in estimate_table(estimate)
    assert estimate.fewest == 176
    assert told["memory"]["fits"] is (estimate.memory.total <= 0.9 * 80e9) is (devices == 2048)
    assert ("does not fit: " in estimate_table(estimate)) is (devices != 2048)


def test_on_devices_enough_no_more_is_recomputed_than_must_be():
    few, many = estimate_run("DeepSeek-V3", options=Options(devices=160)), estimate_run("DeepSeek-V3")
    assert (few.recompute, many.recompute, many.devices) == ("full", "selective", 2048)
    assert few.fewest == many.fewest == 160 and few.fits and many.fits


def test_what_does_not_fit_says_by_how_much():
    text = estimate_table(estimate_totals(7e9, 1e12, options=Options(devices=1)))
    assert "does not fit: 112 of 72 GB" in text
    unknown = estimate_totals(7e9, 1e12, options=Options(accelerator="cpu-2core"))
    assert (unknown.fits, unknown.devices, unknown.memory.total) == (None, 1, 112e9)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (Options(tensor_parallel=3), "3, and the model has 32 heads.\nEach .* divides the heads"),
        (Options(tensor_parallel=4, devices=10), "10 devices cannot be cut into groups of 4"),
    ],
)
def test_groups_that_cannot_be_are_named(options, words):
    with pytest.raises(ConfigError, match=words):
        estimate_shape("Llama-2 7B", 1e12, options)


def test_training_memory_puts_the_parts_together():
    shape = Shape("small", 2, 64, 4, 4, 16, 256, 1000, 128)
    memory = training_memory(shape, sequences=3, recompute="full", zero=2, devices=4)
    states = model_states(2 * 64 * 1000 + 2 * (4 * 64 * 64 + 3 * 64 * 256) + 5 * 64, 2, 4)
    assert (memory.weights, memory.gradients, memory.optimizer) == (states.weights, states.gradients, states.optimizer)
    assert memory.activations == activation_bytes(shape, 3, "full")
    assert memory.total == states.total + memory.activations


def test_storage_of_bloom_and_gpt2():
    bloom = storage(176_247_271_424, tokens=366e9, vocab_size=250_880, checkpoints=1)
    assert bloom.checkpoint == pytest.approx(2.3 * 2**40, rel=0.03)  # 2.3 TB, in units of 1,024
    assert bloom.weights == pytest.approx(329 * 2**30, rel=0.01)  # 329 GB
    assert bloom.token_ids == 4 * 366e9
    assert 1.61e12 / 341e9 * 366e9 in bloom.text
    gpt2 = storage(124_439_808, tokens=10e9, vocab_size=50_257, checkpoints=5)
    assert gpt2.token_ids == 2 * 10e9 and gpt2.checkpoints == 5 * 14 * 124_439_808
    assert storage(1e9).token_ids is None and storage(1e9).text is None


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: model_states(0), "parameters is 0"),
        (lambda: model_states(1e9, zero=4), "zero is 4"),
        (lambda: model_states(1e9, devices=6, tensor_parallel=4), "6 devices cannot be cut"),
        (lambda: model_states(1e9, devices=0), "devices is 0"),
        (lambda: activation_bytes(GPT3, 0), "sequences is 0"),
        (lambda: activation_bytes(GPT3, recompute="some"), "recompute 'some'"),
        (lambda: storage(float("nan")), "parameters is nan"),
        (lambda: storage(1e9, tokens=-1), "tokens is -1"),
    ],
)
def test_impossible_questions_are_named(call, words):
    with pytest.raises(ConfigError, match=words):
        call()
