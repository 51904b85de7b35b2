"""The figures of notebook 07: valleys, a forecast and what came of it, misses counted, and what others trained."""

from collections.abc import Sequence

from minillm.classroom import figures
from minillm.classroom.evidence import Band
from minillm.classroom.scaling.sealed import Sealed
from minillm.facts import Run
from minillm.scaling import Valley

NAMED = {
    "GPT-3 175B": "left",
    "Gopher 280B": "left",
    "Chinchilla 70B": "left",
    "LLaMA-1 7B": "left",
    "Llama-3.1 405B": "right",
    "Llama-3.1 8B": "left",
    "SmolLM2 135M": "right",
}
"""Runs that are named in the picture, and on which side of their dot; all are in its table."""

PLATE = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5}
"""Behind a name, so that dots do not run into it."""


def power_of_ten(value: float) -> str:
    """Return a large number as Python code writes it, such as 2.5e8."""
    digits, _, power = f"{value:.2g}".partition("e+")
    return f"{digits}e{int(power)}" if power else digits


def token_ratios(runs: Sequence[Run]) -> list[tuple[int, str, float]]:
    """Return year, name and tokens for each active parameter of every run that states both, oldest first."""
    found = []
    for run in runs:
        count = run.parameters_active or run.parameters_total
        if run.year and count and run.training_tokens:
            found.append((run.year, run.name, run.training_tokens / count))
    return sorted(found)


def show_published(runs: Sequence[Run]) -> None:
    """Show how many tokens published models read for each of their parameters, by year."""
    found = token_ratios(runs)
    figure, ax = figures.new(8, 4)
    years, names, ratios = zip(*found, strict=True)
    ax.scatter(years, ratios, color=figures.PALETTE[0], s=22, zorder=3)  # over the plates of the names
    for year, name, ratio in found:
        if name in NAMED:
            side = NAMED[name]
            place = {"xytext": (6 if side == "right" else -6, -4), "ha": "left" if side == "right" else "right"}
            ax.annotate(name, (year, ratio), textcoords="offset points", fontsize=11, bbox=PLATE, **place)
    ax.set_yscale("log")
    ax.set(xlabel="year", ylabel="tokens for each parameter", xlim=(min(years) - 0.5, max(years) + 0.9))
    ax.set_xticks(range(min(years), max(years) + 1))
    low, high = min(found, key=lambda f: f[2]), max(found, key=lambda f: f[2])
    alt = (
        f"Scatter: tokens read for each parameter, {len(found)} published runs, {min(years)} to {max(years)}, on a "
        f"logarithmic axis. The fewest: {low[1]} ({low[0]}) with {low[2]:.1f}. The most: {high[1]} ({high[0]}) with "
        f"{high[2]:,.0f}. " + "; ".join(f"{n} ({y}): {r:,.1f}" for y, n, r in found if n in NAMED) + "."
    )
    rounded = [round(r, 1) if r < 100 else round(r) for r in ratios]
    figures.show_figure(figure, alt, {"year": list(map(str, years)), "run": list(names), "tokens a parameter": rounded})


def show_valleys(
    what: str, records: Sequence[dict], bottoms: Sequence[Valley] = (), predictions: Sequence = ()
) -> None:
    """Show the excess against the parameters, a line for each budget, and the bottoms of the parabolas."""
    figure, ax = figures.new(8, 4)
    for prediction in predictions:
        prediction.draw(ax, figures.LEARNER)
    table: dict[str, list] = {"budget": [], "parameters": [], "tokens": [], "excess, nats": []}
    parts = [f"Line chart: {what}. Excess over the floor in nats against parameters, both axes logarithmic."]
    for i, budget in enumerate(sorted({r["budget"] for r in records})):
        runs = [r for r in records if r["budget"] == budget]
        color, marker = figures.PALETTE[i % 7], figures.MARKERS[i % 7]
        sizes, excess = [r["parameters"] for r in runs], [round(r["loss_best_nats"], 3) for r in runs]
        ax.plot(sizes, excess, color=color, marker=marker, markersize=5)
        ax.annotate(
            f"{power_of_ten(budget)} FLOPs",
            (sizes[-1], excess[-1]),
            xytext=(6, 0),
            textcoords="offset points",
            color=color,
        )
        table["budget"] += [power_of_ten(budget)] * len(runs)
        table["parameters"] += sizes
        table["tokens"] += [r["tokens"] for r in runs]
        table["excess, nats"] += excess
        parts.append(
            f"{power_of_ten(budget)} FLOPs: "
            + ", ".join(f"{n:,}: {e}" for n, e in zip(sizes, excess, strict=True))
            + "."
        )
    for bottom in bottoms:
        ax.plot(bottom.parameters, bottom.loss_nats, marker="*", markersize=13, color="black", markerfacecolor="white")
    if bottoms:
        places = ", ".join(f"{float(f'{b.parameters:.2g}'):,.0f}" for b in bottoms)
        parts.append(f"Stars mark the bottoms, from the cheapest budget on at about {places} parameters.")
    ax.set_xscale("log")
    ax.set_yscale("log")
    _plain_ticks(ax, table["parameters"], table["excess, nats"])
    ax.set(xlabel="parameters", ylabel="excess over the floor, nats")
    ax.margins(x=0.15)
    ax.set_title(what, loc="left")
    figures.show_figure(figure, " ".join(parts), table)


