"""What notebook 11 runs: a model before fine-tuning, on the way and after, looked at with the same probes each time."""

from collections.abc import Iterator, Sequence

import numpy as np

from minillm.batches import Tokens
from minillm.classroom.limits.prompts import PROMPTS, score
from minillm.classroom.tuning.contents import (
    QUESTIONS,
    fact_probes,
    in_layout,
    is_right,
    shares_right,
)
from minillm.classroom.tuning.fine_tuning import answers, fine_tune
from minillm.classroom.tuning.form import in_form, is_one_sentence
from minillm.classroom.tuning.held_out import HELD_OUT, all_prompts
from minillm.classroom.tuning.pairs import all_pairs
from minillm.evaluate import evaluate
from minillm.model import Transformer
from minillm.tokenizer import Tokenizer

STEPS, LONGER = 20, 80
MOMENTS = (2, 5, 10, 20, 40, 80)
"""Steps after which a run is looked at."""
EXAMPLES_ASKED = 20
"""Prompts that are also asked with three pairs in front, before any fine-tuning."""
WINDOWS = 16
"""Windows of held-out text of each kind that forgetting is measured on."""


def sample_held_out(tokens: Tokens, tokenizer: Tokenizer, window: int = 256, count: int = WINDOWS) -> Tokens:
    """Return the same corpus with a part of its held-out text: windows spread evenly over each kind's stream."""
    held_out, n_bytes = {}, {}
    for kind, ids in tokens.held_out.items():
        starts = np.linspace(0, len(ids) - window - 1, count).astype(int)
        held_out[kind] = np.concatenate([ids[start : start + window] for start in starts])
        text = [i for i in held_out[kind][1:].tolist() if i != tokenizer.end_of_text]
        n_bytes[kind] = len(tokenizer.decode_bytes(text))
    return Tokens(tokens.train, held_out, n_bytes, tokens.weights, tokens.fingerprint, {})


def bits_per_byte(model: Transformer, sample: Tokens) -> dict[str, float]:
    """Return the model's bits a byte on the sample by kind, and their plain mean as "mean"."""
    result = evaluate(model, sample)
    return {**result.bits_per_byte_by_kind, "mean": result.val_bits_per_byte}


# --- form


def ask(model: Transformer, tokenizer: Tokenizer, seed: int = 0) -> list[dict]:
    """Return the replies to all held-out prompts: kind, prompt, reply, whether it ended by itself."""
    kinds = [kind for kind, prompts in HELD_OUT.items() for _ in prompts]
    replies = answers(model, tokenizer, all_prompts(), seed=seed)
    return [
        {"kind": kind, "prompt": prompt, "reply": reply, "ended": ended}
        for kind, prompt, (reply, ended) in zip(kinds, all_prompts(), replies, strict=True)
    ]


def ask_notebook_09(model: Transformer, tokenizer: Tokenizer, seed: int = 0) -> list[dict]:
    """Return the replies to the prompts of notebook 09, each with what its own rule there says of it."""
    replies = answers(model, tokenizer, [prompt.text.strip() for prompt in PROMPTS], seed=seed)
    found = []
    for prompt, (reply, ended) in zip(PROMPTS, replies, strict=True):
        own = score(prompt, reply)
        found.append(
            {"kind": prompt.kind, "prompt": prompt.text.strip(), "reply": reply, "ended": ended, "own_form": own.form}
        )
    return found


def count_form(replies: Sequence[dict]) -> dict[str, int]:
    """Return how many replies of each kind have the asked form."""
    kinds = dict.fromkeys(reply["kind"] for reply in replies)
    return {k: sum(in_form(r["reply"], r["ended"]) for r in replies if r["kind"] == k) for k in kinds}


def share_in_form(replies: Sequence[dict]) -> float:
    """Return the share of all replies that have the asked form."""
    return sum(in_form(reply["reply"], reply["ended"]) for reply in replies) / len(replies)


