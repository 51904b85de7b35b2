"""What notebook 07 claims about text of another kind and a second reading, and how it is measured: a number a seed."""

from minillm.classroom.evidence import Claim
from minillm.classroom.scaling.kinds_of_text import compare
from minillm.classroom.scaling.repeat_runs import repeats, worth_in_new
from minillm.classroom.scaling.zipf_source import make_source


def other_above(seed: int) -> float:
    """Return by how many percent as much text again about other contexts raises the excess."""
    found = {r["added"]: r["loss_nats"] for r in compare(make_source(seed), seed=seed)}
    return 100 * (found["other contexts"] / found["nothing"] - 1)


def two_worth(seed: int) -> float:
    """Return what two epochs of the same text are worth, in epochs of new text."""
    return worth_in_new(list(repeats(make_source(seed), seed=seed, epochs=(1, 2, 4))))[1]


CLAIMS = (
    Claim(
        "07_other_text",
        "As much text again about other contexts raises the excess by at least 2 percent.",
        other_above,
        2.0,
        50.0,
        "percent",
        (0, 1, 2, 3, 4),
    ),
    Claim(
        "07_two",
        "Two epochs of the same text are worth more than 1.05 epochs of new text, and less than 2.4.",
        two_worth,
        1.05,
        2.4,
        "epochs of new text",
        (0, 1, 2, 3, 4),
    ),
)
