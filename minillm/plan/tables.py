"""A plan as JSON and as text."""

import dataclasses

from minillm.cost.numbers import short
from minillm.plan.make import Plan
from minillm.scaling.budget import MEASURED_FLOPS, Rent, Split
from minillm.scaling.course import CANDIDATES, COVERAGE, Choice, CourseCurves, not_exceeded


def plan_dict(plan: Plan) -> dict:
    """Return a plan as JSON has it; every interval has its low and its high end."""
    return {
        "budget": {"kind": plan.kind, "amount": plan.amount},
        "answer": None if plan.best is None else choice_dict(plan.best) | {"command": plan.command},
        "candidates": [
            choice_dict(choice)
            | {"tokens_per_s": plan.speeds.get(choice.size), "speed_guessed": choice.size in plan.guessed}
            for choice in plan.choices
        ],
        "machine": None
        if not plan.device
        else {
            "device": plan.device,
            "precision": plan.precision,
            "threads": plan.threads,
            "memory_bytes": plan.memory_bytes,
            "busy": plan.busy,
        },
        "wall_s": None if plan.wall is None else dataclasses.asdict(plan.wall) | {"total_s": plan.wall.total_s},
        "here": [dataclasses.asdict(row) for row in plan.famous],
        "recorded_runs": None if plan.curves is None else curves_dict(plan.curves, plan.other_text),
        "published_law": None if plan.split is None else dataclasses.asdict(plan.split),
        "rent": None if plan.rent is None else rent_dict(plan.rent),
    }


def choice_dict(choice: Choice) -> dict:
    """Return one size at a budget as JSON has it."""
    told = dataclasses.asdict(choice)
    promised = told.pop("interval")
    expected = told.pop("bits_per_byte")
    return told | {"bits_per_byte": None if promised is None else {"expected": expected, **promised}}


def curves_dict(curves: CourseCurves, other_text: bool) -> dict:
    """Return what the losses expected rest on as JSON has it; errors are shares of the loss, of runs left out."""
    places = ("before", "between", "after")
    return {
        "form": "bits a byte of each size against updates, straight lines in logarithms between recorded runs",
        "errors": {place: not_exceeded(curves.errors(place), COVERAGE) for place in places},
        "coverage": COVERAGE,
        "runs": len(curves.runs),
        "corpus": curves.runs[0].corpus,
        "other_text_in_cache": other_text,
        "source": "data/facts/course_runs.csv",
    }


def rent_dict(found: Rent) -> dict:
    """Return what dollars buy as JSON has it."""
    told = dataclasses.asdict(found)
    del told["split"]
    return told | {"accelerator": found.accelerator.id, "source": found.accelerator.source}


def plan_table(plan: Plan) -> str:
    """Return a plan as text."""
    lines = rent_lines(plan.rent) if plan.rent else []
    if plan.best:
        lines += choice_lines(plan)
    if plan.split:
        lines += beyond_lines(plan) if plan.choices else []
        lines += split_lines(plan.split)
    if plan.famous:
        lines += ["", *famous_lines(plan)]
    return "\n".join(lines)


