"""The material of notebook 03: exercises and quiz items about the next-token objective."""

import itertools
import math

from minillm.classroom.exercises import Exercise, Wrong
from minillm.classroom.quiz import QuizItem

# --- inputs and targets


def make_pairs(ids):
    inputs = ids[:-1]
    targets = ids[1:]
    return inputs, targets


def pairs_cases(rng):
    different = [rng.sample(range(1024), n) for n in (2, 3, *(rng.randint(4, 12) for _ in range(4)))]
    repeating = [[5, 7, 5, 7, 5], [rng.randrange(4) for _ in range(8)]]  # eight ids of four: at least one comes again
    return [(ids,) for ids in [*different, *repeating]]


def without_equal_ids(ids):
    return [x for x in ids if x != ids[-1]], [x for x in ids if x != ids[0]]


def after_the_first_equal_id(ids):
    return ids[:-1], [ids[ids.index(x) + 1] for x in ids[:-1]]


def pairs_keep_their_ids(answer, rng):
    ids = rng.sample(range(1024), 8)
    before = list(ids)
    answer(ids)
    if ids != before:
        return "Your function changes the list it is given: make new lists instead."
    return None


# --- surprise


def mean_surprise(probabilities):
    nats = [-math.log(p) for p in probabilities]
    mean_nats = sum(nats) / len(nats)
    return mean_nats, mean_nats / math.log(2)


def surprise_cases(rng):
    return [([rng.uniform(0.02, 0.9) for _ in range(n)],) for n in (2, 3, rng.randint(4, 9))]


# --- a continuation


def continuation_log_probability(table, prompt, continuation):
    total = 0.0
    current = prompt[-1]
    for following in continuation:
        total += math.log(table[current][following])
        current = following
    return total


def random_table(rng, vocab_size):
    rows = []
    for _ in range(vocab_size):
        weights = [rng.uniform(0.05, 1.0) for _ in range(vocab_size)]
        rows.append([w / sum(weights) for w in weights])
    return rows


def continuation_cases(rng):
    made = []
    for n_prompt, n_continuation in ((2, 2), (3, 3), (4, 2), (2, 4)):
        table = random_table(rng, 6)
        ids = [rng.randrange(6) for _ in range(n_prompt + n_continuation)]
        made.append((table, ids[:n_prompt], ids[n_prompt:]))
    return made


def without_the_first(table, prompt, continuation):
    return sum(math.log(table[a][b]) for a, b in itertools.pairwise(continuation))


def with_the_prompt(table, prompt, continuation):
    ids = [*prompt, *continuation]
    return sum(math.log(table[a][b]) for a, b in itertools.pairwise(ids))


def always_from_the_prompt(table, prompt, continuation):
    return sum(math.log(table[prompt[-1]][b]) for b in continuation)


def averaged(table, prompt, continuation):
    return continuation_log_probability(table, prompt, continuation) / len(continuation)


def not_logged(table, prompt, continuation):
    return math.exp(continuation_log_probability(table, prompt, continuation))


# --- what a perfect model pays


def perfect_bits(shares):
    bits = 0.0
    for share in shares:
        bits -= share * math.log2(share)
    return bits


def perfect_cases(rng):
    made = []
    while len(made) < 3:
        weights = [rng.uniform(0.05, 1.0) for _ in range(2 + len(made))]
        shares = [w / sum(weights) for w in weights]
        bits = perfect_bits(shares)
        others = (favourite_bits(shares), unweighted_bits(shares), bits * math.log(2))
        if all(abs(a - b) > 0.02 for a, b in itertools.combinations((bits, *others), 2)):
            made.append({"shares": shares})  # the mistakes differ by more than the tolerance
    return made


def favourite_bits(shares):
    return -math.log2(max(shares))


def unweighted_bits(shares):
    return sum(-math.log2(p) for p in shares) / len(shares)


# --- a smoothed table


def bigram_table(ids, vocab_size, added):
    counts = [[added] * vocab_size for _ in range(vocab_size)]
    for i in range(len(ids) - 1):
        counts[ids[i]][ids[i + 1]] += 1
    return [[count / sum(row) for count in row] for row in counts]


