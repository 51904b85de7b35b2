"""What the tests of the core path share: small models, small token streams, a small text, and its settings."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from minillm.batches import Tokens
from minillm.config import ModelConfig, RunConfig, TrainConfig
from minillm.model import Transformer

GPT2 = ModelConfig(n_layers=2, d_model=32, n_heads=2, vocab_size=61, context_length=16, form="gpt2", norm_eps=1e-5)
MODERN = ModelConfig(n_layers=2, d_model=32, n_heads=4, n_kv_heads=2, vocab_size=61, context_length=16)
FORMS = {"gpt2": GPT2, "modern": MODERN}

TEXT = "the of and a river stone light house people long time water under history small great year old went saw"
WORDS = TEXT.split()


def awake(config: ModelConfig, seed: int = 0) -> Transformer:
    """Return a model in evaluation mode with every weight drawn anew, so that no part of it is zero or one."""
    model = Transformer(config)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(1 + 0.2 * noise if parameter.ndim == 1 else 0.4 * noise)
    return model.eval()


def random_ids(config: ModelConfig, *shape: int, seed: int = 0) -> torch.Tensor:
    """Return token ids of a shape, drawn evenly."""
    return torch.randint(config.vocab_size, shape, generator=torch.Generator().manual_seed(seed))


def counting_tokens(length: int = 400, vocab_size: int = 61) -> Tokens:
    """Return two kinds of text in which each id is followed by the next (`up`) or by the one before (`down`)."""
    up = (np.arange(length) % vocab_size).astype(np.uint16)
    down = up[::-1].copy()
    held_out = {"up": up[:70], "down": down[:50]}
    return Tokens(
        {"up": up, "down": down}, held_out, {"up": 140, "down": 100}, {"up": 0.75, "down": 0.25}, "counting", {}
    )


def write_words(path: Path, n_words: int = 6000, seed: int = 0) -> Path:
    """Write a file of words drawn at random, enough for a run of seconds."""
    draw = random.Random(seed)
    path.write_text(" ".join(draw.choice(WORDS) for _ in range(n_words)), encoding="utf-8")
    return path


def small_run(source: Path | str, **train: object) -> RunConfig:
    """Return the settings of a run that takes a second or two."""
    model = ModelConfig(n_layers=1, d_model=32, n_heads=2, vocab_size=1024, context_length=32)
    settings = {"steps": 12, "batch_size": 4, "threads": 1, "checkpoint_every": 4, **train}
    return replace(
        RunConfig(model=model, train=TrainConfig(**settings), source=str(source)),
        prompts=("the river",),
        sample_moments=3,
    )
