"""How well tags rank: one column (N,) at a time, or whole rows (N, K) with NaN where nobody annotated."""

from __future__ import annotations

import numpy as np

from . import labels
from .statistic import Array, Statistic, mean, of_ranks


def average_precision(output: Array, target: Array) -> Statistic:
    """Area under precision against recall of one tag, a step at each threshold; undefined without a positive."""
    return of_ranks(output, target, labels.average_precision)


def roc_auc(output: Array, target: Array) -> Statistic:
    """The chance that a face with the tag ranks above one without it; undefined where all have it or none."""
    return of_ranks(output, target, labels.area_under_roc)


def ranking_loss(output: Array, target: Array) -> Statistic:
    """Mean over faces of the share of pairs of a true and a false tag in the wrong order, ties included; 0 without a pair."""
    true, false = target > 0.5, target <= 0.5
    wrong = np.zeros(len(target))
    for k in range(target.shape[1]):
        wrong += true[:, k] * (false & (output >= output[:, [k]])).sum(axis=1)
    return mean(wrong / np.maximum(true.sum(axis=1) * false.sum(axis=1), 1))
