"""A run's state on disk: written whole or not at all, verified before use, never the only one.

A checkpoint is a folder `step-000120` with `model.safetensors`, `optimizer.pt` (read with weights_only=True),
`config.json`, `state.json` and `manifest.json`, which names every other file with size and sha256. It counts only if
that verifies.
"""

import contextlib
import dataclasses
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch.optim import Optimizer

from minillm.config import ModelConfig, TrainConfig, from_dict
from minillm.errors import CheckpointError, MinillmError
from minillm.model import Transformer
from minillm.paths import write_atomically, write_json
from minillm.records import Record
from minillm.runtime import versions

FORMAT = 1


@dataclass(frozen=True)
class State:
    """What a checkpoint says beside its tensors."""

    record: Record
    data_fingerprint: str
    tokenizer_fingerprint: str


def save_checkpoint(
    folder: Path,
    model: Transformer,
    optimizers: list[Optimizer],
    train_config: TrainConfig,
    state: State,
    *,
    scaler: torch.amp.GradScaler | None = None,
    keep_last: int = 2,
) -> Path:
    """Write a checkpoint of this step below `folder`, verify it, and only then delete the oldest ones.

    It is written under another name and renamed when complete. On a full disk (OSError) the partial folder goes and
    all that was there stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / f"step-{state.record.step:06d}"
    partial = folder / f"{final.name}.part"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir()
        write_files(partial, model, optimizers, train_config, state, scaler)
        write_json(partial / "manifest.json", {"format": FORMAT, "files": describe_files(partial)})
        if os.name == "posix":
            sync_folder(partial)
        if final.exists():  # left by an earlier run of the same step; Windows does not rename onto it
            shutil.rmtree(final)
        os.replace(partial, final)
        if os.name == "posix":
            sync_folder(folder)
    except OSError:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    verify(final)
    remove_old(folder, max(2, keep_last))
    return final


def write_files(
    folder: Path,
    model: Transformer,
    optimizers: list[Optimizer],
    train_config: TrainConfig,
    state: State,
    scaler: torch.amp.GradScaler | None,
) -> None:
    """Write a checkpoint's files but the manifest, each flushed to disk."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    if model.config.ties_head:  # one tensor under two names: safetensors stores each once
        del weights["head.weight"]
    write_atomically(folder / "model.safetensors", save(weights))
    training = {
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "rng": torch.get_rng_state(),
        "scaler": scaler.state_dict() if scaler else None,
    }
    buffer = io.BytesIO()
    torch.save(training, buffer)
    write_atomically(folder / "optimizer.pt", buffer.getvalue())
    write_json(
        folder / "config.json",
        {"model": dataclasses.asdict(model.config), "train": dataclasses.asdict(train_config)},
    )
    write_json(folder / "state.json", {**dataclasses.asdict(state), "versions": versions()})


def sync_folder(folder: Path) -> None:
    """Flush a folder's list of names to disk (Windows has no such call)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def describe_files(folder: Path) -> dict[str, dict]:
    """Return size and sha256 of every file but the manifest."""
    return {
        path.name: {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in sorted(folder.iterdir())
        if path.name != "manifest.json"
    }


def verify(folder: Path) -> None:
    """Raise a CheckpointError unless every file of the checkpoint is exactly what its manifest says."""
    remedy = "Use another checkpoint of the run, or train it again."
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        expected, written_format = manifest["files"], manifest["format"]
        files = describe_files(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{folder} is no whole checkpoint ({type(error).__name__}: {error}).", remedy) from None
    if not isinstance(written_format, int) or written_format < 1:
        raise CheckpointError(f"{folder / 'manifest.json'} names no format.", remedy)
    if written_format > FORMAT:
        raise CheckpointError(
            f"{folder} has format {written_format}; this version of minillm reads up to {FORMAT}.",
            "Install a newer minillm.",
        )
    if not isinstance(expected, dict) or set(expected) != set(files):
        raise CheckpointError(f"{folder} has other files than its manifest names.", remedy)
    for name, description in expected.items():
        if files[name] != description:
            raise CheckpointError(f"{folder / name} is damaged: its size or sha256 is not the manifest's.", remedy)


def is_whole(folder: Path) -> bool:
    """Tell whether a checkpoint verifies."""
    try:
        verify(folder)
    except CheckpointError:
        return False
    return True


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the folders named as checkpoints, oldest first, whole or not."""
    names = [path for path in folder.glob("step-*") if path.is_dir() and path.name[5:].isdigit()]
    return sorted(names, key=lambda path: int(path.name[5:]))


