"""A metric as a statistic of weighted rows: the plain figure, its bootstrap draws and its subgroups are one definition.

A statistic takes weights (B, N), a row for each draw, and gives values (B,): ones give the plain figure, how often each row
was drawn gives a bootstrap draw, zeros leave rows out. What is undefined is NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Weights = NDArray[Any]  # (B, N), of any type of number
Statistic = Callable[[Weights], Array]


def plain(statistic: Statistic, rows: int) -> float:
    """The figure of all rows, each counted once."""
    return float(statistic(np.ones((1, rows)))[0]) if rows else float("nan")


def mean(rows: Array) -> Statistic:
    """The weighted mean of a score (N,) of each row."""
    return lambda weights: ratio(weights @ rows, weights.sum(axis=1, dtype=np.float64))


def root_mean(rows: Array) -> Statistic:
    """The root of the weighted mean."""
    inner = mean(rows)
    return lambda weights: np.sqrt(inner(weights))


def of_tables(output: Array, target: Array, figure: Callable[[Array], Array]) -> Statistic:
    """A figure of weighted confusion matrices (B, K, K), rows true and columns predicted, by top label."""
    size = target.shape[1]
    cells = target.argmax(axis=1) * size + output.argmax(axis=1)

    def statistic(weights: Weights) -> Array:
        tables = np.stack([np.bincount(cells, row, size * size) for row in weights])
        return figure(tables.reshape(-1, size, size).astype(np.float64))

    return statistic


def of_moments(output: Array, target: Array, figure: Callable[..., Array]) -> Statistic:
    """A figure of two columns: `figure(difference of means, variance, variance, covariance)`, population moments (B,)."""
    shift = float(target.mean())  # moments about a point nearby keep their digits
    x, y = output - shift, target - shift
    products = np.stack([x, y, x * x, y * y, x * y], axis=1)

    def statistic(weights: Weights) -> Array:
        total = weights.sum(axis=1, dtype=np.float64)
        mx, my, xx, yy, xy = ratio((weights @ products).T, total)
        return figure(mx - my, np.maximum(xx - mx**2, 0), np.maximum(yy - my**2, 0), xy - mx * my)

    return statistic


class Ranks(NamedTuple):
    """Weights (B, T) at the T different answers that a positive has, highest first: of the positives with that answer, of
    all positives and of everyone answered `above` it and `upto` it; `total` (B,) of everyone."""

    gain: Array
    hits: Array
    above: Array
    upto: Array
    total: Array


def of_ranks(output: Array, target: Array, figure: Callable[[Ranks], Array]) -> Statistic:
    """A figure of how one column (N,) ranks its positives. Only the answers that a positive has are looked at."""
    order = np.argsort(-output, kind="stable")
    true = target[order] > 0.5
    ends = np.append(np.flatnonzero(np.diff(output[order])), len(order) - 1) + 1  # of rows with the same answer
    found = np.cumsum(true)[ends - 1]
    kept = np.flatnonzero(np.diff(found, prepend=0))
    upto, above, last = ends[kept], np.append(0, ends)[kept], found[kept]
    positives = order[true]

    def statistic(weights: Weights) -> Array:
        everyone, hits = _sums(weights[:, order]), _sums(weights[:, positives])[:, last]
        gain = np.diff(hits, axis=1, prepend=0)
        return figure(Ranks(gain, hits, everyone[:, above], everyone[:, upto], everyone[:, -1]))

    return statistic


def _sums(weights: Weights) -> NDArray[Any]:
    """Running sums (B, n + 1) from 0 upwards."""
    sums = np.zeros((len(weights), weights.shape[1] + 1), np.int32 if weights.dtype.kind in "bui" else np.float64)
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums


def ratio(part: Array, whole: Array) -> Array:
    """part / whole; NaN where the whole is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(whole != 0, part / whole, np.nan))
