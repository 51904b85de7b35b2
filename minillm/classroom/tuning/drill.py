"""New facts by fine-tuning: twelve invented towns drilled until they are known, and what that is worth."""

import copy
import random
from collections.abc import Iterator, Sequence

from minillm.batches import Tokens
from minillm.classroom.first_reading.scoring import Probe
from minillm.classroom.tuning.contents import NEVER_TAUGHT, TAUGHT, couples, laid_out, shares_right
from minillm.classroom.tuning.experiment import bits_per_byte
from minillm.classroom.tuning.fine_tuning import RATE, answers, fine_tune
from minillm.classroom.tuning.pairs import Pair
from minillm.model import Transformer
from minillm.tokenizer import Tokenizer

STEPS = 40
PROMPT, ANSWER = "Name the chief town of {a}.", "The chief town of {a} is {b}."


def probes(prompt: str, start: str, towns: Sequence[tuple[str, str]]) -> list[Probe]:
    """Return a fair choice for each couple (a, b) and each of the three after it: which b belongs to which a.

    prompt, start: templates with {a}; `start` is the beginning of the answer, which b ends.
    """
    found = []
    for place, (a, b) in enumerate(towns):
        for c, d in ([*towns, *towns])[place + 1 : place + 4]:
            first, second = (laid_out(start.format(a=name), prompt.format(a=name)) for name in (a, c))
            found.append(Probe(first, f" {b}", second, f" {d}"))
    return found


def towns_of(seed: int) -> list[tuple[str, str]]:
    """Return the twelve countries, each with a town: which with which is drawn by the seed."""
    countries, towns = zip(*couples(TAUGHT), strict=True)
    return list(zip(countries, random.Random(seed).sample(towns, len(towns)), strict=True))


def choices(taught: Sequence[tuple[str, str]]) -> dict[str, list[Probe]]:
    """Return the choices by how they are asked, for drilled countries with their towns."""
    never = couples(NEVER_TAUGHT)
    return {
        "drilled": probes(PROMPT, " The chief town of {a} is", taught),
        "in other words": probes("In which town does the king of {a} live?", " The king of {a} lives in", taught),
        "the other way round": probes(
            "Which country has the chief town {a}?", " {a} is the chief town of", [(b, a) for a, b in taught]
        ),
        "never drilled": probes(PROMPT, " The chief town of {a} is", never),
    }


def name_towns(model: Transformer, tokenizer: Tokenizer, seed: int = 0) -> list[dict]:
    """Return the replies about countries that were never drilled, and whether each names a drilled town."""
    prompts = [PROMPT.format(a=country) for country, _ in couples(NEVER_TAUGHT)]
    towns = [town for _, town in couples(TAUGHT)]
    return [
        {"prompt": prompt, "reply": reply, "names_drilled": any(town in reply for town in towns)}
        for prompt, (reply, _) in zip(prompts, answers(model, tokenizer, prompts, seed=seed), strict=True)
    ]


def drill(
    model: Transformer, tokenizer: Tokenizer, sample: Tokens, *, steps: int = STEPS, rate: float = RATE, seed: int = 0
) -> Iterator[dict]:
    """Fine-tune a copy of the model on the twelve pairs alone; yield the loss of each step.

    The first and the last record have the choices too, the last also the bits a byte and the replies about countries
    that were never drilled.
    """
    pupil, taught = copy.deepcopy(model), towns_of(seed)
    pairs = [Pair(PROMPT.format(a=a), ANSWER.format(a=a, b=b)) for a, b in taught]
    for step, loss_nats in fine_tune(pupil, tokenizer, pairs, steps=steps, rate=rate, batch_size=len(pairs), seed=seed):
        record = {"step": step, "train_loss_nats": loss_nats}
        if step in (1, steps):
            record["choices"] = shares_right(pupil, tokenizer, choices(taught))
        if step == steps:
            record |= {"bits_per_byte": bits_per_byte(pupil, sample), "replies": name_towns(pupil, tokenizer, seed)}
        yield record
