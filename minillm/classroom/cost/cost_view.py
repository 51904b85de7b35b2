"""The figures of notebook 08: published runs, operations, memory, storage, shares of the peak, hours and bills.

Every figure's numbers stand in its table, and in the last column the source of each row with its quality.
"""

import statistics
from collections.abc import Sequence

from minillm import facts
from minillm.classroom import figures
from minillm.cost import audit, flops, memory, shapes
from minillm.cost.estimate import Estimate
from minillm.cost.numbers import Interval, short
from minillm.facts import Run

KINDS = {"cluster": "cluster", "node": "one or two tuned machines", "hobby": "one machine, plain script"}
KIND_MARKS = {"cluster": ("o", 0), "node": ("s", 1), "hobby": ("^", 2)}
DAYS = {1 / 1440: "1 minute", 1 / 24: "1 hour", 1: "1 day", 7: "1 week", 30: "1 month", 90: "3 months"}
NAMED = {
    "Llama-3.1 405B": "Llama 3.1 405B",
    "PaLM 540B": "PaLM",
    "GPT-3 175B": "GPT-3",
    "BLOOM 176B": "BLOOM",
    "TinyLlama 1.1B": "TinyLlama",
    "GPT-2-small on one RTX 3090": "GPT-2 small, RTX 3090",
    "nanoGPT speedrun on one RTX 4090": "RTX 4090 speedrun",
}
"""Runs that a crowded figure names, and how."""
RISES = {
    "Llama-3.1 405B": 11,
    "MPT-7B": -8,
    "SmolLM2 1.7B": 8,
}
"""By how many points a name stands above its dot, where it would cover another."""
LEFT = ("Llama-3.1 405B", "GPT-3 175B")
"""Runs whose name stands to the left of their dot, where there is room."""


def source_of(row) -> str:
    """Return where a row's figures come from, and how far that can be trusted."""
    return f"{row.source} [{row.quality}]"


def about(value: float | Interval) -> str:
    """Return a number or an interval in three digits, such as 522,000 or 1.03M."""
    if isinstance(value, Interval):
        return f"{about(value.low)} to {about(value.high)}"
    return short(float(f"{value:.3g}"))


def name_dot(ax, text: str, x: float, y: float, left: bool = False, rise: int = 0) -> None:
    """Write a name beside a dot."""
    ax.annotate(
        text,
        (x, y),
        xytext=(-6 if left else 6, rise),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center",
        fontsize=8.5,
    )


def dots_by_kind(ax, points: Sequence[tuple[str, float, float]]) -> None:
    """Draw (kind of job, x, y) with a colour and a marker for each kind."""
    for kind, label in KINDS.items():
        marker, color = KIND_MARKS[kind]
        x, y = [p[1] for p in points if p[0] == kind], [p[2] for p in points if p[0] == kind]
        ax.scatter(x, y, marker=marker, color=figures.PALETTE[color], label=label, alpha=0.85)


def sized_runs() -> list[tuple[Run, float]]:
    """Return the published runs whose devices and hours are known, with the days they took, longest first."""
    known = [run for run in facts.runs() if run.accelerator_count and run.accelerator_hours and run.job]
    known = [run for run in known if "planned" not in run.name]
    days = [(run, run.accelerator_hours / run.accelerator_count / 24) for run in known]
    return sorted(days, key=lambda pair: -pair[1] * pair[0].accelerator_count)


def show_devices_and_days() -> None:
    """Show how many accelerators published runs took, and for how many days."""
    found = sized_runs()
    figure, ax = figures.new(8, 4.8)
    dots_by_kind(ax, [(run.job, run.accelerator_count, days) for run, days in found])
    for run, days in found:
        if run.name in NAMED:
            name_dot(ax, NAMED[run.name], run.accelerator_count, days, run.name in LEFT, RISES.get(run.name, 0))
    ax.set_xscale("log")
    ax.set_yscale("log")
    counts = [1, 8, 64, 512, 4096, 16384]
    ax.set_xticks(counts, [f"{n:,}" for n in counts])
    ax.set_yticks(list(DAYS), list(DAYS.values()))
    ax.minorticks_off()
    ax.set(xlabel="accelerators at once", ylabel="time", ylim=(4e-4, 250))
    ax.set_title("What published runs took", loc="left")
    ax.legend(frameon=False, loc="lower right")
    least, most = found[-1], found[0]
    alt = (
        f"Scatter chart: accelerators at once against time, both logarithmic, {len(found)} published runs by kind of "
        f"job. The largest, {most[0].name}, took {most[0].accelerator_count:,.0f} for {most[1]:.0f} days; the smallest,"
        f" {least[0].name}, {least[0].accelerator_count:,.0f} for {60 * 24 * least[1]:.1f} minutes."
    )
    table = {
        "run": [run.name for run, _ in found],
        "year": [str(run.year) for run, _ in found],
        "accelerators": [run.accelerator_count for run, _ in found],
        "days": [float(f"{days:.3g}") for _, days in found],
        "source": [source_of(run) for run, _ in found],
    }
    figures.show_figure(figure, alt, table)


