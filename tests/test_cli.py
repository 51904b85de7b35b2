"""The commands: bad input is two lines and exit code 2, nothing written; --json is for programs; a kill harms none."""

import dataclasses
import json
import os
import random
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import core
import pytest
from filelock import FileLock

from minillm import base_model, cli
from minillm.records import read_lines
from minillm.report import printable
from minillm.sampling import generate
from minillm.tokenizer import course_tokenizer

SMALL = ["--preset", "smoke", "--steps", "6", "--batch-size", "2", "--threads", "1"]


@pytest.fixture(scope="module")
def text(tmp_path_factory) -> Path:
    return core.write_words(tmp_path_factory.mktemp("text") / "words.txt", 3000)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def minillm(*arguments: object) -> int:
    """Run a command in this process; return its exit code."""
    with pytest.MonkeyPatch.context() as patched, pytest.raises(SystemExit) as raised:
        patched.setattr(sys, "argv", ["minillm", *map(str, arguments)])
        cli.main()
    return raised.value.code or 0


def losses(out: Path) -> list[tuple[int, float]]:
    """Return step and loss of each line of metrics.jsonl."""
    return [(line["step"], line["train_loss_nats"]) for line in read_lines(out / "metrics.jsonl")]


@pytest.fixture(scope="module")
def finished(text, tmp_path_factory) -> Path:
    """A finished run's folder, not to be changed."""
    out = tmp_path_factory.mktemp("runs") / "first"
    assert minillm("pretrain", *SMALL, "--source", text, "--out", out, "--json") == 0
    return out


def test_pretrain_tells_what_it_did_and_what_to_do_next(text, tmp_path, capfd):
    assert minillm("pretrain", *SMALL, "--source", text) == 0
    out, err = capfd.readouterr()
    report = json.loads((tmp_path / "runs" / "smoke-1" / "report.json").read_text(encoding="utf-8"))
    for words in (f"{report['val_bits_per_byte']:.2f} bits a byte", "report.html", "notebooks/00_start_here.ipynb"):
        assert words in out
    # progress: loss, speed, and the time passed and left
    assert "loss " in err and "tokens/s" in err and "6/6" in err
    assert re.search(r"\[\d\d:\d\d<\d\d:\d\d", err)


def test_json_is_the_report_and_nothing_else(text, tmp_path, capfd):
    assert minillm("pretrain", *SMALL, "--source", text, "--json") == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["finished"] is True and "loss" not in err
    assert minillm("pretrain", *SMALL, "--source", text, "--json") == 0  # the next free folder
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["smoke-1", "smoke-2"]


def test_a_config_repeats_the_run_with_the_same_losses(finished, tmp_path):
    assert minillm("pretrain", "--config", finished / "config.json", "--out", tmp_path / "again", "--json") == 0
    assert losses(tmp_path / "again") == losses(finished)


def test_resume_with_its_own_config_and_other_settings(finished, tmp_path, capfd):
    out = tmp_path / "again"
    again = ["pretrain", "--config", finished / "config.json", "--out", out, "--json", "--resume"]
    assert minillm(*again) == 0 and minillm(*again) == 0
    assert losses(out) == losses(finished)
    capfd.readouterr()
    assert minillm(*again, "--seed", "9") == 2
    assert "ConfigError: The run began with train.seed 0, and now 9 is asked for." in capfd.readouterr().err


def test_sample_continues_and_repeats_by_seed(finished, capfd):
    texts = []
    for seed in (1, 1, 2):
        assert minillm("sample", finished, "--prompt", "the river", "--tokens", 40, "--seed", seed) == 0
        texts.append(capfd.readouterr().out)
    assert texts[0] == texts[1] != texts[2] and texts[0].startswith("the river")
    (newest,) = [path for path in (finished / "checkpoints").iterdir() if path.name == "step-000006"]
    assert minillm("sample", newest, "--prompt", "the river", "--tokens", 40, "--seed", 1, "--json") == 0
    told = json.loads(capfd.readouterr().out)
    assert told["prompt"] == "the river" and printable(told["prompt"] + told["text"]) + "\n" == texts[0]


