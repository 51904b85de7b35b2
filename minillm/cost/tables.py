"""Estimates and the audit as JSON and as text tables."""

import dataclasses

from minillm.cost.audit import AuditRow, audit, summarise
from minillm.cost.bill import Bill, goodput_seen, peak_flops
from minillm.cost.estimate import Estimate, choose_layout, layouts, shape_dict, sources_of
from minillm.cost.flops import RECOMPUTE
from minillm.cost.memory import activation_bytes
from minillm.cost.numbers import Interval, short
from minillm.cost.utilisation import (
    JOBS,
    WIDE,
    Evaluation,
    Job,
    evaluate,
    evaluate_held_out,
    job_kind,
    seen_on_new_runs,
)

PARTS = ("embedding", "attention", "feed_forward", "norms", "head")
"""Parts of a model's parameters, which add up to the total."""


def estimate_dict(estimate: Estimate) -> dict:
    """Return an estimate as JSON has it: always the same keys, null where nothing is known.

    Units stand in the names; intervals are {"low", "high"}.
    """
    bill, options, count = estimate.bill, estimate.options, estimate.count
    accelerator = estimate.accelerator
    found = {
        "kind": estimate.kind,
        "name": estimate.name,
        "parameters_total": estimate.parameters_total,
        "parameters_active": estimate.parameters_active,
        "parameters_embedding": count.embedding if count else None,
        "parameters_idle": count.idle if count else None,
        "parameters_by_part": {part: getattr(count, part) for part in PARTS} if count else None,
        "parameters_published": published_size(estimate),
        "shape": shape_dict(estimate.shape) if estimate.shape else None,
        "context_changed_from": estimate.own_context if estimate.context_changed else None,
        "tokens": estimate.tokens,
        "flops": {
            "model": estimate.model_flops,
            "model_basis": "exact count" if estimate.shape else "6ND, no shape given",
            "per_token": estimate.flops_per_token.model if estimate.flops_per_token else 6 * estimate.parameters_active,
            "forward_per_token_by_part": dataclasses.asdict(estimate.flops_per_token)
            if estimate.flops_per_token
            else None,
            "six_n_d": estimate.six_n_d,
            "six_n_d_off_by": six_n_d_off(estimate),
            "attention_over_whole_square": estimate.full_attention_flops,
            "hardware": estimate.hardware_flops,
            "recompute": estimate.recompute,
        },
        "accelerator": {
            "id": accelerator.id,
            "name": accelerator.name,
            "peak_flops_per_s": peak_flops(accelerator),
            "memory_gb": accelerator.memory_gb,
            "power_w": accelerator.power_w,
        },
        "job": options.job,
    }
    found |= bill_dict(bill)
    fitted = bill is not None and options.utilisation is None
    found["held_out_coverage"] = new_runs(estimate).coverage if fitted else None
    found["memory"] = memory_dict(estimate)
    found["storage"] = storage_dict(estimate)
    found["published"] = published_dict(estimate) if estimate.published else None
    found["sources"] = sources_of(estimate)
    return found


def published_size(estimate: Estimate) -> dict[str, float | None]:
    """Return the parameters as the run's or the shape's sources have them."""
    said = estimate.published or estimate.shape
    return {part: getattr(said, f"parameters_{part}", None) for part in ("total", "active")}


def published_dict(estimate: Estimate) -> dict:
    """Return what was published of a run as JSON has it."""
    run = estimate.published
    return {
        "flops": run.training_flops,
        "flops_counting": run.flops_counting or None,
        "accelerator": run.accelerator,
        "accelerator_hours": run.accelerator_hours,
        "accelerator_hours_inside": estimate.hours_inside,
        "reported_mfu": run.reported_mfu,
        "cost_usd": run.reported_cost_usd,
        "energy_mwh": run.energy_mwh,
        "co2e_tonnes": run.co2e_tonnes,
        "remark": run.remark,
    }


def six_n_d_off(estimate: Estimate) -> float | None:
    """Return how far 6ND is off the exact count: -0.05 is 5% too little; None without a shape."""
    if estimate.flops_per_token is None:
        return None
    return 6 * estimate.parameters_active / estimate.flops_per_token.model - 1


