"""Checkpoints: whole or not there; every damage is seen and the one before used; a full disk harms none."""

import errno
import hashlib
import json
import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import core
import pytest
import torch

from minillm import checkpoint
from minillm.checkpoint import (
    State,
    check_same,
    describe_files,
    is_whole,
    list_checkpoints,
    load_model,
    load_training,
    newest_whole,
    read_configs,
    read_state,
    save_checkpoint,
    verify,
)
from minillm.config import ModelConfig, TrainConfig
from minillm.errors import CheckpointError
from minillm.model import Transformer
from minillm.optimizer import make_optimizers
from minillm.records import Record, append_line, cut_after, read_lines
from minillm.train import train

TINY = ModelConfig(n_layers=1, d_model=8, n_heads=1, vocab_size=61, context_length=8)
SETTINGS = TrainConfig(steps=20, batch_size=2)
FILES = ["config.json", "manifest.json", "model.safetensors", "optimizer.pt", "state.json"]


def trained(folder: Path, steps: tuple[int, ...] = (1, 2), config: ModelConfig = TINY, **settings) -> tuple:
    """Train a tiny model, save at the steps named, and return model, optimizers and the last record."""
    torch.manual_seed(0)
    model = Transformer(config)
    optimizers = make_optimizers(model, SETTINGS)
    for record in train(model, core.counting_tokens(), SETTINGS, optimizers=optimizers):
        if record.step in steps:
            save_checkpoint(folder, model, optimizers, SETTINGS, State(record, "text", "words"), **settings)
        if record.step == max(steps):
            return model, optimizers, record


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """A folder with the checkpoints of steps 1 and 2, not to be changed."""
    folder = tmp_path_factory.mktemp("kept")
    trained(folder)
    return folder


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("form", ["gpt2", "modern"])
def test_everything_comes_back_as_it_was_saved(tmp_path, form, tied):
    config = replace(TINY, form=form, tied=tied)
    model, optimizers, record = trained(tmp_path, (3,), config)
    (folder,) = list_checkpoints(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == FILES
    rng = torch.get_rng_state()
    again = load_model(folder)
    assert not again.training and again.config == config
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name
    assert (again.head.weight is again.token_embedding.weight) == tied
    assert read_configs(folder) == (config, SETTINGS)
    assert read_state(folder) == State(record, "text", "words")
    fresh = make_optimizers(again, SETTINGS)
    load_training(folder, fresh)
    assert torch.equal(torch.get_rng_state(), rng)
    for ours, theirs in zip(optimizers, fresh, strict=True):
        a, b = ours.state_dict(), theirs.state_dict()
        assert a["param_groups"] == b["param_groups"] and a["state"].keys() == b["state"].keys()
        for index, values in a["state"].items():
            assert all(
                torch.equal(torch.as_tensor(v), torch.as_tensor(b["state"][index][k])) for k, v in values.items()
            )


def test_the_manifest_is_what_sha256sum_says(kept):
    folder = list_checkpoints(kept)[-1]
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["files"]) == set(FILES) - {"manifest.json"}
    for name, described in manifest["files"].items():
        data = (folder / name).read_bytes()
        assert described == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_anywhere_is_seen(kept, tmp_path, name):
    folder = shutil.copytree(list_checkpoints(kept)[-1], tmp_path / "copy")
    whole = (folder / name).read_bytes()
    for length in sorted({0, 1, len(whole) // 2, len(whole.rstrip()) - 1}):  # a last newline says nothing
        (folder / name).write_bytes(whole[:length])
        assert not is_whole(folder), length
    (folder / name).unlink()
    assert not is_whole(folder)
    (folder / name).write_bytes(whole)
    assert is_whole(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_is_seen(kept, tmp_path, name):
    folder = shutil.copytree(list_checkpoints(kept)[-1], tmp_path / "copy")
    whole = bytearray((folder / name).read_bytes())
    # every byte of the manifest, which nothing else vouches for; of the others some all along the file
    stride = 1 if name == "manifest.json" else max(1, len(whole) // 40)
    for place in range(0, len(whole), stride):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << (place % 8)
        (folder / name).write_bytes(flipped)
        assert not is_whole(folder), f"byte {place}, {whole[place]:#x}"
    flipped = bytes(whole).replace(b'"format": 1', b'"format": 0')  # one bit apart
    (folder / name).write_bytes(flipped)
    assert is_whole(folder) == (name != "manifest.json")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["cut", "flipped", "missing"])
def test_the_one_before_is_used_and_the_damaged_one_set_aside(kept, tmp_path, name, damage):
    folder = shutil.copytree(kept, tmp_path / "copy")
    path = folder / "step-000002" / name
    data = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        middle = len(data) // 2
        rest = b"" if damage == "cut" else bytes([data[middle] ^ 16]) + data[middle + 1 :]
        path.write_bytes(data[:middle] + rest)
    newest, set_aside = newest_whole(folder)
    assert newest == folder / "step-000001"
    assert set_aside == [folder / "damaged-step-000002"] and set_aside[0].is_dir()
    assert load_model(newest).config == TINY
    assert newest_whole(folder) == (newest, [])
    with pytest.raises(CheckpointError):
        load_model(set_aside[0])


def test_an_added_file_and_a_checkpoint_without_a_manifest_do_not_count(kept, tmp_path):
    folder = shutil.copytree(kept, tmp_path / "copy")
    (folder / "step-000002" / "more.bin").write_bytes(b"x")
    with pytest.raises(CheckpointError, match="other files than its manifest"):
        verify(folder / "step-000002")
    (folder / "step-000003").mkdir()
    assert newest_whole(folder)[0] == folder / "step-000001"


class DiskFull:
    """Stands in for calls that write; from the nth on they fail as on a full disk."""

    def __init__(self, monkeypatch, nth: int):
        self.calls, self.nth = 0, nth
        monkeypatch.setattr(os, "fsync", self.failing(os.fsync))
        monkeypatch.setattr(os, "replace", self.failing(os.replace))
        monkeypatch.setattr(Path, "mkdir", self.failing(Path.mkdir))

    def failing(self, call):
        def wrapped(*arguments, **options):
            self.calls += 1
            if self.calls >= self.nth:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return call(*arguments, **options)

        return wrapped


def test_a_full_disk_at_any_write_leaves_the_old_ones_and_nothing_half(tmp_path):
    nth, failures = 0, 0
    while True:
        nth += 1
        folder = tmp_path / str(nth)
        model, optimizers, record = trained(folder)
        before = {path: describe_files(path) for path in list_checkpoints(folder)}
        with pytest.MonkeyPatch.context() as patched:
            disk = DiskFull(patched, nth)
            state = State(replace(record, step=3), "text", "words")
            try:
                save_checkpoint(folder, model, optimizers, SETTINGS, state)
            except OSError as error:
                assert error.errno == errno.ENOSPC
                failures += 1
            else:
                break
        assert disk.calls >= nth
        # a failure after the rename may leave the new one too, but then whole
        there = [path for path in folder.iterdir() if path.name != "step-000003"]
        assert sorted(there) == sorted(before)
        assert all(describe_files(path) == files and is_whole(path) for path, files in before.items())
        assert not (folder / "step-000003").exists() or is_whole(folder / "step-000003")
    assert failures >= 12  # five files, written, flushed and renamed, and folders


def test_the_newest_are_kept_and_damaged_ones_do_not_count(tmp_path):
    model, optimizers, record = trained(tmp_path, (1, 2, 3), keep_last=3)
    (tmp_path / "step-000003" / "state.json").write_bytes(b"")
    state = State(replace(record, step=4), "text", "words")
    save_checkpoint(tmp_path, model, optimizers, SETTINGS, state, keep_last=2)
    # whole are 1, 2 and 4: 2 and 4 stay, and 3 is left for a human to see
    assert [path.name for path in list_checkpoints(tmp_path)] == ["step-000002", "step-000003", "step-000004"]
    save_checkpoint(tmp_path, model, optimizers, SETTINGS, replace(state, record=replace(record, step=5)), keep_last=1)
    assert [path.name for path in list_checkpoints(tmp_path) if is_whole(path)] == ["step-000004", "step-000005"]


def test_nothing_is_deleted_unless_the_new_one_verifies(tmp_path, monkeypatch):
    model, optimizers, record = trained(tmp_path)
    real = checkpoint.write_json

    def write_and_lose_a_file(path: Path, value: object) -> None:
        real(path, value)
        if path.name == "manifest.json":
            (path.parent / "state.json").write_bytes(b"lost")

    monkeypatch.setattr(checkpoint, "write_json", write_and_lose_a_file)
    with pytest.raises(CheckpointError, match=r"state\.json is damaged"):
        save_checkpoint(tmp_path, model, optimizers, SETTINGS, State(replace(record, step=3), "text", "words"))
    monkeypatch.undo()
    assert is_whole(tmp_path / "step-000001") and is_whole(tmp_path / "step-000002")


def resealed(folder: Path) -> None:
    """Write a manifest that fits what is there, as someone else's program could."""
    manifest = {"format": 1, "files": describe_files(folder)}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


class Code:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("writer", ["pickle", "torch"])
def test_a_pickle_with_code_is_refused_and_not_run(kept, tmp_path, writer):
    folder = shutil.copytree(list_checkpoints(kept)[-1], tmp_path / "copy")
    with open(folder / "optimizer.pt", "wb") as file:
        content = {"optimizers": [Code(tmp_path / "ran")], "rng": None, "scaler": None}
        pickle.dump(content, file, protocol=2) if writer == "pickle" else torch.save(content, file)
    resealed(folder)
    with pytest.raises(CheckpointError, match=r"optimizer\.pt is not what minillm writes") as raised:
        load_training(folder, make_optimizers(Transformer(TINY), SETTINGS))
    assert not (tmp_path / "ran").exists()
    assert "\n" not in raised.value.cause


FOREIGN = {
    "weights": ("model.safetensors", b"nothing", load_model),
    "settings": ("config.json", b"{}", load_model),
    "unknown setting": ("config.json", b'{"model": {"n_layer": 1}, "train": {}}', None),
    "state": ("state.json", b'{"record": 5, "versions": {}}', read_state),
    "list": ("state.json", b"[]", read_state),
}


@pytest.mark.parametrize("name, content, read", [v for v in FOREIGN.values() if v[2]], ids=lambda v: str(v)[:20])
def test_foreign_files_under_a_manifest_that_fits_are_named(kept, tmp_path, name, content, read):
    folder = shutil.copytree(list_checkpoints(kept)[-1], tmp_path / "copy")
    (folder / name).write_bytes(content)
    resealed(folder)
    with pytest.raises(CheckpointError, match="is not what minillm writes") as raised:
        read(folder)
    assert name in raised.value.cause and "\n" not in raised.value.cause


def test_weights_of_another_shape_are_named(kept, tmp_path):
    folder = shutil.copytree(list_checkpoints(kept)[-1], tmp_path / "copy")
    values = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    values["model"]["d_hidden"] = 8
    (folder / "config.json").write_text(json.dumps(values), encoding="utf-8")
    resealed(folder)
    with pytest.raises(CheckpointError, match=r"model\.safetensors is not what minillm writes") as raised:
        load_model(folder)
    assert "\n" not in raised.value.cause


def test_a_newer_format_asks_for_a_newer_program(kept, tmp_path):
    folder = shutil.copytree(list_checkpoints(kept)[-1], tmp_path / "copy")
    path = folder / "manifest.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"format": 1', '"format": 2'), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"has format 2; .* reads up to 1.\nInstall a newer minillm"):
        load_model(folder)


def test_another_text_tokenizer_or_model_is_refused_with_both_values(kept):
    folder = list_checkpoints(kept)[-1]
    saved = read_state(folder)
    check_same(folder, saved, TINY, saved)
    other_model = replace(TINY, n_layers=2)
    for model, now, values in (
        (TINY, replace(saved, data_fingerprint="poems"), ("text", "poems")),
        (TINY, replace(saved, tokenizer_fingerprint="syllables"), ("words", "syllables")),
        (other_model, saved, (str(TINY), str(other_model))),
    ):
        with pytest.raises(CheckpointError) as raised:
            check_same(folder, saved, model, now)
        assert all(value in raised.value.cause for value in values)


RECORD = Record(1, 10, 0.1, 0.2, 3.0, 0.01, 1.0, 100.0)


def test_a_half_written_last_line_is_passed_over_and_cut(tmp_path):
    path = tmp_path / "metrics.jsonl"
    for step in (1, 2, 3, 4):
        append_line(path, replace(RECORD, step=step))
    whole = path.read_bytes()
    for length in range(len(whole) - 20, len(whole)):
        path.write_bytes(whole[:length])
        assert [line["step"] for line in read_lines(path)] == [1, 2, 3]
    cut_after(path, 2)
    append_line(path, replace(RECORD, step=3))
    assert [line["step"] for line in read_lines(path)] == [1, 2, 3]
    assert Record(**read_lines(path)[0]) == RECORD
    assert read_lines(tmp_path / "absent.jsonl") == []
    cut_after(path, -1)
    assert path.read_bytes() == b""
