"""The base model that comes with the course: written from a finished run in half precision, with its card, and loaded.

Its folder, `data/base_model/`, holds `model.safetensors` (16 bits a weight), `card.json` (the model's shape, its run,
its loss on held-out text, the sha256 of the weights) and `README.md`, the same for people.
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save

from minillm import checkpoint
from minillm.batches import prepare_tokens
from minillm.config import ModelConfig, from_dict
from minillm.errors import CheckpointError
from minillm.evaluate import evaluate
from minillm.model import Transformer, n_parameters
from minillm.paths import data_dir, write_atomically, write_json
from minillm.tokenizer import course_tokenizer

COMMAND = "make base-model"
"""The one command that trains it and writes its folder."""


@dataclass(frozen=True)
class Card:
    """What is known of the base model: its shape, how it was trained, and its loss on text that it has not read."""

    model: dict
    train: dict
    parameters: int
    tokens_seen: int
    training_s: float
    flops: float
    bits_per_byte: float
    """Mean of the four kinds, measured on the weights as they are stored."""
    bits_per_byte_by_kind: dict[str, float]
    val_loss_nats: float
    corpus_fingerprint: str
    tokenizer_fingerprint: str
    sha256: str
    """Of the file with the weights."""
    bytes: int
    machine: dict
    versions: dict

    def __repr__(self) -> str:
        kinds = ", ".join(f"{kind} {bits:.2f}" for kind, bits in self.bits_per_byte_by_kind.items())
        return (
            f"{self.parameters:,} parameters, trained on {self.tokens_seen:,} tokens in {self.training_s / 60:.0f} "
            f"minutes\n{self.bits_per_byte:.2f} bits a byte on text it has not read ({kinds})\n"
            f"{self.bytes / 1e6:.1f} MB, sha256 {self.sha256[:16]}..."
        )


def folder() -> Path:
    """Return where the shipped model lies, in a checkout and in an installed wheel."""
    return data_dir() / "base_model"


def card(where: Path | None = None) -> Card:
    """Read the card. Raises CheckpointError if there is none."""
    path = (where or folder()) / "card.json"
    try:
        return from_dict(Card, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} is no card of a base model ({type(error).__name__}: {error}).",
            f"Install the course again, or train the model: {COMMAND}",
        ) from None


def load(where: Path | None = None, device: torch.device | str = "cpu") -> Transformer:
    """Return the base model in evaluation mode, its weights as 32-bit numbers.

    Raises CheckpointError if the file is not the one that the card describes, or the course's tokenizer another one.
    """
    where = where or folder()
    about = card(where)
    path = where / "model.safetensors"
    remedy = f"Install the course again, or train the model: {COMMAND}"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror or error}).", remedy) from None
    if hashlib.sha256(content).hexdigest() != about.sha256:
        raise CheckpointError(f"{path} is damaged: its sha256 is not the card's.", remedy)
    if course_tokenizer().fingerprint != about.tokenizer_fingerprint:
        raise CheckpointError("The base model was trained with another tokenizer than the course's.", remedy)
    model = Transformer(from_dict(ModelConfig, about.model))
    with checkpoint.named_failures(path):
        put_in(load_tensors(content), model)
    return model.to(device).eval()


def put_in(half: dict[str, torch.Tensor], model: Transformer) -> None:
    """Put weights of 16 bits into a model of the same shape, as numbers of 32 bits."""
    weights = {name: weight.float() for name, weight in half.items()}
    if model.config.ties_head:
        weights["head.weight"] = weights["token_embedding.weight"]
    model.load_state_dict(weights)


def export(run: Path, where: Path, say: Callable[[str], None] = lambda line: None) -> Card:
    """Write the finished run's model into a folder in half precision, measure it as stored, and return its card.

    Raises CheckpointError if the run has not ended.
    """
    try:
        report = json.loads((run / "report.json").read_text(encoding="utf-8"))
        config = json.loads((run / "config.json").read_text(encoding="utf-8"))
        saved = checkpoint.list_checkpoints(run / "checkpoints")[-1]
    except (OSError, ValueError, IndexError):
        raise CheckpointError(
            f"{run} is no finished run.", f"Train it to its end: minillm pretrain --resume --out {run}"
        ) from None
    model = checkpoint.load_model(saved)
    half = {name: weight.detach().half().contiguous() for name, weight in model.state_dict().items()}
    if model.config.ties_head:  # one tensor under two names: safetensors stores each once
        del half["head.weight"]
    put_in(half, model)
    say("Measuring it, as stored, on the held-out text ...")
    keys = ("source", "corpus_part", "held_out_bytes", "filtered")
    source, part, held_out_bytes, filtered = (config[key] for key in keys)
    tokens = prepare_tokens(
        source, course_tokenizer(), part=part, held_out_bytes=held_out_bytes, filtered=filtered, say=say
    )
    result = evaluate(model, tokens)
    content = save(half)
    about = Card(
        model=dataclasses.asdict(model.config),
        train=config["train"],
        parameters=n_parameters(model),
        tokens_seen=report["tokens_seen"],
        training_s=round(report["elapsed_s"], 1),
        flops=report["flops"],
        bits_per_byte=round(result.val_bits_per_byte, 4),
        bits_per_byte_by_kind={kind: round(bits, 4) for kind, bits in result.bits_per_byte_by_kind.items()},
        val_loss_nats=round(result.val_loss_nats, 4),
        corpus_fingerprint=tokens.fingerprint,
        tokenizer_fingerprint=course_tokenizer().fingerprint,
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        machine=report["machine"],
        versions=report["versions"],
    )
    where.mkdir(parents=True, exist_ok=True)
    write_atomically(where / "model.safetensors", content)
    write_json(where / "card.json", dataclasses.asdict(about))
    return about
