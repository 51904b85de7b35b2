"""The shipped base model: the file is what its card says, its loss is measured again, damage has a name."""

import dataclasses
import json
import shutil
from pathlib import Path

import core
import pytest
import torch

from minillm import base_model
from minillm.batches import Tokens, prepare_tokens
from minillm.checkpoint import load_model
from minillm.config import PRESETS
from minillm.cost import count_parameters, training_flops
from minillm.errors import CheckpointError
from minillm.evaluate import evaluate
from minillm.pretrain import pretrain
from minillm.sampling import generate
from minillm.tokenizer import course_tokenizer


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> tuple[Path, Path, base_model.Card]:
    """A small finished run, the folder it was written to, and its card."""
    folder = tmp_path_factory.mktemp("export")
    config = core.small_run(core.write_words(folder / "words.txt"))
    pretrain(config, folder / "run", progress=False)
    return folder / "run", folder / "half", base_model.export(folder / "run", folder / "half")


def test_what_is_loaded_is_the_run_rounded_to_half_precision(exported):
    run, half, card = exported
    trained = load_model(sorted((run / "checkpoints").iterdir())[-1]).state_dict()
    loaded = base_model.load(half)
    assert not loaded.training
    for name, weight in loaded.state_dict().items():
        assert weight.dtype == torch.float32
        assert torch.equal(weight, trained[name].half().float())
    assert card == base_model.card(half)
    assert card.bytes == (half / "model.safetensors").stat().st_size < 2.2 * card.parameters + 4000


def test_the_card_tells_of_the_run(exported):
    run, _, card = exported
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    assert card.tokens_seen == report["tokens_seen"] == 12 * 4 * 32
    assert card.train["steps"] == 12
    assert card.corpus_fingerprint == report["corpus_fingerprint"]
    assert card.bits_per_byte == pytest.approx(report["val_bits_per_byte"], abs=0.01)


def test_a_tied_head_is_stored_once(tmp_path):
    config = core.small_run(core.write_words(tmp_path / "words.txt"), steps=2)
    config = dataclasses.replace(config, model=dataclasses.replace(config.model, form="gpt2"))
    pretrain(config, tmp_path / "run", progress=False)
    card = base_model.export(tmp_path / "run", tmp_path / "half")
    model = base_model.load(tmp_path / "half")
    assert model.head.weight.data_ptr() == model.token_embedding.weight.data_ptr()
    assert card.bytes < 2.2 * card.parameters + 4000


@pytest.mark.parametrize("name", ["model.safetensors", "card.json"])
def test_missing_and_damaged_files_have_a_named_error(exported, tmp_path, name):
    _, half, _ = exported
    shutil.copytree(half, tmp_path / "copy")
    path = tmp_path / "copy" / name
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointError, match=r"damaged|no card"):
        base_model.load(tmp_path / "copy")
    path.unlink()
    with pytest.raises(CheckpointError, match="make base-model"):
        base_model.load(tmp_path / "copy")


def test_another_tokenizer_is_refused(exported, tmp_path):
    _, half, card = exported
    shutil.copytree(half, tmp_path / "copy")
    other = dataclasses.asdict(dataclasses.replace(card, tokenizer_fingerprint="0" * 16))
    (tmp_path / "copy" / "card.json").write_text(json.dumps(other), encoding="utf-8")
    with pytest.raises(CheckpointError, match="another tokenizer"):
        base_model.load(tmp_path / "copy")


def test_a_run_that_has_not_ended_is_not_written(tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(CheckpointError, match="no finished run"):
        base_model.export(tmp_path / "run", tmp_path / "half")
    assert not (tmp_path / "half").exists()


@pytest.fixture(scope="module")
def corpus() -> Tokens:
    return prepare_tokens("embedded", course_tokenizer())


def test_the_shipped_model_is_the_preset_trained_to_its_end():
    card, preset = base_model.card(), PRESETS["shipped"]
    assert card.model == dataclasses.asdict(preset.model)
    for name, value in dataclasses.asdict(preset.train).items():
        assert name == "threads" or card.train[name] == value
    assert card.tokens_seen == preset.train.steps * preset.train.batch_size * preset.model.context_length
    assert card.parameters == count_parameters(preset.model).total
    assert card.flops == training_flops(preset.model, card.tokens_seen)
    assert 1e6 < card.parameters < 4e6 and card.bytes < 12e6


def test_its_loss_by_kind_is_the_card_s(corpus):
    card = base_model.card()
    assert card.corpus_fingerprint == corpus.fingerprint
    result = evaluate(base_model.load(), corpus)
    assert result.bits_per_byte_by_kind == pytest.approx(card.bits_per_byte_by_kind, abs=2e-3)
    assert result.val_loss_nats == pytest.approx(card.val_loss_nats, abs=2e-3)


def test_it_writes_words_and_not_noise(corpus):
    tokenizer, model = course_tokenizer(), base_model.load()
    text = " ".join(generate(model, tokenizer, "The history of", 150, temperature=0.6, seed=seed) for seed in range(4))
    words = [word for word in text.split() if word.isalpha() and len(word) > 2]
    known = b" ".join(tokenizer.decode_bytes(corpus.train[kind][:2_000_000].tolist()) for kind in ("web", "books"))
    known_words = set(known.decode("utf-8", "replace").split())
    assert len(words) > 150
    assert sum(word in known_words for word in words) / len(words) > 0.8


def test_the_folder_s_readme_says_what_the_card_says():
    card, text = base_model.card(), (base_model.folder() / "README.md").read_text(encoding="utf-8")
    said = [card.sha256, f"{card.parameters:,}", f"{card.tokens_seen:,}", base_model.COMMAND]
    said += [f"| {kind} | {bits:.2f} |" for kind, bits in card.bits_per_byte_by_kind.items()]
    for words in said:
        assert words in text
