"""What a model is, what a run is, and the named sizes and presets of the course.

Both are frozen dataclasses, checked when they are made and varied with `dataclasses.replace`.
Names are the field's: n_layers, d_model, n_heads, vocab_size, context_length.
"""

import dataclasses
import difflib
import math
import types
import typing
from dataclasses import dataclass
from typing import Literal

from minillm.errors import ConfigError


def check_types(config: object) -> None:
    """Raise a ConfigError for a field whose value has another type than declared (an int may stand for a float)."""
    hints = typing.get_type_hints(type(config))
    for name, hint in hints.items():
        value = getattr(config, name)
        if typing.get_origin(hint) is Literal:
            allowed = (str,)
        elif isinstance(hint, types.UnionType):
            allowed = typing.get_args(hint)
        else:
            allowed = (typing.get_origin(hint) or hint,)  # tuple[str, ...] is checked as a tuple
        if float in allowed:
            allowed += (int,)
        wrong_bool = isinstance(value, bool) and bool not in allowed
        if wrong_bool or not isinstance(value, allowed):
            expected = " or ".join(t.__name__ for t in allowed if t is not types.NoneType)
            raise ConfigError(f"{name} is {value!r}, a {type(value).__name__}.", f"Give it a value of type {expected}.")


def check_positive(config: object, name: str) -> None:
    """Raise a ConfigError unless the named field is a finite number above zero."""
    value = getattr(config, name)
    if not value > 0 or not math.isfinite(value):
        raise ConfigError(f"{name} is {value}.", "Use a number above 0.")


@dataclass(frozen=True)
class ModelConfig:
    """The shape of a decoder-only transformer, in one of two forms.

    `gpt2`: LayerNorm, learned positions, GELU, biases, tied head (Radford et al. 2019).
    `modern`: RMSNorm, RoPE, QK-norm, SwiGLU, grouped key-value heads (the form of Qwen3; Llama's without QK-norm).
    """

    n_layers: int
    """Blocks, one after another."""
    d_model: int
    """Width: numbers that describe one token between the blocks."""
    n_heads: int
    """Query heads of each attention; d_model / n_heads is the width of one head."""
    vocab_size: int = 1024
    """Different tokens: ids run from 0 to vocab_size - 1."""
    context_length: int = 128
    """Tokens that the model can look at together."""
    form: Literal["gpt2", "modern"] = "modern"
    """Which of the two forms."""
    n_kv_heads: int | None = None
    """Key-value heads, shared by groups of query heads; None: as many as query heads."""
    d_hidden: int | None = None
    """Width inside a block's feed-forward part; None: 4 d_model for gpt2, 3 d_model for modern."""
    qk_norm: bool = True
    """Normalise queries and keys (modern form only)."""
    tied: bool | None = None
    """Use the token embedding as the output head too; None: yes for gpt2, no for modern."""
    rope_base: float = 10_000.0
    """Base of the rotary frequencies (modern form only)."""
    norm_eps: float = 1e-6
    """Added to a variance before its square root."""

    def __post_init__(self):
        check_types(self)
        if self.form not in ("gpt2", "modern"):
            raise ConfigError(f"form '{self.form}' is unknown.", "Use form='gpt2' or form='modern'.")
        for name in ("n_layers", "d_model", "n_heads", "vocab_size", "context_length", "rope_base", "norm_eps"):
            check_positive(self, name)
        for name in ("n_kv_heads", "d_hidden"):
            if getattr(self, name) is not None:
                check_positive(self, name)
        if self.d_model % self.n_heads:
            raise ConfigError(
                f"d_model {self.d_model} is not divisible by n_heads {self.n_heads}.",
                f"Use a width that is a multiple of {self.n_heads}, such as "
                f"{self.n_heads * max(1, self.d_model // self.n_heads)}.",
            )
        if self.n_heads % self.kv_heads:
            raise ConfigError(
                f"n_kv_heads {self.n_kv_heads} does not divide n_heads {self.n_heads}.",
                "Each key-value head serves the same number of query heads: use a divisor of n_heads.",
            )
        if self.form == "gpt2" and self.kv_heads != self.n_heads:
            raise ConfigError("The gpt2 form has no grouped key-value heads.", "Leave n_kv_heads out.")
        if self.form == "modern" and self.d_head % 2:
            raise ConfigError(
                f"Rotary positions turn pairs of numbers, and a head of {self.d_head} has an odd one.",
                "Use a d_model for which d_model / n_heads is even.",
            )

    @property
    def d_head(self) -> int:
        """Width of one attention head."""
        return self.d_model // self.n_heads

    # what is left out follows from the rest each time it is asked for, so that `replace` cannot leave it behind

    @property
    def kv_heads(self) -> int:
        """Key-value heads: `n_kv_heads`, or as many as query heads."""
        return self.n_heads if self.n_kv_heads is None else self.n_kv_heads

    @property
    def hidden_width(self) -> int:
        """Width inside the feed-forward part: `d_hidden`, or the form's multiple of d_model."""
        return (4 if self.form == "gpt2" else 3) * self.d_model if self.d_hidden is None else self.d_hidden

    @property
    def ties_head(self) -> bool:
        """Whether the token embedding is the output head too: `tied`, or the form's custom."""
        return self.form == "gpt2" if self.tied is None else self.tied


