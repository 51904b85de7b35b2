"""The material of notebook 11: exercises and quiz items about fine-tuning."""

import math

from minillm.classroom.exercises import Exercise, Wrong
from minillm.classroom.quiz import QuizItem

# --- the mask


def answer_mask(prompt_ids, answer_ids):
    return [0] * (len(prompt_ids) - 1) + [1] * len(answer_ids)


def mask_cases(rng):
    def ids(n):
        return [rng.randrange(1, 9) for _ in range(n)]

    sizes = [(1, 1), (2, 2), (5, 3), *((rng.randint(2, 9), rng.randint(2, 6)) for _ in range(3))]
    return [(ids(n), [*ids(m), 0]) for n, m in sizes]


def mask_keeps_its_lists(answer, rng):
    prompt, reply = [rng.randrange(9) for _ in range(4)], [5, 6, 0]
    before = list(prompt), list(reply)
    answer(prompt, reply)
    if (prompt, reply) != before:
        return "Your function changes the lists it is given: make a new list instead."
    return None


# --- a batch of unequal rows


def pad_batch(rows, masks, filler):
    width = max(len(row) for row in rows)
    ids = [row + [filler] * (width - len(row)) for row in rows]
    padded = [mask + [0] * (width - 1 - len(mask)) for mask in masks]
    return ids, padded


def batch_cases(rng):
    made = []
    for lengths in ((3, 5), (4, 4), (2, 7, 5), (6, 3, rng.randint(4, 9), 8)):
        rows = [[rng.randrange(1, 50) for _ in range(n)] for n in lengths]
        masks = [[0] * (n - 2) + [1] for n in lengths]  # the last target counts, so that a shifted mask shows
        made.append((rows, masks, rng.randrange(90, 99)))
    return made


def pads_before(rows, masks, filler):
    width = max(len(row) for row in rows)
    ids = [[filler] * (width - len(row)) + row for row in rows]
    return ids, [[0] * (width - 1 - len(mask)) + mask for mask in masks]


def pads_count(rows, masks, filler):
    ids, padded = pad_batch(rows, masks, filler)
    return ids, [mask + [1] * (len(p) - len(mask)) for mask, p in zip(masks, padded, strict=True)]


def cut_to_shortest(rows, masks, filler):
    width = min(len(row) for row in rows)
    return [row[:width] for row in rows], [mask[: width - 1] for mask in masks]


def filler_in_the_masks(rows, masks, filler):
    ids, _ = pad_batch(rows, masks, filler)
    return ids, [mask + [filler] * (len(ids[0]) - 1 - len(mask)) for mask in masks]


def filled_with_zero(rows, masks, filler):
    return pad_batch(rows, masks, 0)


def mask_as_long_as_ids(rows, masks, filler):
    ids, padded = pad_batch(rows, masks, filler)
    return ids, [[*mask, 0] for mask in padded]


def batch_keeps_its_lists(answer, rng):
    rows, masks = [[1, 2, 3], [4, 5, 6, 7]], [[0, 1], [0, 1, 1]]
    answer(rows, masks, 9)
    if rows != [[1, 2, 3], [4, 5, 6, 7]] or masks != [[0, 1], [0, 1, 1]]:
        return "Your function changes the rows it is given, and the next epoch needs them: make new lists."
    return None


# --- the masked loss


def masked_loss(surprises, mask):
    total = 0.0
    count = 0
    for row, counts in enumerate(mask):
        for place, counted in enumerate(counts):
            total += surprises[row][place] * counted
            count += counted
    return total / count


def loss_cases(rng):
    made = []
    for lengths in ((1, 4), (2, 5, 3), (1, 2, 4, 6)):
        width = 7
        surprises = [[rng.uniform(0.2, 6.0) for _ in range(width)] for _ in lengths]
        made.append((surprises, [[0] * (width - n) + [1] * n for n in lengths]))
    return made


def loss_of_all(surprises, mask):
    return sum(map(sum, surprises)) / sum(map(len, surprises))


def loss_with_zeros(surprises, mask):
    return masked_loss(surprises, mask) * sum(map(sum, mask)) / sum(map(len, mask))


def mean_of_means(surprises, mask):
    rows = [masked_loss([row], [counts]) for row, counts in zip(surprises, mask, strict=True)]
    return sum(rows) / len(rows)


