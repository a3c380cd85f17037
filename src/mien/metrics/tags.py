"""Tags: from which probability on each applies, and how well the sets agree with the true ones.

Outputs and targets are (N, K) as in `metrics`; NaN in a target means that nobody annotated it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..tasks import Head

Array = NDArray[np.float64]
#: The threshold of a tag for which none was chosen.
MIDDLE = 0.5


def best_thresholds(output: ArrayLike, target: ArrayLike) -> Array:
    """For each tag the threshold (K,) with the highest F1, halfway between the two answers that it parts.

    Of thresholds that tie, the one nearest to 0.5; 0.5 for a tag without a positive, or where the network
    answers NaN.
    """
    outputs, targets = np.asarray(output, np.float64), np.asarray(target, np.float64)
    known = ~np.isnan(targets)
    return np.array([_best(outputs[k, tag], targets[k, tag] > 0.5) for tag, k in enumerate(known.T)])


def _best(output: Array, true: NDArray[np.bool_]) -> float:
    if not true.any() or not np.isfinite(output).all():
        return MIDDLE
    order = np.argsort(-output, kind="stable")
    answers, hits = output[order], np.cumsum(true[order])
    last = np.append(np.flatnonzero(np.diff(answers)), len(answers) - 1)  # of faces with the same answer
    f1 = 2 * hits[last] / (last + 1 + hits[-1])
    cuts = (answers[last] + np.append(answers, 0.0)[last + 1]) / 2
    tied = cuts[f1 == f1.max()]
    return float(tied[np.abs(tied - MIDDLE).argmin()])


def agreement(output: ArrayLike, target: ArrayLike, thresholds: ArrayLike) -> dict[str, float]:
    """How the tags at or above their thresholds agree with the true ones, each 0…1.

    `macro_f1`: mean F1 of the tags that are true or predicted somewhere · `micro_f1`: F1 of all tags together
    · `jaccard`: mean over rows of the tags both true and predicted among those either (1: there are none).
    """
    targets = np.asarray(target, np.float64)
    known = ~np.isnan(targets)
    true, predicted = targets > 0.5, (np.asarray(output, np.float64) >= np.asarray(thresholds)) & known
    both, sizes = true & predicted, true.sum(axis=0) + predicted.sum(axis=0)
    either = (true | predicted).sum(axis=1)
    shares = np.where(either, both.sum(axis=1) / np.maximum(either, 1), 1.0)[known.any(axis=1)]
    some = sizes > 0
    return {
        "macro_f1": float(np.mean(2 * both.sum(axis=0)[some] / sizes[some])) if some.any() else float("nan"),
        "micro_f1": float(2 * both.sum() / sizes.sum()) if some.any() else float("nan"),
        "jaccard": float(shares.mean()) if len(shares) else float("nan"),
    }


def in_order(head: Head, thresholds: Mapping[str, float]) -> Array:
    """Thresholds by name as (K,) in the order of the head's labels; 0.5 where none was chosen."""
    return np.array([thresholds.get(label, MIDDLE) for label in head.space.labels])
