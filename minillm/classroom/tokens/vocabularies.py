"""How vocabularies cut text: the pieces made visible, how much of it a token holds, and GPT-2's beside ours."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import regex

from minillm.corpus import Document
from minillm.errors import TokenizerError
from minillm.tokenizer import Tokenizer, gpt2_tokenizer

LANGUAGES = {
    "English": "The cat sleeps in the warm house and dreams of fish.",
    "German": "Die Katze schläft im warmen Haus und träumt von Fischen.",
    "Swahili": "Paka analala katika nyumba yenye joto na anaota samaki.",
    "Russian": "Кошка спит в тёплом доме и видит во сне рыбу.",
    "Greek": "Η γάτα κοιμάται στο ζεστό σπίτι και ονειρεύεται ψάρια.",
    "Hindi": "बिल्ली गर्म घर में सोती है और मछलियों के सपने देखती है।",
    "Chinese": "猫在温暖的房子里睡觉，梦见了鱼。",
}
"""One sentence, in the same words as far as the languages allow."""

EXAMPLES = (
    "Tokenization is neither unhappily wordless nor letterless.",
    "if x:\n        return 1234567 + 2024",
    "<script>alert('hi')</script> <|endoftext|>",
    "naïve 👩‍🚀 Кошка 猫",
)
"""Texts that tokenizers cut in telling ways."""

SPACES = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class Shape:
    """What decides how large a model's tables are; tied: one table is both embedding and head."""

    vocab_size: int
    d_model: int
    tied: bool


# the configurations that were released with the weights
PUBLISHED = {
    "GPT-2 1.5B": Shape(50_257, 1600, tied=True),
    "Llama-2 7B": Shape(32_000, 4096, tied=False),
    "Llama-3.1 8B": Shape(128_256, 4096, tied=False),
    "Llama-3.1 405B": Shape(128_256, 16_384, tied=False),
}
LLAMA_2_CHARACTERS, LLAMA_3_CHARACTERS = 3.17, 3.94
"""Characters a token on a sample of English, as the Llama 3 paper states them (section 3.2)."""


def gpt2_if_present() -> tuple[Tokenizer | None, str]:
    """Return GPT-2's tokenizer and its description, or None and what is missing and how to get it."""
    try:
        tokenizer = gpt2_tokenizer()
    except TokenizerError as error:
        return None, f"{error.cause} {error.remedy} Until then a recording stands in for it."
    return tokenizer, f"GPT-2's tokenizer is here: {tokenizer.vocab_size:,} tokens."


def bytes_per_token(texts: Iterable[str], tokenizer: Tokenizer) -> float:
    """Return how many bytes of these texts one token covers on average."""
    n_bytes = n_tokens = 0
    for text in texts:
        n_bytes += len(text.encode("utf-8"))
        n_tokens += len(tokenizer.encode(text))
    return n_bytes / n_tokens


def whole_words(text: str, tokenizer: Tokenizer) -> float:
    """Return the share of the running words of a text that are one token each, with the space before them."""
    found = regex.findall(r" \p{L}+", text)
    return sum(len(tokenizer.encode(word)) == 1 for word in found) / len(found)


def pieces(text: str, tokenizer: Tokenizer) -> list[tuple[int, str]]:
    """Return id and visible form of each token of a text."""
    return [(id, visible(tokenizer.token_bytes(id))) for id in tokenizer.encode(text)]


SIGNS = {" ": "\N{OPEN BOX}", "\n": "\N{RETURN SYMBOL}", "\t": "\N{RIGHTWARDS ARROW TO BAR}"}


def visible(token: bytes) -> str:
    """Return a token as text in which spaces and line ends have signs, and what is no text of its own stands in hex."""
    try:
        text = token.decode("utf-8")
    except UnicodeDecodeError:  # a part of a letter
        return "".join(chr(b) if 32 < b < 127 else SIGNS.get(chr(b)) or f"\\x{b:02x}" for b in token)
    return "".join(SIGNS.get(c) or (c if c.isprintable() else f"\\u{ord(c):04x}") for c in text)


def measure(tokenizer: Tokenizer, held_out: dict[str, Sequence[Document]]) -> dict:
    """Return how a tokenizer cuts: bytes a token by kind, tokens by language, spaces, whole words, the examples."""
    prose = " ".join(document.text for kind in ("web", "books") for document in held_out[kind])
    code = ("x:\n{}y".format(" " * n) for n in SPACES)
    without = len(tokenizer.encode("x:\ny"))
    return {
        "vocab_size": tokenizer.vocab_size,
        "kinds": {kind: bytes_per_token((d.text for d in held_out[kind]), tokenizer) for kind in held_out},
        "languages": {name: len(tokenizer.encode(text)) for name, text in LANGUAGES.items()},
        "spaces": [len(tokenizer.encode(text)) - without for text in code],
        "whole_words": whole_words(prose, tokenizer),
        "examples": {text: pieces(text, tokenizer) for text in EXAMPLES},
    }
