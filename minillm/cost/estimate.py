"""One estimate from a published run, a shape or totals alone: operations, memory, storage and the bill together."""

from dataclasses import asdict, dataclass, replace

from minillm.config import SIZES, named
from minillm.cost import six_n_d
from minillm.cost.bill import PUE, Bill, find_accelerator, make_bill, peak_flops
from minillm.cost.flops import RECOMPUTE, FlopCount, flops_of, run_flops
from minillm.cost.memory import (
    USABLE,
    Memory,
    Storage,
    activation_bytes,
    fewest_accelerators,
    model_states,
    storage,
    training_memory,
)
from minillm.cost.numbers import Interval, positive
from minillm.cost.shapes import ShapeCount, count_shape, named_shape, shape_of, with_context
from minillm.cost.utilisation import Job, job_kind
from minillm.errors import ConfigError
from minillm.facts import Accelerator, Run, Shape, find, runs, shapes

DEFAULT_ACCELERATOR = "h100"
YEARS, MOST_DEVICES, MOST_HEADS = range(2012, 2051), 1e9, 1024
"""Beyond these something was mistyped."""
CUTS = (1, 2, 4, 8)
"""Into how many parts matrices are cut where no one says it; machines mostly hold eight devices."""
ASSUMED_SOURCES = {
    "utilisation": "least squares over the published runs of data/facts/pretraining_runs.csv",
    "memory": "Rajbhandari et al. 2020 (ZeRO), Korthikanti et al. 2022; data/facts/memory.csv",
    "energy": "rated power times 0.75 to 1.15, which holds the published energies of data/facts/pretraining_runs.csv",
    "programme": "data/facts/programmes.csv",
}


@dataclass(frozen=True)
class Options:
    """What may be said about a job beside its size; None leaves it to the tables."""

    accelerator: str | None = None
    devices: int | None = None
    job: str | None = None
    year: int | None = None
    utilisation: Interval | None = None
    goodput: Interval | None = None
    price_usd_per_hour: Interval | None = None
    pue: Interval = PUE
    carbon_kg_per_kwh: Interval | None = None
    recompute: str | None = None
    """none, selective, full; None: selective, as fused attention does by itself, or full: see `choose_layout`."""
    zero: int = 3
    tensor_parallel: int | None = None
    """None: one of 1, 2, 4, 8 that divides the heads: see `choose_layout`."""
    sequences: int = 1
    """Sequences that one device has in work at once."""
    checkpoints: int = 10
    context_length: int | None = None
    """Tokens in a sequence; None: the shape's own."""


@dataclass(frozen=True)
class Layout:
    """One way to keep a run in memory."""

    recompute: str
    tensor_parallel: int
    """Devices among which each matrix is cut."""
    fewest: int | None
    """The fewest devices that then hold it, or None where no number does."""


