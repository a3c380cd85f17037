"""Run folders that no model made: random but plausible results, predictions, history and a store of drawn
faces."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mien import config, files, metrics, store
from mien.labels import VAD_MEANS, canonical
from mien.metrics import tags
from mien.records import Sample
from mien.run_folder import split_files
from mien.tasks import TASKS, Head, Kind, Task

SIDE = 48


def face(valence: float, arousal: float, rng: np.random.Generator, side: int = SIDE) -> np.ndarray:
    """A drawn face, uint8 (side, side): the mouth bends with valence, eyes and mouth open with arousal."""
    big = 4 * side
    image = np.full((big, big), rng.integers(40, 110), np.uint8)
    skin, ink, c = int(rng.integers(150, 225)), int(rng.integers(10, 60)), big // 2
    cv2.ellipse(image, (c, c), (int(big * 0.36), int(big * 0.45)), 0, 0, 360, skin, -1)
    for x in (-1, 1):
        eye = (c + x * big // 7, c - big // 10)
        cv2.ellipse(image, eye, (big // 16, max(3, int(big / 22 * (1.1 + arousal)))), 0, 0, 360, ink, -1)
        tilt = int(big / 20 * (valence - 0.4 * arousal))
        brow = c - big // 4 - int(big / 30 * arousal)
        cv2.line(image, (c + x * big // 12, brow - tilt), (c + x * big // 4, brow + tilt), ink, big // 40)
    bend = int(big / 8 * valence)
    curve = [(c + t * big // 24, c + big // 4 + bend - int(bend * (t / 4) ** 2)) for t in range(-4, 5)]
    cv2.polylines(image, [np.array(curve, np.int32)], False, ink, max(3, int(big / 40 * (1.6 + arousal))))
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA).astype(float)
    return np.clip(small + rng.normal(0, 7, small.shape), 0, 255).astype(np.uint8)


def guesses(head: Head, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """True and predicted (count, K) of a head: related, with the mistakes a model makes."""
    size = len(head)
    if head.kind is Kind.VALUES:
        low, high = head.bounds
        true = rng.normal((low + high) / 2, (high - low) / 5, (count, size)).clip(low, high)
        return true, (0.7 * true + 0.3 * rng.normal(true, (high - low) / 6)).clip(low, high)
    if head.kind is Kind.TAGS:
        true = (rng.random((count, size)) < np.linspace(0.3, 0.04, size)).astype(float)
        return true, (0.3 * true + rng.random((count, size)) * 0.65).clip(0, 1)
    odds = rng.normal(0, 1, (count, size)) * 1.6 + np.linspace(1.2, -0.8, size)
    true, predicted = softmax(odds * 1.6), softmax(odds + rng.normal(0, 0.9, (count, size)))
    if head.kind is Kind.CLASS:
        true = np.eye(size)[true.argmax(axis=1)]
    return true, predicted


def softmax(odds: np.ndarray) -> np.ndarray:
    """Rows of probabilities."""
    powers = np.exp(odds - odds.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def spot(task: Task, true: dict[str, np.ndarray], row: int) -> tuple[float, float]:
    """Valence and arousal to draw a face with, from the first head."""
    head = task.heads[0]
    places = [(VAD_MEANS.get(canonical(label)) or (0.0, 0.0))[:2] for label in head.space.labels]
    if head.kind is Kind.VALUES:
        return float(true[head.name][row][0]), float(true[head.name][row][1])
    weights = true[head.name][row] / max(true[head.name][row].sum(), 1)
    return tuple(float(x) for x in weights @ np.array(places))  # type: ignore[return-value]


def target(head: Head, row: np.ndarray) -> Any:
    """One target as an importer gives it."""
    if np.isnan(row).any():
        return None
    if head.kind is Kind.CLASS:
        return head.space.labels[int(row.argmax())]
    if head.kind is Kind.TAGS:
        return [label for label, there in zip(head.space.labels, row, strict=True) if there]
    return dict(zip(head.space.labels, map(float, row), strict=True))


def make(
    folder: Path, task_name: str = "expression7", count: int = 300, side: int = SIDE, seed: int = 3
) -> Path:
    """Write the run folder of a shipped task, and `faces.h5` beside it; returns the run folder."""
    return make_task(folder, TASKS[task_name], count, side, seed)


def make_task(folder: Path, task: Task, count: int = 300, side: int = SIDE, seed: int = 3) -> Path:
    """The same for any task."""
    rng = np.random.default_rng(seed)
    pairs = {head.name: guesses(head, count, rng) for head in task}
    for true, _ in pairs.values():
        true[::17] = np.nan
    run = folder / f"{task.name}-run"
    run.mkdir(parents=True)
    write_store(folder / "faces.h5", task, {name: true for name, (true, _) in pairs.items()}, side)
    write_results(run, folder / "faces.h5", task, pairs)
    write_predictions(split_files(run, "validation").predictions, pairs, task, count)
    write_history(run / "history.csv", task, rng)
    made = config.Config(task=task.name if task.name in TASKS else task.to_dict(), name=run.name)
    files.write_text(run / "config.toml", config.dumps(made))
    return run


def write_store(path: Path, task: Task, true: dict[str, np.ndarray], side: int) -> None:
    """A store whose first three faces are for training, so that rows of the file are not places in the
    predictions."""
    rng = np.random.default_rng(0)
    count = len(next(iter(true.values())))

    def samples() -> Iterator[Sample]:
        for row in range(-3, count):
            valence, arousal = np.nan_to_num(spot(task, true, max(row, 0)))
            targets = {head.name: target(head, true[head.name][max(row, 0)]) for head in task}
            known = {name: value for name, value in targets.items() if value is not None}
            split = "train" if row < 0 else "validation"
            who = {"gender": "female" if row % 2 else "male"}
            yield Sample.of_image(
                face(valence, arousal, rng, side), known, split, f"drawn/{row + 3:05}.png", attributes=who
            )

    store.write(
        path,
        samples(),
        task.heads,
        store.Origin("sketch", "1", {"faces.csv": "5eed" * 16}, notes=["drawn, not photographed"]),
    )


def write_results(
    run: Path, faces: Path, task: Task, pairs: dict[str, tuple[np.ndarray, np.ndarray]]
) -> None:
    """Results of validation (every key of schema 2), measured with the toolkit's own metrics, and
    model.json."""
    results = {
        "schema": 2,
        "run": run.name,
        "task": task.to_dict(),
        "data": {
            "store": str(faces), "sha256": files.sha256(faces), "importer": "sketch", "split": "validation",
            "chosen_on": True, "rows": len(next(iter(pairs.values()))[0]),
        },
        "heads": {head.name: head_results(head, *pairs[head.name]) for head in task},
        "intervals": {"draws": 1000, "level": 0.95, "unit": "row", "seed": 0},
        "training": {
            "seed": 3, "epochs": 24, "seconds": 2154.3, "parameters": 1_284_103, "machine": "2 cores, no GPU",
            "train_rows": 28_709,
        },
        "versions": {"mien": "0.1.0", "torch": "2.15.0", "numpy": np.__version__},
    }  # fmt: skip
    files.write_text(split_files(run, "validation").results, json.dumps(results))
    figures = {"before": {"ece": 0.081, "log_loss": 1.21}, "after": {"ece": 0.024, "log_loss": 1.07}}
    figures["cross_fitted"] = {"ece": 0.026, "log_loss": 1.08}
    model = {
        "schema": 2, "name": run.name, "task": task.to_dict(),
        "licence": "Drawn faces: no licence is needed.",
        "calibration": {
            head.name: {"method": "temperature", "temperature": 1.31, "split": "validation", **figures}
            for head in task
            if head.kind.is_exclusive
        },
    }  # fmt: skip
    files.write_text(run / "model.json", json.dumps(model))


def head_results(head: Head, true: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """One head's part of the results."""
    known = ~np.isnan(true).any(axis=1)
    true, predicted = true[known], predicted[known]
    scores = metrics.evaluate_head(head, predicted, true)
    found: dict[str, Any] = {
        "rows": int(known.sum()),
        "metrics": {
            name: {
                "value": value,
                "higher_is_better": metrics.METRICS[name].higher_is_better,
                "interval": around(value),
            }
            for name, value in scores.items()
        },
        "references": references(head, true),
        "references_from": "train",
        "subgroups": subgroups(head, scores, len(true)),
    }
    if head.kind is Kind.VALUES:
        columns = {name: metrics.score_columns(name, predicted, true, head) for name in head.metrics}
        found["per_column"] = [
            {"label": label, "support": len(true), **{name: values[k] for name, values in columns.items()}}
            for k, label in enumerate(head.space.labels)
        ]
        return found
    chosen = tags.best_thresholds(predicted, true) if head.kind is Kind.TAGS else 0.5
    found["per_class"] = metrics.per_class(head, predicted, true, chosen)
    for line in found["per_class"]:
        line["recall_interval"] = around(line["recall"], 0.1)
    if head.kind is Kind.TAGS:
        said = (predicted >= chosen).astype(float)
        found["at_thresholds"] = {"chosen": True, **tags.agreement(predicted, true, chosen)}
        found["cooccurrence"] = {"true": (true.T @ true).tolist(), "predicted": (said.T @ said).tolist()}
        return found
    return {
        **found,
        "confusion": metrics.confusion(predicted, true).tolist(),
        **certainty(head, true, predicted),
    }


