"""Batches: a pure function of seed and step, targets one on, kinds by weight; the cache gives back what it got."""

from dataclasses import replace

import core
import numpy as np
import pytest
import torch

from minillm import batches
from minillm.batches import get_batch, prepare_tokens, read_tokens, write_tokens
from minillm.errors import DataError
from minillm.tokenizer import course_tokenizer


def batch(tokens, **changes):
    """Return a batch with usual settings."""
    return get_batch(tokens, **{"seed": 1, "step": 5, "batch_size": 8, "context_length": 16, **changes})


def test_the_same_seed_and_step_give_the_same_batch_and_others_another():
    tokens = core.counting_tokens()
    inputs, targets = batch(tokens)
    torch.manual_seed(7)
    for step in (1, 9):
        batch(tokens, step=step)
    again = batch(tokens)
    assert torch.equal(inputs, again[0]) and torch.equal(targets, again[1])
    assert not torch.equal(inputs, batch(tokens, step=6)[0])
    assert not torch.equal(inputs, batch(tokens, seed=2)[0])
    assert not torch.equal(batch(tokens, seed=5, step=1)[0], inputs)  # seed and step are not added up


def test_targets_are_the_inputs_moved_on_by_one():
    inputs, targets = batch(core.counting_tokens(), batch_size=64)
    assert inputs.shape == targets.shape == (64, 16)
    assert torch.equal(inputs[:, 1:], targets[:, :-1])
    step = (targets - inputs) % 61  # the stream counts up, or down, by one
    assert set(step.unique().tolist()) == {1, 60}


def test_kinds_are_drawn_by_weight_and_weight_zero_never():
    tokens = core.counting_tokens()
    inputs, targets = batch(tokens, batch_size=4000)
    share = ((targets - inputs)[:, 0] % 61 == 1).float().mean().item()
    assert abs(share - 0.75) < 4 * (0.75 * 0.25 / 4000) ** 0.5  # four standard errors
    inputs, targets = batch(replace(tokens, weights={"up": 0.0, "down": 2.0}), batch_size=500)
    assert bool(((targets - inputs) % 61 == 60).all())


def test_every_place_is_drawn_the_first_and_the_last_included():
    tokens = replace(core.counting_tokens(20), weights={"up": 1.0, "down": 0.0})
    inputs, targets = batch(tokens, batch_size=500)
    assert set(inputs[:, 0].tolist()) == {0, 1, 2, 3}  # 20 - 16 places
    assert targets.max().item() == 19


def test_one_sequence_fits_a_stream_of_context_and_one_and_no_shorter():
    inputs, _ = batch(core.counting_tokens(17))
    assert inputs.shape == (8, 16)
    with pytest.raises(DataError, match="16 tokens, fewer than the context of 16 and one more"):
        batch(core.counting_tokens(16))


def test_the_cache_gives_back_what_was_written(tmp_path):
    tokens = core.counting_tokens()
    write_tokens(tmp_path, tokens)
    again = read_tokens(tmp_path)
    for part in ("train", "held_out"):
        ours, theirs = getattr(tokens, part), getattr(again, part)
        assert list(ours) == list(theirs)
        assert all(np.array_equal(ours[kind], theirs[kind]) for kind in ours)
    assert (again.weights, again.held_out_bytes, again.fingerprint) == (
        tokens.weights,
        tokens.held_out_bytes,
        tokens.fingerprint,
    )
    assert torch.equal(batch(tokens)[0], batch(again)[0])


DAMAGE = {
    "cut": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "flipped": lambda data: data[:-3] + bytes([data[-3] ^ 4]) + data[-2:],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("name", ["train-up.npy", "held_out-down.npy", "tokens.json"])
def test_a_damaged_cache_is_no_cache(tmp_path, name, damage):
    write_tokens(tmp_path, core.counting_tokens())
    path = tmp_path / name
    path.write_bytes(damage(path.read_bytes()))
    assert read_tokens(tmp_path) is None
    write_tokens(tmp_path, core.counting_tokens())
    assert read_tokens(tmp_path) is not None


def test_a_source_is_read_once_and_its_damaged_tokens_are_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "cache_dir", lambda: tmp_path)
    text, tokenizer, said = core.write_words(tmp_path / "text.txt", 500), course_tokenizer(), []
    first = prepare_tokens(text, tokenizer, say=said.append)
    prepare_tokens(text, tokenizer, say=said.append)
    assert "cache" in said[-1] and "cache" not in said[0]
    expected = first.train["text"].copy()
    (stored,) = tmp_path.glob("tokens/*/train-text.npy")
    stored.write_bytes(stored.read_bytes()[:-10])
    again = prepare_tokens(text, tokenizer, say=said.append)
    assert "cache" not in said[-1]
    assert np.array_equal(again.train["text"], expected)
    core.write_words(text, 500, seed=1)  # another text is another entry
    assert prepare_tokens(text, tokenizer).fingerprint != first.fingerprint


def test_tokens_spell_the_documents_between_end_of_text(tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "cache_dir", lambda: tmp_path)
    text, tokenizer = core.write_words(tmp_path / "text.txt", 500), course_tokenizer()
    tokens = prepare_tokens(text, tokenizer)
    train, held_out = tokens.train["text"].tolist(), tokens.held_out["text"].tolist()
    for ids in (train, held_out):
        assert ids[0] == ids[-1] == tokenizer.end_of_text
    assert tokenizer.decode(train[1:-1]) + tokenizer.decode(held_out[1:-1]) == text.read_text(encoding="utf-8")
    assert tokens.held_out_bytes == {"text": len(tokenizer.decode_bytes(held_out[1:-1]))}