def test_eval_finds_what_the_run_reported(finished, capfd):
    assert minillm("eval", finished, "--json") == 0
    told = json.loads(capfd.readouterr().out)
    report = json.loads((finished / "report.json").read_text(encoding="utf-8"))
    assert told["val_bits_per_byte"] == pytest.approx(report["val_bits_per_byte"], rel=1e-6)
    assert told["corpus_fingerprint"] == report["corpus_fingerprint"]
    assert minillm("eval", finished) == 0
    assert f"{report['val_bits_per_byte']:.4f}" in capfd.readouterr().out


def test_corpus_describes_a_source(text, capfd):
    assert minillm("corpus", "--source", text, "--json") == 0
    assert isinstance(json.loads(capfd.readouterr().out), dict)
    assert minillm("corpus", "--source", text) == 0
    assert "text" in capfd.readouterr().out


def make_inputs(folder: Path) -> None:
    """Write files that cannot work."""
    (folder / "empty.txt").write_bytes(b"")
    (folder / "short.txt").write_text("The river and the stone.", encoding="utf-8")
    (folder / "latin.txt").write_bytes(b"caf\xe9 " * 500)
    (folder / "lines.jsonl").write_text('{"text": "a"}\n{"txt": "b"}\n', encoding="utf-8")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    (folder / "full").mkdir()
    (folder / "full" / "thesis.md").write_text("mine", encoding="utf-8")
    (folder / "used").mkdir()
    (folder / "hollow").mkdir()
    run = {
        "model": {"n_layers": 1, "d_model": 65, "n_heads": 2},
        "train": {},
    }
    for name, change in {
        "width": {},
        "key": {"model": {"n_layer": 1}},
        "prompt": {"model": {"n_layers": 1, "d_model": 64, "n_heads": 2}, "prompts": ["river " * 200]},
        "prompts": {"model": {"n_layers": 1, "d_model": 64, "n_heads": 2}, "prompts": "river"},
        "warmup": {"model": {"n_layers": 1, "d_model": 64, "n_heads": 2}, "train": {"warmup_steps": 900}},
    }.items():
        (folder / f"{name}.json").write_text(json.dumps({**run, **change}), encoding="utf-8")
    (folder / "nothing.json").write_text("{", encoding="utf-8")


