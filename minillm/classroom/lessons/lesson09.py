"""The material of notebook 09: exercises and quiz items about what pretraining leaves undone."""

import math
import re

from minillm.classroom.exercises import Exercise, Wrong
from minillm.classroom.quiz import QuizItem

# --- exposure of a secret


def exposure(log_probabilities, secret):
    likelier = sum(other > log_probabilities[secret] for other in log_probabilities)
    return math.log2(len(log_probabilities)) - math.log2(1 + likelier)


def exposure_cases(rng):
    made = []
    for n in (2, 8, 100, 1000):
        log_p = [-rng.uniform(1, 30) for _ in range(n)]
        places = sorted(range(n), key=lambda place: log_p[place])
        made += [(log_p, places[-1]), (log_p, places[0]), (log_p, places[n // 3])]
    tied = [-2.0, -5.0, -5.0, -5.0, -7.0, -9.0]
    return [*made, (tied, rng.randint(1, 3)), (tied, 5)]


def exposure_in_nats(log_probabilities, secret):
    return exposure(log_probabilities, secret) * math.log(2)


def rank_from_below(log_probabilities, secret):
    return exposure([-log_p for log_p in log_probabilities], secret)


def rank_alone(log_probabilities, secret):
    return math.log2(len(log_probabilities)) - exposure(log_probabilities, secret)


def surprise_of_it(log_probabilities, secret):
    return -log_probabilities[secret] / math.log(2)


def rank_one_too_high(log_probabilities, secret):
    likelier = sum(other > log_probabilities[secret] for other in log_probabilities)
    return math.log2(len(log_probabilities)) - math.log2(2 + likelier)


def ties_against(log_probabilities, secret):
    as_likely = sum(other >= log_probabilities[secret] for other in log_probabilities)
    return math.log2(len(log_probabilities)) - math.log2(as_likely)


def rank_from_zero(log_probabilities, secret):
    likelier = sum(other > log_probabilities[secret] for other in log_probabilities)
    return math.log2(len(log_probabilities)) - math.log2(likelier)


def place_as_rank(log_probabilities, secret):
    return math.log2(len(log_probabilities)) - math.log2(secret + 1)


def share_of_ranks(log_probabilities, secret):
    return 2 ** exposure(log_probabilities, secret)


# --- the form of an answer


def yes_or_no(continuation):
    parts = [part.strip(".,;:!?*()'\"-") for part in continuation.lower().split()]
    words = [part for part in parts if part]
    return words[:1] in (["yes"], ["no"])


YES_NO_TEXTS = (
    *(
        "Yes",
        "no",
        " Yes, it is.",
        "NO!",
        '"No," he said.',
        "\nyes\n",
        "- No.",
        "Yes: always",
        "no; never",
        "YES",
        "Yes it is",
    ),
    *("", "   ", "Yesterday it rained.", "Nobody knows.", "Not yet.", "It is: yes", "The answer is no.", "Maybe yes"),
    *(
        "yes-men are here",
        "I know",
        "Know this",
        "eyes",
        "...",
        "Noah",
        "no-one came",
        "Now",
        "is it yes or no?",
    ),
)


def yes_no_cases(rng):
    return [(text,) for text in sorted(YES_NO_TEXTS, key=lambda _: rng.random())]


def holds_yes_or_no(continuation):
    return re.search(r"\b(yes|no)\b", continuation.lower()) is not None


def begins_with_letters(continuation):
    return re.match(r"[^a-z0-9]*(yes|no)", continuation.lower()) is not None


def parts_of_words(continuation):
    return re.match(r"\W*(yes|no)\b", continuation, re.IGNORECASE) is not None


def only_small_letters(continuation):
    first = re.match(r"[^A-Za-z0-9]*([A-Za-z0-9]+(?:['-][A-Za-z0-9]+)*)", continuation)
    return first is not None and first.group(1) in ("yes", "no")


def nothing_but_it(continuation):
    return continuation.strip().lower() in ("yes", "no")


def marks_not_removed(continuation):
    return (continuation.lower().split() or [""])[0] in ("yes", "no")


def yes_alone(continuation):
    return yes_or_no(continuation) and "yes" in continuation.lower()


# --- what a filter leaves


def after_filter(share, caught, false_alarms):
    claim_left = share * (1 - caught)
    other_left = (1 - share) * (1 - false_alarms)
    return claim_left / (claim_left + other_left), 1 - claim_left - other_left


def filter_cases(rng):
    return [(rng.uniform(0.1, 0.9), rng.uniform(0.2, 0.95), rng.uniform(0.02, 0.4)) for _ in range(5)] + [
        (0.8, 1.0, 0.1),
        (0.8, 0.5, 0.0),
    ]


def of_the_old_text(share, caught, false_alarms):
    return share * (1 - caught), after_filter(share, caught, false_alarms)[1]


def no_false_alarms(share, caught, false_alarms):
    return after_filter(share, caught, 0.0)


def kept_not_removed(share, caught, false_alarms):
    left, gone = after_filter(share, caught, false_alarms)
    return left, 1 - gone


def filter_swapped(share, caught, false_alarms):
    return after_filter(share, caught, false_alarms)[::-1]


def caught_left(share, caught, false_alarms):
    return after_filter(share, 1 - caught, false_alarms)


def in_percent(share, caught, false_alarms):
    return tuple(100 * part for part in after_filter(share, caught, false_alarms))


def false_alarms_of_all(share, caught, false_alarms):
    claim_left = share * (1 - caught)
    return claim_left / (1 - share * caught - false_alarms), share * caught + false_alarms


# --- the exposure of a secret that nobody told


def untold_exposure(possible):
    return sum(math.log2(possible) - math.log2(rank) for rank in range(1, possible + 1)) / possible


def untold_cases(rng):
    return [{"possible": rng.randint(20, 3000)} for _ in range(4)]


# --- how far a share by lot strays


def share_spread(share, sentences):
    return math.sqrt(share * (1 - share) / sentences)


def spread_cases(rng):
    return [(rng.uniform(0.05, 0.95), rng.randint(5, 2000)) for _ in range(5)] + [(0.8, 1000), (0.5, 4)]


EXERCISES = (
    Exercise(
        key="09.exposure",
        question=(
            "A model was asked for the log-probability of each number that could have been the secret. Write "
            "`exposure(log_probabilities, secret)`: log2 of how many there are, minus log2 of the secret's rank. "
            "`secret` is its place in the list. Rank 1 is the likeliest; of equals none counts as likelier."
        ),
        difficulty=2,
        starter="def exposure(log_probabilities, secret):\n    return ...\n",
        hints=(
            "The rank is one more than the number of candidates that are likelier.",
            "Count the others whose log-probability is greater than log_probabilities[secret].",
            "math.log2(len(log_probabilities)) - math.log2(1 + count)",
        ),
        reference=exposure,
        wrong=(
            Wrong(
                "nats", exposure_in_nats, "The natural logarithm gives nats. Exposure is counted in bits: math.log2."
            ),
            Wrong(
                "from below",
                rank_from_below,
                "Your rank counts those that are less likely. A secret that is given away stands at the top: rank 1.",
            ),
            Wrong("rank alone", rank_alone, "That is log2 of the rank. Take it from log2 of how many there are."),
            Wrong(
                "surprise",
                surprise_of_it,
                "That is the price of the secret in bits. Exposure compares it with all others: what is its rank?",
            ),
            Wrong("rank from two", rank_one_too_high, "If none is likelier the rank is 1; yours begins at 2."),
            Wrong("rank from zero", rank_from_zero, "If none is likelier the rank is 1, not 0: add 1 to your count."),
            Wrong(
                "place",
                place_as_rank,
                "You took `secret` for the rank, but it is a place in the list. The rank counts who is likelier.",
            ),
            Wrong("ties", ties_against, "Equals do not count as likelier: compare with >, and add 1."),
            Wrong("no logarithm", share_of_ranks, "That is how many times better than last it is; take log2 of it."),
        ),
        cases=exposure_cases,
    ),
    Exercise(
        key="09.form",
        question=(
            "Write `yes_or_no(continuation)`: True if the first word of a text is yes or no, in small or large "
            "letters, else False. Marks and spaces around it do not matter; words joined by a hyphen are one word."
        ),
        difficulty=3,
        starter="def yes_or_no(continuation):\n    return ...\n",
        hints=(
            "Make all letters small, then find the first word. What if there is none?",
            "Split at spaces, take the first part that holds a letter or digit, remove marks at both of its ends.",
            "Strip marks from each part, drop the empty ones, and look at the first: is it 'yes' or 'no'?",
        ),
        reference=yes_or_no,
        wrong=(
            Wrong(
                "anywhere",
                holds_yes_or_no,
                "Your rule finds yes or no anywhere. 'The answer is no.' holds it, and so does much other text: look "
                "at the first word only.",
            ),
            Wrong(
                "beginning of a word", begins_with_letters, "'Yesterday' and 'Nobody' begin so too: take whole words."
            ),
            Wrong("hyphen", parts_of_words, "'yes-men' and 'no-one' are one word each, and neither is yes or no."),
            Wrong("large letters", only_small_letters, "'Yes' and 'NO' count as well: make the letters small first."),
            Wrong("nothing else", nothing_but_it, "'Yes, it is.' has the form too: only the first word decides."),
            Wrong(
                "marks", marks_not_removed, "A comma, a full stop or a quotation mark beside the word gets in your way."
            ),
            Wrong("yes alone", yes_alone, "'No' is an answer as well."),
        ),
        cases=yes_no_cases,
    ),
    Exercise(
        key="09.filter",
        question=(
            "A share of a text's sentences makes a claim. A filter removes a part `caught` of these, and by mistake a "
            "part `false_alarms` of the others. Write `after_filter(share, caught, false_alarms)`: return the share "
            "of the claim in what is left, and the part of the whole text that is gone."
        ),
        difficulty=3,
        starter="def after_filter(share, caught, false_alarms):\n    return ...\n",
        hints=(
            "Take 100 sentences and count what is left of each sort.",
            "Left of the claim: share * (1 - caught). Left of the rest: (1 - share) * (1 - false_alarms).",
            "The new share is the first divided by the sum of both; gone is 1 minus the sum.",
        ),
        reference=after_filter,
        wrong=(
            Wrong(
                "of the old text",
                of_the_old_text,
                "The text has become shorter: divide what is left of the claim by all that is left.",
            ),
            Wrong(
                "no false alarms",
                no_false_alarms,
                "The filter also hits sentences without the claim: use false_alarms.",
            ),
            Wrong("kept", kept_not_removed, "The second number is the part that is left. Asked for is the part gone."),
            Wrong(
                "exchanged", filter_swapped, "Right numbers, wrong order: the share first, then the part that is gone."
            ),
            Wrong("percent", in_percent, "Right numbers, in percent. Return shares, from 0 to 1."),
            Wrong("caught stays", caught_left, "What is caught goes: 1 - caught of the claim is left."),
            Wrong(
                "of all",
                false_alarms_of_all,
                "False alarms hit the sentences without the claim only: take the part of (1 - share).",
            ),
        ),
        cases=filter_cases,
    ),
    Exercise(
        key="09.untold",
        question=(
            "A secret that nobody told may have any rank from 1 to `possible`, each as likely. What is its exposure "
            "on average, in bits? (Not the exposure of the average rank.)"
        ),
        difficulty=3,
        starter="answer_untold = ...\n",
        hints=(
            "Compute the exposure at each rank, then the mean.",
            "Sum log2(possible) - log2(rank) over all ranks, and divide.",
            "range(1, possible + 1), and divide the sum by possible.",
        ),
        reference=untold_exposure,
        solution=(
            "possible = memorised.POSSIBLE\n"
            "answer_untold = sum(math.log2(possible) - math.log2(rank) for rank in range(1, possible + 1)) / possible\n"
        ),
        wrong=(
            Wrong(
                "average rank",
                lambda possible: math.log2(possible) - math.log2((possible + 1) / 2),
                "That is the exposure of the average rank, about 1 bit. The mean of the exposures is larger, since a "
                "lucky low rank counts for many bits.",
            ),
            Wrong(
                "zero", lambda possible: 0.0, "Zero bits has only the last of all. Any rank may come up: take the mean."
            ),
            Wrong(
                "in nats",
                lambda possible: untold_exposure(possible) * math.log(2),
                "That is in nats: use log2.",
            ),
            Wrong(
                "rounded",
                lambda possible: round(untold_exposure(possible), 2),
                "Right, but rounded: give the number as it was computed, with all its digits.",
            ),
            Wrong(
                "the sum",
                lambda possible: untold_exposure(possible) * possible,
                "That is the sum over all ranks. Divide by how many there are.",
            ),
        ),
        cases=untold_cases,
        # the last rank has no exposure, so leaving it out changes nothing
        equivalent=("line 2: range(1, possible + 1) -> range(1, possible + 1 - 1)", "line 2: 1 -> 0"),
    ),
    Exercise(
        key="09.spread",
        question=(
            "Sentences make a claim each with the same chance, drawn by lot. Write `share_spread(share, sentences)`: "
            "the standard deviation of the share that such a text ends up with."
        ),
        difficulty=2,
        starter="def share_spread(share, sentences):\n    return ...\n",
        hints=(
            "One sentence is a coin: 1 with probability share, else 0. What is its variance?",
            "The variance of one is share * (1 - share); that of a mean of n is n times smaller.",
            "Take the square root at the end.",
        ),
        reference=share_spread,
        wrong=(
            Wrong("variance", lambda p, n: p * (1 - p) / n, "That is the variance: take its square root."),
            Wrong(
                "of one", lambda p, n: math.sqrt(p * (1 - p)), "That is the spread of one sentence; the mean has less."
            ),
            Wrong(
                "of the count",
                lambda p, n: math.sqrt(n * p * (1 - p)),
                "That is the spread of the number of sentences, not of the share: divide by how many there are.",
            ),
            Wrong(
                "root missing over n",
                lambda p, n: math.sqrt(p * (1 - p)) / n,
                "The spread falls with the square root of the number, not with the number.",
            ),
            Wrong("percent", lambda p, n: 100 * math.sqrt(p * (1 - p) / n), "Right, in percent: return a share."),
            Wrong("share alone", lambda p, n: math.sqrt(p / n), "Half of it is missing: share * (1 - share)."),
        ),
        cases=spread_cases,
    ),
)

QUIZ = (
    QuizItem(
        key="09.question",
        question="You give a base model a question and a line break. What has it been trained to write next?",
        options={
            "a": "The right answer, once it is large enough to know it.",
            "b": "What is likely to follow in such a text: an answer, or something else.",
            "c": "Nothing: it waits until you go on.",
            "d": "The answer that people would like best.",
        },
        right="b",
        explanations={
            "a": "A large one answers more often, since answers often follow questions in its text. The objective asks "
            "for no right ones.",
            "b": "An answer is one continuation among many. Nothing in the objective prefers it.",
            "c": "To stop is a token like any other: it comes where texts of this kind end, not where you would speak.",
            "d": "What people like is trained later, if at all: by fine-tuning and from their preferences.",
        },
        notebook="09",
        section="1. Ask it",
        beliefs={"c": "chatbot", "d": "chatbot"},
        evidence="09_form",
    ),
    QuizItem(
        key="09.mirror",
        question="In a text 8 of 10 sentences about zorbs call them lazy. What does a well-trained model say, at "
        "temperature 1?",
        options={
            "a": "Lazy, always: the majority wins.",
            "b": "Lazy or busy, each half the time: it cannot know.",
            "c": "Lazy with a probability near 0.8.",
            "d": "Nothing: it notices that this is a prejudice.",
        },
        right="c",
        explanations={
            "a": "That would cost it dearly at every busy sentence. Shares pay, not votes.",
            "b": "It knows the share: it has paid for every deviation from it.",
            "c": "The loss is least where the probabilities are the shares of the text.",
            "d": "No part of the objective knows what is fair or true.",
        },
        notebook="09",
        section="4. A claim in eight of ten sentences",
        beliefs={"a": "one_right_word"},
        evidence="09_mirror",
    ),
    QuizItem(
        key="09.chat",
        question="You tell a model your name; ten lines later it uses it; in a new chat it does not know it. Why?",
        options={
            "a": "It learned your name and forgot it overnight.",
            "b": "The name stood in the text that it continued, and does not stand in the new one.",
            "c": "The weights are reset every night.",
            "d": "It keeps names in a hidden file.",
        },
        right="b",
        explanations={
            "a": "Nothing was learned: the hash of the weights is the same before and after.",
            "b": "All it has of a conversation is the text in its context.",
            "c": "There is nothing to reset: they did not change.",
            "d": "A product may keep notes and put them into the text; the model itself has no such place.",
        },
        notebook="09",
        section="6. Does it learn while we talk?",
        beliefs={"a": "keeps_learning"},
    ),
    QuizItem(
        key="09.secret",
        question="A number stands once in a large text, another one 64 times. Which statement did the run support?",
        options={
            "a": "The model stores the whole text, so it gives both away.",
            "b": "Models do not memorise, so it gives away neither.",
            "c": "What is told once is safe in every model.",
            "d": "The more often it is told, the more of it the model gives away.",
        },
        right="d",
        explanations={
            "a": "What was told once was, in the mean, no more exposed than what nobody told.",
            "b": "Those told 64 times stood at or near the top of a thousand.",
            "c": "This small model shows it for this run only; larger models memorise more from fewer repeats.",
            "d": "Exposure rose with the repeats. So removing duplicates also protects.",
        },
        notebook="09",
        section="5. What it knows by heart",
        beliefs={"a": "stores_text"},
        evidence="09_exposed",
    ),
)