def parts_of_form(replies: Sequence[dict]) -> dict[str, int]:
    """Return how many replies have each part of the form, so that a failure can be traced to one."""
    return {
        "ended by itself": sum(reply["ended"] for reply in replies),
        "one sentence": sum(is_one_sentence(reply["reply"]) for reply in replies),
        "first line is one sentence": sum(is_one_sentence(first_line(reply["reply"])) for reply in replies),
        "all of it": sum(in_form(reply["reply"], reply["ended"]) for reply in replies),
    }


def first_line(reply: str) -> str:
    """Return the first line of a reply that is not blank."""
    return next((line for line in reply.splitlines() if line.strip()), "")


# --- content


def ask_questions(model: Transformer, tokenizer: Tokenizer, seed: int = 0) -> list[dict]:
    """Return the replies to the sixty questions, each with whether it holds the right word."""
    items = [(kind, item) for kind, group in QUESTIONS.items() for item in group]
    replies = answers(model, tokenizer, [item.question for _, item in items], seed=seed)
    return [
        {"kind": kind, "prompt": item.question, "reply": reply, "ended": ended, "right": is_right(item, reply)}
        for (kind, item), (reply, ended) in zip(items, replies, strict=True)
    ]


def count_right(replies: Sequence[dict]) -> dict[str, int]:
    """Return how many questions of each kind were answered with the right word."""
    return {kind: sum(r["right"] for r in replies if r["kind"] == kind) for kind in QUESTIONS}


def choices(model: Transformer, tokenizer: Tokenizer) -> dict[str, dict[str, float]]:
    """Return the shares of fair choices that are right: facts in plain text, and the same as answers."""
    plain = fact_probes()
    answered = {group: [in_layout(probe) for probe in items] for group, items in plain.items()}
    return {
        "in plain text": shares_right(model, tokenizer, plain),
        "as an answer": shares_right(model, tokenizer, answered),
    }


# --- looks and runs


def look(model: Transformer, tokenizer: Tokenizer, sample: Tokens, seed: int = 0, *, closely: bool = False) -> dict:
    """Return what is asked at a moment of a run: how many replies of each kind have the form, and bits a byte.

    closely: also all replies themselves, those to the prompts of 09 and to the questions, and the choices.
    """
    replies = ask(model, tokenizer, seed)
    found = {"in_form": count_form(replies), "bits_per_byte": bits_per_byte(model, sample)}
    if closely:
        found |= {
            "replies": replies,
            "from_09": ask_notebook_09(model, tokenizer, seed),
            "questions": ask_questions(model, tokenizer, seed),
            "choices": choices(model, tokenizer),
        }
    return found


def before(model: Transformer, tokenizer: Tokenizer, sample: Tokens) -> dict:
    """Return everything that is asked of the model before it is fine-tuned."""
    found = look(model, tokenizer, sample, closely=True)
    prompts, pairs = all_prompts()[:: 80 // EXAMPLES_ASKED], all_pairs()
    n_examples = 3 if model.config.context_length >= 200 else 1  # what leaves room for prompt and reply
    shown = answers(model, tokenizer, prompts, examples=pairs[:: len(pairs) // 3][:n_examples])
    hints = {"examples": n_examples, "with_examples": sum(in_form(*reply) for reply in shown)}
    return {"loss_bits_per_byte": found["bits_per_byte"]["mean"]} | hints | found


def run(
    model: Transformer,
    tokenizer: Tokenizer,
    sample: Tokens,
    *,
    rehearse: bool,
    steps: int = STEPS,
    moments: Sequence[int] = MOMENTS,
    closely: Sequence[int] = (STEPS,),
    seed: int = 0,
) -> Iterator[dict]:
    """Fine-tune the model on all pairs; yield a record a step, with a look at each moment.

    The model itself is changed. The seed decides the order of the pairs and the lots that replies are drawn by.
    `closely` are the moments at which the look is a close one.
    """
    batches = fine_tune(model, tokenizer, all_pairs(), steps=steps, rehearsal=sample if rehearse else None, seed=seed)
    for step, loss_nats in batches:
        record = {"step": step, "train_loss_nats": loss_nats}
        if step in moments:
            record |= look(model, tokenizer, sample, seed, closely=step in closely)
        yield record