# command, error, words of the cause, words of the remedy; TEXT and RUN stand for a good source and a finished run
BAD = [
    ("pretrain --source no.txt", "DataError", "There is no file or folder no.txt", "path of your text"),
    ("pretrain --source empty.txt", "DataError", "holds no text", "text"),
    ("pretrain --source short.txt", "DataError", "one sequence takes", "longer text"),
    ("pretrain --source latin.txt", "DataError", "not UTF-8: byte 3", "UTF-8"),
    ("pretrain --source lines.jsonl", "DataError", "line 2, has no field 'text'", "text"),
    ("pretrain --source picture.png", "DataError", "not a text source", ".txt"),
    ("pretrain --source hollow", "DataError", "holds no", "text"),
    ("pretrain --preset minut", "ConfigError", "no preset named 'minut'", "Did you mean 'minute'?"),
    ("pretrain --size smal", "ConfigError", "no size named 'smal'", "Did you mean 'small'?"),
    ("pretrain --config width.json", "ConfigError", "65 is not divisible by n_heads 2", "multiple of 2"),
    ("pretrain --config key.json", "ConfigError", "no setting 'n_layer'", "Did you mean 'n_layers'?"),
    ("pretrain --config prompt.json --source TEXT", "ConfigError", "tokens and the model sees", "Shorten"),
    ("pretrain --config prompts.json", "ConfigError", "prompts is 'river', a str", "tuple"),
    ("pretrain --config warmup.json", "ConfigError", "warm-up of 900 steps", "warmup_steps"),
    ("pretrain --config nothing.json", "ConfigError", "no run's config.json", "config.json"),
    ("pretrain --config absent.json", "ConfigError", "no run's config.json", "config.json"),
    ("pretrain --minutes 1 --steps 5", "ConfigError", "Both --minutes and --steps", "one of them"),
    ("pretrain --minutes 0", "ConfigError", "minutes is 0", "above 0"),
    ("pretrain --minutes nan", "ConfigError", "minutes is nan", "above 0"),
    ("pretrain --steps 0", "ConfigError", "steps is 0", "above 0"),
    ("pretrain --learning-rate -0.1", "ConfigError", "learning_rate is -0.1", "above 0"),
    ("pretrain --learning-rate inf", "ConfigError", "learning_rate is inf", "above 0"),
    ("pretrain --batch-size 12 --micro-batches 5", "ConfigError", "cannot be cut into 5", "divisor"),
    ("pretrain --seed -1", "ConfigError", "seed is -1", "0 or more"),
    ("pretrain --seed 99999999999999999999", "ConfigError", "seed is 9999", "seed"),
    ("pretrain --optimizer sgd", "ConfigError", "optimizer 'sgd' is unknown", "muon, adamw"),
    ("pretrain --precision int8", "ConfigError", "precision 'int8' is unknown", "fp32"),
    ("pretrain --precision fp16 --device cpu", "DeviceError", "fp16 is not used on cpu", "fp32"),
    ("pretrain --device tpu", "DeviceError", "no device 'tpu'", "cpu"),
    ("pretrain --threads 0", "ConfigError", "threads is 0", "above 0"),
    ("pretrain --threads 100000", "ConfigError", "threads is 100000", "on this machine"),
    ("pretrain --batch-size 1000000000", "ConfigError", "GB of memory, more than this machine has", "--batch-size"),
    ("pretrain --minutes 1e300", "ConfigError", "more than a year", "fewer minutes"),
    ("pretrain --steps 99999999999999999999", "ConfigError", "more than any run takes", "billion"),
    ("pretrain --preset smoke --config width.json", "ConfigError", "Both --preset and --config", "one of them"),
    ("pretrain --out runs/con", "ConfigError", "'con' is no name for a run", "letters"),
    ("pretrain --out full", "CheckpointError", "full is not empty", "another --out"),
    ("pretrain --out full --resume", "CheckpointError", "holds other files and no run", "--out"),
    ("pretrain --out full/thesis.md", "CheckpointError", "is a file", "folder"),
    ("pretrain --out empty.txt/run --source TEXT", "CheckpointError", "cannot be written to", "--out"),
    ("pretrain --out used --source TEXT", "CheckpointError", "Another process is training in used", "--out"),
    ("pretrain --out a:b", "ConfigError", "'a:b' is no name for a run", "letters"),
    ("pretrain --out runs/..", "ConfigError", "'..' is no name for a run", "letters"),
    ("pretrain --resume", "ConfigError", "--resume needs to know which run", "--out"),
    ("sample hollow", "CheckpointError", "no checkpoint in hollow", "minillm pretrain"),
    ("sample absent", "CheckpointError", "no checkpoint in absent", "minillm pretrain"),
    ("sample RUN --temperature -1", "ConfigError", "temperature is -1", "0.8"),
    ("sample RUN --temperature nan", "ConfigError", "temperature is nan", "0.8"),
    ("sample RUN --top-p 1.5", "ConfigError", "top_p is 1.5", "up to 1"),
    ("sample RUN --top-k 0", "ConfigError", "top_k is 0", "1 or more"),
    ("sample RUN --tokens 0", "ConfigError", "0 tokens", "1 or more"),
    ("sample RUN --seed 99999999999999999999", "ConfigError", "seed is 9999", "seed"),
    ("sample RUN --prompt=", "ConfigError", "prompt is empty", "character"),
    ("sample RUN --prompt=" + "river" * 200, "ConfigError", "tokens and the model sees", "Shorten"),
    ("eval hollow", "CheckpointError", "no checkpoint in hollow", "minillm pretrain"),
    ("eval RUN --source no.txt", "DataError", "There is no file or folder no.txt", "path"),
    ("corpus --source no.txt", "DataError", "There is no file or folder no.txt", "path"),
    ("cost", "ConfigError", "Nothing says which run, shape or size", "--params"),
    ("cost GPT-9000", "ConfigError", "no 'GPT-9000' in the table", "Did you mean"),
    ("cost --run GPT9", "ConfigError", "no 'GPT9' in the table", "Did you mean"),
    ("cost --shape DeepSeekV9", "ConfigError", "no 'DeepSeekV9' in the table", "Did you mean 'DeepSeek-V2'?"),
    ("cost --shape OLMo-2", "ConfigError", "'OLMo-2' fits 3 rows", "OLMo-2 7B, OLMo-2 13B"),
    ("cost --run GPT-2", "ConfigError", "fits 7 rows", "Say which"),
    ("cost --params 7B --shape base", "ConfigError", "--shape and --params are given together", "Give one"),
    ("cost --params 10B? --tokens 1T", "ConfigError", "params is '10B?', which is no number", "7B"),
    ("cost --params 0 --tokens 1T", "ConfigError", "params is 0", "above 0"),
    ("cost --params -7e9 --tokens 1T", "ConfigError", "params is -7e+09", "above 0"),
    ("cost --params nan --tokens 1T", "ConfigError", "params is nan", "above 0"),
    ("cost --params 7B --tokens inf", "ConfigError", "tokens is inf", "above 0"),
    ("cost --params 7B --tokens -2T", "ConfigError", "tokens is -2e+12", "above 0"),
    ("cost --params 1e300 --tokens 1e300", "ConfigError", "tokens is 1e+300, more than anything", "smaller"),
    ("cost --params 7B --tokens 1T --active-params 8B", "ConfigError", "active_params is 8e+09, more than", "at most"),
    ("cost --active-params 8B DeepSeek-V3", "ConfigError", "--active-params is given without", "both or none"),
    ("cost --params 7B --tokens 1T --accelerator h1000", "ConfigError", "no accelerator 'h1000'", "'h100'? Known"),
    ("cost --params 7B --tokens 1T --accelerator a100", "ConfigError", "'a100' may be one of 2", "a100-80gb"),
    ("cost --params 7B --tokens 1T --utilisation 1.01", "ConfigError", "utilisation is 1.01", "up to 1"),
    ("cost --params 7B --tokens 1T --utilisation 0", "ConfigError", "utilisation is 0", "above 0"),
    ("cost --params 7B --tokens 1T --utilisation 0.5-0.3", "ConfigError", "from more to less", "lower number first"),
    ("cost --params 7B --tokens 1T --goodput 0.9", "ConfigError", "goodput is given without", "steady state"),
    ("cost --params 7B --tokens 1T --job hobbit", "ConfigError", "no kind of job named 'hobbit'", "mean 'hobby'?"),
    ("cost --params 7B --tokens 1T --devices 1.5", "ConfigError", "devices is 1.5, which is no whole", "whole number"),
    ("cost --params 7B --tokens 1T --zero 4", "ConfigError", "zero is 4", "0 (nothing shared) to 3"),
    ("cost --params 7B --tokens 1T --recompute all", "ConfigError", "way to recompute named 'all'", "selective"),
    ("cost --params 7B --tokens 1T --price free", "ConfigError", "price_usd_per_hour is 'free'", "Write"),
    ("cost --params 7B --tokens 1T --pue 0.9", "ConfigError", "pue is 0.9", "1 or more"),
    ("cost --params 7B --context 4096", "ConfigError", "--context is given without a shape", "--shape"),
    ("cost --layers 2 --width 64", "ConfigError", "needs --heads too", "together"),
    ("cost --layers 2 --width 64 --heads 3", "ConfigError", "width 64 is not divisible by heads 3", "multiple"),
    ("cost --layers 2 --width 64 --heads 4 --kv-heads 3", "ConfigError", "does not divide n_heads 4", "divisor"),
    ("cost --layers 2.5 --width 64 --heads 4", "ConfigError", "layers is 2.5, which is no whole", "whole number"),
    ("cost --run GPT9_1.5B", "ConfigError", "no 'GPT9_1.5B'", "Did you mean 'GPT-2 1.5B'?"),
    ("cost --audit --params 7B", "ConfigError", "--audit takes every published run", "Leave the other"),
    ("plan", "ConfigError", "No budget is given", "--minutes, --flops and --dollars"),
    ("plan --minutes ten", "ConfigError", "minutes is 'ten', which is no number", "Write it as"),
    ("plan --minutes 0", "ConfigError", "minutes is 0", "above 0"),
    ("plan --minutes -5", "ConfigError", "minutes is -5", "above 0"),
    ("plan --minutes 1 --flops 1e12", "ConfigError", "--minutes and --flops are given together", "Give one"),
    ("plan --minutes 1e9", "ConfigError", "more than a year", "fewer minutes"),
    ("plan --minutes 1 --device tpu", "DeviceError", "no device 'tpu'", "cpu"),
    ("plan --minutes 1 --accelerator h100", "ConfigError", "--accelerator is given without --dollars", "rented"),
    ("plan --flops 1e7", "ConfigError", "too few for any run", "or more"),
    ("plan --dollars 100 --accelerator h1000", "ConfigError", "no accelerator 'h1000'", "'h100'? Known"),
    ("plan --dollars 100 --job hobbit", "ConfigError", "no kind of job named 'hobbit'", "mean 'hobby'?"),
    ("doctor --device tpu", "DeviceError", "no device 'tpu'", "cpu"),
]


