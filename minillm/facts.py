"""Published figures about pretraining, each with its source: the tables in `data/facts`, as typed rows.

    run = find(runs(), "GPT-3")
    run.training_tokens, run.source, run.quality

An empty cell is None. What the columns mean, and how far each source can be trusted: `data/facts/README.md`.
"""

import csv
import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol, TypeVar

from minillm.errors import ConfigError, DataError
from minillm.paths import data_dir

NUMBER = r"\d+(?:\.\d+)?(?:e[+-]?\d+)?"
BYTES_IN = {"GB": 1e9, "TB": 1e12, "GiB": 2**30, "TiB": 2**40}


@dataclass(frozen=True)
class Run:
    """One published pretraining run."""

    name: str
    organisation: str
    year: int | None
    parameters_total: float | None
    parameters_active: float | None
    """Parameters that take part in one token; fewer than the total in a mixture of experts."""
    training_tokens: float | None
    training_flops: float | None
    """As published; hardware operations where `source` says so."""
    accelerator: str
    """As the source names it."""
    accelerator_id: str
    """Its row in the table of accelerators, or the nearest one (H100 for an H800); empty where none fits."""
    accelerator_count: float | None
    accelerator_hours: float | None
    """All devices together."""
    peak_bf16_tflops: float | None
    """Of one device, dense."""
    reported_mfu: float | None
    """Share of the peak that the authors report, 0 to 1."""
    reported_cost_usd: float | None
    energy_mwh: float | None
    co2e_tonnes: float | None
    shape: str
    """Its row in the table of shapes, or empty."""
    job: str
    """Kind of job, our word: cluster, node, hobby, or empty."""
    flops_counting: str
    """How `training_flops` was counted: 6nd, full, hardware, other, unstated; empty without it. See the README."""
    remark: str
    """What explains a figure that stands out, as far as the sources go."""
    source: str
    quality: str


@dataclass(frozen=True)
class Shape:
    """A model's shape; what it leaves out is a dense model with full attention, given by hand."""

    name: str
    n_layers: int
    d_model: int
    n_heads: int
    n_kv_heads: int
    d_head: int
    """Width of a query and key; with latent attention the part without positions."""
    d_hidden: int
    """Width inside a dense feed-forward part."""
    vocab_size: int
    context_length: int
    """Tokens of a sequence in (most of) pretraining."""
    gated: bool = True
    """Feed-forward parts of three matrices (SwiGLU, GeGLU) instead of two."""
    tied: bool = False
    positions: str = "rotary"
    """rotary, learned, relative (a matrix in each layer), alibi."""
    norm: str = "rms"
    """layer (scale and shift), rms (scale), none (no parameters)."""
    biases: bool = False
    n_experts: int = 0
    """Routed experts of a layer; 0: dense."""
    n_experts_active: int = 0
    n_experts_shared: int = 0
    d_expert: int = 0
    """Width inside one expert."""
    n_dense_layers: int = 0
    """Layers of a mixture of experts that have a dense feed-forward part instead."""
    q_rank: int = 0
    """Latent width of the queries; 0: none."""
    kv_rank: int = 0
    """Latent width of keys and values together; above 0: multi-head latent attention."""
    d_rope: int = 0
    """Latent attention: the part of a query and key that carries positions."""
    d_value: int = 0
    """Latent attention: width of a value."""
    window: int = 0
    """Tokens that a layer with a sliding window looks at, itself included."""
    n_window_layers: int = 0
    organisation: str = ""
    year: int | None = None
    parameters_total: float | None = None
    """As published; None where it was not."""
    parameters_active: float | None = None
    source: str = "given"
    quality: str = "given"


@dataclass(frozen=True)
class Programme:
    """What a whole programme took, beside its final run."""

    name: str
    final_what: str
    final_amount: float
    whole_what: str
    whole_amount: float
    unit: str
    counts_research: bool
    """Whether experiments and failed runs are in the whole."""
    source: str
    quality: str

    @property
    def ratio(self) -> float:
        """The whole divided by the final run."""
        return self.whole_amount / self.final_amount


@dataclass(frozen=True)
class Price:
    """Rent of one accelerator for an hour in dollars, as a range, with the year and conditions in words."""

    low_usd_per_hour: float
    high_usd_per_hour: float
    note: str


