"""Sets of labels that hold the true one with a promised probability: split conformal prediction.

A set holds every label at or above one probability, whatever the face (least ambiguous sets, scores 1 - p:
Sadinle, Lei & Wasserman 2019, arXiv 1609.00451), and the likeliest label always, so that no set is empty.
Outputs and targets are (N, K).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .statistic import Array, ratio

#: The promise that is stored in a model, and how it is kept.
LEVEL, METHOD = 0.9, "lac"
FOLDS = 5


def threshold(output: Array, target: Array, level: float = LEVEL) -> float:
    """From which probability on a label belongs to a set, so that it holds the true (top) label of a new face
    with at least probability `level`: the ceil((N + 1) level)-th largest probability of a true label; 0,
    every label, with too few rows."""
    given = np.sort(np.take_along_axis(output, target.argmax(axis=1)[:, None], axis=1)[:, 0])[::-1]
    place = math.ceil(round((len(given) + 1) * level, 9))
    return float(given[place - 1]) if place <= len(given) else 0.0


def sets(output: Array, limit: float) -> NDArray[np.bool_]:
    """Which labels (N, K) each set holds."""
    inside = np.asarray(output) >= limit
    inside[np.arange(len(inside)), np.argmax(output, axis=1)] = True
    return inside


def cross_fitted(output: Array, target: Array, level: float = LEVEL) -> NDArray[np.bool_]:
    """Sets (N, K) of rows whose threshold is taken from the other folds."""
    inside, fold = np.zeros(output.shape, bool), folds(len(output))
    for k in np.unique(fold):
        mine = fold == k
        inside[mine] = sets(output[mine], threshold(output[~mine], target[~mine], level))
    return inside


def measured(inside: NDArray[np.bool_], target: Array) -> dict[str, Any]:
    """`coverage` (share of sets with the true label), `mean_size`, and `sizes` {size: number of sets}."""
    held = np.take_along_axis(inside, target.argmax(axis=1)[:, None], axis=1)
    size, count = np.unique(inside.sum(axis=1), return_counts=True)
    return {
        "coverage": float(held.mean()),
        "mean_size": float(inside.sum(axis=1).mean()),
        "sizes": {str(labels): int(sets) for labels, sets in zip(size, count, strict=True)},
    }


def by_label(inside: NDArray[np.bool_], target: Array) -> Array:
    """Coverage (K,) of the faces of each true label; NaN for one that none bears."""
    true = np.eye(target.shape[1])[target.argmax(axis=1)]
    return ratio((inside * true).sum(axis=0), true.sum(axis=0))


def folds(rows: int, count: int = FOLDS) -> NDArray[np.intp]:
    """A fold 0…count - 1 for each row, at random but always the same; their sizes differ by one at most."""
    return np.random.default_rng(0).permutation(rows) % count