@pytest.mark.parametrize("command, error, cause, remedy", BAD, ids=[line[0][:50] for line in BAD])
def test_bad_input_is_two_lines_and_nothing_is_written(command, error, cause, remedy, text, finished, tmp_path, capfd):
    make_inputs(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    arguments = command.replace("TEXT", str(text)).replace("RUN", str(finished)).split(" ")
    with FileLock(tmp_path / "used" / ".lock"):
        assert minillm(*arguments) == 2
    (tmp_path / "used" / ".lock").unlink(missing_ok=True)
    out, err = capfd.readouterr()
    steps = ("Reading the corpus", "Turning its text", "The corpus was read before")
    assert [line for line in out.splitlines() if not line.startswith(steps)] == []
    lines = err.rstrip("\n").split("\n")
    assert len(lines) == 2, err
    assert lines[0].startswith(f"{error}: ") and cause in lines[0] and remedy in lines[1]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "command, words",
    [
        ("pretrian", "pretrain"),
        ("pretrain --sed 5", "--seed"),
        ("pretrain --seed five", "--seed"),
        ("export", "Missing"),
    ],
)
def test_an_unknown_command_or_flag_is_refused_and_the_right_one_named(command, words, tmp_path, capfd):
    assert minillm(*command.split()) == 2
    out, err = capfd.readouterr()
    assert words in err and "Traceback" not in err and out == ""
    assert list(tmp_path.iterdir()) == []