@dataclass(frozen=True)
class Accelerator:
    """One device: what it computes, holds and draws."""

    name: str
    id: str
    """Short name for the command line: a100-80gb, h100, tpu-v4."""
    vendor: str
    year: int | None
    peak_bf16_tflops: float | None
    """Dense; data sheets like to print the double figure for sparse matrices."""
    peak_fp16_tflops: float | None
    """Where there is no bf16."""
    peak_fp32_tflops: float | None
    memory_gb: float | None
    """The smallest where it was sold with several."""
    memory_text: str
    bandwidth_tb_per_s: float | None
    power_w: float | None
    prices: tuple[Price, ...]
    """From the oldest quotation to the newest; snapshots of single pages, so ranges only."""
    source: str
    quality: str


@dataclass(frozen=True)
class MemoryFact:
    """One rule or figure for the memory and storage that training takes."""

    topic: str
    item: str
    value: str
    example: str
    source: str
    quality: str

    @property
    def name(self) -> str:
        """Topic and item, to find it by."""
        return f"{self.topic}: {self.item}"


@dataclass(frozen=True)
class MixturePart:
    """One source of text in the diet of a published model or dataset."""

    mixture: str
    component: str
    category: str
    amount: float | None
    """Size in `unit`; None where it is unknown."""
    unit: str | None
    """tokens, words or bytes."""
    weight: float | None
    """Share of the tokens seen in training, 0 to 1."""
    epochs: float | None
    amount_text: str
    weight_text: str
    epochs_text: str
    source: str
    quality: str

    @property
    def name(self) -> str:
        """Mixture and component, to find it by."""
        return f"{self.mixture}: {self.component}"


@dataclass(frozen=True)
class ScalingLaw:
    """One constant, formula or worked value of a published scaling law."""

    law: str
    quantity: str
    value: float | None
    """The number, if it is one; a formula or several numbers stand in `text`."""
    text: str
    unit_or_uncertainty: str
    source: str
    quality: str

    @property
    def name(self) -> str:
        """Law and quantity, to find it by."""
        return f"{self.law}: {self.quantity}"


@dataclass(frozen=True)
class CourseRun:
    """One run of the course's own recipe on its own text."""

    name: str
    size: str
    """Its entry in `config.SIZES`, with the course's vocabulary."""
    parameters: int
    tokens: int
    """Tokens seen, repeats counted."""
    batch_size: int
    """Sequences in one update, each as long as the size's context."""
    seed: int
    bits_per_byte: float
    """On held-out text, mean of the kinds."""
    loss_nats: float
    """A token of the same text."""
    flops: float
    corpus_tokens: int
    """Different tokens there were to train on."""
    corpus: str
    """Fingerprint of the text; with another one, other bits."""
    versions: str
    precision: str
    source: str
    quality: str


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """What it is found by."""


Row = TypeVar("Row", bound=Named)


@cache
def runs() -> tuple[Run, ...]:
    """Return the published pretraining runs, GPT-1 to 2026."""
    return read_runs("pretraining_runs.csv")


@cache
def held_out_runs() -> tuple[Run, ...]:
    """Return the runs that the estimator of cost is tested on and never fitted to."""
    return read_runs("held_out_runs.csv")


def read_runs(file_name: str) -> tuple[Run, ...]:
    """Return the runs of one table."""
    return tuple(
        Run(
            name=row["model"].removeprefix("EXTRA "),
            organisation=row["organisation"],
            year=whole_number(row["year"]),
            parameters_total=plain_number(row["parameters_total"]),
            parameters_active=plain_number(row["parameters_active"]),
            training_tokens=plain_number(row["training_tokens"]),
            training_flops=plain_number(row["training_flops"]),
            accelerator=row["accelerator"],
            accelerator_id=row["accelerator_id"],
            accelerator_count=plain_number(row["accelerator_count"]),
            accelerator_hours=plain_number(row["accelerator_hours"]),
            peak_bf16_tflops=plain_number(row["peak_bf16_tflops_of_accelerator"]),
            reported_mfu=plain_number(row["reported_mfu"]),
            reported_cost_usd=plain_number(row["reported_cost_usd"]),
            energy_mwh=plain_number(row["energy_mwh"]),
            co2e_tonnes=plain_number(row["co2e_tonnes"]),
            shape=row["shape"],
            job=row["job"],
            flops_counting=row["flops_counting"],
            remark=row["remark"],
            source=row["source"],
            quality=row["source_quality"],
        )
        for row in read_table(file_name)
    )


