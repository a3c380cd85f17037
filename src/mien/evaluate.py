"""Score a trained model on a split of a store: `results.json` and `predictions.parquet`."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from . import __version__, config, files, matching, metrics
from .errors import ConfigError, StoreError
from .extras import require
from .matching import Match
from .metrics import tags
from .predict.engine import Engine
from .records import Floats
from .store import Rows, Store
from .tasks import Head, Kind, Task

SCHEMA = 1
RESULTS, PREDICTIONS = "results.json", "predictions.parquet"
_BLOCK = 128
_LIBRARIES = ("numpy", "onnxruntime", "scikit-learn")
Track = Callable[[list[Rows]], Iterable[Rows]]


def evaluate(
    run: Path,
    store: Path | None = None,
    split: str = "",
    out: Path | None = None,
    track: Track = iter,
    *,
    match: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Score a run folder (or a `model.onnx`) on one split of a store and return what `results.json` then holds.

    `store` and `split` default to the run's own `data.store` and `data.validation`; files go to `out`, by default `destination`,
    and replace what an earlier evaluation left there. `track` wraps the blocks of rows, for a progress bar. `match` names the
    target of the store that answers a head; see `matching.match`. Raises ModelError, StoreError, ConfigError.
    """
    engine = Engine(run)
    folder, data = _run(run)
    given, split = str(store or data.store), split or data.validation
    if not given:
        raise ConfigError(f"{run}: names no store to evaluate on; give one with --data FILE")
    faces = Store(given)
    rows = faces.rows(split)
    found = matching.match(engine.task, faces, match or {}, other=_other(store, data))
    matches = {one.head.name: one for one in found}
    targets = _targets(faces, matches, rows, split)
    outputs = predict(engine, faces, rows, track)
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "run": folder.resolve().name,
        "task": engine.task.to_dict(),
        "data": _data(engine, faces, split, data.train) | {"store": given, "rows": len(rows)},
        "heads": {
            name: head_results(
                one.compared, one.answers(outputs[name]), targets[name], chance, engine.thresholds.get(name)
            )
            | ({} if one.alike else {"compared": one.describe(faces, rows, outputs[name], targets[name])})
            for name, one in matches.items()
            for chance in [_chance(faces, one, data.train, split)]
        },
        "training": _training(engine.metadata, folder / "history.csv"),
        "versions": {"mien": __version__} | {name: version(name) for name in _LIBRARIES},
    }
    record = _plain(record)
    out = out or destination(run, store, split, match)
    true = {name: one.spread(targets[name]) for name, one in matches.items()}
    _write_predictions(out / PREDICTIONS, _columns(engine.task, outputs, true), faces, rows)
    files.write_text(out / RESULTS, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return record


def destination(run: Path, store: Path | None = None, split: str = "", match: Mapping[str, str] | None = None) -> Path:
    """Where the files go by default: the run folder, or `on-<store>-<split>` in it for other truth than the run's own (another
    store, or other targets by `match`)."""
    folder, data = _run(run)
    aside = _other(store, data) or match
    return folder / f"on-{Path(store or data.store).stem}-{split or data.validation}" if aside else folder


def _run(run: Path) -> tuple[Path, config.DataConfig]:
    """The folder of a run or model file, and which data it says it was trained on."""
    folder = run if run.is_dir() else run.parent
    file = folder / "config.toml"
    return folder, config.load(file).data if file.is_file() else config.DataConfig()


def _other(store: Path | None, data: config.DataConfig) -> bool:
    """Whether a store is another file than the run's own."""
    return store is not None and not (data.store and store.resolve() == Path(data.store).resolve())


def predict(engine: Engine, faces: Store, rows: Rows, track: Track = iter) -> dict[str, Floats]:
    """What a model says of some rows of a store, {head: float32 (n, K)}, read in blocks so that memory stays bounded."""
    blocks = [rows[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK)]
    parts = [engine.probabilities(faces.images(block), faces.boxes(block)) for block in track(blocks)]
    return {head.name: np.concatenate([part[head.name] for part in parts]) for head in engine.task}


def head_results(
    head: Head,
    output: Floats,
    target: Floats,
    marginal: tuple[str, Floats],
    thresholds: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """One head's part of `results.json`. `marginal`: the split it comes from and the row (K,) that chance always answers.
    `thresholds`: those chosen for a head of tags, by label."""
    source, row = marginal
    seen, true = metrics.present(output, target, head)
    scores = metrics.evaluate_head(head, output, target)
    record = {
        "rows": len(true),
        "metrics": {
            name: {"value": value, "higher_is_better": metrics.METRICS[name].higher_is_better}
            for name, value in scores.items()
        },
        "chance": metrics.evaluate_head(head, np.broadcast_to(row, target.shape), target),
        "chance_from": source,
    }
    if head.kind is Kind.VALUES:
        return record | {"per_column": _per_column(head, output, target)}
    if head.kind is Kind.TAGS:
        limits = tags.in_order(head, thresholds or {})
        record["at_thresholds"] = {"chosen": thresholds is not None, **tags.agreement(output, target, limits)}
        return record | {"per_class": metrics.per_class(head, output, target, limits)}
    record["per_class"] = metrics.per_class(head, output, target)
    return record | {"confusion": metrics.confusion(seen, true).tolist()}


def _per_column(head: Head, output: Floats, target: Floats) -> list[dict[str, Any]]:
    scores = {name: metrics.score_columns(name, output, target, head) for name in head.metrics}
    support = (~np.isnan(target)).sum(axis=0).tolist()
    return [
        {"label": label, "support": support[k], **{name: values[k] for name, values in scores.items()}}
        for k, label in enumerate(head.space.labels)
    ]


def _targets(faces: Store, matches: Mapping[str, Match], rows: Rows, split: str) -> dict[str, Floats]:
    """Targets of the labels compared, by head of the model. Raises StoreError where there is nothing to score."""
    targets = {name: one.truth(faces, rows) for name, one in matches.items()}
    if all(np.isnan(target).all() for target in targets.values()):
        names = ", ".join(dict.fromkeys(one.target.name for one in matches.values()))
        raise StoreError(f"{faces.path}: split '{split}' has no annotated {names}, so nothing can be scored")
    return targets


def _chance(faces: Store, one: Match, train: str, split: str) -> tuple[str, Floats]:
    """What always answering the mean target would say, and the split it is taken from: training, else the one scored."""
    target, source = one.truth(faces, faces.rows(split)), split
    if train in faces.splits:
        training = one.truth(faces, faces.rows(train))
        if not np.isnan(training).all():
            target, source = training, train
    with np.errstate(invalid="ignore"):
        return source, np.asarray(np.nansum(target, axis=0) / (~np.isnan(target)).sum(axis=0), np.float32)


def _data(engine: Engine, faces: Store, split: str, train: str) -> dict[str, Any]:
    """Which data was scored, and whether it is the very data that the model was trained on, or that its best epoch and its
    tags' thresholds were chosen on."""
    sha256, known = files.sha256(faces.path), engine.metadata.get("data", {})
    same = sha256 == known.get("sha256")
    used = {"trained_on": same and split == train, "chosen_on": same and split == known.get("validation")}
    return {"sha256": sha256, "importer": faces.meta["importer"], "split": split, **used}


def _training(metadata: dict[str, Any], history: Path) -> dict[str, Any]:
    """What is known of the training: from the model's own description and the run's history."""
    record = {name: metadata.get(name) for name in ("seed", "parameters", "machine", "versions")}
    record["train_rows"] = metadata.get("data", {}).get("train_rows")
    if history.is_file():
        with history.open(encoding="utf-8", newline="") as file:
            seconds = [float(row["seconds"]) for row in csv.DictReader(file)]
        record |= {"epochs": len(seconds), "seconds": sum(seconds)}
    return record


def _columns(task: Task, outputs: dict[str, Floats], targets: dict[str, Floats]) -> dict[str, Floats]:
    """Columns of `predictions.parquet`: `<head>.<label>` and `<head>.<label>.true`."""
    columns = {}
    for head in task:
        absent = np.full_like(outputs[head.name], np.nan)
        for k, label in enumerate(head.space.labels):
            columns[f"{head.name}.{label}"] = outputs[head.name][:, k]
            columns[f"{head.name}.{label}.true"] = targets.get(head.name, absent)[:, k]
    return columns


def _write_predictions(path: Path, columns: dict[str, Floats], faces: Store, rows: Rows) -> None:
    arrow, parquet = require("pyarrow", "evaluate"), require("pyarrow.parquet", "evaluate")
    arrays = {name: arrow.array(values, arrow.float32(), from_pandas=True) for name, values in columns.items()}
    table = arrow.table({"row": rows, "source": faces.texts("source", rows), **arrays})
    with files.replacing(path) as part:
        parquet.write_table(table, part)


def _plain(value: Any) -> Any:
    """The value as JSON can hold it: what is undefined becomes null."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
