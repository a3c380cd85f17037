"""Runs side by side as one record: how good, how large, how fast, and which differences are more than
noise."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import ConfigError, ModelError, lookup
from ..predict.speed import Timing, measure
from ..progress import Progress, silent
from ..render import text
from .caveats import caveats, verdict
from .differences import (
    ComparedMetric,
    Difference,
    Differences,
    compared_metrics,
    differences,
    draws,
    value_of,
)
from .macs import macs
from .runs import RunGroup, check, group_runs, load, shared
from .table import ComparisonRow, ComparisonTable, Quantity, Value

Metrics = tuple[ComparedMetric, ...]
_SHOWN = 2
COSTS = (
    Quantity("parameters", "Parameters, M", scale=1e-6),
    Quantity("macs", "MACs, M", scale=1e-6),
    Quantity("model_bytes", "Size, MB", scale=1e-6),
    Quantity("latency_seconds", "Latency, ms", False, 1e3),
    Quantity("faces_per_second", "Faces/s", True),
    Quantity("training_seconds", "Training, min", scale=1 / 60),
    Quantity("epochs", "Epochs", decimals=0),
)


@dataclass(frozen=True)
class Comparison:
    """Rows in the order given, the first of which the others are held against; `table` has every metric and
    every cost.

    `watched`: the metric that picks the best epoch of the first run. `shown`: the columns that a narrow table
    has.
    """

    groups: tuple[RunGroup, ...]
    metrics: Metrics
    watched: ComparedMetric
    differences: Differences
    timing: Timing | None
    table: ComparisonTable
    shown: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def summary(self) -> ComparisonTable:
        """The table with the columns chosen for people."""
        return self.table.only(self.shown)

    def verdicts(self) -> tuple[str, ...]:
        """A sentence for each row but the first: how it does beside the first one in the metric watched."""
        column = next(column for column in self.table.columns if column.key == self.watched.key)
        pairs = zip(self.groups, self.differences[self.watched.key], strict=True)
        return tuple(
            verdict(self.groups[0], row, self.watched, column, apart) for row, apart in pairs if apart
        )


def compare(
    folders: Sequence[Path], chosen: Sequence[str] = (), *, split: str = "validation",
    seeds: bool = True, speed: bool = True, threads: int = 0, progress: Progress = silent,
) -> Comparison:  # fmt: skip
    """Compare runs that were evaluated on the same samples: those of one split of one store.

    `chosen`: HEAD.METRIC or METRIC, the metrics of the narrow table ('all': every one; default: the one
    watched and the first two of each head). `seeds`: runs whose configurations differ only in the seed make
    one row. `speed`: time the models, on `threads` cores (0: all). Raises ModelError for runs that cannot be
    compared, ConfigError for a metric that is not there.
    """
    if threads < 0:
        raise ConfigError(f"threads = {threads}: must be 0 (all cores) or more")
    runs = [load(folder, split) for folder in folders]
    check(runs)
    heads = shared(runs)
    groups = group_runs(runs, seeds)
    found = compared_metrics(groups, heads)
    if not found:
        raise ModelError("the runs have no metric in common")
    watched = _watched(groups[0], found)
    picked = _picked(chosen, found, watched)
    drawing = draws(groups[0])
    apart = differences(groups, found, drawing)
    models = [group.runs[0].model for group in groups]
    present = [model for model in models if model]
    timing = measure(present, threads, progress=progress) if speed and present else None
    table = _table(groups, found, apart, timing)
    costs = tuple(column.key for column in table.columns if column in COSTS)
    shown = (*(metric.key for metric in picked), *costs)
    return Comparison(groups, found, watched, apart, timing, table, shown, caveats(groups, heads, drawing))


def _watched(first: RunGroup, found: Metrics) -> ComparedMetric:
    """The metric that picks the best epoch of the first run, else the first one there is."""
    history = first.runs[0].record.history
    names = {f"validation_{metric.head.name}_{metric.name}": metric for metric in found}
    return names.get(history.watched if history else "", found[0])


def _picked(chosen: Sequence[str], found: Metrics, watched: ComparedMetric) -> Metrics:
    """The metrics of the narrow table. Raises ConfigError."""
    if "all" in chosen:
        return found
    if not chosen:
        heads = [metric.head.name for metric in found]
        firsts = [metric for place, metric in enumerate(found) if heads[:place].count(heads[place]) < _SHOWN]
        return tuple(dict.fromkeys([watched, *firsts]))
    by_name: dict[str, list[ComparedMetric]] = {}
    for metric in found:
        by_name.setdefault(metric.key, []).append(metric)
        by_name.setdefault(metric.name, []).append(metric)
    return tuple(dict.fromkeys(metric for name in chosen for metric in lookup(by_name, name, "metric")))


def _table(
    groups: Sequence[RunGroup], found: Metrics, apart: Differences, timing: Timing | None
) -> ComparisonTable:
    """Every metric and every cost that at least one row has."""
    values: dict[Quantity, list[Value]] = {}
    names = [metric.name for metric in found]
    for metric in found:
        cells = [_value(group, metric, apart[metric.key][place]) for place, group in enumerate(groups)]
        values[_column(metric, names.count(metric.name) > 1, cells)] = cells
    for column, numbers in zip(COSTS, _costs(groups, timing), strict=True):
        if any(number is not None for number in numbers):
            values[column] = [Value(number) for number in numbers]
    lines = zip(groups, zip(*values.values(), strict=True), strict=True)
    rows = (ComparisonRow(group.name, len(group.runs), line) for group, line in lines)
    return ComparisonTable(tuple(values), tuple(rows))


def _value(group: RunGroup, metric: ComparedMetric, apart: Difference | None) -> Value:
    value = Value(*value_of(group, metric))
    if apart is None:
        return value
    return replace(value, difference=apart.value, between=apart.faces, clear=apart.clear)


def _column(metric: ComparedMetric, twice: bool, cells: Sequence[Value]) -> Quantity:
    """How a metric is written: per cent for shares, else as many decimals as the narrowest interval is
    worth."""
    title = text.title(metric.name) + (f", {metric.head.name}" if twice else "")
    if text.is_share(metric.name):
        return Quantity(metric.key, f"{title}, %", metric.higher_is_better, 100, 1)
    widths = [cell.interval[1] - cell.interval[0] for cell in cells if cell.interval]
    half_widths = [
        half for half in (*(width / 2 for width in widths), *(cell.sd or 0.0 for cell in cells)) if half > 0
    ]
    decimals = min(6, max(3, 1 - math.floor(math.log10(min(half_widths))))) if half_widths else 3
    return Quantity(metric.key, title, metric.higher_is_better, decimals=decimals)


def _costs(groups: Sequence[RunGroup], timing: Timing | None) -> list[list[float | None]]:
    """A list for each of COSTS: what the rows need. Seeds of one configuration share the model of the
    first."""
    models = [group.runs[0].model for group in groups]
    speeds = iter(timing.speeds if timing else ())
    timed = [next(speeds) if timing and model else None for model in models]
    return [
        [group.mean("parameters") for group in groups],
        [macs(model) if model else None for model in models],
        [float(model.stat().st_size) if model else None for model in models],
        [speed.latency if speed else None for speed in timed],
        [speed.rate if speed else None for speed in timed],
        [group.mean("seconds") for group in groups],
        [group.mean("epochs") for group in groups],
    ]
