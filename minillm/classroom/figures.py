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
QUIET = "#555555"
"""The colour of levels."""
LINE_HEIGHT, LETTER_WIDTH = 0.07, 0.014
"""About the size of a line of text and of a letter, as shares of the height and width of the axes."""


def new(width: float = 7.0, height: float = 3.6, columns: int = 1):
    """Return a figure and its axes (a list of axes if there are several columns) in the course's style."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    axes = figure.subplots(1, columns, squeeze=False)[0]
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.25)
    return figure, axes[0] if columns == 1 else list(axes)


def label_end(ax, y: float, text: str, color: str) -> None:
    """Write a line's name at this height beside the axes."""
    ax.annotate(
        printable(text),
        (1, y),
        xycoords=ax.get_yaxis_transform(),
        xytext=(4, 0),
        textcoords="offset points",
        color=color,
        va="center",
        annotation_clip=False,
    )


def spread(heights: Sequence[float], gap: float, top: float = math.inf) -> list[float]:
    """Return heights moved until neighbours differ by the gap at least: up, and down again from the top."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    moved = list(heights)
    for lower, upper in itertools.pairwise(order):
        moved[upper] = max(moved[upper], moved[lower] + gap)
    for upper in reversed(order):
        moved[upper] = min(moved[upper], top)
        top = moved[upper] - gap
    return moved


def lines(
    ax,
    x: Sequence[float],
    series: Mapping[str, Sequence[float]],
    *,
    x_name: str,
    y_name: str,
    marks: int = 12,
    log_x: bool = False,
    levels: Mapping[str, float] | None = None,
) -> None:
    """Draw one labelled line a series over the same x, with about `marks` markers on each, and dashed named levels.

    What else changes the range of the axes must be drawn before, or the labels no longer fit.
    """
    for i, (name, y) in enumerate(series.items()):
        color = PALETTE[i % len(PALETTE)]
        marker = MARKERS[i % len(MARKERS)]
        every = max(1, len(x) // marks)
        ax.plot(x, y, color=color, marker=marker, markersize=4, markevery=every, label=printable(name))
    for name, level in (levels or {}).items():
        ax.axhline(level, color=QUIET, linestyle="--", linewidth=1, label=printable(name))
    ax.set_xlabel(x_name)
    ax.set_ylabel(y_name)
    if log_x:
        ax.set_xscale("log")
    ax.margins(x=0.02)
    bottom, top = ax.get_ylim()
    room = 1.4 * LINE_HEIGHT * (top - bottom)
    bottom = min([bottom, *(level - room for level in (levels or {}).values())])  # for a name under the level
    ax.set_ylim(bottom, top)  # the labels are placed for this range
    heights = spread([y[-1] for y in series.values()], LINE_HEIGHT * (top - bottom), top)
    for i, (name, height) in enumerate(zip(series, heights, strict=True)):
        label_end(ax, height, name, PALETTE[i % len(PALETTE)])
    for name, level in (levels or {}).items():
        label_level(ax, x, [*series.values()], name, level, [v for v in levels.values() if v != level])


def label_level(
    ax, x: Sequence[float], lines: Sequence[Sequence[float]], name: str, level: float, others: Sequence[float]
) -> None:
    """Write a level's name at its left, middle or right, above or below: where lines and other levels are farthest."""
    bottom, top = ax.get_ylim()
    height = LINE_HEIGHT * (top - bottom)
    across = [place for place, _ in ax.transAxes.inverted().transform(ax.transData.transform([(v, level) for v in x]))]
    width = LETTER_WIDTH * len(name)
    starts = {"left": 0.01, "center": 0.5 - width / 2, "right": 0.99 - width}

    def room(align: str, low: float) -> float:
        start, end = starts[align], starts[align] + width
        met = [v for y in lines for v in _heights(across, y, start, end)]
        if not bottom <= low <= top - height:
            return -math.inf
        return min((max(low - v, v - low - height) for v in [*met, *others]), default=math.inf)

    places = [("left", level), ("right", level), ("center", level)]
    places += [(align, level - height) for align, _ in places]
    align, low = max(places, key=lambda place: room(*place))
    above = low == level
    ax.annotate(
        printable(name),
        ({"left": 0.01, "center": 0.5, "right": 0.99}[align], level),
        xycoords=ax.get_yaxis_transform(),
        xytext=(0, 1 if above else -2),
        textcoords="offset points",
        ha=align,
        va="bottom" if above else "top",
        color=QUIET,
    )


def _heights(across: Sequence[float], y: Sequence[float], start: float, end: float) -> list[float]:
    """Return the heights of a line between two places of the axes, its crossings of both included."""
    points = list(zip(across, y, strict=True))
    found = [height for place, height in points if start <= place <= end]
    for (left, before), (right, after) in itertools.pairwise(points):
        for edge in (start, end):
            if left < edge < right:
                found.append(before + (after - before) * (edge - left) / (right - left))
    return found


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
        # the digits of the table, or three where there is no room
        shown = values if len(names) * len(series) <= 12 else [float(f"{v:.3g}") for v in values]
        ax.bar_label(drawn, [number(v) for v in shown], fontsize=8)
    ax.set_xticks(range(len(names)), [printable(name) for name in names])
    ax.set_ylabel(y_name)
    if len(series) > 1:
        ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))  # beside the bars, never on them


def describe_lines(
    what: str,
    x: Sequence[float],
    series: Mapping[str, Sequence[float]],
    *,
    x_name: str,
    y_name: str,
    levels: Mapping[str, float] | None = None,
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
    parts += [f"A level marks {name} at {number(level)}." for name, level in (levels or {}).items()]
    return printable(" ".join(parts))


def describe_axes(ax) -> str:
    """Return alternative text for a chart that `lines` drew, from what it shows; empty if there are no lines."""
    drawn = [line for line in ax.lines if not line.get_label().startswith("_")]
    series = {line.get_label(): list(line.get_ydata()) for line in drawn if line.get_linestyle() == "-"}
    levels = {line.get_label(): line.get_ydata()[0] for line in drawn if line.get_linestyle() == "--"}
    if not series:
        return ""
    x = list(next(line for line in drawn if line.get_linestyle() == "-").get_xdata())
    what = ax.get_title(loc="left") or "the run so far"
    return describe_lines(what, x, series, x_name=ax.get_xlabel(), y_name=ax.get_ylabel(), levels=levels)


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
    for prediction in predictions:
        prediction.draw(ax, LEARNER)
    lines(ax, x, series, x_name=x_name, y_name=y_name, log_x=log_x, levels=levels)
    ax.set_title(printable(what), loc="left")
    alt = describe_lines(what, x, series, x_name=x_name, y_name=y_name, levels=levels)
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

    `draw(axes, records)` fills the axes, best with `lines`: then the picture carries alternative text computed from
    the lines it shows. The stored page keeps the last picture only.
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
        alt = describe_axes(ax) or f"A picture of {len(records)} records so far."
        picture, metadata = {"image/png": png(figure), "text/plain": alt}, {"image/png": {"alt": alt}}
        if self.handle is None:
            self.handle = display(picture, metadata=metadata, raw=True, display_id=True)
        else:
            self.handle.update(picture, metadata=metadata, raw=True)
        self.last = time.monotonic()
