"""The material of the demonstration notebook: two exercises, a quiz item and a claim, as a lesson module has them."""

import math
import random

from minillm.classroom.evidence import Claim
from minillm.classroom.exercises import Exercise, Wrong
from minillm.classroom.quiz import QuizItem


def surprise(p):
    return -math.log2(p)


def total_bits(probabilities):
    bits = 0.0
    for p in probabilities:
        bits = bits - math.log2(p)
    return bits


EXERCISES = (
    Exercise(
        key="99.surprise",
        question="Write a function that returns the bits which an event of probability p costs.",
        difficulty=1,
        starter="def surprise(p):\n    return ...\n",
        hints=("Half as likely costs one bit more.", "It is a logarithm.", "Base 2, and the sign turned."),
        reference=surprise,
        wrong=(
            Wrong("nats", lambda p: -math.log(p), "That is in nats: take the logarithm to base 2."),
            Wrong("sign", lambda p: math.log2(p), "The sign is the wrong way round: a surprise costs, it is positive."),
            Wrong("inverse", lambda p: 1 / p, "That is how rare it is; its logarithm is wanted."),
        ),
        cases=lambda rng: [(rng.uniform(0.01, 0.9),) for _ in range(5)],
    ),
    Exercise(
        key="99.total",
        question="How many bits do independent events of these probabilities cost together?",
        difficulty=2,
        starter="total = ...\n",
        hints=("Costs add up.", "Add the bits of each.", "The product's bits are the sum of the bits."),
        reference=total_bits,
        solution="total = sum(-math.log2(p) for p in (0.5, 0.25))\n",
        wrong=(
            Wrong(
                "mean",
                lambda probabilities: total_bits(probabilities) / len(probabilities),
                "That is the mean: the sum is asked for.",
            ),
            Wrong("product", lambda probabilities: math.prod(probabilities), "That is the probability, not its bits."),
            Wrong("sign", lambda probabilities: -total_bits(probabilities), "The sign is the wrong way round."),
        ),
        cases=lambda rng: [{"probabilities": [rng.uniform(0.05, 0.9) for _ in range(3)]} for _ in range(5)],
    ),
)

QUIZ = (
    QuizItem(
        key="99.bits",
        question="An event has probability 1/8. How many bits does it cost?",
        options={"a": "8", "b": "3", "c": "1/8", "d": "2.08"},
        right="b",
        explanations={
            "a": "Eight is how rare it is.",
            "b": "Two to the third is eight: three halvings.",
            "c": "That is the probability itself.",
            "d": "That is in nats, with the natural logarithm.",
        },
        notebook="03",
    ),
)


def measure_mean(seed):
    rng = random.Random(seed)
    return sum(rng.random() for _ in range(10_000)) / 10_000


CLAIMS = (Claim("99_mean", "A fair draw from 0 to 1 averages a half.", measure_mean, 0.48, 0.52),)
