"""Byte-pair encoding in plain Python, to be read: how a vocabulary is learned and how text becomes ids.

A text is a row of bytes, so 256 ids are enough for any text. Learning looks for the pair of neighbouring
ids that occurs most often, gives it a new id, replaces it everywhere, and starts again: each round adds one
merge. Encoding a new text replays the merges in the order in which they were learned (Sennrich et al. 2016;
on bytes: Radford et al. 2019).

First the idea (`train`, `encode`, `decode`), then the same results sooner (`train_fast`, `FastEncoder`).

Not handled here: end-of-text, half surrogate pairs, saving, speed in earnest: see `minillm.tokenizer`.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import regex

from minillm.errors import TokenizerError

Pair = tuple[int, int]

SPLIT_PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)"  # English endings: 's 'd 'm 't 'll 've 're
    r"|[^\r\n\p{L}\p{N}]?+\p{L}+"  # a word, with the one space or sign before it
    r"|\p{N}{1,2}"  # digits, two at most, so that numbers are cut alike everywhere
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*"  # punctuation, with a space before it and line ends after it
    r"|\s*[\r\n]"  # empty lines
    r"|\s+(?!\S)"  # spaces, except the last one before a word: indentation
    r"|\s+"
)
"""The cut into chunks: GPT-4's (tiktoken's cl100k_base) with at most two digits, for a small vocabulary.

