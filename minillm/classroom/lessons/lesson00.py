"""The material of notebook 00: three exercises and five questions."""

import random

from minillm.classroom.exercises import Exercise, Wrong
from minillm.classroom.quiz import QuizItem


def times_read(steps, batch_size, context_length, corpus_tokens):
    return steps * batch_size * context_length / corpus_tokens


def probe_score(a_in_a, b_in_b, b_in_a, a_in_b):
    margin = a_in_a + b_in_b - b_in_a - a_in_b
    if margin == 0:
        return 0.5
    return 1.0 if margin > 0 else 0.0


def share_right(margins):
    return sum(0.5 if margin == 0 else float(margin > 0) for margin in margins) / len(margins)


def reading_cases(rng: random.Random) -> list[tuple]:
    """Draw runs of several sizes over texts that they read in part or more than once."""
    return [
        (rng.randint(50, 900), rng.randint(5, 60), rng.choice([64, 128, 256]), rng.randint(100_001, 9_000_000))
        for _ in range(6)
    ]


def probe_cases(rng: random.Random) -> list[tuple]:
    """Draw items that are right, wrong and tied; in some of each one context alone would mislead.

    Log-probabilities are multiples of a quarter, so that a tie is exact, and no margin is far from 0.
    """
    cases = []
    for wanted in (1, -1, 0) * 2:
        for misleading in (False, True):
            while True:
                a_in_a, b_in_b, b_in_a, a_in_b = (-rng.randint(1, 40) / 4 for _ in range(4))
                margin = a_in_a + b_in_b - b_in_a - a_in_b
                sign = (margin > 0) - (margin < 0)
                first_alone = (a_in_a > b_in_a) - (a_in_a < b_in_a)
                if sign == wanted and (first_alone == wanted) != misleading and abs(margin) <= 1:
                    cases.append((a_in_a, b_in_b, b_in_a, a_in_b))
                    break
    return cases


def set_cases(rng: random.Random) -> list[tuple]:
    """Draw the margins of sets of several sizes, each with ties, right and wrong items, in multiples of a quarter.

    More or fewer right items than wrong ones, so that what a tie counts shows.
    """
    cases = []
    for _ in range(6):
        right = [rng.randint(1, 8) / 4 for _ in range(rng.randint(3, 9))]
        wrong = [-rng.randint(1, 30) / 4 for _ in range(rng.choice([2, len(right) + 1]))]
        margins = right + wrong + [0.0] * rng.randint(1, 4)
        rng.shuffle(margins)
        cases.append((margins,))
    return cases


EXERCISES = (
    Exercise(
        key="00.times_read",
        question=(
            "Write a function that says how many times, on average, a run reads each token of its text. It is given "
            "the steps, the batch size (sequences in a step), the context length (tokens in a sequence) and the number "
            "of tokens in the text. Half of the text is 0.5."
        ),
        difficulty=1,
        starter="def times_read(steps, batch_size, context_length, corpus_tokens):\n    return ...\n",
        hints=(
            "How many tokens does the run read in one step?",
            "A step reads batch_size sequences of context_length tokens each.",
            "All tokens read, divided by the tokens that there are.",
        ),
        reference=times_read,
        wrong=(
            Wrong(
                "sequences",
                lambda steps, batch_size, context_length, corpus_tokens: steps * batch_size / corpus_tokens,
                "That counts sequences: each of them has context_length tokens.",
            ),
            Wrong(
                "one sequence a step",
                lambda steps, batch_size, context_length, corpus_tokens: steps * context_length / corpus_tokens,
                "That counts one sequence a step: a batch has batch_size of them.",
            ),
            Wrong(
                "inverse",
                lambda steps, batch_size, context_length, corpus_tokens: (
                    corpus_tokens / (steps * batch_size * context_length)
                ),
                "That is the inverse: how many such runs it takes to read the text once.",
            ),
            Wrong(
                "tokens",
                lambda steps, batch_size, context_length, corpus_tokens: steps * batch_size * context_length,
                "Those are the tokens read: divide them by the tokens that there are.",
            ),
        ),
        cases=reading_cases,
    ),
    Exercise(
        key="00.probe_score",
        question=(
            "Write the judge of a probe. It is given four log-probabilities: a_in_a is that of ending a in context A, "
            "b_in_b that of b in B; b_in_a and a_in_b are those of the endings swapped. Return 1.0 if the endings are "
            "together likelier in their own contexts, 0.0 if they are likelier swapped, and 0.5 for an exact tie."
        ),
        difficulty=2,
        starter="def probe_score(a_in_a, b_in_b, b_in_a, a_in_b):\n    return ...\n",
        hints=(
            "Logarithms of probabilities add up where the probabilities multiply.",
            "Add the two own ones; take away the two swapped ones.",
            "Compare that margin with 0: above it 1.0, below it 0.0, and 0.5 where it is 0.",
        ),
        reference=probe_score,
        wrong=(
            Wrong(
                "first context alone",
                lambda a_in_a, b_in_b, b_in_a, a_in_b: 0.5 + 0.5 * ((a_in_a > b_in_a) - (a_in_a < b_in_a)),
                "That asks in context A alone, where a frequent ending wins whatever the context says. Use all four.",
            ),
            Wrong(
                "sign",
                lambda a_in_a, b_in_b, b_in_a, a_in_b: 1 - probe_score(a_in_a, b_in_b, b_in_a, a_in_b),
                "The sign is the wrong way round: what is likelier has the larger (less negative) logarithm.",
            ),
            Wrong(
                "tie is right",
                lambda a_in_a, b_in_b, b_in_a, a_in_b: float(a_in_a + b_in_b >= b_in_a + a_in_b),
                "A tie counts half: a model that ignores its context must come out at chance.",
            ),
            Wrong(
                "margin",
                lambda a_in_a, b_in_b, b_in_a, a_in_b: a_in_a + b_in_b - b_in_a - a_in_b,
                "That is the margin, and a good one. The judge says only on which side of 0 it lies.",
            ),
        ),
        cases=probe_cases,
        equivalent=("line 5: margin > 0 -> margin >= 0",),
    ),
    Exercise(
        key="00.share_right",
        question=(
            "Write the score of a whole set. It is given the margins of all items, a list of numbers. Return the share "
            "of items that are right, from 0 to 1: a margin above 0 is right, below 0 wrong, and one of exactly 0 "
            "counts as half an item."
        ),
        difficulty=2,
        starter="def share_right(margins):\n    return ...\n",
        hints=(
            "What does one item add to the sum: 1, a half, or nothing?",
            "Add that up over all margins.",
            "Divide the sum by the number of items, the ties among them.",
        ),
        reference=share_right,
        wrong=(
            Wrong(
                "ties are wrong",
                lambda margins: sum(margin > 0 for margin in margins) / len(margins),
                "A tie counts half: with yours, a model that ignores its context would get 0, not chance.",
            ),
            Wrong(
                "ties are right",
                lambda margins: sum(margin >= 0 for margin in margins) / len(margins),
                "A tie counts half: with yours, a model that ignores its context would get everything right.",
            ),
            Wrong(
                "ties are left out",
                lambda margins: sum(margin > 0 for margin in margins) / sum(margin != 0 for margin in margins),
                "You leave the ties out. They are items too, and count half.",
            ),
            Wrong(
                "number",
                lambda margins: share_right(margins) * len(margins),
                "That is how many are right. Divide by the number of items.",
            ),
            Wrong(
                "mean margin",
                lambda margins: sum(margins) / len(margins),
                "That is the mean margin: a few large ones would rule it. Count on which side of 0 each lies.",
            ),
        ),
        cases=set_cases,
        equivalent=("line 2: margin > 0 -> margin >= 0",),
    ),
)

