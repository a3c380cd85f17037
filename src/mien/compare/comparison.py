"""Runs side by side as one record: how good, how large, how fast, and which differences are more than noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import ConfigError, ModelError, lookup
from ..predict.speed import Progress, Timing, measure
from ..render import text
from .cautions import cautions, verdict
from .differences import Difference, Measured, differences, draws, measured, value_of
from .macs import macs
from .runs import Entry, check, entries, load, shared
from .table import Column, Row, Table, Value

_SHOWN = 2
COSTS = (
    Column("parameters", "Parameters, M", scale=1e-6),
    Column("macs", "MACs, M", scale=1e-6),
    Column("model_bytes", "Size, MB", scale=1e-6),
    Column("latency_seconds", "Latency, ms", False, 1e3),
    Column("faces_per_second", "Faces/s", True),
    Column("training_seconds", "Training, min", scale=1 / 60),
    Column("epochs", "Epochs", decimals=0),
)


@dataclass(frozen=True)
class Comparison:
    """Rows in the order given, the first of which the others are held against; `table` has every metric and every cost.

    `watched`: the metric that picks the best epoch of the first run. `shown`: the columns that a narrow table has.
    """

    entries: tuple[Entry, ...]
    measured: tuple[Measured, ...]
    watched: Measured
    differences: dict[str, tuple[Difference | None, ...]]
    timing: Timing | None
    table: Table
    shown: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def summary(self) -> Table:
        """The table with the columns chosen for people."""
        return self.table.only(self.shown)

    def verdicts(self) -> tuple[str, ...]:
        """A sentence for each row but the first: how it does beside the first one in the metric watched."""
        column = next(column for column in self.table.columns if column.key == self.watched.key)
        first, apart = self.entries[0], self.differences[self.watched.key]
        pairs = zip(self.entries, apart, strict=True)
        return tuple(verdict(first, entry, self.watched, column, one) for entry, one in pairs if one)


def compare(
    folders: Sequence[Path], chosen: Sequence[str] = (), *, split: str = "validation",
    seeds: bool = True, speed: bool = True, threads: int = 0, progress: Progress | None = None,
) -> Comparison:  # fmt: skip
    """Compare runs that were evaluated on the same samples: those of one split of one store.

    `chosen`: HEAD.METRIC or METRIC, the metrics of the narrow table ('all': every one; default: the one watched and the first
    two of each head). `seeds`: runs whose configurations differ only in the seed make one row. `speed`: time the models, on
    `threads` cores (0: all). Raises ModelError for runs that cannot be compared, ConfigError for a metric that is not there.
    """
    if threads < 0:
        raise ConfigError(f"threads = {threads}: must be 0 (all cores) or more")
    runs = [load(folder, split) for folder in folders]
    check(runs)
    heads = shared(runs)
    rows = entries(runs, seeds)
    found = measured(rows, heads)
    if not found:
        raise ModelError("the runs have no metric in common")
    watched = _watched(rows[0], found)
    picked = _picked(chosen, found, watched)
    drawing = draws(rows[0])
    apart = differences(rows, found, drawing)
    models = [entry.runs[0].model for entry in rows]
    there = [model for model in models if model]
    timing = measure(there, threads, progress=progress) if speed and there else None
    table = _table(rows, found, apart, timing)
    costs = tuple(column.key for column in table.columns if column in COSTS)
    shown = (*(one.key for one in picked), *costs)
    return Comparison(rows, found, watched, apart, timing, table, shown, cautions(rows, heads, drawing))


def _watched(first: Entry, found: Sequence[Measured]) -> Measured:
    """The metric that picks the best epoch of the first run, else the first one there is."""
    history = first.runs[0].record.history
    names = {f"validation_{one.head.name}_{one.metric}": one for one in found}
    return names.get(history.watched if history else "", found[0])


def _picked(chosen: Sequence[str], found: Sequence[Measured], watched: Measured) -> tuple[Measured, ...]:
    """The metrics of the narrow table. Raises ConfigError."""
    if "all" in chosen:
        return tuple(found)
    if not chosen:
        heads = dict.fromkeys(one.head.name for one in found)
        firsts = [one for name in heads for one in [one for one in found if one.head.name == name][:_SHOWN]]
        return tuple(dict.fromkeys([watched, *firsts]))
    by_name: dict[str, list[Measured]] = {}
    for one in found:
        by_name.setdefault(one.key, []).append(one)
        by_name.setdefault(one.metric, []).append(one)
    return tuple(dict.fromkeys(one for name in chosen for one in lookup(by_name, name, "metric")))


def _table(
    rows: Sequence[Entry], found: Sequence[Measured], apart: Mapping[str, Sequence[Difference | None]], timing: Timing | None
) -> Table:  # fmt: skip
    """Every metric and every cost that at least one row has."""
    values: dict[Column, list[Value]] = {}
    names = [one.metric for one in found]
    for one in found:
        cells = [_value(entry, one, apart[one.key][place]) for place, entry in enumerate(rows)]
        values[_column(one, names.count(one.metric) > 1, cells)] = cells
    for column, numbers in zip(COSTS, _costs(rows, timing), strict=True):
        if any(number is not None for number in numbers):
            values[column] = [Value(number) for number in numbers]
    lines = zip(*values.values(), strict=True)
    return Table(
        tuple(values), tuple(Row(entry.name, len(entry.runs), line) for entry, line in zip(rows, lines, strict=True))
    )


def _value(entry: Entry, one: Measured, apart: Difference | None) -> Value:
    value = Value(*value_of(entry, one))
    if apart is None:
        return value
    return replace(value, difference=apart.value, between=apart.faces, clear=apart.clear)


def _column(one: Measured, twice: bool, cells: Sequence[Value]) -> Column:
    """How a metric is written: per cent for shares, else as many decimals as the narrowest interval is worth."""
    title = text.title(one.metric) + (f", {one.head.name}" if twice else "")
    if text.METRICS.get(one.metric, ("", "", False))[2]:
        return Column(one.key, f"{title}, %", one.higher_is_better, 100, 1)
    widths = [cell.interval[1] - cell.interval[0] for cell in cells if cell.interval]
    halves = [half for half in (*(width / 2 for width in widths), *(cell.sd or 0.0 for cell in cells)) if half > 0]
    decimals = min(6, max(3, 1 - math.floor(math.log10(min(halves))))) if halves else 3
    return Column(one.key, title, one.higher_is_better, decimals=decimals)


def _costs(rows: Sequence[Entry], timing: Timing | None) -> list[list[float | None]]:
    """A list for each of COSTS: what the rows need. Seeds of one configuration share the model of the first."""
    models = [entry.runs[0].model for entry in rows]
    speeds = iter(timing.speeds if timing else ())
    timed = [next(speeds) if timing and model else None for model in models]
    return [
        [entry.mean("parameters") for entry in rows],
        [macs(model) if model else None for model in models],
        [float(model.stat().st_size) if model else None for model in models],
        [one.latency if one else None for one in timed],
        [one.rate if one else None for one in timed],
        [entry.mean("seconds") for entry in rows],
        [entry.mean("epochs") for entry in rows],
    ]
