"""Made text about which everything is known: Markov chains with exact entropy, small stories, planted continuations."""

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from minillm.corpus.documents import Document
from minillm.errors import DataError

# --- Markov chains ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class MarkovSource:
    """A source in which each symbol depends on the last `order` symbols alone, so that its entropy is known exactly.

    `probabilities` is [contexts, symbols], one row for each context of `order` symbols, read as a number in base
    `symbols` with the oldest symbol first. `start` is the distribution of the first context, whose symbols begin every
    sequence; None: the stationary distribution.
    """

    order: int
    probabilities: np.ndarray
    start: np.ndarray | None = field(default=None)

    def __post_init__(self):
        rows = np.asarray(self.probabilities, float)
        if self.order < 0 or rows.ndim != 2 or len(rows) != rows.shape[1] ** self.order:
            raise DataError(
                f"Order {self.order} does not go with probabilities of shape {list(rows.shape)}.",
                "Give one row for each context: symbols ** order rows, one column for each symbol.",
            )
        if (rows < 0).any() or not np.allclose(rows.sum(1), 1):
            raise DataError("A row of probabilities does not sum to 1.", "Divide each row by its sum.")
        object.__setattr__(self, "probabilities", rows)

    def __repr__(self) -> str:
        return f"MarkovSource(order {self.order}, {self.symbols} symbols, {self.entropy_nats:.4f} nats a symbol)"

    @property
    def symbols(self) -> int:
        """How many symbols there are; they are the numbers from 0."""
        return self.probabilities.shape[1]

    @cached_property
    def stationary(self) -> np.ndarray:
        """Share of each context in the long run, [contexts]."""
        shares = np.full(len(self.probabilities), 1 / len(self.probabilities))
        for _ in range(100_000):
            # half stays, so that a chain that only cycles settles too
            following = (shares + self._advance(shares)) / 2
            if np.abs(following - shares).max() < 1e-16:
                break
            shares = following
        return shares / shares.sum()

    @cached_property
    def context_entropies_nats(self) -> np.ndarray:
        """Entropy of the next symbol after each context, [contexts]."""
        return _entropy_nats(self.probabilities)

    @cached_property
    def entropy_nats(self) -> float:
        """Entropy rate, nats a symbol: the loss that no model of this source gets below (Shannon 1948)."""
        return float(self.stationary @ self.context_entropies_nats)

    def position_entropies_nats(self, length: int) -> np.ndarray:
        """Return the entropy of each position given all before it, [length]; the mean is the least possible loss.

        The first `order` positions differ from the entropy rate because less than a whole context is known there.
        """
        block = self._start.reshape((self.symbols,) * self.order)
        joint = [0.0]
        for known in range(1, self.order + 1):
            marginal = block.sum(axis=tuple(range(known, self.order))).reshape(-1)
            joint.append(float(_entropy_nats(marginal)))
        entropies = list(np.diff(joint))
        shares = self._start
        while len(entropies) < length:
            entropies.append(float(shares @ self.context_entropies_nats))
            shares = self._advance(shares)
        return np.array(entropies[:length])

    def sample(self, sequences: int, length: int, seed: int) -> np.ndarray:
        """Return sequences drawn from the source, [sequences, length]; the same seed gives the same ones."""
        draws = np.random.default_rng(seed).random((sequences, length + 1))
        context = _draw(np.broadcast_to(self._start, (sequences, len(self._start))), draws[:, 0])
        symbols = np.empty((sequences, length), np.int64)
        for position in range(length):
            if position < self.order:
                symbols[:, position] = context // self.symbols ** (self.order - 1 - position) % self.symbols
            else:
                symbols[:, position] = _draw(self.probabilities[context], draws[:, position + 1])
                context = (context * self.symbols + symbols[:, position]) % len(self.probabilities)
        return symbols

    def log_probabilities_nats(self, sequences: np.ndarray) -> np.ndarray:
        """Return the log probability of each symbol given all before it in its sequence, [sequences, length]."""
        block = self._start.reshape((self.symbols,) * self.order)
        result = np.empty(sequences.shape)
        before = np.ones(len(sequences))
        for position in range(min(self.order, sequences.shape[1])):
            marginal = block.sum(axis=tuple(range(position + 1, self.order)))
            now = marginal[tuple(sequences[:, : position + 1].T)]
            result[:, position] = np.log(now) - np.log(before)
            before = now
        for position in range(self.order, sequences.shape[1]):
            context = np.zeros(len(sequences), np.int64)
            for symbol in sequences[:, position - self.order : position].T:
                context = context * self.symbols + symbol
            result[:, position] = np.log(self.probabilities[context, sequences[:, position]])
        return result

    @property
    def _start(self) -> np.ndarray:
        return self.stationary if self.start is None else self.start

    def _advance(self, shares: np.ndarray) -> np.ndarray:
        """Return the distribution of contexts one symbol later: the oldest symbol falls away, a new one joins."""
        if self.order == 0:
            return shares
        joint = (shares[:, None] * self.probabilities).reshape(self.symbols, -1)
        return joint.sum(0)


