"""The model: token ids in, logits out, in two forms (see `ModelConfig`).

B sequences in a batch, T tokens in a sequence, S tokens seen so far, C = d_model, H heads, K key-value heads,
D = d_head, V = vocab_size. Read from top to bottom: each part uses only what stands above it.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from minillm.config import ModelConfig
from minillm.errors import ConfigError


def rotary_angles(config: ModelConfig) -> tuple[Tensor, Tensor]:
    """Return cosines and sines, each [T, D], of the angle by which each position turns each pair of numbers.

    Pair i of a head turns by base^(-2i/D) radians a position (Su et al. 2021); the pair is (i, i + D/2).
    """
    frequency = config.rope_base ** (-torch.arange(0, config.d_head, 2).float() / config.d_head)  # [D/2]
    angle = torch.arange(config.context_length).float()[:, None] * frequency  # [T, D/2]
    angle = torch.cat([angle, angle], dim=1)  # [T, D]
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair of numbers of x [B, H, T, D] by its position's angle (cos and sin [T, D])."""
    first, second = x.chunk(2, dim=-1)
    return x * cos.to(x.dtype) + torch.cat([-second, first], dim=-1) * sin.to(x.dtype)


class RMSNorm(nn.RMSNorm):
    """Divide each vector by its root mean square and scale each number by a weight (Zhang and Sennrich 2019)."""

    def forward(self, x: Tensor) -> Tensor:
        # squares and sums lose too much in 16 bits: compute in the weights' format, return the input's
        return super().forward(x.to(self.weight.dtype)).to(x.dtype)


class LayerCache:
    """Keys and values that one attention layer has computed so far, so that sampling need not repeat them."""

    def __init__(self):
        self.keys: Tensor | None = None
        self.values: Tensor | None = None

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Append new keys and values [B, K, T, D]; return all [B, K, S, D]."""
        if self.keys is not None:
            keys = torch.cat([self.keys, keys], dim=2)
            values = torch.cat([self.values, values], dim=2)
        self.keys, self.values = keys, values
        return keys, values

    @property
    def length(self) -> int:
        """Tokens whose keys are kept."""
        return 0 if self.keys is None else self.keys.shape[2]


class Attention(nn.Module):
    """Lets each token gather from the tokens before it: softmax(q k / sqrt(D)) weighs the values."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        bias = config.form == "gpt2"
        self.n_heads, self.n_kv_heads, self.d_head = config.n_heads, config.kv_heads, config.d_head
        self.query = nn.Linear(config.d_model, config.n_heads * config.d_head, bias=bias)
        self.key = nn.Linear(config.d_model, config.kv_heads * config.d_head, bias=bias)
        self.value = nn.Linear(config.d_model, config.kv_heads * config.d_head, bias=bias)
        self.output = nn.Linear(config.n_heads * config.d_head, config.d_model, bias=bias)
        normalise = config.form == "modern" and config.qk_norm
        self.query_norm = RMSNorm(config.d_head, eps=config.norm_eps) if normalise else nn.Identity()
        self.key_norm = RMSNorm(config.d_head, eps=config.norm_eps) if normalise else nn.Identity()

    def forward(self, x: Tensor, angles: tuple[Tensor, Tensor] | None, cache: LayerCache | None = None) -> Tensor:
        n_batch, n_new, _ = x.shape
        q = self.query(x).view(n_batch, n_new, self.n_heads, self.d_head).transpose(1, 2)  # [B, H, T, D]
        k = self.key(x).view(n_batch, n_new, self.n_kv_heads, self.d_head).transpose(1, 2)  # [B, K, T, D]
        v = self.value(x).view(n_batch, n_new, self.n_kv_heads, self.d_head).transpose(1, 2)
        q, k = self.query_norm(q), self.key_norm(k)
        if angles is not None:
            q, k = rotate(q, *angles), rotate(k, *angles)
        if cache is not None:
            k, v = cache.extend(k, v)
        mixed = causal_attention(q, k, v)
        return self.output(mixed.transpose(1, 2).flatten(2))  # [B, T, C]


def causal_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attend from the last T of S positions to them and all earlier ones: q [B, H, T, D], k and v [B, K, S, D]."""
    n_new, n_seen = q.shape[2], k.shape[2]
    grouped = q.shape[1] != k.shape[1]
    if n_new == n_seen:
        return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=grouped)
    visible = torch.ones(n_new, n_seen, dtype=torch.bool, device=q.device).tril(n_seen - n_new)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=visible, enable_gqa=grouped)


class GeluFeedForward(nn.Module):
    """GPT-2's feed-forward part: widen, bend with GELU, narrow; each token by itself."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.up = nn.Linear(config.d_model, config.hidden_width)
        self.down = nn.Linear(config.hidden_width, config.d_model)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.gelu(self.up(x), approximate="tanh"))