def bill_dict(bill: Bill | None) -> dict:
    """Return a bill as JSON has it; without one every value is null but those that hang on no run."""
    names = [field.name for field in dataclasses.fields(Bill) if field.name not in ("accelerator", "flops", "price")]
    values = {name: getattr(bill, name, None) for name in names}
    values = {name: value.as_dict() if isinstance(value, Interval) else value for name, value in values.items()}
    values["goodput_seen"] = goodput_seen().as_dict()
    values["price_note"] = bill.price.note if bill and bill.price else None
    return values


def memory_dict(estimate: Estimate) -> dict:
    """Return the memory of an estimate as JSON has it."""
    options, shape = estimate.options, estimate.shape
    kept = {}
    if shape:
        cut = estimate.tensor_parallel
        kept = {way: activation_bytes(shape, options.sequences, way, cut) for way in RECOMPUTE}
    asked = shape, estimate.parameters_total, estimate.accelerator, options
    by_stage = {str(stage): choose_layout(layouts(*asked, stage)).fewest for stage in range(4)}
    return {
        "bytes_per_device": dataclasses.asdict(estimate.memory) | {"total": estimate.memory.total},
        "activations_counted": estimate.activations_known,
        "devices": estimate.devices,
        "usable_bytes_per_device": estimate.usable_bytes,
        "fits": estimate.fits,
        "fewest_devices": estimate.fewest,
        "fewest_devices_recompute": estimate.fewest_layout.recompute,
        "fewest_devices_tensor_parallel": estimate.fewest_layout.tensor_parallel,
        "fewest_devices_by_zero_stage": by_stage,
        "activation_bytes_by_recompute": kept or None,
        "zero": options.zero,
        "tensor_parallel": estimate.tensor_parallel,
        "sequences_at_once": options.sequences,
        "recompute": estimate.recompute,
    }


def storage_dict(estimate: Estimate) -> dict:
    """Return the storage of an estimate as JSON has it."""
    kept = estimate.storage
    return {
        "weights_bytes": kept.weights,
        "checkpoint_bytes": kept.checkpoint,
        "checkpoints_kept": kept.checkpoints_kept,
        "checkpoints_bytes": kept.checkpoints,
        "token_ids_bytes": kept.token_ids,
        "text_bytes": kept.text.as_dict() if kept.text else None,
    }


def estimate_table(estimate: Estimate) -> str:
    """Return an estimate as lines to read."""
    lines = [heading(estimate), ""]
    lines += rows("Size", size_rows(estimate))
    lines += rows("Operations", flops_rows(estimate))
    if estimate.bill:
        lines += rows("The bill, from the final run to the programme", bill_rows(estimate.bill, estimate))
    lines += rows(f"Memory on one {estimate.accelerator.name}", memory_rows(estimate))
    lines += rows("Storage", storage_rows(estimate))
    lines += ["Sources"]
    lines += [f"  {source['what']}: {source['source']} [{source['quality']}]" for source in sources_of(estimate)]
    return "\n".join(lines)


def heading(estimate: Estimate) -> str:
    """Return what is estimated, in a line."""
    name = "A model of these totals" if estimate.kind == "totals" else estimate.name
    tokens = f" on {short(estimate.tokens)} tokens" if estimate.tokens else ""
    return f"{name}: {short(estimate.parameters_total)} parameters{tokens}, {estimate.accelerator.name}"


def rows(title: str, pairs: list[tuple[str, str]]) -> list[str]:
    """Return a titled block of aligned lines."""
    return [title, *(f"  {name:<40}{value}" for name, value in pairs), ""]


def size_rows(estimate: Estimate) -> list[tuple[str, str]]:
    """Return the lines on parameters."""
    found = [("parameters", f"{estimate.parameters_total:,.0f}")]
    if estimate.parameters_active != estimate.parameters_total:
        found.append(("active in one token", f"{estimate.parameters_active:,.0f}"))
    if estimate.count:
        found.append(("of them embeddings", f"{estimate.count.embedding:,}"))
    if estimate.context_changed:
        context = f"{estimate.shape.context_length:,}, not its own {estimate.own_context:,}"
        found.append(("tokens in a sequence", context))
    return found


