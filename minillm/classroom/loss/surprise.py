"""A small model that reads addresses of US presidents to Congress, and what each token of a text costs it, in bits.

T tokens in a window.
"""

import dataclasses
import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from minillm.batches import Tokens, prepare_tokens
from minillm.classroom import packed
from minillm.classroom.threads import one_thread
from minillm.config import ModelConfig, TrainConfig
from minillm.evaluate import stream_nats
from minillm.loss import token_surprise
from minillm.model import Transformer
from minillm.runtime import keep_freed_memory
from minillm.sampling import generate
from minillm.tokenizer import Tokenizer
from minillm.train import train

READER = ModelConfig(n_layers=2, d_model=96, n_heads=1, context_length=128)
TRAINING = TrainConfig(steps=300, batch_size=8)
MOMENTS = (1, 30, 300)
"""Steps after which the model writes and is measured on held-out text."""
PROMPT = "The people of this country"


# --- the model that reads


def addresses(tokenizer: Tokenizer, part: float = 0.2) -> Tokens:
    """Return a part of the course's books as tokens: addresses to Congress, two whole ones of them held out."""
    whole = prepare_tokens("embedded", tokenizer, part=part, held_out_bytes=20_000)
    streams = [{"books": part["books"]} for part in (whole.train, whole.held_out, whole.held_out_bytes)]
    return Tokens(*streams, {"books": 1.0}, whole.fingerprint, {})


def documents(stream: np.ndarray, tokenizer: Tokenizer) -> list[str]:
    """Return the texts of a stream of ids, cut at its end-of-text tokens."""
    ends = np.flatnonzero(np.asarray(stream) == tokenizer.end_of_text)
    return [tokenizer.decode(stream[a + 1 : b].tolist()) for a, b in itertools.pairwise(ends)]


def held_out_nats(model: Transformer, tokens: Tokens) -> float:
    """Return the loss on the held-out addresses, in nats a token."""
    ids = np.asarray(tokens.held_out["books"])
    return stream_nats(model, ids) / (len(ids) - 1)


def untrained(seed: int = 0) -> Transformer:
    """Return a reader that has read nothing."""
    torch.manual_seed(seed)
    return Transformer(READER)


def read_addresses(
    tokens: Tokens, tokenizer: Tokenizer, *, steps: int = TRAINING.steps, seed: int = 0
) -> Iterator[tuple[dict, Transformer]]:
    """Train the reader; yield a record and the model, a step at a time.

    At a moment the record has `held_out_loss_nats` and `text`, the continuation of the prompt; the last one has the
    `packed` model as well.
    """
    keep_freed_memory()
    model = untrained(seed)
    moments = {*MOMENTS[:-1], steps}
    with one_thread():
        for record in train(model, tokens, dataclasses.replace(TRAINING, steps=steps, seed=seed)):
            made = {"step": record.step, "train_loss_nats": record.train_loss_nats}
            if record.step in moments:
                made["held_out_loss_nats"] = held_out_nats(model, tokens)
                made["text"] = generate(model, tokenizer, PROMPT, 30, temperature=0.7, seed=1)
            if record.step == steps:
                made["packed"] = packed.pack(model)
            yield made, model


# --- the price of each token


@torch.no_grad()
def token_bits(model: Transformer, ids: Sequence[int]) -> np.ndarray:
    """Return the surprise at each id but the first, given those before it, in bits.

    A text longer than the context is read in windows that overlap by half, so that no token lacks what came before.
    """
    ids = torch.as_tensor(np.asarray(ids, dtype=np.int64))
    with one_thread():
        return _token_bits(model, ids)


def _token_bits(model: Transformer, ids: torch.Tensor) -> np.ndarray:
    context, bits, done = model.config.context_length, [], 0
    while done < len(ids) - 1:
        start = 0 if done == 0 else done - context // 2
        window = ids[start : start + context + 1]
        nats = token_surprise(model(window[None, :-1]), window[None, 1:])[0]
        bits.append(nats[done - start :].numpy() / math.log(2))
        done = start + len(window) - 1
    return np.concatenate(bits).astype(float) if bits else np.zeros(0)
