"""How far each row lies from the first one, and whether that is more than the noise of faces and seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import intervals, metrics
from ..metrics import Array, Statistic, Weights
from ..metrics.distributions import Distances
from ..report.results import MetricResult
from ..tasks import Head
from .runs import Run, RunGroup

Interval = tuple[float, float]
Units = NDArray[np.intp]
_TOP = ("accuracy", "top_label_accuracy")


@dataclass(frozen=True)
class ComparedMetric:
    """A metric of a head that is compared."""

    head: Head
    name: str
    higher_is_better: bool
    ground: Distances = ()

    @property
    def key(self) -> str:
        """Head and metric, as `--metrics` names them."""
        return f"{self.head.name}.{self.name}"


@dataclass(frozen=True)
class Difference:
    """A row's value minus the first row's, with 95 % intervals for other faces like these and for other
    seeds.

    `seeds` is None where there is one seed of each. `p`: McNemar's for top labels of two single runs.
    """

    value: float
    faces: Interval | None
    seeds: Interval | None = None
    p: float | None = None

    @property
    def noise(self) -> tuple[str, ...]:
        """Which noise the difference lies inside: 'faces', 'seeds', both or none."""
        found = {"faces": self.faces, "seeds": self.seeds}
        return tuple(name for name, interval in found.items() if interval and interval[0] <= 0 <= interval[1])

    @property
    def clear(self) -> bool:
        """Whether the difference is more than noise."""
        return self.faces is not None and not self.noise

    @property
    def p_text(self) -> str:
        """McNemar's p for people; '' without one."""
        if self.p is None:
            return ""
        return "p < 0.001" if self.p < 0.001 else f"p = {self.p:.3f}"


Differences = dict[str, tuple[Difference | None, ...]]  # by metric; one for each row, None for the first


@dataclass(frozen=True)
class Draws:
    """How differences are drawn: `count` times, whole `units` (N,), which hold several rows where
    `grouped`."""

    count: int
    seed: int
    units: Units
    grouped: bool


def differences(groups: Sequence[RunGroup], found: Sequence[ComparedMetric], draws: Draws) -> Differences:
    """For each metric by key, the difference of each row from the first; None for the first."""
    apart: Differences = {}
    for head in dict.fromkeys(metric.head.name for metric in found):
        apart |= _of_head(groups, [metric for metric in found if metric.head.name == head], draws)
    return apart


def _of_head(groups: Sequence[RunGroup], found: Sequence[ComparedMetric], draws: Draws) -> Differences:
    """The same for the metrics of one head, all rows in the same draws."""
    outputs = groups[0].runs[0].outputs(found[0].head.name)
    statistics = {
        f"{k} {metric.key}": _mean(group, metric) for k, group in enumerate(groups) for metric in found
    }
    whole = np.ones((1, len(outputs.true)))
    plain = {name: float(statistic(whole)[0]) for name, statistic in statistics.items()}
    drawn = intervals.sample(statistics, draws.units[outputs.places], draws.count, draws.seed)

    def difference(metric: ComparedMetric, k: int) -> Difference:
        first, other = f"0 {metric.key}", f"{k} {metric.key}"
        value, faces = plain[other] - plain[first], intervals.interval(drawn[other] - drawn[first])
        between = (faces.low, faces.high) if faces and math.isfinite(value) else None
        seeds = intervals.seed_difference(
            *([measure.value for measure in _measures(groups[row], metric)] for row in (0, k))
        )
        return Difference(value, between, seeds, _p(groups[0], groups[k], metric))

    others = range(1, len(groups))
    return {metric.key: (None, *(difference(metric, k) for k in others)) for metric in found}


def _mean(group: RunGroup, metric: ComparedMetric) -> Statistic:
    """The metric as a statistic of weighted rows, the mean over the seeds."""
    name, head, ground = metric.name, metric.head, metric.ground
    outputs = [run.outputs(head.name) for run in group.runs]
    parts = [metrics.statistic(name, run.predicted, run.true, head, ground=ground) for run in outputs]

    def statistic(weights: Weights) -> Array:
        return np.asarray(np.mean([part(weights) for part in parts], axis=0))

    return statistic


def _measures(group: RunGroup, metric: ComparedMetric) -> list[MetricResult]:
    return [found for run in group.runs if (found := run.measure(metric.head.name, metric.name))]


def _p(first: RunGroup, other: RunGroup, metric: ComparedMetric) -> float | None:
    """McNemar's p of two single runs for a share of right top labels."""
    single = len(first.runs) == len(other.runs) == 1
    if not single or metric.name not in _TOP or not metric.head.kind.is_exclusive:
        return None
    answers = [group.runs[0].outputs(metric.head.name) for group in (first, other)]
    return intervals.mcnemar(*(run.predicted.argmax(axis=1) == run.true.argmax(axis=1) for run in answers)).p


def value_of(group: RunGroup, metric: ComparedMetric) -> tuple[float, Interval | None, float | None]:
    """A metric of a row: value and interval of one run, or mean and standard deviation of several seeds."""
    measures = _measures(group, metric)
    if len(measures) < len(group.runs):
        return math.nan, None, None
    if len(measures) == 1:
        return measures[0].value, measures[0].interval, None
    spread = intervals.seeds([measure.value for measure in measures])
    return spread.mean, None, spread.sd


def compared_metrics(groups: Sequence[RunGroup], heads: Sequence[Head]) -> tuple[ComparedMetric, ...]:
    """The metrics that every run was scored by, in the order of the first run."""
    runs = [run for group in groups for run in group.runs]
    return tuple(
        ComparedMetric(head, metric.name, metric.higher_is_better, _ground(runs[0], head))
        for head in heads
        for metric in runs[0].head(head.name).measures
        if all(run.measure(head.name, metric.name) for run in runs)
    )


def _ground(run: Run, head: Head) -> Distances:
    return tuple(tuple(row) for row in run.head(head.name).found.get("ground", ()))


def draws(first: RunGroup) -> Draws:
    """How the first row's intervals were drawn: by group where its predictions name groups."""
    record = first.runs[0].record
    settings, grouped = record.intervals, bool(record.groups)
    units = intervals.by_group(record.groups) if grouped else np.arange(len(record.rows))
    return Draws(
        int(settings.get("draws") or intervals.COUNT), int(settings.get("seed") or 0), units, grouped
    )
