"""The same source read by the course's own transformer, of one layer: slower, so its runs are recorded.

N counts all weights. Each answer takes the three tokens of its context through the model, so D counts those three, and
C = 6 N D as everywhere in notebook 07.
"""

import math
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F

from minillm.classroom import runs
from minillm.classroom.scaling.small_models import BATCH, WARM_UP
from minillm.classroom.scaling.zipf_source import CONTEXTS, LENGTH, VOCABULARY, Source
from minillm.classroom.threads import one_thread
from minillm.config import ModelConfig
from minillm.model import Transformer, n_parameters

NAME = "07_transformers"
SIZES = {5e8: (4, 6, 8, 12, 16), 1e9: (6, 8, 12, 16, 24), 2e9: (6, 8, 12, 16, 24)}
"""Widths at each budget."""
RATES = (0.01, 0.02, 0.04)
CHECKED = (5e8, 16)
"""The one run, a short one, that is computed again where the others are played back."""


def model_of(width: int, seed: int) -> Transformer:
    """Return an untrained transformer of one layer and one head that sees three tokens."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Transformer(ModelConfig(1, width, n_heads=1, vocab_size=VOCABULARY, context_length=LENGTH))


def ids_of(contexts: np.ndarray) -> torch.Tensor:
    """Return the tokens [B, 3] of contexts [B], given by their numbers."""
    return torch.tensor(np.stack(np.unravel_index(contexts, (VOCABULARY,) * LENGTH), 1))


def excess_after(source: Source, width: int, answers: int, rate: float, *, seed: int) -> float:
    """Train one transformer on so many answers, as `small_models.train` does, and return its exact excess in nats."""
    model = model_of(width, seed)
    contexts, followers = source.sample(answers, np.random.default_rng([seed, width, answers]))
    ids, targets = ids_of(contexts), torch.tensor(followers)
    adam = torch.optim.Adam(model.parameters(), lr=rate, betas=(0.9, 0.98), fused=True)
    steps = answers // BATCH
    for step in range(1, steps + 1):
        adam.param_groups[0]["lr"] = rate * min(1, step / (WARM_UP * steps)) * (1 - (step - 1) / steps)
        batch = slice((step - 1) * BATCH, step * BATCH)
        adam.zero_grad()
        F.cross_entropy(model(ids[batch])[:, -1], targets[batch]).backward()
        adam.step()
    with torch.no_grad():
        log_p = model(ids_of(np.arange(CONTEXTS)))[:, -1].double().log_softmax(-1)
    return source.excess_nats(log_p.numpy())


def run(source: Source, flops: float, width: int, *, seed: int) -> dict:
    """Train one width for a budget, three rates one after the other, and return its record with the best."""
    count = n_parameters(model_of(width, seed))
    answers = max(1, round(flops / (6 * count * LENGTH * BATCH))) * BATCH
    with one_thread():
        excess = [excess_after(source, width, answers, rate, seed=seed) for rate in RATES]
    best = min(excess)
    return {
        "budget": flops,
        "width": width,
        "parameters": count,
        "tokens": LENGTH * answers,
        "rate": RATES[excess.index(best)],
        "loss_best_nats": best,
    }


def family(source: Source, *, seed: int, all_computed: bool) -> Iterator[dict]:
    """Yield the records of five sizes at three budgets; minutes, unless all but one are taken from the recording."""
    known = {} if all_computed else {(r["budget"], r["width"]): r for r in runs.load(NAME).records}
    for flops, widths in SIZES.items():
        for width in widths:
            if all_computed or (flops, width) == CHECKED:
                yield run(source, flops, width, seed=seed)
            else:
                yield known[flops, width]


def better_end_above(records: list[dict], flops: float) -> float:
    """Return by which share the better of the smallest and largest model at a budget lies above the least excess."""
    excess = [r["loss_best_nats"] for r in records if math.isclose(r["budget"], flops)]
    return min(excess[0], excess[-1]) / min(excess) - 1
