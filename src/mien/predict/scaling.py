"""Calibrate a graph's probabilities: temperature and vector scaling, applied outside the graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..records import Floats
from ..tasks import Head

Array = NDArray[np.float64]
#: Probabilities below it count as it: float32 holds no smaller ones in full.
LEAST = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class Scaling:
    """Turns probabilities p into softmax(scale · ln p + bias); scale and bias (K,) in the order of the
    labels.

    A scale of 1 / T for every label without bias is a temperature T (Guo et al. 2017, arXiv 1706.04599); with
    one for each label it is vector scaling, on log-probabilities (diagonal Dirichlet calibration: Kull et al.
    2019, arXiv 1910.12656).
    """

    scale: Array
    bias: Array

    def apply(self, rows: ArrayLike) -> Floats:
        """Calibrated probabilities (N, K); the very same ones where nothing is scaled."""
        if (self.scale == 1).all() and not self.bias.any():
            return np.asarray(rows, np.float32)
        return np.asarray(softmax(self.scale * logarithms(rows) + self.bias), np.float32)

    def to_dict(self, head: Head) -> dict[str, dict[str, float]]:
        """By label, as a model's description holds it; `read` is the way back."""
        sides = {"scale": self.scale.tolist(), "bias": self.bias.tolist()}
        return {side: dict(zip(head.space.labels, values, strict=True)) for side, values in sides.items()}


def temperature_scaling(temperature: float, labels: int) -> Scaling:
    """Scale every label by one temperature T: p ** (1 / T), renormalised."""
    return Scaling(np.full(labels, 1 / temperature), np.zeros(labels))


def read(metadata: Mapping[str, Any], head: Head) -> Scaling | None:
    """Read a head's softmax(scale · ln p / T + bias) from a model's description; None where it changes
    nothing.

    Raises KeyError for a label that has no scale or bias, ValueError for a number that cannot be one.
    """
    if not head.kind.is_exclusive:
        return None
    temperature = float(metadata.get("temperature", {}).get(head.name, 1))
    by_label = metadata.get("scaling", {}).get(head.name)
    if temperature == 1 and by_label is None:
        return None
    scale, bias = np.ones(len(head)), np.zeros(len(head))
    if by_label is not None:
        sides = by_label["scale"], by_label["bias"]
        scale, bias = (np.array([float(side[name]) for name in head.space.labels]) for side in sides)
    if not (temperature > 0 and np.isfinite([temperature, *scale, *bias]).all()):
        numbers = f"temperature {temperature}, scale {scale}, bias {bias}"
        raise ValueError(f"head '{head.name}': {numbers}: not finite, or T not > 0")
    return Scaling(scale / temperature, bias)


def label_temperature(metadata: Mapping[str, Any], head: Head) -> float:
    """Read the temperature (1 by default) that turns shares of votes into chances. Raises ValueError."""
    temperature = float(metadata.get("label_temperature", {}).get(head.name, 1))
    if not 0 < temperature < np.inf:
        raise ValueError(f"head '{head.name}': label temperature {temperature}: not a finite number above 0")
    return temperature


def softmax(scores: Array) -> Array:
    """Rows of probabilities from rows of scores."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def logarithms(rows: ArrayLike) -> Array:
    """ln p of probabilities, none below that of the smallest that float32 holds in full."""
    return np.asarray(np.log(np.maximum(np.asarray(rows, np.float64), LEAST)))