@dataclass(frozen=True)
class Estimate:
    """What a run takes; parts that need a shape or a number of tokens are None without it."""

    kind: str
    """run, shape or totals."""
    name: str
    parameters_total: float
    """Counted where a shape is known, so that it is the sum of its parts; published figures stand in `published`."""
    parameters_active: float
    tokens: float | None
    shape: Shape | None
    own_context: int | None
    """The context of the shape before `options.context_length` changed it."""
    count: ShapeCount | None
    flops_per_token: FlopCount | None
    model_flops: float | None
    """The exact count, or 6ND where no shape is known."""
    hardware_flops: float | None
    full_attention_flops: float | None
    bill: Bill | None
    options: Options
    accelerator: Accelerator
    memory: Memory
    """On one of `devices`, in `layout`."""
    activations_known: bool
    devices: int
    """`options.devices`, or else the fewest that hold it; one group where no number does."""
    layout: Layout
    fewest_layout: Layout
    """With the fewest devices of all; the same as `layout` where no number of devices is given."""
    storage: Storage
    published: Run | None

    @property
    def recompute(self) -> str:
        """What is computed again, on `devices`."""
        return self.layout.recompute

    @property
    def tensor_parallel(self) -> int:
        """Into how many parts matrices are cut, on `devices`."""
        return self.layout.tensor_parallel

    @property
    def fewest(self) -> int | None:
        """The fewest accelerators that hold it, or None where no number does."""
        return self.fewest_layout.fewest

    @property
    def usable_bytes(self) -> float | None:
        """What training can have of one device's memory; None where that is not in the table."""
        return None if self.accelerator.memory_gb is None else USABLE * self.accelerator.memory_gb * 1e9

    @property
    def fits(self) -> bool | None:
        """Whether the run fits on `devices`; None where their memory is not known."""
        return None if self.usable_bytes is None else self.memory.total <= self.usable_bytes

    @property
    def context_changed(self) -> bool:
        """Whether sequences are of another length than the shape's own."""
        return self.shape is not None and self.shape.context_length != self.own_context

    @property
    def hours_inside(self) -> bool | None:
        """Whether a run's published hours lie in the interval; None where this is another job than the published."""
        run = self.published
        if run is None or self.bill is None or run.accelerator_hours is None:
            return None
        same = run.accelerator_id == self.accelerator.id and run.training_tokens == self.tokens
        same = same and not self.context_changed
        return run.accelerator_hours in self.bill.accelerator_hours if same else None

    @property
    def six_n_d(self) -> float | None:
        """6 for each active parameter and token."""
        return None if self.tokens is None else six_n_d(self.parameters_active, self.tokens)


def estimate_run(name: str, tokens: float | None = None, options: Options | None = None) -> Estimate:
    """Return the estimate for a published run, as if its hours were not known; they stand beside it."""
    run = find(runs(), name)
    options = options or Options()
    shape = named_shape(run.shape) if run.shape else None
    tokens = first_given(tokens, run.training_tokens)
    if shape is None and run.parameters_active is None:
        raise ConfigError(f"The size of {run.name} was not published.", "Choose another run, or give --params.")
    if tokens is None:
        raise ConfigError(f"The tokens of {run.name} were not published.", "Give them with --tokens.")
    options = replace(
        options,
        accelerator=first_given(options.accelerator, run.accelerator_id or DEFAULT_ACCELERATOR),
        devices=first_given(options.devices, int(run.accelerator_count) if run.accelerator_count else None),
        job=first_given(options.job, run.job or None),
        year=first_given(options.year, run.year),
    )
    return build("run", run.name, run.parameters_total, run.parameters_active, tokens, shape, options, run)


def first_given(value, other):
    """Return a value, or another one where it is None."""
    return other if value is None else value


def estimate_named(name: str, tokens: float | None = None, options: Options | None = None) -> Estimate:
    """Return the estimate for a published run, a published shape or a size of this course, looked up in this order.

    Raises ConfigError that names the nearest where nothing of that name, or more than one thing, is found.
    """
    wanted = name.strip().casefold()
    for table, make in ((runs(), estimate_run), (shapes(), estimate_shape)):
        if any(row.name.casefold() == wanted for row in table):
            return make(name, tokens, options)
    if wanted in SIZES:
        return estimate_shape(shape_of(SIZES[wanted], wanted), tokens, options)
    row = find((*runs(), *(shape for shape in shapes() if shape.name not in {run.name for run in runs()})), name)
    return (estimate_run if isinstance(row, Run) else estimate_shape)(row.name, tokens, options)


def estimate_shape(shape: Shape | str, tokens: float | None = None, options: Options | None = None) -> Estimate:
    """Return the estimate for a shape, published (by name) or given; without tokens no hours follow."""
    shape = named_shape(shape) if isinstance(shape, str) else shape
    return build("shape", shape.name, None, None, tokens, shape, options or Options())


def estimate_totals(
    parameters: float, tokens: float | None, active: float | None = None, options: Options | None = None
) -> Estimate:
    """Return the estimate from totals alone: operations by 6ND, memory without activations."""
    for what, value in (("params", parameters), ("tokens", tokens)):
        if value is not None and positive(value, what) < 1:
            raise ConfigError(f"{what} is {value:g}, less than one.", "Give a number of 1 or more, such as 7e9.")
    if active is not None and positive(active, "active_params") > parameters:
        raise ConfigError(
            f"active_params is {active:g}, more than params, {parameters:g}.",
            "Give the parameters that take part in one token, at most all of them.",
        )
    return build("totals", "totals", parameters, active, tokens, None, options or Options())


