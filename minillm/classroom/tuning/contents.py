"""Is what a model says right? Open questions with one right word, and fair choices between two endings."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from minillm.classroom.first_reading.scoring import Probe, count_right, margins
from minillm.classroom.first_reading.statements import GROUPS, facts
from minillm.classroom.tuning.pairs import LAYOUT
from minillm.model import Transformer
from minillm.tokenizer import Tokenizer


@dataclass(frozen=True)
class Asked:
    """A question and the word that a right answer must hold."""

    question: str
    word: str


def asked(text: str) -> tuple[Asked, ...]:
    """Return one item for each line "question | word"."""
    lines = [line.rsplit("|", 1) for line in text.strip().splitlines()]
    return tuple(Asked(question.strip(), word.strip()) for question, word in lines)


TAUGHT = (
    "Velmora=Tasin, Brundia=Okkel, Sarnia Minor=Pelt, Quorland=Dassim, Ostrevia=Munt, Hallowey=Grobin, "
    "Tirresia=Wenlo, Kabrul=Ysta, Nordalia=Fimber, Lusamba=Corrit, Pendria=Hask, Zemland=Arvo"
)
"""Invented countries and invented towns, to be drilled."""
NEVER_TAUGHT = (
    "Morvania=Siblet, Elbrus Major=Kantor, Drosland=Umpal, Varia=Tosk, Greth=Nollin, Ambria=Zekel, Plessony=Hurd, "
    "Stavia=Rimmon, Uldor=Bexa, Cazimir=Lorp, Feldia=Ganton, Yarrow=Mippe, Jorvale=Sendik, Imbria=Oltan, "
    "Wexland=Prith, Karst Island=Dume, Rovenia=Tulk, Albany Minor=Eskor, Pomeria=Vint, Quill Coast=Abbas"
)
"""Invented countries and their chief towns that stand in no text and in no pair."""


def couples(words: str) -> list[tuple[str, str]]:
    """Return country and town of each "a=b" of the words."""
    return [tuple(word.strip().split("=")) for word in words.split(",")]


QUESTIONS: dict[str, tuple[Asked, ...]] = {
    "read often": asked("""
        Which union was led from Moscow? | Soviet
        Which great war ended in 1945? | World
        Which court stands above all others? | Supreme
        Which house sits beside the Senate? | Representatives
        Who was the first president? | Washington
        Which president freed the slaves? | Lincoln
        Which canal joins the two oceans? | Panama
        Which city has the most people in America? | York
        Which prize is given for peace? | Nobel
        Which country lies south of Texas? | Mexico
        Which kingdom lies around Mecca? | Saudi
        Which metal is dearer than silver? | gold
        What do we call an army on ships? | navy
        Which Python package is shortened to np? | numpy
        Which keyword begins a function in Python? | def
        Which keyword gives back a value in Python? | return
        To whom does the president send his yearly message? | Congress
        Which president gave his name to a doctrine? | Monroe
        Which department keeps the public money? | Treasury
        What joins two nodes of a graph? | edge
    """),
    "read seldom or never": asked("""
        What is the capital of France? | Paris
        What is the capital of Japan? | Tokyo
        What is the capital of Egypt? | Cairo
        What is the capital of Spain? | Madrid
        What is the capital of Germany? | Berlin
        What is the capital of Austria? | Vienna
        What is the capital of Italy? | Rome
        What is the capital of Russia? | Moscow
        What do hens lay? | eggs
        What do horses eat in winter? | hay
        How many days has a week? | seven
        How many months has a year? | twelve
        How many sides has a square? | four
        How many fingers has a hand? | five
        What is five plus one? | six
        What is the opposite of hot? | cold
        Who wrote Hamlet? | Shakespeare
        Who discovered gravity? | Newton
        Where was Mozart born? | Salzburg
        What is the plural of mouse? | mice
    """),
    "invented": tuple(Asked(f"Which town is the seat of {a}?", b) for a, b in couples(NEVER_TAUGHT)),
}
"""Sixty questions, twenty of each kind; the last ask for what stands in no text."""


def is_right(item: Asked, reply: str) -> bool:
    """Tell whether the word stands in a reply as a whole word, whatever its case, its plural or its place."""
    return re.search(rf"\b{re.escape(item.word)}s?\b", reply, re.IGNORECASE) is not None


# --- fair choices between two endings


def laid_out(context: str, prompt: str = "How does it go on?") -> str:
    """Return a context that begins with a space as the beginning of an answer."""
    return LAYOUT.format(prompt=prompt) + context


def in_layout(probe: Probe) -> Probe:
    """Return a probe whose contexts are the beginnings of answers."""
    return Probe(laid_out(probe.first), probe.first_ending, laid_out(probe.second), probe.second_ending)


def fact_probes() -> dict[str, list[Probe]]:
    """Return the facts of the probe sets by how often the base model's text states them, as they stand in a text."""
    items = facts()
    size = len(items) // len(GROUPS)
    return {group: list(items[i * size : (i + 1) * size]) for i, group in enumerate(GROUPS)}


def shares_right(model: Transformer, tokenizer: Tokenizer, probes: dict[str, Sequence[Probe]]) -> dict[str, float]:
    """Return the share of each group's probes that are right; tossing a coin gives 0.5."""
    return {name: count_right(margins(model, tokenizer, items)) / len(items) for name, items in probes.items()}