def loss_sum(surprises, mask):
    return masked_loss(surprises, mask) * sum(map(sum, mask))


def loss_of_prompts(surprises, mask):
    return masked_loss(surprises, [[1 - counted for counted in row] for row in mask])


# --- the form


def has_form(reply, ended):
    text = reply.strip()
    if not ended or not text.endswith("."):
        return False
    if "\n" in text or "?" in text or "!" in text or text.count(".") > 1:
        return False
    return (text[0].isupper() or text[0].isdigit()) and len(text.split()) <= 20


GOOD = (
    " Snow is white.",
    " 8.",
    "The sum of 2 and 3 is 5.",
    " No, fire is hot. ",
    " " + "A word " + "word " * 17 + "more.",
)
BAD = (
    " snow is white.",
    " Snow is white",
    " Snow is white. It is cold.",
    " Snow is white.\nQuestion: Why.",
    " Snow is\nwhite.",
    " Is snow white?\nYes.",
    " Why? It is cold.",
    " Stop! It is cold.",
    " " + "A word " + "word " * 18 + "more.",
    "",
    " .",
)


def form_cases(rng):
    made = [(reply, True) for reply in (*GOOD, *BAD)] + [(reply, False) for reply in GOOD[:2]]
    rng.shuffle(made)
    first = (rng.choice(GOOD), True)  # the checker looks at the first case for an answer that is not there yet
    return [first, *made]


def form_without_the_end(reply, ended):
    return has_form(reply, True)


def only_the_last_mark(reply, ended):
    return ended and reply.strip().endswith(".")


def any_number_of_words(reply, ended):
    text = reply.strip()
    joined = "_".join(text.split(" "))
    return has_form(joined, ended)


def any_first_letter(reply, ended):
    return has_form("A" + reply.strip(), ended) and reply.strip() != "."


def any_line_break(reply, ended):
    return has_form(reply.replace("\n", " "), ended)


def letters_only(reply, ended):
    return has_form(reply, ended) and reply.strip()[0].isupper()


# --- how often each pair is read, and what was forgotten


def times_read(steps, batch_size, pairs):
    return steps * batch_size / pairs


def times_cases(rng):
    # such numbers that no mistake comes near another one or the right answer
    return [{"steps": rng.randint(60, 90), "batch_size": rng.choice((12, 16)), "pairs": rng.randint(160, 200)}]


def percent_worse(before, after):
    return 100 * (after / before - 1)


def percent_cases(rng):
    before = rng.uniform(1.5, 2.0)
    return [{"before": before, "after": before * rng.uniform(1.04, 1.2)}]


# --- which of two answers is preferred


def preference_loss(chosen, rejected):
    lead = chosen - rejected
    if lead > 0:
        return math.log1p(math.exp(-lead))
    return -lead + math.log1p(math.exp(lead))


def preference_cases(rng):
    made = [(rng.uniform(-3, 3), rng.uniform(-3, 3)) for _ in range(4)]
    return [*made, (0.5, 0.5), (-900.0, 900.0), (900.0, -900.0)]


def preference_probability(chosen, rejected):
    return math.exp(-preference_loss(chosen, rejected))


def preference_turned(chosen, rejected):
    return preference_loss(rejected, chosen)


def preference_of_the_chosen_alone(chosen, rejected):
    return preference_loss(chosen, 0.0)


def preference_difference(chosen, rejected):
    return rejected - chosen


def preference_overflowing(chosen, rejected):
    return math.log(1 + math.exp(rejected - chosen))