def build(
    kind: str,
    name: str,
    total: float | None,
    active: float | None,
    tokens: float | None,
    shape: Shape | None,
    options: Options,
    run: Run | None = None,
) -> Estimate:
    """Return an estimate from its parts; sizes are counted where there is a shape."""
    check_options(options, shape)
    own_context = shape.context_length if shape else None
    if options.context_length is not None:
        shape = with_context(shape, options.context_length)
    count = count_shape(shape) if shape else None
    total, active = (count.total, count.active) if count else (total, first_given(active, total))
    if tokens is not None:
        positive(tokens, "tokens")
    accelerator = find_accelerator(first_given(options.accelerator, DEFAULT_ACCELERATOR))
    flops = None if tokens is None else run_flops(shape, tokens) if shape else six_n_d(active, tokens)
    per_token = flops_of(shape) if shape else None
    possible = layouts(shape, total, accelerator, options)
    layout = choose_layout(possible, options.devices)
    recompute, cut = layout.recompute, layout.tensor_parallel
    devices = first_given(options.devices, first_given(layout.fewest, cut))
    if shape:
        memory = training_memory(shape, options.sequences, recompute, options.zero, devices, cut)
    else:
        memory = model_states(total, options.zero, devices, cut)
    return Estimate(
        kind=kind,
        name=name,
        parameters_total=total,
        parameters_active=active,
        tokens=tokens,
        shape=shape,
        own_context=own_context,
        count=count,
        flops_per_token=per_token,
        model_flops=flops,
        hardware_flops=None if None in (tokens, per_token) else tokens * per_token.hardware(recompute),
        full_attention_flops=None if None in (tokens, shape) else run_flops(shape, tokens, "full"),
        bill=None if flops is None else bill_of(flops, active, accelerator, options, run),
        options=options,
        accelerator=accelerator,
        memory=memory,
        activations_known=shape is not None,
        devices=devices,
        layout=layout,
        fewest_layout=choose_layout(possible),
        storage=storage(total, tokens, shape.vocab_size if shape else None, options.checkpoints),
        published=run,
    )


def layouts(
    shape: Shape | None, parameters: float, accelerator: Accelerator, options: Options, zero: int | None = None
) -> list[Layout]:
    """Return the ways to keep a run that the options leave open, from the least recomputed and cut to the most.

    zero: another ZeRO stage than that of the options.
    """
    # selective comes first, for fused attention does it by itself
    ways = ["selective", "full"] if options.recompute is None else [options.recompute]
    cuts = [cut for cut in CUTS if shape is None or shape.n_heads % cut == 0]
    cuts = cuts if options.tensor_parallel is None else [options.tensor_parallel]
    zero = first_given(zero, options.zero)
    found = []
    for way in ways:
        for cut in cuts:
            kept = activation_bytes(shape, options.sequences, way, cut) if shape else 0.0
            found.append(Layout(way, cut, fewest_accelerators(accelerator, parameters, kept, zero, cut)))
    return found[:1] if accelerator.memory_gb is None else found


def choose_layout(possible: list[Layout], devices: int | None = None) -> Layout:
    """Return the layout that the fewest devices hold, or on so many `devices` the first that they hold.

    The last one, which keeps the least on each, where it does not fit at all.
    """
    whole = [layout for layout in possible if devices is None or devices % layout.tensor_parallel == 0]
    held = [layout for layout in whole if layout.fewest is not None]
    if devices is None:
        return min(held, key=lambda layout: layout.fewest, default=whole[-1])
    return next((layout for layout in held if layout.fewest <= devices), whole[-1])