@cache
def accelerators() -> tuple[Accelerator, ...]:
    """Return the devices, from a two-core CPU to the GB200."""
    return tuple(
        Accelerator(
            name=row["name"].removeprefix("EXTRA "),
            id=row["id"],
            vendor=row["vendor"],
            year=whole_number(row["year"]),
            peak_bf16_tflops=plain_number(row["peak_dense_bf16_tflops"]),
            peak_fp16_tflops=plain_number(row["peak_fp16_tflops"]),
            peak_fp32_tflops=plain_number(row["peak_fp32_tflops"]),
            memory_gb=first_number(row["memory_gb"]),
            memory_text=row["memory_gb"],
            bandwidth_tb_per_s=plain_number(row["bandwidth_tb_s"]),
            power_w=plain_number(row["tdp_w"]),
            prices=parse_prices(row["cloud_price_usd_per_hour"]),
            source=row["source"],
            quality=row["source_quality"],
        )
        for row in read_table("accelerators.csv")
    )


@cache
def shapes() -> tuple[Shape, ...]:
    """Return the shapes of published models."""
    texts = ("name", "positions", "norm", "organisation", "source")
    flags = ("gated", "tied", "biases")
    totals = ("parameters_total", "parameters_active")
    table = []
    for row in read_table("shapes.csv"):
        values: dict = {name: row[name] for name in texts}
        values |= {name: row[name] == "1" for name in flags} | {name: plain_number(row[name]) for name in totals}
        quality = row["source_quality"]
        rest = set(row) - set(values) - {"source_quality"}
        table.append(Shape(**values, quality=quality, **{name: whole_number(row[name]) or 0 for name in rest}))
    return tuple(table)


@cache
def programmes() -> tuple[Programme, ...]:
    """Return what is known of whole programmes against their final runs."""
    return tuple(
        Programme(
            name=row["programme"],
            final_what=row["final_what"],
            final_amount=float(row["final_amount"]),
            whole_what=row["whole_what"],
            whole_amount=float(row["whole_amount"]),
            unit=row["unit"],
            counts_research=row["counts_research"] == "yes",
            source=row["source"],
            quality=row["source_quality"],
        )
        for row in read_table("programmes.csv")
    )


@cache
def memory() -> tuple[MemoryFact, ...]:
    """Return the rules for memory and storage: model states, activations, checkpoints."""
    return tuple(
        MemoryFact(
            topic=row["topic"],
            item=row["item"].removeprefix("EXTRA "),
            value=row["formula_or_value"],
            example=row["example"],
            source=row["source"],
            quality=row["source_quality"],
        )
        for row in read_table("memory.csv")
    )


@cache
def mixtures() -> tuple[MixturePart, ...]:
    """Return what published models read, source by source; rows named TOTAL are sums."""
    parts = []
    for row in read_table("mixtures.csv"):
        amount, unit = parse_amount(row["tokens_or_bytes"])
        parts.append(
            MixturePart(
                mixture=row["mixture"].removeprefix("EXTRA "),
                component=row["component"],
                category=row["category"],
                amount=amount,
                unit=unit,
                weight=plain_number(row["sampling_weight"]),
                epochs=plain_number(row["epochs"]),
                amount_text=row["tokens_or_bytes"],
                weight_text=row["sampling_weight"],
                epochs_text=row["epochs"],
                source=row["source"],
                quality=row["source_quality"],
            )
        )
    return tuple(parts)


@cache
def scaling_laws() -> tuple[ScalingLaw, ...]:
    """Return the constants of the published scaling laws, Kaplan 2020 to 2026."""
    return tuple(
        ScalingLaw(
            law=row["law"].removeprefix("EXTRA "),
            quantity=row["quantity"],
            value=plain_number(row["value"]),
            text=row["value"],
            unit_or_uncertainty=row["unit_or_uncertainty"],
            source=row["source"],
            quality=row["source_quality"],
        )
        for row in read_table("scaling_laws.csv")
    )


