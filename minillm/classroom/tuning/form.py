"""The asked form of an answer, and the rule that judges it."""

import re

MOST_WORDS = 20
SENTENCE = re.compile(r"[A-Z0-9][^.!?\n]*[.]")


def in_form(reply: str, ended: bool) -> bool:
    """Tell whether a reply has the asked form.

    One sentence of 1 to 20 words, from a capital letter or a digit to the only full stop, and then end-of-text
    (`ended`): no second sentence, no new line.
    """
    return ended and is_one_sentence(reply)


def is_one_sentence(reply: str) -> bool:
    """Tell whether a reply is one sentence of 1 to 20 words, whether or not it ended by itself."""
    text = reply.strip(" ")
    return SENTENCE.fullmatch(text) is not None and 1 <= len(text.split()) <= MOST_WORDS
