"""What a figure is measured against: chance, someone who knows the top label, and the noise of the annotators' own votes.

An answer that never looks at the face depends on the target only, so faces with the same target are counted together: chance
is exact, not drawn. Only the noise floor is drawn, from a fixed seed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import metrics
from .metrics import METRICS, Array
from .tasks import Head, Kind

#: Breaks the ties of equal shares without showing in any figure.
_TILT = 1e-9


def for_head(
    head: Head, target: ArrayLike, training: ArrayLike, votes: ArrayLike | None = None, seed: int = 0
) -> dict[str, dict[str, float]]:
    """Every metric of the head for each reference that applies: {reference: {metric: value}}.

    `marginal` always answers the mean of the `training` targets. CLASS, DISTRIBUTION: `uniform` answers equal shares and takes a
    top label by lot. DISTRIBUTION: `oracle` knows the top label and answers the mean of the training targets that share it;
    with `votes` (N, K), counts as they were cast, `noise_floor`: see `redrawn`.
    """
    targets, learnt = np.asarray(target, np.float64), np.asarray(training, np.float64)
    prior = marginal(learnt)
    if head.kind in (Kind.TAGS, Kind.VALUES):
        return {"marginal": metrics.evaluate_head(head, np.broadcast_to(prior, targets.shape), targets)}
    cells, counts = np.unique(targets[~np.isnan(targets).any(axis=1)], axis=0, return_counts=True)
    known = {"marginal": np.broadcast_to(prior, cells.shape)}
    if head.kind is Kind.DISTRIBUTION:
        known["oracle"] = class_means(learnt)[cells.argmax(axis=1)] if len(cells) else cells
    found = {"uniform": _by_lot(head, cells, counts)}
    found |= {
        name: {m: _weighed(m, answer, cells, counts, head) for m in head.metrics} for name, answer in known.items()
    }
    if head.kind is Kind.DISTRIBUTION and votes is not None and are_votes(votes):
        found["noise_floor"] = metrics.evaluate_head(head, *redrawn(votes, prior, seed))
    return found


def marginal(training: ArrayLike) -> Array:
    """The mean (K,) of what was annotated in the targets of a training split; NaN for a column nobody annotated."""
    targets = np.asarray(training, np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(targets, axis=0) / (~np.isnan(targets)).sum(axis=0))


def class_means(training: ArrayLike) -> Array:
    """The mean target (K, K) of the training rows with each top label; the mean of all rows for a label that is never on top."""
    targets = np.asarray(training, np.float64)
    targets = targets[~np.isnan(targets).any(axis=1)]
    top, everyone = targets.argmax(axis=1), marginal(targets)
    labels = range(targets.shape[1])
    return np.stack([targets[top == k].mean(axis=0) if (top == k).any() else everyone for k in labels])


def are_votes(votes: ArrayLike) -> bool:
    """Whether rows (N, K) are counts of votes: whole numbers, more than one in some row. NaN: not annotated."""
    rows = np.asarray(votes, np.float64)
    rows = rows[~np.isnan(rows).any(axis=1)]
    return bool(len(rows) and (rows == np.round(rows)).all() and rows.sum(axis=1).max() > 1)


def redrawn(votes: ArrayLike, prior: ArrayLike = 0.0, seed: int = 0) -> tuple[Array, Array]:
    """Answer and target (n, K) of someone who knows the true distribution of every face and meets other annotators.

    The answer is the votes and `prior` (K,), one more vote shared out like the training marginal, since nobody casting a label
    does not make it impossible; 0 takes the votes as the truth. The target is a fresh multinomial draw from the answer, as
    many votes as the face has. Rows without votes are left out.
    """
    counts = np.asarray(votes, np.float64)
    counts = counts[np.nansum(counts, axis=1) > 0]
    truth = counts + np.asarray(prior)
    truth /= truth.sum(axis=1, keepdims=True)
    total = counts.sum(axis=1, keepdims=True)
    return truth, np.random.default_rng(seed).multinomial(total[:, 0].astype(np.int64), truth) / total


def _by_lot(head: Head, cells: Array, counts: NDArray[np.int64]) -> dict[str, float]:
    """Equal shares. Each target meets every label on top, once; a ground distance does not see who is on top."""
    size = len(head)
    shares = np.full((size, size), 1 / size) + _TILT * np.stack(
        [np.roll(np.linspace(1, -1, size), k) for k in range(size)]
    )
    answers, targets, weights = (
        np.tile(shares, (len(cells), 1)),
        np.repeat(cells, size, axis=0),
        np.repeat(counts, size),
    )
    plain = np.full(cells.shape, 1 / size)
    return {
        name: _weighed(name, plain, cells, counts, head)
        if METRICS[name].needs_head
        else _weighed(name, answers, targets, weights, head)
        for name in head.metrics
    }


def _weighed(name: str, output: Array, target: Array, counts: NDArray[np.int64], head: Head) -> float:
    return float(metrics.statistic(name, output, target, head)(counts[None])[0])
