"""The material of notebook 08: exercises and quiz items about what a run costs."""

import itertools
import math

from minillm.classroom.exercises import Exercise, Wrong
from minillm.classroom.quiz import QuizItem

# --- operations


def training_flops(total, active, tokens):
    return 6 * active * tokens


def flops_cases(rng):
    dense = [(n, n, 20 * n) for n in (1e8, 7e9)]
    sparse = [(rng.uniform(4, 20) * n, n, rng.uniform(1e11, 1e13)) for n in (3e9, 17e9, 37e9)]
    return [*sparse, *dense]


# --- hours


def accelerator_hours(flops, peak_tflops, utilisation, goodput):
    seconds = flops / (peak_tflops * 10**12 * utilisation * goodput)
    return seconds / 3600


def hours_cases(rng):
    made = []
    for peak in (312, 989, 65):
        made.append((rng.uniform(1e20, 1e24), peak, rng.uniform(0.2, 0.45), rng.uniform(0.6, 0.95)))
    return made


# --- memory with ZeRO


def state_bytes(parameters, zero, devices):
    weights, gradients, optimizer = 2 * parameters, 2 * parameters, 12 * parameters
    if zero >= 1:
        optimizer /= devices
    if zero >= 2:
        gradients /= devices
    if zero >= 3:
        weights /= devices
    return weights + gradients + optimizer


def state_cases(rng):
    return [(rng.choice((1.5e9, 7.5e9, 70e9)), zero, rng.choice((2, 8, 64))) for zero in (0, 1, 2, 3, 3, 1)]


def states_all_shared(parameters, zero, devices):
    return 16 * parameters / devices


def states_none_shared(parameters, zero, devices):
    return 16 * parameters


def states_one_stage_on(parameters, zero, devices):
    return state_bytes(parameters, min(zero + 1, 3), devices)


def states_weights_first(parameters, zero, devices):
    weights, gradients, optimizer = 2 * parameters, 2 * parameters, 12 * parameters
    if zero >= 1:
        weights /= devices
    if zero >= 2:
        gradients /= devices
    if zero >= 3:
        optimizer /= devices
    return weights + gradients + optimizer


def states_only_the_stage(parameters, zero, devices):
    parts = {3: 2 * parameters, 2: 2 * parameters, 1: 12 * parameters}
    return sum(part / devices if stage == zero else part for stage, part in parts.items())


# --- an interval of dollars


def cost_interval(hours_at_peak, utilisation, price):
    hours_low = hours_at_peak / utilisation[1]
    hours_high = hours_at_peak / utilisation[0]
    return hours_low * price[0], hours_high * price[1]


def interval_cases(rng):
    made = []
    for hours in (10, 2e4, 3e6):
        low, rate = rng.uniform(0.15, 0.3), rng.uniform(0.8, 3)
        made.append((hours, (low, low * rng.uniform(1.4, 2.2)), (rate, rate * rng.uniform(1.1, 1.6))))
    return made


def interval_not_turned(hours, utilisation, price):
    return hours / utilisation[0] * price[0], hours / utilisation[1] * price[1]


def interval_multiplied(hours, utilisation, price):
    return hours * utilisation[0] * price[0], hours * utilisation[1] * price[1]


def interval_middle_share(hours, utilisation, price):
    middle = sum(utilisation) / 2
    return hours / middle * price[0], hours / middle * price[1]


def interval_middle_price(hours, utilisation, price):
    middle = sum(price) / 2
    return hours / utilisation[1] * middle, hours / utilisation[0] * middle


# --- disk


def checkpoints_tb(parameters, kept):
    return parameters * 14 * kept / 10**12


def checkpoint_cases(rng):
    return [{"parameters": rng.choice((70e9, 175e9, 405e9)), "kept": rng.choice((8, 10, 12))} for _ in range(4)]


# --- implied share of the peak


def implied_share(flops, hours, peak_tflops):
    return flops / (hours * 60 * 60 * peak_tflops * 10**12)


def share_cases(rng):
    return [
        {"flops": share * hours * 3600 * peak * 1e12, "hours": hours, "peak_tflops": peak}
        for peak, share in ((312, rng.uniform(0.3, 0.5)), (989, rng.uniform(0.2, 0.4)))
        for hours in (rng.uniform(1e5, 1e6),)
    ]


# --- the fewest devices


