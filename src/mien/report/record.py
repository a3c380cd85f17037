"""What a run left on disk, read once into plain records; the sections of a report see nothing else."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError, ModelError, StoreError
from ..extras import require
from ..run_folder import MODEL_SCHEMAS, SplitFiles, not_scored, scored_splits
from ..store import Store
from ..tasks import Task
from .history import RunHistory, history
from .results import HeadRecord, Rows, head_record

#: The schemas that this version reads.
_RESULTS_SCHEMAS = (2,)
_SAMPLE = 200
Json = Mapping[str, Any]


@dataclass(frozen=True)
class RunRecord:
    """A run and its evaluation on one split, as a report needs them.

    `rows`, `sources` and `groups` (none where the store has none) follow the predictions file; without a
    `store`, `store_note` says why. `splits`: the evaluation of every split that was scored, this one among
    them, validation first and without predictions. `model`: the name of the model file that was scored;
    `file`: what the figures were read from.
    """

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
    model: str = "model.onnx"
    file: Path = Path("model.json")
    history: RunHistory | None = None
    rows: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    sources: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    splits: tuple["RunRecord", ...] = ()
    store: Store | None = None
    store_note: str = ""

    @property
    def split(self) -> str:
        """The split that was scored; '' for a run that was not."""
        return str(self.data.get("split") or "")


def read(run: Path, store: Path | None = None, split: str = "") -> RunRecord:
    """Read a run folder and its evaluation on a split (default: validation, else the first that was scored).

    Raises ModelError for no run folder, a damaged file or a split that was not scored, StoreError for a
    `store` that does not fit.
    """
    scored, model = scored_splits(run), _json(run / "model.json", MODEL_SCHEMAS)
    if not scored and not model:
        raise ModelError(f"{run}: no run folder (neither results nor model.json is there)")
    if split and split not in scored and "" not in scored:
        raise ModelError(not_scored(run, split))
    results = {name: _json(paths.results, _RESULTS_SCHEMAS) for name, paths in scored.items()}
    chosen = split if split in scored else next(iter(scored), "")
    try:
        splits = tuple(_record(run, results[name], model, scored[name], {}) for name in scored)
        table = _predictions(scored[chosen].predictions) if chosen in scored else {}
        record = _record(run, results.get(chosen, {}), model, scored.get(chosen), table)
    except (AttributeError, ConfigError, KeyError, TypeError, ValueError) as error:
        path = scored[chosen].results if chosen in scored else run / "model.json"
        raise ModelError(f"{path}: does not follow its schema: {error!r}") from None
    return _with_store(replace(record, splits=splits), run, store)


def _record(run: Path, results: Json, model: Json, paths: SplitFiles | None, table: Json) -> RunRecord:
    task = Task.from_dict((results or model)["task"])
    config = _text(run / "config.toml")
    return RunRecord(
        name=str(results.get("run") or model.get("name") or run.resolve().name),
        task=task,
        heads=tuple(head_record(head, results, model, table) for head in task),
        data=results.get("data") or model.get("data") or {},
        training={
            **{k: model[k] for k in ("seed", "parameters") if k in model},
            **(results.get("training") or {}),
        },
        intervals=results.get("intervals") or {},
        versions={**(model.get("versions") or {}), **(results.get("versions") or {})},
        licence=str(model.get("licence") or ""),
        date=_date(paths.results) if paths else "",
        config=config,
        model=str(results.get("model") or "model.onnx"),
        file=paths.results if paths else run / "model.json",
        history=history(_text(run / "history.csv"), config, task),
        rows=np.asarray(table.get("row", ()), np.int64),
        sources=tuple(map(str, table.get("source", ()))),
        groups=tuple(map(str, table.get("group", ()))),
    )


def _json(path: Path, wanted: tuple[int, ...]) -> dict[str, Any]:
    """A JSON object, or nothing where the file is absent."""
    text = _text(path)
    if not text:
        return {}
    try:
        table = json.loads(text)
    except ValueError as error:
        raise ModelError(f"{path}: damaged: {error}") from None
    schema = table.get("schema") if isinstance(table, dict) else None
    if not isinstance(table, dict) or schema not in wanted:
        again = "" if path.name == "model.json" else "; evaluate again (mien evaluate)"
        raise ModelError(
            f"{path}: schema {schema}, this version reads {' and '.join(map(str, wanted))}{again}"
        )
    return table


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: cannot be read: {error}") from None


def _date(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%d")


def _predictions(path: Path) -> dict[str, Any]:
    """Columns of a predictions file as arrays, nulls as NaN; nothing where the file is absent."""
    if not path.is_file():
        return {}
    try:
        table = require("pyarrow.parquet", "report").read_table(path)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: damaged: {error}") from None
    return {name: table[name].to_numpy() for name in table.column_names}


def _with_store(record: RunRecord, run: Path, store_path: Path | None) -> RunRecord:
    """The record with the store its predictions were made on, or with the reason why there is none."""
    if store_path is not None:
        return replace(record, store=_fitting(Store(store_path), record))
    named = str(record.data.get("store") or "")
    path = next((p for p in (Path(named), run / named, run.parent / named) if named and p.is_file()), None)
    if path is None:
        reason = (
            f"the store {Path(named).name} is not where the run says" if named else "the run names no store"
        )
        return replace(record, store_note=f"{reason}; give it with --data")
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
        raise StoreError(
            f"{store.path}: holds {len(store)} faces, the predictions speak of row {record.rows.max()}"
        )
    for place, source in zip(picks, store.texts("source", rows), strict=True):
        if source != (wanted := record.sources[place]):
            raise StoreError(f"{store.path}: other faces than those predicted: has {source}, not {wanted}")
    return store
