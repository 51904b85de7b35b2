"""What notebook 09 claims, and how it is measured: a number a seed."""

import functools

from minillm import base_model
from minillm.classroom.evidence import Claim
from minillm.classroom.limits import in_context, memorised, reversal, zorbs
from minillm.classroom.limits.prompts import PROMPTS, SEEDS, answers, shares
from minillm.classroom.threads import one_thread
from minillm.tokenizer import course_tokenizer


def base() -> str:
    """Return the sha256 of the shipped base model's weights, on which some claims are measured."""
    return base_model.card().sha256


def asked_form(seed: int) -> float:
    """Return the share of the base model's answers to instructions and questions that have the form asked for."""
    asked = [prompt for prompt in PROMPTS if prompt.kind in ("instruction", "question")]
    with one_thread():
        given = answers(
            base_model.load(), course_tokenizer(), asked, [len(SEEDS) * seed + i for i in range(len(SEEDS))]
        )
    return (shares(given, "instruction")["form"] + shares(given, "question")["form"]) / 2


def repeat_gain(seed: int) -> float:
    """Return by how many bits repeated words raise the next one, the mean of ten items drawn from the seed."""
    found = in_context.gains_bits(base_model.load(), course_tokenizer(), "repeat the words", seed)
    return sum(found) / len(found)


def mirrored(seed: int) -> float:
    """Return the probability of 'lazy' after a text that says so in exactly eight of ten sentences."""
    *_, last = zorbs.watch(zorbs.stratified(seed), seed=seed)
    return last["lazy"]


@functools.cache
def facts_known(seed: int) -> tuple[float, float]:
    """Return the share of foods known, of the towns that the filter empties: after filtering, and after rewording."""
    text = zorbs.uneven(seed)
    *_, filtered = zorbs.watch(zorbs.without(text, zorbs.MANY), seed=seed)
    *_, reworded = zorbs.watch(zorbs.reworded(text), seed=seed)
    return filtered["food"]["only"], reworded["food"]["only"]


def filtered_foods(seed: int) -> float:
    """Return the share of foods known after filtering, of the towns of which all sentences went."""
    return facts_known(seed)[0]


def reworded_foods(seed: int) -> float:
    """Return the share of foods known after rewording, of the same towns."""
    return facts_known(seed)[1]


def exposed(seed: int) -> float:
    """Return by how many bits secrets told 64 times are more exposed than those never told, means of four."""
    *_, last = memorised.watch(seed=seed)
    found = memorised.mean_exposure(last["exposures"])
    return found[64] - found[0]


@functools.cache
def directions(seed: int) -> tuple[float, float]:
    """Return the shares of facts known in the one direction in which they were read, and in the other."""
    *_, last = reversal.watch(seed=seed)
    known = last["known"]
    read = known["ship asked, read by captain"] + known["captain asked, read by ship"]
    other = known["captain asked, read by captain"] + known["ship asked, read by ship"]
    return read / 2, other / 2


def read_direction(seed: int) -> float:
    """Return the share of facts known in the direction in which they were read."""
    return directions(seed)[0]


def other_direction(seed: int) -> float:
    """Return the share of facts known in the direction in which they were not read; by luck 0.05."""
    return directions(seed)[1]


CLAIMS = (
    Claim(
        "09_form",
        "Of the base model's answers to instructions and questions at most one in ten has the form asked for.",
        asked_form,
        0.0,
        0.1,
        corpus=base,
    ),
    Claim(
        "09_repeat",
        "Words that were repeated before raise the base model's probability of the next one by at least 3 bits.",
        repeat_gain,
        3.0,
        25.0,
        "bits",
        (0, 1, 2, 3, 4),
        corpus=base,
    ),
    Claim(
        "09_mirror",
        "Exactly eight of ten sentences in, and a small transformer says 'lazy' with a probability of 0.76 to 0.84.",
        mirrored,
        0.76,
        0.84,
        "",
        (0, 1, 2, 3, 4),
    ),
    Claim(
        "09_filtered",
        "After filtering, at most three in ten foods are known of the towns of which every sentence made the claim.",
        filtered_foods,
        0.0,
        0.3,
    ),
    Claim(
        "09_reworded",
        "After rewording instead, at least nine in ten foods of the same towns are known.",
        reworded_foods,
        0.9,
        1.0,
    ),
    Claim(
        "09_exposed",
        "Secrets told 64 times are more exposed than those never told by at least 6 of 10 bits.",
        exposed,
        6.0,
        10.0,
        "bits",
        (0, 1, 2, 3, 4),
    ),
    Claim(
        "09_read_direction",
        "At least eight in ten facts read in one direction are known in that direction.",
        read_direction,
        0.8,
        1.0,
    ),
    Claim(
        "09_other_direction",
        "At most a quarter of the same facts are known in the other direction; luck would find one in twenty.",
        other_direction,
        0.0,
        0.25,
    ),
)
