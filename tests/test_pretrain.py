"""A whole run: what it writes, what it reports, how it stops, goes on and repeats; what it refuses before writing."""

import dataclasses
import errno
import json
import math
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import core
import pytest
import torch
from filelock import FileLock

from minillm import checkpoint, pretrain, settings
from minillm.checkpoint import is_whole, list_checkpoints, load_model
from minillm.cost import training_flops
from minillm.errors import CheckpointError, ConfigError, DataError, DeviceError, TrainingError
from minillm.pretrain import eval_steps, sample_steps
from minillm.records import Record, read_lines
from minillm.runtime import pick_device
from minillm.settings import fix_by_clock, read_run_config


@pytest.fixture(scope="module")
def text(tmp_path_factory) -> Path:
    return core.write_words(tmp_path_factory.mktemp("text") / "words.txt")


def run(config, out, **options) -> dict:
    """Pretrain without a word."""
    return pretrain.pretrain(config, out, **{"say": lambda line: None, "progress": False, **options})


def losses(out: Path) -> list[tuple[int, float]]:
    """Return step and loss of each line of metrics.jsonl."""
    return [(line["step"], line["train_loss_nats"]) for line in read_lines(out / "metrics.jsonl")]


@pytest.fixture(scope="module")
def finished(text, tmp_path_factory) -> tuple[Path, dict]:
    """A finished run's folder, not to be changed, and its report."""
    out = tmp_path_factory.mktemp("runs") / "finished"
    return out, run(core.small_run(text), out)


def test_the_folder_holds_what_is_promised(finished):
    out, report = finished
    expected = {"config.json", "metrics.jsonl", "evals.jsonl", "samples.jsonl", "checkpoints"}
    expected |= {"loss.png", "report.html", "report.json"}
    assert {path.name for path in out.iterdir() if not path.name.startswith(".")} == expected
    assert json.loads((out / "report.json").read_text(encoding="utf-8")) == report
    metrics = read_lines(out / "metrics.jsonl")
    assert [line["step"] for line in metrics] == list(range(1, 13))
    assert all(set(line) == {field.name for field in dataclasses.fields(Record)} for line in metrics)
    evals = read_lines(out / "evals.jsonl")
    assert [line["step"] for line in evals] == [6, 12]
    fields = {"step", "tokens_seen", "elapsed_s", "val_loss_nats", "val_bits_per_byte", "bits_per_byte_by_kind"}
    assert all(fields <= set(line) for line in evals)
    assert [line["step"] for line in read_lines(out / "samples.jsonl")] == [0, 3, 12]
    assert [path.name for path in list_checkpoints(out / "checkpoints")] == ["step-000008", "step-000012"]


def test_the_report_follows_from_the_records(finished):
    out, report = finished
    last, evaluation = read_lines(out / "metrics.jsonl")[-1], read_lines(out / "evals.jsonl")[-1]
    config = read_run_config(out / "config.json")
    assert report["tokens_seen"] == 12 * 4 * 32
    assert report["parameters"] == sum(p.numel() for p in load_model(Path(report["checkpoint"])).parameters())
    assert report["elapsed_s"] == last["elapsed_s"] < last["wall_s"]
    assert report["tokens_per_s"] == pytest.approx(report["tokens_seen"] / report["elapsed_s"])
    assert report["val_loss_nats"] == evaluation["val_loss_nats"]
    assert report["val_bits_per_byte"] == pytest.approx(evaluation["bits_per_byte_by_kind"]["text"])
    assert report["flops"] == training_flops(config.model, report["tokens_seen"])
    assert report["mfu"] == pytest.approx(report["flops"] / report["elapsed_s"] / report["matmul_flops_per_s"])
    assert 50e6 < report["peak_memory_bytes"] < 8e9
    assert report["versions"]["torch"] == torch.__version__ and len(report["corpus_fingerprint"]) >= 12