def priced_runs() -> list[Run]:
    """Return the published runs with a cost in dollars, cheapest first."""
    known = [run for run in facts.runs() if run.reported_cost_usd and "planned" not in run.name]
    return sorted(known, key=lambda run: run.reported_cost_usd)


def show_dollars() -> None:
    """Show the dollars that were published for whole runs, by year."""
    found = priced_runs()
    figure, ax = figures.new(8, 4.2)
    ax.scatter([run.year for run in found], [run.reported_cost_usd for run in found], color=figures.PALETTE[0])
    for run in found:
        text = f"{run.name.split(' (')[0]}, ${short(run.reported_cost_usd)}"
        name_dot(ax, text, run.year, run.reported_cost_usd, run.year > 2024, RISES.get(run.name, 0))
    ax.set_yscale("log")
    years = sorted({run.year for run in found})
    ax.set_xticks(range(years[0], years[-1] + 1))
    ax.set(xlabel="year", ylabel="dollars", ylim=(8, 3e7), xlim=(years[0] - 0.4, years[-1] + 0.4))
    ax.set_title("Dollars that were stated for one run", loc="left")
    listed = "; ".join(f"{run.name} {run.year}: {short(run.reported_cost_usd)}" for run in found)
    alt = f"Scatter chart, dollars on a logarithmic scale against years. {listed}."
    table = {
        "run": [run.name for run in found],
        "year": [str(run.year) for run in found],
        "dollars": [run.reported_cost_usd for run in found],
        "source": [source_of(run) for run in found],
    }
    figures.show_figure(figure, alt, table)


def six_n_off(shape: facts.Shape) -> float:
    """Return how far 6 N is off the exact count of operations for a token: -0.05 is 5% too few."""
    return 6 * shapes.count_shape(shape).active / flops.flops_of(shape).model - 1


def show_six_n() -> None:
    """Show how far 6 N is off the exact count, for every published shape."""
    found = sorted(
        ((six_n_off(shape), shape, shapes.count_shape(shape)) for shape in facts.shapes()), key=lambda f: f[0]
    )
    figure, ax = figures.new(8, 3.8)
    x, y = [count.active for _, _, count in found], [100 * off for off, _, _ in found]
    ax.scatter(x, y, color=figures.PALETTE[0])
    ax.axhline(0, color=figures.QUIET, linestyle="--")
    for name, left in {
        "SmolLM2 135M": False,
        "GPT-2 124M untied": False,
        "Llama-3.2 3B": True,
        "DeepSeek-V2": False,
        "GPT-3 175B": False,
        "Llama-3.1 405B": False,
        "Gopher 280B": False,
    }.items():
        off, _, count = next(item for item in found if item[1].name == name)
        name_dot(ax, name, count.active, 100 * off, left)
    ax.set_xscale("log")
    ax.set(xlabel="parameters active in a token", ylabel="6 N against exact, percent", xlim=(8e7, 3e12))
    ax.set_title(f"6 N on {len(found)} published shapes: below the line it counts too little", loc="left")
    alt = (
        f"Scatter chart: how far 6 N is off the exact count of operations, against parameters, {len(found)} shapes. "
        f"{sum(off < 0 for off, _, _ in found)} lie below zero. Lowest {found[0][1].name} at {100 * found[0][0]:.1f}%, "
        f"highest {found[-1][1].name} at {100 * found[-1][0]:.1f}%."
    )
    table = {
        "model": [shape.name for _, shape, _ in found],
        "parameters": [short(count.total) for _, _, count in found],
        "6 N off, %": [f"{100 * off:+.1f}" for off, _, _ in found],
        "source": [source_of(shape) for _, shape, _ in found],
    }
    figures.show_figure(figure, alt, table)