def table_cases(rng):
    made = []
    for vocab_size in (2, 3, 4):
        ids = [*range(vocab_size), *(rng.randrange(vocab_size) for _ in range(12)), 0, 1, 0, 1]
        made.append((ids, vocab_size, rng.uniform(0.1, 0.9)))
    return made


def counted(ids, vocab_size, start, step=1):
    counts = [[start] * vocab_size for _ in range(vocab_size)]
    for current, following in zip(ids, ids[step:], strict=False):
        counts[current][following] += 1
    return counts


def shares_of_rows(counts):
    return [[count / sum(row) for count in row] for row in counts]


def turned(rows):
    return [list(column) for column in zip(*rows, strict=True)]


def rows_backwards(ids, vocab_size, added):
    return shares_of_rows(turned(counted(ids, vocab_size, added)))


def shares_of_columns(ids, vocab_size, added):
    return turned(shares_of_rows(turned(counted(ids, vocab_size, added))))


def shares_of_all(ids, vocab_size, added):
    counts = counted(ids, vocab_size, added)
    total = sum(sum(row) for row in counts)
    return [[count / total for count in row] for row in counts]


def not_smoothed(ids, vocab_size, added):
    return [[c / max(1, sum(row)) for c in row] for row in counted(ids, vocab_size, 0)]


def smoothed_above_only(ids, vocab_size, added):
    return [[(c + added) / max(1, sum(row)) for c in row] for row in counted(ids, vocab_size, 0)]


# --- from logits to a loss, and to its gradient


def loss_from_logits(logits, targets):
    total = 0.0
    for row, target in zip(logits, targets, strict=True):
        largest = max(row)
        log_sum = largest + math.log(sum(math.exp(z - largest) for z in row))
        total += log_sum - row[target]
    return total / len(targets)


def logits_cases(rng):
    made = []
    for n, vocab_size, height in ((1, 3, 0), (3, 4, 1), (4, 5, -2), (2, 4, 900)):
        logits = [[height + rng.uniform(-3, 3) for _ in range(vocab_size)] for _ in range(n)]
        if height == 900:
            logits[0][0] = -900.0  # a wide row, which no shift but that by the largest survives
        made.append((logits, [rng.randrange(vocab_size) for _ in range(n)]))
    targets = [rng.randrange(4) for _ in range(4)]
    # float32 has steps of 6e-5 here: it loses the 2e-5, always to the same side
    steps = [[900 + rng.randrange(-2048, 2048) / 1024 + (-2e-5 if i == t else 2e-5) for i in range(4)] for t in targets]
    return [*made, (steps, targets)]


def no_softmax(logits, targets):
    return -sum(row[target] for row, target in zip(logits, targets, strict=True)) / len(targets)


def summed(logits, targets):
    return loss_from_logits(logits, targets) * len(targets)


def in_bits(logits, targets):
    return loss_from_logits(logits, targets) / math.log(2)


def overflowing(logits, targets):
    total = 0.0
    for row, target in zip(logits, targets, strict=True):
        total -= math.log(math.exp(row[target]) / sum(math.exp(z) for z in row))
    return total / len(targets)


def logit_gradient(logits, target):
    weights = [math.exp(z) for z in logits]
    return [w / sum(weights) - (i == target) for i, w in enumerate(weights)]


def gradient_cases(rng):
    sizes = (2, 3, 5)
    return [([rng.uniform(-2, 2) for _ in range(n)], rng.randrange(n)) for n in sizes]


def gradient_sums_to_zero(answer, rng):
    total = sum(answer([rng.uniform(-2, 2) for _ in range(4)], 1))
    if abs(total) > 1e-6:
        return "The numbers must sum to 0: what one logit gains the others lose."
    return None


