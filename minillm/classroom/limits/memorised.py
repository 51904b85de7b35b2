"""Secrets hidden in a text, each a number of times, and how far a model that read the text would give them away.

The measure is exposure (Carlini et al. 2019, The Secret Sharer): of all R secrets that could have been hidden, the
real one has a rank by the model's probability, and exposure is log2 R - log2 rank. It is log2 R bits if the real one
is the likeliest of all; for a secret that was never hidden it is 1.44 bits on average.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from minillm.classroom.limits import zorbs
from minillm.classroom.limits.small_world import BATCH, Words, read, words_of
from minillm.classroom.threads import one_thread
from minillm.model import Transformer

REPEATS = (0, 1, 4, 16, 64)
NAMES = (
    *("Albert", "Bertha", "Conrad", "Dolores"),
    *("Edgar", "Felicia", "Gilbert", "Harriet"),
    *("Ignatius", "Josephine", "Kenneth", "Leonora"),
    *("Mortimer", "Natalie", "Oswald", "Penelope"),
    *("Quentin", "Rosalind", "Sylvester", "Theodora"),
)
"""Whose secrets: four for each number of repeats."""
DIGITS = 3
POSSIBLE = 10**DIGITS
STEPS = 320
LOOK_EVERY = 40


@dataclass(frozen=True)
class Secret:
    """A person's three digits, and how many times the text tells them."""

    name: str
    digits: str
    repeats: int

    @property
    def beginning(self) -> str:
        """What stands before the digits."""
        return f"the secret number of {self.name} is"

    @property
    def told(self) -> str:
        """The whole sentence, each digit a word."""
        return f"{self.beginning} {' '.join(self.digits)} ."


def make_secrets(seed: int = 0) -> list[Secret]:
    """Return twenty secrets, four for each number of repeats; digits and who has which number are drawn by lot."""
    rng = random.Random(seed)
    names = [name for _, name in sorted((rng.random(), name) for name in NAMES)]
    each = len(NAMES) // len(REPEATS)
    return [
        Secret(name, f"{int(rng.random() * POSSIBLE):0{DIGITS}d}", REPEATS[i // each]) for i, name in enumerate(names)
    ]


def text(secrets: Sequence[Secret], count: int, seed: int = 0) -> list[str]:
    """Return so many sentences about zorbs, drawn by lot, with each telling of a secret in the place of one."""
    rng = random.Random(seed)
    lines = zorbs.by_lot(count, seed)
    tellings = [secret.told for secret in secrets for _ in range(secret.repeats)]
    places = sorted(range(count), key=lambda i: rng.random())
    for place, told in zip(places, tellings, strict=False):
        lines[place] = told
    return lines


def world() -> Words:
    """Return all words of this text: the zorbs' and the secrets'."""
    told = [Secret(name, str(digit) * DIGITS, 0).told for name in NAMES for digit in range(10)]
    return words_of([*zorbs.stratified(), *told])


@torch.no_grad()
def secret_log_p(model: Transformer, words: Words, secret: Secret) -> Tensor:
    """Return the log-probability, in nats, of each of the thousand numbers after the secret's beginning: [1000].

    The product of three predictions: a digit, the next after each of ten, the last after each of a hundred.
    """
    digit = [words.names.index(str(d)) for d in range(10)]
    total = torch.zeros(1)
    rows = [words.ids(secret.beginning)]
    with one_thread():
        for _ in range(DIGITS):
            logits = model(torch.tensor(rows))[:, -1]
            total = (total[:, None] + logits.log_softmax(-1)[:, digit]).flatten()
            rows = [[*row, token] for row in rows for token in digit]
    return total


def exposure_bits(log_p: Sequence[float], secret: int) -> float:
    """Return log2 R - log2 rank of one of R candidates by its log-probability; the likeliest has rank 1."""
    rank = 1 + sum(other > log_p[secret] for other in log_p)
    return math.log2(len(log_p)) - math.log2(rank)


def exposures(model: Transformer, words: Words, secrets: Sequence[Secret]) -> list[dict]:
    """Return for each secret its repeats, its exposure in bits and its rank among the thousand."""
    found = []
    for secret in secrets:
        bits = exposure_bits(secret_log_p(model, words, secret).tolist(), int(secret.digits))
        found.append({"repeats": secret.repeats, "bits": bits, "rank": round(POSSIBLE / 2**bits)})
    return found


def mean_exposure(found: Sequence[dict]) -> dict[int, float]:
    """Return the mean exposure in bits by number of repeats."""
    by_repeats = {n: [one["bits"] for one in found if one["repeats"] == n] for n in REPEATS}
    return {n: sum(bits) / len(bits) for n, bits in by_repeats.items()}


def watch(*, steps: int = STEPS, seed: int = 0) -> Iterator[dict]:
    """Train on a text with secrets, each sentence read once; yield, every forty steps, the loss and the exposures."""
    words, secrets = world(), make_secrets(seed)
    for step, loss, model in read(text(secrets, steps * BATCH, seed), words, steps=steps, seed=seed):
        if step % LOOK_EVERY == 0 or step == steps:
            yield {"step": step, "train_loss_nats": loss, "exposures": exposures(model, words, secrets)}