def gpt2_size(n_layers: int, d_model: int, n_heads: int) -> ModelConfig:
    """Return GPT-2's form with the vocabulary, context and epsilon of all its released sizes."""
    return ModelConfig(
        n_layers=n_layers,
        d_model=d_model,
        n_heads=n_heads,
        vocab_size=50257,
        context_length=1024,
        form="gpt2",
        norm_eps=1e-5,
    )


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained; everything besides the model and the text that decides the loss."""

    steps: int = 500
    """Updates of the weights, one batch each; a clock-limited run sets this after it has measured the machine."""
    batch_size: int = 12
    """Sequences in one update."""
    micro_batches: int = 1
    """Parts a batch is cut into to save memory; the update is the same."""
    optimizer: Literal["muon", "adamw"] = "muon"
    """Muon for the matrices inside the blocks and AdamW for the rest, or AdamW for all."""
    learning_rate: float = 0.01
    """Peak rate of AdamW."""
    muon_learning_rate: float = 0.02
    """Peak rate of Muon."""
    weight_decay: float = 0.1
    """Pull of the matrices towards zero, times the learning rate, at each step."""
    beta1: float = 0.9
    """AdamW: memory of the mean gradient."""
    beta2: float = 0.95
    """AdamW: memory of the squared gradient."""
    momentum: float = 0.95
    """Muon: memory of the gradient."""
    schedule: Literal["constant", "cosine", "wsd"] = "wsd"
    """Rate after warm-up: constant, down a cosine, or stable and then decaying (warm-up-stable-decay)."""
    warmup_steps: int = 0
    """Steps over which the rate rises from near zero."""
    decay_fraction: float = 0.4
    """Last part of a wsd run, in which the rate falls in a straight line."""
    final_rate: float = 0.0
    """Rate at the end, as a share of the peak (cosine and wsd)."""
    grad_clip: float = 1.0
    """Largest norm of the whole gradient; longer ones are shortened to it."""
    precision: Literal["fp32", "bf16", "fp16", "auto"] = "fp32"
    """Number format of the matrix products; auto: a clock-limited run measures which is faster, others take fp32."""
    seed: int = 0
    """Decides the first weights and the order of the data."""
    threads: int | None = None
    """CPU threads; None: as many as PyTorch chooses."""
    checkpoint_every: int = 0
    """Steps between checkpoints; 0: only at the end."""
    checkpoint_minutes: float = 10.0
    """Minutes after which a checkpoint is written in any case."""
    keep_last: int = 2
    """Checkpoints that are kept, at least 2, only those that verify counted."""

    def __post_init__(self):
        check_types(self)
        choices = {
            "optimizer": ("muon", "adamw"),
            "schedule": ("constant", "cosine", "wsd"),
            "precision": ("fp32", "bf16", "fp16", "auto"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ConfigError(f"{name} '{getattr(self, name)}' is unknown.", f"Use one of {', '.join(allowed)}.")
        for name in (
            "steps",
            "batch_size",
            "micro_batches",
            "learning_rate",
            "muon_learning_rate",
            "grad_clip",
            "checkpoint_minutes",
        ):
            check_positive(self, name)
        if self.steps > 10**9:
            raise ConfigError(f"steps is {self.steps}, more than any run takes.", "Use at most a billion.")
        if self.threads is not None:
            check_positive(self, "threads")
        for name in ("weight_decay", "warmup_steps", "final_rate", "checkpoint_every", "seed"):
            if getattr(self, name) < 0 or not math.isfinite(getattr(self, name)):
                raise ConfigError(f"{name} is {getattr(self, name)}, below zero or not a number.", "Use 0 or more.")
        for name in ("beta1", "beta2", "momentum"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}.", "Use a number from 0 to below 1.")
        if not 0 <= self.decay_fraction <= 1:
            raise ConfigError(f"decay_fraction is {self.decay_fraction}.", "Use a share from 0 to 1.")
        if self.seed >= 2**63:
            raise ConfigError(f"seed is {self.seed}.", "Use a seed below 2^63.")
        if self.batch_size % self.micro_batches:
            raise ConfigError(
                f"batch_size {self.batch_size} cannot be cut into {self.micro_batches} equal micro_batches.",
                "Use a divisor of the batch size.",
            )
        if self.warmup_steps > self.steps:
            raise ConfigError(
                f"The warm-up of {self.warmup_steps} steps ends after the run of {self.steps} steps.",
                "Use fewer warmup_steps or more steps.",
            )
        if self.keep_last < 2:
            raise ConfigError(
                f"keep_last is {self.keep_last}.",
                "Keep at least 2, so that one damaged checkpoint loses little.",
            )


@dataclass(frozen=True)
class RunConfig:
    """A whole run: a model, its training, the text, and what is looked at on the way; a run's config.json."""

    model: ModelConfig
    train: TrainConfig
    minutes: float | None = None
    """Training time by the clock; the run then measures the machine and sets train.steps. None: train.steps decides."""
    device: str | None = None
    """Where it is computed: cpu, cuda or mps; None: the best one present, which the run then writes down."""
    source: str = "embedded"
    """The text: `embedded`, `synthetic`, a file or folder of .txt, .md, .jsonl or .parquet, or `hf:OWNER/NAME`."""
    corpus_part: float = 1.0
    """Share of each source's documents that is read."""
    held_out_bytes: int = 250_000
    """Whole documents held out of each kind, in bytes."""
    filtered: bool | None = None
    """Apply the quality filters; None: to the embedded corpus only."""
    evaluations: int = 2
    """Evaluations on all held-out text, evenly spread, the last one at the end."""
    sample_moments: int = 6
    """Moments at which the prompts are completed: before the first step, then each later than the one before."""
    prompts: tuple[str, ...] = ("The history of", "The people of this country", "from sympy import", "Return the")
    """What is completed."""

    def __post_init__(self):
        if isinstance(self.prompts, list):  # JSON has no tuples
            object.__setattr__(self, "prompts", tuple(self.prompts))
        check_types(self)
        if not all(isinstance(prompt, str) and prompt for prompt in self.prompts):
            raise ConfigError(f"prompts are {self.prompts!r}.", "Give texts of at least one character.")
        if self.minutes is not None:
            check_positive(self, "minutes")
            if self.minutes > 365 * 24 * 60:
                raise ConfigError(f"minutes is {self.minutes:g}, more than a year.", "Use fewer minutes.")
        if not 0 < self.corpus_part <= 1:
            raise ConfigError(f"corpus_part is {self.corpus_part}.", "Use a share above 0, up to 1.")
        for name in ("held_out_bytes", "evaluations", "sample_moments"):
            check_positive(self, name)


