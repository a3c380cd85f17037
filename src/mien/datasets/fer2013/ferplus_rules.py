"""The official rules that turn ten FER+ votes into a target (Barsoum et al., arXiv 1608.01041; `src/ferplus.py` of FERPlus).

Votes are (n, 10) counts in the order of FERPLUS10: eight emotions, then unknown and no-face. Every rule returns the counts
it keeps, (n, 10); a row it gives up is all on 'unknown'. `target` turns them into rows over the eight emotions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Votes = NDArray[np.float64]
EMOTIONS = 8
_UNKNOWN = 8


def raw(votes: Votes) -> Votes:
    """Keep all votes as they were cast."""
    return votes


def majority(votes: Votes) -> Votes:
    """Keep the emotion with more than half of the votes that count (single votes do not)."""
    counted = _without_single(votes)
    top = counted.argmax(axis=1)
    kept = np.zeros_like(counted)
    rows = np.arange(len(votes))
    kept[rows, top] = counted[rows, top]
    return _or_unknown(kept, kept.sum(axis=1) > 0.5 * counted.sum(axis=1))


def probability(votes: Votes) -> Votes:
    """Keep whole levels of equal top votes, highest first, until 3/4 of the votes or 3 emotions are kept.

    A level that holds unknown or no-face ends it; the emotions of that level still count, and where there is none at all
    the row is given up. So is one that keeps half of the votes or less, or more than 3 emotions.
    """
    left = _without_single(votes)
    total = left.sum(axis=1)
    kept = np.zeros_like(left)
    going = np.ones(len(left), np.bool_)
    for _ in range(3):
        going &= (kept.sum(axis=1) < 0.75 * total) & ((kept > 0).sum(axis=1) < 3)
        level = (left == left.max(axis=1, initial=0, keepdims=True)) & (left > 0) & going[:, None]
        ended = level[:, EMOTIONS:].any(axis=1)
        level[:, EMOTIONS:] = False
        kept[level] = left[level]
        left[level] = 0
        going &= ~ended
    return _or_unknown(kept, (kept.sum(axis=1) > 0.5 * total) & ((kept > 0).sum(axis=1) <= 3))


def multi_target(votes: Votes) -> Votes:
    """Keep every answer with at least 0.3 of the votes that count, if together they have more than half."""
    counted = _without_single(votes)
    total = counted.sum(axis=1)
    kept = np.where(counted >= 0.3 * total[:, None], counted, 0.0)
    return _or_unknown(kept, kept.sum(axis=1) > 0.5 * total)


#: `crossentropy` and `probability` keep the same; the official training draws a class each time for the latter.
RULES: dict[str, Callable[[Votes], Votes]] = {
    "raw": raw,
    "majority": majority,
    "probability": probability,
    "crossentropy": probability,
    "multi_target": multi_target,
}


def target(rule: str, votes: Votes) -> tuple[Votes, NDArray[np.bool_]]:
    """Return targets (n, 8) of a rule and which rows have one: those whose top answer, the first of equals, is an emotion.

    `raw` gives counts, `multi_target` equal shares of the kept set, the others shares that sum to 1. Other rows are 0.
    """
    kept = RULES[rule](votes)
    present = (kept.argmax(axis=1) < EMOTIONS) & (kept.sum(axis=1) > 0)
    rows = np.where(present[:, None], kept[:, :EMOTIONS], 0.0)
    if rule == "multi_target":
        rows = (rows > 0).astype(np.float64)
    if rule != "raw":
        rows /= np.maximum(rows.sum(axis=1, keepdims=True), 1e-9)
    return rows, present


def _without_single(votes: Votes) -> Votes:
    return np.where(votes > 1, votes, 0.0)


def _or_unknown(kept: Votes, holds: NDArray[np.bool_]) -> Votes:
    unknown = np.zeros(kept.shape[1])
    unknown[_UNKNOWN] = 1.0
    return np.where(holds[:, None], kept, unknown)