EXERCISES = (
    Exercise(
        key="11.mask",
        question=(
            "A pair is one row of ids: the prompt's, then the answer's, whose last id is end-of-text. Write "
            "`answer_mask(prompt_ids, answer_ids)`: a list with one 1 or 0 for each *target* of the row, 1 where "
            "the target belongs to the answer. The targets are the row moved on by one, so there is one fewer than "
            "ids."
        ),
        difficulty=2,
        starter="def answer_mask(prompt_ids, answer_ids):\n    return ...\n",
        hints=(
            "Which ids are targets at all? All but the very first, which belongs to the prompt.",
            "So the prompt has one target fewer than ids, and every id of the answer is a target.",
            "[0] * (len(prompt_ids) - 1), and then?",
        ),
        reference=answer_mask,
        wrong=(
            Wrong(
                "by inputs",
                lambda p, a: [0] * len(p) + [1] * (len(a) - 1),
                "This marks the inputs that belong to the answer. The first token of the answer is the target of "
                "the prompt's last token, and it must count: the mask begins one place earlier.",
            ),
            Wrong(
                "as long as the ids",
                lambda p, a: [0] * len(p) + [1] * len(a),
                "That is one entry for each id. The first id is never a target, so the list is one shorter.",
            ),
            Wrong(
                "everything",
                lambda p, a: [1] * (len(p) + len(a) - 1),
                "Every target counts here, as in pretraining: the model would learn to write the prompts as well.",
            ),
            Wrong(
                "turned",
                lambda p, a: [1] * (len(p) - 1) + [0] * len(a),
                "This is turned: the prompt counts and the answer does not.",
            ),
            Wrong(
                "without the end",
                lambda p, a: [0] * (len(p) - 1) + [1] * (len(a) - 1) + [0],
                "The last target is end-of-text. If it does not count, the model never learns to stop.",
            ),
            Wrong(
                "one too few",
                lambda p, a: [0] * (len(p) - 1) + [1] * (len(a) - 1),
                "One is missing. Only the very first id of the row is no target, and it belongs to the prompt: every "
                "id of the answer is one.",
            ),
            Wrong(
                "ids instead of ones",
                lambda p, a: [0] * (len(p) - 1) + list(a),
                "You give the answer's ids themselves. A mask holds nothing but 1 and 0.",
            ),
        ),
        cases=mask_cases,
        properties=(mask_keeps_its_lists,),
    ),
    Exercise(
        key="11.batch",
        question=(
            "Pairs are of unequal length, and a batch is a rectangle. Write `pad_batch(rows, masks, filler)`: "
            "`rows` are lists of ids, `masks` the lists of their targets (each one shorter than its row). Return "
            "two lists: the rows filled up with `filler` behind their end to the longest one, and the masks filled "
            "up so that what was filled never counts. Leave the given lists as they are."
        ),
        difficulty=3,
        starter="def pad_batch(rows, masks, filler):\n    return ...\n",
        hints=(
            "The width is the length of the longest row; the masks get one less.",
            "row + [filler] * n makes a new, longer list.",
            "A mask is filled with 0, whatever the filler of the ids is.",
        ),
        reference=pad_batch,
        wrong=(
            Wrong(
                "in front",
                pads_before,
                "You filled up in front. Then the model reads filler before the prompt, and every position moves: "
                "fill behind the end, which nothing before it can see.",
            ),
            Wrong(
                "filler counts",
                pads_count,
                "Your filled-up targets count: the model would be trained to write filler after every short answer.",
            ),
            Wrong(
                "filler in the masks",
                filler_in_the_masks,
                "You filled the masks up with `filler`. What was filled in must not count: a mask is filled with 0.",
            ),
            Wrong(
                "cut",
                cut_to_shortest,
                "You cut all rows to the shortest one, and the longer ones lose their answers.",
            ),
            Wrong(
                "zero", filled_with_zero, "You filled the ids up with 0, which is a token like any other: use `filler`."
            ),
            Wrong(
                "masks too long",
                mask_as_long_as_ids,
                "Your masks are as long as the rows. A row of n ids has n - 1 targets.",
            ),
        ),
        cases=batch_cases,
        properties=(batch_keeps_its_lists,),
    ),
    Exercise(
        key="11.loss",
        question=(
            "Write `masked_loss(surprises, mask)`: both are lists of rows of equal length, the surprise in nats at "
            "each target and whether it counts (1) or not (0). Return the loss: the mean over all targets of the "
            "batch that count."
        ),
        difficulty=2,
        starter="def masked_loss(surprises, mask):\n    return ...\n",
        hints=(
            "Add up the surprises that count, and count them, over all rows.",
            "Multiply each surprise by its mask: what does not count adds 0.",
            "Divide once, at the very end, by the number of ones.",
        ),
        reference=masked_loss,
        wrong=(
            Wrong("no mask", loss_of_all, "That is the mean over all targets: the prompts are in it."),
            Wrong(
                "zeros counted",
                loss_with_zeros,
                "You added up the right ones and divided by all targets. Divide by the number that count, or a long "
                "prompt makes the loss small.",
            ),
            Wrong(
                "mean of means",
                mean_of_means,
                "You took a mean for each row and then the mean of those. Then a token of a short answer weighs "
                "more than one of a long answer; the loss asked for treats all counted tokens alike.",
            ),
            Wrong("sum", loss_sum, "That is the sum; the mean over the counted targets is asked for."),
            Wrong("turned", loss_of_prompts, "This is the loss on the prompts: 1 means that a target counts."),
        ),
        cases=loss_cases,
    ),
    Exercise(
        key="11.form",
        question=(
            "Write `has_form(reply, ended)`, which says True or False: spaces around it aside, the reply begins "
            "with a capital letter or a digit, ends in a full stop and has no other one, no question mark, no "
            "exclamation mark and no line break, has at most 20 words, and the model ended it by itself (`ended`)."
        ),
        difficulty=2,
        starter="def has_form(reply, ended):\n    return ...\n",
        hints=(
            "text = reply.strip() first. What does an empty reply give?",
            'text.endswith("."), text.count("."), "\\n" in text, text[0].isupper(), len(text.split())',
            "Return False as soon as one part fails; the first letter can be looked at last, when there is one.",
        ),
        reference=has_form,
        wrong=(
            Wrong(
                "without the end",
                form_without_the_end,
                "A reply that was cut off passes: `ended` must be True. It is what a base model lacks most.",
            ),
            Wrong(
                "last mark only",
                only_the_last_mark,
                "You look at the last mark only. Two sentences, or a second line, end in a full stop too.",
            ),
            Wrong("any length", any_number_of_words, "A sentence of any length passes: at most 20 words are allowed."),
            Wrong("any beginning", any_first_letter, "A reply that begins with a small letter passes."),
            Wrong("line break", any_line_break, "A reply with a line break in its sentence passes."),
            Wrong("letters only", letters_only, "A digit may stand at the beginning too, as in '8.'"),
        ),
        cases=form_cases,
    ),
    Exercise(
        key="11.times",
        question=(
            "The fine-tuning run makes `experiment.STEPS` steps with 16 pairs each. How often does it read each "
            "pair, on average?"
        ),
        difficulty=1,
        starter="times = ...\n",
        hints=(
            "How many pairs does the whole run read, repeats counted?",
            "Divide by the number of different pairs, len(pairs).",
            "experiment.STEPS * 16 / len(pairs)",
        ),
        reference=times_read,
        solution="times = experiment.STEPS * 16 / len(pairs)\n",
        wrong=(
            Wrong(
                "all", lambda steps, batch_size, pairs: steps * batch_size, "That is how many pairs it reads in all."
            ),
            Wrong(
                "one step",
                lambda steps, batch_size, pairs: pairs / batch_size,
                "That is how many steps one reading of all pairs takes.",
            ),
            Wrong("no batch", lambda steps, batch_size, pairs: steps / pairs, "Each step reads a batch, not one pair."),
            Wrong(
                "turned",
                lambda steps, batch_size, pairs: pairs / (steps * batch_size),
                "This is turned: what is read goes above the line, what there is below.",
            ),
        ),
        cases=times_cases,
        tolerance=1e-2,
    ),
    Exercise(
        key="11.worse",
        question=(
            "By how many percent has the price of held-out text risen after the longest run without rehearsal? "
            "`before_bits` and `after_bits` hold the bits a byte, unrounded."
        ),
        difficulty=2,
        starter="worse = ...\n",
        hints=(
            "How many times the old price is the new one?",
            "1.05 times is 5 percent more.",
            "100 * (after_bits / before_bits - 1)",
        ),
        reference=percent_worse,
        solution="worse = 100 * (after_bits / before_bits - 1)\n",
        wrong=(
            Wrong("difference", lambda before, after: after - before, "That is the difference in bits a byte."),
            Wrong(
                "of the new",
                lambda before, after: 100 * (1 - before / after),
                "You took the share of the new price. Percent worse is measured from where it was before.",
            ),
            Wrong(
                "ratio", lambda before, after: 100 * after / before, "Take away the 100 percent that were there before."
            ),
            Wrong("share", lambda before, after: after / before - 1, "That is a share; 0.05 is 5 percent."),
        ),
        cases=percent_cases,
        tolerance=5e-3,
    ),
    Exercise(
        key="11.preference",
        question=(
            "People compare two answers. A reward model gives each a number, and the chance that the chosen one "
            "wins is taken as 1 / (1 + exp(rejected - chosen)), as in Christiano et al. 2017. Write "
            "`preference_loss(chosen, rejected)`: minus the natural logarithm of that chance. It must also work "
            "when the two are 1,800 apart."
        ),
        difficulty=4,
        starter="def preference_loss(chosen, rejected):\n    return ...\n",
        hints=(
            "Minus the logarithm of 1 / x is the logarithm of x.",
            "math.exp(1800) is too large for a number of 64 bits. When the chosen one is far behind, the loss is "
            "nearly rejected - chosen.",
            "With lead = chosen - rejected: log1p(exp(-lead)) if the lead is positive; what is it if not?",
        ),
        reference=preference_loss,
        wrong=(
            Wrong("probability", preference_probability, "That is the chance itself; the loss is minus its logarithm."),
            Wrong("turned", preference_turned, "Chosen and rejected are exchanged: this rewards the worse answer."),
            Wrong(
                "chosen alone",
                preference_of_the_chosen_alone,
                "You looked at the chosen answer alone. Only the difference counts: people compared two.",
            ),
            Wrong(
                "difference",
                preference_difference,
                "That is the difference alone. It never stops growing; the loss of a clear win is near 0.",
            ),
            Wrong(
                "overflow",
                preference_overflowing,
                "Right for small numbers. With 1,800 between them exp is too large: treat each sign apart.",
            ),
        ),
        cases=preference_cases,
        equivalent=("line 3: lead > 0 -> lead >= 0", "line 3: 0 -> 1", "line 3: 0 -> -1"),  # both branches agree there
    ),
)