def test_cost_of_totals_alone(capfd):
    command = ["cost", "--params", "7e9", "--tokens", "2e12", "--accelerator", "a100-80gb"]
    assert minillm(*command, "--json") == 0
    told = json.loads(capfd.readouterr().out)
    hours = told["accelerator_hours"]
    assert 0 < hours["low"] < 184_320 < hours["high"] <= 3 * hours["low"]  # Llama 2 7B
    assert minillm(*command) == 0
    assert "accelerator-hours" in capfd.readouterr().out
    assert minillm("cost", "--params", "7B", "--tokens", "2T", "--accelerator", "A100-80GB", "--json") == 0
    assert json.loads(capfd.readouterr().out) == told


def test_cost_of_a_published_run_a_shape_and_a_size(capfd):
    for name in (("Llama-3.1 405B",), ("--run", "Llama-3.1 405B")):
        assert minillm("cost", *name, "--json") == 0
        told = json.loads(capfd.readouterr().out)
        assert told["accelerator_hours"]["low"] < 30.84e6 < told["accelerator_hours"]["high"]
        assert told["published"]["accelerator_hours_inside"] is True
    assert minillm("cost", "--shape", "DeepSeek-V3", "--tokens", "14.8T", "--job", "frontier", "--json") == 0
    told = json.loads(capfd.readouterr().out)
    assert told["parameters_active"] < told["parameters_total"] / 10 and told["job"] == "cluster"
    assert minillm("cost", "gpt2", "--tokens", "10B", "--utilisation", "0.4", "--json") == 0
    told = json.loads(capfd.readouterr().out)
    assert told["parameters_total"] == 124_439_808
    assert told["accelerator_hours"]["low"] == told["accelerator_hours"]["high"]
    assert minillm("cost", "--layers", 2, "--width", 64, "--heads", 4, "--json") == 0
    assert json.loads(capfd.readouterr().out)["accelerator_hours"] is None


