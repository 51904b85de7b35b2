"""What notebook 11 claims, and how it is measured: a number a seed."""

import functools

from minillm import base_model
from minillm.batches import Tokens, prepare_tokens
from minillm.classroom.evidence import Claim
from minillm.classroom.threads import one_thread
from minillm.classroom.tuning import drill, experiment
from minillm.tokenizer import course_tokenizer


@functools.cache
def text() -> tuple[Tokens, Tokens]:
    """Return the base model's corpus as tokens, and with a sample of its held-out text."""
    tokens = prepare_tokens("embedded", course_tokenizer())
    return tokens, experiment.sample_held_out(tokens, course_tokenizer())


def fingerprint() -> str:
    """Return the fingerprints of the base model and of the corpus, joined."""
    return f"{base_model.card().sha256[:16]} {text()[0].fingerprint[:16]}"


@functools.cache
def before() -> dict:
    """Return everything that is asked of the base model."""
    with one_thread():
        return experiment.before(base_model.load(), course_tokenizer(), text()[1])


def last_of_run(*, rehearse: bool, closely: bool, seed: int) -> dict:
    """Return the last record of a run."""
    model, steps = base_model.load(), experiment.STEPS
    looks = {"moments": (steps,), "closely": (steps,) if closely else ()}
    with one_thread():
        *_, last = experiment.run(
            model, course_tokenizer(), text()[1], rehearse=rehearse, steps=steps, seed=seed, **looks
        )
    return last


@functools.cache
def rehearsed(seed: int) -> dict:
    """Return the last record of a run with rehearsal."""
    return last_of_run(rehearse=True, closely=True, seed=seed)


@functools.cache
def drilled(seed: int) -> dict:
    """Return the last record of the drill on twelve invented towns."""
    with one_thread():
        *_, last = drill.drill(base_model.load(), course_tokenizer(), text()[1], seed=seed)
    return last


def form_after(seed: int) -> float:
    """Return the share of new prompts, ours and those of notebook 09, that are answered in the asked form."""
    last = rehearsed(seed)
    return experiment.share_in_form(last["replies"] + last["from_09"])


def form_gained(seed: int) -> float:
    """Return by how much that share has risen."""
    return form_after(seed) - experiment.share_in_form(before()["replies"] + before()["from_09"])


def questions_gained(seed: int) -> float:
    """Return how many more of the sixty questions are answered with the right word than before."""
    after, earlier = rehearsed(seed)["questions"], before()["questions"]
    return float(sum(r["right"] for r in after) - sum(r["right"] for r in earlier))


def choices_gained(seed: int) -> float:
    """Return by how much the share of right choices among the facts has risen, asked as the beginning of an answer."""
    after, earlier = rehearsed(seed)["choices"]["as an answer"], before()["choices"]["as an answer"]
    return sum(after.values()) / len(after) - sum(earlier.values()) / len(earlier)


def rise(last: dict) -> float:
    """Return by how many percent the price of held-out text has risen, in bits a byte, the mean of the kinds."""
    return 100 * (last["bits_per_byte"]["mean"] / before()["bits_per_byte"]["mean"] - 1)


def forgotten_plain(seed: int) -> float:
    """Return the rise after a run without rehearsal."""
    return rise(last_of_run(rehearse=False, closely=False, seed=seed))


def forgotten_rehearsed(seed: int) -> float:
    """Return the rise after the run with rehearsal."""
    return rise(rehearsed(seed))


def drilled_turned(seed: int) -> float:
    """Return by how much the share of right choices is lower the other way round than as it was drilled."""
    choices = drilled(seed)["choices"]
    return choices["drilled"] - choices["the other way round"]


def drilled_invents(seed: int) -> float:
    """Return for how many of twenty countries that were never drilled a drilled town is named."""
    return float(sum(reply["names_drilled"] for reply in drilled(seed)["replies"]))


CLAIMS = (
    Claim(
        "11_form",
        "After 20 steps on pairs at least 0.9 of 132 new prompts are answered in the asked form.",
        form_after,
        0.9,
        1.0,
        seeds=(0, 1, 2, 3, 4),
        corpus=fingerprint,
    ),
    Claim(
        "11_form_gained",
        "The share answered in the asked form rises by at least 0.85, from below 0.1.",
        form_gained,
        0.85,
        1.0,
        corpus=fingerprint,
    ),
    Claim(
        "11_questions",
        "Of sixty questions at most six more or fewer are answered with the right word than before.",
        questions_gained,
        -6.0,
        6.0,
        corpus=fingerprint,
    ),
    Claim(
        "11_choices",
        "The share of right choices among the facts rises by at most 0.1 and falls by at most 0.2.",
        choices_gained,
        -0.2,
        0.1,
        corpus=fingerprint,
    ),
    Claim(
        "11_forgotten",
        "Without rehearsal the price of held-out text rises by 2 to 25 percent within 20 steps.",
        forgotten_plain,
        2.0,
        25.0,
        "percent",
        corpus=fingerprint,
    ),
    Claim(
        "11_rehearsed",
        "With rehearsal it rises by less than 5 percent.",
        forgotten_rehearsed,
        -3.0,
        5.0,
        "percent",
        corpus=fingerprint,
    ),
    Claim(
        "11_turned",
        "The other way round at least 0.15 fewer of the choices about drilled towns are right.",
        drilled_turned,
        0.15,
        0.85,
        corpus=fingerprint,
    ),
    Claim(
        "11_invents",
        "For at least 12 of 20 countries that were never drilled a drilled town is named.",
        drilled_invents,
        12.0,
        20.0,
        "of 20",
        corpus=fingerprint,
    ),
)
