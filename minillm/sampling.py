"""Logits to text: each step small enough to check by hand.

V different tokens; a sample is drawn token by token, each one fed back as input.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from minillm.errors import ConfigError
from minillm.model import Transformer
from minillm.tokenizer import Tokenizer


def probabilities(logits: Tensor, temperature: float = 1.0, top_k: int | None = None, top_p: float = 1.0) -> Tensor:
    """Turn logits [V] into probabilities [V] that sum to 1.

    Temperature divides the logits: below 1 it sharpens, 0 leaves the likeliest token alone. `top_k` keeps the k
    likeliest tokens; `top_p` keeps the fewest likeliest ones whose probabilities reach p (Holtzman et al. 2020).
    """
    if temperature == 0:
        return torch.zeros_like(logits).index_fill(0, logits.argmax(), 1.0)
    logits = logits.double()  # in 32 bits a tiny temperature would be 0
    p = torch.softmax((logits - logits.max()) / temperature, dim=0).float()
    ordered, order = p.sort(descending=True, stable=True)
    keep = torch.ones_like(ordered, dtype=torch.bool)
    if top_k is not None:
        keep[top_k:] = False
    if top_p < 1:
        before = ordered.cumsum(0) - ordered  # probability already covered by likelier tokens
        keep &= before < top_p
    kept = torch.zeros_like(p).index_copy(0, order, ordered * keep)
    return kept / kept.sum()


def check_sampling(temperature: float, top_k: int | None, top_p: float, max_tokens: int) -> None:
    """Raise a ConfigError for a setting out of its range."""
    if not 0 <= temperature <= 100:
        raise ConfigError(f"temperature is {temperature}.", "Use 0 (always the likeliest token) to 100; 0.8 is usual.")
    if top_k is not None and top_k < 1:
        raise ConfigError(f"top_k is {top_k}.", "Use 1 or more, or leave it out.")
    if not 0 < top_p <= 1:
        raise ConfigError(f"top_p is {top_p}.", "Use a number above 0, up to 1.")
    if max_tokens < 1:
        raise ConfigError(f"{max_tokens} tokens were asked for.", "Ask for 1 or more.")


@torch.no_grad()
def generate_ids(
    model: Transformer,
    ids: list[int],
    max_tokens: int,
    *,
    temperature: float = 0.8,
    top_k: int | None = None,
    top_p: float = 1.0,
    seed: int = 0,
    forbidden: tuple[int, ...] = (),
) -> Iterator[int]:
    """Yield max_tokens ids that continue the given ones; `forbidden` ids are never drawn.

    Past the end of the context the model goes on with the newest half of it. Raises ConfigError for a setting out
    of range, for no ids at all, and for more ids than the context holds.
    """
    check_sampling(temperature, top_k, top_p, max_tokens)
    context = model.config.context_length
    if not ids:
        raise ConfigError("There is nothing to continue.", "Give a prompt of at least one character.")
    if len(ids) > context:
        raise ConfigError(f"The prompt has {len(ids)} tokens and the model sees {context}.", "Shorten the prompt.")
    if not 0 <= seed < 2**63:
        raise ConfigError(f"seed is {seed}.", "Use a seed from 0 to below 2^63.")
    generator = torch.Generator().manual_seed(seed)
    was_training = model.training
    model.eval()
    cache, fresh = model.new_cache(), list(ids)
    seen = list(ids)
    try:
        for _ in range(max_tokens):
            if cache[0].length + len(fresh) > context:
                cache, fresh = model.new_cache(), seen[-max(1, context // 2) :]
            logits = model(torch.tensor([fresh], device=model.device), cache)[0, -1].float().cpu()  # [V]
            if forbidden:
                logits[list(forbidden)] = -torch.inf
            # drawn on the CPU, so that a seed means the same on every device
            token = int(torch.multinomial(probabilities(logits, temperature, top_k, top_p), 1, generator=generator))
            yield token
            seen.append(token)
            fresh = [token]
    finally:  # also when the caller stops early
        model.train(was_training)


def generate(
    model: Transformer,
    tokenizer: Tokenizer,
    prompt: str,
    max_tokens: int = 200,
    *,
    temperature: float = 0.8,
    top_k: int | None = None,
    top_p: float = 1.0,
    seed: int = 0,
) -> str:
    """Continue a prompt as if it began a document; return the continuation without the prompt.

    The end-of-text token is never drawn, so that the continuation has the length asked for.
    """
    if not prompt:
        raise ConfigError("The prompt is empty.", "Give at least one character to continue.")
    end = tokenizer.end_of_text
    ids = [end, *tokenizer.encode(prompt)]
    drawn = generate_ids(
        model,
        ids,
        max_tokens,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        seed=seed,
        forbidden=(end,),
    )
    return tokenizer.decode(list(drawn))
