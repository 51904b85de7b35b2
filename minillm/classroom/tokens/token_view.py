"""The widgets of notebook 02: a text in coloured pieces, under one vocabulary or several, and merges one by one.

Each piece has a border, a sign for every space and its id, so that colour is never the only sign.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from minillm import bpe
from minillm.classroom import forms
from minillm.classroom.markup import escaped, printable, show, status, table_html, table_text
from minillm.classroom.tokens.vocabularies import pieces, visible
from minillm.errors import ConfigError, TokenizerError
from minillm.tokenizer import Tokenizer, replace_surrogates

Pieces = Sequence[Sequence]  # of id and visible form

TINTS = ("#cfe8f7", "#fde3cf", "#d3f0e4", "#f6e3ee")
"""Light forms of the course's colours, under black letters."""
DOT = " \N{MIDDLE DOT} "
LONGEST = 1000
"""Characters that the form cuts at once."""
MOST_MERGES = 200
MOST_BOXES = 2000
"""Pieces of one text that are shown; a browser stops at many more."""


def pieces_html(found: Pieces, ids: bool = True) -> str:
    """Return escaped HTML of pieces in bordered boxes, each with its id; a piece that ends a line ends it here too."""
    boxes, more = [], _more(found)
    for place, (id, shown) in enumerate(found[:MOST_BOXES]):
        number = f'<sub style="color: #333">{id}</sub>' if ids else ""
        boxes.append(
            f'<span style="display: inline-block; unicode-bidi: isolate; white-space: pre; color: #000; '
            f"background: {TINTS[place % len(TINTS)]}; border: 1px solid #333; border-radius: 3px; margin: 1px; "
            f'padding: 0 2px">{escaped(shown)}{number}</span>' + ("<br>" if "\N{RETURN SYMBOL}" in shown else "")
        )
    listed = escaped(", ".join(shown for _, shown in found[:MOST_BOXES]))
    return f'<div role="img" aria-label="{len(found)} pieces: {listed}{more}">{"".join(boxes)}{more}</div>'


def pieces_text(found: Pieces) -> str:
    """Return pieces as one line of text, a dot between them, and a second line with their ids."""
    first, more = found[:MOST_BOXES], _more(found)
    return printable(
        f"  {DOT.join(shown for _, shown in first)}{more}\n  ids {' '.join(str(id) for id, _ in first)}{more}"
    )


def _more(found: Pieces) -> str:
    return f" ... and {len(found) - MOST_BOXES:,} more" if len(found) > MOST_BOXES else ""


def _checked(text: str) -> str:
    """Return the text with what has no bytes (half a character) replaced; TokenizerError for what is no text."""
    if not isinstance(text, str):
        raise TokenizerError(f"A value of type {type(text).__name__} is no text.", "Give a string, in quotation marks.")
    return replace_surrogates(text)


class Cuts:
    """One text in the tokens of several vocabularies, by their names: `found[name]` has id and form of each token."""

    def __init__(self, text: str, found: Mapping[str, Pieces]):
        self.text, self.found = text, dict(found)

    def _head(self, name: str) -> str:
        return f"{name}: {len(self.found[name])} tokens for {len(self.text.encode('utf-8'))} bytes"

    def __repr__(self) -> str:
        return "\n".join(f"{self._head(name)}\n{pieces_text(found)}" for name, found in self.found.items())

    def _repr_html_(self) -> str:
        return "".join(
            f"<p><strong>{escaped(self._head(name))}</strong></p>{pieces_html(found)}"
            for name, found in self.found.items()
        )


def cut(text: str, tokenizers: Mapping[str, Tokenizer]) -> Cuts:
    """Cut a text with each tokenizer; the plain twin of `AnyText`."""
    text = _checked(text)
    return Cuts(text, {name: pieces(text, tokenizer) for name, tokenizer in tokenizers.items()})


class AnyText:
    """A field for any text, which is cut by each tokenizer at the press of a button; its plain twin is `cut`."""

    def __init__(self, text: str, tokenizers: Mapping[str, Tokenizer]):
        self.tokenizers, self.first = dict(tokenizers), cut(text, tokenizers)

    def __repr__(self) -> str:
        return repr(self.first)

    def _ipython_display_(self):
        show(repr(self), self.first._repr_html_(), self.form)

    def form(self):
        """Build the widget: a field of several lines, a button, and the text in pieces."""
        import ipywidgets as w

        told = w.HTML(status("Type any text, then press the button: Tab leads to it, Space presses it."))
        typed = w.Textarea(
            value=self.first.text,
            description="Your text",
            continuous_update=False,
            rows=3,
            layout=w.Layout(width="45em", max_width="100%"),
            style={"description_width": "6em"},
        )
        button, shown = w.Button(description="Cut it"), w.HTML(self.first._repr_html_())

        def cut_it(_):
            text = typed.value[:LONGEST]
            cuts = cut(text, self.tokenizers)
            shown.value = cuts._repr_html_()
            cut_off = f" These are the first {LONGEST:,} characters." if len(typed.value) > LONGEST else ""
            counts = ", ".join(f"{name} {len(found)}" for name, found in cuts.found.items())
            told.value = status(f"Tokens: {counts}.{cut_off}")

        button.on_click(cut_it)
        return w.VBox([typed, button, told, shown])


