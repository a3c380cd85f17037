"""True-positive, false-positive and predicted rate of each label, as one statistic of weighted rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..tasks import Head, Kind
from .statistic import Array, Statistic, Weights, ratio

#: Rows of `rates`: share of a label's rows that are predicted as it (recall), of all other rows, of all rows.
TPR, FPR, PREDICTED_RATE = range(3)
Flags = NDArray[np.bool_]


def rates(output: ArrayLike, target: ArrayLike, head: Head, thresholds: ArrayLike = 0.5) -> Statistic:
    """Prepare TPR, FPR and PREDICTED_RATE of each label: weights (B, N) -> (B, 3, K), each 0…1 or NaN.

    By top label, which a vote share decides too; TAGS from their thresholds on, one or (K,).
    """
    known, true, predicted = flags(output, target, head, thresholds)
    parts = np.concatenate([true & predicted, true, predicted, known], axis=1)
    counted = parts.astype(np.float32)  # whole numbers to 2^24 are exact

    def statistic(weights: Weights) -> Array:
        hits, positives, answers, rows = np.split((weights @ counted).astype(np.float64), 4, axis=1)
        false_positives = ratio(answers - hits, rows - positives)
        return np.stack([ratio(hits, positives), false_positives, ratio(answers, rows)], axis=1)

    return statistic


def flags(
    output: ArrayLike, target: ArrayLike, head: Head, thresholds: ArrayLike
) -> tuple[Flags, Flags, Flags]:
    """Which labels (N, K) of each row somebody annotated, which are true, and which are predicted."""
    outputs, targets = np.asarray(output, np.float64), np.asarray(target, np.float64)
    known = ~np.isnan(targets)
    if head.kind is Kind.TAGS:
        return known, targets > 0.5, known & (outputs >= np.asarray(thresholds))
    known &= known.all(axis=1, keepdims=True)
    labels = np.arange(len(head))
    true, predicted = (known & (rows.argmax(axis=1)[:, None] == labels) for rows in (targets, outputs))
    return known, true, predicted
