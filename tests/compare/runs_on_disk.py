"""Evaluated runs that no training made: the same faces and truth for all, answers as good as asked for, and a
tiny model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from mien import config, files, metrics
from mien.run_folder import split_files
from mien.tasks import TASKS, Task
from tests import tiny_model
from tests.report.fake_run import guesses, softmax, write_history, write_predictions

ROWS = 90
FERPLUS = Task("ferplus", (*TASKS["distribution8"].heads, *TASKS["expression8"].heads))


def make(
    folder: Path,
    *,
    task: Task = TASKS["expression7"],
    skill: float = 1.0,
    seed: int = 0,
    rows: int = ROWS,
    split: str = "validation",
    **changes: Any,
) -> Path:
    """Write a run folder. `skill`: weight of the truth in its answers; `changes` are to keys of the results
    ('data' and 'training' key by key) or, as `config`, to the configuration."""
    folder.mkdir(parents=True)
    settings = config.from_dict({"task": task.to_dict(), **changes.pop("config", {})}, "test").to_dict()
    settings["train"]["seed"] = seed
    files.write_text(folder / "config.toml", config.dumps(config.from_dict(settings, "test")))
    pairs = {head.name: answers(head, rows, skill, seed) for head in task}
    paths = split_files(folder, split)
    write_predictions(paths.predictions, pairs, task, rows, changes.pop("groups", ()))
    write_history(folder / "history.csv", task, np.random.default_rng(seed), epochs=6)
    changes["data"] = {"split": split, **changes.get("data", {})}
    files.write_text(paths.results, json.dumps(results(folder.name, task, pairs, seed, changes)))
    tiny_model.write_model(folder / "model.onnx", task)
    return folder


def answers(head: Any, rows: int, skill: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """True and predicted rows (n, K) of a head of probabilities; the truth is the same whatever the seed."""
    true, _ = guesses(head, rows, np.random.default_rng(5))
    noise = np.random.default_rng(seed + 17).normal(0, 1, true.shape)
    true[::9] = np.nan
    return true, softmax(2.5 * skill * np.nan_to_num(true) + noise)


def results(
    name: str, task: Task, pairs: dict[str, Any], seed: int, changes: dict[str, Any]
) -> dict[str, Any]:
    """What its results hold."""
    heads = {}
    for head in task:
        true, predicted = pairs[head.name]
        heads[head.name] = {
            "rows": int(np.isfinite(true).all(axis=1).sum()),
            "metrics": {
                metric: {
                    "value": value,
                    "higher_is_better": metrics.METRICS[metric].higher_is_better,
                    "interval": [value - 0.05, value + 0.04],
                }
                for metric, value in metrics.evaluate_head(head, predicted, true).items()
            },
        }
    data = {"store": "faces.h5", "sha256": "ab" * 32, "trained_on": False, "chosen_on": False}
    training = {
        "seed": seed,
        "parameters": 1234567,
        "epochs": 6,
        "seconds": 90.0,
        "train_rows": 1000,
        "machine": "2 cores",
    }
    return {
        "schema": 2,
        "run": name,
        "task": task.to_dict(),
        "heads": heads,
        "intervals": {"draws": 200, "level": 0.95, "unit": "row", "seed": 0},
        "versions": {},
        **changes,
        "data": {**data, **changes.get("data", {})},
        "training": {**training, **changes.get("training", {})},
    }
