"""How far a figure would move with other samples of the same kind: bootstrap, McNemar's test and seeds.

A draw takes as many clusters (rows, or groups of rows that belong together) as there are, with replacement;
as weights it counts how often each row was taken, so any statistic of weighted rows has an interval, the
difference of two of them too. The intervals are percentiles of the draws (Efron 1979), not BCa: that needs a
jackknife over all rows, and with hundreds of faces the two all but agree. Calibration errors are different:
see `basic_interval`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import metrics
from .extras import require
from .metrics import Array, Statistic, Weights
from .metrics.rates import TPR, rates
from .tasks import Head

COUNT, LEVEL = 1000, 0.95
_THREADS = 2
_AT_ONCE = 1_000_000  # weights in a block
Result = TypeVar("Result")


class BootstrapSettings(NamedTuple):
    """Number of bootstrap draws (0: no intervals), the share of them in an interval, and their seed."""

    draws: int = COUNT
    level: float = LEVEL
    seed: int = 0


DEFAULTS = BootstrapSettings()


class Interval(NamedTuple):
    """Where a figure lies in the given share of the draws, and in how many draws it was `undefined`."""

    low: float
    high: float
    undefined: int = 0


class McNemar(NamedTuple):
    """How many rows only the first and only the second got right, and the exact two-sided p."""

    only_a: int
    only_b: int
    p: float


class Spread(NamedTuple):
    """Mean and standard deviation (n - 1; NaN for one) of a figure over seeds."""

    mean: float
    sd: float
    n: int


def sample(
    statistics: Mapping[str, Statistic],
    clusters: ArrayLike,
    count: int = COUNT,
    seed: int = 0,
    *,
    threads: int = _THREADS,
) -> dict[str, Array]:
    """Compute each statistic in the same draws, values (count, ...), which do not depend on `threads`.

    `clusters` (N,) integers: rows of one cluster are drawn together.
    """
    drawn = Clusters(clusters)

    def values(block: range) -> list[Array]:
        weights = drawn.weights(block, seed)
        return [statistic(weights) for statistic in statistics.values()]

    parts = in_blocks(values, drawn.rows, count, threads)
    return {name: np.concatenate([part[k] for part in parts]) for k, name in enumerate(statistics)}


def in_blocks(job: Callable[[range], Result], rows: int, count: int, threads: int = _THREADS) -> list[Result]:
    """Run a job for blocks of about a million weights, so that memory stays bounded; results in order."""
    limits = require("threadpoolctl", "evaluate").threadpool_limits
    # Threads of BLAS would compete with these.
    with limits(1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        return list(pool.map(job, blocks(rows, count)))


def interval(values: ArrayLike, level: float = LEVEL) -> Interval | None:
    """Percentile interval of the defined values (count,); None where more than half are undefined."""
    drawn = np.asarray(values, np.float64)
    defined = drawn[~np.isnan(drawn)]
    if 2 * len(defined) < len(drawn) or not len(defined):
        return None
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), len(drawn) - len(defined))


def bootstrap(
    statistics: Mapping[str, Statistic],
    clusters: ArrayLike,
    count: int = COUNT,
    level: float = LEVEL,
    seed: int = 0,
) -> dict[str, Interval | None]:
    """The interval of each statistic from the same draws; None for fewer than two `clusters`."""
    if Clusters(clusters).count < 2:
        return dict.fromkeys(statistics)
    drawn = sample(statistics, clusters, count, seed)
    return {name: interval(values, level) for name, values in drawn.items()}


def of_metrics(
    statistics: Mapping[str, Statistic], clusters: ArrayLike, settings: BootstrapSettings = DEFAULTS
) -> dict[str, list[float] | None]:
    """The interval [low, high] of each prepared metric by name, for `results.json`; None: there is none."""
    rows = len(np.asarray(clusters))
    return {
        name: ends(basic_interval(found, metrics.plain(statistics[name], rows), metrics.METRICS[name].noise))
        for name, found in bootstrap(statistics, clusters, *settings).items()
    }


def basic_interval(found: Interval | None, value: float, noise: int) -> Interval | None:
    """Mirror the interval of a metric with `noise` (see `metrics.Metric`) at its value.

    Noise adds to that power of the figure, and once more in every draw, so all draws lie too high. Their
    powers are therefore mirrored at that of the figure (the basic interval, Davison & Hinkley 1997).
    """
    if not found or not noise:
        return found
    low, high = (max(2 * value**noise - end**noise, 0.0) ** (1 / noise) for end in (found.high, found.low))
    return Interval(low, max(high, value), found.undefined)


def recalls(
    head: Head,
    output: ArrayLike,
    target: ArrayLike,
    clusters: ArrayLike,
    *,
    thresholds: ArrayLike = 0.5,
    settings: BootstrapSettings = DEFAULTS,
) -> list[list[float] | None]:
    """The interval of each label's recall, in the order of `metrics.per_class`; tags at `thresholds`."""
    if Clusters(clusters).count < 2:
        return [None] * len(head)
    statistics = {"rates": rates(output, target, head, thresholds)}
    found = sample(statistics, clusters, settings.draws, settings.seed)["rates"]
    return [ends(interval(values, settings.level)) for values in found[:, TPR].T]


