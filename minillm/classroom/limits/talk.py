"""A conversation with a model that only continues text: its weights before and after, and what it can still see."""

import hashlib
import math
from collections.abc import Sequence

import torch

from minillm.classroom.limits.in_context import log_p
from minillm.classroom.limits.prompts import continuations
from minillm.classroom.threads import one_thread
from minillm.config import TrainConfig
from minillm.model import Transformer
from minillm.optimizer import make_optimizers
from minillm.tokenizer import Tokenizer
from minillm.train import train_step

TURNS = ("My name is Otto, and I live in Cairo.", "What is my name?", "Please remember it.", "What is my name?")
REPLY_TOKENS = 24
STATEMENTS = (
    ("Paris is the capital of", "France", "Italy"),
    ("Rome is the capital of", "Italy", "Egypt"),
    ("London is the capital of", "England", "Japan"),
    ("Tokyo is the capital of", "Japan", "Spain"),
    ("George Washington was the first president of the United", "States", "Nations"),
    ("The Moon moves around the", "Earth", "Sun"),
    ("Water is made of hydrogen and", "oxygen", "iron"),
    ("A triangle has three", "sides", "legs"),
    ("Winter is colder than", "summer", "ice"),
    ("Fish live in the", "water", "air"),
)
"""The beginning of a statement, an end that makes it true, and one that makes it false."""


def weights_hash(model: Transformer) -> str:
    """Return the sha256 of all weights, in hex: any change of any bit gives another one."""
    digest = hashlib.sha256()
    for name, weight in sorted(model.state_dict().items()):
        digest.update(name.encode("utf-8") + weight.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def converse(model: Transformer, tokenizer: Tokenizer, turns: Sequence[str] = TURNS, seed: int = 0) -> str:
    """Hold a conversation: after each turn of ours the model continues all of it; return the whole text."""
    text = ""
    for number, turn in enumerate(turns):
        text += f"User: {turn}\nAssistant:"
        with one_thread():
            ((reply, _),) = continuations(model, tokenizer, text, (seed + number,), max_tokens=REPLY_TOKENS)
        text += f"{reply.splitlines()[0] if reply.strip() else ''}\n"
    return text


def after_one_step(model: Transformer, tokenizer: Tokenizer, text: str, *, rate: float = 1e-6) -> str:
    """Train the model by one small step on a text and return the new hash; this does change the weights."""
    config = TrainConfig(steps=1, learning_rate=rate, muon_learning_rate=rate, weight_decay=0.0)
    ids = torch.tensor([[tokenizer.end_of_text, *tokenizer.encode(text)]])[:, : model.config.context_length]
    with one_thread():
        train_step(model, make_optimizers(model, config), ids[:, :-1], ids[:, 1:])
    return weights_hash(model.eval())


def remembered_bits(
    model: Transformer, tokenizer: Tokenizer, before: str, question: str, word: str
) -> dict[str, float]:
    """Return the price in bits of a word after a question: with what was said before in view, and in a new text."""
    return {
        "in the same text": -log_p(model, tokenizer, f"{before}{question}", word) / math.log(2),
        "in a new text": -log_p(model, tokenizer, question, word) / math.log(2),
    }


def scrambled(text: str) -> str:
    """Return a text with its words in backward order."""
    return " ".join(reversed(text.split()))


def statement_bits(model: Transformer, tokenizer: Tokenizer) -> list[dict[str, float | str]]:
    """Return the price in bits of each statement: true, false, and true with its words in backward order."""

    def price(text: str) -> float:
        return -log_p(model, tokenizer, "", f"{text}.") / math.log(2)

    return [
        {
            "statement": f"{begin} {true}.",
            "false_end": false,
            "true": price(f"{begin} {true}"),
            "false": price(f"{begin} {false}"),
            "backward": price(scrambled(f"{begin} {true}")),
        }
        for begin, true, false in STATEMENTS
    ]