def _plain_ticks(ax, sizes: Sequence[int], excess: Sequence[float]) -> None:
    """Write plain numbers at logarithmic axes: the sizes below, about five excesses at the left."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    low, high = min(excess), max(excess)
    levels = sorted({round(low * (high / low) ** (i / 4), 2) for i in range(5)})
    ax.xaxis.set_major_locator(FixedLocator(sorted(set(sizes))))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.yaxis.set_major_locator(FixedLocator(levels))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())


def show_forecast(bottoms: Sequence[Valley], sealed: Sealed, outcome: float) -> None:
    """Show the bottoms known before, the forecast with its interval, the learner's number, and what came out."""
    said = sealed.forecast
    figure, ax = figures.new(8, 4)
    flops, excess = [b.flops for b in bottoms], [round(b.loss_nats, 4) for b in bottoms]
    ax.plot(flops, excess, "o-", color=figures.PALETTE[0])
    ax.annotate("valleys known before", (flops[1], excess[1]), xytext=(8, 6), textcoords="offset points")
    reach = [[said.excess_nats - said.low], [said.high - said.excess_nats]]
    ax.errorbar([said.flops * 0.93], [said.excess_nats], reach, fmt="s", color=figures.PALETTE[2], capsize=5)
    ax.annotate(
        "forecast, 80%",
        (said.flops * 0.93, said.excess_nats),
        xytext=(-8, -3),
        textcoords="offset points",
        ha="right",
        color=figures.PALETTE[2],
    )
    ax.plot([said.flops * 1.07], [outcome], "*", markersize=14, color="black", markerfacecolor="white")
    ax.annotate("came out", (said.flops * 1.07, outcome), xytext=(9, -3), textcoords="offset points")
    ax.axhline(sealed.best_so_far, color=figures.QUIET, linestyle="--", linewidth=1)
    ax.annotate("no change", (flops[0], sealed.best_so_far), xytext=(0, 3), textcoords="offset points")
    if sealed.yours is not None:
        ax.plot([said.flops], [sealed.yours], "X", color=figures.LEARNER)
        ax.annotate("you", (said.flops, sealed.yours), xytext=(9, 4), textcoords="offset points", color=figures.LEARNER)
    ax.set_xscale("log")
    ax.set(xlabel="budget, FLOPs", ylabel="excess over the floor, nats")
    ax.margins(x=0.18)
    rows = {power_of_ten(f): e for f, e in zip(flops, excess, strict=True)}
    you = "" if sealed.yours is None else f" You said {sealed.yours:.4f}."
    alt = (
        "Chart: least excess against budget. " + ", ".join(f"{f} FLOPs: {e}" for f, e in rows.items()) + ". "
        f"For {power_of_ten(said.flops)} FLOPs the forecast was {said.excess_nats:.4f}, from {said.low:.4f} to "
        f"{said.high:.4f}.{you} It came out as {outcome:.4f}; no change would have been {sealed.best_so_far:.4f}."
    )
    what = [*(["valley"] * len(rows)), "forecast", "low", "high", "no change", "came out"]
    budgets = [*rows, *[power_of_ten(said.flops)] * 5]
    values = [said.excess_nats, said.low, said.high, sealed.best_so_far, outcome]
    numbers = [*rows.values(), *(round(v, 4) for v in values)]
    figures.show_figure(figure, alt, {"what": what, "budget": budgets, "excess, nats": numbers})


def show_misses(band: Band) -> None:
    """Show the misses of recorded forecasts in halves of their intervals, sorted: inside the lines is covered."""
    values = sorted(round(v, 2) for v in band.values)
    covered = sum(abs(v) <= 1 for v in values)
    figure, ax = figures.new(8, 3.4)
    for i, value in enumerate(values):
        inside = abs(value) <= 1
        color, marker = (figures.PALETTE[0], "o") if inside else (figures.PALETTE[1], "X")
        ax.plot([i + 1], [value], marker, color=color, markersize=6 if inside else 9)
    for level, name in ((1, "upper end of the interval"), (-1, "lower end")):
        ax.axhline(level, color=figures.QUIET, linestyle="--", linewidth=1)
        ax.annotate(name, (1, level), xytext=(0, 3), textcoords="offset points", color=figures.QUIET)
    ax.axhline(0, color=figures.QUIET, linewidth=0.7)
    ax.set(xlabel="sources, sorted", ylabel="outcome, in halves\nof the interval")
    ax.set_ylim(min(-1.5, values[0] - 0.3), max(1.5, values[-1] + 0.3))
    above = sum(v > 1 for v in values)
    alt = (
        f"Dot chart: {len(values)} forecasts on new sources, where the outcome lay in the 80% interval. {covered} lie "
        f"inside, {above} above, {len(values) - covered - above} below. From {values[0]} to {values[-1]}."
    )
    inside = ["yes" if abs(v) <= 1 else "no" for v in values]
    figures.show_figure(figure, alt, {"outcome in halves": values, "covered": inside})
