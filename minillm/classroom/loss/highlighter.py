"""A text priced token by token: the bits under each token, a bar over it, a colour behind it; and a field for yours."""

from dataclasses import dataclass

from minillm.classroom import forms
from minillm.classroom.loss.surprise import token_bits
from minillm.classroom.markup import escaped, printable, show, status
from minillm.errors import ConfigError
from minillm.model import Transformer
from minillm.tokenizer import Tokenizer

LONGEST_CHARACTERS = 2000
DEAREST_BITS = 12
"""From this price on a token has the full colour."""


@dataclass(frozen=True)
class Highlighted:
    """A text as tokens with the price of each, in bits; a notebook shows it coloured, with the price under each."""

    pieces: tuple[str, ...]
    bits: tuple[float, ...]

    @property
    def mean_bits(self) -> float:
        """The mean price of a token."""
        return sum(self.bits) / len(self.bits)

    def __repr__(self) -> str:
        priced = "".join(f"{p}[{b:.0f}]" for p, b in zip(self.pieces, self.bits, strict=True))
        return printable(f"{priced}\n{len(self.bits)} tokens, {self.mean_bits:.1f} bits a token")

    def _repr_html_(self) -> str:
        boxes = []
        for piece, bits in zip(self.pieces, self.bits, strict=True):
            visible = piece.replace(" ", "\N{OPEN BOX}").replace("\n", "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}")
            boxes.append(
                f'<span title="{escaped(repr(piece))}: {bits:.1f} bits" style="display: inline-block; margin: 1px; '
                f"padding: 1px 3px; text-align: center; color: #000; background: {shade(bits)}; "
                f'border-top: {bar_height(bits)}px solid #D55E00">{escaped(visible)}'
                f'<br><small style="color: #000">{bits:.0f}</small></span>'
            )
        told = f"{len(self.bits)} tokens, {self.mean_bits:.1f} bits a token. Under each token its price in bits."
        return f'<div style="line-height: 1.2">{"".join(boxes)}</div><p>{told}</p>'


def shade(bits: float) -> str:
    """Return the colour behind a token: white for one that costs nothing, orange for a dear one."""
    share = min(1.0, max(0.0, bits / DEAREST_BITS))
    red, green, blue = (round(255 + share * (full - 255)) for full in (0xF5, 0xB0, 0x41))
    return f"#{red:02x}{green:02x}{blue:02x}"


def bar_height(bits: float) -> int:
    """Return the height of the bar over a token, one point for each two bits."""
    return round(min(DEAREST_BITS, max(0.0, bits)) / 2)


def highlight(model: Transformer, tokenizer: Tokenizer, text: str) -> Highlighted:
    """Price each token of a text as if it began a document.

    Raises ConfigError for an empty text or one of more than 2,000 characters.
    """
    if not isinstance(text, str) or not text.strip():
        raise ConfigError("There is no text to price.", "Give at least one word.")
    if len(text) > LONGEST_CHARACTERS:
        raise ConfigError(f"The text has {len(text):,} characters.", f"Give at most {LONGEST_CHARACTERS:,}.")
    ids = tokenizer.encode(text)
    bits = token_bits(model, [tokenizer.end_of_text, *ids])
    return Highlighted(tuple(tokenizer.decode([i]) for i in ids), tuple(bits.tolist()))


class Highlighter:
    """A field for a text, shown priced token by token; its plain twin is `highlight`."""

    def __init__(self, model: Transformer, tokenizer: Tokenizer, text: str):
        self.model, self.tokenizer, self.text = model, tokenizer, text

    def __repr__(self) -> str:
        priced = highlight(self.model, self.tokenizer, self.text)
        return f"{priced!r}\nA text of yours: highlighter.highlight(reader, tokenizer, text)"

    def _ipython_display_(self):
        show(repr(self), highlight(self.model, self.tokenizer, self.text)._repr_html_(), self.form)

    def form(self):
        """Build the widget: a field, a button, and the priced text."""
        import ipywidgets as w

        field, button = forms.field("Your text", "write something and press Tab or the button"), w.Button()
        button.description = "Price each token"
        told, shown = w.HTML(), w.HTML()

        def price(_=None):
            try:
                priced = highlight(self.model, self.tokenizer, field.value)
            except ConfigError as error:
                told.value = status(str(error))
                return
            shown.value = priced._repr_html_()
            told.value = status(f"{len(priced.bits)} tokens, {priced.mean_bits:.1f} bits a token.")

        field.value = self.text
        price()
        button.on_click(price)
        field.observe(price, names="value")
        return w.VBox([field, button, told, shown])
