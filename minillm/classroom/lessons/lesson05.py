"""The material of notebook 05: exercises and quiz items about the pretraining loop."""

import functools
import math
import tempfile
from pathlib import Path

import numpy as np
import torch

from minillm import checkpoint
from minillm.batches import Tokens
from minillm.classroom.exercises import Exercise, Wrong
from minillm.classroom.quiz import QuizItem
from minillm.config import ModelConfig, TrainConfig
from minillm.model import Transformer
from minillm.optimizer import make_optimizers
from minillm.train import train

# --- how many steps


def steps_for(characters, batch_size, context_length):
    targets_a_step = batch_size * context_length
    return math.ceil(characters / targets_a_step)


def steps_cases(rng):
    made = []
    while len(made) < 4:
        batch_size, context_length = rng.randint(2, 9), rng.randint(12, 70)
        characters = rng.randint(40_000, 400_000)
        if characters % (batch_size * context_length):
            given = {"characters": characters, "batch_size": batch_size, "context_length": context_length}
            made.append(given)
    return made


# --- a batch


def make_batch(ids, places, context_length):
    inputs, targets = [], []
    for place in places:
        start = int(place * (len(ids) - context_length))
        window = ids[start : start + context_length + 1]
        inputs.append(window[:-1])
        targets.append(window[1:])
    return inputs, targets


def batch_cases(rng):
    made = []
    for n, context_length in ((9, 3), (12, 5), (rng.randint(15, 30), 4), (6, 5), (40, 1)):
        ids = [rng.randrange(5) for _ in range(n)]  # ids come again
        places = [0.0, 0.999, *(rng.random() for _ in range(3))]
        made.append((ids, places, context_length))
    made.append((rng.sample(range(100), 20), [0.999, 0.5, 0.0], 6))
    return made


def windows_by(ids, places, starts, context_length, ahead=1):
    found = [int(place * starts) for place in places]
    inputs = [ids[start : start + context_length] for start in found]
    return inputs, [ids[start + ahead : start + ahead + context_length] for start in found]


def never_the_last(ids, places, context_length):
    return windows_by(ids, places, len(ids) - context_length - 1, context_length)


def over_the_end(ids, places, context_length):
    return windows_by(ids, places, len(ids), context_length)


def unshifted(ids, places, context_length):
    return windows_by(ids, places, len(ids) - context_length, context_length, 0)


def too_short(ids, places, context_length):
    inputs, targets = make_batch(ids, places, context_length)
    return [row[:-1] for row in inputs], [row[:-1] for row in targets]


# --- clipping


def clip(gradients, largest):
    norm = math.sqrt(sum(number**2 for part in gradients for number in part))
    factor = largest / norm if norm > largest else 1.0
    return [[number * factor for number in part] for part in gradients], norm


def clip_cases(rng):
    def parts(size):
        return [[rng.uniform(-size, size) for _ in range(n)] for n in (2, 1, 3)]

    mixed = [[rng.uniform(3, 5), -4.0], [0.2, 0.1]]  # one part long, the other short
    zero = [[0.0, 0.0], [0.0]]
    return [(parts(4), 1.0), (parts(0.1), 1.0), (mixed, 2.0), (zero, 0.5), ([[3.0, 4.0]], rng.uniform(1, 3))]


def norm_of(numbers):
    return math.sqrt(sum(x**2 for x in numbers))


def each_part(gradients, largest):
    shortened = [[x * min(1.0, largest / max(1e-12, norm_of(part))) for x in part] for part in gradients]
    return shortened, norm_of([x for part in gradients for x in part])


def each_number(gradients, largest):
    shortened = [[max(-largest, min(largest, x)) for x in part] for part in gradients]
    return shortened, norm_of([x for part in gradients for x in part])


def always_scaled(gradients, largest):
    norm = norm_of([x for part in gradients for x in part])
    return [[x * largest / max(1e-12, norm) for x in part] for part in gradients], norm


