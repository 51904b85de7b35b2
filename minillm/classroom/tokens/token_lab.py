"""The experiments of notebook 02: words against pieces, one algorithm in many programs, many vocabularies.

Runs are generators: they yield what `runs.stream` can record.
"""

import dataclasses
import importlib.util
import math
import random
from collections.abc import Iterable, Iterator, Sequence

import regex
import rustbpe
import tiktoken
import torch

from minillm import bpe
from minillm.batches import Tokens, tokenize
from minillm.classroom.threads import one_thread
from minillm.config import ModelConfig, TrainConfig
from minillm.corpus import Corpus, Document, load_corpus
from minillm.evaluate import stream_nats
from minillm.loss import bits_per_byte, perplexity
from minillm.model import Transformer
from minillm.runtime import keep_freed_memory
from minillm.tokenizer import train_tokenizer
from minillm.train import train

VOCABULARIES = (257, 512, 1024, 2048)
"""Sizes compared: no merge at all (256 bytes and end-of-text), and three with merges."""
STEPS = 150
MODEL = ModelConfig(n_layers=2, d_model=64, n_heads=1, context_length=64)
TRAINING = TrainConfig(steps=STEPS, batch_size=16)


# --- words


def small_corpus() -> Corpus:
    """Return a tenth of the course's corpus: all four kinds, some 20 kB and more of each held out."""
    return load_corpus("embedded", part=0.1, held_out_bytes=20_000)


def words(text: str) -> list[str]:
    """Return the words of a text: runs of letters, in lower case."""
    return regex.findall(r"\p{L}+", text.lower())


def split_documents(documents: Sequence[Document], seed: int) -> tuple[str, str]:
    """Return the text of nine tenths of the documents, drawn by the seed, and that of the last tenth."""
    shuffled = random.Random(seed).sample(documents, len(documents))
    cut = len(shuffled) * 9 // 10
    return tuple("\n".join(document.text for document in part) for part in (shuffled[:cut], shuffled[cut:]))


def unseen_share(known: Iterable[str], text_words: Sequence[str]) -> float:
    """Return the share of running words that are not among the known ones."""
    known = set(known)
    return sum(word not in known for word in text_words) / len(text_words)


# --- one algorithm, many programs


def learn_elsewhere(text: str, n_merges: int) -> dict[str, list[bpe.Pair] | None]:
    """Return the merges that other programs learn from a text, by the program's name; None if it is not installed."""
    trainer = rustbpe.Tokenizer()
    trainer.train_from_iterator(iter([text]), 256 + n_merges, pattern=bpe.SPLIT_PATTERN)
    ranks = {bytes(token): id for token, id in trainer.get_mergeable_ranks()}
    return {
        "minillm.bpe.train_fast": bpe.train_fast([text], n_merges),
        "rustbpe": bpe.merges_from_ranks(ranks)[0],
        "tokenizers": _learn_with_tokenizers(text, n_merges),
    }


def encode_elsewhere(text: str, merges: Sequence[bpe.Pair]) -> dict[str, list[int] | None]:
    """Return the ids that other programs give a text with these merges; None if a program is not installed."""
    ranks = {token: id for id, token in bpe.vocabulary(merges).items()}
    ours = tiktoken.Encoding("ours", pat_str=bpe.SPLIT_PATTERN, mergeable_ranks=ranks, special_tokens={})
    return {
        "minillm.bpe.FastEncoder": bpe.FastEncoder(merges).encode(text),
        "tiktoken": ours.encode_ordinary(text),
        "tokenizers": _encode_with_tokenizers(text, merges),
    }


def _as_characters(piece: bytes) -> str:
    """Return one character for each byte, in the order of the bytes: `tokenizers` works on characters."""
    return "".join(chr(0x4E00 + byte) for byte in piece)


