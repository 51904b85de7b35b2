"""How the weights are updated: which parameters go to which optimizer, and the learning rate over a run."""

import math

import torch
from torch import Tensor
from torch.optim import AdamW, Muon, Optimizer

from minillm.config import TrainConfig
from minillm.model import Transformer


def parameter_groups(model: Transformer) -> dict[str, list[Tensor]]:
    """Sort the parameters by what they are: `matrices` inside the blocks, `tables` (embeddings, head), `vectors`.

    Muon is made for matrices that map vectors to vectors; embeddings and the head, rows of which belong to single
    tokens, and vectors (norms, biases) stay with AdamW (Jordan et al. 2024). Vectors are not pulled towards zero.
    """
    groups = {"matrices": [], "tables": [], "vectors": []}
    for name, parameter in model.named_parameters():
        if parameter.ndim < 2:
            groups["vectors"].append(parameter)
        else:
            groups["matrices" if name.startswith("blocks.") else "tables"].append(parameter)
    return groups


def make_optimizers(model: Transformer, config: TrainConfig) -> list[Optimizer]:
    """Return the optimizers that together update every parameter once: AdamW alone, or Muon and AdamW."""
    groups = parameter_groups(model)
    adamw_groups = [
        {
            "params": groups["tables"],
            "weight_decay": 0.0 if config.optimizer == "muon" else config.weight_decay,
        },
        {"params": groups["vectors"], "weight_decay": 0.0},
    ]
    if config.optimizer == "adamw":
        adamw_groups.append({"params": groups["matrices"], "weight_decay": config.weight_decay})
    optimizers = [
        AdamW(
            [group for group in adamw_groups if group["params"]],
            lr=config.learning_rate,
            betas=(config.beta1, config.beta2),
            fused=model.device.type in ("cpu", "cuda"),
        )
    ]
    if config.optimizer == "muon":
        optimizers.append(
            Muon(
                groups["matrices"],
                lr=config.muon_learning_rate,
                weight_decay=config.weight_decay,
                momentum=config.momentum,
            )
        )
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak_rate"] = group["lr"]
    return optimizers


def rate_factor(config: TrainConfig, step: int) -> float:
    """Return the learning rate at a step as a share of its peak; steps count from 1 to config.steps.

    After a straight warm-up: `constant`; `cosine`, down half a cosine; `wsd`, stable and then down a straight line
    over the last `decay_fraction` of the run (Hu et al. 2024). The cosine has `final_rate` at the last step; the line
    would have it one step later, so that the last step still counts.
    """
    if step <= config.warmup_steps:
        return step / config.warmup_steps
    if config.schedule == "constant":
        return 1.0
    if config.schedule == "cosine":
        done = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
        return config.final_rate + (1 - config.final_rate) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    decay_steps = max(1, round(config.decay_fraction * config.steps))
    left = (config.steps - step + 1) / decay_steps
    return config.final_rate + (1 - config.final_rate) * min(1.0, left)


def set_rates(optimizers: list[Optimizer], factor: float) -> float:
    """Set every group's learning rate to its peak times the factor; return the first group's rate."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak_rate"] * factor
    return optimizers[0].param_groups[0]["lr"]


def gradient_norm(model: torch.nn.Module, largest: float) -> Tensor:
    """Shorten the whole gradient to the largest norm allowed and return the norm that it had, a scalar tensor."""
    return torch.nn.utils.clip_grad_norm_(model.parameters(), largest)