PARTS = ("weights", "gradients", "optimizer", "activations")
WAYS = {
    "nothing\nshared": {"recompute": "none"},
    "scores\nrecomputed": {},
    "ZeRO 1\non 64": {"zero": 1, "devices": 64},
    "ZeRO 2\non 64": {"zero": 2, "devices": 64},
    "ZeRO 3\non 64": {"zero": 3, "devices": 64},
    "ZeRO 3, cut\nin 8, on 64": {"zero": 3, "devices": 64, "tensor_parallel": 8},
}
"""Ways to train one model, from everything on one device to everything shared."""


def show_memory(name: str, accelerator: facts.Accelerator) -> None:
    """Show what one device keeps of a model, by part, and how sharing brings it down."""
    shape = shapes.named_shape(name)
    kept = [memory.training_memory(shape, 1, **({"recompute": "selective"} | way)) for way in WAYS.values()]
    gigabytes = {part: [getattr(m, part) / 1e9 for m in kept] for part in PARTS}
    figure, ax = figures.new(8, 4.2)
    bottoms = [0.0] * len(kept)
    for i, (part, values) in enumerate(gigabytes.items()):
        hatch = ("", "//", "..", "xx")[i]
        color = figures.PALETTE[i]
        ax.bar(range(len(kept)), values, 0.7, bottoms, color=color, hatch=hatch, edgecolor="white", label=part)
        bottoms = [b + v for b, v in zip(bottoms, values, strict=True)]
    for x, total in enumerate(bottoms):
        ax.text(x, total + 2, f"{total:.0f}", ha="center")
    ax.axhline(accelerator.memory_gb, color=figures.QUIET, linestyle="--")
    figures.label_end(ax, accelerator.memory_gb, f"{accelerator.id}: {accelerator.memory_gb:g} GB", figures.QUIET)
    ax.set_xticks(range(len(kept)), list(WAYS))
    ax.set_ylabel("GB on one device")
    ax.set_title(f"Training {name}, one sequence of {shape.context_length:,} tokens", loc="left")
    ax.legend(frameon=False)
    ways = [way.replace("\n", " ") for way in WAYS]
    totals = ", ".join(f"{way} {total:.0f}" for way, total in zip(ways, bottoms, strict=True))
    alt = f"Stacked bar chart: GB on one device in training {name}, by part. Totals: {totals}."
    alt += f" A level marks the {accelerator.memory_gb:g} GB of an {accelerator.name}."
    table = {"way": ways} | {part: [f"{v:.1f}" for v in values] for part, values in gigabytes.items()}
    table |= {"total": [f"{total:.1f}" for total in bottoms]}
    table |= {"source": [f"formulas: ZeRO 2020, Korthikanti 2022; shape: {source_of(shape)}"] * len(ways)}
    figures.show_figure(figure, alt, table)


def show_storage(names: Sequence[str]) -> None:
    """Show what runs leave on disk: the model, ten checkpoints, and the text they read."""
    found = [(name, facts.find(facts.runs(), name)) for name in names]
    kept = [memory.storage(run.parameters_total, run.training_tokens) for _, run in found]
    figure, ax = figures.new(8, 3.6)
    for place, disk in enumerate(kept):
        first = place == 0
        ax.scatter(disk.weights / 1e12, place, marker="o", s=60, color=figures.PALETTE[0], label="weights" * first)
        ax.scatter(
            disk.checkpoints / 1e12, place, marker="s", s=60, color=figures.PALETTE[1], label="10 checkpoints" * first
        )
        ends = [disk.text.low / 1e12, disk.text.high / 1e12]
        ax.plot(ends, [place, place], color=figures.PALETTE[2], lw=7, alpha=0.8, label="the text it read" * first)
    ax.set_xscale("log")
    ticks = [0.01, 0.1, 1, 10, 100]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.set_yticks(range(len(names)), list(names))
    ax.invert_yaxis()
    ax.margins(y=0.15)
    ax.set_xlabel("terabytes on disk")
    ax.set_title("What stays on disk", loc="left")
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    table = {
        "run": list(names),
        "weights, TB": [short(d.weights / 1e12) for d in kept],
        "10 checkpoints, TB": [short(d.checkpoints / 1e12) for d in kept],
        "text, TB": [f"{short(d.text.low / 1e12)} to {short(d.text.high / 1e12)}" for d in kept],
        "tokens a parameter": [short(run.training_tokens / run.parameters_total) for _, run in found],
        "source": [source_of(run) for _, run in found],
    }
    rows = zip(names, table["weights, TB"], table["10 checkpoints, TB"], table["text, TB"], strict=True)
    listed = "; ".join(f"{name}: weights {a}, ten checkpoints {b}, text {c}" for name, a, b, c in rows)
    figures.show_figure(figure, f"Chart of terabytes on disk, logarithmic. {listed}.", table)


