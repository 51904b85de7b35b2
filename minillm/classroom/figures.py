"""One style for every figure, and with each figure a description and a table computed from the data it shows.

Colours are those of Okabe and Ito (2008), which differ for every kind of colour vision; lines carry markers and
direct labels, so that colour is never the only sign.
"""

import base64
import io
import itertools
import math
import time
from collections.abc import Callable, Mapping, Sequence

from minillm.classroom.markup import Columns, escaped, number, printable, show, table_html, table_text

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LEARNER = PALETTE[1]
"""The colour of what the learner predicted."""


def new(width: float = 7.0, height: float = 3.6, columns: int = 1):
    """Return a figure and its axes (a list of axes if there are several columns) in the course's style."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    axes = figure.subplots(1, columns, squeeze=False)[0]
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.25)
    return figure, axes[0] if columns == 1 else list(axes)


def label_end(ax, x: float, y: float, text: str, color: str) -> None:
    """Write a line's name beside its last point."""
    ax.annotate(printable(text), (x, y), xytext=(6, 0), textcoords="offset points", color=color, va="center")


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Return heights moved up until neighbours differ by the gap at least, so that labels there do not overlap."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    moved = list(heights)
    for lower, upper in itertools.pairwise(order):
        moved[upper] = max(moved[upper], moved[lower] + gap)
    return moved


def lines(
    ax,
    x: Sequence[float],
    series: Mapping[str, Sequence[float]],
    *,
    x_name: str,
    y_name: str,
    marks: int = 12,
) -> None:
    """Draw one labelled line a series over the same x, with about `marks` markers on each."""
    for i, y in enumerate(series.values()):
        color = PALETTE[i % len(PALETTE)]
        marker = MARKERS[i % len(MARKERS)]
        ax.plot(x, y, color=color, marker=marker, markersize=4, markevery=max(1, len(x) // marks))
    bottom, top = ax.get_ylim()
    heights = spread([y[-1] for y in series.values()], 0.06 * (top - bottom))
    for i, (name, height) in enumerate(zip(series, heights, strict=True)):
        label_end(ax, x[-1], height, name, PALETTE[i % len(PALETTE)])
    ax.set_xlabel(x_name)
    ax.set_ylabel(y_name)
    ax.margins(x=0.02)


def bars(ax, names: Sequence[str], series: Mapping[str, Sequence[float]], *, y_name: str) -> None:
    """Draw a group of bars a name, one bar a series, each with its value on top."""
    hatches = ("", "//", "..", "xx", "\\\\", "++", "oo")
    width = 0.8 / len(series)
    for i, (label, values) in enumerate(series.items()):
        places = [place + (i - (len(series) - 1) / 2) * width for place in range(len(names))]
        drawn = ax.bar(
            places,
            values,
            width * 0.95,
            color=PALETTE[i % len(PALETTE)],
            hatch=hatches[i % len(hatches)],
            edgecolor="white",
            label=printable(label),
        )
        ax.bar_label(drawn, [number(float(f"{v:.3g}")) for v in values], fontsize=8)
    ax.set_xticks(range(len(names)), [printable(name) for name in names])
    ax.set_ylabel(y_name)
    if len(series) > 1:
        ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))  # beside the bars, never on them


def describe_lines(
    what: str, x: Sequence[float], series: Mapping[str, Sequence[float]], *, x_name: str, y_name: str
) -> str:
    """Return alternative text for a chart of lines: for each, where it starts, ends, and is lowest and highest."""
    parts = [f"Line chart: {what}. {y_name} against {x_name}, from {number(x[0])} to {number(x[-1])}."]
    for name, y in series.items():
        course = [f"{name} starts at {number(y[0])} and ends at {number(y[-1])}"]
        low, high = min(range(len(y)), key=y.__getitem__), max(range(len(y)), key=y.__getitem__)
        if low not in (0, len(y) - 1):
            course.append(f"its lowest is {number(y[low])} at {number(x[low])}")
        if high not in (0, len(y) - 1):
            course.append(f"its highest is {number(y[high])} at {number(x[high])}")
        parts.append(", ".join(course) + ".")
    return printable(" ".join(parts))


def describe_bars(what: str, names: Sequence[str], series: Mapping[str, Sequence[float]], *, y_name: str) -> str:
    """Return alternative text for a chart of bars: every value up to 12, else the highest and the lowest."""
    parts = [f"Bar chart: {what}. {y_name}."]
    for label, values in series.items():
        pairs = list(zip(names, values, strict=True))
        if len(pairs) > 12:
            pairs = [max(pairs, key=lambda p: p[1]), min(pairs, key=lambda p: p[1])]
            label = f"{label} (highest and lowest)"
        parts.append(f"{label}: " + ", ".join(f"{name} {number(value)}" for name, value in pairs) + ".")
    return printable(" ".join(parts))


