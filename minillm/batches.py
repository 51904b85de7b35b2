"""Tokens on disk to batches: a batch is a pure function of seed and step, so a resumed run sees the same ones.

B sequences in a batch, T tokens in a sequence.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from torch import Tensor

from minillm.corpus import Corpus, input_key, load_corpus
from minillm.errors import DataError
from minillm.paths import cache_dir, write_json
from minillm.tokenizer import Tokenizer


@dataclass(frozen=True)
class Tokens:
    """A corpus as token ids: for each kind the training stream and the held-out stream, documents end to end.

    Each stream is a uint16 array: an end-of-text id before each document and one at the very end.
    """

    train: dict[str, np.ndarray]
    held_out: dict[str, np.ndarray]
    held_out_bytes: dict[str, int]
    weights: dict[str, float]
    fingerprint: str
    summary: dict

    def __repr__(self) -> str:
        sizes = ", ".join(f"{kind} {len(ids):,}" for kind, ids in self.train.items())
        return f"Tokens({sizes}; held out {sum(len(ids) for ids in self.held_out.values()):,}; {self.fingerprint[:12]})"


def tokenize(corpus: Corpus, tokenizer: Tokenizer) -> Tokens:
    """Encode every document of a corpus, training and held-out parts by kind."""
    train = {kind: tokenizer.encode_documents([d.text for d in documents]) for kind, documents in corpus.train.items()}
    held_out = {
        kind: tokenizer.encode_documents([d.text for d in documents]) for kind, documents in corpus.held_out.items()
    }
    n_bytes = {kind: sum(len(d.text.encode("utf-8")) for d in documents) for kind, documents in corpus.held_out.items()}
    summary = corpus.summary()
    for kind, ids in train.items():
        summary["kinds"][kind]["train_tokens"] = len(ids)
        summary["kinds"][kind]["held_out_tokens"] = len(held_out[kind])
    return Tokens(train, held_out, n_bytes, dict(corpus.weights), corpus.fingerprint, summary)


def prepare_tokens(
    source: str | Path,
    tokenizer: Tokenizer,
    *,
    part: float = 1.0,
    held_out_bytes: int = 250_000,
    filtered: bool | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Tokens:
    """Return a source's tokens, from the learner's cache if it holds them, else from the files, and keep them there.

    The cache is keyed by what decides the text (versions, settings, the corpus's own code) and the tokenizer.
    `say` receives a line about what is done. Raises DataError as `load_corpus` does.
    """
    key = input_key(source, part=part, held_out_bytes=held_out_bytes, filtered=filtered)
    name = hashlib.sha256(f"{key} {tokenizer.fingerprint}".encode()).hexdigest()[:24]
    folder = cache_dir() / "tokens" / name
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        cached = read_tokens(folder)
        if cached is not None:
            say("The corpus was read before: its tokens come from the cache.")
            return cached
        say("Reading the corpus: sources, filters, near-duplicates, split ...")
        corpus = load_corpus(source, part=part, held_out_bytes=held_out_bytes, filtered=filtered)
        say("Turning its text into tokens ...")
        tokens = tokenize(corpus, tokenizer)
        write_tokens(folder, tokens)
    return tokens


def write_tokens(folder: Path, tokens: Tokens) -> None:
    """Write token streams and their description; the description comes last and makes the folder valid."""
    hashes = {}
    for part, streams in (("train", tokens.train), ("held_out", tokens.held_out)):
        for kind, ids in streams.items():
            path = folder / f"{part}-{kind}.npy"
            np.save(path, ids)
            hashes[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    description = {
        "kinds": list(tokens.train),
        "held_out_bytes": tokens.held_out_bytes,
        "weights": tokens.weights,
        "fingerprint": tokens.fingerprint,
        "summary": tokens.summary,
        "sha256": hashes,
    }
    write_json(folder / "tokens.json", description)


def read_tokens(folder: Path) -> Tokens | None:
    """Read what `write_tokens` wrote; None if it is not there or not whole."""
    try:
        description = json.loads((folder / "tokens.json").read_text(encoding="utf-8"))
        for name, expected in description["sha256"].items():
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != expected:
                return None
        streams = {
            part: {kind: np.load(folder / f"{part}-{kind}.npy", mmap_mode="r") for kind in description["kinds"]}
            for part in ("train", "held_out")
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Tokens(
        streams["train"],
        streams["held_out"],
        description["held_out_bytes"],
        description["weights"],
        description["fingerprint"],
        description["summary"],
    )


def get_batch(tokens: Tokens, *, seed: int, step: int, batch_size: int, context_length: int) -> tuple[Tensor, Tensor]:
    """Return the inputs and targets of one step, both [B, T]: the targets are the inputs moved on by one token.

    Each sequence comes from a kind drawn by weight and starts at a place drawn at random. The same seed and step
    give the same batch. Raises DataError if a kind has fewer than context_length + 1 tokens.
    """
    kinds = [kind for kind in tokens.train if tokens.weights[kind] > 0]
    weights = np.array([tokens.weights[kind] for kind in kinds])
    rng = np.random.default_rng([seed, step])
    chosen = rng.choice(len(kinds), size=batch_size, p=weights / weights.sum())
    places = rng.random(batch_size)
    windows = np.empty((batch_size, context_length + 1), dtype=np.int64)
    for row, (which, place) in enumerate(zip(chosen, places, strict=True)):
        stream = tokens.train[kinds[which]]
        choices = len(stream) - context_length
        if choices < 1:
            raise DataError(
                f"The kind '{kinds[which]}' has {len(stream)} tokens, fewer than the context of "
                f"{context_length} and one more.",
                "Give more text, or use a model with a shorter context_length.",
            )
        start = int(place * choices)
        windows[row] = stream[start : start + context_length + 1]
    windows = torch.from_numpy(windows)
    return windows[:, :-1], windows[:, 1:]