Merges never cross the border of a chunk, so that no id is spent on "of the" or on a word with its full stop.
"""


# The idea


def split(text: str, pattern: str = SPLIT_PATTERN) -> list[str]:
    """Return the chunks of a text; joined, they are the text again."""
    return regex.findall(pattern, text)


def count_pairs(chunks: Iterable[Sequence[int]]) -> Counter[Pair]:
    """Return how often each pair of neighbours occurs: [1, 1, 1, 2] has (1, 1) twice and (1, 2) once."""
    return Counter(pair for ids in chunks for pair in pairwise(ids))


def most_frequent(counts: Counter[Pair]) -> Pair:
    """Return the pair with the highest count, of several the one with the smallest ids."""
    return min(counts, key=lambda pair: (-counts[pair], pair))


def merge(ids: Sequence[int], pair: Pair, new_id: int) -> list[int]:
    """Return the ids with each occurrence of a pair, from left to right, replaced by one new id."""
    left, right = pair
    merged, i, last = [], 0, len(ids) - 1
    while i <= last:
        if ids[i] == left and i < last and ids[i + 1] == right:
            merged.append(new_id)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    return merged


def train(text: str, n_merges: int, pattern: str = SPLIT_PATTERN) -> list[Pair]:
    """Return the merges learned from a text, in order; merge number k makes the id 256 + k.

    Raises TokenizerError when no pair is left before `n_merges` are learned.
    """
    chunks = [list(chunk.encode("utf-8")) for chunk in split(text, pattern)]
    merges: list[Pair] = []
    while len(merges) < n_merges:
        counts = count_pairs(chunks)
        if not counts:
            raise _too_small(len(merges), n_merges)
        pair = most_frequent(counts)
        chunks = [merge(ids, pair, 256 + len(merges)) for ids in chunks]
        merges.append(pair)
    return merges


def encode(
    text: str,
    merges: Sequence[Pair],
    pattern: str = SPLIT_PATTERN,
    byte_ids: Sequence[int] = range(256),
) -> list[int]:
    """Return the ids of a text: in each chunk, the merge that was learned first is made first.

    `byte_ids` gives the id of each byte; only GPT-2's vocabulary has another order than 0 to 255.
    """
    new_ids = {pair: 256 + k for k, pair in enumerate(merges)}
    return [
        id
        for chunk in split(text, pattern)
        for id in _encode_chunk([byte_ids[byte] for byte in chunk.encode("utf-8")], new_ids)
    ]


def _encode_chunk(ids: list[int], new_ids: dict[Pair, int]) -> list[int]:
    while pairs := new_ids.keys() & pairwise(ids):
        earliest = min(pairs, key=new_ids.__getitem__)
        ids = merge(ids, earliest, new_ids[earliest])
    return ids


def vocabulary(merges: Sequence[Pair], byte_ids: Sequence[int] = range(256)) -> dict[int, bytes]:
    """Return the bytes of each id: one byte, or those of the two ids of its merge."""
    tokens = {byte_ids[byte]: bytes([byte]) for byte in range(256)}
    for k, (left, right) in enumerate(merges):
        tokens[256 + k] = tokens[left] + tokens[right]
    return tokens


def decode(ids: Iterable[int], merges: Sequence[Pair]) -> str:
    """Return the text of some ids; bytes that are no UTF-8, such as half a letter, become U+FFFD."""
    tokens = vocabulary(merges)
    try:
        return b"".join(tokens[id] for id in ids).decode("utf-8", errors="replace")
    except KeyError as error:
        raise TokenizerError(
            f"Token id {error} is outside the vocabulary.", f"Use ids from 0 to {len(tokens) - 1}."
        ) from None


# The same, sooner


def train_fast(texts: Iterable[str], n_merges: int, pattern: str = SPLIT_PATTERN) -> list[Pair]:
    """Return the same merges as `train` on all texts, in a small part of the time.

    Three ideas: each different chunk is kept once, with its count; only chunks that hold the merged pair are
    looked at again; a heap gives the most frequent pair.
    """
    chunk_counts: Counter[str] = Counter()
    for text in texts:
        chunk_counts.update(split(text, pattern))
    chunks = [list(chunk.encode("utf-8")) for chunk in chunk_counts]
    repeats = list(chunk_counts.values())

    counts: Counter[Pair] = Counter()
    where: defaultdict[Pair, set[int]] = defaultdict(set)  # chunks that hold the pair, or once held it
    for number, ids in enumerate(chunks):
        for pair in pairwise(ids):
            counts[pair] += repeats[number]
            where[pair].add(number)
    # Python's heap gives the smallest item first: minus the count, then the pair's ids.
    heap = [(-count, pair) for pair, count in counts.items()]
    heapq.heapify(heap)

    merges: list[Pair] = []
    while len(merges) < n_merges:
        if not heap:
            raise _too_small(len(merges), n_merges)
        minus_count, pair = heapq.heappop(heap)
        if -minus_count != counts[pair]:  # an older count; the pair comes again with its present one
            if counts[pair] > 0:
                heapq.heappush(heap, (-counts[pair], pair))
            continue
        new_id = 256 + len(merges)
        new_pairs: set[Pair] = set()
        for number in where.pop(pair):
            before = chunks[number]
            after = merge(before, pair, new_id)
            if len(after) == len(before):
                continue
            for old in pairwise(before):
                counts[old] -= repeats[number]
            for new in pairwise(after):
                counts[new] += repeats[number]
                if new_id in new:
                    where[new].add(number)
                    new_pairs.add(new)
            chunks[number] = after
        for new in new_pairs:
            heapq.heappush(heap, (-counts[new], new))
        merges.append(pair)
    return merges


class FastEncoder:
    """Encodes like `encode`, but remembers the ids of each chunk: few words make up most of a text."""

    def __init__(
        self,
        merges: Sequence[Pair],
        pattern: str = SPLIT_PATTERN,
        byte_ids: Sequence[int] = range(256),
        remembered: int = 100_000,
    ):
        self.new_ids = {pair: 256 + k for k, pair in enumerate(merges)}
        self.byte_ids = byte_ids
        self.find_chunks = regex.compile(pattern).findall
        self.remembered = remembered
        self.known: dict[str, list[int]] = {}

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text."""
        ids: list[int] = []
        for chunk in self.find_chunks(text):
            known = self.known.get(chunk)
            if known is None:
                known = _encode_chunk([self.byte_ids[byte] for byte in chunk.encode("utf-8")], self.new_ids)
                if len(self.known) < self.remembered:
                    self.known[chunk] = known
            ids.extend(known)
        return ids


# From a vocabulary back to its merges


def merges_from_ranks(ranks: dict[bytes, int]) -> tuple[list[Pair], list[int]]:
    """Return the merges, in order, and the id of each byte, from the bytes and ids of a vocabulary's tokens.

    The last merge of a token joins the two parts into which the merges before it turn its bytes.
    """
    byte_ids = [ranks[bytes([byte])] for byte in range(256)]
    new_ids: dict[Pair, int] = {}
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if len(token) == 1:
            continue
        parts = _encode_chunk([byte_ids[byte] for byte in token], new_ids)
        if len(parts) != 2:
            raise TokenizerError(
                f"The token {token!r} is no pair of earlier tokens.", "Restore the vocabulary's files."
            )
        new_ids[tuple(parts)] = rank
    return list(new_ids), byte_ids


def _too_small(learned: int, wanted: int) -> TokenizerError:
    return TokenizerError(
        f"The text is too small: no pair is left after {learned} of {wanted} merges.",
        "Use more text or fewer merges.",
    )