def test_the_model_learned_and_its_checkpoint_is_the_one_evaluated(finished, text):
    out, report = finished
    assert losses(out)[0][1] == pytest.approx(math.log(1024), abs=0.2)
    assert losses(out)[-1][1] < losses(out)[0][1] - 1
    from minillm.batches import prepare_tokens
    from minillm.evaluate import evaluate
    from minillm.tokenizer import course_tokenizer

    again = evaluate(load_model(Path(report["checkpoint"])), prepare_tokens(text, course_tokenizer()))
    assert again.val_loss_nats == pytest.approx(report["val_loss_nats"], rel=1e-6)


def test_its_config_repeats_it_bit_for_bit(finished, tmp_path):
    out, _ = finished
    run(read_run_config(out / "config.json"), tmp_path / "again")
    assert losses(tmp_path / "again") == losses(out)
    assert read_lines(tmp_path / "again" / "samples.jsonl") == read_lines(out / "samples.jsonl")


def test_another_seed_is_another_run(finished, text, tmp_path):
    run(core.small_run(text, seed=1), tmp_path / "other")
    assert losses(tmp_path / "other")[0] != losses(finished[0])[0]


def test_looking_more_often_changes_nothing(finished, text, tmp_path):
    config = replace(core.small_run(text, checkpoint_every=1), evaluations=6, sample_moments=5)
    run(config, tmp_path / "watched")
    assert losses(tmp_path / "watched") == losses(finished[0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_step_saves_and_the_run_goes_on_exactly(finished, text, tmp_path, monkeypatch, number):
    out, config = tmp_path / "stopped", core.small_run(text, checkpoint_every=0)
    real = pretrain.append_line

    def append_then_signal(path, value):
        real(path, value)
        if path.name == "metrics.jsonl" and value.step == 5:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(pretrain, "append_line", append_then_signal)
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    assert run(config, out)["finished"] is False
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    # the signal came while step 5 was being written: its step or the next is the last, and is saved
    (saved,) = list_checkpoints(out / "checkpoints")
    assert is_whole(saved) and saved.name in ("step-000005", "step-000006")
    assert len(losses(out)) == int(saved.name[-6:])
    monkeypatch.undo()
    assert run(config, out, resume=True)["finished"] is True
    assert losses(out) == losses(finished[0])


def test_a_damaged_checkpoint_is_said_and_the_one_before_goes_on_exactly(finished, text, tmp_path):
    out, config, said = tmp_path / "damaged", core.small_run(text), []
    run(config, out)
    for name in ("report.json", "report.html"):
        (out / name).unlink()
    newest = list_checkpoints(out / "checkpoints")[-1] / "model.safetensors"
    newest.write_bytes(newest.read_bytes()[:-5])
    report = run(config, out, resume=True, say=said.append)
    assert any("damaged checkpoint was set aside" in line for line in said)
    assert any("Going on after step 8" in line for line in said)
    assert report["finished"] and losses(out) == losses(finished[0])
    assert [line["step"] for line in read_lines(out / "evals.jsonl")] == [6, 12]


def test_a_finished_run_is_not_trained_again(finished, text, tmp_path):
    out = tmp_path / "twice"
    first = run(core.small_run(text), out)
    before = (out / "metrics.jsonl").read_bytes()
    assert run(core.small_run(text), out, resume=True) == first
    assert (out / "metrics.jsonl").read_bytes() == before


def test_resume_begins_a_run_that_is_not_there_yet(finished, text, tmp_path):
    run(core.small_run(text), tmp_path / "new", resume=True)
    assert losses(tmp_path / "new") == losses(finished[0])


def test_a_checkpoint_is_also_due_by_the_clock(text, tmp_path, monkeypatch):
    saved = []
    real = checkpoint.save_checkpoint
    monkeypatch.setattr(checkpoint, "save_checkpoint", lambda *a, **k: saved.append(a[4].record.step) or real(*a, **k))
    run(core.small_run(text, checkpoint_every=0, checkpoint_minutes=1e-9), tmp_path / "clock")
    assert saved == list(range(1, 13))


def test_a_full_disk_at_a_checkpoint_is_a_warning_and_training_goes_on(finished, text, tmp_path, monkeypatch):
    real, said = checkpoint.save_checkpoint, []

    def full_at_step_8(*arguments, **options):
        if arguments[4].record.step == 8:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*arguments, **options)

    monkeypatch.setattr(checkpoint, "save_checkpoint", full_at_step_8)
    out = tmp_path / "full"
    assert run(core.small_run(text), out, say=said.append)["finished"]
    assert any("Warning: The checkpoint of step 8 could not be written (No space left" in line for line in said)
    assert losses(out) == losses(finished[0])
    assert [path.name for path in list_checkpoints(out / "checkpoints")] == ["step-000004", "step-000012"]


def test_a_full_disk_at_the_last_checkpoint_or_at_a_record_is_a_named_error_and_can_go_on(
    finished, text, tmp_path, monkeypatch
):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    out = tmp_path / "full"
    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "save_checkpoint", full)
        with pytest.raises(CheckpointError, match=r"step 12 could not be written .*\nFree some space"):
            run(core.small_run(text), out)
    real = pretrain.append_line
    with monkeypatch.context() as patched:
        patched.setattr(
            pretrain, "append_line", lambda path, value: full() if "evals" in path.name else real(path, value)
        )
        with pytest.raises(TrainingError, match=r"could not write into .*No space left.*\nFree some space"):
            run(core.small_run(text), out, resume=True)
    run(core.small_run(text), out, resume=True)
    assert losses(out) == losses(finished[0])


