"""Quality filters: simple rules that tell text worth reading from the rest, each with the reason it gives.

The rules follow the filters of Gopher (Rae et al. 2021, table A1) and C4 (Raffel et al. 2020, section 2.2), with bounds
fitted to short texts. Each filter takes a document and says whether it stays.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from minillm.corpus.documents import Document, Step, clean_text

PROSE = {"web", "books", "text"}
MIN_BYTES = 150
COMMON_WORDS = {"the", "be", "to", "of", "and", "that", "have", "with", "is", "in", "a", "for"}
NOT_LETTERS = bytes(byte for byte in range(256) if not chr(byte).isalpha() or byte > 127)
BLANKS = b" \n\t\r\f\v"

# Lines of code that stand in many files and say little: imports and comments. Taking out others would break the code.
IMPORT_OR_COMMENT = re.compile(r"(from \S+ )?import [^(\\]*$|\s*#")


def is_long_enough(document: Document) -> bool:
    """Keep texts of at least 150 bytes."""
    return document.size_bytes >= MIN_BYTES


def is_english(document: Document) -> bool:
    """Keep texts with at most 5% characters beyond ASCII, prose with two common English words besides."""
    plain = len(document.text.encode("ascii", "ignore"))
    if plain < 0.95 * len(document.text):
        return False
    return document.kind not in PROSE or len(COMMON_WORDS & set(document.text.lower().split())) >= 2


def is_made_of_letters(document: Document) -> bool:
    """Keep prose with at least 75% letters among its visible characters, code and documentation with 45%."""
    text = document.text.encode("ascii", "ignore")
    visible = len(text.translate(None, BLANKS))
    letters = len(text.translate(None, NOT_LETTERS))
    return letters >= (0.75 if document.kind in PROSE else 0.45) * visible


def has_usual_words(document: Document) -> bool:
    """Keep prose whose words are 3 to 10 letters long in the mean."""
    words = document.text.split()
    return document.kind not in PROSE or 3 <= sum(map(len, words)) / max(1, len(words)) <= 10


def repeats_little(document: Document) -> bool:
    """Keep texts of which at most 30% are lines that stood before in the same text; code and documentation 50%."""
    lines = [line.strip() for line in document.text.split("\n") if len(line.strip()) > 3]
    repeated = sum(len(line) * (count - 1) for line, count in Counter(lines).items())
    return repeated <= (0.3 if document.kind in PROSE else 0.5) * sum(map(len, lines))


def is_written_by_hand(document: Document) -> bool:
    """Keep code that does not say in its first 600 characters that a program generated it."""
    opening = document.text[:600].lower()
    return document.kind != "code" or not re.search(r"\b(auto-?generated|generated (by|from|automatically))", opening)


FILTERS: tuple[Callable[[Document], bool], ...] = (
    is_long_enough,
    is_english,
    is_made_of_letters,
    has_usual_words,
    repeats_little,
    is_written_by_hand,
)


def apply_filters(documents: list[Document]) -> tuple[list[Document], list[Step]]:
    """Return the documents that pass every filter, and one step for each filter."""
    steps = []
    for keep in FILTERS:
        kept = [document for document in documents if keep(document)]
        name = keep.__name__.removeprefix("is_").removeprefix("has_").replace("_", " ")
        steps.append(Step.between(name, keep.__doc__.strip(), documents, kept))
        documents = kept
    return documents, steps


def drop_common_lines(
    documents: list[Document], min_characters: int = 30, max_documents: int = 4
) -> tuple[list[Document], Step]:
    """Return the documents without the long lines that stand in many of them, and what that took away.

    Licence headers, parameter descriptions and imports that recur from document to document teach a model to recite.
    A line counts when it has `min_characters` or more, and is dropped everywhere when more than `max_documents`
    documents hold it. Of code only imports and comments are dropped. C4 and CCNet (Wenzek et al. 2020) do likewise.
    A text of which too little is left goes as a whole.
    """
    holders: Counter[str] = Counter()
    for document in documents:
        holders.update({line.strip() for line in document.text.split("\n") if len(line) >= min_characters})
    common = {line for line, count in holders.items() if count > max_documents and len(line) >= min_characters}
    cleaned = [_without_lines(document, common) for document in documents]
    cleaned = [new for old, new in zip(documents, cleaned, strict=True) if new is old or is_long_enough(new)]
    rule = f"Drop lines of {min_characters} characters or more that stand in more than {max_documents} documents."
    return cleaned, Step.between("common lines", rule, documents, cleaned)


def _without_lines(document: Document, common: Iterable[str]) -> Document:
    lines = document.text.split("\n")
    kept = [line for line in lines if line.strip() not in common or not _may_go(document, line)]
    return document if len(kept) == len(lines) else replace(document, text=clean_text("\n".join(kept)))


def _may_go(document: Document, line: str) -> bool:
    return document.kind != "code" or IMPORT_OR_COMMENT.match(line) is not None
