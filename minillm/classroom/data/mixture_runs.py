"""The training runs of notebook 01: a small transformer for each kind of text, and tables of runs for each mixture.

The transformers read one kind each. In the mixture laboratory documentation is scarce, and a cheaper model, learned
tables of runs of one to four tokens, lets five runs fit into a lesson. All runs of one experiment have the same steps
and so the same number of tokens; only the diet differs. B windows, T tokens in a window, V the vocabulary.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from minillm.batches import Tokens, prepare_tokens
from minillm.config import ModelConfig, TrainConfig
from minillm.corpus.documents import WEIGHTS
from minillm.errors import ConfigError
from minillm.evaluate import stream_nats
from minillm.loss import bits_per_byte, cross_entropy, token_surprise
from minillm.model import Transformer
from minillm.runtime import keep_freed_memory
from minillm.tokenizer import Tokenizer, course_tokenizer
from minillm.train import train

KINDS = tuple(WEIGHTS)
"""web, books, code, docs."""
MODEL = ModelConfig(n_layers=1, d_model=128, n_heads=1, context_length=32)
TRAINING = TrainConfig(steps=100, batch_size=32, optimizer="adamw", learning_rate=0.01)
"""Of the matrix: one transformer a kind."""
DOCS_BYTES = 200_000
"""All the documentation there is in the mixture laboratory."""
RUN, BUCKETS, WIDTH = 4, 2**15, 32
"""Longest run of tokens that the laboratory's tables know, rows of each table, numbers in a row."""
MIXTURE_STEPS, WINDOWS = 160, 4096
"""Updates of a laboratory run, and predictions in one of them."""
TABLE_RATE, HEAD_RATE = 0.03, 0.0075
SHARES = (1.0, 0.8, 0.6, 0.4, 0.2)
"""Shares of documentation in the course's own five runs; the other three kinds divide the rest."""
HELD_OUT_TOKENS, TOKENS_A_DOCUMENT = 20_000, 2_500
"""Held-out tokens of each kind that a run is tested on, and how many of one document at most."""


@cache
def whole_corpus() -> Tokens:
    """Return the embedded corpus as tokens of the course's vocabulary, as notebook 00 reads it."""
    return prepare_tokens("embedded", course_tokenizer())


def documents_of(ids: np.ndarray, end_of_text: int) -> list[np.ndarray]:
    """Return the documents of a stream, each with the end-of-text before it."""
    ids = np.asarray(ids)
    borders = np.flatnonzero(ids == end_of_text)
    return [ids[start:stop] for start, stop in pairwise(borders)]


def text_bytes(ids: np.ndarray, tokenizer: Tokenizer) -> int:
    """Return how many bytes of text some ids are, end-of-text not counted."""
    return len(tokenizer.decode_bytes([i for i in ids.tolist() if i != tokenizer.end_of_text]))


def few_documents(ids: np.ndarray, tokenizer: Tokenizer, size_bytes: int, seed: int = 0) -> np.ndarray:
    """Return a stream of documents drawn by a seed, whole ones, until they reach `size_bytes` of text."""
    documents = documents_of(ids, tokenizer.end_of_text)
    chosen, so_far = [], 0
    for place in np.random.default_rng(seed).permutation(len(documents)):
        chosen.append(documents[place])
        so_far += text_bytes(documents[place], tokenizer)
        if so_far >= size_bytes:
            break
    return np.concatenate([*chosen, [np.uint16(tokenizer.end_of_text)]])


def held_out_sample(ids: np.ndarray, tokenizer: Tokenizer) -> tuple[np.ndarray, int]:
    """Return held-out ids to test on, the beginnings of documents in a drawn order, and their bytes of text."""
    documents = documents_of(ids, tokenizer.end_of_text)
    order = np.random.default_rng(0).permutation(len(documents))
    sample = np.concatenate([documents[place][:TOKENS_A_DOCUMENT] for place in order])[:HELD_OUT_TOKENS]
    return sample, text_bytes(sample[1:], tokenizer)  # the first id is never a target


