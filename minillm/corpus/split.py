"""Which text is held out: whole documents by kind, or the last tenth of a short list of documents."""

import hashlib
import itertools
from dataclasses import replace

from minillm.corpus.documents import Document

TENTH = 0.1
FEW_DOCUMENTS = 10


def lot(document: Document) -> bytes:
    """Return the document's place in a draw that hangs on its text alone, not on order, names or a seed."""
    return hashlib.sha256(document.text.encode("utf-8")).digest()


def split_by_document(documents: list[Document], held_out_bytes: int) -> tuple[list[Document], list[Document]]:
    """Return training and held-out documents: whole documents of each kind, drawn until they sum to `held_out_bytes`.

    At most half of a kind's documents are held out, so that something is left to learn from.
    """
    chosen: set[bytes] = set()
    for kind in sorted({document.kind for document in documents}):
        drawn = sorted((document for document in documents if document.kind == kind), key=lot)
        total = 0
        for document in drawn[: len(drawn) // 2]:
            if total >= held_out_bytes:
                break
            chosen.add(lot(document))
            total += document.size_bytes
    train = [document for document in documents if lot(document) not in chosen]
    return train, [document for document in documents if lot(document) in chosen]


def hold_out_tenth(documents: list[Document]) -> tuple[list[Document], list[Document]]:
    """Return training and held-out documents of a user's own text, about a tenth held out.

    Fewer than ten documents are one text, whose last tenth is held out; ten or more are drawn whole, and copies of
    one text stay on one side.
    """
    if len(documents) < FEW_DOCUMENTS:
        return split_by_position(documents)
    total = sum(document.size_bytes for document in documents)
    chosen: set[str] = set()
    taken = 0
    # copies of one text are neighbours in the draw
    for text, copies in itertools.groupby(sorted(documents, key=lot), key=lambda document: document.text):
        size_bytes = sum(document.size_bytes for document in copies)
        # a text that alone is far more than a tenth would leave little to learn from
        if taken < TENTH * total and size_bytes <= 2 * TENTH * total:
            chosen.add(text)
            taken += size_bytes
    train = [document for document in documents if document.text not in chosen]
    held_out = [document for document in documents if document.text in chosen]
    return (train, held_out) if train and held_out else split_by_position(documents)


def split_by_position(documents: list[Document]) -> tuple[list[Document], list[Document]]:
    """Return the documents before and after the point where nine tenths of all bytes have passed.

    The document that holds this point is cut there, at the next whole character.
    """
    cut = sum(document.size_bytes for document in documents) * 9 // 10
    train, held_out = [], []
    for document in documents:
        if document.size_bytes <= cut:
            train.append(document)
        elif cut <= 0:
            held_out.append(document)
        else:
            text = document.text.encode("utf-8")
            while cut < len(text) and 0x80 <= text[cut] < 0xC0:  # inside a character
                cut += 1
            for side, part in ((train, text[:cut]), (held_out, text[cut:])):
                if part:
                    side.append(replace(document, text=part.decode("utf-8")))
        cut -= document.size_bytes
    return train, held_out
