"""The experiments of notebook 03: a planted corpus, a table of pairs, and a game between two predictors.

V different tokens, N pairs of neighbours. Runs are generators: they yield what `runs.stream` can record.
"""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from minillm import base_model
from minillm.batches import Tokens, prepare_tokens
from minillm.classroom.games import Round, make_rounds
from minillm.config import ModelConfig, TrainConfig
from minillm.corpus.synthetic import planted_sentences, planted_shares
from minillm.evaluate import evaluate
from minillm.model import Transformer
from minillm.tokenizer import Tokenizer
from minillm.train import train

PROMPT = "Machine learning is a branch of"
"""The prompt of the planted corpus that the notebook follows."""

UNSEEN_PROMPTS = ("Deep learning is a branch of", "A bird sits on a branch of", "The garden is full of")
"""Prompts that the planted corpus does not hold: one near in meaning, one that only ends alike, one that does not."""

PLANTED_STEPS, GAME_STEPS = 200, 200
PLANTED_MODEL = ModelConfig(n_layers=2, d_model=64, n_heads=1, context_length=64)
PLANTED_TRAINING = TrainConfig(
    steps=PLANTED_STEPS, batch_size=24, optimizer="adamw", learning_rate=0.004, decay_fraction=1.0
)
GAME_MODEL = ModelConfig(n_layers=2, d_model=96, n_heads=1, context_length=64)
GAME_TRAINING = TrainConfig(steps=GAME_STEPS, batch_size=16)


# --- the planted corpus, and the black box that reads it


def planted_tokens(tokenizer: Tokenizer) -> Tokens:
    """Return the planted corpus as one stream of ids, end-of-text before each sentence and at the end."""
    ids = tokenizer.encode_documents(planted_sentences())
    return Tokens({"planted": ids}, {}, {}, {"planted": 1.0}, "planted", {})


def continuation_probability(model: Transformer, tokenizer: Tokenizer, prompt: str, continuation: str) -> float:
    """Return the probability of a continuation and its full stop: the product over its tokens."""
    before = [tokenizer.end_of_text, *tokenizer.encode(prompt)]
    after = tokenizer.encode(f" {continuation}.")
    ids = torch.tensor([before + after], device=model.device)
    with torch.no_grad():
        log_probabilities = model(ids[:, :-1])[0].log_softmax(-1)  # [T, V]
    chosen = log_probabilities[len(before) - 1 :].gather(1, ids[0, len(before) :, None])
    return math.exp(chosen.sum().item())


def read_planted(tokenizer: Tokenizer, *, steps: int = PLANTED_STEPS, seed: int = 0, every: int = 5) -> Iterator[dict]:
    """Train a small transformer on the planted corpus; yield its loss and the probability of each continuation.

    `unseen` has the probability of the most frequent continuation after each prompt that is not in the corpus.
    """
    torch.manual_seed(seed)
    model = Transformer(PLANTED_MODEL)
    config = TrainConfig(**{**PLANTED_TRAINING.__dict__, "steps": steps, "seed": seed})
    for record in train(model, planted_tokens(tokenizer), config):
        if record.step == 1 or record.step % every == 0:
            found = {end: continuation_probability(model, tokenizer, PROMPT, end) for end in planted_shares(PROMPT)}
            yield {
                "step": record.step,
                "train_loss_nats": record.train_loss_nats,
                "probabilities": found,
                "unseen": {
                    prompt: continuation_probability(model, tokenizer, prompt, "artificial intelligence")
                    for prompt in UNSEEN_PROMPTS
                },
            }


# --- pairs of neighbours: counted, and learned


def count_pairs(ids: Sequence[int] | np.ndarray, vocab_size: int) -> Tensor:
    """Count how often each token is followed by each: [V, V], a row for the token, a column for its follower."""
    ids = torch.as_tensor(np.asarray(ids, dtype=np.int64))
    pairs = ids[:-1] * vocab_size + ids[1:]
    return torch.bincount(pairs, minlength=vocab_size**2).view(vocab_size, vocab_size)


