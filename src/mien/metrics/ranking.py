"""How well outputs rank: a column (N,) at a time, or rows of tags (N, K), NaN where not annotated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .statistic import TINY, Array, Places, Statistic, Weights, leading, mean, ratio


def average_precision(output: Array, target: Array) -> Statistic:
    """Area under precision against recall, a step at each different answer; undefined without a positive."""
    order, true, _, upto, last = _ranks(output, target)
    everyone, positives = leading(order, upto), leading(order[true], last)

    def statistic(weights: Weights) -> Array:
        hits = positives(weights)
        precision = hits / np.maximum(everyone(weights), TINY)
        area = np.einsum("bt,bt->b", np.diff(hits, axis=1, prepend=0), precision)
        return ratio(area, hits[:, -1:].sum(axis=1))

    return statistic


def roc_auc(output: Array, target: Array) -> Statistic:
    """The chance that a positive ranks above one that is none, ties halved; undefined without either."""
    order, true, above, upto, last = _ranks(output, target)
    everyone, positives = leading(order, np.append(above, upto)), leading(order[true], last)

    def statistic(weights: Weights) -> Array:
        hits, total = positives(weights), weights.sum(axis=1, dtype=np.float64)
        higher = everyone(weights).reshape(len(weights), 2, len(last)).mean(axis=1)
        beaten = np.einsum("bt,bt->b", np.diff(hits, axis=1, prepend=0), total[:, None] - higher)
        found = hits[:, -1:].sum(axis=1)
        return ratio(beaten - found**2 / 2, found * (total - found))  # positives beat half of one another

    return statistic


def ranking_loss(output: Array, target: Array) -> Statistic:
    """Mean over rows of the share of true-false pairs of tags in the wrong order, ties included."""
    true, false = target > 0.5, target <= 0.5
    wrong = np.zeros(len(target))
    for k in range(target.shape[1]):
        wrong += true[:, k] * (false & (output >= output[:, [k]])).sum(axis=1)
    return mean(wrong / np.maximum(true.sum(axis=1) * false.sum(axis=1), 1))


def _ranks(output: Array, target: Array) -> tuple[Places, NDArray[np.bool_], Places, Places, Places]:
    """Rows in the order of their answers, highest first, and which of them are positives; then for each
    different answer (T,) that a positive has how many rows rank above it, how many at it or above, and how
    many of those are positives."""
    order = np.argsort(-output, kind="stable")
    true = target[order] > 0.5
    # Ends of runs of rows with the same output.
    ends = np.append(np.flatnonzero(np.diff(output[order])), len(order) - 1) + 1
    found = np.cumsum(true)[ends - 1]
    kept = np.flatnonzero(np.diff(found, prepend=0))
    return order, true, np.append(0, ends)[kept], ends[kept], found[kept]