def choice_lines(plan: Plan) -> list[str]:
    """Return the sizes, the answer, the command, and the time in all."""
    row = "{:1} {:6} {:>10} {:>9} {:>8} {:>7}  {}"
    lines = [f"What {budget_words(plan)} can train, the best first:", ""]
    lines.append(row.format("", "size", "parameters", "steps", "tokens", "epochs", "bits a byte expected"))
    for choice in plan.choices:
        mark = "*" if choice == plan.best else ""
        figures = (f"{choice.parameters:,}", f"{choice.steps:,}", short(choice.tokens), f"{choice.epochs:.2f}")
        lines.append(row.format(mark, choice.size, *figures, promise(choice)))
    unmeasured = [size for size in CANDIDATES if size not in {choice.size for choice in plan.choices}]
    if unmeasured:
        why = "could not win" if plan.kind == "minutes" else "cannot be paid"
        lines.append(f"Left out: {', '.join(unmeasured)} ({why}).")
    lines += ["", f"Train {plan.best.size}:  {plan.command}"]
    if plan.wall:
        speed = f"{short(plan.speeds[plan.best.size])} tokens a second in {plan.precision}, threads: {plan.threads}"
        lines.append(f"Measured: {speed} on {plan.device}.")
        lines.append(
            f"In all about {plan.wall.total_s / 60:.1f} minutes: besides training, {plan.wall.besides_s:.0f} s for "
            f"start, text ({plan.wall.text_s:.0f} s), measuring, tests, samples and report."
        )
    lines.append(
        f"Intervals hold {COVERAGE:.0%}; they come from {len(plan.curves.runs)} recorded runs on the embedded text "
        "(data/facts/course_runs.csv)."
    )
    if plan.best.interval is None:
        lines.append(
            "No loss is promised: the best size's run would lie far beyond the recorded ones. The choice is a guess."
        )
    if plan.best.epochs > 4:
        lines.append(
            f"The text would be read {plan.best.epochs:.0f} times; beyond 4 it teaches less: use more, with --source."
        )
    if plan.other_text:
        lines.append("The text in this machine's cache is another version of it: its bits a byte will differ.")
    if plan.busy:
        lines.append("Other programs use the processor: this is a plan for a machine as busy as it is now.")
    return lines


def promise(choice: Choice) -> str:
    """Return the loss expected in words, or why there is none."""
    if choice.interval is None:
        return f"not promised: {choice.beyond:.1f} times beyond the recorded runs"
    return f"{choice.interval.low:.2f} to {choice.interval.high:.2f}"


def beyond_lines(plan: Plan) -> list[str]:
    """Return why none of the course's sizes is the answer."""
    largest = max(plan.choices, key=lambda choice: choice.parameters)
    return [
        f"{budget_words(plan)}: too many for the course's sizes. The largest, {largest.size} with "
        f"{short(largest.parameters)} parameters, would read the text {short(largest.epochs)} times.",
        "Beyond them a published law (Besiroglu et al. 2024) would take:",
    ]


def budget_words(plan: Plan) -> str:
    """Return the budget in words."""
    return f"{plan.amount:g} minutes here" if plan.kind == "minutes" else f"{short(plan.amount)} operations"


def split_lines(split: Split) -> list[str]:
    """Return what a published law makes of the budget."""
    lines = [
        f"  parameters            {split.parameters}",
        f"  tokens                {split.tokens}",
        f"  tokens a parameter    {split.tokens_per_parameter}",
        f"The law was fitted to runs of {MEASURED_FLOPS} FLOPs on {split.text}.",
        "It says nothing of bits a byte on the course's text, so that none are promised.",
    ]
    if split.beyond > 1:
        lines.append(f"This budget lies {short(split.beyond)} times outside those runs.")
    return lines


def rent_lines(found: Rent) -> list[str]:
    """Return what dollars buy, in words."""
    return [
        f"{short(found.dollars)} dollars on {found.accelerator.name}, at {found.price_usd_per_hour} dollars an hour "
        f"({found.price_note}):",
        f"  accelerator-hours     {found.accelerator_hours}",
        f"  share of the peak     {found.utilisation.low:.0%} to {found.utilisation.high:.0%}",
        f"  operations            {found.flops}",
        "",
        "The best model for so many, and its tokens, by a published law (Besiroglu et al. 2024):",
    ]


def famous_lines(plan: Plan) -> list[str]:
    """Return what published runs would take here, in words."""
    lines = ["On this machine, without a pause:"]
    for row in plan.famous:
        fits = "" if row.memory_bytes <= plan.memory_bytes else ", which it does not have"
        years = " to ".join(f"{float(f'{end:.2g}'):,.10g}" for end in (row.years.low, row.years.high))
        lines.append(f"  {row.name:15} {years} years, in {row.memory_bytes / 1e9:,.0f} GB of memory{fits}")
    lines.append("  (GPT-2's own tokens are not published; these are those of its reproduction in llm.c.)")
    return lines
