"""The material of notebook 07: exercises and quiz items about the size of a model and the length of its text."""

import math

from minillm.classroom.exercises import Exercise, Wrong
from minillm.classroom.quiz import QuizItem

# --- a budget, split


def split(flops, ratio):
    parameters = math.sqrt(flops / (6 * ratio))
    return parameters, ratio * parameters


def split_cases(rng):
    return [(10 ** rng.uniform(8, 25), rng.uniform(2, 300)) for _ in range(5)] + [(6e6, 1), (600, 4), (700, 3)]


# --- the exponent of a power law


def exponent(x1, y1, x2, y2):
    return math.log(y2 / y1) / math.log(x2 / x1)


def exponent_cases(rng):
    made = [(1, 1, 4, 2)]
    for _ in range(5):
        x1, y1, times, power = rng.uniform(0.5, 9), rng.uniform(0.5, 9), rng.uniform(3, 90), rng.uniform(-0.9, 0.9)
        made.append((x1, y1, x1 * times, y1 * times**power * 1.1))
    return made


# --- tokens a parameter at the bottoms


def token_ratios(flops, parameters):
    ratios = []
    for budget, count in zip(flops, parameters, strict=True):
        tokens = budget / (6 * count)
        ratios.append(tokens / count)
    return ratios


def ratios_cases(rng):
    made = []
    for count in (1, 3, 5):
        parameters = [rng.uniform(500, 9000) for _ in range(count)]
        made.append({"flops": [6 * n * n * rng.uniform(3, 60) for n in parameters], "parameters": parameters})
    return made


# --- the bottom of a parabola


def bottom(sizes, losses):
    step = math.log(sizes[1] / sizes[0])
    slope = losses[2] - losses[0]
    bend = losses[0] - 2 * losses[1] + losses[2]
    return sizes[1] * math.exp(-step * slope / (2 * bend))


def bottom_cases(rng):
    made = [([10, 20, 40], [2.0, 1.0, 2.0])]
    for _ in range(6):
        middle, times, place = rng.uniform(50, 5000), rng.uniform(1.5, 5), rng.choice([-1, 1]) * rng.uniform(0.2, 0.8)
        sizes = [middle / times, middle, middle * times]
        height, bend = rng.uniform(0.5, 3), rng.uniform(0.1, 0.9)
        made.append((sizes, [height + bend * (i - place) ** 2 for i in (-1, 0, 1)]))
    return made


def smallest_tried(sizes, losses):
    return sizes[losses.index(min(losses))]


def without_logarithms(sizes, losses):
    a, b, c = sizes
    x, y, z = losses
    above = (b**2 - c**2) * x + (c**2 - a**2) * y + (a**2 - b**2) * z
    return above / (2 * ((b - c) * x + (c - a) * y + (a - b) * z))


def in_logarithms(sizes, losses):
    return math.log(bottom(sizes, losses))


def logarithms_of_both(sizes, losses):
    return bottom(sizes, [math.log(loss) for loss in losses])


def steps_as_factor(sizes, losses):
    return sizes[1] * math.exp((losses[0] - losses[2]) / (2 * (losses[0] - 2 * losses[1] + losses[2])))


def wrong_side(sizes, losses):
    return sizes[1] ** 2 / bottom(sizes, losses)


# --- what repeated text is worth


def worth(epochs, lasting):
    repeated = epochs - 1
    return 1 + lasting * (1 - math.exp(-repeated / lasting))


def worth_cases(rng):
    return [(1, rng.uniform(3, 30))] + [(rng.uniform(1.5, 60), rng.uniform(3, 30)) for _ in range(6)]


# --- the best split of a law


def best_split(A, B, alpha, beta, flops):
    product = flops / 6
    balance = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    parameters = balance * product ** (beta / (alpha + beta))
    return parameters, product / parameters


def best_cases(rng):
    made = [(9, 8, 0.5, 0.5, 600)]
    for _ in range(5):
        alpha, beta = rng.uniform(0.2, 0.4), rng.uniform(0.45, 0.7)
        made.append((rng.uniform(100, 900), rng.uniform(1000, 9000), alpha, beta, 10 ** rng.uniform(9, 24)))
    return made


# --- training and serving


