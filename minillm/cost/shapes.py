"""A model of any published shape: its parameters by part, total, active and embedding."""

from dataclasses import dataclass, replace

from minillm.config import ModelConfig
from minillm.cost.numbers import positive
from minillm.errors import ConfigError
from minillm.facts import Shape, find, shapes

WORDS = {"positions": ("rotary", "learned", "relative", "alibi"), "norm": ("layer", "rms", "none")}


@dataclass(frozen=True)
class ShapeCount:
    """Parameters of a shape, part by part; the parts add up to `total`."""

    embedding: int
    """Tables that are looked up and not multiplied: tokens, and learned positions."""
    attention: int
    feed_forward: int
    """All experts and their routers included."""
    norms: int
    """Without those of queries and keys, a hundredth of a percent."""
    head: int
    """0 where the token embedding is used again (tied)."""
    idle: int
    """The part of `feed_forward` that one token does not pass through: the experts not chosen."""

    @property
    def total(self) -> int:
        """Return all parameters."""
        return self.embedding + self.attention + self.feed_forward + self.norms + self.head

    @property
    def active(self) -> int:
        """Return those that take part in one token, embeddings included."""
        return self.total - self.idle

    @property
    def non_embedding(self) -> int:
        """Return all but the embeddings; an untied head counts here."""
        return self.total - self.embedding


def named_shape(name: str) -> Shape:
    """Return a published shape by its name or an unmistakable part of it; ConfigError names the nearest."""
    return find(shapes(), name)


def shape_of(config: ModelConfig, name: str = "minillm model") -> Shape:
    """Return the shape of one of this package's models."""
    old = config.form == "gpt2"
    return Shape(
        name=name,
        n_layers=config.n_layers,
        d_model=config.d_model,
        n_heads=config.n_heads,
        n_kv_heads=config.kv_heads,
        d_head=config.d_head,
        d_hidden=config.hidden_width,
        vocab_size=config.vocab_size,
        context_length=config.context_length,
        gated=not old,
        tied=config.ties_head,
        positions="learned" if old else "rotary",
        norm="layer" if old else "rms",
        biases=old,
    )


def check_shape(shape: Shape) -> Shape:
    """Return a shape that can be counted; raises ConfigError for one that cannot exist."""
    sizes = ["n_layers", "d_model", "n_heads", "n_kv_heads", "d_head", "d_hidden", "vocab_size", "context_length"]
    if shape.n_experts:
        sizes += ["n_experts_active", "d_expert"]
    if shape.kv_rank:
        sizes += ["d_value"]
    if shape.n_window_layers:
        sizes += ["window"]
    for size in sizes:
        positive(getattr(shape, size), size)
    for name, allowed in WORDS.items():
        if getattr(shape, name) not in allowed:
            raise ConfigError(f"{name} '{getattr(shape, name)}' is unknown.", f"Use one of {', '.join(allowed)}.")
    limits = {"n_window_layers": "n_layers", "n_dense_layers": "n_layers", "n_experts_active": "n_experts"}
    for part, whole in limits.items():
        if not 0 <= getattr(shape, part) <= getattr(shape, whole):
            number = f"{part} is {getattr(shape, part)}"
            raise ConfigError(f"{number}, and {whole} is {getattr(shape, whole)}.", f"Use 0 to {whole}.")
    if shape.n_heads % shape.n_kv_heads:
        raise ConfigError(
            f"n_kv_heads {shape.n_kv_heads} does not divide n_heads {shape.n_heads}.",
            "Each key-value head serves the same number of query heads: use a divisor of n_heads.",
        )
    return shape


def with_context(shape: Shape, context_length: int) -> Shape:
    """Return the shape with sequences of another length."""
    return check_shape(replace(shape, context_length=context_length))


def attention_matrices(shape: Shape) -> int:
    """Return the numbers in the matrices of one layer's attention that each token is multiplied by."""
    c, heads = shape.d_model, shape.n_heads
    if not shape.kv_rank:
        return 2 * c * heads * shape.d_head + 2 * c * shape.n_kv_heads * shape.d_head
    d_key = shape.d_head + shape.d_rope
    queries = shape.q_rank * (c + heads * d_key) if shape.q_rank else c * heads * d_key
    # down to the latent, and the part with positions that all heads share; up to keys and values
    latent = c * (shape.kv_rank + shape.d_rope) + shape.kv_rank * heads * (shape.d_head + shape.d_value)
    return queries + latent + heads * shape.d_value * c


def expert_matrices(shape: Shape) -> int:
    """Return the numbers in the matrices of one expert."""
    return (3 if shape.gated else 2) * shape.d_model * shape.d_expert


def dense_matrices(shape: Shape) -> int:
    """Return the numbers in the matrices of one dense feed-forward part."""
    return (3 if shape.gated else 2) * shape.d_model * shape.d_hidden


def expert_layers(shape: Shape) -> int:
    """Return how many layers hold experts."""
    return shape.n_layers - shape.n_dense_layers if shape.n_experts else 0


def count_shape(shape: Shape) -> ShapeCount:
    """Return the parameters of a shape, part by part."""
    check_shape(shape)
    c, layers, sparse = shape.d_model, shape.n_layers, expert_layers(shape)
    attention, dense, expert = attention_matrices(shape), dense_matrices(shape), expert_matrices(shape)
    if shape.kv_rank:
        attention += shape.q_rank + shape.kv_rank  # the norms of the latents
    if shape.positions == "relative":  # positions become keys through a matrix of their own (Transformer-XL)
        attention += c * shape.n_heads * shape.d_head
    if shape.biases:
        attention += (shape.n_heads + 2 * shape.n_kv_heads) * shape.d_head + c
        dense += (2 if shape.gated else 1) * shape.d_hidden + c
        expert += (2 if shape.gated else 1) * shape.d_expert + c
    router = c * shape.n_experts
    experts = sparse * (shape.n_experts + shape.n_experts_shared) * expert + sparse * router
    return ShapeCount(
        embedding=c * (shape.vocab_size + (shape.context_length if shape.positions == "learned" else 0)),
        attention=layers * attention,
        feed_forward=(layers - sparse) * dense + experts,
        norms=(2 * layers + 1) * c * {"layer": 2, "rms": 1, "none": 0}[shape.norm],
        head=0 if shape.tied else c * shape.vocab_size,
        idle=sparse * (shape.n_experts - shape.n_experts_active) * expert,
    )