class SwigluFeedForward(nn.Module):
    """The modern feed-forward part: one widened copy opens and shuts the other (Shazeer 2020)."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.gate = nn.Linear(config.d_model, config.hidden_width, bias=False)
        self.up = nn.Linear(config.d_model, config.hidden_width, bias=False)
        self.down = nn.Linear(config.hidden_width, config.d_model, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.silu(self.gate(x)) * self.up(x))


def make_norm(config: ModelConfig) -> nn.Module:
    """Return the form's normalisation over the width."""
    if config.form == "gpt2":
        return nn.LayerNorm(config.d_model, eps=config.norm_eps)
    return RMSNorm(config.d_model, eps=config.norm_eps)


class Block(nn.Module):
    """One layer: look around (attention), then think (feed-forward), each added to what was there."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.attention_norm = make_norm(config)
        self.attention = Attention(config)
        self.feed_forward_norm = make_norm(config)
        self.feed_forward = GeluFeedForward(config) if config.form == "gpt2" else SwigluFeedForward(config)

    def forward(self, x: Tensor, angles: tuple[Tensor, Tensor] | None, cache: LayerCache | None = None) -> Tensor:
        x = x + self.attention(self.attention_norm(x), angles, cache)
        x = x + self.feed_forward(self.feed_forward_norm(x))
        return x


class Transformer(nn.Module):
    """A decoder-only transformer: ids [B, T] in, logits [B, T, V] out, one prediction for each position.

    Raises ConfigError for a sequence longer than the context.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.d_model)
        if config.form == "gpt2":
            self.position_embedding = nn.Embedding(config.context_length, config.d_model)
        else:
            cos, sin = rotary_angles(config)
            self.register_buffer("rotary_cos", cos, persistent=False)
            self.register_buffer("rotary_sin", sin, persistent=False)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        self.final_norm = make_norm(config)
        self.head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        initialise(self)
        if config.ties_head:
            self.head.weight = self.token_embedding.weight

    def forward(self, ids: Tensor, cache: list[LayerCache] | None = None) -> Tensor:
        start = cache[0].length if cache else 0
        end = start + ids.shape[1]
        if end > self.config.context_length:
            raise ConfigError(
                f"{end} tokens do not fit into a context of {self.config.context_length}.",
                "Give the model a shorter sequence, or make one with a larger context_length.",
            )
        x = self.token_embedding(ids)  # [B, T, C]
        angles = None
        if self.config.form == "gpt2":
            x = x + self.position_embedding(torch.arange(start, end, device=ids.device))
        else:
            angles = self.rotary_cos[start:end], self.rotary_sin[start:end]
        for index, block in enumerate(self.blocks):
            x = block(x, angles, cache[index] if cache else None)
        return self.head(self.final_norm(x))  # [B, T, V]

    def new_cache(self) -> list[LayerCache]:
        """Return an empty cache, one part a layer, to be handed to `forward` while sampling."""
        return [LayerCache() for _ in self.blocks]

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return self.token_embedding.weight.device


def initialise(model: Transformer) -> None:
    """Draw the first weights so that the first prediction is near even odds: a loss near ln V.

    Matrices N(0, 0.02), as GPT-2; the head's, for widths above 400, smaller, so that logits start within about 0.4
    of each other at every width (at GPT-2's 0.02 the loss of a wide model starts 0.15 to 0.2 above ln V). What each
    block adds starts small (gpt2: divided by sqrt(2 n_layers)) or at zero (modern), so that a deep stack starts as a
    shallow one. Modern embeddings start at a standard deviation of 1, the scale that the norm would give them anyway.
    """
    config = model.config
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
    nn.init.normal_(model.head.weight, std=min(0.02, 0.4 / config.d_model**0.5))
    if config.form == "gpt2" and config.ties_head:
        nn.init.normal_(model.token_embedding.weight, std=min(0.02, 0.4 / config.d_model**0.5))
    if config.form == "modern":
        # as the head too, a row meets its own normalised self: 1 / d_model keeps that logit at 1 instead of growing
        nn.init.normal_(model.token_embedding.weight, std=min(0.02, 1 / config.d_model) if config.ties_head else 1.0)
    for block in model.blocks:
        for last in (block.attention.output, block.feed_forward.down):
            if config.form == "modern":
                nn.init.zeros_(last.weight)
            else:
                nn.init.normal_(last.weight, std=0.02 / (2 * config.n_layers) ** 0.5)


def n_parameters(model: nn.Module) -> int:
    """Return the number of weights, shared ones counted once."""
    return sum(parameter.numel() for parameter in model.parameters())