def norm_afterwards(gradients, largest):
    shortened, norm = clip(gradients, largest)
    return shortened, min(norm, largest)


def sum_of_sizes(gradients, largest):
    norm = sum(abs(x) for part in gradients for x in part)
    factor = largest / norm if norm > largest else 1.0
    return [[x * factor for x in part] for part in gradients], norm


def without_root_of_sum(gradients, largest):
    norm = sum(x**2 for part in gradients for x in part)
    factor = largest / norm if norm > largest else 1.0
    return [[x * factor for x in part] for part in gradients], norm


def without_norm(gradients, largest):
    return clip(gradients, largest)[0]


def run_together(gradients, largest):
    shortened, norm = clip(gradients, largest)
    return [x for part in shortened for x in part], norm


# --- the schedule


def rate_share(step, steps, warmup_steps, decay_steps):
    if step <= warmup_steps:
        return step / warmup_steps
    left = steps - step + 1
    return min(1.0, left / decay_steps)


def schedule_cases(rng):
    made = []
    for _ in range(3):
        warmup_steps, decay_steps = rng.randint(3, 8), rng.randint(5, 12)
        steps = warmup_steps + decay_steps + rng.randint(4, 9)
        edges = (1, warmup_steps, warmup_steps + 1, steps - decay_steps, steps - decay_steps + 2, steps - 1, steps)
        made += [(step, steps, warmup_steps, decay_steps) for step in edges]
    return [*made, (1, 10, 0, 4), (10, 10, 0, 4)]


def from_zero(step, steps, warmup_steps, decay_steps):
    if step <= warmup_steps:
        return (step - 1) / warmup_steps
    return rate_share(step, steps, warmup_steps, decay_steps)


def to_zero(step, steps, warmup_steps, decay_steps):
    if step <= warmup_steps:
        return step / warmup_steps
    return min(1.0, (steps - step) / decay_steps)


def without_warmup(step, steps, warmup_steps, decay_steps):
    return min(1.0, (steps - step + 1) / decay_steps)


def without_decay(step, steps, warmup_steps, decay_steps):
    return min(1.0, step / warmup_steps) if warmup_steps else 1.0


def never_stable(step, steps, warmup_steps, decay_steps):
    if step <= warmup_steps:
        return step / warmup_steps
    return (steps - step + 1) / (steps - warmup_steps)


def one_part_more(step, steps, warmup_steps, decay_steps):
    if step <= warmup_steps:
        return step / warmup_steps
    return min(1.0, (steps - step + 1) / (decay_steps + 1))


# --- parts of a batch


def loss_in_parts(parts):
    total, count = 0.0, 0
    for surprises, mask in parts:
        for nats, counts in zip(surprises, mask, strict=True):
            if counts:
                total += nats
                count += 1
    return total / count


def parts_cases(rng):
    made = []
    for sizes in ((4, 4), (5, 2, 3), (3, 6)):
        parts = []
        for n in sizes:
            mask = [rng.randrange(2) for _ in range(n)]
            mask[0] = 1
            parts.append(([rng.uniform(0.1, 5) for _ in range(n)], mask))
        parts[0] = (parts[0][0], [1] * sizes[0])  # uneven for certain
        parts[-1] = (parts[-1][0], [1] + [0] * (sizes[-1] - 1))
        made.append((parts,))
    none_counts = ([rng.uniform(0.1, 5) for _ in range(3)], [0, 0, 0])
    return [*made, ([none_counts, ([1.0, rng.uniform(2, 3)], [1, 1])],)]


def mean_of_means(parts):
    means = []
    for surprises, mask in parts:
        kept = [nats for nats, counts in zip(surprises, mask, strict=True) if counts]
        if kept:
            means.append(sum(kept) / len(kept))
    return sum(means) / len(means)


def means_by_length(parts):
    means = [sum(n * c for n, c in zip(*part, strict=True)) / max(1, sum(part[1])) for part in parts]
    lengths = [len(mask) for _, mask in parts]
    return sum(mean * length for mean, length in zip(means, lengths, strict=True)) / sum(lengths)