def around(value: float, width: float = 0.03) -> list[float] | None:
    """An interval round a figure."""
    return None if math.isnan(value) else [value - width, value + 0.8 * width]


def references(head: Head, true: np.ndarray) -> dict[str, dict[str, float | None]]:
    """What those reach who never look at a face."""
    rows = {"marginal": np.broadcast_to(true.mean(axis=0), true.shape)}
    if head.kind.is_exclusive:
        rows["uniform"] = np.full(true.shape, 1 / len(head))
    if head.kind is Kind.DISTRIBUTION:
        rows["oracle"] = np.eye(len(head))[true.argmax(axis=1)]
        rows["noise_floor"] = softmax(np.log(true + 1e-3) * 0.9)
    found = {who: metrics.evaluate_head(head, row, true) for who, row in rows.items()}
    return {
        who: {name: None if math.isnan(x) else x for name, x in said.items()} for who, said in found.items()
    }


def certainty(head: Head, true: np.ndarray, predicted: np.ndarray) -> dict[str, Any]:
    """Calibration, risk over coverage, conformal sets."""
    sure, right = predicted.max(axis=1), predicted.argmax(axis=1) == true.argmax(axis=1)
    order = np.argsort(-sure)
    bins = [
        {"confidence": float(sure[part].mean()), "accuracy": float(right[part].mean()), "rows": len(part)}
        for part in np.array_split(order[::-1], 15)
    ]
    risk = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    at = np.unique(np.linspace(1, len(order), 101).astype(int))
    sizes = (np.sort(predicted)[:, ::-1].cumsum(axis=1) < 0.9).sum(axis=1) + 1
    counts = np.unique(sizes, return_counts=True)
    return {
        "calibration": {
            "bins": bins, "ece": 0.031, "ece_equal_width": 0.034, "classwise_ece": 0.017, "vote_ece": 0.028,
            "method": "temperature", "temperature": 1.31, "chosen_on": "validation",
            "brier": {"reliability": 0.02, "resolution": 0.2, "uncertainty": 0.8, "within": -0.01},
        },
        "risk_coverage": {
            "coverage": (at / len(order)).tolist(), "risk": risk[at - 1].tolist(), "aurc": float(risk.mean()),
        },
        "conformal": {
            "level": 0.9, "coverage": 0.906, "mean_size": float(sizes.mean()), "threshold": 0.08,
            "chosen_on": "validation", "cross_fitted": True,
            "sizes": {str(size): int(count) for size, count in zip(*counts, strict=True)},
            "by_label": {label: [0.96, 0.63, 0.0, None][k % 4] for k, label in enumerate(head.space.labels)},
        },
    }  # fmt: skip


