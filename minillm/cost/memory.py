"""What training keeps: weights, gradients, optimizer and activations in memory, checkpoints and data on disk.

Mixed precision with Adam keeps 2 bytes of weight, 2 of gradient and 12 of optimizer for each parameter (Rajbhandari
et al. 2020, ZeRO, sections 3 and 5). Activations follow Korthikanti et al. 2022 (s: sequence length, b: sequences,
h: d_model, a: heads, t: tensor-parallel devices), whose formulas hold for GPT's form with 16-bit activations; for
gated or expert layers they are an approximation.
"""

import math
from dataclasses import dataclass

from minillm.cost.flops import RECOMPUTE
from minillm.cost.numbers import Interval, positive
from minillm.cost.shapes import check_shape, count_shape
from minillm.errors import ConfigError
from minillm.facts import Accelerator, Shape

WEIGHT_BYTES, GRADIENT_BYTES, OPTIMIZER_BYTES = 2, 2, 12
CHECKPOINT_BYTES = 14
"""For each parameter: bf16 weights 2, and in fp32 weights and Adam's two means 12 (BLOOM: 2.3 TB)."""
USABLE = 0.9
"""Share of a device's memory that training can have; the rest goes to buffers, fragments and the driver."""
TEXT_BYTES_A_TOKEN = Interval(3, 5)
"""BLOOM: 1.61 TB for 341e9 tokens, 4.7; LLaMA-1: 5.2 TB, repeats counted, for 1.4e12, 3.7."""


@dataclass(frozen=True)
class Memory:
    """Bytes on one device, by part."""

    weights: float
    gradients: float
    optimizer: float
    activations: float

    @property
    def total(self) -> float:
        """Return all bytes."""
        return self.weights + self.gradients + self.optimizer + self.activations


@dataclass(frozen=True)
class Storage:
    """Bytes on disk."""

    weights: float
    """The model alone, in bf16."""
    checkpoint: float
    """One that training can go on from."""
    checkpoints_kept: int
    checkpoints: float
    token_ids: float | None
    """The training data as ids, 2 bytes each up to 65,536 tokens in the vocabulary, otherwise 4; read once."""
    text: Interval | None
    """The same data as text."""


def model_states(parameters: float, zero: int = 0, devices: int = 1, tensor_parallel: int = 1) -> Memory:
    """Return what each of `devices` keeps of a model without its activations.

    zero: what data-parallel devices share instead of copying: 1 the optimizer, 2 gradients too, 3 weights too.
    tensor_parallel: devices among which each matrix is cut. Raises ConfigError for impossible numbers.
    """
    positive(parameters, "parameters")
    if zero not in (0, 1, 2, 3):
        raise ConfigError(f"zero is {zero}.", "Use a ZeRO stage from 0 (nothing shared) to 3 (all shared).")
    positive(devices, "devices")
    positive(tensor_parallel, "tensor_parallel")
    if devices % tensor_parallel:
        raise ConfigError(
            f"{devices} devices cannot be cut into groups of {tensor_parallel}.",
            "Use a multiple of tensor_parallel.",
        )
    copies = devices // tensor_parallel
    share = [parameters / tensor_parallel / (copies if zero >= stage else 1) for stage in (3, 2, 1)]
    return Memory(WEIGHT_BYTES * share[0], GRADIENT_BYTES * share[1], OPTIMIZER_BYTES * share[2], 0)


def activation_bytes(
    shape: Shape,
    sequences: int = 1,
    recompute: str = "none",
    tensor_parallel: int = 1,
    sequence_parallel: bool = False,
) -> float:
    """Return the bytes of activations on one device for `sequences` sequences at once, all layers and the output.

    A layer keeps s b h (10 + 24/t + 5 a s / (h t)) bytes, with sequence parallelism s b h (34 + 5 a s / h) / t.
    selective: without the scores, the term 5 a s / h. full: its input alone, 2 s b h. The output keeps
    4 s b (h + V) / t: its norm, the input of the head, and logits in 32 bits (sections 4.1 to 5).
    """
    check_shape(shape)
    if recompute not in RECOMPUTE:
        raise ConfigError(f"recompute '{recompute}' is unknown.", f"Use one of {', '.join(RECOMPUTE)}.")
    t = positive(tensor_parallel, "tensor_parallel")
    s, h, a = shape.context_length, shape.d_model, shape.n_heads
    sbh = s * positive(sequences, "sequences") * h
    uncut = t if sequence_parallel else 1
    scores = 5 * a * s / h / t if recompute == "none" else 0
    layer = 2 / uncut if recompute == "full" else 10 / uncut + 24 / t + scores
    return shape.n_layers * sbh * layer + 4 * sbh * (1 + shape.vocab_size / h) / t


def training_memory(
    shape: Shape,
    sequences: int = 1,
    recompute: str = "none",
    zero: int = 0,
    devices: int = 1,
    tensor_parallel: int = 1,
    sequence_parallel: bool = False,
) -> Memory:
    """Return what one of `devices` keeps in training, `sequences` sequences at once on each group of devices."""
    states = model_states(count_shape(shape).total, zero, devices, tensor_parallel)
    kept = activation_bytes(shape, sequences, recompute, tensor_parallel, sequence_parallel)
    return Memory(states.weights, states.gradients, states.optimizer, kept)


def fewest_accelerators(
    accelerator: Accelerator,
    parameters: float,
    activations: float = 0,
    zero: int = 3,
    tensor_parallel: int = 1,
) -> int | None:
    """Return how many devices hold a training run at least, or None where no number does.

    activations: bytes on each device. What is shared shrinks with each device, what is copied does not.
    """
    if accelerator.memory_gb is None:
        return None
    one = model_states(parameters, 0, tensor_parallel, tensor_parallel)
    parts = [one.weights, one.gradients, one.optimizer]
    shared = sum(part for part, stage in zip(parts, (3, 2, 1), strict=True) if zero >= stage)
    left = USABLE * accelerator.memory_gb * 1e9 - activations - (sum(parts) - shared)
    if left < 0 or (shared and left == 0):
        return None
    return tensor_parallel * max(1, math.ceil(shared / left) if shared else 1)


def storage(
    parameters: float, tokens: float | None = None, vocab_size: int | None = None, checkpoints: int = 10
) -> Storage:
    """Return what a run leaves on disk: the model, the checkpoints that are kept, and the data it read."""
    positive(parameters, "parameters")
    positive(checkpoints, "checkpoints")
    id_bytes = 2 if vocab_size is not None and vocab_size <= 2**16 else 4
    return Storage(
        weights=WEIGHT_BYTES * parameters,
        checkpoint=CHECKPOINT_BYTES * parameters,
        checkpoints_kept=checkpoints,
        checkpoints=checkpoints * CHECKPOINT_BYTES * parameters,
        token_ids=None if tokens is None else id_bytes * positive(tokens, "tokens"),
        text=None if tokens is None else TEXT_BYTES_A_TOKEN * tokens,
    )