def by_all_tokens(parts):
    total = sum(nats * counts for part in parts for nats, counts in zip(*part, strict=True))
    return total / sum(len(mask) for _, mask in parts)


def without_mask(parts):
    found = [nats for surprises, _ in parts for nats in surprises]
    return sum(found) / len(found)


def added_up(parts):
    return sum(nats * counts for part in parts for nats, counts in zip(*part, strict=True))


# --- one step of AdamW


def adamw_step(weight, gradient, mean, square, step, rate):
    mean = 0.9 * mean + 0.1 * gradient
    square = 0.95 * square + 0.05 * gradient**2
    mean_corrected = mean / (1 - 0.9**step)
    square_corrected = square / (1 - 0.95**step)
    weight = weight - rate * 0.1 * weight
    weight = weight - rate * mean_corrected / (math.sqrt(square_corrected) + 1e-8)
    return weight, mean, square


def adamw_cases(rng):
    first = [(rng.uniform(1, 2), rng.uniform(0.5, 3), 0.0, 0.0, 1, 0.1) for _ in range(2)]
    later = [
        (rng.uniform(1, 2), rng.uniform(-3, 3), rng.uniform(-1, 1), rng.uniform(0.5, 2), rng.randint(2, 9), 0.05)
        for _ in range(3)
    ]
    return [*first, *later]


def uncorrected(weight, gradient, mean, square, step, rate):
    mean, square = 0.9 * mean + 0.1 * gradient, 0.95 * square + 0.05 * gradient**2
    return weight - rate * 0.1 * weight - rate * mean / (math.sqrt(square) + 1e-8), mean, square


def decay_in_the_gradient(weight, gradient, mean, square, step, rate):
    after, mean, square = adamw_step(weight, gradient + 0.1 * weight, mean, square, step, rate)
    return after + rate * 0.1 * weight, mean, square


def without_decay_of_weights(weight, gradient, mean, square, step, rate):
    after, mean, square = adamw_step(weight, gradient, mean, square, step, rate)
    return after + rate * 0.1 * weight, mean, square


def uphill(weight, gradient, mean, square, step, rate):
    after, mean, square = adamw_step(weight, gradient, mean, square, step, rate)
    return 2 * (weight - rate * 0.1 * weight) - after, mean, square


def returned_corrected(weight, gradient, mean, square, step, rate):
    after, mean, square = adamw_step(weight, gradient, mean, square, step, rate)
    return after, mean / (1 - 0.9**step), square / (1 - 0.95**step)


def decay_without_rate(weight, gradient, mean, square, step, rate):
    after, mean, square = adamw_step(weight, gradient, mean, square, step, rate)
    return after + rate * 0.1 * weight - 0.1 * weight, mean, square


def without_root(weight, gradient, mean, square, step, rate):
    mean, square = 0.9 * mean + 0.1 * gradient, 0.95 * square + 0.05 * gradient**2
    moved = (mean / (1 - 0.9**step)) / (square / (1 - 0.95**step) + 1e-8)
    return weight - rate * 0.1 * weight - rate * moved, mean, square


def plain_descent(weight, gradient, mean, square, step, rate):
    mean, square = 0.9 * mean + 0.1 * gradient, 0.95 * square + 0.05 * gradient**2
    return weight - rate * 0.1 * weight - rate * gradient, mean, square


# --- resume


def resume(folder, tokens):
    model_config, train_config = checkpoint.read_configs(folder)
    model = Transformer(model_config)
    checkpoint.load_weights(folder, model)
    optimizers = make_optimizers(model, train_config)
    checkpoint.load_training(folder, optimizers)
    after = checkpoint.read_state(folder).record
    records = train(model, tokens, train_config, optimizers=optimizers, after=after)
    return [record.train_loss_nats for record in records]


TINY = ModelConfig(n_layers=1, d_model=8, n_heads=1, vocab_size=8, context_length=4)