def test_a_run_that_diverges_names_the_step_and_the_last_good_checkpoint(text, tmp_path, monkeypatch):
    real = pretrain.append_line

    def poison(path, value):
        real(path, value)
        if path.name == "metrics.jsonl" and value.step == 5:
            with torch.no_grad():
                models[0].final_norm.weight[0] = torch.nan

    models, make = [], pretrain.Transformer
    monkeypatch.setattr(pretrain, "Transformer", lambda config: models.append(make(config)) or models[0])
    monkeypatch.setattr(pretrain, "append_line", poison)
    out = tmp_path / "diverged"
    with pytest.raises(TrainingError, match=r"^Step 6: The loss is nan.*\n.*Last good checkpoint: .*step-000004"):
        run(core.small_run(text), out)
    assert all(bool(p.isfinite().all()) for p in load_model(out / "checkpoints" / "step-000004").parameters())
    assert [step for step, _ in losses(out)] == [1, 2, 3, 4, 5]


def test_steps_precision_and_threads_of_a_run_by_the_clock_are_measured_and_written(text, tmp_path):
    config = replace(core.small_run(text, threads=None, checkpoint_every=0), minutes=0.02)
    report = run(config, tmp_path / "clock")
    written = json.loads((tmp_path / "clock" / "config.json").read_text(encoding="utf-8"))
    assert written["minutes"] == 0.02 and written["train"]["steps"] == report["steps"] != config.train.steps
    assert written["train"]["precision"] in ("fp32", "bf16") and written["train"]["threads"] >= 1
    assert 0.3 < report["elapsed_s"] < 6  # 1.2 s were asked for, on a machine that others use too
    repeated = replace(read_run_config(tmp_path / "clock" / "config.json"), minutes=None)
    run(repeated, tmp_path / "again")
    assert losses(tmp_path / "again") == losses(tmp_path / "clock")


