"""How well one column of numbers (N,) agrees with the true one."""

from __future__ import annotations

import numpy as np

from .statistic import Array, Statistic, mean, of_moments, ratio, root_mean


def rmse(output: Array, target: Array) -> Statistic:
    """Root of the mean squared error, in the column's own unit."""
    return root_mean(np.square(output - target))


def mae(output: Array, target: Array) -> Statistic:
    """Mean absolute error, in the column's own unit."""
    return mean(np.abs(output - target))


def pearson(output: Array, target: Array) -> Statistic:
    """Pearson's correlation, -1…1; undefined where either side is constant."""
    return of_moments(output, target, lambda _, x, y, xy: np.clip(ratio(xy, np.sqrt(x * y)), -1, 1))


def ccc(output: Array, target: Array) -> Statistic:
    """Lin's concordance 2 cov / (var x + var y + (mean x - mean y)²), -1…1, with population moments."""
    return of_moments(output, target, lambda shift, x, y, xy: ratio(2 * xy, x + y + shift**2))


def icc(output: Array, target: Array) -> Statistic:
    """ICC(3,1) of Shrout & Fleiss 1979, consistency of one rating: 2 cov / (var x + var y), -1…1."""
    return of_moments(output, target, lambda _, x, y, xy: ratio(2 * xy, x + y))


def sagr(output: Array, target: Array, bounds: tuple[float, float]) -> Statistic:
    """Sign agreement: share on the same side of the middle of the bounds (0 for -1…1)."""
    middle = sum(bounds) / 2
    return mean((np.sign(output - middle) == np.sign(target - middle)).astype(np.float64))