def _learn_with_tokenizers(text: str, n_merges: int) -> list[bpe.Pair] | None:
    if importlib.util.find_spec("tokenizers") is None:
        return None
    from tokenizers import Tokenizer as Theirs
    from tokenizers import models, pre_tokenizers, trainers

    theirs = Theirs(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.WhitespaceSplit()  # at the borders that we hand over
    alphabet = [_as_characters(bytes([byte])) for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=256 + n_merges, initial_alphabet=alphabet, show_progress=False)
    chunks = " ".join(_as_characters(chunk.encode("utf-8")) for chunk in bpe.split(text))
    theirs.train_from_iterator([chunks], trainer)
    ranks = {bytes(ord(c) - 0x4E00 for c in token): id for token, id in theirs.get_vocab().items()}
    return bpe.merges_from_ranks(ranks)[0]


def _encode_with_tokenizers(text: str, merges: Sequence[bpe.Pair]) -> list[int] | None:
    if importlib.util.find_spec("tokenizers") is None:
        return None
    from tokenizers import Tokenizer as Theirs
    from tokenizers import models

    tokens = {id: _as_characters(token) for id, token in bpe.vocabulary(merges).items()}
    pairs = [(tokens[left], tokens[right]) for left, right in merges]
    theirs = Theirs(models.BPE(vocab={token: id for id, token in tokens.items()}, merges=pairs))
    chunks = [_as_characters(chunk.encode("utf-8")) for chunk in bpe.split(text)]
    return theirs.encode(chunks, is_pretokenized=True, add_special_tokens=False).ids if chunks else []


# --- one text, many vocabularies, one model each


def learn_vocabulary(corpus: Corpus, vocab_size: int) -> Tokens:
    """Learn a vocabulary of this size from the corpus's training text, and return the corpus in its tokens."""
    texts = [document.text for documents in corpus.train.values() for document in documents]
    return tokenize(corpus, train_tokenizer(texts, vocab_size))


def same_text_steps(corpus: Corpus, steps: int = STEPS) -> int:
    """Return the steps after which the smallest vocabulary's model has read as many bytes as the largest one's."""
    few, many = (
        sum(map(len, learn_vocabulary(corpus, size).train.values())) for size in VOCABULARIES[:: len(VOCABULARIES) - 1]
    )
    return round(steps * few / many)


def read(corpus: Corpus, vocab_size: int, *, steps: int = STEPS, seed: int = 0, every: int = 5) -> Iterator[dict]:
    """Train a small model on the corpus in tokens of one vocabulary; yield its loss, and at the end its grades.

    The last record has `held_out`: total surprise in nats, targets, bytes, nats a token, perplexity, bits a byte.
    """
    keep_freed_memory()
    tokens = learn_vocabulary(corpus, vocab_size)
    torch.manual_seed(seed)
    model = Transformer(dataclasses.replace(MODEL, vocab_size=vocab_size))
    with one_thread():  # so small a model gains nothing from a second one, which would burn the time of others
        for record in train(model, tokens, dataclasses.replace(TRAINING, steps=steps, seed=seed)):
            row = {"vocab_size": vocab_size, "step": record.step, "train_loss_nats": record.train_loss_nats}
            if record.step == steps:
                model.eval()
                row["held_out"] = grades(model, tokens)
            if record.step == 1 or record.step % every == 0 or record.step == steps:
                yield row


def grades(model: Transformer, tokens: Tokens) -> dict[str, float]:
    """Return what a model pays on all held-out text, in total and in three units."""
    total_nats = math.fsum(stream_nats(model, ids) for ids in tokens.held_out.values())
    targets = sum(len(ids) - 1 for ids in tokens.held_out.values())
    n_bytes = sum(tokens.held_out_bytes.values())
    return {
        "total_nats": total_nats,
        "targets": targets,
        "bytes": n_bytes,
        "nats_a_token": total_nats / targets,
        "perplexity": perplexity(total_nats / targets),
        "bits_a_byte": bits_per_byte(total_nats, n_bytes),
    }
