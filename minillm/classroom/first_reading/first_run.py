"""The first pretraining run of the course, watched at a few moments: what it writes and what it has learned by then."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from minillm.batches import Tokens, get_batch
from minillm.classroom.first_reading.probes import PROBES, all_margins, crossed, log_probabilities
from minillm.classroom.first_reading.statements import text_of, times_stated
from minillm.config import PRESETS, SIZES, ModelConfig, TrainConfig
from minillm.loss import cross_entropy
from minillm.model import Transformer
from minillm.runtime import keep_freed_memory, pick_device
from minillm.sampling import generate
from minillm.tokenizer import END_OF_TEXT, Tokenizer
from minillm.train import train

MODEL: ModelConfig = SIZES["mini"]
TRAINING: TrainConfig = dataclasses.replace(PRESETS["minute"].train, steps=500, precision="fp32")
DEEP: TrainConfig = dataclasses.replace(TRAINING, steps=5000)
"""The same run ten times as long."""
MOMENTS = (0, 10, 30, 100, 250, 500)
"""Steps after which the run is looked at; 0 is before the first."""
PROMPTS = ("The history of", "My fellow citizens", "Machine learning is a branch of", "Return the")
SAMPLE_TOKENS = 40
TEMPERATURE = 0.6
"""Leaning to the likelier tokens: a small model's next best guesses are often no words."""
SHOWN_AGAIN = 50
"""Batches that the finished model is shown again, and as many new ones."""


def pretrain(
    tokens: Tokens,
    tokenizer: Tokenizer,
    *,
    model: ModelConfig = MODEL,
    training: TrainConfig = TRAINING,
    moments: Sequence[int] = MOMENTS,
) -> Iterator[dict]:
    """Pretrain a model from random weights; yield a record a step, and at each moment one with samples and margins.

    A step's record is that of `train`. A moment's has `step`, `samples` (prompt and text each), `margins` (the items'
    margins in nats by probe set) and `example_log_p` (the four log-probabilities behind the first grammar item). The
    last step is a moment too, and its record has also what `show_again` returns.
    """
    keep_freed_memory()
    torch.manual_seed(training.seed)
    transformer = Transformer(model).to(pick_device())
    if 0 in moments:
        yield look(transformer, tokenizer, 0)
    for record in train(transformer, tokens, training):
        yield dataclasses.asdict(record)
        if record.step == training.steps:
            yield look(transformer, tokenizer, record.step) | show_again(transformer, tokens, training)
        elif record.step in moments:
            yield look(transformer, tokenizer, record.step)


def look(model: Transformer, tokenizer: Tokenizer, step: int) -> dict:
    """Return what the model writes and how it does on the probes at this step."""
    samples = [
        # each prompt has its own seed, the same at every moment: only the model changes
        {
            "prompt": prompt,
            "text": generate(model, tokenizer, prompt, SAMPLE_TOKENS, temperature=TEMPERATURE, seed=seed),
        }
        for seed, prompt in enumerate(PROMPTS)
    ]
    example = log_probabilities(model, tokenizer, crossed(PROBES["grammar"][0]))
    return {"step": step, "samples": samples, "margins": all_margins(model, tokenizer), "example_log_p": example}


@torch.no_grad()
def show_again(model: Transformer, tokens: Tokens, training: TrainConfig) -> dict:
    """Return the model's mean loss, in nats, on batches of its run and on those that would have come next.

    The first are spread evenly over the run. Batches are drawn at random, so the others may hold a passage read before.
    """

    def mean_loss(steps: Sequence[int]) -> float:
        batches = (
            get_batch(
                tokens,
                seed=training.seed,
                step=int(step),
                batch_size=training.batch_size,
                context_length=model.config.context_length,
            )
            for step in steps
        )
        losses = [
            cross_entropy(model(ids.to(model.device)), targets.to(model.device)).item() for ids, targets in batches
        ]
        return sum(losses) / len(losses)

    count = min(SHOWN_AGAIN, training.steps)
    model.eval()
    return {
        "read_loss_nats": mean_loss(np.linspace(1, training.steps, count)),
        "new_loss_nats": mean_loss(range(training.steps + 1, training.steps + 1 + count)),
    }


def kinds_of_text(tokens: Tokens, tokenizer: Tokenizer, excerpt_tokens: int = 40) -> Iterator[dict]:
    """Yield a record for each kind of text: documents, bytes, tokens, weight, and how its first document begins."""
    for kind, ids in tokens.train.items():
        about = tokens.summary["kinds"][kind]
        yield {
            "kind": kind,
            "documents": about["train_documents"],
            "bytes": about["train_bytes"],
            "tokens": len(ids),
            "weight": tokens.weights[kind],
            "excerpt": tokenizer.decode(ids[1 : 1 + excerpt_tokens].tolist()),
        }


def compare_with_text(tokens: Tokens, tokenizer: Tokenizer, written: Sequence[str]) -> Iterator[dict]:
    """Yield one record: what the samples copied from the training text, and how often it states each probed fact.

    `copied` is the longest run, beginning at a word, of each sample; `copied_by_people` that of a held-out passage of
    the same length. `repeats` counts each fact's rarer half in the training text.
    """
    text = b"".join(text_of(ids, tokenizer) for ids in tokens.train.values())
    samples = [sample.encode("utf-8") for sample in written]
    kinds = itertools.cycle(tokens.held_out.values())
    people = [passage(next(kinds), tokenizer, len(sample)) for sample in samples]
    yield {
        "copied": [longest_copied(sample, text).decode("utf-8", "replace") for sample in samples],
        "copied_by_people": [longest_copied(own, text).decode("utf-8", "replace") for own in people],
        "repeats": times_stated(tokens, tokenizer, PROBES["facts"]),
    }


def passage(held_out: np.ndarray, tokenizer: Tokenizer, n_bytes: int) -> bytes:
    """Return so many bytes from the middle of the longest of the first documents of a held-out stream."""
    documents = text_of(held_out[:20_000], tokenizer).split(END_OF_TEXT.encode("utf-8"))
    longest = max(documents, key=len)
    return longest[len(longest) // 2 :][:n_bytes]


def longest_copied(written: bytes, text: bytes) -> bytes:
    """Return the longest run of `written`, beginning at a word, that stands in `text` as it is."""
    longest = b""
    starts = [i for i in range(len(written)) if i == 0 or written[i - 1 : i].isspace()]
    for start in starts:
        while (end := start + len(longest) + 1) <= len(written) and written[start:end] in text:
            longest = written[start:end]
    return longest