QUIZ = (
    QuizItem(
        key="11.counts",
        question="Fine-tuning on prompts and answers, with the prompt masked: which tokens does the model see?",
        options={
            "a": "The answer only",
            "b": "The prompt only",
            "c": "Both, but only the answer counts in the loss",
            "d": "Both, and both count",
        },
        right="c",
        explanations={
            "a": "Without the prompt it could not know what to answer: the mask hides nothing from the model.",
            "b": "The prompt alone is what it sees later, when it is used.",
            "c": "The mask sits in the loss. The prompt goes in as always, and is what the answer is predicted from.",
            "d": "That is pretraining on the pairs: it would learn to write prompts too.",
        },
        notebook="11",
        section="2. The pairs and the mask",
    ),
    QuizItem(
        key="11.wrong_answer",
        question="After fine-tuning, a model answers every question in one well-formed sentence. What follows?",
        options={
            "a": "It now knows the answers",
            "b": "It has learned how an answer looks",
            "c": "The questions were among the pairs",
            "d": "Its loss on other text has fallen",
        },
        right="b",
        explanations={
            "a": "Form and content were measured apart, and only the form had risen.",
            "b": "That is what two hundred short documents taught: the outward form.",
            "c": "None of them was: it carries over to new prompts, which is what makes it useful.",
            "d": "On other text it rose, unless old text was rehearsed.",
        },
        notebook="11",
        section="4. The content",
    ),
    QuizItem(
        key="11.rehearsal",
        question="What keeps a fine-tuned model from losing much of what it could do before?",
        options={
            "a": "More steps on the pairs",
            "b": "Text of the old kind among the new",
            "c": "A higher learning rate",
            "d": "Masking the prompt",
        },
        right="b",
        explanations={
            "a": "Each further step on the pairs alone took it farther away.",
            "b": "Rehearsal: the old loss stays part of what is minimised.",
            "c": "Larger steps go farther from where pretraining had led.",
            "d": "The mask decides which tokens of the pairs count; it protects nothing else.",
        },
        notebook="11",
        section="5. What was forgotten",
    ),
    QuizItem(
        key="11.aligned",
        question="A fine-tuned model replies to harmful requests as readily as to any others. What is missing?",
        options={
            "a": "More pairs of the same kinds",
            "b": "A larger vocabulary",
            "c": "A lower temperature",
            "d": "Training that tells wanted answers from unwanted ones",
        },
        right="d",
        explanations={
            "a": "None of them says what should not be answered.",
            "b": "The tokens are the same in a harmful answer and in a harmless one.",
            "c": "That makes the same answers more certain.",
            "d": "People's preferences, refusals, rules: what comes after instruction tuning.",
        },
        notebook="11",
        section="6. Side by side, and what comes after",
    ),
)