QUIZ = (
    QuizItem(
        key="00.pretraining",
        question="What does a model do during pretraining?",
        options={
            "a": "It learns rules of grammar that linguists wrote down.",
            "b": "It guesses the next token of ordinary text, and its weights are moved so that it is less surprised.",
            "c": "It answers questions, and people grade the answers.",
            "d": "It copies its text into a database.",
        },
        right="b",
        explanations={
            "a": "Nobody gives it rules. Where its guesses obey some, it found them in the text.",
            "b": "That is the whole task. Grammar, associations and facts come along because they help with it.",
            "c": "That comes later, if at all: it is part of fine-tuning. Pretraining needs nobody's judgement.",
            "d": "There is no database: only weights, all of which take part in every guess.",
        },
        notebook="00",
        section="1. What pretraining is",
    ),
    QuizItem(
        key="00.start",
        question="A model with random weights chooses among 50,257 tokens. What is its loss, about, in nats?",
        options={"a": "0", "b": "It cannot be said beforehand.", "c": "10.8", "d": "50,257"},
        right="c",
        explanations={
            "a": "A loss of 0 means certainty about every token. It knows nothing yet.",
            "b": "It can: with nothing learned, every token gets about the same probability, 1/V.",
            "c": "ln 50,257 is 10.8: the surprise at one of 50,257 tokens held equally likely.",
            "d": "That is the number of tokens. The loss is the logarithm of it.",
        },
        notebook="00",
        section="... the loss at the start is arbitrary",
    ),
    QuizItem(
        key="00.margin",
        question="A model takes no notice of the context. What is its margin in a probe?",
        options={
            "a": "0",
            "b": "Above 0 if the first ending is the more frequent one.",
            "c": "Below 0, since it is wrong.",
            "d": "Above 0 for short endings.",
        },
        right="a",
        explanations={
            "a": "Each ending then has one probability in both contexts, and the four terms cancel.",
            "b": "A frequent ending is likelier in both contexts. It is added once and taken away once.",
            "c": "Below 0 would need the context to speak for the wrong ending. Here it does not speak at all.",
            "d": "A short ending is likelier in both contexts. It is added once and taken away once.",
        },
        notebook="00",
        section="5. What has it learned?",
    ),
    QuizItem(
        key="00.below",
        question="A model gets 4 of 40 items right, by about as much with each of three seeds. What does that say?",
        options={
            "a": "It knows nothing of the matter: it is at chance.",
            "b": "It knows those four.",
            "c": "It goes by something else than the right thing, and does so steadily.",
            "d": "Forty items are too few to say anything.",
        },
        right="c",
        explanations={
            "a": "At chance it would get about 20, and coins stay between 14 and 26 nearly always.",
            "b": "Perhaps, but that leaves out the rest: to be wrong 36 times takes a rule, only the wrong one.",
            "c": "To be wrong that often it has to tell the contexts apart. It does, by the wrong mark.",
            "d": "Coins give 4 or fewer of 40 about once in ten million. That is not too few.",
        },
        notebook="00",
        section="5. What has it learned?",
    ),
    QuizItem(
        key="00.question",
        question="You give a freshly pretrained model a question. What should you expect?",
        options={
            "a": "An answer, since it has read many questions.",
            "b": "A refusal, since it was not trained to answer.",
            "c": "A search of its training text.",
            "d": "A plausible continuation of the page, which may be an answer, or another question.",
        },
        right="d",
        explanations={
            "a": "Only where pages like this one usually go on with an answer.",
            "b": "It refuses nothing: refusing is a behaviour that is taught later.",
            "c": "It has no access to the text any more, only to its weights.",
            "d": "It continues documents. Making an assistant of it is the work of fine-tuning.",
        },
        notebook="09",
    ),
)