def test_the_faster_format_and_threads_are_taken_and_steps_fill_the_minutes(monkeypatch):
    config = replace(core.small_run("x"), minutes=2.0)
    config = replace(config, train=replace(config.train, precision="auto", threads=2))
    cpu = torch.device("cpu")

    def fixed(config, fewest, seconds):
        settled = fix_by_clock(config, fewest, lambda train: seconds[f"{train.precision} {train.threads}"], cpu)
        return f"{settled.precision} {settled.threads}", settled.steps

    monkeypatch.setattr(settings, "has_native", lambda precision, device: True)
    assert fixed(config, 2, {"fp32 2": 0.5, "bf16 2": 0.25}) == ("bf16 2", 480)
    assert fixed(config, 2, {"fp32 2": 0.25, "bf16 2": 0.24}) == ("fp32 2", 480)  # less than a twentieth is noise
    assert fixed(config, 2, {"fp32 2": 60.0, "bf16 2": 90.0}) == ("fp32 2", 10)
    assert fixed(config, 1, {"fp32 2": 0.5, "bf16 2": 0.25, "fp32 1": 0.8, "bf16 1": 0.4}) == ("bf16 2", 480)
    assert fixed(config, 1, {"fp32 2": 2.0, "bf16 2": 2.5, "fp32 1": 0.4, "bf16 1": 0.3}) == (
        "bf16 1",
        400,
    )  # a busy machine
    monkeypatch.setattr(settings, "has_native", lambda precision, device: False)
    assert fixed(config, 2, {"fp32 2": 0.5}) == ("fp32 2", 240)
    chosen = replace(config, train=replace(config.train, precision="bf16"))
    assert fixed(chosen, 2, {"bf16 2": 0.5}) == ("bf16 2", 240)  # what was asked for is not measured away


def test_moments_of_samples_and_evaluations_by_hand():
    assert sample_steps(32, 6) == [0, 2, 4, 8, 16, 32]  # five factors of 2
    assert sample_steps(1, 6) == [0, 1] and sample_steps(9, 1) == [9]
    assert eval_steps(60, 2) == [30, 60] and eval_steps(10, 3) == [3, 7, 10] and eval_steps(1, 5) == [1]
    for steps in range(1, 40):
        assert max(sample_steps(steps, 4)) == max(eval_steps(steps, 3)) == steps


def differently(text: Path, tmp_path: Path) -> dict:
    """Return settings that cannot work, with the error and its first words."""
    config = core.small_run(text)
    empty, short, latin = tmp_path / "empty.txt", tmp_path / "short.txt", tmp_path / "latin.txt"
    empty.write_bytes(b"")
    short.write_text("The river and the stone.", encoding="utf-8")
    latin.write_bytes(b"caf\xe9 " * 500)
    return {
        "missing": (replace(config, source=str(tmp_path / "no.txt")), DataError, "There is no file"),
        "empty": (replace(config, source=str(empty)), DataError, "holds no text"),
        "short": (replace(config, source=str(short)), DataError, "one sequence takes 33"),
        "latin": (replace(config, source=str(latin)), DataError, "not UTF-8: byte 3 is 0xe9"),
        "vocabulary": (
            replace(config, model=replace(config.model, vocab_size=500)),
            ConfigError,
            "The model knows 500 tokens and the tokenizer has 1024",
        ),
        "prompt": (replace(config, prompts=("river " * 40,)), ConfigError, "The prompt 'river"),
        "device": (replace(config, device="tpu"), DeviceError, "This machine has no device 'tpu'"),
        "precision": (
            replace(config, device="cpu", train=replace(config.train, precision="fp16")),
            DeviceError,
            "fp16 is not used on cpu",
        ),
    }