def subgroups(head: Head, scores: dict[str, float], rows: int) -> dict[str, Any]:
    """Two groups of an attribute, and the gap between them."""
    name = head.metrics[0]
    value = scores[name]
    groups = [
        {
            "name": who,
            "rows": rows // 2,
            "metrics": {name: {"value": value + shift, "interval": around(value + shift)}},
        }
        for who, shift in (("female", 0.02), ("male", -0.01))
    ]
    gap = {"best": "female", "worst": "male", "gap": 0.03, "interval": [-0.01, 0.07], "p": 0.21}
    parity: dict[str, Any] = {}
    if head.kind is not Kind.VALUES:
        parity = {
            kind: dict.fromkeys(head.space.labels, 0.02)
            for kind in ("statistical_parity", "equal_opportunity", "equalised_odds")
        }
        parity["intervals"] = {"equal_opportunity": {label: [-0.01, 0.05] for label in head.space.labels}}
    return {"gender": {"groups": groups, "gaps": {name: gap}, "parity": parity}}


def write_predictions(
    path: Path,
    pairs: dict[str, tuple[np.ndarray, np.ndarray]],
    task: Task,
    count: int,
    groups: Sequence[str] = (),
) -> None:
    """A file of predictions; nobody annotated is null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns: dict[str, Any] = {
        "row": pa.array(np.arange(count) + 3, pa.int64()),
        "source": pa.array([f"drawn/{row + 3:05}.png" for row in range(count)]),
    } | ({"group": pa.array(groups)} if groups else {})
    for head in task:
        true, predicted = pairs[head.name]
        for k, label in enumerate(head.space.labels):
            columns[f"{head.name}.{label}"] = pa.array(predicted[:, k], pa.float32())
            columns[f"{head.name}.{label}.true"] = pa.array(true[:, k], pa.float32(), from_pandas=True)
    pq.write_table(pa.table(columns), path)


def write_history(path: Path, task: Task, rng: np.random.Generator, epochs: int = 24) -> None:
    """history.csv of two phases whose validation loss turns up again towards the end."""
    lines = []
    for epoch in range(1, epochs + 1):
        past = epoch / epochs
        line: dict[str, Any] = {
            "phase": 1 if epoch <= 6 else 2,
            "epoch": epoch,
            "step": epoch * 224,
            "lr": 1e-3 * (0.5 + 0.5 * math.cos(math.pi * past)),
            "seconds": 88.0,
            "faces_per_second": 326.0,
            "train_loss": 1.9 - 1.2 * past + rng.normal(0, 0.015),
            "validation_loss": 1.9 - 1.6 * past + 0.75 * past**2 + rng.normal(0, 0.02),
        }
        for k, head in enumerate(task.heads if len(task.heads) > 1 else ()):
            line[f"train_loss.{head.name}"] = line["train_loss"] / 2 + 0.1 * k
            line[f"validation_loss.{head.name}"] = line["validation_loss"] / 2 + 0.1 * k
            line[f"weight.{head.name}"] = 1 + (2 - k) * past
        for head in task:
            for name in head.metrics:
                rise = 0.2 + 0.5 * (1 - math.exp(-4 * past)) + rng.normal(0, 0.008)
                line[f"validation_{head.name}_{name}"] = (
                    rise if metrics.METRICS[name].higher_is_better else 1 - rise
                )
        lines.append(line)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
