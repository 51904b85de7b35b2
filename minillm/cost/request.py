"""From what is typed on the command line to an estimate: every word read, checked and named if it cannot be."""

from dataclasses import replace

from minillm.cost.bill import find_accelerator
from minillm.cost.estimate import Estimate, Options, estimate_named, estimate_run, estimate_shape, estimate_totals
from minillm.cost.numbers import parse_interval, parse_number, parse_share, parse_whole
from minillm.cost.shapes import check_shape
from minillm.cost.utilisation import job_kind
from minillm.errors import ConfigError
from minillm.facts import Shape

BY_HAND = ("layers", "width", "heads")


def make_estimate(
    *,
    name: str | None = None,
    run: str | None = None,
    shape: str | None = None,
    params: str | None = None,
    active_params: str | None = None,
    tokens: str | None = None,
    context: str | None = None,
    layers: str | None = None,
    width: str | None = None,
    heads: str | None = None,
    kv_heads: str | None = None,
    hidden: str | None = None,
    vocab: str | None = None,
    window: str | None = None,
    window_layers: str | None = None,
    tied: bool = False,
    ungated: bool = False,
    **options: str | int | None,
) -> Estimate:
    """Return the estimate that the words ask for; raises ConfigError for none, two at once, or words that say nothing.

    Numbers are texts such as 7e9 or 7B; `options` are those of `read_options`.
    """
    by_hand = any(size is not None for size in (layers, width, heads))
    named = {"a name": name, "--run": run, "--shape": shape, "--params": params, "--layers and --width": by_hand}
    asked = [what for what, value in named.items() if value not in (None, False)]
    if len(asked) != 1:
        cause = f"{' and '.join(asked)} are given together." if asked else "Nothing says which run, shape or size."
        raise ConfigError(
            cause, 'Give one: a name such as "Llama-3.1 405B", --shape, --params with --tokens, or --layers.'
        )
    if active_params is not None and params is None:
        raise ConfigError("--active-params is given without --params.", "A named model has its own; give both or none.")
    shape_words = {"kv_heads": kv_heads, "hidden": hidden, "vocab": vocab}
    shape_words |= {"window": window, "window_layers": window_layers}
    if not by_hand:
        refuse_without_shape(shape_words | {"tied": tied or None, "ungated": ungated or None})
    chosen = read_options(**options)
    amount = None if tokens is None else parse_number(tokens, "tokens")
    if params is not None:
        active = None if active_params is None else parse_number(active_params, "active_params")
        return estimate_totals(parse_number(params, "params"), amount, active, with_length(chosen, context))
    if by_hand:
        sizes = {"layers": layers, "width": width, "heads": heads, "context": context} | shape_words
        return estimate_shape(shape_by_hand(sizes, gated=not ungated, tied=tied), amount, chosen)
    chosen = with_length(chosen, context)
    if run is not None:
        return estimate_run(run, amount, chosen)
    if shape is not None:
        return estimate_shape(shape, amount, chosen)
    return estimate_named(name, amount, chosen)


def with_length(options: Options, context: str | None) -> Options:
    """Return the options with sequences of `context` tokens."""
    return options if context is None else replace(options, context_length=parse_whole(context, "context"))


def refuse_without_shape(sizes: dict[str, object]) -> None:
    """Raise ConfigError where sizes are given that only a shape given by hand has."""
    given = [f"--{name.replace('_', '-')}" for name, value in sizes.items() if value is not None]
    if given:
        raise ConfigError(
            f"{' and '.join(given)} {'is' if len(given) == 1 else 'are'} given without --layers, --width and --heads.",
            "What is named has its own shape: leave it out, or give a whole shape by hand.",
        )


def shape_by_hand(sizes: dict[str, str | None], gated: bool, tied: bool) -> Shape:
    """Return a shape from its sizes as texts."""
    missing = [name for name in BY_HAND if sizes[name] is None]
    if missing:
        raise ConfigError(
            f"A shape needs --{' and --'.join(missing)} too.", "Give --layers, --width and --heads together."
        )
    read = {name: parse_whole(text, name) for name, text in sizes.items() if text is not None}
    d_model, n_heads = read["width"], read["heads"]
    if d_model % n_heads:
        raise ConfigError(f"width {d_model} is not divisible by heads {n_heads}.", "Use a multiple of the heads.")
    return check_shape(
        Shape(
            name="given shape",
            n_layers=read["layers"],
            d_model=d_model,
            n_heads=n_heads,
            n_kv_heads=read.get("kv_heads", n_heads),
            d_head=d_model // n_heads,
            d_hidden=read.get("hidden", 8 * d_model // 3 if gated else 4 * d_model),
            vocab_size=read.get("vocab", 32_000),
            context_length=read.get("context", 2048),
            gated=gated,
            tied=tied,
            window=read.get("window", 0),
            n_window_layers=read.get("window_layers", read["layers"] if "window" in read else 0),
        )
    )


def read_options(
    *,
    accelerator: str | None = None,
    devices: str | None = None,
    job: str | None = None,
    year: str | None = None,
    utilisation: str | None = None,
    goodput: str | None = None,
    price: str | None = None,
    pue: str | None = None,
    carbon: str | None = None,
    recompute: str | None = None,
    zero: int | None = None,
    tensor_parallel: str | None = None,
    sequences: str | None = None,
    checkpoints: str | None = None,
) -> Options:
    """Return the options of an estimate from texts; raises ConfigError for those that cannot be."""
    if accelerator is not None:
        accelerator = find_accelerator(accelerator).id
    found = Options(accelerator=accelerator, job=None if job is None else job_kind(job), recompute=recompute)
    wholes = {"devices": devices, "year": year, "tensor_parallel": tensor_parallel}
    wholes |= {"sequences": sequences, "checkpoints": checkpoints}
    shares = {"utilisation": utilisation, "goodput": goodput}
    # an owned machine and clean power cost nothing
    ranges = {
        "price_usd_per_hour": (price, "2.5 or 2-3", True),
        "pue": (pue, "1.1 or 1.08-1.2", False),
        "carbon_kg_per_kwh": (carbon, "0.4 or 0.06-0.43", True),
    }
    read: dict = {name: parse_whole(text, name) for name, text in wholes.items() if text is not None}
    read |= {name: parse_share(text, name) for name, text in shares.items() if text is not None}
    read |= {name: parse_interval(text, name, *how) for name, (text, *how) in ranges.items() if text is not None}
    if zero is not None:
        read["zero"] = zero
    return replace(found, **read)