@cache
def held_out_samples() -> dict[str, tuple[np.ndarray, int]]:
    """Return what the runs are tested on: for each kind ids and bytes, the same for every run and seed."""
    return {kind: held_out_sample(whole_corpus().held_out[kind], course_tokenizer()) for kind in KINDS}


def fingerprint() -> str:
    """Return the corpus's fingerprint."""
    return whole_corpus().fingerprint


def shares_of(weights: Mapping[str, float]) -> dict[str, float]:
    """Return weights as shares of all four kinds that sum to 1. Raises ConfigError for kinds or numbers that cannot be.

    What is left out counts as 0, so {"docs": 1} is documentation alone and {"docs": 60, "code": 40} will do too.
    """
    if not isinstance(weights, Mapping):
        raise ConfigError(f"The weights are {short(weights)}.", 'Use a dict, such as {"docs": 60, "code": 40}.')
    unknown = [kind for kind in weights if kind not in KINDS]
    if unknown:
        raise ConfigError(f"There is no kind {short(unknown[0])}.", f"Use {', '.join(KINDS)}.")
    try:
        numbers = {kind: float(weights.get(kind, 0)) for kind in KINDS}
        usable = all(math.isfinite(w) and w >= 0 for w in numbers.values()) and 0 < sum(numbers.values()) < math.inf
    except (TypeError, ValueError, OverflowError):
        usable = False
    if not usable:
        raise ConfigError(
            f"The weights are {short(dict(weights))}.", "Use numbers from 0 up, at least one of them above 0."
        )
    return {kind: w / sum(numbers.values()) for kind, w in numbers.items()}


def short(value: object) -> str:
    """Return a value as it would be written, cut to what fits into a message."""
    try:
        written = repr(value)
    except ValueError:  # Python refuses to write out very long integers
        written = "a very long number"
    return written if len(written) <= 80 else written[:77] + "..."


def docs_share(share: float) -> dict[str, float]:
    """Return the mixture with this share of documentation in which the other three kinds divide the rest evenly."""
    return {kind: share if kind == "docs" else (1 - share) / 3 for kind in KINDS}


# --- the matrix: a transformer for each kind


def transformer_bits(model: Transformer) -> dict[str, float]:
    """Return the bits a byte that a transformer pays on held-out text of each kind."""
    model.eval()
    samples = held_out_samples()
    return {kind: bits_per_byte(stream_nats(model, ids), size_bytes) for kind, (ids, size_bytes) in samples.items()}


def train_matrix(*, steps: int = TRAINING.steps, seed: int = 0) -> Iterator[dict]:
    """Train one transformer on each kind alone, in turn.

    Yields the kind `read`, step and loss; the last record of each kind has `bits` too, what it pays by kind of text.
    """
    keep_freed_memory()
    config = dataclasses.replace(TRAINING, steps=steps, seed=seed)
    for kind in KINDS:
        torch.manual_seed(seed)
        model = Transformer(MODEL)
        only = Tokens({kind: whole_corpus().train[kind]}, {}, {}, {kind: 1.0}, fingerprint(), {})
        for record in train(model, only, config):
            told = {"read": kind, "step": record.step, "train_loss_nats": record.train_loss_nats}
            yield told | {"bits": transformer_bits(model)} if record.step == steps else told


# --- the mixture laboratory: learned tables of runs


class RunTables(nn.Module):
    """Tables of runs of one to `RUN` tokens: the next token's logits come from the sum of the runs' rows.

    Notebook 03's learned table of pairs, with longer runs beside the last token. A run finds its row by a hash, and
    different runs may share one.
    """

    def __init__(self, vocab_size: int):
        super().__init__()
        self.rows = nn.Embedding(RUN * BUCKETS, WIDTH, sparse=True)
        self.head = nn.Linear(WIDTH, vocab_size, bias=False)
        nn.init.normal_(self.rows.weight, std=0.02)

    def forward(self, ids: Tensor) -> Tensor:
        """Return logits [B, V] of the token after each window of ids [B, RUN]."""
        hashed, places = torch.zeros_like(ids[:, 0]), []
        for length in range(RUN):
            hashed = hashed * 1_000_003 + ids[:, RUN - 1 - length] + 1
            places.append((hashed * 2_654_435_761 >> 13) % BUCKETS + length * BUCKETS)
        return self.head(self.rows(torch.stack(places, 1)).sum(1))