EXERCISES = (
    Exercise(
        key="03.pairs",
        question=(
            "Write `make_pairs(ids)`: from a list of N token ids return two lists, the inputs and the targets of "
            "its N - 1 predictions. Leave the given list as it is."
        ),
        difficulty=1,
        starter="def make_pairs(ids):\n    return ...\n",
        hints=(
            "The last token has no successor; the first is nobody's.",
            "Both lists come from the same ids: one leaves out an end, the other the other end.",
            "ids[:-1] is all but the last. What is all but the first?",
        ),
        reference=make_pairs,
        wrong=(
            Wrong(
                "not shifted",
                lambda ids: (list(ids), list(ids)),
                "The targets are the inputs themselves: that asks the model to copy. Move them on by one.",
            ),
            Wrong(
                "shifted twice",
                lambda ids: (ids[:-2], ids[2:]),
                "These targets lie two tokens ahead: the shift was made twice.",
            ),
            Wrong(
                "backwards",
                lambda ids: (ids[1:], ids[:-1]),
                "Inputs and targets are exchanged: this predicts the token before.",
            ),
            Wrong(
                "around the corner",
                lambda ids: (list(ids), ids[1:] + ids[:1]),
                "The last token is asked for the first one, as in a ring. It has no target: leave it out.",
            ),
            Wrong(
                "by value",
                without_equal_ids,
                "An id can occur twice: go by position. Leave out the last place only, not every id that equals it.",
            ),
            Wrong(
                "by index",
                after_the_first_equal_id,
                "An id can occur twice: go by position. `index` finds the first place of an id, not this one.",
            ),
        ),
        cases=pairs_cases,
        properties=(pairs_keep_their_ids,),
    ),
    Exercise(
        key="03.loss",
        question=(
            "A model gave these probabilities to the tokens that really came. Write `mean_surprise(probabilities)`: "
            "return the loss twice, first in nats a token, then in bits a token."
        ),
        difficulty=2,
        starter="def mean_surprise(probabilities):\n    return ...\n",
        hints=(
            "Each token costs the negative logarithm of its probability.",
            "The loss is the plain mean of the costs; math.log is the natural logarithm.",
            "A bit is ln 2 nats, so divide the nats by math.log(2).",
        ),
        reference=mean_surprise,
        wrong=(
            Wrong(
                "sum",
                lambda p: tuple(value * len(p) for value in mean_surprise(p)),
                "That is the whole text's surprise. A token's share is wanted: divide by how many there are.",
            ),
            Wrong(
                "log of mean",
                lambda p: (-math.log(sum(p) / len(p)), -math.log2(sum(p) / len(p))),
                "You averaged the probabilities first. Take each token's logarithm, then the mean.",
            ),
            Wrong(
                "sign",
                lambda p: tuple(-value for value in mean_surprise(p)),
                "The sign is turned: a surprise is a cost, above zero.",
            ),
            Wrong(
                "exchanged",
                lambda p: mean_surprise(p)[::-1],
                "The two numbers are exchanged: nats first, then bits, which is the larger number.",
            ),
            Wrong(
                "nats twice",
                lambda p: (mean_surprise(p)[0], mean_surprise(p)[0] * math.log(2)),
                "You multiplied by ln 2 to get bits. A bit is smaller than a nat, so there are more of them: divide.",
            ),
        ),
        cases=surprise_cases,
    ),
    Exercise(
        key="03.perfect",
        question=(
            "\"The capital of France is\" goes on with 'Paris' in 0.9 of its sentences and with 'an old city' in 0.1. "
            "How many bits does a model that has these shares exactly right pay for a continuation, on average?"
        ),
        difficulty=2,
        starter="paris_bits = ...\n",
        hints=(
            "In 0.9 of the sentences it pays the surprise of 0.9; in the others?",
            "Average the two surprises, each weighted by how often it happens.",
            "It is the entropy: the sum of -p log2 p.",
        ),
        reference=perfect_bits,
        solution="import math\n\nparis_bits = -sum(p * math.log2(p) for p in (0.9, 0.1))\n",
        wrong=(
            Wrong(
                "zero",
                lambda shares: 0.0,
                "0 bits would need a text that always goes on in the same way.",
            ),
            Wrong(
                "favourite",
                favourite_bits,
                "That is paid when the favourite comes. The rare continuation costs more: weight both.",
            ),
            Wrong(
                "plain mean",
                unweighted_bits,
                "You gave both surprises the same weight; the text does not.",
            ),
            Wrong(
                "nats",
                lambda shares: perfect_bits(shares) * math.log(2),
                "That is in nats: use the logarithm to base 2.",
            ),
        ),
        cases=perfect_cases,
        tolerance=2e-3,  # 0.469 is right
    ),
    Exercise(
        key="03.continuation",
        question=(
            "`table[a][b]` is the probability that token b follows token a. Write "
            "`continuation_log_probability(table, prompt, continuation)`: the natural logarithm of the probability "
            "that the prompt (a list of ids) is followed by the continuation (another list)."
        ),
        difficulty=3,
        starter="def continuation_log_probability(table, prompt, continuation):\n    return ...\n",
        hints=(
            "A product of probabilities is a sum of logarithms.",
            "The continuation begins after the last token of the prompt; each further token follows the one before it.",
            "Walk along the continuation and keep the current token in a variable that starts as prompt[-1].",
        ),
        reference=continuation_log_probability,
        wrong=(
            Wrong(
                "without the first",
                without_the_first,
                "The step from the prompt to the first token is missing: that is where the prompt has its say.",
            ),
            Wrong(
                "with the prompt",
                with_the_prompt,
                "You also paid for the prompt's own tokens. They are given: only the continuation is asked about.",
            ),
            Wrong(
                "always from the prompt",
                always_from_the_prompt,
                "You looked up every token in the row of the prompt's last one: move on with the text.",
            ),
            Wrong(
                "averaged",
                averaged,
                "That is the mean for a token; the whole continuation is asked for: the sum.",
            ),
            Wrong("not logged", not_logged, "That is the probability; its logarithm is wanted."),
            Wrong(
                "sign",
                lambda *given: -continuation_log_probability(*given),
                "That is the surprise. The logarithm of a probability is below zero: leave its sign.",
            ),
            Wrong(
                "bits",
                lambda *given: continuation_log_probability(*given) / math.log(2),
                "That is the logarithm to base 2; the natural one is asked for: math.log.",
            ),
        ),
        cases=continuation_cases,
    ),
    Exercise(
        key="03.table",
        question=(
            "Write `bigram_table(ids, vocab_size, added)`: count how often each token is followed by each, add `added` "
            "to every count, and return the rows as probabilities (a list of lists; every row sums to 1)."
        ),
        difficulty=3,
        starter="def bigram_table(ids, vocab_size, added):\n    return ...\n",
        hints=(
            "Begin with a table in which every count is already `added`.",
            "Walk over neighbours: the row is the first of the two, the column the second.",
            "At the end divide each row by its own sum.",
        ),
        reference=bigram_table,
        wrong=(
            Wrong(
                "rows backwards",
                rows_backwards,
                "Your rows stand for the token that follows. The row is what is known: the token before.",
            ),
            Wrong(
                "columns",
                shares_of_columns,
                "Your columns sum to 1. A row is one question, so each row must.",
            ),
            Wrong(
                "all pairs",
                shares_of_all,
                "You divided by all pairs: that is how common a pair is, not how likely the follower.",
            ),
            Wrong("not smoothed", not_smoothed, "What never came still has probability 0: where is `added`?"),
            Wrong(
                "smoothed above only",
                smoothed_above_only,
                "`added` is in each count but not in the sum you divide by, so the rows exceed 1.",
            ),
        ),
        cases=table_cases,
    ),
    Exercise(
        key="03.logits",
        question=(
            "Write `loss_from_logits(logits, targets)` in plain Python: the mean cross-entropy in nats. `logits` has "
            "one row of numbers for each position, `targets` one index for each. It must survive logits near 900."
        ),
        difficulty=4,
        starter="def loss_from_logits(logits, targets):\n    return ...\n",
        hints=(
            "-log softmax is log of the sum of exponentials, minus the target's logit.",
            "math.exp(900) is too large for a float: subtract the row's largest logit, and add it back after the log.",
            "For each row: m + log(sum(exp(z - m))) - row[target], then the mean over rows.",
        ),
        reference=loss_from_logits,
        wrong=(
            Wrong(
                "no softmax",
                no_softmax,
                "You took the logits for log-probabilities; they are not normalised yet.",
            ),
            Wrong("summed", summed, "That is the sum over positions; the loss is their mean."),
            Wrong("bits", in_bits, "That is in bits: use the natural logarithm."),
            Wrong(
                "overflow",
                overflowing,
                "Right for small logits, but large ones overflow: subtract the row's largest logit before exp.",
            ),
        ),
        cases=logits_cases,
    ),
    Exercise(
        key="03.gradient",
        question=(
            "How does the loss of one prediction change when a logit rises a little? Write "
            "`logit_gradient(logits, target)`: the derivatives of -log softmax(logits)[target], one for each logit."
        ),
        difficulty=5,
        starter="def logit_gradient(logits, target):\n    return ...\n",
        hints=(
            "The loss is a log of a sum of exponentials, minus the target's logit: take the derivative of each part.",
            "The first part gives the softmax probability of each logit.",
            "The second part takes 1 away at the target and nothing elsewhere.",
        ),
        reference=logit_gradient,
        wrong=(
            Wrong(
                "sign",
                lambda logits, target: [-g for g in logit_gradient(logits, target)],
                "The sign is turned: raising the target's logit lowers the loss, so its derivative is below zero.",
            ),
            Wrong(
                "probabilities",
                lambda logits, target: [g + (i == target) for i, g in enumerate(logit_gradient(logits, target))],
                "Those are the probabilities. The target's own logit enters once more: something is taken away there.",
            ),
            Wrong(
                "target only",
                lambda logits, target: [g * (i == target) for i, g in enumerate(logit_gradient(logits, target))],
                "The other logits matter too: pushing them up takes probability from the target.",
            ),
        ),
        cases=gradient_cases,
        properties=(gradient_sums_to_zero,),
    ),
)