@dataclass(frozen=True, repr=False)
class Merge:
    """One merge while a vocabulary is learned: what is joined, how often it stood there, and the text afterwards."""

    number: int
    left: str
    right: str
    count: int
    tokens: tuple[tuple[int, str], ...]
    """Id and visible form of every piece after it."""

    @property
    def what(self) -> str:
        """Return what the merge does, in words."""
        if not self.number:
            return "no merge yet: one piece a byte"
        often = "once" if self.count == 1 else f"{self.count} times"
        return f"{self.left} + {self.right} stood side by side {often}, now id {255 + self.number}"

    def __repr__(self) -> str:
        text = DOT.join(shown for _, shown in self.tokens[:MOST_BOXES]) + _more(self.tokens)
        return printable(f"{self.number}: {self.what}; {len(self.tokens)} pieces: {text}")


def merge_steps(text: str, n_merges: int) -> list[Merge]:
    """Learn merges from a text and return the start and each merge, until no pair is left; the twin of `Stepper`."""
    chunks = [list(chunk.encode("utf-8")) for chunk in bpe.split(_checked(text))]
    tokens = bpe.vocabulary([])
    steps = [_step(0, "", "", 0, chunks, tokens)]
    for number in range(1, n_merges + 1):
        counts = bpe.count_pairs(chunks)
        if not counts:
            break
        left, right = pair = bpe.most_frequent(counts)
        new_id = 255 + number
        tokens[new_id] = tokens[left] + tokens[right]
        chunks = [bpe.merge(ids, pair, new_id) for ids in chunks]
        steps.append(_step(number, visible(tokens[left]), visible(tokens[right]), counts[pair], chunks, tokens))
    return steps


def _step(number: int, left: str, right: str, count: int, chunks: list[list[int]], tokens: dict[int, bytes]) -> Merge:
    return Merge(number, left, right, count, tuple((id, visible(tokens[id])) for ids in chunks for id in ids))


class Stepper:
    """Merges of a small text, one at a time; as a form with buttons, or all of them as a table."""

    def __init__(self, text: str, n_merges: int = 12):
        self.text, self.n_merges, self.steps = text, n_merges, merge_steps(text, n_merges)

    def columns(self) -> dict[str, list]:
        """Return the merges as columns."""
        return {
            "merge": [step.number for step in self.steps],
            "what": [step.what for step in self.steps],
            "pieces": [len(step.tokens) for step in self.steps],
            "the text": [
                DOT.join(shown for _, shown in step.tokens[:MOST_BOXES]) + _more(step.tokens) for step in self.steps
            ],
        }

    def __repr__(self) -> str:
        return table_text(self.columns())

    def table(self) -> str:
        """Return the merges as an HTML table."""
        return table_html(self.columns(), "The text after each merge")

    def _ipython_display_(self):
        show(repr(self), self.table(), self.form)

    def form(self):
        """Build the widget: the text, buttons for the next merge and back, the pieces, and the table to unfold."""
        import ipywidgets as w

        typed = forms.field("Learn from", "a few words that repeat themselves")
        typed.value = self.text
        learn = w.Button(description="Start anew")
        onward, back = w.Button(description="Next merge"), w.Button(description="One back")
        told, shown, table = w.HTML(), w.HTML(), w.HTML()
        state = {"steps": self.steps, "at": 0}

        def draw():
            step = state["steps"][state["at"]]
            onward.disabled = state["at"] == len(state["steps"]) - 1
            back.disabled = state["at"] == 0
            told.value = status(f"After merge {step.number}: {step.what}. {len(step.tokens)} pieces.")
            shown.value = pieces_html(step.tokens)

        def move(by: int):
            state["at"] = min(max(state["at"] + by, 0), len(state["steps"]) - 1)
            draw()

        def start(_=None):
            try:
                if not typed.value.strip():
                    forms.refuse(typed, "The text", "Type a few words.")
                self.text = typed.value[:LONGEST]
                state.update(steps=merge_steps(self.text, MOST_MERGES), at=0)
            except ConfigError as error:
                told.value = status(str(error))
                return
            draw()

        table.value = f"<details><summary>All merges of the first text as a table</summary>{self.table()}</details>"
        learn.on_click(start)
        onward.on_click(lambda _: move(1))
        back.on_click(lambda _: move(-1))
        draw()
        return w.VBox([typed, w.HBox([learn, onward, back]), told, shown, table])