def draw_windows(
    streams: Mapping[str, np.ndarray], shares: Mapping[str, float], rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Return `WINDOWS` windows drawn from the streams by their shares, [B, RUN], and the tokens that follow, [B]."""
    kinds = [kind for kind in streams if shares[kind] > 0]
    drawn = []
    for kind, count in zip(kinds, rng.multinomial(WINDOWS, [shares[kind] for kind in kinds]), strict=True):
        starts = rng.integers(0, len(streams[kind]) - RUN, count)
        drawn.append(streams[kind][starts[:, None] + np.arange(RUN + 1)])
    windows = torch.from_numpy(np.concatenate(drawn).astype(np.int64))
    return windows[:, :-1], windows[:, -1]


@torch.no_grad()
def table_bits(model: RunTables) -> dict[str, float]:
    """Return the bits a byte that the tables pay on held-out text of each kind."""
    found = {}
    for kind, (ids, size_bytes) in held_out_samples().items():
        windows = torch.from_numpy(np.lib.stride_tricks.sliding_window_view(ids.astype(np.int64), RUN + 1).copy())
        nats = token_surprise(model(windows[:, :-1]), windows[:, -1]).double().sum().item()
        found[kind] = bits_per_byte(nats, size_bytes)
    return found


def scarce_streams(seed: int = 0) -> dict[str, np.ndarray]:
    """Return the training streams of the laboratory: 200 kB of documentation, drawn by the seed, and all else whole."""
    corpus = whole_corpus()
    return {**corpus.train, "docs": few_documents(corpus.train["docs"], course_tokenizer(), DOCS_BYTES, seed)}


def train_mixture(weights: Mapping[str, float], *, steps: int = MIXTURE_STEPS, seed: int = 0) -> tuple[dict, ...]:
    """Train tables on a mixture in which documentation is scarce, and return the records of the run.

    Each record has `docs` (the share of documentation, in percent), step and loss; the last also the `shares`, the
    `bits` by kind, and `epochs`, how often the run read its documentation. A mixture trained before is not again.
    """
    shares = shares_of(weights)
    return _train_mixture(tuple(shares[kind] for kind in KINDS), steps, seed)


@cache
def _train_mixture(shares: tuple[float, ...], steps: int, seed: int) -> tuple[dict, ...]:
    by_kind = dict(zip(KINDS, shares, strict=True))
    streams = scarce_streams(seed)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = RunTables(course_tokenizer().vocab_size)
    optimizers = (
        (torch.optim.SparseAdam(list(model.rows.parameters()), lr=TABLE_RATE), TABLE_RATE),
        (torch.optim.Adam(model.head.parameters(), lr=HEAD_RATE), HEAD_RATE),
    )
    records = []
    for step in range(1, steps + 1):
        windows, following = draw_windows(streams, by_kind, rng)
        loss = cross_entropy(model(windows), following)
        for optimizer, rate in optimizers:
            optimizer.param_groups[0]["lr"] = rate * (1 - (step - 1) / steps)
            optimizer.zero_grad()
        loss.backward()
        for optimizer, _ in optimizers:
            optimizer.step()
        records.append({"docs": round(100 * by_kind["docs"], 1), "step": step, "train_loss_nats": loss.item()})
    epochs = by_kind["docs"] * steps * WINDOWS / len(streams["docs"])
    records[-1] |= {"shares": by_kind, "bits": table_bits(model), "epochs": epochs}
    return tuple(records)


def train_shares(*, steps: int = MIXTURE_STEPS, seed: int = 0) -> Iterator[dict]:
    """Train the course's five mixtures in turn; yield their records."""
    for share in SHARES:
        yield from train_mixture(docs_share(share), steps=steps, seed=seed)