def flops_rows(estimate: Estimate) -> list[tuple[str, str]]:
    """Return the lines on operations."""
    if estimate.flops_per_token is None:
        total = short(estimate.six_n_d, "FLOP") if estimate.six_n_d else "no tokens given"
        return [("6ND (no shape, so no exact count)", total)]
    found = [("a token, training", short(estimate.flops_per_token.model, "FLOP"))]
    if estimate.tokens:
        found += [
            ("in all, exact count", short(estimate.model_flops, "FLOP")),
            ("6ND", f"{short(estimate.six_n_d, 'FLOP')}, {six_n_d_off(estimate):+.1%}"),
            ("with attention over the whole square", short(estimate.full_attention_flops, "FLOP")),
            (f"of the hardware, recomputing {estimate.recompute}", short(estimate.hardware_flops, "FLOP")),
        ]
    return found


def bill_rows(bill: Bill, estimate: Estimate) -> list[tuple[str, str]]:
    """Return the lines of the bill."""
    kind = estimate.options.job
    basis = f"{kind}: {JOBS[job_kind(kind)]}" if kind else f"kind of job not given: {WIDE} times wide"
    if estimate.options.utilisation:
        basis = "given"
    found = [
        ("share of the peak", f"{bill.utilisation} ({basis})"),
    ]
    if not estimate.options.utilisation:
        new = new_runs(estimate)
        found.append(("such intervals hold", f"{new.coverage:.0%} of {new.runs} held-out runs of such a size"))
    found += [
        ("accelerator-hours", str(bill.accelerator_hours)),
    ]
    if bill.days:
        found.append((f"days on {bill.devices:,}", str(bill.days)))
    if bill.cost_usd:
        note = f" at ${bill.price_usd_per_hour} an hour" + (f" ({bill.price.note})" if bill.price else "")
        found.append(("dollars", f"{bill.cost_usd}{note}"))
    else:
        found.append(("dollars", "no price in the table; give one with --price"))
    if bill.energy_mwh:
        found += [
            ("energy", f"{bill.energy_mwh} MWh (building: {bill.pue} times the machines)"),
            ("carbon", f"{bill.co2e_tonnes} t CO2e at {bill.carbon_kg_per_kwh} kg a kWh"),
        ]
    found.append(("the whole programme", f"{bill.programme_accelerator_hours} hours, {bill.programme_factor} times"))
    run = estimate.published
    if run and run.accelerator_hours:
        place = {True: ", inside the interval", False: ", outside the interval", None: " for the published job"}
        found.append(("published hours", short(run.accelerator_hours) + place[estimate.hours_inside]))
    return found


def new_runs(estimate: Estimate) -> Evaluation:
    """Return how the intervals of this kind and size hold runs to which nothing was fitted."""
    job = estimate.options.job and job_kind(estimate.options.job)
    return seen_on_new_runs(Job(estimate.model_flops, estimate.parameters_active, 1, job))


def memory_rows(estimate: Estimate) -> list[tuple[str, str]]:
    """Return the lines on memory."""
    options, memory, layout = estimate.options, estimate.memory, estimate.fewest_layout
    way = f"ZeRO {options.zero}, matrices in {layout.tensor_parallel}, recomputing {layout.recompute}"
    fewest = f"{estimate.fewest:,} ({way})" if estimate.fewest else f"no number does ({way})"
    if estimate.usable_bytes is None:
        fewest = "unknown, its memory is not in the table"
    found = [("fewest that hold it", fewest)]
    if estimate.layout != layout:
        here = f"matrices in {estimate.tensor_parallel}, recomputing {estimate.recompute}"
        found.append((f"on {estimate.devices:,}", here))
    found += [
        (f"{part} on each of {estimate.devices:,}", gigabytes(getattr(memory, part)))
        for part in ("weights", "gradients", "optimizer")
    ]
    if estimate.activations_known:
        sequences = f"{options.sequences} sequence{'s' if options.sequences > 1 else ''} of"
        what = f"activations, {sequences} {estimate.shape.context_length:,}"
        found.append((what, gigabytes(memory.activations)))
    else:
        found.append(("activations", "not counted without a shape"))
    total = gigabytes(memory.total)
    if estimate.usable_bytes is not None:
        room = f"{short(memory.total / 1e9)} of {short(estimate.usable_bytes / 1e9)} GB that training can have"
        total = room if estimate.fits else f"does not fit: {room}"
    found.append(("in all", total))
    return found