@cache
def course_runs() -> tuple[CourseRun, ...]:
    """Return the runs of the course's own recipe, from which `scaling.course` says what other runs will reach."""
    return tuple(
        CourseRun(
            name=row["name"],
            size=row["size"],
            parameters=int(row["parameters"]),
            tokens=int(row["tokens"]),
            batch_size=int(row["batch_size"]),
            seed=int(row["seed"]),
            bits_per_byte=float(row["bits_per_byte"]),
            loss_nats=float(row["loss_nats"]),
            flops=float(row["flops"]),
            corpus_tokens=int(row["corpus_tokens"]),
            corpus=row["corpus"],
            versions=row["versions"],
            precision=row["precision"],
            source=row["source"],
            quality=row["source_quality"],
        )
        for row in read_table("course_runs.csv")
    )


def find(rows: Sequence[Row], name: str) -> Row:
    """Return the one row with a name, or the one whose name contains it.

    Case does not matter, nor do spaces, hyphens and underscores where no row has the name as it is written.
    Raises ConfigError when no row or several fit, naming the nearest.
    """
    wanted = name.casefold().strip()
    loose = without_separators(wanted)
    ways = (wanted.__eq__, loose.fullmatch, lambda known: wanted in known, loose.search)
    found = ([row for row in rows if wanted and fits(row.name.casefold())] for fits in ways)
    fitting = next(filter(None, found), [])
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        more = f" and {len(fitting) - 6} more" if len(fitting) > 6 else ""
        raise ConfigError(
            f"'{name}' fits {len(fitting)} rows of the table.",
            f"Say which: {', '.join(row.name for row in fitting[:6])}{more}.",
        )
    # by their beginnings, since a learner writes "GPT3" for "GPT-3 175B"
    nearest = max(
        (row.name for row in rows),
        key=lambda known: difflib.SequenceMatcher(None, wanted, known.casefold()[: len(wanted) + 1]).ratio(),
    )
    raise ConfigError(f"There is no '{name}' in the table.", f"Did you mean '{nearest}'?")


def without_separators(name: str) -> re.Pattern:
    """Return a pattern for a name with or without spaces, hyphens and underscores between its letters and numbers.

    A number stays whole: "gpt3" fits "gpt-3", and "llama27b" does not fit "llama-2 7b", for it may be a "llama 27b".
    """
    return re.compile(r"[\s_-]*".join(map(re.escape, re.findall(r"[0-9.]+|[^\s_-]", name))))


def read_table(file_name: str) -> list[dict[str, str]]:
    """Return the rows of one table of `data/facts` as text, by column name."""
    path = data_dir() / "facts" / file_name
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise DataError(f"The table {path} cannot be read: {error.strerror}.", "Install minillm again.") from error


def plain_number(cell: str) -> float | None:
    """Return the number of a cell such as 'about 20' or '521 (log 6.26)', and None for all else."""
    match = re.fullmatch(rf"(?:about )?({NUMBER})(?: [(\[].*)?", cell)
    return float(match[1]) if match else None


def first_number(cell: str) -> float | None:
    """Return the first number of a cell such as '16-32' or 'up to 128 shared'."""
    match = re.search(NUMBER, cell)
    return float(match[0]) if match else None


def whole_number(cell: str) -> int | None:
    """Return a cell's whole number, such as a year."""
    return int(cell) if cell else None


def parse_amount(cell: str) -> tuple[float | None, str | None]:
    """Return size and unit of a cell: '410e9 tokens' is (4.1e11, 'tokens'), '3.3 TB' is (3.3e12, 'bytes')."""
    match = re.match(rf"(?:about )?({NUMBER}) (?:\([^)]*\) )?(tokens|words|GB|TB|GiB|TiB)\b", cell)
    if not match:
        return None, None
    amount, unit = float(match[1]), match[2]
    return (amount * BYTES_IN[unit], "bytes") if unit in BYTES_IN else (amount, unit)


def parse_prices(cell: str) -> tuple[Price, ...]:
    """Return the quotations of a cell: '1.75 (2024); 0.80-3.00 (2026)' are two, the second a range."""
    prices = []
    for quotation in filter(None, (part.strip() for part in cell.split(";"))):
        bare = re.sub(r"\s*\([^)]*\)", "", quotation)
        match = re.match(rf"({NUMBER})(?:-({NUMBER}))?", bare)
        if match:
            prices.append(Price(float(match[1]), float(match[2] or match[1]), quotation))
    return tuple(prices)
