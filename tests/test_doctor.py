"""The machine's examination: parts add up, a run's own way of measuring is used, and what cannot run says why."""

import dataclasses
import json

import core
import psutil
import pytest
import torch

from minillm import doctor, settings
from minillm.batches import prepare_tokens
from minillm.config import PRESETS, SIZES, RunConfig, TrainConfig
from minillm.doctor import (
    Machine,
    Pace,
    RunTime,
    examination_dict,
    examination_table,
    examine,
    look,
    machine_lines,
    pace,
    run_time,
)
from minillm.doctor import speed as speed_room
from minillm.doctor.times import (
    CACHED_UNITS,
    CHECKPOINT_UNITS,
    READ_MORE_UNITS,
    READ_UNITS,
    START_UNITS,
    held_out_tokens,
    measuring_s,
)
from minillm.errors import ConfigError
from minillm.tokenizer import course_tokenizer

CPU = torch.device("cpu")
TINY = dataclasses.replace(
    core.small_run("embedded", steps=20), model=dataclasses.replace(SIZES["nano"], vocab_size=1024), sample_moments=2
)


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setattr("minillm.doctor.machine.cache_dir", lambda: tmp_path)
    monkeypatch.setattr("minillm.batches.cache_dir", lambda: tmp_path)


def test_what_the_machine_is(monkeypatch):
    found = look(CPU)
    assert found.memory_bytes == psutil.virtual_memory().total > found.memory_free_bytes > 0
    assert found.device == "cpu" and found.accelerator == "none" and "fp32" in found.formats
    assert found.cores >= 1 and found.disk_free_bytes > 0 and 0 <= found.busy <= 1
    assert found.torch == torch.__version__ and set(found.extras) == {"lab", "hub"}
    assert found.corpus_read == dict.fromkeys(PRESETS, False)
    real = doctor.machine.importlib.util.find_spec
    monkeypatch.setattr(doctor.machine.importlib.util, "find_spec", lambda name: name != "datasets" and real(name))
    assert look(CPU).extras["hub"] is False
    monkeypatch.setattr(psutil, "cpu_percent", lambda interval: 90.0)
    assert look(CPU).is_busy


def test_a_cache_that_cannot_be_made_is_told(monkeypatch):
    def refuse():
        raise PermissionError(13, "Permission denied", "/nowhere/minillm")

    monkeypatch.setattr("minillm.doctor.machine.cache_dir", refuse)
    found = look(CPU)
    assert found.disk_free_bytes == 0 and found.corpus_read == dict.fromkeys(PRESETS, False)
    assert "/nowhere/minillm cannot be made (Permission denied)" in machine_lines(found)[-1]


def test_a_text_read_before_is_found_where_the_run_looks(tmp_path):
    run = RunConfig(SIZES["nano"], TrainConfig(), source=str(core.write_words(tmp_path / "words.txt", 2000)))
    assert doctor.read_before(run) is None
    tokens = prepare_tokens(run.source, course_tokenizer(), held_out_bytes=run.held_out_bytes)
    assert doctor.read_before(run) == tokens.fingerprint
    (tmp_path / "words.txt").write_text("another text", encoding="utf-8")
    assert doctor.read_before(run) is None


def test_the_parts_of_a_run_add_up():
    run = dataclasses.replace(PRESETS["smoke"], evaluations=3)
    found = Pace(TrainConfig(steps=60, threads=1), 0.5, {("fp32", 1): 0.5})
    time = run_time("smoke", run, found, 0.01, False, (1000.0, 100.0))
    assert time.training_s == 30
    assert time.start_s == pytest.approx(START_UNITS * 0.01)
    assert time.text_s == pytest.approx(0.01 * (READ_UNITS + READ_MORE_UNITS * 0.04))
    assert time.evaluation_s == pytest.approx(3 * held_out_tokens(run) / 1000)
    assert time.sampling_s == pytest.approx(6 * 4 * 60 / 100)  # moments, prompts, tokens
    assert time.measuring_s == 0  # its steps are fixed
    parts = [getattr(time, field.name) for field in dataclasses.fields(time) if field.name.endswith("_s")]
    assert time.total_s == pytest.approx(sum(parts)) and time.besides_s == pytest.approx(sum(parts) - 30)
    cached = run_time("smoke", run, found, 0.01, True, (1000.0, 100.0))
    assert cached.text_s == pytest.approx(0.01 * CACHED_UNITS) and cached.total_s < time.total_s
    often = dataclasses.replace(found, train=dataclasses.replace(found.train, steps=70, checkpoint_every=20))
    assert run_time("often", run, often, 0.01, True, (1.0, 1.0)).saving_s == pytest.approx(4 * CHECKPOINT_UNITS * 0.01)


def test_a_run_by_the_clock_measures_each_way_for_a_while():
    found = Pace(TrainConfig(), 0.1, {("fp32", 2): 0.1, ("fp32", 1): 2.0})
    # 1.5 s and on average half a step more; six steps of 2 s
    assert measuring_s(PRESETS["minute"], found) == pytest.approx(1.55 + 12)
    assert measuring_s(PRESETS["smoke"], found) == 0