def remove_old(folder: Path, keep_last: int) -> None:
    """Delete all whole checkpoints but the newest `keep_last`; damaged ones are left for a human to see."""
    whole = [path for path in list_checkpoints(folder) if is_whole(path)]
    for path in whole[:-keep_last]:
        shutil.rmtree(path)


def newest_whole(folder: Path) -> tuple[Path | None, list[Path]]:
    """Return the newest checkpoint that verifies, and the damaged newer ones, which are set aside by a new name."""
    set_aside = []
    for path in reversed(list_checkpoints(folder)):
        if is_whole(path):
            return path, set_aside
        damaged = path.with_name(f"damaged-{path.name}")
        shutil.rmtree(damaged, ignore_errors=True)
        os.replace(path, damaged)
        set_aside.append(damaged)
    return None, set_aside


@contextlib.contextmanager
def named_failures(path: Path) -> Iterator[None]:
    """Turn what goes wrong inside a foreign file, even one that its manifest fits, into a CheckpointError."""
    try:
        yield
    except MinillmError:
        raise
    except Exception as error:  # whatever a foreign file makes the readers say: pickle with code, other names or shapes
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(
            f"{path} is not what minillm writes ({type(error).__name__}: {reason}).", "Use another checkpoint."
        ) from None


def read_state(folder: Path) -> State:
    """Read a verified checkpoint's step, clock and fingerprints."""
    with named_failures(folder / "state.json"):
        values = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        values.pop("versions")
        return State(record=Record(**values.pop("record")), **values)


def read_configs(folder: Path) -> tuple[ModelConfig, TrainConfig]:
    """Read the settings of a checkpoint's model and run."""
    with named_failures(folder / "config.json"):
        values = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return from_dict(ModelConfig, values["model"]), from_dict(TrainConfig, values["train"])


def load_model(folder: Path, device: torch.device | str = "cpu") -> Transformer:
    """Verify a checkpoint and return its model in evaluation mode. Raises CheckpointError if it is damaged."""
    verify(folder)
    model_config, _ = read_configs(folder)
    model = Transformer(model_config)
    load_weights(folder, model)
    return model.to(device).eval()


def load_weights(folder: Path, model: Transformer) -> None:
    """Put a checkpoint's weights into a model of the same shape, or raise a CheckpointError."""
    with named_failures(folder / "model.safetensors"):
        weights = load_file(folder / "model.safetensors")
        if model.config.ties_head:
            weights["head.weight"] = weights["token_embedding.weight"]
        model.load_state_dict(weights)


def load_training(folder: Path, optimizers: list[Optimizer], scaler: torch.amp.GradScaler | None = None) -> None:
    """Put a checkpoint's optimizer, scaler and random state back. Nothing is unpickled but tensors and plain values."""
    with named_failures(folder / "optimizer.pt"):
        training = torch.load(folder / "optimizer.pt", weights_only=True, map_location="cpu")
        for optimizer, values in zip(optimizers, training["optimizers"], strict=True):
            optimizer.load_state_dict(values)
        torch.set_rng_state(training["rng"])
        if scaler and training["scaler"]:
            scaler.load_state_dict(training["scaler"])


def check_same(folder: Path, saved: State, model_config: ModelConfig, current: State) -> None:
    """Raise a CheckpointError that names both values if text, tokenizer or model are not those of the checkpoint."""
    pairs = [
        ("corpus fingerprint", saved.data_fingerprint, current.data_fingerprint),
        ("tokenizer fingerprint", saved.tokenizer_fingerprint, current.tokenizer_fingerprint),
        ("model", read_configs(folder)[0], model_config),
    ]
    for what, before, now in pairs:
        if before != now:
            raise CheckpointError(
                f"{folder} was made with the {what} {before}, and now it is {now}.",
                "Resume with the same text, tokenizer and model, or start a new run with another --out.",
            )