def fewest_devices(parameters, memory_gb, activation_gb):
    left_bytes = (0.9 * memory_gb - activation_gb) * 10**9
    if left_bytes <= 0:
        return None
    return math.ceil(16 * parameters / left_bytes)


def fewest_cases(rng):
    fits = [(rng.uniform(20, 500) * 1e9, rng.choice((40, 80, 141)), rng.uniform(8, 20)) for _ in range(4)]
    small = [(rng.uniform(0.1, 0.5) * 1e9, 80, 2.0)]
    return [*fits, *small, (7e9, 40, 36.0), (7e9, 16, rng.uniform(15, 30)), (7e9, 80, 73.0)]


def fewest_rounded(parameters, memory_gb, activation_gb):
    left = (0.9 * memory_gb - activation_gb) * 1e9
    return None if left <= 0 else int(16 * parameters / left)


def fewest_without_activations(parameters, memory_gb, activation_gb):
    return math.ceil(16 * parameters / (0.9 * memory_gb * 1e9))


def fewest_shared_activations(parameters, memory_gb, activation_gb):
    return math.ceil((16 * parameters + activation_gb * 1e9) / (0.9 * memory_gb * 1e9))


def fewest_two_bytes(parameters, memory_gb, activation_gb):
    left = (0.9 * memory_gb - activation_gb) * 1e9
    return None if left <= 0 else math.ceil(2 * parameters / left)


def fewest_whole_memory(parameters, memory_gb, activation_gb):
    left = (memory_gb - activation_gb) * 1e9
    return None if left <= 0 else math.ceil(16 * parameters / left)


def fewest_negative(parameters, memory_gb, activation_gb):
    left = (0.9 * memory_gb - activation_gb) * 1e9
    return math.ceil(16 * parameters / left)


# --- coverage, leave one out


def coverage(shares, width):
    inside = 0
    for i, share in enumerate(shares):
        others = shares[:i] + shares[i + 1 :]
        middle = math.exp(sum(math.log(s) for s in others) / len(others))
        if middle / math.sqrt(width) <= share <= middle * math.sqrt(width):
            inside += 1
    return inside / len(shares)


def coverage_left_in(shares, width):
    middle = math.exp(sum(math.log(s) for s in shares) / len(shares))
    return sum(middle / math.sqrt(width) <= s <= middle * math.sqrt(width) for s in shares) / len(shares)


def coverage_plain_mean(shares, width):
    inside = 0
    for i, share in enumerate(shares):
        others = shares[:i] + shares[i + 1 :]
        middle = sum(others) / len(others)
        inside += middle / math.sqrt(width) <= share <= middle * math.sqrt(width)
    return inside / len(shares)


def coverage_twice_as_wide(shares, width):
    return coverage(shares, width**2)


def coverage_by_value(shares, width):
    inside = 0
    for share in shares:
        others = [s for s in shares if s != share]
        middle = math.exp(sum(math.log(s) for s in others) / len(others))
        inside += middle / math.sqrt(width) <= share <= middle * math.sqrt(width)
    return inside / len(shares)


def coverage_cases(rng):
    """Draw shares, repeated values among them, until no two ways of computing agree on all of them."""
    ways = (coverage, coverage_left_in, coverage_plain_mean, coverage_twice_as_wide, coverage_by_value)
    while True:
        made = []
        for n in (5, 6, 8, 9):
            shares = [rng.uniform(0.1, 0.6) for _ in range(n)]
            made.append(([*shares, shares[0], shares[0]], rng.uniform(1.6, 2.6)))
        results = [[way(*case) for case in made] for way in ways]
        if all(a != b for a, b in itertools.combinations(results, 2)):
            return made