def test_the_audit_is_one_command(capfd):
    assert minillm("cost", "--audit") == 0
    assert "a constant 38%" in capfd.readouterr().out
    assert minillm("cost", "--audit", "--json") == 0
    told = json.loads(capfd.readouterr().out)
    assert told["summary"]["flops_within_5_percent"] == told["summary"]["flops_checked"]


def test_a_plan_without_measuring(capfd):
    assert minillm("plan", "--flops", "2e12") == 0
    said = capfd.readouterr().out
    assert minillm("plan", "--flops", "2T", "--json") == 0
    told = json.loads(capfd.readouterr().out)
    assert told["answer"]["command"] in said and told["answer"]["flops"] <= 2e12
    assert told["answer"]["bits_per_byte"]["low"] < told["answer"]["bits_per_byte"]["high"] and told["machine"] is None
    assert minillm("plan", "--dollars", "100", "--accelerator", "h100", "--json") == 0
    told = json.loads(capfd.readouterr().out)
    assert told["answer"] is None and told["rent"]["accelerator"] == "h100"
    split = told["published_law"]
    assert 0 < split["parameters"]["low"] < split["parameters"]["high"] and "MassiveText" in split["text"]


def test_a_plan_for_minutes_of_this_machine(capfd):
    assert minillm("plan", "--minutes", "0.05", "--json") == 0
    told = json.loads(capfd.readouterr().out)
    assert told["answer"]["command"] == f"minillm pretrain --size {told['answer']['size']} --minutes 0.05"
    assert told["candidates"][0]["steps"] >= 10 and told["machine"]["device"]
    assert all(row["years"]["low"] > 1 for row in told["here"])


def test_the_doctor_tells_what_was_measured(monkeypatch, capfd):
    from minillm import doctor
    from minillm.config import PRESETS, SIZES, TrainConfig

    model = dataclasses.replace(SIZES["nano"], vocab_size=1024)
    tiny = dataclasses.replace(PRESETS["smoke"], model=model, train=TrainConfig(steps=5, batch_size=2))
    examine = doctor.examine
    monkeypatch.setattr(doctor, "examine", lambda device, say: examine({"tiny": tiny}, device, say, seconds=0.05))
    assert minillm("doctor", "--json") == 0
    told = json.loads(capfd.readouterr().out)
    (time,) = told["presets"]
    assert time["name"] == "tiny" and time["total_s"] > time["training_s"] > 0 and told["machine"]["cores"] >= 1
    assert minillm("doctor") == 0
    said = capfd.readouterr().out
    assert "Measuring this machine" in said and "tiny" in said and "in all" in said


@pytest.mark.parametrize("command", ["pretrain", "sample", "eval", "corpus", "cost", "plan", "doctor"])
def test_help_explains_every_option(command, capfd):
    import inspect

    function = {"eval": cli.evaluate_run}.get(command) or getattr(cli, command)
    assert minillm(command, "--help") == 0
    out = capfd.readouterr().out.lower()
    for name in inspect.signature(function).parameters:
        assert name.replace("_", "-") in out


