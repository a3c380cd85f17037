"""FER+ votes as targets, by the official rules (Barsoum et al., arXiv 1608.01041; `src/ferplus.py` there).

Votes are (n, 10) counts in the order of FERPLUS10: eight emotions, then unknown and no-face. Every rule
returns the counts it keeps, (n, 10); a row it gives up is all on 'unknown'. `target` keeps the emotions.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...labels import EXPRESSION8, FERPLUS10
from ...records import Target
from ...tasks import Head, Kind
from .. import file_checks
from ..base import ImportLog

Votes = NDArray[np.float64]
HEADS = (
    Head("expression8", Kind.CLASS, EXPRESSION8),
    Head("distribution8", Kind.DISTRIBUTION, EXPRESSION8),
    Head("votes10", Kind.DISTRIBUTION, FERPLUS10),
)
EMOTIONS = 8
_UNKNOWN = 8


def raw(votes: Votes) -> Votes:
    """Keep all votes as they were cast."""
    return votes


def majority(votes: Votes) -> Votes:
    """Keep the emotion with more than half of the votes that count (single votes do not)."""
    several = _without_single(votes)
    top = several.argmax(axis=1)
    kept = np.where(np.arange(several.shape[1]) == top[:, None], several, 0.0)
    return _or_unknown(kept, kept.sum(axis=1) > 0.5 * several.sum(axis=1))


def probability(votes: Votes) -> Votes:
    """Keep whole levels of equal top votes, highest first, until 3/4 of the votes or 3 emotions are kept.

    A level that holds unknown or no-face ends it; the emotions of that level still count. A row that keeps
    none, half of the votes or less, or more than 3 emotions is given up.
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
    several = _without_single(votes)
    total = several.sum(axis=1)
    kept = np.where(several >= 0.3 * total[:, None], several, 0.0)
    return _or_unknown(kept, kept.sum(axis=1) > 0.5 * total)


#: `crossentropy` and `probability` keep the same; the official training draws a class for the latter.
RULES: dict[str, Callable[[Votes], Votes]] = {
    "raw": raw, "majority": majority, "probability": probability, "crossentropy": probability,
    "multi_target": multi_target,
}  # fmt: skip


def target(rule: str, votes: Votes) -> tuple[Votes, NDArray[np.bool_]]:
    """Return targets (n, 8) of a rule, and which rows have one: their first top answer is an emotion.

    `raw` gives counts, `multi_target` equal shares of the kept set, others shares that sum to 1.
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


def targets(votes: Votes, rule: str) -> list[dict[str, Target]]:
    """Return each row's targets: the majority's emotion, the distribution by `rule`, the votes, if any."""
    sure, named = target("majority", votes)
    shares, shared = target(rule, votes)
    found: list[dict[str, Target]] = [{} for _ in votes]
    for i, row in enumerate(votes.tolist()):
        if any(row):
            found[i]["votes10"] = dict(zip(FERPLUS10.labels, row, strict=True))
        if named[i]:
            found[i]["expression8"] = EXPRESSION8.labels[int(sure[i].argmax())]
        if shared[i]:
            found[i]["distribution8"] = dict(zip(EXPRESSION8.labels, shares[i].tolist(), strict=True))
    return found


def counted(cells: Sequence[Sequence[str]], path: Path, log: ImportLog, first_line: int) -> Votes:
    """Return votes (n, 10) from ten texts a row. A row that is not ten numbers from 0 to 10 is rejected."""
    votes = np.zeros((len(cells), len(FERPLUS10)))
    for row, texts in enumerate(cells):
        if len(texts) == len(FERPLUS10) and all(_is_count(text) for text in texts):
            votes[row] = [int(text) for text in texts]
        else:
            where, cell = f"{path}, row {row} (line {row + first_line})", file_checks.quoted(",".join(texts))
            log.reject(f"{where}: votes {cell} are not ten numbers from 0 to 10")
    return votes


def _is_count(text: str) -> bool:
    plain = text.strip()
    return plain.isascii() and plain.isdigit() and int(plain) <= 10
