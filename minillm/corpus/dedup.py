"""Deduplication: the same text again, almost the same text again, and training text that almost stands held out."""

import hashlib
import itertools
from collections.abc import Callable, Iterator

import numpy as np

from minillm.corpus.documents import Document, Step
from minillm.corpus.shingles import Shingles, WordNumbers, character_shingles, jaccard, shingles, similar_pairs

THRESHOLD = 0.8
HELD_OUT_THRESHOLD = 0.7
"""Stricter than 0.8, so that no pair reaches 0.8 by other ways of cutting a text into words either."""


def drop_exact(documents: list[Document], numbers: WordNumbers) -> tuple[list[Document], Step]:
    """Return the documents without later copies of the same words, whatever their case, blanks and punctuation."""
    seen: set[bytes] = set()
    kept = []
    for document in documents:
        digest = hashlib.sha256(numbers.encode(document.text).tobytes()).digest()
        if digest not in seen:
            seen.add(digest)
            kept.append(document)
    return kept, Step.between("exact duplicates", "Keep the first of texts with the same words.", documents, kept)


def drop_near(
    documents: list[Document],
    numbers: WordNumbers,
    threshold: float = THRESHOLD,
    n: int = 5,
    permutations: int = 128,
    bands: int = 32,
) -> tuple[list[Document], Step]:
    """Return the documents without those that almost repeat an earlier one that stays.

    MinHash signatures (Broder 1997) of the word n-grams find candidates; the exact similarity decides.
    """
    sets = [shingles(numbers.encode(document.text), n) for document in documents]
    dropped: set[int] = set()
    for earlier, later in sorted(candidate_pairs(sets, permutations, bands), key=lambda pair: pair[::-1]):
        if earlier not in dropped and later not in dropped and jaccard(sets[earlier], sets[later]) >= threshold:
            dropped.add(later)
    kept = [document for index, document in enumerate(documents) if index not in dropped]
    rule = f"Drop a text whose word {n}-grams overlap with an earlier one's: Jaccard {threshold} or more."
    return kept, Step.between("near duplicates", rule, documents, kept)


def signatures(sets: list[Shingles], permutations: int, seed: int = 0) -> np.ndarray:
    """Return the MinHash signature of each set, [documents, permutations]: equal places estimate Jaccard similarity."""
    from rensa import RMinHash

    rows = []
    for document in sets:
        minhash = RMinHash(num_perm=permutations, seed=seed)
        minhash.update(list(map(str, document.tolist())))
        rows.append(minhash.digest())
    return np.array(rows, np.uint64).reshape(len(sets), permutations)


def candidate_pairs(sets: list[Shingles], permutations: int = 128, bands: int = 32) -> set[tuple[int, int]]:
    """Return the pairs (earlier, later) whose signatures agree in all rows of at least one band.

    With r rows a band, sets of similarity s meet with probability 1 - (1 - s^r)^bands: at 0.8, with 32 bands of 4 rows,
    all but 5 in a hundred million (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3).
    """
    pairs: set[tuple[int, int]] = set()
    filled = np.flatnonzero([len(document) > 0 for document in sets])
    matrix = signatures(sets, permutations)[filled]
    for rows in np.split(matrix, bands, axis=1):
        order = np.lexsort(rows.T)
        same = (rows[order][1:] == rows[order][:-1]).all(1)
        # each run of neighbours that agree is a bucket: it starts and ends where agreement changes
        edges = np.flatnonzero(np.diff(same.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
        for start, stop in edges:
            bucket = sorted(filled[order[start : stop + 1]].tolist())
            pairs.update(itertools.combinations(bucket, 2))
    return pairs


def shingle_cuts(numbers: WordNumbers) -> Iterator[tuple[str, Callable[[str], Shingles]]]:
    """Yield four ways of cutting a text into shingles, by name: what one calls near-duplicate hangs on the cut."""
    for n in (5, 3, 1):
        yield f"word {n}-grams", lambda text, n=n: shingles(numbers.encode(text), n)
    yield "character 5-grams", character_shingles


def drop_like_held_out(
    train: list[Document], held_out: list[Document], numbers: WordNumbers, threshold: float = HELD_OUT_THRESHOLD
) -> tuple[list[Document], Step]:
    """Return the training documents without any that nearly repeats a held-out one, by any of four cuts, exactly."""
    dropped: set[int] = set()
    for _, cut in shingle_cuts(numbers):
        right = [cut(document.text) for document in held_out]
        left = (cut(document.text) for document in train)
        dropped.update(index for index, _, _ in similar_pairs(left, right, threshold))
    kept = [document for index, document in enumerate(train) if index not in dropped]
    rule = f"Drop training text like a held-out one: Jaccard {threshold} or more by any of four cuts."
    return kept, Step.between("like held-out", rule, train, kept)
