"""A small model as text and back, so that a recording can carry it: each matrix row in 8 or 16 bits and a scale.

C = d_model, V = vocab_size.
"""

import base64
import dataclasses

import numpy as np
import torch
from torch import Tensor

from minillm.config import ModelConfig
from minillm.errors import ConfigError
from minillm.model import Transformer

TYPES = {8: np.int8, 16: np.int16}


def pack(model: Transformer, bits: int = 8) -> dict:
    """Return a model as plain values: its shape, and its weights rounded to whole numbers of so many bits.

    Each row of a matrix is divided by its largest absolute weight and rounded; that largest weight is kept in 32 bits.
    Raises ConfigError for other than 8 or 16 bits.
    """
    if bits not in TYPES:
        raise ConfigError(f"{bits} bits a weight are not offered.", "Use 8 or 16.")
    steps = 2 ** (bits - 1) - 1
    numbers, scales = [], []
    for weight in _weights(model):
        rows = weight.detach().float().numpy().reshape(-1, weight.shape[-1])
        largest = np.abs(rows).max(1, keepdims=True)
        scales.append(largest.ravel())
        numbers.append(np.rint(rows / np.where(largest > 0, largest, 1) * steps).astype(TYPES[bits]).ravel())
    return {
        "shape": dataclasses.asdict(model.config),
        "bits": bits,
        "numbers": _text(np.concatenate(numbers)),
        "scales": _text(np.concatenate(scales).astype(np.float32)),
    }


def unpack(packed: dict) -> Transformer:
    """Return the model of `pack`, its weights as they were after rounding."""
    model = Transformer(ModelConfig(**packed["shape"]))
    steps = 2 ** (packed["bits"] - 1) - 1
    numbers = np.frombuffer(base64.b64decode(packed["numbers"]), np.dtype(TYPES[packed["bits"]]).newbyteorder("<"))
    scales = np.frombuffer(base64.b64decode(packed["scales"]), "<f4")
    number, scale = 0, 0
    with torch.no_grad():
        for weight in _weights(model):
            width = weight.shape[-1]
            n_rows = weight.numel() // width
            rows = numbers[number : number + weight.numel()].reshape(n_rows, width).astype(np.float32)
            rows = rows * (scales[scale : scale + n_rows, None] / np.float32(steps))
            weight.copy_(torch.from_numpy(rows).view(weight.shape))
            number, scale = number + weight.numel(), scale + n_rows
    return model.eval()


def packed_bytes(packed: dict) -> int:
    """Return how many bytes a packed model takes as a file: its whole numbers and its scales."""
    return sum(len(base64.b64decode(packed[part])) for part in ("numbers", "scales"))


def _weights(model: Transformer) -> list[Tensor]:
    """Return the weights in a fixed order, shared ones once."""
    return [weight.cpu() if weight.is_cuda else weight for weight in model.parameters()]


def _text(values: np.ndarray) -> str:
    little = values.astype(values.dtype.newbyteorder("<"))
    return base64.b64encode(little.tobytes()).decode("ascii")