SIZES: dict[str, ModelConfig] = {
    # the course's own, from a few seconds of one core to an hour of two
    "nano": ModelConfig(n_layers=1, d_model=32, n_heads=1, vocab_size=256, context_length=64),
    "micro": ModelConfig(n_layers=2, d_model=64, n_heads=1, context_length=64),
    "mini": ModelConfig(n_layers=3, d_model=128, n_heads=2),
    "small": ModelConfig(n_layers=4, d_model=192, n_heads=3, context_length=256),
    "base": ModelConfig(n_layers=6, d_model=256, n_heads=4, context_length=256),
    # GPT-2 as released: Radford et al. 2019, table 2
    "gpt2": gpt2_size(n_layers=12, d_model=768, n_heads=12),
    "gpt2-medium": gpt2_size(n_layers=24, d_model=1024, n_heads=16),
    "gpt2-large": gpt2_size(n_layers=36, d_model=1280, n_heads=20),
    "gpt2-xl": gpt2_size(n_layers=48, d_model=1600, n_heads=25),
}

PRESETS: dict[str, RunConfig] = {
    # seconds: to see that everything works
    "smoke": RunConfig(
        model=SIZES["micro"],
        train=TrainConfig(steps=60, batch_size=8),
        corpus_part=0.04,
        held_out_bytes=20_000,
    ),
    # the course's first run
    "minute": RunConfig(model=SIZES["mini"], train=TrainConfig(precision="auto"), minutes=1.0),
    # ten minutes of the same
    "laptop": RunConfig(model=SIZES["small"], train=TrainConfig(precision="auto"), minutes=10.0, evaluations=5),
    # the base model that comes with the course: an hour or two of two cores
    "shipped": RunConfig(
        model=SIZES["small"],
        train=TrainConfig(steps=6000, batch_size=16, precision="bf16", checkpoint_every=500),
        evaluations=6,
    ),
}


def named(table: dict, name: str, what: str):
    """Return the entry of a table by name, or raise a ConfigError that names the nearest one."""
    if name in table:
        return table[name]
    nearest = difflib.get_close_matches(name, table, n=1)
    hint = f"Did you mean '{nearest[0]}'? " if nearest else ""
    raise ConfigError(f"There is no {what} named '{name}'.", f"{hint}Known: {', '.join(table)}.")


def from_dict(cls: type, values: dict):
    """Make a config from a dict, as read from JSON; an unknown key is refused and the nearest one named."""
    fields = {field.name for field in dataclasses.fields(cls)}
    for key in values:
        if key not in fields:
            nearest = difflib.get_close_matches(key, fields, n=1)
            hint = f"Did you mean '{nearest[0]}'?" if nearest else f"Known: {', '.join(sorted(fields))}."
            raise ConfigError(f"{cls.__name__} has no setting '{key}'.", hint)
    missing = [
        field.name
        for field in dataclasses.fields(cls)
        if field.default is dataclasses.MISSING and field.name not in values
    ]
    if missing:
        raise ConfigError(f"{cls.__name__} lacks {', '.join(missing)}.", "Give every setting that has no default.")
    return cls(**values)