@functools.cache
def kept_folder():
    return tempfile.TemporaryDirectory(prefix="minillm-resume-")  # goes when Python ends


@functools.cache
def saved_run(seed):
    """Train a tiny model for a few steps and save it; return the checkpoint's folder and the tokens."""
    rng = np.random.default_rng(seed)
    ids = np.cumsum(rng.integers(1, 3, 60)).astype(np.uint16) % 8
    tokens = Tokens({"made": ids}, {}, {}, {"made": 1.0}, "made", {})
    config = TrainConfig(
        steps=6, batch_size=2, optimizer="adamw", learning_rate=0.05, schedule="constant", warmup_steps=4, seed=seed
    )
    torch.manual_seed(seed)
    model = Transformer(TINY)
    optimizers = make_optimizers(model, config)
    for record in train(model, tokens, config, optimizers=optimizers):
        if record.step == 3:
            state = checkpoint.State(record, "made", "made")
            folder = Path(kept_folder().name) / str(seed)
            return checkpoint.save_checkpoint(folder, model, optimizers, config, state), tokens
    raise AssertionError("the run is longer than three steps")


def resume_cases(rng):
    return [saved_run(rng.randrange(4)), saved_run(4 + rng.randrange(4))]


def resumed(folder, tokens, *, weights=True, optimizer=True, step=True):
    model_config, train_config = checkpoint.read_configs(folder)
    torch.manual_seed(train_config.seed)
    model = Transformer(model_config)
    if weights:
        checkpoint.load_weights(folder, model)
    optimizers = make_optimizers(model, train_config)
    if optimizer:
        checkpoint.load_training(folder, optimizers)
    after = checkpoint.read_state(folder).record if step else None
    records = train(model, tokens, train_config, optimizers=optimizers, after=after)
    return [record.train_loss_nats for record in records]


def saved_too(folder, tokens):
    return [checkpoint.read_state(folder).record.train_loss_nats, *resume(folder, tokens)]


def last_only(folder, tokens):
    return resume(folder, tokens)[-1]


