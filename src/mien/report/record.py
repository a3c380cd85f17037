"""What a run left on disk, read once into plain records; the sections of a report see nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError, ModelError, StoreError
from ..extras import require
from ..store import Store
from ..tasks import Task
from .history import History, history
from .results import HeadRecord, Rows, head_record

#: The schemas of each file that this version reads.
SCHEMAS = {"results.json": (2,), "model.json": (1, 2)}
_SAMPLE = 200


@dataclass(frozen=True)
class RunRecord:
    """A run as a report needs it. `rows`, `sources` and `groups` (none where the store has none) follow the
    predictions file; without a `store`, `store_note` says why."""

    name: str
    task: Task
    heads: tuple[HeadRecord, ...]
    data: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    intervals: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    licence: str = ""
    date: str = ""
    config: str = ""
    history: History | None = None
    rows: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    sources: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
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
        heads=tuple(head_record(head, results, model, table) for head in task),
        data=results.get("data") or model.get("data") or {},
        training={**{k: model[k] for k in ("seed", "parameters") if k in model}, **(results.get("training") or {})},
        intervals=results.get("intervals") or {},
        versions={**(model.get("versions") or {}), **(results.get("versions") or {})},
        licence=str(model.get("licence") or ""),
        date=_date(run / "results.json"),
        config=config,
        history=history(_text(run / "history.csv"), config, task),
        rows=np.asarray(table.get("row", ()), np.int64),
        sources=tuple(map(str, table.get("source", ()))),
        groups=tuple(map(str, table.get("group", ()))),
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
    given, wanted = table.get("schema") if isinstance(table, dict) else None, SCHEMAS[path.name]
    if not isinstance(table, dict) or given not in wanted:
        again = "; evaluate again (mien evaluate)" if path.name == "results.json" else ""
        raise ModelError(f"{path}: schema {given}, this version reads {' and '.join(map(str, wanted))}{again}")
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
