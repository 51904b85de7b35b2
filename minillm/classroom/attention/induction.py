"""An induction head set by hand, for notebook 04: two attention layers of the package that complete A B ... A with B.

Nothing is trained. What the layers hand on, C = 80 numbers a token, has three parts of 26, one number a letter:
the token itself, the token before it, and the answer; two more numbers remain, the first of them always 1.
"""

import torch
from torch import Tensor

from minillm.classroom.attention.staircase import attention_weights
from minillm.config import ModelConfig
from minillm.model import Attention, rotary_angles

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TOKEN, BEFORE, ANSWER, ONE = 0, 26, 52, 78
"""Where the three parts begin, and the number that is always 1."""
CONFIG = ModelConfig(n_layers=2, d_model=80, n_heads=1, context_length=64, qk_norm=False, rope_base=1e12)
"""With this base pair 0 turns by 1 radian a position, pair 1 by half, and so on; from pair 14 on hardly at all."""
FIRST_STILL = 14
"""The first pair of numbers that RoPE hardly turns: from here on one number a letter is compared."""


def embed(ids: Tensor) -> Tensor:
    """Return ids [B, T] as rows of 80 numbers: a 1 at the letter, and the number that is always 1."""
    x = torch.zeros(*ids.shape, CONFIG.d_model)
    x[..., ONE] = 1.0
    return x.scatter(-1, TOKEN + ids[..., None], 1.0)


def empty_layer() -> Attention:
    """Return an attention layer of the package whose weights are all 0."""
    layer = Attention(CONFIG).requires_grad_(False)
    for weight in layer.parameters():
        weight.zero_()
    return layer


def previous_token_layer() -> Attention:
    """Return a layer that looks at the token just before and writes it into the part BEFORE."""
    layer, half = empty_layer(), CONFIG.d_head // 2
    angle = CONFIG.rope_base ** (-torch.arange(7) / half)  # how far each of the first pairs turns in one position
    layer.query.weight[0:7, ONE] = 20.0
    layer.key.weight[0:7, ONE] = 20.0 * angle.cos()  # a key turned further by one position:
    layer.key.weight[half : half + 7, ONE] = 20.0 * angle.sin()  # it fits the query one position later best
    copy_letters(layer, BEFORE)
    return layer


def matching_layer() -> Attention:
    """Return a layer that looks for tokens that came after the present one before, the last first; into ANSWER."""
    layer, half, letters = empty_layer(), CONFIG.d_head // 2, torch.arange(26)
    layer.query.weight[FIRST_STILL + letters, TOKEN + letters] = 100.0  # I am this letter: ...
    layer.key.weight[FIRST_STILL + letters, BEFORE + letters] = 100.0  # ... who came after it?
    layer.query.weight[half + 6, ONE] = 40.0  # one slow pair, a quarter of a turn apart:
    layer.key.weight[6, ONE] = 40.0  # the score falls with the distance, so the last occurrence wins
    copy_letters(layer, ANSWER)
    return layer


def copy_letters(layer: Attention, part: int) -> None:
    """Let a layer copy the letters that it looks at into a part of the 80 numbers."""
    letters = torch.arange(26)
    layer.value.weight[letters, TOKEN + letters] = 1.0
    layer.output.weight[part + letters, letters] = 1.0


def complete(ids: Tensor, layers: list[Attention]) -> Tensor:
    """Return the answer [B, T] at each position of ids [B, T]: the letter with the largest number in its part."""
    x = embed(ids)
    angles = tuple(part[: ids.shape[1]] for part in rotary_angles(CONFIG))
    for layer in layers:
        x = x + layer(x, angles)
    return x[..., ANSWER : ANSWER + 26].argmax(-1)


def followers(ids: Tensor) -> Tensor:
    """Return [B, T] what followed the last earlier occurrence of each id, and -1 where it has not occurred before."""
    found = torch.full_like(ids, -1)
    for b, row in enumerate(ids.tolist()):
        last: dict[int, int] = {}  # where each id stood last
        for t, i in enumerate(row):
            if i in last:
                found[b, t] = row[last[i] + 1]
            last[i] = t
    return found


def accuracy(answers: Tensor, ids: Tensor) -> float:
    """Return the share of right answers [B, T], among the positions whose id has occurred before."""
    right = followers(ids)
    return (answers == right)[right >= 0].float().mean().item()


def attention_maps(ids: Tensor, layers: list[Attention]) -> list[list[list[float]]]:
    """Return for each layer who looks where in the one sequence of ids [1, T]: a row for each token that looks."""
    x, maps = embed(ids), []
    angles = tuple(part[: ids.shape[1]] for part in rotary_angles(CONFIG))
    for layer in layers:
        maps.append(attention_weights(layer, x, angles)[0, 0].tolist())
        x = x + layer(x, angles)
    return maps