def storage_rows(estimate: Estimate) -> list[tuple[str, str]]:
    """Return the lines on storage."""
    kept = estimate.storage
    found = [
        ("weights in bf16", gigabytes(kept.weights)),
        (f"{kept.checkpoints_kept} checkpoints to go on from", gigabytes(kept.checkpoints)),
    ]
    if kept.text:
        found.append(("the data as text", f"{gigabytes(kept.text.low)} to {gigabytes(kept.text.high)}"))
        found.append(("the data as ids", gigabytes(kept.token_ids)))
    return found


def gigabytes(value: float) -> str:
    """Return bytes in a unit that leaves few digits."""
    for unit, size in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if value >= size:
            return short(value / size, unit)
    return short(value, "bytes")


def audit_table() -> str:
    """Return the audit as a table, with its summary and the explanations below."""
    listed = audit()
    head = f"{'run':<42}{'counting':<10}{'FLOP':>9}{'counted':>10}{'6ND':>10}{'hours':>11}"
    lines = [head + f"{'expected':>22}{'share':>8}{'MFU':>7}"]
    lines += [audit_line(row) for row in listed]
    total = summarise(listed)
    given, alone = evaluate(True), evaluate(False)
    teams, new, new_alone = evaluate(True, whole_team=True), evaluate_held_out(True), evaluate_held_out(False)
    lines += [
        "",
        f"Operations within 5% of the published ones: {total.flops_within_5_percent} of {total.flops_checked} whose way"
        f" of counting is stated; {total.flops_explained} others are explained.",
        f"Published hours inside the interval: {total.hours_inside} of {total.hours_checked}, each run left out of its"
        f" own fit. Outside (*): {', '.join(total.hours_outside)}.",
        f"Kind of job given: {given.coverage:.0%} inside, median width {given.median_width:.2f} times,"
        f" mean log error {given.log_error:.2f}; a constant 38%: {given.constant_log_error:.2f}.",
        f"Totals alone: {alone.coverage:.0%} inside, width {alone.median_width:.2f} times,"
        f" mean log error {alone.log_error:.2f}.",
        f"All runs of a team left out together, kind given: {teams.coverage:.0%} inside.",
        f"Held-out runs, to which nothing was fitted: {new.coverage:.0%} of {new.runs} inside with the kind given"
        f" (median width {new.median_width:.2f} times), {new_alone.coverage:.0%} from totals alone.",
        "",
    ]
    lines += [f"{row.name}: {row.explanation}" for row in listed if row.explanation]
    return "\n".join(lines)


def audit_line(row: AuditRow) -> str:
    """Return one run of the audit as a line."""

    def cell(value: float | None, width: int, form: str) -> str:
        return f"{'' if value is None else format(value, form):>{width}}"

    hours = f"{short(row.hours.low)}-{short(row.hours.high)}" if row.hours else ""
    mark = "*" if row.hours_inside is False else " "
    published = "" if row.published_hours is None else short(row.published_hours)
    flops = cell(row.published_flops, 9, ".3g") + cell(row.counted_flops, 10, ".3g") + cell(row.six_n_d, 10, ".3g")
    share = cell(row.utilisation, 7, ".1%") + mark + cell(row.reported_mfu, 6, ".0%")
    return f"{row.name[:41]:<42}{row.counting:<10}{flops}{published:>11}{hours:>22} {share}"