def cheapest(models, served):
    costs = []
    for parameters, tokens in models:
        costs.append(6 * parameters * tokens + 2 * parameters * served)
    return costs.index(min(costs))


def cheapest_cases(rng):
    models = [(16.0, 10.0), (8.0, 25.0), (4.0, 80.0), (2.0, 300.0)]  # smaller ones must read much longer
    made = [(models, served) for served in (0, 10, 60, 200, 1000, 9000)]
    for _ in range(4):
        few = [(rng.uniform(1, 20), rng.uniform(5, 400)) for _ in range(4)]
        made.append((few, rng.uniform(0, 2000)))
    for _ in range(2):
        large, small = (rng.uniform(10, 20), rng.uniform(5, 9)), (rng.uniform(2, 5), rng.uniform(100, 200))
        even = 3 * (small[0] * small[1] - large[0] * large[1]) / (large[0] - small[0])  # served: both cost the same
        made += [([large, small], 0.93 * even), ([large, small], 1.07 * even)]
    return made


EXERCISES = (
    Exercise(
        key="07.split",
        question=(
            "A budget of `flops` is to give each parameter `ratio` tokens. Write `split(flops, ratio)`: "
            "the parameters and the tokens, with 6 N D equal to the budget."
        ),
        difficulty=1,
        starter="def split(flops, ratio):\n    return ...\n",
        hints=(
            "Two conditions: 6 N D = C and D = ratio x N.",
            "Put the second into the first: 6 x ratio x N squared = C.",
            "N is the square root of C / (6 ratio); D is ratio times N.",
        ),
        reference=split,
        wrong=(
            Wrong(
                "no root",
                lambda flops, ratio: (flops / (6 * ratio), flops / 6),
                "That is N squared: N appears twice in 6 N D once D is ratio x N.",
            ),
            Wrong(
                "without the six",
                lambda flops, ratio: split(6 * flops, ratio),
                "Every parameter and token costs 6 FLOPs: 2 forward and 4 backward.",
            ),
            Wrong(
                "parameters alone",
                lambda flops, ratio: split(flops, ratio)[0],
                "That is right for the parameters; return the tokens too: `return parameters, tokens`.",
            ),
            Wrong(
                "whole budget for both",
                lambda flops, ratio: (math.sqrt(flops / 6), ratio * math.sqrt(flops / 6)),
                "The parameters must leave room for `ratio` tokens each: divide by `ratio` before the root.",
            ),
            Wrong(
                "turned",
                lambda flops, ratio: split(flops, ratio)[::-1],
                "Parameters first, then tokens: each parameter gets `ratio` tokens.",
            ),
        ),
        cases=split_cases,
        tolerance=1e-6,
    ),
    Exercise(
        key="07.exponent",
        question=(
            "A power law y = k x^a goes through two points. Write `exponent(x1, y1, x2, y2)`, which returns a. "
            "(If N grows twofold when C grows fourfold, a is 0.5.)"
        ),
        difficulty=2,
        starter="def exponent(x1, y1, x2, y2):\n    return ...\n",
        hints=(
            "Between logarithms a power law is a straight line, and a is its slope.",
            "A slope is a rise divided by a run; here both are differences of logarithms.",
            "log(y2 / y1) divided by log(x2 / x1).",
        ),
        reference=exponent,
        wrong=(
            Wrong(
                "slope",
                lambda x1, y1, x2, y2: (y2 - y1) / (x2 - x1),
                "That is the slope of a straight line: take logarithms of both first.",
            ),
            Wrong(
                "turned",
                lambda x1, y1, x2, y2: math.log(x2 / x1) / math.log(y2 / y1),
                "That is 1 / a: the run over the rise.",
            ),
            Wrong(
                "ratio",
                lambda x1, y1, x2, y2: (y2 / y1) / (x2 / x1),
                "You divided the factors; divide their logarithms.",
            ),
            Wrong(
                "logarithm of differences",
                lambda x1, y1, x2, y2: math.log(y2 - y1) / math.log(x2 - x1),
                "You took the logarithm of a difference; take the difference of two logarithms.",
            ),
            Wrong(
                "quotient of one point",
                lambda x1, y1, x2, y2: math.log(y2) / math.log(x2),
                "That uses one point alone; a slope needs the difference to the other one.",
            ),
            Wrong(
                "half logarithm",
                lambda x1, y1, x2, y2: math.log(y2 / y1) / (x2 - x1),
                "You took the logarithm on one side: that is an exponential, not a power law.",
            ),
        ),
        cases=exponent_cases,
    ),
    Exercise(
        key="07.ratios",
        question=(
            "How many tokens does each parameter get at the bottom of each valley of section 2? Make `ratios`, a list "
            "with one number for each budget, from `bottoms` (each has `.flops` and `.parameters`)."
        ),
        difficulty=2,
        starter="ratios = ...\n",
        hints=(
            "You want D / N. You have C and N.",
            "From C = 6 N D: D is C / (6 N).",
            "C / (6 N) / N for each bottom, in a list.",
        ),
        reference=token_ratios,
        solution="ratios = [b.flops / (6 * b.parameters) / b.parameters for b in bottoms]\n",
        wrong=(
            Wrong(
                "tokens",
                lambda flops, parameters: [c / (6 * n) for c, n in zip(flops, parameters, strict=True)],
                "Those are the tokens: divide by the parameters once more.",
            ),
            Wrong(
                "one number",
                lambda flops, parameters: token_ratios(flops, parameters)[-1],
                "That is the last budget's alone: one number for each budget, in a list.",
            ),
            Wrong(
                "without the six",
                lambda flops, parameters: [6 * r for r in token_ratios(flops, parameters)],
                "The budget is 6 N D, not N D.",
            ),
            Wrong(
                "turned",
                lambda flops, parameters: [1 / r for r in token_ratios(flops, parameters)],
                "Those are parameters for each token.",
            ),
        ),
        cases=ratios_cases,
        tolerance=1e-4,
    ),
    Exercise(
        key="07.bottom",
        question=(
            "Three models of one budget: `sizes` grow by the same factor each, `losses` are theirs. Write "
            "`bottom(sizes, losses)`: the size at the bottom of the parabola, in the logarithm of the size, through "
            "the three points."
        ),
        difficulty=3,
        starter="def bottom(sizes, losses):\n    return ...\n",
        hints=(
            "Call the places -1, 0 and 1: one step is the logarithm of the factor between sizes.",
            "The parabola through (-1, x), (0, y), (1, z) has its bottom at (x - z) / (2 (x - 2 y + z)).",
            "Go so many steps from the middle size: multiply it by exp(step times that place).",
        ),
        reference=bottom,
        wrong=(
            Wrong(
                "smallest tried",
                smallest_tried,
                "That is the best of the sizes tried; the bottom lies between them.",
            ),
            Wrong(
                "without logarithms",
                without_logarithms,
                "You drew the parabola over the size itself: use its logarithm, in which the steps are equal.",
            ),
            Wrong(
                "logarithms of both",
                logarithms_of_both,
                "You took the logarithm of the losses too, as section 2 does; this parabola goes through the losses "
                "themselves.",
            ),
            Wrong(
                "steps as a factor",
                steps_as_factor,
                "You moved by steps without their size: a step is the logarithm of the factor between sizes.",
            ),
            Wrong("in logarithms", in_logarithms, "That is the logarithm of the size: undo it with math.exp."),
            Wrong("wrong side", wrong_side, "You went the wrong way from the middle: towards the lower loss, please."),
        ),
        cases=bottom_cases,
    ),
    Exercise(
        key="07.worth",
        question=(
            "A text is read `epochs` times. By the formula of section 4 it is worth 1 + R (1 - exp(-(epochs - 1) / R)) "
            "epochs of new text, where R is `lasting`. Write `worth(epochs, lasting)`."
        ),
        difficulty=2,
        starter="def worth(epochs, lasting):\n    return ...\n",
        hints=(
            "The first reading counts in full: it is the 1 in front.",
            "Repetitions are epochs - 1, and each is worth less than the one before.",
            "1 + lasting * (1 - math.exp(-(epochs - 1) / lasting)).",
        ),
        reference=worth,
        wrong=(
            Wrong(
                "first forgotten",
                lambda epochs, lasting: worth(epochs, lasting) - 1,
                "The first reading is missing: it counts in full.",
            ),
            Wrong(
                "epochs for repetitions",
                lambda epochs, lasting: worth(epochs + 1, lasting),
                "Reading once is no repetition: use epochs - 1.",
            ),
            Wrong(
                "sign",
                lambda epochs, lasting: 1 + lasting * (1 - math.exp((epochs - 1) / lasting)),
                "The power is negative: e to the minus (epochs - 1) / R.",
            ),
            Wrong(
                "without R in front",
                lambda epochs, lasting: 1 + (1 - math.exp(-(epochs - 1) / lasting)),
                "The repetitions together can be worth up to R epochs, not one: multiply by R.",
            ),
            Wrong(
                "parentheses",
                lambda epochs, lasting: 1 + lasting * (1 - math.exp(-epochs - 1 / lasting)),
                "Python divides before it subtracts: put epochs - 1 into parentheses.",
            ),
            Wrong(
                "all the same",
                lambda epochs, lasting: epochs,
                "That counts every reading in full, as if repeated text were new.",
            ),
        ),
        cases=worth_cases,
    ),
    Exercise(
        key="07.best",
        question=(
            "Write `best_split(A, B, alpha, beta, flops)`: the parameters and tokens with the least "
            "A / N^alpha + B / D^beta, where 6 N D is the budget."
        ),
        difficulty=4,
        starter="def best_split(A, B, alpha, beta, flops):\n    return ...\n",
        hints=(
            "Put D = P / N with P = flops / 6 into the law and set the derivative by log N to 0.",
            "At the best split alpha A / N^alpha equals beta B / D^beta.",
            "N = (alpha A / (beta B))^(1 / (alpha + beta)) times P^(beta / (alpha + beta)), and D = P / N.",
        ),
        reference=best_split,
        wrong=(
            Wrong(
                "equal parts",
                lambda A, B, alpha, beta, flops: best_split(A / alpha, B / beta, alpha, beta, flops),
                "You made the two terms equal; at the best split alpha A / N^alpha = beta B / D^beta.",
            ),
            Wrong(
                "other power",
                lambda A, B, alpha, beta, flops: (lambda n: (n, flops / 6 / n))(
                    (alpha * A / (beta * B)) ** (1 / (alpha + beta)) * (flops / 6) ** (alpha / (alpha + beta))
                ),
                "The powers are exchanged: N grows with P to the beta / (alpha + beta).",
            ),
            Wrong(
                "balance turned",
                lambda A, B, alpha, beta, flops: (lambda n: (n, flops / 6 / n))(
                    (beta * B / (alpha * A)) ** (1 / (alpha + beta)) * (flops / 6) ** (beta / (alpha + beta))
                ),
                "The balance stands on its head: a larger A, the price of a small size, must make N larger.",
            ),
            Wrong(
                "parameters alone",
                lambda A, B, alpha, beta, flops: best_split(A, B, alpha, beta, flops)[0],
                "That is right for the parameters; return the tokens too.",
            ),
            Wrong(
                "powers turned",
                lambda A, B, alpha, beta, flops: best_split(A, B, alpha, beta, flops)[::-1],
                "Parameters first, then tokens.",
            ),
            Wrong(
                "without the six",
                lambda A, B, alpha, beta, flops: best_split(A, B, alpha, beta, 6 * flops),
                "The budget is 6 N D: divide it by 6 first.",
            ),
            Wrong(
                "half and half",
                lambda A, B, alpha, beta, flops: (math.sqrt(flops / 6), math.sqrt(flops / 6)),
                "That is one token for each parameter whatever the law: the constants must matter.",
            ),
        ),
        cases=best_cases,
    ),
    Exercise(
        key="07.cheapest",
        question=(
            "Several models reach the same loss: `models` holds pairs (parameters, tokens read). Training costs 6 N D, "
            "and each token served afterwards 2 N. Write `cheapest(models, served)`: the place in the list of the one "
            "that is cheapest over its life, when it serves so many tokens."
        ),
        difficulty=4,
        starter="def cheapest(models, served):\n    return ...\n",
        hints=(
            "Compute one cost for each model: training and serving together.",
            "6 * n * d + 2 * n * served.",
            "Then the index of the least: costs.index(min(costs)).",
        ),
        reference=cheapest,
        wrong=(
            Wrong(
                "training alone",
                lambda models, served: cheapest(models, 0),
                "You left out what serving costs, 2 N for each token: over its life a model may cost more to run than "
                "to train.",
            ),
            Wrong(
                "serving alone",
                lambda models, served: min(range(len(models)), key=lambda i: models[i][0]),
                "The smallest model is the cheapest to serve, but somebody has to train it too.",
            ),
            Wrong(
                "same price",
                lambda models, served: min(range(len(models)), key=lambda i: models[i][0] * (models[i][1] + served)),
                "You charged a token served like a token trained on: it costs 2 N, a third of 6 N.",
            ),
            Wrong(
                "the model",
                lambda models, served: models[cheapest(models, served)],
                "That is the right model itself; its place in the list is asked for.",
            ),
            Wrong(
                "counted from one",
                lambda models, served: cheapest(models, served) + 1,
                "Python counts places from 0.",
            ),
            Wrong(
                "the cost",
                lambda models, served: min(6 * n * d + 2 * n * served for n, d in models),
                "That is the cost; its place in the list is asked for.",
            ),
            Wrong(
                "largest",
                lambda models, served: max(
                    range(len(models)), key=lambda i: 6 * models[i][0] * models[i][1] + 2 * models[i][0] * served
                ),
                "That is the dearest one.",
            ),
        ),
        cases=cheapest_cases,
        equivalent=(),
    ),
)