EXERCISES = (
    Exercise(
        key="05.steps",
        question=(
            "A step has `batch_size` sequences of `context_length` targets. After how many whole steps has a run "
            "been asked at least as many questions as the training text has characters? The numbers are in "
            "`n_characters`, `loop_lab.TRAINING.batch_size` and `loop_lab.MODEL.context_length`."
        ),
        difficulty=1,
        starter="steps_needed = ...\n",
        hints=(
            "How many targets does one step have?",
            "Divide the characters by the targets of one step; a part of a step is a step.",
            "math.ceil rounds up.",
        ),
        reference=steps_for,
        solution=(
            "import math\n\nsteps_needed = math.ceil(n_characters / (loop_lab.TRAINING.batch_size * "
            "loop_lab.MODEL.context_length))\n"
        ),
        wrong=(
            Wrong(
                "rounded down",
                lambda characters, batch_size, context_length: characters // (batch_size * context_length),
                "After so many steps a few characters are still missing: round up.",
            ),
            Wrong(
                "without the batch",
                lambda characters, batch_size, context_length: math.ceil(characters / context_length),
                "A step has many sequences, not one: divide by the batch size too.",
            ),
            Wrong(
                "without the context",
                lambda characters, batch_size, context_length: math.ceil(characters / batch_size),
                "Each sequence asks as many questions as it has targets: divide by the context length too.",
            ),
        ),
        cases=steps_cases,
        tolerance=1e-9,
    ),
    Exercise(
        key="05.batch",
        question=(
            "Write `make_batch(ids, places, context_length)`: for each place, a number from 0 to below 1, take the "
            "window that starts at int(place * (number of possible starts)), and return two lists of rows, inputs "
            "and targets, each row context_length ids long. A window and its last target must fit into `ids`."
        ),
        difficulty=2,
        starter="def make_batch(ids, places, context_length):\n    return ...\n",
        hints=(
            "A row of T inputs and its T targets come from one window of T + 1 ids.",
            "How many windows of T + 1 fit into N ids? With N = T + 1 it is exactly one.",
            "There are len(ids) - context_length possible starts.",
        ),
        reference=make_batch,
        wrong=(
            Wrong(
                "unshifted",
                unshifted,
                "The targets are the inputs themselves: the model would learn to copy. Move them on by one.",
            ),
            Wrong(
                "never the last",
                never_the_last,
                "Your last possible window is never drawn: the number of starts is one too small.",
            ),
            Wrong(
                "over the end",
                over_the_end,
                "Some of your rows run over the end of the ids and come out short: fewer starts are possible.",
            ),
            Wrong(
                "too short",
                too_short,
                "Your rows are one id too short: T targets need a window of T + 1 ids.",
            ),
        ),
        cases=batch_cases,
    ),
    Exercise(
        key="05.schedule",
        question=(
            "Write `rate_share(step, steps, warmup_steps, decay_steps)`: the learning rate as a share of its peak. "
            "It rises in a straight line to 1 at the last step of the warm-up and stays. The decay, its last "
            "decay_steps steps, is a straight line from 1 at the first of them to 1 / decay_steps at the last. Steps "
            "count from 1; a warm-up may have 0 steps. Warm-up and decay do not overlap."
        ),
        difficulty=2,
        starter="def rate_share(step, steps, warmup_steps, decay_steps):\n    return ...\n",
        hints=(
            "Three parts: which steps belong to each?",
            "In the warm-up the share is step / warmup_steps, so the first step already counts.",
            "At the last step the share is 1 / decay_steps: count the steps left, the present one included.",
        ),
        reference=rate_share,
        wrong=(
            Wrong(
                "from zero", from_zero, "Your first step has the rate 0 and is wasted: step 1 gets 1 / warmup_steps."
            ),
            Wrong(
                "to zero",
                to_zero,
                "Your last step has the rate 0 and is wasted: count the present step among those left.",
            ),
            Wrong(
                "one part more",
                one_part_more,
                "Your decay begins one step early: its first step still has 1, its last one 1 / decay_steps.",
            ),
            Wrong("without warm-up", without_warmup, "The warm-up is missing: the first steps have the full rate."),
            Wrong("without decay", without_decay, "The rate never falls: the last decay_steps steps bring it down."),
            Wrong(
                "never stable",
                never_stable,
                "Your rate falls right after the warm-up. It stays at 1 until decay_steps steps are left.",
            ),
        ),
        cases=schedule_cases,
    ),
    Exercise(
        key="05.clip",
        question=(
            "Write `clip(gradients, largest)`: `gradients` is a list of lists, one for each part of a model. Return "
            "the gradients, shortened together so that the norm of all numbers is at most `largest`, and the norm "
            "that they had before. The norm is the square root of the sum of squares."
        ),
        difficulty=3,
        starter="def clip(gradients, largest):\n    return ...\n",
        hints=(
            "One norm for all parts together, so that the direction stays.",
            "If the norm is at most `largest`, nothing changes; a gradient of zeros too.",
            "Otherwise multiply every number of every part by largest / norm.",
        ),
        reference=clip,
        wrong=(
            Wrong(
                "each part", each_part, "You shortened each part by itself, which turns the direction: use one norm."
            ),
            Wrong(
                "each number",
                each_number,
                "You cut single numbers, which turns the direction: scale all of them alike.",
            ),
            Wrong("always", always_scaled, "Short gradients became longer. Only those above the limit are scaled."),
            Wrong(
                "norm afterwards",
                norm_afterwards,
                "You return the norm after clipping. The one before is the signal that something was odd.",
            ),
            Wrong("without root", without_root_of_sum, "The sum of squares is not yet the norm: take its root."),
            Wrong("without norm", without_norm, "Return two things: the gradients, and the norm they had before."),
            Wrong(
                "run together", run_together, "Your parts have run together: return them as a list of lists, as given."
            ),
            Wrong("sum of sizes", sum_of_sizes, "You added up sizes: a norm is the root of the sum of squares."),
        ),
        cases=clip_cases,
    ),
    Exercise(
        key="05.parts",
        question=(
            "A batch too large for memory comes in parts, each a pair of lists: the surprise of every target in "
            "nats, and a mask, 1 if the target counts and 0 if not. Write `loss_in_parts(parts)`: the loss of the "
            "whole batch, as if it had come in one piece."
        ),
        difficulty=3,
        starter="def loss_in_parts(parts):\n    return ...\n",
        hints=(
            "The loss is the mean over the targets that count, wherever they are.",
            "Parts may have different numbers of such targets, or none.",
            "Add up the surprises that count, count them, and divide once, at the end.",
        ),
        reference=loss_in_parts,
        wrong=(
            Wrong(
                "mean of means",
                mean_of_means,
                "You averaged the parts' means: a part with few targets then weighs as much as one with many.",
            ),
            Wrong(
                "means by length",
                means_by_length,
                "You weighed the parts by their lengths: weigh them by the targets that count.",
            ),
            Wrong("by all", by_all_tokens, "You divided by all targets, also by those that do not count."),
            Wrong("without mask", without_mask, "Masked targets take part in your loss: leave them out."),
            Wrong("added up", added_up, "That is the sum: divide by the number of targets that count."),
        ),
        cases=parts_cases,
    ),
    Exercise(
        key="05.resume",
        question=(
            "A run was killed; `folder` holds its newest checkpoint and `tokens` its text. Write `resume(folder, "
            "tokens)`: go on to the run's last step and return the losses of the steps that were still to come, as "
            "if nothing had happened. You have `checkpoint`, `Transformer`, `make_optimizers` and `train`."
        ),
        difficulty=4,
        starter="def resume(folder, tokens):\n    return ...\n",
        hints=(
            "checkpoint.read_configs(folder) returns how model and run were set up: model_config, train_config.",
            "Three things must come back: weights (load_weights), the optimizers' memory (load_training), the step.",
            "checkpoint.read_state(folder).record is the last record; train takes it as `after`, with `optimizers`.",
        ),
        reference=resume,
        wrong=(
            Wrong(
                "weights only",
                lambda folder, tokens: resumed(folder, tokens, optimizer=False),
                "The first loss is right and the next ones are not: the optimizer has forgotten its averages.",
            ),
            Wrong(
                "from step 1",
                lambda folder, tokens: resumed(folder, tokens, step=False),
                "It begins at step 1 again: old batches, the warm-up once more. Tell `train` where it was.",
            ),
            Wrong(
                "weights from the start",
                lambda folder, tokens: resumed(folder, tokens, optimizer=False, step=False),
                "Only the weights came back. The step and the optimizers' memory belong to a run as well.",
            ),
            Wrong(
                "saved step too",
                saved_too,
                "Your first loss is that of the saved step, which is done: begin with the step after it.",
            ),
            Wrong("last only", last_only, "That is the last loss alone: return those of all remaining steps."),
            Wrong(
                "no weights",
                lambda folder, tokens: resumed(folder, tokens, weights=False),
                "This model knows nothing: its weights were not loaded.",
            ),
        ),
        cases=resume_cases,
    ),
    Exercise(
        key="05.adamw",
        question=(
            "Write `adamw_step(weight, gradient, mean, square, step, rate)` for a single weight: return weight, "
            "mean and square after step number `step`. The mean remembers 0.9 of itself and takes 0.1 of the "
            "gradient; the square 0.95 and 0.05 of the gradient squared. Both are divided by 1 minus the remembered "
            "share to the power of step before use (and returned without that division). The weight first loses "
            "rate times 0.1 of itself; then rate times mean over (root of square + 1e-8) is taken off it."
        ),
        difficulty=4,
        starter="def adamw_step(weight, gradient, mean, square, step, rate):\n    return ...\n",
        hints=(
            "Update mean and square first; then make corrected copies of them.",
            "mean / (1 - 0.9**step) and square / (1 - 0.95**step); at step 1 these are the gradient and its square.",
            "So at step 1 the weight moves by the rate, whatever the gradient's size.",
        ),
        reference=adamw_step,
        wrong=(
            Wrong(
                "uncorrected",
                uncorrected,
                "Mean and square start at 0 and are too small at first: divide to correct them.",
            ),
            Wrong(
                "decay in the gradient",
                decay_in_the_gradient,
                "You added the decay to the gradient. In AdamW it acts on the weight alone (the W stands for that).",
            ),
            Wrong("uphill", uphill, "Your weight goes uphill: take the step off, do not add it."),
            Wrong(
                "returned corrected",
                returned_corrected,
                "You return the divided mean and square: the next step needs them without that division.",
            ),
            Wrong("decay without rate", decay_without_rate, "The weight loses rate times 0.1 of itself, not 0.1."),
            Wrong("without decay", without_decay_of_weights, "The weight's own decay is missing."),
            Wrong("without root", without_root, "You divided by the square itself: its root has the gradient's size."),
            Wrong("plain descent", plain_descent, "The weight moved by the gradient: mean and square should decide."),
        ),
        cases=adamw_cases,
    ),
)

