"""The picture of the README, drawn from the recording of notebook 00: python -m minillm.classroom.picture."""

import math

from minillm.classroom import figures, runs
from minillm.classroom.markup import printable
from minillm.paths import data_dir

PROMPT = 2
"""Which of the recorded prompts is shown."""
WIDTH = 112
"""Characters shown of each sample."""


def draw_lesson(records: list[dict], vocab_size: int):
    """Return a figure of the loss and, under it, of what one prompt was continued with at each recorded moment."""
    from matplotlib.figure import Figure

    steps = [record for record in records if "train_loss_nats" in record]
    moments = [record for record in records if "samples" in record]
    figure = Figure(figsize=(9, 5.6), dpi=130, layout="constrained")
    axes, words = figure.subplots(2, 1, height_ratios=(3, 2))
    x = [record["step"] for record in steps]
    loss = [record["train_loss_nats"] for record in steps]
    axes.plot(x, loss, color=figures.PALETTE[0], linewidth=1)
    axes.axhline(math.log(vocab_size), color="#555555", linestyle="--", linewidth=1)
    axes.text(x[-1], math.log(vocab_size), "every token equally likely: ln V", ha="right", va="bottom", color="#555555")
    for moment in moments:
        axes.axvline(max(1, moment["step"]), color=figures.PALETTE[1], linestyle=":", linewidth=1)
    axes.set(xscale="log", xlabel="step", ylabel="loss, nats a token")
    axes.set_xticks([max(1, m["step"]) for m in moments], [str(max(1, m["step"])) for m in moments])
    axes.minorticks_off()
    axes.set_title("A model reads, and its loss falls", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    words.axis("off")
    for row, moment in enumerate(moments):
        sample = moment["samples"][PROMPT]
        y = 1 - (row + 0.5) / len(moments)
        words.text(0.0, y, f"step {moment['step']}", color=figures.PALETTE[1], va="center", ha="left", fontsize=9)
        words.text(0.09, y, one_line(sample["prompt"] + sample["text"]), va="center", family="monospace", fontsize=8)
    return figure


def one_line(text: str) -> str:
    """Return the beginning of a text on one line, what cannot be shown left out."""
    line = " ".join(printable(text).split())
    return line if len(line) <= WIDTH else line[: WIDTH - 4] + " ..."


def describe(records: list[dict]) -> str:
    """Return alternative text for the picture, from its data."""
    losses = [record["train_loss_nats"] for record in records if "train_loss_nats" in record]
    moments = [str(record["step"]) for record in records if "samples" in record]
    return (
        f"The training loss falls from {losses[0]:.1f} to {losses[-1]:.1f} nats a token in {len(losses)} steps, while "
        f"the same prompt, completed after {', '.join(moments[:-1])} and {moments[-1]} steps, goes from noise to words "
        "and half-sentences."
    )


def main() -> None:
    """Draw the picture into data/figures and print its alternative text."""
    from minillm.classroom.first_reading.first_run import MODEL

    path = data_dir() / "figures" / "lesson.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    records = runs.load("00_first_run").records
    draw_lesson(records, MODEL.vocab_size).savefig(path, metadata={"Software": None})
    print(f"Drawn: {path.relative_to(data_dir().parent)}", describe(records), sep="\n")


if __name__ == "__main__":
    main()
