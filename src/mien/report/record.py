"""What a run left on disk, read once into plain records; the sections of a report see nothing else."""

from __future__ import annotations

import csv
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, ModelError, StoreError
from ..extras import require
from ..labels import LabelSpace
from ..matching import restricted
from ..metrics import METRICS
from ..records import Floats
from ..store import Store
from ..tasks import Head, Task

SCHEMA = 1
Rows = NDArray[np.int64]
_SAMPLE = 200


@dataclass(frozen=True)
class Measure:
    """One metric of one head: its value, its direction, and what chance would reach (None: not known)."""

    name: str
    value: float
    higher_is_better: bool
    chance: float | None = None

    @property
    def beats_chance(self) -> bool | None:
        """Whether the value is better than chance; None where chance is not known."""
        if self.chance is None or not math.isfinite(self.value):
            return None
        return self.value > self.chance if self.higher_is_better else self.value < self.chance


@dataclass(frozen=True)
class Outputs:
    """Predictions of one head for the annotated faces: place in the predictions file (n,), true and predicted (n, K)."""

    places: Rows
    true: Floats
    predicted: Floats


@dataclass(frozen=True)
class HeadRecord:
    """What was measured of one head; parts that the run lacks are empty or None.

    Where the data speak of other labels than the model, `compared` says so and `head` has only the labels that were compared.
    """

    head: Head
    rows: int = 0
    measures: tuple[Measure, ...] = ()
    per_class: tuple[Mapping[str, Any], ...] = ()
    per_column: tuple[Mapping[str, Any], ...] = ()
    at_thresholds: Mapping[str, Any] = field(default_factory=dict)
    confusion: NDArray[np.int64] | None = None
    compared: Mapping[str, Any] = field(default_factory=dict)
    outputs: Outputs | None = None


@dataclass(frozen=True)
class History:
    """history.csv as columns over epochs, and the column that picked the best epoch with its direction."""

    columns: Mapping[str, NDArray[np.float64]]
    watched: str = ""
    higher_is_better: bool = False

    @property
    def best(self) -> int | None:
        """Index of the best epoch of the last phase, whose weights are the model's; None where nothing was watched."""
        values = self.columns.get(self.watched)
        if values is None:
            return None
        phase = self.columns.get("phase", np.ones(len(values)))
        values = np.where(phase == phase[-1], values, np.nan)
        if not np.isfinite(values).any():
            return None
        return int(np.nanargmax(values) if self.higher_is_better else np.nanargmin(values))


@dataclass(frozen=True)
class RunRecord:
    """A run as a report needs it. `rows` and `sources` follow the predictions file; without a `store`, `store_note` says why."""

    name: str
    task: Task
    heads: tuple[HeadRecord, ...]
    data: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    licence: str = ""
    date: str = ""
    config: str = ""
    history: History | None = None
    rows: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    sources: tuple[str, ...] = ()
    store: Store | None = None
    store_note: str = ""


