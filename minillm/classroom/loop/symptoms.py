"""What each fault of the clinic is, how it shows, where to look, and how it is cured."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from minillm.classroom.loop import faults
from minillm.classroom.loop.diagnosis import LN_V, SETTLED, Signals


def percent(share: float) -> str:
    """Return a share in percent, to two digits."""
    return f"{float(f'{100 * share:.2g}'):g}%"


LOOKS: dict[str, Callable[[Signals], str]] = {
    "first loss": lambda s: f"the first loss is {s.first_loss:.2f}, and even odds over 256 bytes give {LN_V:.2f}",
    "early loss": lambda s: f"the training loss at step {SETTLED} is {s.settled_loss:.2f}",
    "both ends": lambda s: f"the training loss ends at {s.train_end:.2f}, the held-out loss at {s.held_out_end:.2f}",
    "jump": lambda s: (
        f"the training loss rises by {max(0, s.jump):.2f} at most from one step to the next, "
        f"once the steep start is over"
    ),
    "gradient": lambda s: f"the gradient's norm is never below {s.least_norm:.2g} after step {SETTLED}",
    "first update": lambda s: f"the first update moves the attention by {percent(s.first_update)} of its weights",
    "updates": lambda s: (
        "half-way a step moves "
        + ", ".join(f"the {part} by {percent(ratio)}" for part, ratio in s.middle_update.items())
    ),
    "sample": lambda s: f"the sample begins with {s.sample[:24]!r}",
}
"""What can be read off the signals, as a sentence for one run."""

CHECKS: dict[str, tuple[str, str, Callable[[Mapping[str, float]], str]]] = {
    "missing mask": (
        "future",
        "Change the last byte of a text: no earlier prediction may move.",
        lambda c: f"changing the last byte moves earlier logits by {c['future']:.2g}",
    ),
    "dropout left on": (
        "twice",
        "Evaluate the same weights twice: the results must be equal.",
        lambda c: f"two evaluations of the same weights differ by {c['twice']:.2g} nats",
    ),
    "leak": (
        "overlap",
        "Look for pieces of the held-out text, 64 bytes each, in the training text: chance gives few.",
        lambda c: f"{percent(c['overlap'])} of the held-out text's pieces stand in the training text",
    ),
    "missing positions": (
        "positions",
        "Give the model one letter, repeated: predictions must differ from place to place.",
        lambda c: f"in a row of one letter the logits differ between places by {c['positions']:.2g}",
    ),
}
"""For each fault that needs a check: the check's name, what is done, and what it found, as a sentence."""


@dataclass(frozen=True)
class Fault:
    """One thing that can be wrong: the symptom is what its run shows, look_at names entries of `LOOKS`."""

    name: str
    symptom: str
    look_at: tuple[str, ...]
    cure: str

    @property
    def what(self) -> str:
        """What was done to the run, in a sentence."""
        return inspect.cleandoc(faults.RUNS[self.name].__doc__)

    @property
    def code(self) -> str:
        """The lines that make the fault."""
        return inspect.getsource(faults.RUNS[self.name])


FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault(
            "healthy",
            "The loss starts at even odds, training and held-out loss fall together to about 1.2 without a leap, and "
            "every part goes on moving.",
            ("first loss", "both ends", "jump", "updates"),
            "None is needed.",
        ),
        Fault(
            "unshifted targets",
            "The loss is nearly zero within 20 steps, on held-out text too, and the sample repeats one letter: the "
            "model has learned to copy its input.",
            ("early loss", "sample"),
            "Move the targets on by one: inputs are all bytes but the last, targets all but the first.",
        ),
        Fault(
            "shuffled targets",
            "The loss stops at about 2.9, what the frequencies of letters alone give, though the updates have an "
            "ordinary size; the sample has the right letters and no words.",
            ("both ends", "first update", "updates"),
            "Cut inputs and targets from one window, and print one pair before training.",
        ),
        Fault(
            "rate too high",
            "The first updates are about as large as the weights; the loss leaps above its start and then stays high.",
            ("first update", "early loss"),
            "Lower the rate until a step changes the weights by a few percent at most; warm up.",
        ),
        Fault(
            "rate too low",
            "Every part moves, but by about a tenth of a percent a step, and the loss creeps down in a straight line.",
            ("updates", "both ends"),
            "Raise the rate in factors of 3 until the loss falls steeply at the start.",
        ),
        Fault(
            "schedule ends early",
            "A normal start; then all updates are exactly zero at the same step and both losses lie flat.",
            ("updates", "both ends"),
            "Make the schedule for the number of steps that the run really has.",
        ),
        Fault(
            "gradients kept",
            "The loss falls more slowly than in a healthy run, and the gradient's norm never sinks below 1, since what "
            "clipping left of the old gradients is still in it.",
            ("gradient", "both ends"),
            "Call zero_grad() before each backward().",
        ),
        Fault(
            "bad batch",
            "One step has a loss above even odds and a gradient dozens of times the usual; then the run mends itself, "
            "but has lost time.",
            ("jump",),
            "Clip the gradient, look at the batch of that step, and filter what is like it.",
        ),
        Fault(
            "overfitting",
            "The training loss goes far down while the held-out loss stays behind and at last rises.",
            ("both ends",),
            "Get more text, read it fewer times, or stop earlier.",
        ),
        Fault(
            "leak",
            "Training and held-out loss fall together, well below what a healthy run of this length reaches.",
            ("both ends",),
            "Split by whole documents before anything else, and remove copies of held-out text from the training text.",
        ),
        Fault(
            "wrong tokenizer",
            "Training looks healthy, but the held-out loss rises above even odds, and the sample is gibberish of "
            "letters that come again and again.",
            ("both ends", "sample"),
            "Keep the tokenizer with the model, and compare their fingerprints before using them.",
        ),
        Fault(
            "frozen embedding",
            "The update of the embedding is exactly zero from the first step on; the loss falls a little more slowly.",
            ("updates",),
            "Give every parameter to an optimizer, and check that each moves in the first step.",
        ),
        Fault(
            "frozen head",
            "The update of the head is exactly zero from the first step on, and the loss hardly falls: the other parts "
            "must work through random logits.",
            ("updates",),
            "Give every parameter to an optimizer, and check that each moves in the first step.",
        ),
        Fault(
            "missing mask",
            "A normal start; in mid-run both losses collapse to nearly zero, as the model finds the answer one place "
            "on, and the sample is worthless.",
            ("early loss", "both ends", "sample"),
            "Use is_causal=True, and test that a changed byte moves no earlier logit.",
        ),
        Fault(
            "missing positions",
            "Everything looks in order, but both losses end somewhat above a healthy run's, at about 1.6.",
            ("both ends",),
            "Add positions, and test that a row of one letter gets different predictions.",
        ),
        Fault(
            "dropout left on",
            "Everything looks in order, but both losses end well above a healthy run's, at about 2; the sample is "
            "better than that, as it is drawn without dropout.",
            ("both ends", "sample"),
            "Call model.eval() before evaluating, and model.train() afterwards.",
        ),
        Fault(
            "wrong axis",
            "The first loss is 3.47, even odds over 32 positions, and not 5.55; the sample stays noise while the loss "
            "falls.",
            ("first loss", "sample"),
            "Take the softmax over the last axis, the vocabulary, and compare the first loss with ln V.",
        ),
        Fault(
            "loss divided twice",
            "Losses and gradients are 32 times too small from the start, while the sample is as good as a healthy one.",
            ("first loss",),
            "Take the mean once, and compare the first loss with ln V.",
        ),
        Fault(
            "large first weights",
            "The first loss is many times even odds, with a huge gradient; the first steps only undo that.",
            ("first loss",),
            "Start with small weights (0.02 here), and compare the first loss with ln V.",
        ),
    )
}
"""All faults by name, and 'healthy', which is none."""