def audited() -> list[audit.AuditRow]:
    """Return the audited runs whose hours can be expected, by kind of job, the lowest share first."""
    rows = [row for row in audit.audit() if row.hours_inside is not None]
    return sorted(rows, key=lambda row: (list(KINDS).index(row.job), row.utilisation))


def held_out() -> list[audit.AuditRow]:
    """Return the runs to which nothing is fitted, each with the hours expected of it."""
    return [audit.audit_run(run) for run in facts.held_out_runs()]


def typical_share(kind: str) -> float:
    """Return the share of the peak in percent that the middle run of a kind of job reached."""
    return 100 * statistics.median(row.utilisation for row in audited() if row.job == kind)


SHARES_NAMED = ("Llama-3.1 405B", "PaLM 540B", "GPT-3 175B", "SmolLM2 135M", "Llama-3.1 8B", "LLaMA-1 13B")


def show_shares(predictions: Sequence = ()) -> None:
    """Show the share of the peak that each published run reached, as dots by kind of job."""
    rows = audited()
    figure, ax = figures.new(8.5, 4.6)
    ax.set(ylim=(0, 100), xlim=(-0.5, 2.7))
    for prediction in predictions:
        prediction.draw(ax, figures.LEARNER)
    points = []
    for place, kind in enumerate(KINDS):
        same = [row for row in rows if row.job == kind]
        for i, row in enumerate(same):
            x = place - 0.3 + 0.45 * (i * 7 % len(same)) / max(1, len(same) - 1)  # apart, so that none hides another
            points.append((kind, x, 100 * row.utilisation))
            if row.reported_mfu:
                ax.scatter(x, 100 * row.reported_mfu, facecolors="none", edgecolors=figures.QUIET, s=45)
                ax.plot([x, x], [100 * row.utilisation, 100 * row.reported_mfu], color=figures.QUIET, lw=0.8)
            if row.name in SHARES_NAMED:
                ax.annotate(
                    row.name,
                    (x, 100 * row.utilisation),
                    xytext=(place + 0.22, 100 * row.utilisation),
                    va="center",
                    fontsize=8.5,
                    arrowprops={"arrowstyle": "-", "lw": 0.5, "color": figures.QUIET},
                )
    dots_by_kind(ax, points)
    ax.scatter([], [], facecolors="none", edgecolors=figures.QUIET, label="as reported, steady state")
    ax.set_xticks(range(3), ["cluster", "one or two\ntuned machines", "one machine,\nplain script"])
    ax.set_ylabel("percent of the peak, whole job")
    ax.set_title(f"What {len(rows)} published runs made of their machines", loc="left")
    ax.legend(frameon=False, loc="upper right", fontsize=9)
    middles = ", ".join(f"{label}: middle {typical_share(kind):.0f}%" for kind, label in KINDS.items())
    low, high = min(rows, key=lambda r: r.utilisation), max(rows, key=lambda r: r.utilisation)
    alt = (
        f"Dots: share of the peak by kind of job, {len(rows)} published runs. {middles}. Lowest {low.name} at "
        f"{low.utilisation:.0%}, highest {high.name} at {high.utilisation:.0%}. Open dots: shares as reported."
    )
    figures.show_figure(figure, alt, shares_table(rows))


def shares_table(rows: Sequence[audit.AuditRow]) -> dict[str, list]:
    """Return audited runs as columns."""
    return {
        "run": [row.name for row in rows],
        "kind": [row.job for row in rows],
        "on": [row.accelerator for row in rows],
        "share, %": [f"{100 * row.utilisation:.1f}" for row in rows],
        "expected, %": [
            f"{100 * row.expected_utilisation.low:.0f} to {100 * row.expected_utilisation.high:.0f}" for row in rows
        ],
        "reported, %": [f"{100 * row.reported_mfu:.0f}" if row.reported_mfu else "-" for row in rows],
        "what the sources say": [row.explanation or "-" for row in rows],
        "source": [source_of(row) for row in rows],
    }


