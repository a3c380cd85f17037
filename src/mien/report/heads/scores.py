"""How far each prediction is from the raters, one number a face, to order faces by."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...records import Floats
from ...tasks import Head, Kind

Scores = NDArray[np.float64]
_TINY = 1e-12


def divergence(true: Floats, predicted: Floats) -> Scores:
    """KL divergence of each row in nats, KL(true ‖ predicted); probabilities are clipped at 1e-12."""
    p, q = (np.clip(values.astype(np.float64), _TINY, 1.0) for values in (true, predicted))
    return np.asarray((p * np.log(p / q)).sum(axis=1))


def entropy(predicted: Floats) -> Scores:
    """Entropy of each row in nats."""
    q = np.clip(predicted.astype(np.float64), _TINY, 1.0)
    return np.asarray(-(q * np.log(q)).sum(axis=1))


def surprise(true: Floats, predicted: Floats) -> Scores:
    """Mean binary cross-entropy of each row of tags, in nats."""
    q = np.clip(predicted.astype(np.float64), _TINY, 1 - _TINY)
    return np.asarray(-(true * np.log(q) + (1 - true) * np.log(1 - q)).mean(axis=1))


def deviation(true: Floats, predicted: Floats) -> Scores:
    """Root of the mean squared difference over the values that were annotated."""
    return np.asarray(np.sqrt(np.nanmean((true.astype(np.float64) - predicted) ** 2, axis=1)))


DISTANCE: dict[Kind, Callable[[Any, Any], Scores]] = {
    Kind.CLASS: divergence,
    Kind.DISTRIBUTION: divergence,
    Kind.TAGS: surprise,
    Kind.VALUES: deviation,
}


def distance(head: Head, true: Floats, predicted: Floats) -> Scores:
    """How far each row is from the raters, by the kind of head; larger is farther."""
    return DISTANCE[head.kind](true, predicted)
