"""The loop: predict, measure, update; `train_step` is one turn, `train` yields a record after each."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import torch
from torch import Tensor
from torch.optim import Optimizer

from minillm.batches import Tokens, get_batch
from minillm.config import TrainConfig
from minillm.errors import DataError, TrainingError
from minillm.loss import token_surprise
from minillm.model import Transformer
from minillm.optimizer import gradient_norm, make_optimizers, rate_factor, set_rates
from minillm.records import Record
from minillm.runtime import autocast, synchronise


def train_step(
    model: Transformer,
    optimizers: list[Optimizer],
    inputs: Tensor,
    targets: Tensor,
    *,
    mask: Tensor | None = None,
    grad_clip: float = 1.0,
    micro_batches: int = 1,
    context: Callable[[], AbstractContextManager] | None = None,
    scaler: torch.amp.GradScaler | None = None,
) -> tuple[float, float]:
    """Predict, measure the loss, and update every weight once; return the loss in nats and the gradient's norm.

    inputs and targets [B, T]; mask [B, T] (1 counts, 0 does not) or None. `micro_batches` cuts them into parts that
    are added up, which gives the same update in less memory.
    `context` makes autocast contexts, `scaler` keeps small fp16 gradients from vanishing.
    Raises TrainingError, with the weights untouched, if loss or gradient is not finite; DataError if all is masked.
    """
    context = context or autocast(model.device, "fp32")
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)
    if mask is None:
        mask = torch.ones_like(targets)
    parts = zip(inputs.chunk(micro_batches), targets.chunk(micro_batches), mask.chunk(micro_batches), strict=True)
    loss, n_targets = 0.0, mask.sum()
    if not n_targets:
        raise DataError(
            "Every target of the batch is masked, so there is nothing to learn from.", "Unmask at least one."
        )
    for part_inputs, part_targets, part_mask in parts:
        with context():
            logits = model(part_inputs)
        # sums over all targets of the batch, not means of parts: parts may have different numbers of targets
        part_loss = (token_surprise(logits, part_targets) * part_mask).sum() / n_targets
        (scaler.scale(part_loss) if scaler else part_loss).backward()
        loss += part_loss.item()
    if scaler:
        for optimizer in optimizers:
            scaler.unscale_(optimizer)
    norm = gradient_norm(model, grad_clip).item()
    # with a scaler a norm that is not finite is part of its work: it skips the step and scales less
    if not math.isfinite(loss) or not (math.isfinite(norm) or scaler):
        raise TrainingError(
            f"The loss is {loss} and the gradient's norm {norm}: the run has diverged; "
            "the weights are left as they were.",
            "Use a smaller learning rate or a longer warm-up, and go on from the last checkpoint.",
        )
    for optimizer in optimizers:
        scaler.step(optimizer) if scaler else optimizer.step()
    if scaler:
        scaler.update()
    return loss, norm


def train(
    model: Transformer,
    tokens: Tokens,
    config: TrainConfig,
    *,
    optimizers: list[Optimizer] | None = None,
    scaler: torch.amp.GradScaler | None = None,
    after: Record | None = None,
) -> Iterator[Record]:
    """Train to config.steps and yield one record a step; the caller's own `for` plots, saves and stops.

    `after` is the last record of a run that goes on, with the `optimizers` (and scaler) that it had.
    Raises TrainingError with the step if the loss is no longer finite.
    """
    optimizers = optimizers or make_optimizers(model, config)
    context = autocast(model.device, config.precision)
    tokens_per_step = config.batch_size * model.config.context_length
    first = after.step + 1 if after else 1
    elapsed_s = after.elapsed_s if after else 0.0
    wall_start = time.perf_counter() - (after.wall_s if after else 0.0)
    model.train()
    for step in range(first, config.steps + 1):
        step_start = time.perf_counter()
        lr = set_rates(optimizers, rate_factor(config, step))
        inputs, targets = get_batch(
            tokens,
            seed=config.seed,
            step=step,
            batch_size=config.batch_size,
            context_length=model.config.context_length,
        )
        try:
            loss, norm = train_step(
                model,
                optimizers,
                inputs.to(model.device),
                targets.to(model.device),
                grad_clip=config.grad_clip,
                micro_batches=config.micro_batches,
                context=context,
                scaler=scaler,
            )
        except TrainingError as error:
            raise TrainingError(f"Step {step}: {error.cause}", error.remedy) from None
        synchronise(model.device)
        step_s = time.perf_counter() - step_start
        elapsed_s += step_s
        yield Record(
            step=step,
            tokens_seen=step * tokens_per_step,
            elapsed_s=elapsed_s,
            wall_s=time.perf_counter() - wall_start,
            train_loss_nats=loss,
            lr=lr,
            grad_norm=norm if math.isfinite(norm) else None,
            tokens_per_s=tokens_per_step / step_s,
        )
