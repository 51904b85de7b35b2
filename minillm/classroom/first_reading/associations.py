"""Words that keep company, drawn by rule from the training text: nobody chose them, and a test draws them again.

The rule: nouns are words that often stand between an article and a word such as `of` or `is`. Two of them are a pair if
they share sentences far more often than chance has it (by the log-likelihood ratio: Dunning 1993). Each is asked for in
a sentence of the course's own that stands nowhere in the text, two pairs of the same kind of text an item.
"""

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from minillm.classroom.first_reading.scoring import Probe

ARTICLES = frozenset(("the", "The", "a", "A", "an", "An"))
AFTER_A_NOUN = frozenset(
    (*".,;", *re.findall("[a-z]+", "of and in is was are were to for that which on by from with has had"))
)
LEAST_LETTERS = 4
LEAST_SEEN = 60
"""Times that a noun stands in its kind of text."""
LEAST_AS_NOUN = 0.15
"""Share of them between an article and such a word."""
NEAR = 10
"""Words within which the second noun follows the first; at least one stands between them."""
LEAST_TOGETHER = 8
"""Sentences in which they stand so."""
NO_CHANCE = 10.83
"""A log-likelihood ratio that chance exceeds once in a thousand."""
KINDS = ("web", "books", "docs")
MOST_PAIRS = 56
"""Of one kind of text, the strongest."""

# what `draw` finds in the embedded corpus, the strongest of each kind first
DRAWN = {
    "web": (
        "capital city, south north, west east, novel author, northeast southeast, area population, head state, "
        "history period, unit length, southwest northwest, direction motion, field study, centre country, world "
        "lake, member genus, range size, sense term, surface body"
    ),
    "books": (
        "exchange ratifications, advice consent, attention subject, discharge duties, solution problem, river "
        "harbor, expenditures receipts, exercise power, condition finances, passage bill, rest world, maximum "
        "minimum, performance duty, execution laws, appointment commission, remedy evils, principal interest, "
        "revision tariff, proceeds sales, value dollar, treaty navigation, equality opportunity, pursuit "
        "happiness, enjoyment rights, difference opinion, books papers, supervision regulation, preservation "
        "forests, coinage ratio, people representatives, country honor, suggestions report, question decision, "
        "flag seas, quarter century, officer command, appropriation purpose, adjustment difficulties, convention "
        "constitution, collection revenue, resolution annexation, increase population, efficiency service, board "
        "commissioners, organization militia, courts jurisdiction, construction canal, court statute, view fact, "
        "balance deficit, accomplishment object, consideration propriety, reports heads, right vote, "
        "transportation mails, statement facts"
    ),
    "docs": (
        "columns rows, string name, implementation algorithm, artists legend, elements order, tree root, list "
        "iterable, solution problem, input output, fraction figure, dictionary matching, subgraph graph, sequence "
        "length, tuple indices"
    ),
}


def association() -> tuple[Probe, ...]:
    """Return the items: the drawn pairs of each kind, every one with the next."""
    return tuple(probe for kind, pairs in DRAWN.items() for probe in ask(kind, [p.split() for p in pairs.split(", ")]))


def ask(kind: str, pairs: Sequence[Sequence[str]]) -> Iterator[Probe]:
    """Yield an item for each two pairs, first and second, third and fourth; a last one alone is left out."""
    for (a, its), (b, other) in zip(pairs[::2], pairs[1::2], strict=False):
        yield Probe(f"It is about the {a} and the", f" {its}", f"It is about the {b} and the", f" {other}", kind)


def draw(text: str) -> list[tuple[str, str]]:
    """Return the pairs of one kind of text, strongest first, no noun twice.

    Neighbours in the list, of which an item is made, are such that no noun of one keeps company with the other's.
    """
    sentences = [words(sentence) for sentence in re.split(r"[.!?;:]\s+|\n\n|<\|endoftext\|>", text)]
    known = nouns(sentences)
    places = [{word: i for i, word in reversed([*enumerate(s)]) if word in known} for s in sentences]  # the first place
    seen = Counter(word for found in places for word in found)
    together = Counter(
        (a, b) for found in places for a, b in itertools.permutations(found, 2) if 1 < found[b] - found[a] <= NEAR
    )

    def ratio(a: str, b: str) -> float:
        return log_likelihood_ratio(together[a, b] + together[b, a], seen[a], seen[b], len(sentences))

    ranked = sorted(
        ((ratio(a, b), a, b) for (a, b), count in together.items() if count >= LEAST_TOGETHER),
        key=lambda pair: (-pair[0], pair[1:]),
    )
    pairs, used = [], set()
    for strength, a, b in ranked:
        alike = a[:LEAST_LETTERS] == b[:LEAST_LETTERS]  # nation and nations: a matter of spelling
        if strength > NO_CHANCE and not alike and not used & {a, b} and f"{a} and the {b}" not in text:
            pairs.append((a, b))
            used |= {a, b}
    return apart(pairs[:MOST_PAIRS], lambda a, b: ratio(a, b) > NO_CHANCE)


def words(sentence: str) -> list[str]:
    """Return the words and marks of a sentence, a full stop at its end."""
    return [*re.findall(r"[A-Za-z]+|[^\sA-Za-z]", sentence), "."]


def nouns(sentences: Sequence[Sequence[str]]) -> set[str]:
    """Return the words in small letters that the sentences use as nouns."""
    seen = Counter(word for sentence in sentences for word in sentence)
    as_noun = Counter(
        word
        for sentence in sentences
        for before, word, after in zip(sentence, sentence[1:], sentence[2:], strict=False)
        if before in ARTICLES and after in AFTER_A_NOUN and word.isalpha() and word.islower()
    )
    return {
        word
        for word, count in as_noun.items()
        if len(word) >= LEAST_LETTERS and seen[word] >= LEAST_SEEN and count >= LEAST_AS_NOUN * seen[word]
    }


def log_likelihood_ratio(both: int, first: int, second: int, sentences: int) -> float:
    """Return how surely two words meet more often than chance has it; 0 if they do not (Dunning 1993).

    Given in how many of all sentences both stand, and each of them.
    """
    if both * sentences <= first * second:
        return 0.0
    rest = sentences - first - second + both

    def spread(*counts: int) -> float:
        return sum(count * math.log(count / sum(counts)) for count in counts if count)

    cells = spread(both, first - both, second - both, rest)
    return 2 * (cells - spread(first, sentences - first) - spread(second, sentences - second))


def apart(pairs: Sequence[tuple[str, str]], company) -> list[tuple[str, str]]:
    """Return the pairs in an order in which each two, first and second, third and fourth, have no swapped company."""
    waiting, ordered = list(pairs), []
    while waiting:
        a, its = waiting.pop(0)
        partner = next(
            (i for i, (b, other) in enumerate(waiting) if not company(a, other) and not company(b, its)), None
        )
        if partner is not None:
            ordered += [(a, its), waiting.pop(partner)]
    return ordered


def count_company(texts: Mapping[str, str], probes: Sequence[Probe]) -> tuple[int, int]:
    """Return in how many sentences of other text the probes' own words stand together, and the swapped ones."""
    own = swapped = 0
    for probe in probes:
        a, b = (context.split()[4] for context in (probe.first, probe.second))
        its, other = probe.first_ending.strip(), probe.second_ending.strip()
        for sentence in re.split(r"[.!?;:]\s+|\n\n|<\|endoftext\|>", texts[probe.about]):
            found = set(words(sentence))
            own += ({a, its} <= found) + ({b, other} <= found)
            swapped += ({a, other} <= found) + ({b, its} <= found)
    return own, swapped