def read(run: Path, store: Path | None = None) -> RunRecord:
    """Read a run folder. Raises ModelError for no run folder or a damaged file, StoreError for a `store` that does not fit."""
    results, model = _json(run / "results.json"), _json(run / "model.json")
    if not results and not model:
        raise ModelError(f"{run}: no run folder (neither results.json nor model.json is there)")
    try:
        record = _record(run, results, model)
    except (AttributeError, ConfigError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{run}: results.json or model.json does not follow its schema: {error!r}") from None
    return _with_store(record, run, store)


def _record(run: Path, results: Mapping[str, Any], model: Mapping[str, Any]) -> RunRecord:
    task = Task.from_dict((results or model)["task"])
    table = _predictions(run / "predictions.parquet")
    config = _text(run / "config.toml")
    return RunRecord(
        name=str(results.get("run") or model.get("name") or run.resolve().name),
        task=task,
        heads=tuple(_head(head, results, table) for head in task),
        data=results.get("data") or model.get("data") or {},
        training={**{k: model[k] for k in ("seed", "parameters") if k in model}, **(results.get("training") or {})},
        versions={**(model.get("versions") or {}), **(results.get("versions") or {})},
        licence=str(model.get("licence") or ""),
        date=_date(run / "results.json"),
        config=config,
        history=_history(run / "history.csv", config, task),
        rows=np.asarray(table.get("row", ()), np.int64),
        sources=tuple(map(str, table.get("source", ()))),
    )


def _json(path: Path) -> dict[str, Any]:
    """A JSON object, or nothing where the file is absent."""
    text = _text(path)
    if not text:
        return {}
    try:
        table = json.loads(text)
    except ValueError as error:
        raise ModelError(f"{path}: damaged: {error}") from None
    if not isinstance(table, dict) or table.get("schema") != SCHEMA:
        given = table.get("schema") if isinstance(table, dict) else None
        raise ModelError(f"{path}: schema {given}, this version reads {SCHEMA}")
    return table


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: cannot be read: {error}") from None


def _date(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%d") if path.is_file() else ""


def _predictions(path: Path) -> dict[str, Any]:
    """Columns of predictions.parquet as arrays, nulls as NaN; nothing where the file is absent."""
    if not path.is_file():
        return {}
    try:
        table = require("pyarrow.parquet", "report").read_table(path)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: damaged: {error}") from None
    return {name: table[name].to_numpy() for name in table.column_names}


def _head(head: Head, results: Mapping[str, Any], table: Mapping[str, Any]) -> HeadRecord:
    found = results.get("heads", {}).get(head.name, {})
    compared = found.get("compared") or {}
    if compared:
        head = replace(head, space=LabelSpace(head.space.name, tuple(compared["labels"])))
    chance = found.get("chance") or {}
    confusion = np.asarray(found.get("confusion") or (), np.int64)
    return HeadRecord(
        head=head,
        rows=int(found.get("rows") or 0),
        measures=tuple(
            Measure(name, _number(item["value"]), bool(item["higher_is_better"]), chance.get(name))
            for name, item in found.get("metrics", {}).items()
        ),
        per_class=_lines(found.get("per_class")),
        per_column=_lines(found.get("per_column")),
        at_thresholds=_at_thresholds(found, results.get("data") or {}),
        confusion=confusion if confusion.shape == (len(head), len(head)) else None,
        compared=compared,
        outputs=_outputs(head, table),
    )


def _at_thresholds(found: Mapping[str, Any], data: Mapping[str, Any]) -> Mapping[str, Any]:
    at = found.get("at_thresholds") or {}
    return at and {**at, "same": bool(data.get("chosen_on"))}


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _lines(table: Any) -> tuple[Mapping[str, Any], ...]:
    """Lines of a table, with None for a number that is undefined."""
    return tuple(
        {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in line.items()}
        for line in table or ()
    )


def _outputs(head: Head, table: Mapping[str, Any]) -> Outputs | None:
    names = [f"{head.name}.{label}" for label in head.space.labels]
    if any(name not in table or f"{name}.true" not in table for name in names):
        return None
    predicted = restricted(np.stack([table[name] for name in names], axis=1).astype(np.float32), head.kind)
    true = np.stack([table[f"{name}.true"] for name in names], axis=1).astype(np.float32)
    annotated = np.flatnonzero(np.isfinite(true).any(axis=1) & np.isfinite(predicted).all(axis=1))
    return Outputs(annotated, true[annotated], predicted[annotated]) if len(annotated) else None


def _history(path: Path, config: str, task: Task) -> History | None:
    lines = list(csv.DictReader(_text(path).splitlines()))
    if not lines:
        return None
    columns = {name: np.array([_cell(line.get(name)) for line in lines]) for name in lines[0] if name}
    column, metric = _watched(config, task)
    if column in columns and metric in METRICS:
        return History(columns, column, METRICS[metric].higher_is_better)
    return History(columns, "validation_loss", False)


def _cell(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


def _watched(config: str, task: Task) -> tuple[str, str]:
    """Column and metric that pick the best epoch: `train.monitor` ('metric' or 'head.metric'), or the first of the first head."""
    try:
        monitor = str(tomllib.loads(config).get("train", {}).get("monitor", ""))
    except tomllib.TOMLDecodeError:
        monitor = ""
    name, _, metric = monitor.rpartition(".")
    metric = metric or task.heads[0].metrics[0]
    return f"validation_{name or task.heads[0].name}_{metric}", metric


def _with_store(record: RunRecord, run: Path, given: Path | None) -> RunRecord:
    """The record with the store its predictions were made on, or with the reason why there is none."""
    if given is not None:
        return replace(record, store=_fitting(Store(given), record))
    named = str(record.data.get("store") or "")
    path = next((p for p in (Path(named), run / named, run.parent / named) if named and p.is_file()), None)
    if path is None:
        there = f"the store {Path(named).name} is not where the run says" if named else "the run names no store"
        return replace(record, store_note=f"{there}; give it with --data")
    try:
        return replace(record, store=_fitting(Store(path), record))
    except StoreError as error:
        why = str(error).removeprefix(f"{path}: ")
        return replace(record, store_note=f"the store {path.name} cannot be used: {why}")


def _fitting(store: Store, record: RunRecord) -> Store:
    """The store, if it holds the predicted faces where the predictions say. Raises StoreError."""
    if not len(record.rows):
        return store
    picks = np.unique(np.linspace(0, len(record.rows) - 1, _SAMPLE).astype(int))
    rows = record.rows[picks]
    if record.rows.max() >= len(store) or record.rows.min() < 0:
        raise StoreError(f"{store.path}: holds {len(store)} faces, the predictions speak of row {record.rows.max()}")
    for place, source in zip(picks, store.texts("source", rows), strict=True):
        if source != record.sources[place]:
            raise StoreError(
                f"{store.path}: other faces than those predicted: has {source}, not {record.sources[place]}"
            )
    return store