def thin(x: Sequence[float], series: Mapping[str, Sequence[float]], *, x_name: str, rows: int = 12) -> Columns:
    """Return a table of at most `rows` points of a chart of lines, first and last among them."""
    count = min(rows, len(x))
    places = sorted({round(i * (len(x) - 1) / max(1, count - 1)) for i in range(count)})
    return {x_name: [x[p] for p in places]} | {name: [y[p] for p in places] for name, y in series.items()}


def show_figure(figure, alt: str, table: Columns) -> None:
    """Display a figure with its alternative text, and under it that text and the numbers as a table to unfold.

    The picture is a PNG whose metadata and plain text carry `alt`. JupyterLab gives pictures no alternative text of
    their own, so the description stands in the page as well. Raises ValueError for an empty description or table.
    """
    from IPython.display import display

    if not alt.strip() or not table:
        raise ValueError("A figure needs a description and a table of its numbers.")
    display({"image/png": png(figure), "text/plain": alt}, metadata={"image/png": {"alt": alt}}, raw=True)
    html = (
        f"<details><summary>Description and numbers of this figure</summary><p>{escaped(alt)}</p>"
        f"{table_html(table, 'Numbers of the figure')}</details>"
    )
    show(table_text(table), html)


def show_lines(
    what: str,
    x: Sequence[float],
    series: Mapping[str, Sequence[float]],
    *,
    x_name: str,
    y_name: str,
    log_x: bool = False,
    predictions: Sequence = (),
    levels: Mapping[str, float] | None = None,
) -> None:
    """Show a chart of labelled lines with description and table; predictions and named levels are drawn in."""
    figure, ax = new()
    lines(ax, x, series, x_name=x_name, y_name=y_name)
    if log_x:
        ax.set_xscale("log")
    for name, level in (levels or {}).items():
        ax.axhline(level, color="#555555", linestyle="--", linewidth=1)
        first, last = (min(abs(y[i] - level) for y in series.values()) for i in (0, -1))
        place, side = (0.99, "right") if last > first else (0.01, "left")  # where the lines are farther away
        transform = ax.get_yaxis_transform()
        ax.text(place, level, printable(name), transform=transform, ha=side, va="bottom", color="#555555")
    for prediction in predictions:
        prediction.draw(ax, LEARNER)
    ax.set_title(printable(what), loc="left")
    alt = describe_lines(what, x, series, x_name=x_name, y_name=y_name)
    alt += "".join(f" A level marks {name} at {number(level)}." for name, level in (levels or {}).items())
    show_figure(figure, alt, thin(x, series, x_name=x_name))


def show_bars(
    what: str,
    names: Sequence[str],
    series: Mapping[str, Sequence[float]],
    *,
    y_name: str,
    predictions: Sequence = (),
) -> None:
    """Show a chart of bars with description and table; predictions are drawn in."""
    figure, ax = new()
    bars(ax, names, series, y_name=y_name)
    for prediction in predictions:
        prediction.draw(ax, LEARNER)
    ax.set_title(printable(what), loc="left")
    alt = describe_bars(what, names, series, y_name=y_name)
    show_figure(figure, alt, {"": list(names)} | {label: list(values) for label, values in series.items()})


def png(figure) -> str:
    """Return a figure as base64 PNG without a date or version in it."""
    packed = io.BytesIO()
    figure.savefig(packed, format="png", metadata={"Software": None})
    return base64.b64encode(packed.getvalue()).decode("ascii")


class Live:
    """One figure that is drawn anew while a run goes on, at most every `every_s` seconds, and once at the end.

    `draw(axes, records)` fills the axes. The stored page keeps the last picture only.
    """

    def __init__(self, draw: Callable, every_s: float = 1.0):
        self.draw, self.every_s = draw, every_s
        self.handle, self.last = None, -math.inf

    def update(self, records: Sequence[dict], done: bool = False) -> None:
        """Draw the records so far if it is time, or in any case at the end."""
        from IPython.display import display

        if not records or (not done and time.monotonic() - self.last < self.every_s):
            return
        figure, ax = new()
        self.draw(ax, records)
        picture = {"image/png": png(figure), "text/plain": f"{len(records)} records so far"}
        if self.handle is None:
            self.handle = display(picture, raw=True, display_id=True)
        else:
            self.handle.update(picture, raw=True)
        self.last = time.monotonic()