def pair_loss(log_probabilities: Tensor, counts: Tensor) -> Tensor:
    """Return the mean surprise over all counted pairs, in nats, for logs of probabilities [V, V]; a scalar."""
    return -(counts * log_probabilities).sum() / counts.sum()


def counted_loss(counts: Tensor) -> float:
    """Return the loss of the table of shares on the pairs that it was counted from, in nats: the least possible."""
    shares = counts.double() / counts.sum(1, keepdim=True).clamp(min=1)
    return pair_loss(shares.clamp(min=1e-300).log(), counts.double()).item() + 0.0  # never -0.0


def train_table(counts: Tensor, steps: int, seed: int = 0) -> Iterator[tuple[int, float, Tensor]]:
    """Learn a table by gradient descent on all pairs; yield step, loss in nats, and its logits [V, V]."""
    torch.manual_seed(seed)
    table = torch.nn.Embedding(*counts.shape)
    torch.nn.init.normal_(table.weight, std=0.02)
    optimizer = torch.optim.Adam(table.parameters(), lr=0.3)
    for step in range(1, steps + 1):
        loss = pair_loss(table.weight.log_softmax(1), counts)
        yield step, loss.item(), table.weight.detach()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


# --- the game


def speeches(tokenizer: Tokenizer) -> Tokens:
    """Return a small part of the course's books as tokens, a training and a held-out stream."""
    whole = prepare_tokens("embedded", tokenizer, part=0.04, held_out_bytes=20_000)
    streams = [{"books": part["books"]} for part in (whole.train, whole.held_out, whole.held_out_bytes)]
    return Tokens(*streams, {"books": 1.0}, whole.fingerprint, {})


def smoothed(counts: Tensor, added: float = 0.03) -> Tensor:
    """Return shares [V, V] after adding a little to every count, so that nothing is impossible in another text."""
    return (counts + added) / (counts + added).sum(1, keepdim=True)


def next_token(model: Transformer) -> Callable[[Sequence[int]], list[float]]:
    """Return a player of the game: ids so far in, V probabilities of the next one out."""

    def player(ids: Sequence[int]) -> list[float]:
        with torch.no_grad():
            return model(torch.tensor([list(ids)], device=model.device))[0, -1].softmax(-1).tolist()

    return player


def train_player(tokens: Tokens, *, steps: int = GAME_STEPS, seed: int = 0) -> Iterator[tuple[dict, Transformer]]:
    """Train the game's model on the speeches; yield its loss and the model, step by step."""
    torch.manual_seed(seed)
    model = Transformer(GAME_MODEL)
    config = TrainConfig(**{**GAME_TRAINING.__dict__, "steps": steps, "seed": seed})
    for record in train(model, tokens, config):
        yield {"step": record.step, "train_loss_nats": record.train_loss_nats}, model


def held_out_losses(model: Transformer, shares: Tensor, tokens: Tokens) -> dict[str, float]:
    """Return what the table of pairs and the model pay on the held-out text, in nats a token."""
    pairs = count_pairs(tokens.held_out["books"], len(shares))
    return {"bigram": pair_loss(shares.log(), pairs).item(), "model": evaluate(model, tokens).val_loss_nats}


def held_out_rounds(
    model: Transformer, shares: Tensor, tokens: Tokens, tokenizer: Tokenizer, count: int
) -> list[Round]:
    """Make rounds of the game from the held-out text, the table of pairs against the model."""
    return rounds_of(tokens.held_out["books"].tolist(), model, shares, tokenizer, count)


def base_model_rounds(shares: Tensor, tokenizer: Tokenizer, count: int) -> list[Round]:
    """Make rounds from speeches that the course's base model has not read, the table of pairs against that model."""
    whole = prepare_tokens("embedded", tokenizer)
    return rounds_of(whole.held_out["books"].tolist(), base_model.load(), shares, tokenizer, count)


def rounds_of(ids: list[int], model: Transformer, shares: Tensor, tokenizer: Tokenizer, count: int) -> list[Round]:
    """Make rounds of the game from a stream of ids, the table of pairs against a model."""
    rows = shares.tolist()
    return make_rounds(ids, tokenizer.decode, lambda ids: rows[ids[-1]], next_token(model), count=count, seed=2)