def check_options(options: Options, shape: Shape | None) -> None:
    """Raise ConfigError for options that cannot be."""
    if options.recompute is not None:
        named({way: way for way in RECOMPUTE}, options.recompute, "way to recompute")
    if options.zero not in (0, 1, 2, 3):
        raise ConfigError(f"zero is {options.zero}.", "Use a ZeRO stage from 0 (nothing shared) to 3 (all shared).")
    if options.job is not None:
        job_kind(options.job)
    if options.devices is not None and positive(options.devices, "devices") > MOST_DEVICES:
        raise ConfigError(f"devices is {options.devices:g}, more than were ever built.", "Use a smaller number.")
    if options.year is not None and options.year not in YEARS:
        raise ConfigError(
            f"year is {options.year}.", f"Use the year of the run, {YEARS.start} to {YEARS.stop - 1}, or leave it out."
        )
    for name in ("sequences", "checkpoints"):
        positive(getattr(options, name), name)
    check_tensor_parallel(options, shape)
    if options.context_length is not None and shape is None:
        raise ConfigError("--context is given without a shape.", "Name a --shape, or give --layers and --width.")
    if options.goodput is not None and options.utilisation is None:
        raise ConfigError(
            "A goodput is given without a utilisation.",
            "Intervals of published runs hold lost time already; give the utilisation of the steady state too.",
        )


def check_tensor_parallel(options: Options, shape: Shape | None) -> None:
    """Raise ConfigError for a cut of the matrices that the heads or the number of devices do not allow."""
    cut, devices = options.tensor_parallel, options.devices
    if cut is None:
        return
    positive(cut, "tensor_parallel")
    if shape and shape.n_heads % cut:
        raise ConfigError(
            f"tensor_parallel is {cut:g}, and the model has {shape.n_heads} heads.",
            "Each device takes as many whole heads: use a number that divides the heads.",
        )
    if cut > MOST_HEADS:
        raise ConfigError(
            f"tensor_parallel is {cut:g}, and no model has more than {MOST_HEADS} heads.",
            "Each device takes whole heads: use at most as many devices as heads.",
        )
    if devices is not None and devices % cut:
        raise ConfigError(
            f"{devices:,} devices cannot be cut into groups of {cut:g}, as tensor_parallel asks.",
            f"Use a multiple of {cut:g} for --devices, or another --tensor-parallel.",
        )


def bill_of(flops: float, active: float, accelerator: Accelerator, options: Options, run: Run | None) -> Bill:
    """Return the bill of an estimate; the fit of utilisation leaves the run itself out."""
    kind = None if options.job is None else job_kind(options.job)
    size = run.parameters_active if run and run.parameters_active else active  # as the fit takes them
    job = Job(flops, size, peak_flops(accelerator), kind, options.year)
    extra = {} if options.carbon_kg_per_kwh is None else {"carbon_kg_per_kwh": options.carbon_kg_per_kwh}
    return make_bill(
        job,
        accelerator,
        utilisation=options.utilisation,
        goodput=options.goodput,
        devices=options.devices,
        price_usd_per_hour=options.price_usd_per_hour,
        pue=options.pue,
        without=run.name if run else "",
        **extra,
    )


def sources_of(estimate: Estimate) -> list[dict[str, str]]:
    """Return where the figures of an estimate come from, each with its quality."""
    found = [("accelerator", estimate.accelerator.source, estimate.accelerator.quality)]
    if estimate.published:
        found.insert(0, ("run", estimate.published.source, estimate.published.quality))
    if estimate.shape:
        found.insert(0, ("shape", estimate.shape.source, estimate.shape.quality))
    found += [(what, source, "computed here") for what, source in ASSUMED_SOURCES.items()]
    if estimate.options.utilisation is not None:
        found = [(what, "given", "given") if what == "utilisation" else (what, *rest) for what, *rest in found]
    return [{"what": what, "source": source, "quality": quality} for what, source, quality in found]


def shape_dict(shape: Shape) -> dict:
    """Return a shape's sizes as JSON has them."""
    left_out = ("source", "quality", "organisation", "year", "parameters_total", "parameters_active")
    return {key: value for key, value in asdict(shape).items() if key not in left_out}
