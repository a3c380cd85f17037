"""How often each label is found, is said by mistake and is said at all, as one statistic of weighted rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..tasks import Head, Kind
from .statistic import Array, Statistic, Weights, ratio

FOUND, FALSE_ALARM, SAID = range(3)
Flags = NDArray[np.bool_]


def rates(output: ArrayLike, target: ArrayLike, head: Head, thresholds: ArrayLike = 0.5) -> Statistic:
    """Weights (B, N) -> (B, 3, K), each 0…1 or NaN: of each label the share of its rows that it is said of (recall), the share
    of all other rows that it is said of, the share of all rows that it is said of.

    By top label, which a vote share decides too; TAGS from their thresholds on, one or (K,).
    """
    known, true, said = flags(output, target, head, thresholds)
    parts = np.concatenate([true & said, true, said, known], axis=1).astype(
        np.float32
    )  # whole numbers to 2^24 are exact

    def statistic(weights: Weights) -> Array:
        hits, positives, answers, rows = np.split((weights @ parts).astype(np.float64), 4, axis=1)
        return np.stack([ratio(hits, positives), ratio(answers - hits, rows - positives), ratio(answers, rows)], axis=1)

    return statistic


def flags(output: ArrayLike, target: ArrayLike, head: Head, thresholds: ArrayLike) -> tuple[Flags, Flags, Flags]:
    """Which labels (N, K) somebody annotated, which are true and which are said of each row."""
    outputs, targets = np.asarray(output, np.float64), np.asarray(target, np.float64)
    known = ~np.isnan(targets)
    if head.kind is Kind.TAGS:
        return known, targets > 0.5, known & (outputs >= np.asarray(thresholds))
    known &= known.all(axis=1, keepdims=True)
    labels = np.arange(len(head))
    true, said = (known & (rows.argmax(axis=1)[:, None] == labels) for rows in (targets, outputs))
    return known, true, said
