"""The same metrics for each group of samples by an attribute, and how far the groups lie from each other.

All groups share the bootstrap draws, so the interval of a gap is that of a difference. All rows decide which
two groups a gap lies between, for all draws: the largest gap of each draw would only ever grow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import intervals, metrics
from .metrics import Array, Statistic, Weights
from .metrics.distributions import Distances
from .metrics.rates import FPR, PREDICTED_RATE, TPR, flags, rates
from .tasks import Head, Kind

#: Groups smaller than this have figures, but neither intervals nor a part in gaps: rows, clusters, and rows
#: for or against a label.
FEWEST_ROWS, FEWEST_CLUSTERS, FEWEST_LABELLED = 30, 10, 10
#: An attribute with more values is cut into quartiles (numbers) or keeps its largest ones (texts).
MOST_VALUES = 12
OTHER = "other"
_ROWS_A_VALUE = 5  # texts that repeat less often name rows, not groups
_PARITY = {"statistical_parity": (PREDICTED_RATE,), "equal_opportunity": (TPR,), "equalised_odds": (TPR, FPR)}
Rows = NDArray[np.intp]


def for_head(
    head: Head,
    output: ArrayLike,
    target: ArrayLike,
    attributes: Mapping[str, Sequence[str]],
    clusters: ArrayLike,
    *,
    thresholds: ArrayLike = 0.5,
    settings: intervals.BootstrapSettings = intervals.DEFAULTS,
    ground: Distances = (),
) -> dict[str, Any]:
    """The "subgroups" of a head in `results.json`: what `_Attribute.record` gives, for each attribute that
    tells groups apart.

    Outputs and targets (N, K) over all rows, as in `metrics`; `attributes`: a text of each row, '' where
    nothing is known; `clusters` (N,) as in `intervals.sample`; `thresholds`: from where on tags apply, one or
    (K,); `ground` as in `metrics.statistic`.
    """
    outputs, targets = np.asarray(output, np.float64), np.asarray(target, np.float64)
    case = _Case(head, outputs, targets, np.asarray(clusters), thresholds, settings, ground)
    known = metrics.annotated(targets, head)
    cuts = {name: _counted(cut(column), known) for name, column in attributes.items()}
    return {name: _Attribute(case, groups).record() for name, groups in cuts.items() if groups}


def cut(column: Sequence[str]) -> dict[str, Rows]:
    """The rows of each group of an attribute, {} without groups; '' is the group of rows without a value.

    Numbers come in their order, texts by size. More than 12 different ones are cut into quartiles, or all but
    the 12 largest become "other"; texts that hardly repeat, such as file names, are no groups.
    """
    sizes = Counter(value for value in column if value)
    if len(sizes) < 2:
        return {}
    numbers = _numbers(sizes)
    if len(sizes) <= MOST_VALUES:
        order = sorted(sizes, key=(numbers or {name: -size for name, size in sizes.items()}).__getitem__)
        called = {name: name for name in order}
    elif numbers:
        order, called = _quartiles([numbers[value] for value in column if value], numbers)
    elif sizes.total() < _ROWS_A_VALUE * len(sizes):
        return {}
    else:
        order = [name for name, _ in sizes.most_common(MOST_VALUES)]
        called = {name: name if name in order else OTHER for name in sizes}
    places = np.array([called.get(value, "") for value in column])
    names = dict.fromkeys([*order, OTHER, ""])
    return {name: rows for name in names if len(rows := np.flatnonzero(places == name))}


def _counted(groups: Mapping[str, Rows], annotated: NDArray[np.bool_]) -> dict[str, Rows]:
    """The annotated rows of each group; {} where they are not of two groups at least."""
    found = {name: counted for name, rows in groups.items() if len(counted := rows[annotated[rows]])}
    return found if len(set(found) - {""}) > 1 else {}


def _numbers(values: Mapping[str, int]) -> dict[str, float]:
    """The values as numbers, {} unless all are."""
    try:
        found = {value: float(value) for value in values}
    except ValueError:
        return {}
    return found if np.isfinite(list(found.values())).all() else {}


def _quartiles(known: list[float], numbers: Mapping[str, float]) -> tuple[list[str], dict[str, str]]:
    """Names of the quartiles in their order, and which one each value belongs to."""
    edges = np.unique(np.quantile(known, (0.25, 0.5, 0.75)))
    says = [f"{edge:.6g}" for edge in edges]
    between = [f"above {low} to {high}" for low, high in pairwise(says)]
    names = [f"up to {says[0]}", *between, f"above {says[-1]}"]
    return names, {value: names[int(np.searchsorted(edges, number))] for value, number in numbers.items()}


@dataclass(frozen=True)
class _Case:
    """What is measured of every group: the head's metrics, then the rates (3, K) of its labels."""

    head: Head
    output: Array
    target: Array
    clusters: NDArray[Any]
    thresholds: ArrayLike
    settings: intervals.BootstrapSettings
    ground: Distances = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that have rates."""
        return () if self.head.kind is Kind.VALUES else self.head.space.labels

    def metrics(self, rows: Rows) -> Statistic:
        """The metrics of some rows: their weights (B, n) -> (B, M)."""
        output, target = self.output[rows], self.target[rows]
        prepare = partial(metrics.statistic, head=self.head, ground=self.ground)
        parts = [prepare(name, output, target) for name in self.head.metrics]
        return lambda weights: np.stack([part(weights) for part in parts], axis=1)

    def everything(self, rows: Rows) -> Statistic:
        """Metrics and rates of some rows: weights (B, N) of all rows -> (B, M + 3 K)."""
        scores = self.metrics(rows)
        if not self.labels:
            return lambda weights: scores(weights[:, rows])
        shares = rates(self.output[rows], self.target[rows], self.head, self.thresholds)

        def statistic(weights: Weights) -> Array:
            taken = weights.take(rows, axis=1)
            return np.concatenate([scores(taken), shares(taken).reshape(len(taken), -1)], axis=1)

        return statistic

    def labelled(self, rows: Rows) -> Array:
        """How many of some rows a rate (3, K) is a share of."""
        known, true, _ = flags(self.output[rows], self.target[rows], self.head, self.thresholds)
        positive, seen = true.sum(axis=0), known.sum(axis=0)
        return np.stack([positive, seen - positive, seen])


class _Attribute:
    """One attribute's groups (G) as measured: `values` (G, C) and their `draws` (G, count, C)."""

    def __init__(self, case: _Case, groups: Mapping[str, Rows]) -> None:
        self.case, self.groups = case, groups
        self.names, parts = list(groups), {name: case.everything(rows) for name, rows in groups.items()}
        ones, settings = np.ones((1, len(case.target)), np.uint8), case.settings
        self.values = np.array([part(ones)[0] for part in parts.values()])
        drawn = intervals.sample(parts, case.clusters, settings.draws, settings.seed)
        self.draws = np.array(list(drawn.values()))
        enough = [self._enough(rows) for rows in self.groups.values()]
        self.enough = np.array(enough).reshape(self.values.shape)

    def _enough(self, rows: Rows) -> NDArray[np.bool_]:
        """Which figures (C,) of a group rest on enough faces for an interval."""
        case = self.case
        large = len(rows) >= FEWEST_ROWS and len(np.unique(case.clusters[rows])) >= FEWEST_CLUSTERS
        scores = np.full(len(case.head.metrics), large)
        return np.append(scores, large & (case.labelled(rows) >= FEWEST_LABELLED)) if case.labels else scores

    def record(self) -> dict[str, Any]:
        """`groups`: name, rows, whether `small` (then without intervals), metrics and recall with intervals ·
        `gaps` by metric: `best` and `worst` group, `gap` (never negative) with its interval, `worst_value`,
        `ratio` (smallest over largest value), `p` of so large a gap between groups dealt at random ·
        `parity` by label: the largest difference in share predicted, in recall, and in the more unequal of
        recall and false alarms, with `intervals` and the groups they lie `between` · `fewest_rows` and
        `fewest_units` of a group that is not small."""
        return {
            "groups": [self._group(place) for place in range(len(self.names))],
            "gaps": self._gaps(),
            "parity": self._parity(),
            "fewest_rows": FEWEST_ROWS,
            "fewest_units": FEWEST_CLUSTERS,
        }

    def _group(self, place: int) -> dict[str, Any]:
        name, (asked, labels) = self.names[place], (self.case.head.metrics, self.case.labels)
        # Recall is the first of the rates.
        cells = [self._cell(place, column) for column in range(len(asked) + len(labels))]
        return {
            "name": name,
            "rows": len(self.groups[name]),
            "small": not self.enough[place, 0],
            "metrics": dict(zip(asked, cells[: len(asked)], strict=True)),
            "recall": dict(zip(labels, cells[len(asked) :], strict=True)),
        }

    def _cell(self, place: int, column: int) -> dict[str, Any]:
        enough, asked = self.enough[place, column], self.case.head.metrics
        value = float(self.values[place, column])
        found = intervals.interval(self.draws[place, :, column], self.case.settings.level) if enough else None
        noise = metrics.METRICS[asked[column]].noise if column < len(asked) else 0
        return {"value": value, "interval": intervals.ends(intervals.basic_interval(found, value, noise))}

    def _apart(self, column: int, sign: int = 1) -> tuple[int, int] | None:
        """The best and the worst group of a figure; None where fewer than two can be compared."""
        named = np.array([bool(name) for name in self.names])
        figures = sign * self.values[:, column]
        places = np.flatnonzero(named & self.enough[:, column] & np.isfinite(figures))
        order = places[np.argsort(figures[places], kind="stable")]
        return (int(order[-1]), int(order[0])) if len(order) > 1 else None

    def _gaps(self) -> dict[str, Any]:
        found, chances = {}, self._chances()
        for column, name in enumerate(self.case.head.metrics):
            sign = 1 if metrics.METRICS[name].higher_is_better else -1
            if pair := self._apart(column, sign):
                best, worst = self.values[list(pair), column]
                low, high = sorted((best, worst))
                found[name] = self._gap(pair, column, sign) | {
                    "worst_value": float(worst),
                    "ratio": float(low / high) if low >= 0 < high else None,
                    "p": float(chances[column]),
                }
        return found

    def _gap(self, pair: tuple[int, int], column: int, sign: int = 1) -> dict[str, Any]:
        best, worst = pair
        draws = sign * (self.draws[best, :, column] - self.draws[worst, :, column])
        return {
            "best": self.names[best],
            "worst": self.names[worst],
            "gap": float(sign * (self.values[best, column] - self.values[worst, column])),
            "interval": intervals.ends(intervals.interval(draws, self.case.settings.level)),
        }

    def _parity(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, kinds in _PARITY.items():
            for k, label in enumerate(self.case.labels):
                gaps = [self._rate_gap(kind, k) for kind in kinds]
                widest = max(gaps, key=lambda gap: gap["gap"]) if all(gaps) else {}
                found.setdefault(name, {})[label] = widest.get("gap")
                found.setdefault("intervals", {}).setdefault(name, {})[label] = widest.get("interval")
                found.setdefault("between", {}).setdefault(name, {})[label] = (
                    [widest["best"], widest["worst"]] if widest else None
                )
        return found

    def _rate_gap(self, kind: int, label: int) -> dict[str, Any]:
        column = len(self.case.head.metrics) + kind * len(self.case.labels) + label
        pair = self._apart(column)
        return self._gap(pair, column) if pair else {}

    def _chances(self) -> Array:
        """By metric, how often random groups lie as far apart: a permutation test, (1 + n) / (1 + count).

        Rows of one cluster and group are dealt together. Small groups and '' take no part.
        """
        case = self.case
        pairs = zip(self.groups.items(), self.enough[:, 0], strict=True)
        large = [rows for (name, rows), enough in pairs if name and enough]
        if len(large) < 2:
            return np.full(len(case.head.metrics), np.nan)
        rows, belongs = np.concatenate(large), np.repeat(np.arange(len(large)), [len(rows) for rows in large])
        _, clusters = np.unique(case.clusters[rows], return_inverse=True)
        hands, hand = np.unique(clusters * len(large) + belongs, return_inverse=True)
        owner, statistic = hands % len(large), case.metrics(rows)

        def spread(dealt: NDArray[np.intp]) -> Array:
            parts = np.stack([statistic((dealt == group).astype(np.uint8)) for group in range(len(large))])
            gone = np.isnan(parts)
            highest, lowest = np.where(gone, -np.inf, parts), np.where(gone, np.inf, parts)
            return np.asarray(highest.max(axis=0) - lowest.min(axis=0))

        def job(block: range) -> Array:
            draws = (np.random.default_rng((case.settings.seed, number, 1)) for number in block)
            return spread(np.stack([draw.permutation(owner)[hand] for draw in draws]))

        wide = np.concatenate(intervals.in_blocks(job, len(rows), case.settings.draws))
        reached = wide >= spread(belongs[None])[0] - 1e-9
        return np.asarray((1 + reached.sum(axis=0)) / (1 + len(wide)))