def test_held_out_tokens_of_the_embedded_text():
    """Counted on the embedded text: 52,945 tokens for smoke's 20,000 bytes of each kind, 442,104 for 250,000."""
    assert held_out_tokens(PRESETS["smoke"]) == pytest.approx(52_945, rel=0.1)
    assert held_out_tokens(PRESETS["minute"]) == pytest.approx(442_104, rel=0.1)


TIMES = {("fp32", 2): 0.2, ("fp32", 1): 0.3, ("bf16", 2): 0.1, ("bf16", 1): 0.18}


def told(model, train, tokens, device, seconds=1.5):
    """Stand for a measured step."""
    return TIMES[train.precision, train.threads]


@pytest.fixture
def two_threads(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    for room in (speed_room, settings):
        monkeypatch.setattr(room, "usable_cores", lambda: 2)
        monkeypatch.setattr(room, "measure_step", told)
    monkeypatch.setattr(settings, "has_native", lambda precision, device: True)


@pytest.mark.parametrize(
    "change", [{}, {"precision": "fp32"}, {"threads": 1}, {"precision": "bf16", "threads": 2}], ids=str
)
def test_pace_decides_as_the_run_will(change, two_threads, tmp_path):
    run = dataclasses.replace(PRESETS["minute"], train=dataclasses.replace(PRESETS["minute"].train, **change))
    found = pace(run, None, CPU)
    settled = settings.settle(run, tmp_path, None, CPU, lambda line: None).train
    assert found.train == settled
    assert found.step_s == TIMES[settled.precision, settled.threads]
    assert found.train.steps == int(60 / found.step_s)


def test_ways_that_were_slow_are_not_tried_again(two_threads, monkeypatch):
    first = pace(PRESETS["minute"], None, CPU)
    assert first.tried == TIMES
    asked = []
    monkeypatch.setattr(speed_room, "measure_step", lambda *given, **named: asked.append(given[1]) or 3 * told(*given))
    second = pace(PRESETS["laptop"], None, CPU, like=first)
    assert [(train.precision, train.threads) for train in asked] == [("bf16", 2)]  # the others took 1.8 times and more
    assert second.step_s == pytest.approx(0.3)
    assert second.tried == pytest.approx({way: 3 * step_s for way, step_s in TIMES.items()})


def test_a_step_too_slow_to_measure_follows_from_smaller_batches(monkeypatch):
    sizes = []

    def measured(model, train, tokens, device, seconds=1.5):
        sizes.append(train.batch_size)
        return 0.5 + 0.2 * train.batch_size

    monkeypatch.setattr(speed_room, "measure_step", measured)
    assert pace(PRESETS["shipped"], None, CPU).step_s == pytest.approx(0.5 + 0.2 * 16)
    assert sizes == [2, 4]
    monkeypatch.setattr(speed_room, "measure_step", lambda model, train, *rest, **named: 0.01 * train.batch_size)
    assert pace(PRESETS["shipped"], None, CPU).step_s == pytest.approx(0.16)


def test_measuring_leaves_the_threads_as_they_were():
    before = torch.get_num_threads()
    found = pace(dataclasses.replace(TINY, train=TrainConfig(threads=1, steps=7)), doctor.any_tokens(), CPU, 0.05)
    assert found.train.steps == 7 and found.train.precision == "fp32" and 0 < found.step_s < 5
    reading, writing = doctor.speeds(TINY.model, 1, CPU, 0.05)
    assert reading > writing > 0  # many tokens at once against one by one
    assert torch.get_num_threads() == before


def test_an_examination_from_end_to_end():
    beyond = dataclasses.replace(TINY, train=dataclasses.replace(TINY.train, precision="fp16"))
    found = examine({"tiny": TINY, "beyond": beyond}, CPU, seconds=0.05)
    tiny, refused = found.presets
    assert tiny.steps == 20 and tiny.total_s > tiny.training_s > 0 and not tiny.obstacle
    assert "fp16 is not used on cpu" in refused.obstacle and refused.total_s == 0
    told = json.loads(json.dumps(examination_dict(found)))
    assert told["presets"][0]["total_s"] == pytest.approx(tiny.total_s)
    assert told["machine"]["cores"] == found.machine.cores
    text = examination_table(found)
    assert "cannot run here: fp16" in text and f"torch {torch.__version__}" in text
    assert found.elapsed_s < 60


@pytest.mark.parametrize("busy", [True, False])
def test_a_busy_machine_is_said_to_be_busy(busy):
    machine = Machine(
        "Linux", "x86_64", "3.11", "2.9", "0.1", 2, 2**34, 2**33, "cpu", "none", ("fp32",), 2**36,
        {"lab": True, "hub": False}, {"smoke": False}, 0.8 if busy else 0.05,
    )  # fmt: skip
    time = RunTime("smoke", 238_144, 60, "fp32", 2, 2, 1, 0, 90, 20, 10, 0, 1)
    text = examination_table(doctor.Examination(machine, 0.01, 2e11, (time,), 9.0))
    assert ("as busy as it is now" in text) == busy
    assert "2 min" in text and "90 s" in text and "hub absent" in text and "not read yet" in text


def test_an_unknown_preset_of_threads_is_no_examination():
    run = dataclasses.replace(TINY, train=dataclasses.replace(TINY.train, threads=100_000))
    found = examine({"tiny": run}, CPU, seconds=0.05)
    assert "threads is 100000" in found.presets[0].obstacle
    with pytest.raises(ConfigError):
        settings.check_machine(run)
