"""Outputs of a model on the samples of a store, and `predictions.parquet`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..extras import require
from ..media import InputSet
from ..predict.engine import Engine
from ..progress import Progress, silent
from ..records import Floats, Items
from ..store import Rows, Store
from ..tasks import Task

_BLOCK = 128


def predict(engine: Engine, samples: Store, rows: Rows, progress: Progress = silent) -> dict[str, Floats]:
    """Outputs of a model on some rows of a store, {head: float32 (n, K)}, in blocks to bound memory."""
    parts = []
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        parts.append(engine.outputs(items_of(engine.inputs, samples, block)))
        progress(start + len(block), len(rows))
    return {head.name: np.concatenate([part[head.name] for part in parts]) for head in engine.task}


def items_of(inputs: InputSet, samples: Store, rows: Rows) -> dict[str, Items]:
    """Read a model's inputs of some rows of a store. Raises StoreError where it has none of them."""
    if not (known := [name for name in inputs.sources if name in samples.inputs]):
        samples.input(inputs.sources[0])
    return {name: samples.input(name).items(rows) for name in known}


def columns(task: Task, outputs: Mapping[str, Floats], targets: Mapping[str, Floats]) -> dict[str, Floats]:
    """Columns of `predictions.parquet`: `<head>.<label>` and `<head>.<label>.true`."""
    found = {}
    for head in task:
        absent = np.full_like(outputs[head.name], np.nan)
        for k, label in enumerate(head.space.labels):
            found[f"{head.name}.{label}"] = outputs[head.name][:, k]
            found[f"{head.name}.{label}.true"] = targets.get(head.name, absent)[:, k]
    return found


def write(path: Path, columns: Mapping[str, Floats], samples: Store, rows: Rows) -> None:
    """Write a line per row: its number in the store, source, group if any, and the columns; NaN as null."""
    arrow, parquet = require("pyarrow", "evaluate"), require("pyarrow.parquet", "evaluate")
    table = {"row": rows, "source": samples.texts("source", rows)}
    if any(groups := samples.texts("group", rows)):
        table["group"] = groups
    for name, values in columns.items():
        table[name] = arrow.array(values, arrow.float32(), from_pandas=True)
    parquet.write_table(arrow.table(table), path)
