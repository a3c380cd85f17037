"""A metric as a statistic of weighted rows: the plain figure, its bootstrap draws and its subgroups are one
definition.

A statistic takes weights (B, N), a row for each draw, and gives values (B,): ones give the plain figure, how
often each row was drawn gives a bootstrap draw, zeros leave rows out. What is undefined is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.intp]
Weights = NDArray[Any]  # (B, N), of any type of number
Statistic = Callable[[Weights], Array]
TINY = 1e-12  # probabilities are clipped at it before a logarithm
_RUN = 128  # rows: so many weights of one byte add up to less than 2^16
_FLAT = 1e-12  # a variance below this share of the mean square is rounding


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
    """A figure of two columns: `figure(difference of means, variance, variance, covariance)`, population
    moments (B,).

    A column that does not change has variance and covariance 0 exactly.
    """
    middle = float(target.mean())  # moments about a point nearby keep their digits
    x, y = output - middle, target - middle
    products = np.stack([x, y, x * x, y * y, x * y], axis=1)

    def statistic(weights: Weights) -> Array:
        mx, my, xx, yy, xy = ratio((weights @ products).T, weights.sum(axis=1, dtype=np.float64))
        x, y = (np.where(v > _FLAT * square, v, 0.0) for v, square in ((xx - mx**2, xx), (yy - my**2, yy)))
        return figure(mx - my, x, y, np.where((x > 0) & (y > 0), xy - mx * my, 0.0))

    return statistic


def leading(order: Places, counts: Places) -> Statistic:
    """The weight (B, T) of as many first rows in an order as each of the counts (T,) says.

    numpy adds up along a row one by one, so the order is cut into runs whose sums grow side by side.
    """
    size = min(_RUN, math.isqrt(len(order)) + 1)
    runs = -(-len(order) // size)
    grid = np.resize(order, (runs, size)).T.ravel()  # repeats that fill the last run come after every count
    run, place = np.divmod(counts - 1, size)
    none, cells = np.flatnonzero(counts == 0), place * runs + run

    def statistic(weights: Weights) -> Array:
        small = np.uint16 if weights.dtype == np.uint8 else np.float64
        sums: Weights = weights.take(grid, axis=1).astype(small).reshape(len(weights), size, runs)
        for k in range(1, size):
            sums[:, k] += sums[:, k - 1]
        before: Array = np.cumsum(sums[:, -1], axis=1, dtype=np.float64) - sums[:, -1]
        found: Array = before.take(run, axis=1) + sums.reshape(len(weights), size * runs).take(cells, axis=1)
        found[:, none] = 0
        return found

    return statistic


def ratio(part: Array, whole: Array) -> Array:
    """part / whole; NaN where the whole is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(whole != 0, part / whole, np.nan))
