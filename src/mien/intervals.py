"""How far a figure would move with other faces of the same kind: bootstrap intervals, paired differences and seeds.

A draw takes as many units (rows, or groups of rows that belong together) as there are, with replacement; as weights it counts
how often each row was taken, so any statistic of weighted rows has an interval. The intervals are percentiles of the draws
(Efron 1979), not BCa: that needs a jackknife over all rows, and with hundreds of faces the two all but agree. Calibration
errors are different: see `around`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import metrics
from .extras import require
from .metrics import Array, Statistic, Weights
from .metrics.rates import FOUND, rates
from .tasks import Head

COUNT, LEVEL = 1000, 0.95
_THREADS = 2
_AT_ONCE = 1_000_000  # weights in a block
Result = TypeVar("Result")


class Drawing(NamedTuple):
    """How often is drawn, what share of the draws an interval holds, and from which seed."""

    draws: int = COUNT
    level: float = LEVEL
    seed: int = 0


DRAWING = Drawing()


class Interval(NamedTuple):
    """Where a figure lies in the given share of the draws, and in how many draws it was `undefined`."""

    low: float
    high: float
    undefined: int = 0


class Difference(NamedTuple):
    """First minus second on the same rows, its interval (NaN where there is none), and the `share` of draws in which the sign
    flips; a draw without any difference counts as a flip."""

    value: float
    low: float
    high: float
    share: float


class McNemar(NamedTuple):
    """How many rows only the first and only the second got right, and the exact p of a split as uneven if both were as good."""

    only_a: int
    only_b: int
    p: float


class Spread(NamedTuple):
    """Mean and standard deviation (n - 1; NaN for one) of a figure over seeds."""

    mean: float
    sd: float
    n: int


def draws(units: ArrayLike, count: int = COUNT, seed: int = 0, *, at_once: int = _AT_ONCE) -> Iterator[Weights]:
    """Bootstrap weights in blocks (B, N) of about `at_once` numbers: how often each row was drawn, uint8.

    `units` (N,) integers: rows of one unit are drawn together. A draw depends on the seed and its own number alone.
    """
    drawn = _Units(units)
    yield from (drawn.weights(block, seed) for block in _blocks(drawn.rows, count, at_once))


def sample(
    statistics: Mapping[str, Statistic], units: ArrayLike, count: int = COUNT, seed: int = 0, *, threads: int = _THREADS
) -> dict[str, Array]:
    """The values (count, ...) of each statistic in the same draws; they depend on the seed, not on the threads."""
    drawn = _Units(units)

    def values(block: range) -> list[Array]:
        weights = drawn.weights(block, seed)
        return [statistic(weights) for statistic in statistics.values()]

    parts = in_blocks(values, drawn.rows, count, threads)
    return {name: np.concatenate([part[k] for part in parts]) for k, name in enumerate(statistics)}


def in_blocks(job: Callable[[range], Result], rows: int, count: int, threads: int = _THREADS) -> list[Result]:
    """What a job answers for each block of draws, in order. A block has about a million weights, so memory stays bounded."""
    limits = require("threadpoolctl", "evaluate").threadpool_limits
    with limits(1, user_api="blas"), ThreadPoolExecutor(threads) as pool:  # threads of BLAS would compete with these
        return list(pool.map(job, _blocks(rows, count, _AT_ONCE)))


def interval(values: ArrayLike, level: float = LEVEL) -> Interval | None:
    """The interval of values (count,) over the draws in which they are defined; None where they are not in more than half."""
    given = np.asarray(values, np.float64)
    defined = given[~np.isnan(given)]
    if 2 * len(defined) < len(given) or not len(defined):
        return None
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), len(given) - len(defined))


def bootstrap(
    statistics: Mapping[str, Statistic], units: ArrayLike, count: int = COUNT, level: float = LEVEL, seed: int = 0
) -> dict[str, Interval | None]:
    """The interval of each statistic, all from the same draws. `units` as in `draws`; None for fewer than two of them."""
    if _Units(units).count < 2:
        return dict.fromkeys(statistics)
    return {name: interval(values, level) for name, values in sample(statistics, units, count, seed).items()}


def for_head(
    head: Head,
    output: ArrayLike,
    target: ArrayLike,
    units: ArrayLike,
    drawing: Drawing = DRAWING,
) -> dict[str, list[float] | None]:
    """The interval [low, high] of every metric of a head, as `results.json` holds it.

    Outputs and targets (N, K) over all rows, as in `metrics`; `units` (N,) as in `draws`: the row numbers, or the group of each.
    """
    return of_metrics({name: metrics.statistic(name, output, target, head) for name in head.metrics}, units, drawing)


def of_metrics(
    statistics: Mapping[str, Statistic], units: ArrayLike, drawing: Drawing = DRAWING
) -> dict[str, list[float] | None]:
    """The same of prepared metrics, by name."""
    rows = len(np.asarray(units))
    return {
        name: ends(around(found, metrics.plain(statistics[name], rows), metrics.METRICS[name].noise))
        for name, found in bootstrap(statistics, units, *drawing).items()
    }


def around(found: Interval | None, value: float, noise: int) -> Interval | None:
    """The interval of a metric of that `noise` (see `metrics.Metric`) around its value: the percentiles where it is 0.

    Noise adds to that power of the figure, and once more in every draw, so all draws lie too high. Their powers are therefore
    mirrored at that of the figure (the basic interval, Davison & Hinkley 1997), from 0 on, and up to the figure at least.
    """
    if not found or not noise:
        return found
    low, high = (max(2 * value**noise - end**noise, 0.0) ** (1 / noise) for end in (found.high, found.low))
    return Interval(low, max(high, value), found.undefined)


def recalls(
    head: Head,
    output: ArrayLike,
    target: ArrayLike,
    units: ArrayLike,
    *,
    thresholds: ArrayLike = 0.5,
    drawing: Drawing = DRAWING,
) -> list[list[float] | None]:
    """The interval of each label's recall, in the order of `metrics.per_class`; tags are said from their thresholds on."""
    if _Units(units).count < 2:
        return [None] * len(head)
    found = sample({"recall": rates(output, target, head, thresholds)}, units, drawing.draws, drawing.seed)["recall"]
    return [ends(interval(values, drawing.level)) for values in found[:, FOUND].T]


