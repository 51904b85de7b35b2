"""One prompt, two replies side by side: the base model on the left, the fine-tuned one on the right."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from minillm.classroom import forms
from minillm.classroom.markup import escaped, paragraphs, printable, show, status
from minillm.errors import ConfigError, MinillmError

Reply = tuple[str, bool]
"""What a model said, and whether it ended by itself."""
LONGEST_CHARACTERS = 400


@dataclass(frozen=True)
class Panes:
    """A prompt with the replies of the base model and of the fine-tuned one."""

    prompt: str
    before: Reply
    after: Reply

    def __repr__(self) -> str:
        before, after = printable(ending(self.before)), printable(ending(self.after))
        return f"{printable(self.prompt)}\n  before: {before}\n  after:  {after}"

    def _repr_html_(self) -> str:
        cells = "".join(
            f'<td style="width: 50%; text-align: left; vertical-align: top">{paragraphs(ending(reply))}</td>'
            for reply in (self.before, self.after)
        )
        names = "".join(f'<th scope="col">{name}</th>' for name in ("before: base model", "after: fine-tuned"))
        return (
            f'<table style="width: 100%"><caption>{escaped(self.prompt)}</caption>'
            f"<thead><tr>{names}</tr></thead><tbody><tr>{cells}</tr></tbody></table>"
        )


def ending(reply: Reply) -> str:
    """Return a reply as text with a mark for how it ends: by itself, or cut off."""
    text, ended = reply
    return f"{text.strip() or '(nothing)'} {'[end]' if ended else '[cut off]'}"


def recorded(before: Sequence[dict], after: Sequence[dict]) -> list[Panes]:
    """Return panes from two lists of records with prompt, reply and ended, of the same prompts in the same order."""
    return [
        Panes(a["prompt"], (a["reply"], a["ended"]), (b["reply"], b["ended"]))
        for a, b in zip(before, after, strict=True)
    ]


class TwoPanes:
    """A field for a number or a prompt of your own, answered by both models; its plain twin is `look_up`.

    ask: returns both replies to a prompt; without it only the recorded prompts have an answer.
    """

    def __init__(self, known: Sequence[Panes], ask: Callable[[str], tuple[Reply, Reply]] | None = None):
        self.known, self.ask = list(known), ask

    def __repr__(self) -> str:
        return f"{self.known[0]!r}\nAnother one of {len(self.known)}: panes.look_up(2). {self.about_own()}"

    def about_own(self) -> str:
        """Say how a prompt of one's own can be asked; the same words whether it can be now."""
        return 'A prompt of yours, if the runs were computed here: panes.look_up("What is rain?").'

    def look_up(self, asked: int | str) -> Panes:
        """Return the panes of a recorded prompt, by number from 1 or by its text, or of a prompt of your own.

        Raises ConfigError for a number out of range, a prompt that is empty or too long, and a new one where none can
        be asked.
        """
        text = str(asked).strip()
        if re.fullmatch(r"-?[0-9]{1,9}", text):
            if not 1 <= int(text) <= len(self.known):
                raise ConfigError(f"There is no prompt {text}.", f"Use 1 to {len(self.known)}, or write a prompt.")
            return self.known[int(text) - 1]
        for panes in self.known:
            if panes.prompt.casefold() == text.casefold():
                return panes
        if not text or len(text) > LONGEST_CHARACTERS:
            raise ConfigError(f"A prompt of {len(text)} characters.", f"Write 1 to {LONGEST_CHARACTERS} characters.")
        if self.ask is None:
            raise ConfigError(
                "This prompt was not recorded, and the models are not here.",
                f"Use a number from 1 to {len(self.known)}, or run the notebook with MINILLM_SPEED=LIVE.",
            )
        return Panes(text, *self.ask(text))

    def _ipython_display_(self):
        show(repr(self), f"{self.known[0]._repr_html_()}<p>{escaped(self.about_own())}</p>", self.form)

    def form(self):
        """Build the widget: a field, a button, what happened, and the two panes."""
        import ipywidgets as w

        hint = f"a number from 1 to {len(self.known)}" + (", or a prompt of yours" if self.ask else "")
        field, button, told, shown = forms.field("Prompt", hint), w.Button(description="Ask both"), w.HTML(), w.HTML()

        def ask(_=None):
            try:
                panes = self.look_up(field.value)
            except MinillmError as error:
                told.value = status(str(error))
                return
            shown.value = panes._repr_html_()
            ends = ["ended by itself" if end else "was cut off" for _, end in (panes.before, panes.after)]
            told.value = status(f"Before: the reply {ends[0]}. After: it {ends[1]}.")

        shown.value = self.known[0]._repr_html_()
        button.on_click(ask)
        field.observe(ask, names="value")
        return w.VBox([field, button, told, shown])
