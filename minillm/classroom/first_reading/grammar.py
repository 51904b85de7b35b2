"""Grammar made by rule: templates times words, eight items for each of seven matters; agreement across a noun apart.

In some matters the last token of the context decides, in others it is the same in both contexts: `end_alike` tells.
"""

from collections.abc import Iterator
from itertools import cycle, product

from minillm.classroom.first_reading.scoring import Probe

BE_OR_HAVE = ((" is", " are"), (" was", " were"), (" has", " have"))


def agreement() -> Iterator[Probe]:
    """The verb agrees with the noun just before it."""
    nouns = ("book", "state", "law", "ship", "house", "river", "word", "name")
    for noun, (one, many) in zip(nouns, cycle(BE_OR_HAVE), strict=False):
        yield Probe(f"This {noun}", one, f"These {noun}s", many)


def a_or_an() -> Iterator[Probe]:
    """A word that begins with a vowel follows `an`."""
    vowels = ("example", "answer", "island", "army", "engine", "author", "idea", "old man")
    consonants = ("person", "question", "city", "law", "house", "river", "child", "young man")
    starts = ("This is", "It was", "We have", "There is")
    for start, vowel, consonant in zip(cycle(starts), vowels, consonants, strict=False):
        yield Probe(f"{start} an", f" {vowel}", f"{start} a", f" {consonant}")


def verb_form() -> Iterator[Probe]:
    """`will` and `to` ask for one form of the verb, `have` and `are` for others."""
    verbs = (
        ("make", "made", "making"),
        ("take", "taken", "taking"),
        ("give", "given", "giving"),
        ("write", "written", "writing"),
    )
    for plain, past, running in verbs:
        yield Probe("They will", f" {plain}", "They have", f" {past}")
        yield Probe("They want to", f" {plain}", "They are", f" {running}")


def pronoun_case() -> Iterator[Probe]:
    """After a preposition stands another form of a pronoun than before a verb."""
    contexts = (("It was given to", "It is because"), ("He came with", "He came when"))
    pronouns = ((" them", " they"), (" him", " he"), (" us", " we"), (" me", " I"))
    for (after, before), (other, subject) in product(contexts, pronouns):
        yield Probe(after, other, before, subject)


def comparison() -> Iterator[Probe]:
    """Greater than something, but so great that something follows."""
    for adjective in ("great", "small", "strong", "high", "low", "long", "old", "short"):
        yield Probe(f"It is {adjective}er", " than", f"It is so {adjective}", " that")


def both_or_either() -> Iterator[Probe]:
    """Both this and that, but either this or that: the word that decides stands further back."""
    for noun in ("army", "state", "people", "church", "city", "land", "river", "house"):
        yield Probe(f"Both the {noun}", " and", f"Either the {noun}", " or")


def python() -> Iterator[Probe]:
    """What may follow a keyword of Python."""
    for name in ("x", "i", "k", "n"):
        yield Probe(f"    for {name} in", " range", f"    if {name} is", " None")
        yield Probe(f"    for {name}", " in", f"    if {name}", " ==")


def across_a_noun() -> Iterator[Probe]:
    """The verb agrees with the first noun, and a noun of the other number stands nearer."""
    heads = ("owner", "author", "leader", "friend", "name", "price", "picture", "side")
    others = ("ship", "book", "house", "river", "state")
    for (head, other), (one, many) in zip(product(heads, others), cycle(BE_OR_HAVE), strict=False):
        yield Probe(f"The {head} of the {other}s", one, f"The {head}s of the {other}", many)


RULES = {
    "agreement": agreement,
    "a or an": a_or_an,
    "verb form": verb_form,
    "pronoun case": pronoun_case,
    "comparison": comparison,
    "both or either": both_or_either,
    "Python": python,
}


def named(name: str, made: Iterator[Probe]) -> tuple[Probe, ...]:
    """Return the items with the name of their matter."""
    return tuple(Probe(p.first, p.first_ending, p.second, p.second_ending, name) for p in made)


def grammar() -> tuple[Probe, ...]:
    """Return all items of grammar but those across a noun."""
    return tuple(probe for name, rule in RULES.items() for probe in named(name, rule()))


def across() -> tuple[Probe, ...]:
    """Return the items in which the nearest noun misleads."""
    return named("across a noun", across_a_noun())