EXERCISES = (
    Exercise(
        key="08.flops",
        question=(
            "Write `training_flops(total, active, tokens)`: the operations of a training run by the rule 6 N D. In a "
            "mixture of experts only `active` of the `total` parameters take part in a token."
        ),
        difficulty=1,
        starter="def training_flops(total, active, tokens):\n    return ...\n",
        hints=(
            "A parameter that a token does not meet multiplies nothing.",
            "Forward takes 2 operations for each parameter and token; backward takes twice as many.",
            "2 + 4 operations, times the parameters that take part, times the tokens.",
        ),
        reference=training_flops,
        wrong=(
            Wrong(
                "total",
                lambda total, active, tokens: 6 * total * tokens,
                "You took all parameters. A token meets the active ones only.",
            ),
            Wrong(
                "forward",
                lambda total, active, tokens: 2 * active * tokens,
                "That is the forward pass. Backward adds twice as many operations.",
            ),
            Wrong(
                "backward",
                lambda total, active, tokens: 4 * active * tokens,
                "That is the backward pass alone: add the forward one.",
            ),
            Wrong(
                "recomputed",
                lambda total, active, tokens: 8 * active * tokens,
                "8 counts the forward pass twice, as with recomputation: operations of the hardware, not of the model.",
            ),
        ),
        cases=flops_cases,
    ),
    Exercise(
        key="08.hours",
        question=(
            "Write `accelerator_hours(flops, peak_tflops, utilisation, goodput)`: hours of one accelerator for so many "
            "operations. The peak is in TFLOP/s; utilisation is the share of it that is reached while the run works, "
            "goodput the share of the time in which it works."
        ),
        difficulty=2,
        starter="def accelerator_hours(flops, peak_tflops, utilisation, goodput):\n    return ...\n",
        hints=(
            "First find how many operations a second are really done on average.",
            "1 TFLOP/s is 1e12 operations a second, and both shares make it fewer.",
            "Divide the operations by that rate, and the seconds by 3,600.",
        ),
        reference=accelerator_hours,
        wrong=(
            Wrong(
                "goodput forgotten",
                lambda flops, peak, utilisation, goodput: flops / (peak * 1e12 * utilisation) / 3600,
                "Lost time is missing: with a goodput below 1 it takes longer.",
            ),
            Wrong(
                "at the peak",
                lambda flops, peak, utilisation, goodput: flops / (peak * 1e12) / 3600,
                "That is the time at the full peak, which no run reaches.",
            ),
            Wrong(
                "multiplied",
                lambda flops, peak, utilisation, goodput: flops / (peak * 1e12) / 3600 * utilisation * goodput,
                "You multiplied the time by the shares. A lower share makes it longer: divide.",
            ),
            Wrong(
                "tera",
                lambda flops, peak, utilisation, goodput: flops / (peak * utilisation * goodput) / 3600,
                "The peak is in tera: 1 TFLOP/s is 1e12 operations a second.",
            ),
            Wrong(
                "seconds",
                lambda flops, peak, utilisation, goodput: flops / (peak * 1e12 * utilisation * goodput),
                "Those are seconds.",
            ),
        ),
        cases=hours_cases,
    ),
    Exercise(
        key="08.states",
        question=(
            "Write `state_bytes(parameters, zero, devices)`: bytes on one device for weights (2 a parameter), "
            "gradients (2) and optimizer (12). ZeRO stage 1 shares the optimizer among devices, stage 2 the gradients "
            "too, stage 3 the weights too; what is not shared is copied."
        ),
        difficulty=3,
        starter="def state_bytes(parameters, zero, devices):\n    return ...\n",
        hints=(
            "Write the three parts down first, as if nothing were shared.",
            "A stage includes those below it: stage 2 shares two of the parts.",
            "Divide the optimizer if zero >= 1, the gradients if zero >= 2, the weights if zero >= 3; add them up.",
        ),
        reference=state_bytes,
        wrong=(
            Wrong("all shared", states_all_shared, "You shared everything at every stage: only stage 3 does."),
            Wrong("none shared", states_none_shared, "Nothing is shared here; from stage 1 on something is."),
            Wrong("one stage on", states_one_stage_on, "You are one stage ahead: stage 0 shares nothing."),
            Wrong(
                "weights first",
                states_weights_first,
                "The order is turned: the largest part, the optimizer, is shared first.",
            ),
            Wrong(
                "only the stage",
                states_only_the_stage,
                "Each stage shares what those below it share, too.",
            ),
        ),
        cases=state_cases,
    ),
    Exercise(
        key="08.interval",
        question=(
            "Write `cost_interval(hours_at_peak, utilisation, price)`: the least and the most dollars of a run that "
            "would take `hours_at_peak` at the full peak. `utilisation` and `price` are pairs (low, high)."
        ),
        difficulty=3,
        starter="def cost_interval(hours_at_peak, utilisation, price):\n    return ...\n",
        hints=(
            "First the interval of hours: which utilisation gives the fewest?",
            "Dividing by an interval turns its ends: the highest utilisation gives the fewest hours.",
            "The least dollars are the fewest hours at the lowest price; the most are the other two.",
        ),
        reference=cost_interval,
        wrong=(
            Wrong(
                "not turned",
                interval_not_turned,
                "You divided the low end by the low end. A high utilisation makes few hours: the ends turn.",
            ),
            Wrong(
                "multiplied",
                interval_multiplied,
                "You multiplied by the utilisation. The lower it is, the more hours: divide.",
            ),
            Wrong(
                "middle share",
                interval_middle_share,
                "You took the middle of the utilisation, and the interval became too narrow.",
            ),
            Wrong("middle price", interval_middle_price, "You took the middle of the price: use both of its ends."),
            Wrong(
                "backwards",
                lambda *given: cost_interval(*given)[::-1],
                "The ends are exchanged: the least first.",
            ),
        ),
        cases=interval_cases,
    ),
    Exercise(
        key="08.disk",
        question=(
            "GPT-3 has 174.6e9 parameters. A checkpoint to go on from takes 14 bytes for each. How many terabytes "
            "(1e12 bytes) do ten of them take?"
        ),
        difficulty=1,
        starter="ten_checkpoints_tb = ...\n",
        hints=(
            "First the bytes of one checkpoint.",
            "Ten of them, in terabytes.",
            "174.6e9 x 14 x 10 / 1e12.",
        ),
        reference=checkpoints_tb,
        solution="ten_checkpoints_tb = 174.6e9 * 14 * 10 / 1e12\n",
        wrong=(
            Wrong(
                "weights",
                lambda parameters, kept: parameters * 2 * kept / 1e12,
                "Those are ten copies of the weights, from which no training can go on.",
            ),
            Wrong(
                "one",
                lambda parameters, kept: parameters * 14 / 1e12,
                "That is one checkpoint.",
            ),
            Wrong(
                "gigabytes",
                lambda parameters, kept: parameters * 14 * kept / 1e9,
                "Those are gigabytes.",
            ),
        ),
        cases=checkpoint_cases,
        tolerance=5e-3,  # 24.4 is right
    ),
    Exercise(
        key="08.share",
        question=(
            "Llama 2 7B took 8.58e22 operations and 184,320 hours of A100, whose peak is 312 TFLOP/s. What share of "
            "the peak did it reach, as a number from 0 to 1?"
        ),
        difficulty=2,
        starter="llama_2_share = ...\n",
        hints=(
            "How many operations could the device do in that time at its peak?",
            "184,320 x 3,600 seconds, 312e12 operations in each.",
            "Divide the operations that were done by those.",
        ),
        reference=implied_share,
        solution="llama_2_share = 8.58e22 / (184_320 * 3600 * 312e12)\n",
        wrong=(
            Wrong(
                "percent",
                lambda flops, hours, peak_tflops: 100 * implied_share(flops, hours, peak_tflops),
                "That is in percent; a number from 0 to 1 is asked for.",
            ),
            Wrong(
                "turned",
                lambda flops, hours, peak_tflops: 1 / implied_share(flops, hours, peak_tflops),
                "The fraction is upside down: what was done stands above what could have been.",
            ),
            Wrong(
                "hours",
                lambda flops, hours, peak_tflops: flops / (hours * peak_tflops * 1e12),
                "An hour has 3,600 seconds, and the peak is for one second.",
            ),
            Wrong(
                "sparse",
                lambda flops, hours, peak_tflops: implied_share(flops, hours, peak_tflops) / 2,
                "You took the data sheet's peak for sparse matrices, twice the dense one.",
            ),
        ),
        cases=share_cases,
        tolerance=2e-3,  # 0.414 and 0.4145 are right
    ),
    Exercise(
        key="08.fewest",
        question=(
            "Write `fewest_devices(parameters, memory_gb, activation_gb)`: how many devices hold 16 bytes a parameter, "
            "all shared (ZeRO 3), when nine tenths of each memory can be used and each keeps its own activations. "
            "Return None where no number does."
        ),
        difficulty=4,
        starter="def fewest_devices(parameters, memory_gb, activation_gb):\n    return ...\n",
        hints=(
            "What is left on one device for its share of the states?",
            "If nothing is left, more devices do not help: their activations are not shared.",
            "Divide 16 x parameters by what is left, in bytes, and round up.",
        ),
        reference=fewest_devices,
        wrong=(
            Wrong("rounded down", fewest_rounded, "Half a device cannot be rented: round up."),
            Wrong(
                "without activations",
                fewest_without_activations,
                "The activations take their part of each memory, and may leave nothing.",
            ),
            Wrong(
                "shared activations",
                fewest_shared_activations,
                "Activations are not shared: each device keeps its own.",
            ),
            Wrong("two bytes", fewest_two_bytes, "2 bytes are the weights alone; training keeps 16."),
            Wrong("whole memory", fewest_whole_memory, "Only nine tenths of the memory can be used."),
            Wrong("negative", fewest_negative, "Where nothing is left, no number of devices helps: return None."),
        ),
        cases=fewest_cases,
    ),
    Exercise(
        key="08.coverage",
        question=(
            "How good is a rule of thumb? Write `coverage(shares, width)`: for each share of the peak, the geometric "
            "mean of all the others, times and divided by the square root of `width`, is an interval. Return the "
            "fraction of the shares (from 0 to 1) that lie in theirs."
        ),
        difficulty=5,
        starter="def coverage(shares, width):\n    return ...\n",
        hints=(
            "Leave one out by its place, not by its value: two runs can have the same share.",
            "The geometric mean is the exponential of the mean of the logarithms.",
            "Count those with middle / sqrt(width) <= share <= middle * sqrt(width), and divide by how many there are.",
        ),
        reference=coverage,
        wrong=(
            Wrong("left in", coverage_left_in, "The run itself is in its own mean: that is a test on training data."),
            Wrong("plain mean", coverage_plain_mean, "That is the arithmetic mean; ratios ask for the geometric one."),
            Wrong(
                "twice as wide",
                coverage_twice_as_wide,
                "Your interval is `width` wide to each side; together both sides make `width`: take its root.",
            ),
            Wrong("by value", coverage_by_value, "You left out every run of the same share: go by place."),
        ),
        cases=coverage_cases,
    ),
)

