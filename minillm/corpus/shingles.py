"""Documents as sets of shingles (short runs of words or characters), and the exact search for sets that overlap.

Jaccard similarity of two sets: what they share, divided by all they hold together (Broder 1997).
"""

import math
import re
from collections.abc import Iterable, Iterator

import numpy as np

Shingles = np.ndarray
"""The distinct shingles of one document: sorted 64-bit hashes."""

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
SLOT_BITS = np.uint64(22)


class WordNumbers(dict[str, int]):
    """Numbers words in the order in which it meets them, and remembers the numbers of each text."""

    def __init__(self):
        super().__init__()
        self._texts: dict[str, np.ndarray] = {}

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        return number

    def encode(self, text: str) -> np.ndarray:
        """Return the text's words, lower case, as an array of numbers."""
        numbers = self._texts.get(text)
        if numbers is None:
            words = re.findall(r"\w+", text.lower())
            numbers = self._texts[text] = np.fromiter(map(self.__getitem__, words), np.uint32, len(words))
        return numbers


def shingles(numbers: np.ndarray, n: int) -> Shingles:
    """Return the distinct runs of n numbers; a shorter text is one shingle of its own."""
    if len(numbers) == 0:
        return np.zeros(0, np.uint64)
    n = min(n, len(numbers))
    count = len(numbers) - n + 1
    numbers = numbers.astype(np.uint64)
    hashes = np.full(count, n, np.uint64)
    for offset in range(n):
        hashes ^= numbers[offset : offset + count]
        hashes *= MULTIPLIER
        hashes ^= hashes >> np.uint64(29)
    return _distinct(hashes)


def character_shingles(text: str) -> Shingles:
    """Return the distinct runs of five bytes of the text, lower case, with runs of blanks as one space."""
    data = np.frombuffer(" ".join(text.lower().split()).encode("utf-8"), np.uint8).astype(np.uint64)
    if len(data) < 5:
        return shingles(data, 5)
    # five bytes fit into one number
    pairs = data[:-1] | data[1:] << np.uint64(8)
    fives = (pairs[:-3] | pairs[2:-1] << np.uint64(16)) | data[4:] << np.uint64(32)
    return _distinct(fives * MULTIPLIER)


def _distinct(hashes: np.ndarray) -> Shingles:
    hashes.sort()
    return hashes[np.append(True, hashes[1:] != hashes[:-1])]


def jaccard(left: Shingles, right: Shingles) -> float:
    """Return the Jaccard similarity of two documents' shingles; two empty ones are not similar."""
    shared = len(np.intersect1d(left, right, assume_unique=True))
    return shared / max(1, len(left) + len(right) - shared)


def similar_pairs(
    left: Iterable[Shingles], right: list[Shingles], threshold: float
) -> Iterator[tuple[int, int, float]]:
    """Yield every pair (index in left, index in right, similarity) whose Jaccard similarity reaches the threshold.

    Exact, and fast by the prefix filter (Chaudhuri et al. 2006): put all shingles in one order, rare ones first. Sets
    of sizes a and b that reach the threshold t share at least t a and t b shingles, so among the first a - t a + k
    of one and the first b - t b + k of the other they have k in common. Only documents that do are compared.
    """
    if not right:
        return
    slots = _slots(np.concatenate(right))
    # small numbers, because those sort fastest
    frequency = np.minimum(np.bincount(slots, minlength=1 << int(SLOT_BITS)), 65_535).astype(np.uint16)
    prefixes = [_prefix(candidate, frequency, threshold) for candidate in right]
    posted = np.concatenate(prefixes)
    owners = np.repeat(np.arange(len(right)), [len(prefix) for prefix in prefixes])
    order = np.argsort(posted, kind="stable")
    posted, owners = posted[order], owners[order]
    sizes = np.array([len(candidate) for candidate in right])

    for index, document in enumerate(left):
        prefix = _prefix(document, frequency, threshold)
        if len(prefix) == 0:
            continue
        start = np.searchsorted(posted, prefix, "left")
        lengths = np.searchsorted(posted, prefix, "right") - start
        total = int(lengths.sum())
        # the places start[i], start[i] + 1, ... of each shingle of the prefix, in one array
        places = np.arange(total) + np.repeat(start - np.cumsum(lengths) + lengths, lengths)
        shared = np.bincount(owners[places], minlength=len(right))
        fits = (sizes >= threshold * len(document)) & (sizes <= len(document) / threshold)
        for other in np.flatnonzero(fits & (shared >= _needed(np.minimum(sizes, len(document))))):
            similarity = jaccard(document, right[other])
            if similarity >= threshold:
                yield index, int(other), similarity


def _slots(document: Shingles) -> np.ndarray:
    return (document >> (np.uint64(64) - SLOT_BITS)).view(np.int64)


def _needed(size):
    """Return k of the prefix filter for sets of this size: the larger, the fewer pairs are left to compare."""
    return 1 + size // 20


def _prefix(document: Shingles, frequency: np.ndarray, threshold: float) -> Shingles:
    """Return the rarest shingles of a document, as many as the prefix filter needs.

    Two shingles in one slot share a count: the order is then less sharp but still the same for all documents.
    Shingles in empty slots stand first and meet nobody, so they count towards the length and are left out.
    """
    size = len(document)
    length = size - math.ceil(threshold * size - 1e-9) + _needed(size)
    counts = frequency[_slots(document)]
    unmet = size - np.count_nonzero(counts)
    if unmet >= length:
        return document[:0]
    order = np.argsort(counts, kind="stable")[unmet:length]
    return document[order]