QUIZ = (
    QuizItem(
        key="03.asked",
        question="A text of 1,000 tokens is handed to a model for training. How many predictions is it scored on?",
        options={"a": "1", "b": "999", "c": "1,000", "d": "As many as a person has labelled"},
        right="b",
        explanations={
            "a": "It predicts at every position, not only at the end: one pass gives a score for each.",
            "b": "Each token but the first is the answer to those before it.",
            "c": "The first token has nothing before it in this text, so it is no target.",
            "d": "Nobody labels anything: the next token is the answer.",
        },
        notebook="03",
        section="1. One text, many questions",
    ),
    QuizItem(
        key="03.perfect_loss",
        question="A model knows the planted corpus perfectly. What does it pay, on average, for the whole continuation "
        "of 'Machine learning is a branch of'?",
        options={
            "a": "0, since it knows the corpus",
            "b": "ln V, since several answers are possible",
            "c": "The entropy of the four shares",
            "d": "It depends on the optimizer",
        },
        right="c",
        explanations={
            "a": "The corpus itself goes on in four ways: no model can know which one comes this time.",
            "b": "ln V is what a model pays that knows nothing and spreads its bets over all V tokens.",
            "c": "With the shares exactly right, the mean surprise is their entropy, and nothing is lower.",
            "d": "The optimizer decides how fast the loss comes down, not how low it can.",
        },
        notebook="03",
        section="2. The right answer is a share",
    ),
    QuizItem(
        key="03.same_accuracy",
        question="Two models have the same favourite everywhere, so the same accuracy. Can their losses differ?",
        options={
            "a": "No: the same answers, the same loss",
            "b": "Yes: the loss sees how sure each was",
            "c": "Only if their vocabularies differ",
            "d": "Only on text they have not read",
        },
        right="b",
        explanations={
            "a": "The loss does not look at the favourite but at the probability of what came.",
            "b": "Being sure pays when right and costs dearly when wrong; accuracy sees neither.",
            "c": "With one vocabulary it happens too: the notebook computes a case.",
            "d": "It happens on any text, read or not.",
        },
        notebook="03",
        section="3. What an answer costs",
    ),
    QuizItem(
        key="03.too_good",
        question="After ten steps of training a new loop reports a loss of 0.02. What is the first thing to suspect?",
        options={
            "a": "The learning rate is too small",
            "b": "The model is large enough at last",
            "c": "The targets are not shifted",
            "d": "The text is too hard",
        },
        right="c",
        explanations={
            "a": "Then the loss would hardly move from its start near ln V.",
            "b": "No model gets below the text's own uncertainty, and none gets there in ten steps.",
            "c": "If the answer is among the inputs, copying is enough, and copying is learned at once.",
            "d": "A hard text makes the loss high.",
        },
        notebook="03",
        section="What could go wrong",
    ),
)