def process(*arguments: object, **options) -> subprocess.Popen:
    """Start a command as the learner does."""
    return subprocess.Popen(
        [sys.executable, "-m", "minillm.cli", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        **options,
    )


def wait_for(condition, worker: subprocess.Popen, seconds: float = 120) -> None:
    """Wait until a condition holds or the process has ended."""
    start = time.monotonic()
    while not condition() and worker.poll() is None:
        assert time.monotonic() - start < seconds
        time.sleep(0.01)


def test_killed_at_random_moments_it_ends_with_the_losses_of_an_uninterrupted_call(tmp_path):
    def command(out: str) -> list[str]:
        line = f"pretrain --preset smoke --seed 5 --steps 120 --checkpoint-every 10 --out {out} --resume"
        return line.split()

    whole, killed = tmp_path / "whole", tmp_path / "killed"
    workers = [process(*command("whole"))]
    draw, kills = random.Random(11), []
    for _ in range(4):
        # first at any moment from the start on, then when it has gone on by some steps, and a little later
        worker = process(*command("killed"))
        goal = len(read_lines(killed / "metrics.jsonl")) + draw.randrange(2, 30) if kills else 1
        wait_for(lambda goal=goal: len(read_lines(killed / "metrics.jsonl")) >= goal, worker)
        time.sleep(draw.uniform(0, 0.1))
        worker.kill()
        worker.wait()
        kills.append(worker.returncode)
    workers.append(process(*command("killed")))
    for worker in workers:
        said, _ = worker.communicate(timeout=300)
        assert worker.returncode == 0, said
    assert kills.count(-signal.SIGKILL) >= 3
    assert [step for step, _ in losses(whole)] == list(range(1, 121))
    assert losses(killed) == losses(whole)
    evals = [
        [(line["step"], line["val_loss_nats"]) for line in read_lines(out / "evals.jsonl")] for out in (whole, killed)
    ]
    assert evals[0] == evals[1]
    assert read_lines(whole / "samples.jsonl") == read_lines(killed / "samples.jsonl")


def test_a_polite_stop_saves_exits_130_and_goes_on_to_the_same(text, tmp_path, capfd):
    command = ["pretrain", "--preset", "smoke", "--steps", "60", "--threads", "1", "--source", text, "--resume"]
    worker = process(*command, "--out", "stopped")
    wait_for(lambda: len(read_lines(tmp_path / "stopped" / "metrics.jsonl")) >= 5, worker)
    worker.send_signal(signal.SIGTERM)
    said, _ = worker.communicate(timeout=60)
    assert worker.returncode == 130
    again = shlex.split(said.partition("Stopped and saved. To go on: ")[2])
    done = len(losses(tmp_path / "stopped"))
    assert 5 <= done < 60
    assert [path.name for path in (tmp_path / "stopped" / "checkpoints").iterdir()] == [f"step-{done:06d}"]
    assert again[0] == "minillm" and minillm(*again[1:]) == 0  # the very command that was printed
    assert f"Going on after step {done}" in capfd.readouterr().out
    assert minillm(*command, "--out", "whole") == 0
    assert losses(tmp_path / "stopped") == losses(tmp_path / "whole")


def test_a_stop_before_training_leaves_a_word_and_no_traceback(text, tmp_path, monkeypatch, capfd):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("minillm.pretrain.prepare_tokens", interrupted)
    assert minillm("pretrain", *SMALL, "--source", text, "--out", "run") == 130
    assert "Stopped" in capfd.readouterr().err and not (tmp_path / "run").exists()


def test_a_reader_that_has_seen_enough_is_no_error(text):
    worker = process("corpus", "--source", text, bufsize=0, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    worker.stdout.close()
    assert worker.wait(timeout=120) in (0, 1)


def test_no_space_anywhere_is_two_lines(text, monkeypatch, capfd):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("minillm.batches.write_tokens", full)
    monkeypatch.setattr("minillm.batches.read_tokens", lambda folder: None)
    assert minillm("pretrain", *SMALL, "--source", text, "--json") == 2
    err = capfd.readouterr().err
    assert "No space left" in err and len(err.strip().split("\n")) == 2


def test_sample_without_a_run_lets_the_base_model_write(capfd):
    assert minillm("sample", "--prompt", "The history of", "--tokens", 20, "--json") == 0
    written = json.loads(capfd.readouterr().out)
    model = base_model.load()
    expected = generate(model, course_tokenizer(), "The history of", 20, temperature=0.8, seed=0)
    assert written["text"] == expected