QUIZ = (
    QuizItem(
        key="05.copying",
        question="A loop compares the predictions with the batch that went in. What does the model learn?",
        options={
            "a": "The next token, only more slowly",
            "b": "The token before each token",
            "c": "To give back the token it has just been given",
            "d": "Nothing: the loss stays at ln V",
        },
        right="c",
        explanations={
            "a": "It is never asked for the next token, so it never learns it.",
            "b": "That would take targets moved back by one.",
            "c": "The answer is among the inputs: copying brings the loss to 0 and is worth nothing.",
            "d": "The loss falls faster than in any sound run, which is what makes this mistake tempting.",
        },
        notebook="05",
        section="1. The lesson's five lines",
    ),
    QuizItem(
        key="05.first_learned",
        question="While a small model learns, which table do its predictions come near to first?",
        options={
            "a": "That of single characters",
            "b": "That of pairs",
            "c": "That of triples",
            "d": "All three at the same step",
        },
        right="a",
        explanations={
            "a": "How often each character comes is the simplest thing to learn, and it is learned first.",
            "b": "Pairs come second: they need the character before.",
            "c": "Triples come last of the three: they need two characters before.",
            "d": "Each curve had its own lowest step, and between them lay a factor of two or more.",
        },
        notebook="05",
        section="5. What is learned first",
    ),
    QuizItem(
        key="05.forgotten",
        question="A run is resumed with its weights and its step, but with a new optimizer. What do you see?",
        options={
            "a": "The loss starts again at ln V",
            "b": "An error message",
            "c": "The same curve to the last digit",
            "d": "The first loss as before, then another curve",
        },
        right="d",
        explanations={
            "a": "The knowledge is in the weights, and they are there.",
            "b": "Nothing is missing that a program would notice.",
            "c": "That takes the optimizer's averages as well.",
            "d": "The first loss needs the weights alone; the update after it needs the optimizer's memory.",
        },
        notebook="05",
        section="4. Stop and go on",
    ),
    QuizItem(
        key="05.baseline",
        question="Your model's held-out loss fell from 3.5 to 1.6 nats. What tells whether that is good?",
        options={
            "a": "The fall itself: more than half of the loss is gone",
            "b": "A count table scored on the same held-out text",
            "c": "The training loss",
            "d": "How fast it fell",
        },
        right="b",
        explanations={
            "a": "Most of that fall is the frequency of single characters and pairs, which a small table knows too.",
            "b": "A simple method on the same text says what a loss of 1.6 is worth.",
            "c": "It is measured on text that the model has read.",
            "d": "Speed says nothing about where the curve ought to end.",
        },
        notebook="05",
        section="The honest baseline",
    ),
)
