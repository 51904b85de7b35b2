"""What the corpus is made of: documents, the count of what each step kept, and the finished corpus."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

WEIGHTS = {"web": 0.35, "books": 0.25, "code": 0.20, "docs": 0.20}
"""Share of each kind among the training tokens of the embedded corpus."""


@dataclass(frozen=True)
class Document:
    """One text with where it comes from and under which licence it may be used."""

    text: str
    kind: str
    source: str
    """The distribution or file that holds the text."""
    title: str
    licence: str

    @cached_property
    def size_bytes(self) -> int:
        """Length of the text in UTF-8."""
        return len(self.text.encode("utf-8"))

    def __repr__(self) -> str:
        return f"Document({self.kind}, {self.source}: {self.title}, {self.size_bytes:,} bytes)"


class Count(NamedTuple):
    """How much text: whole documents, and bytes of UTF-8."""

    documents: int
    size_bytes: int


def count_by_kind(documents: Iterable[Document]) -> dict[str, Count]:
    """Return documents and bytes of each kind, kinds in alphabetical order."""
    counts: dict[str, Count] = {}
    for document in documents:
        documents_so_far, bytes_so_far = counts.get(document.kind, Count(0, 0))
        counts[document.kind] = Count(documents_so_far + 1, bytes_so_far + document.size_bytes)
    return dict(sorted(counts.items()))


@dataclass(frozen=True)
class Step:
    """One step on the way from files to documents: its rule, and what it kept and dropped of each kind."""

    name: str
    rule: str
    kept: dict[str, Count]
    dropped: dict[str, Count]

    @staticmethod
    def between(name: str, rule: str, before: Iterable[Document], after: Iterable[Document]) -> "Step":
        """Return the step that turned the documents `before` into those `after`, by counting both."""
        had, kept = count_by_kind(before), count_by_kind(after)
        dropped = {}
        for kind, (documents, size_bytes) in had.items():
            left = kept.setdefault(kind, Count(0, 0))
            if left != (documents, size_bytes):
                dropped[kind] = Count(documents - left.documents, size_bytes - left.size_bytes)
        return Step(name, rule, dict(sorted(kept.items())), dropped)


@dataclass(frozen=True)
class Corpus:
    """Documents to train on and documents held out, by kind, with the weights of the mixture."""

    train: dict[str, tuple[Document, ...]]
    held_out: dict[str, tuple[Document, ...]]
    weights: dict[str, float]
    """Share of each kind among the training tokens; sums to 1."""
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    """What is missing and why, one line each."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of documents, in the order of the mixture."""
        return tuple(self.weights)

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change with any byte of any text, its kind or its side of the split."""
        digest = hashlib.sha256()
        for side, by_kind in (("train", self.train), ("held_out", self.held_out)):
            for kind in sorted(by_kind):
                for document in by_kind[kind]:
                    text = document.text.encode("utf-8")
                    digest.update(f"{side} {kind} {len(text)}\n".encode())
                    digest.update(text)
        return digest.hexdigest()[:16]

    @property
    def train_bytes(self) -> dict[str, int]:
        """Bytes of training text of each kind."""
        return {kind: sum(d.size_bytes for d in documents) for kind, documents in self.train.items()}

    @property
    def held_out_bytes(self) -> dict[str, int]:
        """Bytes of held-out text of each kind."""
        return {kind: sum(d.size_bytes for d in documents) for kind, documents in self.held_out.items()}

    def licences(self, kind: str) -> tuple[str, ...]:
        """Return the licences of a kind's documents, the one with the most bytes first."""
        sizes: dict[str, int] = {}
        for document in (*self.train[kind], *self.held_out[kind]):
            sizes[document.licence] = sizes.get(document.licence, 0) + document.size_bytes
        return tuple(sorted(sizes, key=lambda licence: (-sizes[licence], licence)))

    def summary(self) -> dict:
        """Return documents, bytes, weights and licences by kind and what each step kept and dropped, ready for JSON."""
        train_bytes, held_out_bytes = self.train_bytes, self.held_out_bytes
        kinds = {
            kind: {
                "train_documents": len(self.train[kind]),
                "train_bytes": train_bytes[kind],
                "held_out_documents": len(self.held_out[kind]),
                "held_out_bytes": held_out_bytes[kind],
                "weight": self.weights[kind],
                "licences": list(self.licences(kind)),
            }
            for kind in self.kinds
        }
        steps = [
            {
                "name": step.name,
                "rule": step.rule,
                "kept": {kind: count._asdict() for kind, count in step.kept.items()},
                "dropped": {kind: count._asdict() for kind, count in step.dropped.items()},
            }
            for step in self.steps
        ]
        return {"fingerprint": self.fingerprint, "kinds": kinds, "steps": steps, "notes": list(self.notes)}

    def table(self) -> str:
        """Return the corpus as lines of text: each kind, then each step, then what is missing."""
        return summary_table(self.summary())

    def __repr__(self) -> str:
        parts = ", ".join(f"{kind} {self.train_bytes[kind] / 1e6:.2f} MB" for kind in self.kinds)
        held_out = sum(self.held_out_bytes.values()) / 1e6
        return f"Corpus({parts}; {held_out:.2f} MB held out; fingerprint {self.fingerprint})"


def summary_table(summary: dict) -> str:
    """Return a corpus's summary as lines of text: each kind, with its tokens if they are counted, then each step."""
    counted = any("train_tokens" in kind for kind in summary["kinds"].values())
    lines = [f"{'kind':<8}{'documents':>11}{'MB':>8}{'tokens':>12}{'held out':>10}{'MB':>8}{'weight':>8}  licences"]
    for name, kind in summary["kinds"].items():
        licences = kind["licences"]
        shown = ", ".join(licences[:3]) + (f" and {len(licences) - 3} more" if len(licences) > 3 else "")
        tokens = f"{kind['train_tokens']:,}" if counted else "not counted"
        lines.append(
            f"{name:<8}{kind['train_documents']:>11,}{kind['train_bytes'] / 1e6:>8.2f}{tokens:>12}"
            f"{kind['held_out_documents']:>10,}{kind['held_out_bytes'] / 1e6:>8.2f}{kind['weight']:>8.2f}  {shown}"
        )
    lines += ["", f"{'step':<22}{'kept':>8}{'MB':>8}{'dropped':>9}{'MB':>8}  rule"]
    for step in summary["steps"]:
        kept, dropped = _total(step["kept"]), _total(step["dropped"])
        lines.append(
            f"{step['name']:<22}{kept.documents:>8,}{kept.size_bytes / 1e6:>8.2f}"
            f"{dropped.documents:>9,}{dropped.size_bytes / 1e6:>8.2f}  {step['rule']}"
        )
    return "\n".join([*lines, "", f"fingerprint {summary['fingerprint']}", *summary["notes"]])


def _total(counts: dict[str, dict]) -> Count:
    return Count(sum(c["documents"] for c in counts.values()), sum(c["size_bytes"] for c in counts.values()))


def clean_text(text: str) -> str:
    """Return the text with newlines as \\n, no blanks at the ends of lines and no empty lines around it."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if " \n" in text or "\t\n" in text:
        text = re.sub(r"[ \t]+(?=\n)", "", text)
    return re.sub(r"\n{4,}", "\n\n\n", text).strip("\n \t")