def ends(found: Interval | None) -> list[float] | None:
    """Write an interval as JSON holds it."""
    return [found.low, found.high] if found else None


def mcnemar(correct_a: ArrayLike, correct_b: ArrayLike) -> McNemar:
    """McNemar's exact test (two-sided binomial) of two runs on the same rows, (N,): which each got right.

    Rows count as independent: for rows in groups, trust a bootstrapped difference. Raises ValueError.
    """
    a, b = np.asarray(correct_a, bool), np.asarray(correct_b, bool)
    if a.shape != b.shape:
        raise ValueError(f"both runs must have judged the same rows, given {a.shape} and {b.shape}")
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    return McNemar(only_a, only_b, _binomial(only_a, only_b))


def seeds(values: ArrayLike) -> Spread:
    """Sum up one figure over several seeds. Raises ValueError for none."""
    figures = np.asarray(values, np.float64)
    if not figures.size:
        raise ValueError("no values, needs at least one seed")
    sd = float(figures.std(ddof=1)) if figures.size > 1 else math.nan
    return Spread(float(figures.mean()), sd, figures.size)


def seed_difference(first: Sequence[float], other: Sequence[float]) -> tuple[float, float] | None:
    """Student's 95 % interval of the difference of two means over seeds; None with one seed of each."""
    freedom = len(first) + len(other) - 2
    if freedom < 1:
        return None
    squares = sum(float(np.square(np.subtract(values, np.mean(values))).sum()) for values in (first, other))
    error = math.sqrt(squares / freedom * (1 / len(first) + 1 / len(other)))
    half = float(require("scipy.stats", "evaluate").t.ppf(0.975, freedom)) * error
    middle = float(np.mean(other) - np.mean(first))
    return middle - half, middle + half


def by_group(groups: Sequence[str]) -> NDArray[np.intp]:
    """Number the clusters (N,) of rows by group name; a row without a group ('') is its own cluster."""
    names = [name or f"\0{row}" for row, name in enumerate(groups)]
    return np.asarray(np.unique(names, return_inverse=True)[1], np.intp)


def _binomial(first: int, second: int) -> float:
    """Two-sided p of so uneven a split of fair coins, by logarithms since 2^number would overflow."""
    number, least = first + second, min(first, second)
    steps = np.arange(1, least + 1)
    chances = np.append(0.0, np.cumsum(np.log((number - steps + 1) / steps))) - number * math.log(2)
    return float(min(1.0, 2 * np.exp(chances).sum()))


class Clusters:
    """Which of N rows are drawn together: `count` clusters of `rows` rows, from an integer (N,) each."""

    def __init__(self, clusters: ArrayLike) -> None:
        names, members = np.unique(np.asarray(clusters), return_inverse=True)
        self.count, self.rows = len(names), len(members)
        self._members = None if np.array_equal(members, np.arange(self.rows)) else members

    def weights(self, block: range, seed: int) -> Weights:
        """Draw weights (B, N), uint8: how often each row was taken in the draws of those numbers.

        A cluster drawn more than 255 times is a chance below 1 in 10^500.
        """
        counts = np.empty((len(block), self.count), np.uint8)
        for row, number in zip(counts, block, strict=True):
            taken = np.random.default_rng((seed, number)).integers(self.count, size=self.count)
            row[:] = np.bincount(taken, minlength=self.count)
        return counts if self._members is None else counts.take(self._members, axis=1)


def blocks(rows: int, count: int, at_once: int = _AT_ONCE) -> list[range]:
    """Cut the numbers of `count` draws into blocks of about `at_once` weights, one draw at least."""
    step = max(1, at_once // max(rows, 1))
    return [range(start, min(start + step, count)) for start in range(0, count, step)]