def ends(found: Interval | None) -> list[float] | None:
    """An interval as JSON holds it."""
    return [found.low, found.high] if found else None


def paired(
    first: Statistic,
    second: Statistic,
    units: ArrayLike,
    count: int = COUNT,
    seed: int = 0,
    *,
    level: float = LEVEL,
) -> Difference:
    """First minus second of two runs on the same rows, in the same draws: what both find hard falls out of the difference."""
    drawn = _Units(units)
    ones = np.ones((1, drawn.rows))
    value = float((first(ones) - second(ones))[0]) if drawn.rows else math.nan
    if drawn.count < 2 or math.isnan(value):
        return Difference(value, math.nan, math.nan, math.nan)
    found = sample({"apart": lambda weights: first(weights) - second(weights)}, units, count, seed)["apart"]
    between, defined = interval(found, level), found[~np.isnan(found)]
    if between is None:
        return Difference(value, math.nan, math.nan, math.nan)
    return Difference(value, between.low, between.high, float(np.mean(defined * np.sign(value) <= 0)))


def inside_noise(difference: Difference) -> bool:
    """Whether other faces of the same kind could well turn the difference round: its interval holds 0, or there is none."""
    return not (difference.low > 0 or difference.high < 0)


def sentence(difference: Difference) -> str:
    """What a person should know of a difference between two runs."""
    value, low, high, share = difference
    if math.isnan(low):
        return f"The difference is {value:+.3g}; no interval could be drawn."
    verdict = "lies inside the noise" if inside_noise(difference) else "is more than noise"
    return (
        f"The difference of {value:+.3g} {verdict}: with other faces of the same kind it would lie between {low:+.3g} and "
        f"{high:+.3g}, and in {share:.1%} of the draws the order turns round."
    )


def mcnemar(correct_a: ArrayLike, correct_b: ArrayLike) -> McNemar:
    """McNemar's exact test (two-sided binomial) of two runs on the same rows; `correct` (N,): which rows each got right.

    Rows count as independent of each other: where they come in groups, trust `paired` by group. Raises ValueError.
    """
    a, b = np.asarray(correct_a, bool), np.asarray(correct_b, bool)
    if a.shape != b.shape:
        raise ValueError(f"both runs must have judged the same rows, given {a.shape} and {b.shape}")
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    return McNemar(only_a, only_b, _binomial(only_a, only_b))


def seeds(values: ArrayLike) -> Spread:
    """One figure over several seeds. Raises ValueError for none."""
    given = np.asarray(values, np.float64)
    if not given.size:
        raise ValueError("no values, needs at least one seed")
    return Spread(float(given.mean()), float(given.std(ddof=1)) if given.size > 1 else math.nan, given.size)


def by_group(groups: Sequence[str]) -> NDArray[np.intp]:
    """Units (N,) of rows by the names of their groups; a row without a group ('') stands for itself."""
    names = [name or f"\0{row}" for row, name in enumerate(groups)]
    return np.asarray(np.unique(names, return_inverse=True)[1], np.intp)


def _binomial(one: int, other: int) -> float:
    """Two-sided p of so uneven a split of fair coins; logarithms, since 2 to the power of the number would overflow."""
    number, least = one + other, min(one, other)
    steps = np.arange(1, least + 1)
    chances = np.append(0.0, np.cumsum(np.log((number - steps + 1) / steps))) - number * math.log(2)
    return float(min(1.0, 2 * np.exp(chances).sum()))


class _Units:
    """Which rows are drawn together."""

    def __init__(self, units: ArrayLike) -> None:
        names, places = np.unique(np.asarray(units), return_inverse=True)
        self.count, self.rows = len(names), len(places)
        self._places = None if np.array_equal(places, np.arange(self.rows)) else places

    def weights(self, block: range, seed: int) -> Weights:
        """Weights (B, N) of the draws of those numbers. A unit drawn more than 255 times is a chance below 1 in 10^500."""
        counts = np.empty((len(block), self.count), np.uint8)
        for row, number in zip(counts, block, strict=True):
            taken = np.random.default_rng((seed, number)).integers(self.count, size=self.count)
            row[:] = np.bincount(taken, minlength=self.count)
        return counts if self._places is None else counts.take(self._places, axis=1)


def _blocks(rows: int, count: int, at_once: int) -> list[range]:
    step = max(1, at_once // max(rows, 1))
    return [range(start, min(start + step, count)) for start in range(0, count, step)]
