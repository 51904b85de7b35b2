"""What a model costs to train, by arithmetic alone: parameters and floating-point operations, without torch.

Here are the two counts for this package's own models. They need nothing but a model's configuration, so that what
trains models does not hang on the tables of published figures; a test holds them equal to those of any shape.

The files beside it take any published shape, and go on from operations to the bill: numbers (as learners write them,
and intervals), shapes (parameters), flops (operations by part), memory (and storage), utilisation (the share of the
peak), bill (hours, dollars, energy, carbon), estimate (all of it together), audit (against the published runs), tables
(as JSON and text), request (the command line's words).

A matrix product of [m, k] by [k, n] takes 2 m k n operations: m k n multiplications and as many additions.
Backward takes two such products for each one forward, for the gradient of the input and for that of the
weights. Not counted, as is usual: what is done number by number (norms, activations, softmax, rotary
positions), the look-up of embeddings, and the optimizer.
"""

from dataclasses import dataclass

from minillm.config import ModelConfig
from minillm.errors import ConfigError


@dataclass(frozen=True)
class ParameterCount:
    """Parameters of a model, part by part; the parts add up to `total`."""

    token_embedding: int
    position_embedding: int
    """0 where positions are rotations (modern form)."""
    attention: int
    """Matrices, biases and query-key norms, of all blocks."""
    feed_forward: int
    """Matrices and biases, of all blocks."""
    norms: int
    """Before attention, before the feed-forward part, and the last one."""
    head: int
    """0 where the token embedding is used again (tied)."""

    @property
    def total(self) -> int:
        """Return all parameters."""
        return self.embedding + self.non_embedding

    @property
    def embedding(self) -> int:
        """Return those of the token and position embeddings, which are looked up and not multiplied."""
        return self.token_embedding + self.position_embedding

    @property
    def non_embedding(self) -> int:
        """Return all others; an untied head counts here."""
        return self.attention + self.feed_forward + self.norms + self.head


def count_parameters(config: ModelConfig) -> ParameterCount:
    """Return the parameters of a model from its shape, without making it."""
    c, layers = config.d_model, config.n_layers
    d_kv = config.kv_heads * config.d_head
    attention, feed_forward = _matrices(config)
    norm = c
    if config.form == "gpt2":  # biases of query, key, value, output; of up and down; scale and shift of a norm
        attention += c + 2 * d_kv + c
        feed_forward += config.hidden_width + c
        norm = 2 * c
    elif config.qk_norm:
        attention += 2 * config.d_head
    return ParameterCount(
        token_embedding=config.vocab_size * c,
        position_embedding=config.context_length * c if config.form == "gpt2" else 0,
        attention=layers * attention,
        feed_forward=layers * feed_forward,
        norms=(2 * layers + 1) * norm,
        head=0 if config.ties_head else config.vocab_size * c,
    )


def _matrices(config: ModelConfig) -> tuple[int, int]:
    """Return the numbers in the matrices of one block's attention and of its feed-forward part."""
    c, d_kv = config.d_model, config.kv_heads * config.d_head
    attention = c * c + 2 * c * d_kv + c * c  # query, key and value, output
    feed_forward = (2 if config.form == "gpt2" else 3) * c * config.hidden_width  # up, down, and SwiGLU's gate
    return attention, feed_forward


def forward_flops_per_token(config: ModelConfig, context_length: int | None = None, causal: bool = True) -> float:
    """Return the operations of one forward pass for each token of sequences of `context_length` tokens.

    2 for each number in a matrix, the head among them; and in each layer 4 d_model for each token looked at:
    its score, and its share in the mix of values. Looked at are the token itself and those before it,
    (T + 1) / 2 on average: half the context. With `causal=False` all T count, as in a program that computes
    the whole square and hides half of it, and as PaLM's authors count (Chowdhery et al. 2022).
    """
    length = config.context_length if context_length is None else context_length
    if length < 1:
        raise ConfigError(f"A context of {length} tokens cannot be counted.", "Use 1 or more.")
    attention, feed_forward = _matrices(config)
    head = config.d_model * config.vocab_size
    tokens_seen = (length + 1) / 2 if causal else length
    scores = 4 * config.d_model * tokens_seen  # q k for each head, then its weights times v: 2 (H D) each
    return 2 * (config.n_layers * (attention + feed_forward) + head) + config.n_layers * scores


def flops_per_token(config: ModelConfig, context_length: int | None = None, causal: bool = True) -> float:
    """Return the operations of training for each token: forward, and backward with twice as many."""
    return 3 * forward_flops_per_token(config, context_length, causal)


def training_flops(config: ModelConfig, tokens: float, context_length: int | None = None, causal: bool = True) -> float:
    """Return the operations of a whole run over `tokens` tokens."""
    if tokens < 0:
        raise ConfigError(f"A run over {tokens} tokens cannot be counted.", "Use 0 or more.")
    return tokens * flops_per_token(config, context_length, causal)


def six_n_d(parameters: float, tokens: float) -> float:
    """Return the rule of thumb for training, 6 operations for each parameter and token (Kaplan et al. 2020).

    It leaves out the scores of attention; with all parameters for N it counts embeddings, only looked up.
    """
    return 6 * parameters * tokens