def show_hours(rows: Sequence[audit.AuditRow], which: str, names: bool = True) -> None:
    """Show the hours that the fit expects of each run it has not seen, against the published hours.

    which: what runs they are, in words. names: whether those outside are named in the figure, or in its table only.
    """
    rows = sorted(rows, key=lambda row: row.published_hours)
    figure, ax = figures.new(8.5, 4.4)
    for x, row in enumerate(rows):
        ends = [row.hours.low / row.published_hours, row.hours.high / row.published_hours]
        color = figures.PALETTE[0] if row.hours_inside else figures.PALETTE[1]
        ax.plot([x, x], ends, color=color, lw=4 if row.hours_inside else 2.5, ls="-" if row.hours_inside else ":")
        if names and not row.hours_inside:
            above = ends[0] > 1
            ax.annotate(
                row.name,
                (x, ends[1] if above else ends[0]),
                xytext=(0, 6 if above else -6),
                textcoords="offset points",
                ha="left" if row.name == "BloombergGPT 50B" else "center",
                va="bottom" if above else "top",
                fontsize=8.5,
            )
    ax.axhline(1, color="black", lw=1)
    ax.set_yscale("log")
    ticks = [0.125, 0.25, 0.5, 1, 2, 4]
    ax.set_yticks(ticks, [f"{t:g}" for t in ticks])
    ax.minorticks_off()
    ax.set(ylim=(0.08, 6), xlabel=f"{which}, from the fewest hours to the most", ylabel="expected / published hours")
    ax.set_xticks([])
    inside = sum(row.hours_inside for row in rows)
    ax.set_title(f"A bar that crosses the line holds the published hours: {inside} of {len(rows)}", loc="left")
    outside = ", ".join(row.name for row in rows if not row.hours_inside)
    alt = (
        f"Interval chart: expected hours divided by published hours, {len(rows)} {which}. "
        f"{inside} intervals hold 1; those that do not, dotted: {outside}."
    )
    table = {
        "run": [row.name for row in rows],
        "published hours": [about(row.published_hours) for row in rows],
        "expected hours": [about(row.hours) for row in rows],
        "inside": ["yes" if row.hours_inside else "no" for row in rows],
        "source": [source_of(row) for row in rows],
    }
    figures.show_figure(figure, alt, table)


def show_bills(estimates: Sequence[Estimate]) -> None:
    """Show dollars, energy and carbon of runs as intervals, with a dot where a figure was published."""
    figure, axes = figures.new(10, 3.8, columns=3)
    panels = {
        "dollars": ("cost_usd", "reported_cost_usd"),
        "MWh": ("energy_mwh", "energy_mwh"),
        "tonnes of CO2e": ("co2e_tonnes", "co2e_tonnes"),
    }
    for ax, (unit, (computed, published)) in zip(axes, panels.items(), strict=True):
        for place, estimate in enumerate(estimates):
            interval, dot = getattr(estimate.bill, computed), getattr(estimate.published, published)
            ax.plot([interval.low, interval.high], [place, place], color=figures.PALETTE[0], lw=6, alpha=0.8)
            if dot:
                ax.scatter(dot, place, marker="D", color=figures.PALETTE[1], zorder=3)
        ax.set_xscale("log")
        ax.invert_yaxis()
        ax.set_xlabel(unit)
        shown = [e.name.replace(" reproduction", "") for e in estimates] if ax is axes[0] else []
        ax.set_yticks(range(len(estimates)), shown or [""] * len(estimates))
    axes[0].set_title("Bars: computed intervals. Diamonds: published.", loc="left")
    table = {"run": [e.name for e in estimates]}
    for unit, (computed, published) in panels.items():
        table[unit] = [about(getattr(e.bill, computed)) for e in estimates]
        dots = [getattr(e.published, published) for e in estimates]
        table[f"published {unit}"] = ["-" if dot is None else short(dot) for dot in dots]
    table["$ an hour"] = [f"{e.bill.price_usd_per_hour}: {e.bill.price.note}" for e in estimates]
    table["source"] = [f"{source_of(e.published)}; price: {source_of(e.accelerator)}" for e in estimates]
    rows = zip(table["run"], table["dollars"], table["MWh"], table["tonnes of CO2e"], strict=True)
    listed = "; ".join(f"{name}: {a} dollars, {b} MWh, {c} tonnes" for name, a, b, c in rows)
    figures.show_figure(figure, f"Three charts of intervals, logarithmic. {listed}.", table)