def markov_source(
    order: int, symbols: int, seed: int, concentration: float = 0.3, uniform: float = 0.02
) -> MarkovSource:
    """Return a random Markov source: each row from a Dirichlet distribution, mixed with a little of the uniform one.

    The smaller `concentration`, the more a context prefers few symbols. `uniform` keeps every symbol possible, so that
    the chain visits all contexts and a model's loss stays finite.
    """
    rows = np.random.default_rng(seed).dirichlet(np.full(symbols, concentration), symbols**order)
    return MarkovSource(order, (1 - uniform) * rows + uniform / symbols)


def _entropy_nats(rows: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return -np.where(rows > 0, rows * np.log(rows), 0).sum(-1)


def _draw(rows: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Return for each row of probabilities the symbol on which a uniform number in [0, 1) falls."""
    cumulative = np.cumsum(rows, 1)
    return (cumulative < uniform[:, None] * cumulative[:, -1:]).sum(1)


# --- Stories ---------------------------------------------------------------------------------------------------------

STORY_WORDS = {
    "hero": "Anna,Ben,Clara,David,Ella,Felix,Grace,Hugo,Iris,Jonas,Kira,Leo,Mila,Noah,Olga,Paul,Rosa,Simon,Tara,Viktor",
    "friend": "the old gardener,a small grey cat,the baker,a lost dog,the lighthouse keeper,a clever crow,the postman,"
    "her neighbour,a tired mule,the miller,a young sailor,the clockmaker,a shy hedgehog,the ferryman,a singing frog",
    "place": "the harbour,the old mill,a quiet forest,the railway station,the school garden,a steep hill,the market,"
    "the frozen lake,an empty castle,the river bank,a narrow street,the apple orchard,the library,a sandy beach",
    "thing": "a red kite,a silver key,a wooden boat,a warm blanket,a broken clock,a jar of honey,a blue lantern,"
    "a small drum,a letter without a name,a basket of plums,a tin whistle,a map of the stars,a pair of green boots",
    "adjective": "bright,heavy,strange,tiny,beautiful,dusty,forgotten,shiny,curious,crooked,gentle,noisy,golden,plain",
    "weather": "rain,snow,thick fog,a strong wind,thunder,hail,the first frost,a great heat,cold mist,a sudden storm",
    "time": "One morning,Late in the evening,On a Sunday,At noon,In the first week of spring,Before sunrise,"
    "After the harvest,On the longest day of the year,One winter night,During the holidays",
    "feeling": "glad,afraid,proud,tired,surprised,lonely,brave,hungry,calm,angry,hopeful,ashamed,excited,thankful",
    "lesson": "that patience is worth more than speed,that a kind word costs nothing,that two see more than one,"
    "that even small hands can help,that one should ask before one takes,that a promise must be kept,"
    "that mistakes can be mended,that the way home is always shorter,that a secret grows heavy,that sharing is no loss",
}

STORY_SENTENCES = {
    "opening": (
        "{time} {hero} walked to {place} and found {thing}.",
        "{hero} lived near {place} and had never owned anything but {thing}.",
        "{time} {friend} came to {place} with {thing}, and {hero} saw it.",
        "There was once a child called {hero} who hid {thing} close to {place}.",
        "Nobody in {place} knew why {hero} carried {thing} everywhere.",
    ),
    "look": (
        "It looked {adjective} and a little {adjective2}, so {hero} felt {feeling}.",
        '"How {adjective} it is," said {hero}, who was {feeling} all day.',
        "It was more {adjective} than anything else in the village, but {hero} only felt {feeling}.",
        "Some people called it {adjective}, others called it {adjective2}.",
    ),
    "trouble": (
        "Then {weather} came over {place2}, and everything was lost.",
        "But {weather} lasted for three days, and nobody could reach {place2}.",
        "On the way to {place2} it fell into deep water.",
        "The next day it was gone, and the tracks led to {place2}.",
        "Because of {weather}, {hero} had to leave it behind at {place2}.",
    ),
    "help": (
        '"Do not be {feeling2}," said {friend}, "we will look for it together."',
        "{hero} asked {friend} for help and gave {thing2} in return.",
        "Only {friend} stayed, held {thing2} high and showed the way.",
        "With {thing2} and a lot of luck, {friend} brought it back.",
        "They searched until midnight, {hero} in front and {friend} behind with {thing2}.",
    ),
    "ending": (
        "Since then {hero} has known {lesson}.",
        "In the end both were {feeling2}, and {hero} understood {lesson}.",
        "When they came home, everybody was {feeling2}. They had learned {lesson}.",
        '"Remember {lesson}," said {hero}, and fell asleep.',
        "To this day people in {place2} say {lesson}.",
    ),
}


def stories(seed: int = 0) -> Iterator[str]:
    """Yield short stories from a small grammar without end, no two the same; the same seed gives the same ones."""
    rng = random.Random(seed)
    words = {slot: options.split(",") for slot, options in STORY_WORDS.items()}
    seen: set[str] = set()
    while True:
        chosen = {slot: _pick(rng, options) for slot, options in words.items()}
        for slot in ("adjective", "feeling", "place", "thing"):
            chosen[slot + "2"] = _pick(rng, [word for word in words[slot] if word != chosen[slot]])
        sentences = [_pick(rng, options).format(**chosen) for options in STORY_SENTENCES.values()]
        story = " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences)
        if story not in seen:
            seen.add(story)
            yield story


def _pick(rng: random.Random, options):
    # only random() is promised to give the same numbers in every version of Python
    return options[int(rng.random() * len(options))]


def story_documents(part: float = 1.0, seed: int = 0) -> list[Document]:
    """Return stories as documents, 8,000 of them (3 MB) or a share of that: the corpus of last resort."""
    count = math.ceil(8000 * part)
    return [
        Document(story, "stories", "synthetic stories", f"story {number:05d}", "MIT")
        for number, story in enumerate(itertools.islice(stories(seed), count))
    ]


# --- Planted continuations -------------------------------------------------------------------------------------------

PLANTED: dict[str, dict[str, int]] = {
    "Machine learning is a branch of": {
        "artificial intelligence": 5,
        "computer science": 2,
        "applied mathematics": 2,
        "applied statistics": 1,
    },
    "The capital of France is": {"Paris": 9, "an old city": 1},
    "Water boils when it is": {"hot": 6, "very hot": 3, "under low pressure": 1},
    "A triangle has": {"three sides": 7, "three corners": 3},
    "In the morning she drinks": {"tea": 4, "coffee": 4, "a glass of water": 2},
    "The opposite of cold is": {"hot": 8, "warm": 2},
}
"""How each prompt goes on in ten sentences of the planted corpus."""


def planted_shares(prompt: str = "Machine learning is a branch of") -> dict[str, float]:
    """Return the exact share of each continuation of a prompt in the planted corpus."""
    if prompt not in PLANTED:
        raise DataError(f"'{prompt}' is not planted.", f"Use one of: {'; '.join(PLANTED)}.")
    counts = PLANTED[prompt]
    return {continuation: count / sum(counts.values()) for continuation, count in counts.items()}


def planted_sentences(repeats: int = 20, seed: int = 0) -> list[str]:
    """Return `repeats` times ten sentences for each prompt, shuffled: every share holds exactly."""
    block = [f"{prompt} {end}." for prompt, ends in PLANTED.items() for end, n in ends.items() for _ in range(n)]
    sentences = block * repeats
    rng = random.Random(seed)
    return [sentence for _, sentence in sorted((rng.random(), sentence) for sentence in sentences)]
