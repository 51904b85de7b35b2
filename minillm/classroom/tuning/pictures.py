"""The pictures of notebook 11: which targets count, how many replies are as wanted, what the old text costs."""

from collections.abc import Mapping, Sequence

from minillm.classroom import figures
from minillm.tokenizer import Tokenizer


def pieces_of(tokenizer: Tokenizer, ids: Sequence[int]) -> list[str]:
    """Return each token as a short text in which a space and a new line can be seen."""
    shown = {" ": "\N{OPEN BOX}", "\n": "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}"}
    pieces = ["end" if i == tokenizer.end_of_text else tokenizer.decode([i]) for i in ids]
    return ["".join(shown.get(letter, letter) for letter in piece) for piece in pieces]


def show_mask(pieces: Sequence[str], counts: Sequence[int]) -> None:
    """Show targets as boxes in two rows: bold and coloured where they count, grey where they do not."""
    figure, ax = figures.new(9, 2.0)
    ax.axis("off")
    half = (len(pieces) + 1) // 2
    ax.set(xlim=(-0.7, half - 0.3), ylim=(-0.5, 1.6))
    for place, (piece, counted) in enumerate(zip(pieces, counts, strict=True)):
        colors = ("#fde3cf", figures.PALETTE[1]) if counted else ("#eeeeee", figures.QUIET)
        box = {"facecolor": colors[0], "edgecolor": colors[1]}
        weight = "bold" if counted else "normal"
        ax.text(place % half, 1 - place // half, piece, ha="center", weight=weight, bbox=box)
    grey, bold = (" ".join(p for p, c in zip(pieces, counts, strict=True) if c == wanted) for wanted in (0, 1))
    alt = f"The targets of one pair. Grey, not counted: {grey}. Bold, counted: {bold}."
    figures.show_figure(figure, alt, {"target": list(pieces), "counts": list(counts)})


def show_counts(what: str, names: Sequence[str], series: Mapping[str, Sequence[int]], most: int) -> None:
    """Show bars of counts on a scale from 0 to the most there can be, also where all of them are 0."""
    figure, ax = figures.new(9, 3.2)
    figures.bars(ax, names, series, y_name=f"of {most}")
    ax.set_ylim(0, 1.12 * most)
    ax.set_yticks(range(0, most + 1, max(1, most // 5)))
    ax.set_title(what, loc="left")
    alt = figures.describe_bars(what, names, series, y_name=f"of {most}")
    figures.show_figure(figure, alt, {"": list(names)} | {name: list(values) for name, values in series.items()})


def show_prices(what: str, runs: Mapping[str, Mapping[int, float]], level_name: str) -> None:
    """Show bits a byte by step for runs of unequal length that begin at one level, step 0."""
    figure, ax = figures.new()
    last = max(step for prices in runs.values() for step in prices)
    for i, (name, prices) in enumerate(runs.items()):
        color = figures.PALETTE[i]
        ax.plot(list(prices), list(prices.values()), color=color, marker=figures.MARKERS[i])
        end = max(prices)
        ax.annotate(name, (end, prices[end]), xytext=(6, 0), textcoords="offset points", va="center", color=color)
    level = next(iter(runs.values()))[0]
    ax.axhline(level, color=figures.QUIET, linestyle="--", linewidth=1)
    ax.annotate(
        level_name, (1.3 * last, level), xytext=(0, 3), textcoords="offset points", ha="right", color=figures.QUIET
    )
    ax.set(xlabel="step", ylabel="bits a byte", xlim=(-0.03 * last, 1.3 * last))
    ax.set_title(what, loc="left")
    names = {"x_name": "step", "y_name": "bits a byte"}
    rounded = {name: {step: round(bits, 2) for step, bits in prices.items()} for name, prices in runs.items()}
    told = [figures.describe_lines(name, [*p], {name: [*p.values()]}, **names) for name, p in rounded.items()]
    alt = f"{what}. {' '.join(told)} A dashed level marks {level_name} at {level:.2f}."
    steps = sorted({step for prices in runs.values() for step in prices})
    table = {"step": steps} | {name: [prices.get(step, "") for step in steps] for name, prices in rounded.items()}
    figures.show_figure(figure, alt, table)
