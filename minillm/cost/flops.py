"""The exact count of operations for any shape, by part, and three ways in which published figures count them.

A matrix of k numbers takes 2 k operations a token, an attention score and its share in the mix 2 for each number
of the head. Backward takes twice as many as forward. The rest is as in `minillm.cost`.
"""

from dataclasses import dataclass

from minillm.cost import six_n_d
from minillm.cost.numbers import positive
from minillm.cost.shapes import (
    attention_matrices,
    check_shape,
    count_shape,
    dense_matrices,
    expert_layers,
    expert_matrices,
)
from minillm.errors import ConfigError
from minillm.facts import Shape

RECOMPUTE = ("none", "selective", "full")
COUNTINGS = {
    "model": "model operations: matrices and head, attention over the tokens that are looked at",
    "6nd": "6 for each active parameter and token",
    "full": "matrices and head, attention over the whole square (or window), as PaLM's authors count",
    "hardware": "as full, and each layer's forward pass a second time (recomputation)",
}


@dataclass(frozen=True)
class FlopCount:
    """Operations of the forward pass for one token, by part."""

    attention_matrices: float
    attention_scores: float
    """Scores and the mix of values, over the tokens that are looked at."""
    feed_forward: float
    """The chosen experts and the router included."""
    head: float

    @property
    def forward(self) -> float:
        """Return those of the forward pass."""
        return self.attention_matrices + self.attention_scores + self.feed_forward + self.head

    @property
    def model(self) -> float:
        """Return those of training, model operations: forward, and backward with twice as many."""
        return 3 * self.forward

    def hardware(self, recompute: str = "none") -> float:
        """Return what the device computes: with `selective` the scores again, with `full` each layer again.

        The head is not computed again, for nothing after it has to be kept (Korthikanti et al. 2022).
        """
        if recompute not in RECOMPUTE:
            raise ConfigError(f"recompute '{recompute}' is unknown.", f"Use one of {', '.join(RECOMPUTE)}.")
        again = {"none": 0, "selective": self.attention_scores, "full": self.forward - self.head}
        return self.model + again[recompute]


def tokens_seen(context_length: int, window: int = 0, causal: bool = True) -> float:
    """Return how many tokens one token looks at on average, itself included, in sequences of `context_length`.

    Causal: 1, 2, 3, ... up to the window and then always the window; without one (T + 1) / 2. Not causal: all, or
    the window, as a program computes that hides the later half or never looks further.
    """
    length = positive(context_length, "context_length")
    reach = min(window or length, length)
    if not causal:
        return reach
    return (reach * (reach + 1) / 2 + (length - reach) * reach) / length


def flops_of(shape: Shape, causal: bool = True) -> FlopCount:
    """Return the operations of the forward pass for each token, in sequences of the shape's context length."""
    check_shape(shape)
    layers, sparse = shape.n_layers, expert_layers(shape)
    chosen = (shape.n_experts_active + shape.n_experts_shared) * expert_matrices(shape)
    router = shape.d_model * shape.n_experts
    key = shape.d_head + shape.d_rope
    value = shape.d_value if shape.kv_rank else shape.d_head
    if shape.positions == "relative":
        key += shape.d_head  # a query meets each key and each distance
    score = 2 * shape.n_heads * (key + value)
    everywhere = layers - shape.n_window_layers
    seen = everywhere * tokens_seen(shape.context_length, causal=causal)
    if shape.n_window_layers:
        seen += shape.n_window_layers * tokens_seen(shape.context_length, shape.window, causal)
    return FlopCount(
        attention_matrices=2 * layers * attention_matrices(shape),
        attention_scores=score * seen,
        feed_forward=2 * ((layers - sparse) * dense_matrices(shape) + sparse * (chosen + router)),
        head=2 * shape.d_model * shape.vocab_size,
    )


def run_flops(shape: Shape, tokens: float, counting: str = "model") -> float:
    """Return the operations of a whole run, counted in one of the ways of `COUNTINGS`."""
    positive(tokens, "tokens")
    if counting == "6nd":
        return six_n_d(count_shape(shape).active, tokens)
    ways = {
        "model": lambda: flops_of(shape).model,
        "full": lambda: flops_of(shape, causal=False).model,
        "hardware": lambda: flops_of(shape, causal=False).hardware("full"),
    }
    if counting not in ways:
        raise ConfigError(f"The counting '{counting}' is unknown.", f"Use one of {', '.join(COUNTINGS)}.")
    return tokens * ways[counting]()
