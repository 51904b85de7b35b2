"""Fine-tuning with the prompt masked out: pairs to batches, the loop, with or without rehearsal, and the answers.

B sequences in a batch, T tokens in a sequence. A pair is one short document: the prompt in a layout of plain words,
the answer, end-of-text. Only the answer and its end-of-text count in the loss.
"""

import random
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from minillm import base_model, checkpoint
from minillm.batches import Tokens, get_batch
from minillm.classroom.tuning.pairs import LAYOUT, Pair
from minillm.errors import ConfigError, DataError
from minillm.loss import cross_entropy
from minillm.model import Transformer
from minillm.tokenizer import Tokenizer

RATE = 5e-4
ANSWER_TOKENS = 40
"""An answer is cut here if end-of-text does not come before."""
TEMPERATURE = 0.7
"""As in notebook 09: with the likeliest token each time a small model often runs in circles."""


def start_from(run: Path | str | None = None) -> Transformer:
    """Return the model to begin with: the course's base model, or the newest whole checkpoint of a run of your own.

    Raises CheckpointError if there is none.
    """
    if run is None:
        return base_model.load()
    newest, _ = checkpoint.newest_whole(Path(run) / "checkpoints")
    return checkpoint.load_model(newest or Path(run))


# --- pairs to batches


def prompt_ids(tokenizer: Tokenizer, prompt: str) -> list[int]:
    """Return the ids of a prompt in its layout, as at the beginning of a document."""
    return [tokenizer.end_of_text, *tokenizer.encode(LAYOUT.format(prompt=prompt))]


def pair_ids(tokenizer: Tokenizer, pair: Pair) -> tuple[list[int], list[int]]:
    """Return a pair's ids, end-of-text first and last, and for each of its targets whether it counts (1) or not (0).

    There is one target fewer than ids: target t is id t + 1.
    """
    before = prompt_ids(tokenizer, pair.prompt)
    after = [*tokenizer.encode(f" {pair.answer}"), tokenizer.end_of_text]
    return before + after, [0] * (len(before) - 1) + [1] * len(after)


def pair_batch(tokenizer: Tokenizer, pairs: Sequence[Pair], longest: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return inputs, targets and mask of some pairs, each [B, T]; shorter ones are padded, and padding never counts.

    What stands after an answer cannot change it, because no position looks ahead. Raises DataError for a pair of more
    than `longest` tokens.
    """
    rows = [pair_ids(tokenizer, pair) for pair in pairs]
    width = max(len(ids) for ids, _ in rows)
    if width > longest:
        raise DataError(f"A pair has {width} tokens and the model sees {longest}.", "Shorten its prompt or its answer.")
    ids = torch.full((len(rows), width), tokenizer.end_of_text)
    mask = torch.zeros(len(rows), width - 1, dtype=torch.long)
    for row, (pair_tokens, counts) in enumerate(rows):
        ids[row, : len(pair_tokens)] = torch.tensor(pair_tokens)
        mask[row, : len(counts)] = torch.tensor(counts)
    return ids[:, :-1], ids[:, 1:], mask


def draw_pairs(pairs: Sequence[Pair], batch_size: int, seed: int) -> Iterator[list[Pair]]:
    """Yield batches without end: all pairs in a new order, again and again."""
    rng, waiting = random.Random(seed), []
    while True:
        while len(waiting) < batch_size:
            waiting += rng.sample(pairs, len(pairs))
        yield waiting[:batch_size]
        waiting = waiting[batch_size:]


# --- the loop


def fine_tune(
    model: Transformer,
    tokenizer: Tokenizer,
    pairs: Sequence[Pair],
    *,
    steps: int,
    rate: float = RATE,
    batch_size: int = 16,
    rehearsal: Tokens | None = None,
    rehearsal_batch: int = 4,
    seed: int = 0,
) -> Iterator[tuple[int, float]]:
    """Update all weights of the model on the pairs; yield each step and its loss on the answers, in nats a token.

    With `rehearsal`, each step also has a batch of the text that the model was pretrained on.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.95), weight_decay=0.0)
    batches = draw_pairs(pairs, batch_size, seed)
    context = model.config.context_length
    for step in range(1, steps + 1):
        model.train()
        inputs, targets, mask = pair_batch(tokenizer, next(batches), context)
        answers_nats = cross_entropy(model(inputs), targets, mask)
        total = answers_nats
        if rehearsal is not None:
            old, following = get_batch(
                rehearsal, seed=1000 + seed, step=step, batch_size=rehearsal_batch, context_length=context
            )
            total = answers_nats + cross_entropy(model(old), following)
        optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        model.eval()
        yield step, answers_nats.item()


# --- answers


@torch.no_grad()
def answers(
    model: Transformer,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    *,
    examples: Sequence[Pair] = (),
    max_tokens: int = ANSWER_TOKENS,
    temperature: float = TEMPERATURE,
    seed: int = 0,
) -> list[tuple[str, bool]]:
    """Return, for each prompt, what the model says and whether it ended by itself.

    A reply hangs on its prompt and the seed, not on the other prompts; those of equal length go through the model
    together. `examples` are put in front of each prompt, as documents that the model may imitate. Raises ConfigError
    for a prompt that leaves no room for an answer.
    """
    shown = [i for pair in examples for i in pair_ids(tokenizer, pair)[0][:-1]]  # the next one begins with that id
    by_length = defaultdict(list)
    for place, prompt in enumerate(prompts):
        ids = shown + prompt_ids(tokenizer, prompt)
        if len(ids) + max_tokens > model.config.context_length:
            raise ConfigError(f"The prompt has {len(ids)} tokens, too many for this model.", "Shorten the prompt.")
        by_length[len(ids)].append((place, ids))
    found: list[tuple[str, bool]] = [("", False)] * len(prompts)
    for group in by_length.values():
        lots = [torch.Generator().manual_seed(lot_of(prompts[place], seed)) for place, _ in group]
        replies = draw(model, [ids for _, ids in group], lots, max_tokens, temperature, tokenizer.end_of_text)
        for (place, _), reply in zip(group, replies, strict=True):
            ended = tokenizer.end_of_text in reply
            found[place] = tokenizer.decode(reply[: reply.index(tokenizer.end_of_text)] if ended else reply), ended
    return found


def lot_of(prompt: str, seed: int) -> int:
    """Return a seed that no two prompts share."""
    return zlib.crc32(f"{prompt} {seed}".encode(errors="replace"))


def draw(
    model: Transformer,
    rows: Sequence[list[int]],
    lots: Sequence[torch.Generator],
    max_tokens: int,
    temperature: float,
    stop: int,
) -> list[list[int]]:
    """Continue rows of equal length, each with its own lot, until all have met `stop` or are long enough."""
    cache, fresh = model.new_cache(), torch.tensor(rows, device=model.device)
    replies: list[list[int]] = [[] for _ in rows]
    for _ in range(max_tokens):
        logits = model(fresh, cache)[:, -1].double().cpu()  # [B, V]
        if temperature == 0:
            chosen = logits.argmax(-1).tolist()
        else:
            weights = torch.softmax(logits / temperature, dim=-1)
            chosen = [int(torch.multinomial(row, 1, generator=lot)) for row, lot in zip(weights, lots, strict=True)]
        for reply, token in zip(replies, chosen, strict=True):
            reply.append(token)
        if all(stop in reply for reply in replies):
            break
        fresh = torch.tensor([reply[-1:] for reply in replies], device=model.device)  # [B, 1]
    return replies
