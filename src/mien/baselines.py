"""Baselines of a figure: chance, someone who knows the top label, and the noise of the annotators' votes.

An answer that ignores the input depends on the target only, so rows with the same target are counted
together: chance is exact, not drawn. Only the noise floor is drawn, from a fixed seed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import metrics
from .metrics import METRICS, Array, MetricContext
from .metrics.distributions import Distances
from .tasks import Head, Kind

#: Breaks the ties of equal shares without showing in any figure.
_TIE_BREAK = 1e-9


def for_head(
    head: Head,
    target: ArrayLike,
    training: ArrayLike,
    votes: ArrayLike | None = None,
    *,
    ground: Distances = (),
    seed: int = 0,
) -> dict[str, dict[str, float]]:
    """Compute every metric of the head for each baseline that applies: {baseline: {metric: value}}.

    `marginal` always answers the mean of the `training` targets. CLASS, DISTRIBUTION: `uniform` answers equal
    shares and takes a top label at random. DISTRIBUTION: `oracle` knows the top label and answers the mean of
    the training targets that share it; with `votes` (N, K), counts as they were cast, `noise_floor`: see
    `redrawn`. `ground` as in `metrics.statistic`.
    """
    targets, train_targets = np.asarray(target, np.float64), np.asarray(training, np.float64)
    prior, context = marginal(train_targets), MetricContext(head, ground)
    if not head.kind.is_exclusive:
        return {"marginal": metrics.evaluate_head(head, np.broadcast_to(prior, targets.shape), targets)}
    cells, counts = np.unique(targets[~np.isnan(targets).any(axis=1)], axis=0, return_counts=True)
    answers = {"marginal": np.broadcast_to(prior, cells.shape)}
    if head.kind is Kind.DISTRIBUTION:
        answers["oracle"] = class_means(train_targets)[cells.argmax(axis=1)] if len(cells) else cells
    found = {"uniform": _random_guess(context, cells, counts)}
    found |= {
        name: {metric: _weighted(metric, answer, cells, counts, context) for metric in head.metrics}
        for name, answer in answers.items()
    }
    if head.kind is Kind.DISTRIBUTION and votes is not None and are_votes(votes):
        found["noise_floor"] = metrics.evaluate_head(head, *redrawn(votes, prior, seed), ground=ground)
    return found


def marginal(training: ArrayLike) -> Array:
    """Mean (K,) of the annotated targets of a training split; NaN for a column nobody annotated."""
    targets = np.asarray(training, np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(targets, axis=0) / (~np.isnan(targets)).sum(axis=0))


def class_means(training: ArrayLike) -> Array:
    """Mean training target (K, K) by top label; that of all rows for a label that is never on top."""
    targets = np.asarray(training, np.float64)
    targets = targets[~np.isnan(targets).any(axis=1)]
    top, everyone = targets.argmax(axis=1), marginal(targets)
    labels = range(targets.shape[1])
    return np.stack([targets[top == k].mean(axis=0) if (top == k).any() else everyone for k in labels])


def are_votes(votes: ArrayLike) -> bool:
    """Whether rows (N, K) are counts of votes: whole numbers, several in some row; NaN: not annotated."""
    rows = np.asarray(votes, np.float64)
    rows = rows[~np.isnan(rows).any(axis=1)]
    return bool(len(rows) and (rows == np.round(rows)).all() and rows.sum(axis=1).max() > 1)


def redrawn(votes: ArrayLike, prior: ArrayLike = 0.0, seed: int = 0) -> tuple[Array, Array]:
    """Draw answer and target (n, K) of someone who knows each true distribution and meets other annotators.

    The answer is the votes and `prior` (K,), one more vote shared out like the training marginal, since a
    label without votes is not impossible; 0 takes the votes as the truth. The target is a multinomial draw
    from the answer, of as many votes. Rows without votes are left out.
    """
    counts = np.asarray(votes, np.float64)
    counts = counts[np.nansum(counts, axis=1) > 0]
    answer = counts + np.asarray(prior)
    answer /= answer.sum(axis=1, keepdims=True)
    total = counts.sum(axis=1, keepdims=True)
    return answer, np.random.default_rng(seed).multinomial(total[:, 0].astype(np.int64), answer) / total


def _random_guess(context: MetricContext, cells: Array, counts: NDArray[np.int64]) -> dict[str, float]:
    """Equal shares. Each target meets every label on top, once, unless a ground distance decides."""
    size = len(context.head)
    turns = np.stack([np.roll(np.linspace(1, -1, size), k) for k in range(size)])
    guesses = np.tile(np.full((size, size), 1 / size) + _TIE_BREAK * turns, (len(cells), 1))
    targets, weights = np.repeat(cells, size, axis=0), np.repeat(counts, size)
    plain = np.full(cells.shape, 1 / size)
    return {
        name: _weighted(name, plain, cells, counts, context)
        if METRICS[name].needs_context
        else _weighted(name, guesses, targets, weights, context)
        for name in context.head.metrics
    }


def _weighted(
    name: str, output: Array, target: Array, counts: NDArray[np.int64], context: MetricContext
) -> float:
    """A metric of targets that stand for so many rows each."""
    statistic = metrics.statistic(name, output, target, context.head, ground=context.ground)
    return float(statistic(counts[None])[0])