QUIZ = (
    QuizItem(
        key="07.budget",
        question="The budget is fixed. Why does the largest model of section 1 not have the least loss?",
        options={
            "a": "It overfits",
            "b": "It could pay for too few tokens",
            "c": "Large models learn worse from each token",
            "d": "Its learning rate was wrong",
        },
        right="b",
        explanations={
            "a": "It read every token once: there was nothing to learn by heart.",
            "b": "6 N D is fixed: sixteen times the parameters is a sixteenth of the text.",
            "c": "The other way round: on the same number of tokens it is the better one, as the box shows.",
            "d": "Three rates were tried for each size, and the best one counts.",
        },
        notebook="07",
        section="1. One budget, five sizes",
    ),
    QuizItem(
        key="07.interval",
        question="A law is fitted to 25 runs, resampled 100 times, and 80% of the forecasts lie in a narrow interval. "
        "What does the interval leave out?",
        options={
            "a": "That the law itself may bend where nobody has looked",
            "b": "The noise of the 25 runs",
            "c": "Which of the runs happened to be among the 25",
            "d": "Nothing: 80% is 80%",
        },
        right="a",
        explanations={
            "a": "Every resample is fitted with the same form, so all share its error.",
            "b": "Noise moves the resamples: that is what their spread measures.",
            "c": "Drawing runs with replacement is how the bootstrap imitates just that.",
            "d": "It holds if the form is right. Counting on other sources showed how far it is not.",
        },
        notebook="07",
        section="3. A forecast under seal",
    ),
    QuizItem(
        key="07.repeat",
        question="You have a tenth of the text that you can pay to read. What do the published runs and yours suggest?",
        options={
            "a": "Read it ten times: it is as good as new",
            "b": "Read it once: repeats are worthless",
            "c": "Repeat it a few times, and expect less from each further reading",
            "d": "Repeat it forty times and stop early",
        },
        right="c",
        explanations={
            "a": "The tenth reading brings far less than new text would, in theirs and in yours.",
            "b": "A second reading still lowers the excess: in theirs almost as new text would, in yours by less.",
            "c": "How soon the worth fades depends on text and model: measure it.",
            "d": "Long before forty, more readings bring next to nothing.",
        },
        notebook="07",
        section="4. The same text again",
    ),
    QuizItem(
        key="07.today",
        question="A model of today reads 1,800 tokens for each of its parameters. Did its makers get it wrong?",
        options={
            "a": "Yes: 20 is the best",
            "b": "No: they pay for serving it too, so a smaller model that read longer is worth it",
            "c": "No: more text never costs anything",
            "d": "Yes: the loss is higher than with 20",
        },
        right="b",
        explanations={
            "a": "About 20 came out for one family and the least loss of a training budget. That is one question of "
            "several.",
            "b": "Training is paid once, serving with every token: they aim at the cost of the whole life.",
            "c": "It costs 6 N FLOPs a token.",
            "d": "For this model's size more text lowers the loss; what is higher is the training cost of that loss.",
        },
        notebook="07",
        section="What real runs do",
    ),
)