QUIZ = (
    QuizItem(
        key="08.left_out",
        question="What does 6 N D leave out?",
        options={
            "a": "The backward pass",
            "b": "The scores of attention between tokens",
            "c": "The feed-forward parts",
            "d": "Nothing, if N is exact",
        },
        right="b",
        explanations={
            "a": "It is inside: 2 for the forward pass, 4 for the backward one.",
            "b": "They multiply activations with each other, so no parameter stands for them.",
            "c": "Their matrices are parameters, so they are counted.",
            "d": "Even the exact N knows nothing of the context length.",
        },
        notebook="08",
        section="2. Operations: six for each parameter and token",
    ),
    QuizItem(
        key="08.fits",
        question="The weights of a model take 14 GB in 16 bits. Why can it not be trained on one device of 80 GB with "
        "Adam, nothing shared?",
        options={
            "a": "The text does not fit into the memory",
            "b": "The device is too slow",
            "c": "Gradients and optimizer alone take seven times the weights",
            "d": "It can: 14 is less than 80",
        },
        right="c",
        explanations={
            "a": "Only one batch of it is in memory at a time.",
            "b": "Speed decides how long it takes, not whether it fits.",
            "c": "2 bytes of gradient and 12 of optimizer for each parameter: 98 GB beside the 14, before activations.",
            "d": "To use the model, yes. To train it, 16 bytes a parameter are kept, and activations.",
        },
        notebook="08",
        section="3. Memory",
    ),
    QuizItem(
        key="08.same_size",
        question="Two models have 8e9 parameters each. One took eight times the GPU-hours of the other. What explains "
        "it first?",
        options={
            "a": "The tokens they read",
            "b": "One was trained without a backward pass",
            "c": "The price of an hour",
            "d": "It cannot be: hours follow from size",
        },
        right="a",
        explanations={
            "a": "Operations are parameters times tokens; after that come the device and the share of its peak.",
            "b": "Without a backward pass nothing is learned.",
            "c": "The price changes dollars, not hours.",
            "d": "Size is one factor of three: tokens, and how well the machines are used, are the others.",
        },
        notebook="08",
        section="5. Time",
    ),
    QuizItem(
        key="08.headline",
        question="'Trained for five million dollars.' What is this number, as a rule?",
        options={
            "a": "What the whole programme cost",
            "b": "Hours of the final run, times an assumed price",
            "c": "What the machines cost to buy",
            "d": "The energy bill",
        },
        right="b",
        explanations={
            "a": "Experiments, failed runs, data and people usually are not in it.",
            "b": "Hours times a rent by the hour; the experiments before it are extra.",
            "c": "Buying thousands of devices costs far more than renting them for two months.",
            "d": "Energy is a small part of the rent.",
        },
        notebook="08",
        section="6. The bill",
    ),
)