REFUSED = ["missing", "empty", "short", "latin", "vocabulary", "prompt", "device", "precision"]


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_work_is_refused_before_anything_is_written(text, tmp_path, what):
    config, error, cause = differently(text, tmp_path)[what]
    with pytest.raises(error) as raised:
        run(config, tmp_path / "out")
    assert cause in raised.value.cause and raised.value.remedy
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_else_is_left_alone(text, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"is not empty\.\nUse --resume"):
        run(core.small_run(text), tmp_path)
    with pytest.raises(CheckpointError, match="holds other files and no run"):
        run(core.small_run(text), tmp_path, resume=True)
    with pytest.raises(CheckpointError, match="is a file"):
        run(core.small_run(text), tmp_path / "thesis.txt")
    with pytest.raises(CheckpointError, match="cannot be written to"):
        run(core.small_run(text), tmp_path / "thesis.txt" / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_in_use_is_left_alone(finished, text, tmp_path):
    out = tmp_path / "used"
    out.mkdir()
    with FileLock(out / ".lock"), pytest.raises(CheckpointError, match="Another process is training in"):
        run(core.small_run(text), out)
    run(core.small_run(text), out)
    assert losses(out) == losses(finished[0])


def test_other_settings_or_another_text_do_not_go_on_with_a_run(text, tmp_path):
    out, config = tmp_path / "run", core.small_run(text, steps=4)
    run(config, out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file() and path.name != ".lock"}
    for other, values in (
        (replace(config, train=replace(config.train, steps=9)), ("train.steps 4", "now 9")),
        (replace(config, model=replace(config.model, n_layers=2)), ("model.n_layers 1", "now 2")),
        (replace(config, train=replace(config.train, seed=3)), ("train.seed 0", "now 3")),
        (replace(config, minutes=3.0), ("minutes None", "now 3.0")),
    ):
        with pytest.raises(ConfigError) as raised:
            run(other, out, resume=True)
        assert all(value in raised.value.cause for value in values)
    original = text.read_bytes()
    try:
        text.write_bytes(original + b" more words at the end of the text")
        with pytest.raises(CheckpointError, match=r"corpus fingerprint .*, and now it is"):
            run(config, out, resume=True)
    finally:
        text.write_bytes(original)
    assert before == {path: path.read_bytes() for path in before}


def test_its_own_config_goes_on_with_a_run_by_the_clock(text, tmp_path):
    config, out = replace(core.small_run(text), minutes=5.0), tmp_path / "run"
    out.mkdir()
    began = replace(config, train=replace(config.train, precision="fp32", threads=1, steps=6))
    (out / "config.json").write_text(json.dumps(dataclasses.asdict(began)), encoding="utf-8")
    # as `--resume --minutes 5` asks, and as `--resume --config OUT/config.json` does
    assert run(config, out, resume=True)["steps"] == 6
    assert run(replace(began, minutes=None), out, resume=True)["steps"] == 6


def test_a_config_that_is_none_is_named(tmp_path):
    path = tmp_path / "config.json"
    for content, cause in (
        ("", "is no run's config.json"),
        ("[]", "is no run's config.json"),
        ('{"model": {}, "train": {}}', "ModelConfig lacks"),
        ('{"model": {"n_layer": 1}}', "no setting 'n_layer'|is no run's"),
    ):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(ConfigError, match=cause):
            read_run_config(path)
    with pytest.raises(ConfigError, match=r"is no run's config\.json"):
        read_run_config(tmp_path / "absent.json")


def test_a_damaged_line_of_the_records_is_named(text, tmp_path):
    out = tmp_path / "run"
    run(core.small_run(text), out)
    (out / "report.json").unlink()
    path = out / "metrics.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace('{"step": 2,', "garbage", 1), encoding="utf-8")
    with pytest.raises(DataError, match=r"metrics\.jsonl, line 2, is damaged"):
        run(core.small_run(text), out, resume=True)


def test_a_copied_run_tells_where_it_lies_now(text, tmp_path):
    run(core.small_run(text), tmp_path / "run")
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    report = run(core.small_run(text), tmp_path / "copy", resume=True)
    assert Path(report["out"]) == tmp_path / "copy" and Path(report["checkpoint"]).is_relative_to(tmp_path / "copy")


def test_a_run_writes_its_device_down_and_keeps_it(text, tmp_path):
    run(core.small_run(text), tmp_path / "run")
    began = read_run_config(tmp_path / "run" / "config.json")
    assert began.device == pick_device().type
    assert settings.as_it_began(core.small_run(text), tmp_path / "run") == began
    with pytest.raises(ConfigError, match="began with device"):
        settings.as_it_began(replace(core.small_run(text), device="mps"), tmp_path / "run")
