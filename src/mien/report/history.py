"""history.csv: what was measured after each epoch, and which epoch was the best."""

import csv
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..metrics import METRICS
from ..tasks import Task


@dataclass(frozen=True)
class RunHistory:
    """history.csv as columns over epochs, and the column that picked the best epoch with its direction."""

    columns: Mapping[str, NDArray[np.float64]]
    watched: str = ""
    higher_is_better: bool = False

    @property
    def epochs(self) -> NDArray[np.float64]:
        """The number of each epoch; 1, 2, … where the file has none."""
        length = len(next(iter(self.columns.values())))
        return self.columns.get("epoch", np.arange(1.0, length + 1))

    def has(self, column: str) -> bool:
        """Whether a column is there, with a finite value at least."""
        return bool(np.isfinite(self.columns.get(column, np.empty(0))).any())

    @property
    def best(self) -> int | None:
        """Index of the epoch of the last phase whose weights were kept; None where nothing was watched."""
        values = self.columns.get(self.watched)
        if values is None:
            return None
        phase = self.columns.get("phase", np.ones(len(values)))
        values = np.where(phase == phase[-1], values, np.nan)
        if not np.isfinite(values).any():
            return None
        return int(np.nanargmax(values) if self.higher_is_better else np.nanargmin(values))


def history(text: str, config: str, task: Task) -> RunHistory | None:
    """Read the texts of history.csv and of config.toml, which says what was watched; None without an
    epoch."""
    lines = list(csv.DictReader(text.splitlines()))
    if not lines:
        return None
    columns = {name: np.array([_cell(line.get(name)) for line in lines]) for name in lines[0] if name}
    column, metric = _watched(config, task)
    if column in columns and metric in METRICS:
        return RunHistory(columns, column, METRICS[metric].higher_is_better)
    return RunHistory(columns, "validation_loss", False)


def _cell(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


def _watched(config: str, task: Task) -> tuple[str, str]:
    """Column and metric that pick the best epoch: of `train.monitor`, else the first of the first head."""
    try:
        monitor = str(tomllib.loads(config).get("train", {}).get("monitor", ""))
    except tomllib.TOMLDecodeError:
        monitor = ""
    name, _, metric = monitor.rpartition(".")
    metric = metric or task.heads[0].metrics[0]
    return f"validation_{name or task.heads[0].name}_{metric}", metric
