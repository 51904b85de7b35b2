"""Facts and fixed phrases in four groups, by how often the training text states them: never, seldom, at times, often.

The statements are the course's own choice; the text is asked how often each stands in it, word for word.
"""

from collections.abc import Sequence

import numpy as np

from minillm.batches import Tokens
from minillm.classroom.first_reading.scoring import Probe
from minillm.tokenizer import Tokenizer

GROUPS = ("never", "1 to 3 times", "4 to 31 times", "32 times or more")
"""How often the rarer of an item's two statements stands in the training text."""
LEAST = (0, 1, 4, 32)

# In each group the contexts of seven items end in different tokens, and those of seven in the same one, so that the
# groups differ in how often, not in how far back the model must look. A bar parts each statement from its ending.
_CHOSEN = {
    "never": """
        Cows give| milk / Bees make| honey
        Shakespeare wrote| Hamlet / Newton discovered| gravity
        A week has seven| days / A year has twelve| months
        A square has four| sides / A hand has five| fingers
        Horses eat| hay / Hens lay| eggs
        Sheep grow| wool / Fish have| scales
        Ships sail on| water / Birds fly through| air
        Berlin is the capital of| Germany / Madrid is the capital of| Spain
        Paris is the capital of| France / Tokyo is the capital of| Japan
        Cairo is the capital of| Egypt / Vienna is the capital of| Austria
        The sun rises in the| east / The sun sets in the| west
        Mozart was born in| Salzburg / Napoleon was born in| Corsica
        The opposite of hot is| cold / The opposite of big is| small
        Grass is| green / Snow is| white
    """,
    "1 to 3 times": """
        Ludwig van| Beethoven / Wolfgang Amadeus| Mozart
        the Greek| alphabet / the Euclidean| distance
        the real| line / the minimum spanning| tree
        Galileo| Galilei / Vincent van| Gogh
        Jane| Austen / Victor| Hugo
        Nelson| Mandela / Mark| Twain
        Sherlock| Holmes / Harry| Potter
        husband and| wife / arts and| sciences
        physics and| chemistry / hydrogen and| oxygen
        war and| peace / import and| export
        Chicago,| Illinois / Detroit,| Michigan
        Tokyo,| Japan / Moscow,| Russia
        Houston,| Texas / Miami,| Florida
        the Bank of| England / the Statue of| Liberty
    """,
    "4 to 31 times": """
        Karl| Marx / Leonardo da| Vinci
        Julius| Caesar / Isaac| Newton
        William| Shakespeare / Thomas| Jefferson
        Abraham| Lincoln / George| Washington
        Charles| Darwin / Albert| Einstein
        the Civil| War / the Hawaiian| Islands
        the Monroe| Doctrine / the Industrial| Revolution
        supply and| demand / peace and| prosperity
        law and| order / rows and| columns
        nodes and| edges / Europe and| Asia
        Paris,| France / London,| England
        the Treaty of| Paris / the Bill of| Rights
        the Department of| Labor / the Court of| Claims
        the speed of| light / the rate of| interest
    """,
    "32 times or more": """
        the United| States / the American| people
        import numpy as| np / the fiscal| year
        the Soviet| Union / the Middle| East
        the Supreme| Court / the Nobel| Prize
        World War| II / New York| City
        the Panama| Canal / the Pacific| Ocean
        Saudi| Arabia / Puerto| Rico
        State of the| Union / Secretary of the| Treasury
        men and| women / Army and| Navy
        gold and| silver / life and| property
        the House of| Representatives / the Gulf of| Mexico
        the cost of| living / the District of| Columbia
        the Secretary of| War / the Department of| State
        rest of the| world / citizens of the| United
    """,
}


def facts() -> tuple[Probe, ...]:
    """Return the items of facts and fixed phrases, the never stated ones first.

    They begin with a space, as words do within a text: at its very beginning they would be cut into other tokens.
    """
    items = []
    for lines in _CHOSEN.values():
        for line in lines.strip().splitlines():
            (first, a), (second, b) = (half.split("|") for half in line.strip().split(" / "))
            items.append(Probe(f" {first}", a, f" {second}", b))
    return tuple(items)


def text_of(ids: np.ndarray, tokenizer: Tokenizer) -> bytes:
    """Return the text of many ids, decoded in parts, since a list of all ids would take more memory than the text."""
    return b"".join(tokenizer.decode_bytes(ids[i : i + 100_000].tolist()) for i in range(0, len(ids), 100_000))


def repeats(probe: Probe, text: bytes) -> int:
    """Return how often the rarer of a probe's two statements stands in a text, word for word."""
    both = (probe.first + probe.first_ending, probe.second + probe.second_ending)
    return min(text.count(statement.encode("utf-8")) for statement in both)


_stated: dict[tuple, tuple[int, ...]] = {}


def times_stated(tokens: Tokens, tokenizer: Tokenizer, probes: Sequence[Probe]) -> list[int]:
    """Return how often the training text states each item, the rarer of its halves: counted once for each text."""
    key = (tokens.fingerprint, tokenizer.fingerprint, tuple(probes))
    if key not in _stated:
        text = b"".join(text_of(ids, tokenizer) for ids in tokens.train.values())
        _stated[key] = tuple(repeats(probe, text) for probe in probes)
    return list(_stated[key])


def group_of(times: int) -> str:
    """Return the group of a statement that stands so many times in the text."""
    return [name for name, least in zip(GROUPS, LEAST, strict=True) if times >= least][-1]
