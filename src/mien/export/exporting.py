"""From a trained network to files that need nothing else: safetensors with JSON, and ONNX."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import onnx
import safetensors.torch
import torch

from .. import machine, models
from ..calibrate import calibrate
from ..config import Config, load
from ..errors import ModelError
from ..files import atomic_write, sha256, write_text
from ..models import Network
from ..models.saved import load_network, source
from ..predict.engine import Engine
from ..run_folder import MODEL_SCHEMAS, read_description
from ..store import Store
from ..tasks import Head, Task
from ..train.batches import learned_from, thinned
from ..train.module import monitored_metric
from ..train.weights import class_weights
from ..version import __version__
from .graph import OPSET, TOLERANCE, parity, stamp, write_onnx


def export(
    run: Path, network: Network | None = None, calibration: str = "", store: Path | None = None
) -> Path:
    """Save a network into a run folder, if one is given, and write `model.onnx` from the saved weights.

    A new network is calibrated on the validation split of the run's store (`calibrate.calibrate`); a saved
    one keeps what its description says, unless a method of `calibration` or another `store` is given.
    Raises ModelError if the ONNX model does not answer as torch does.
    """
    config, target, description = load(run / "config.toml"), run / "model.onnx", run / "model.json"
    if network is not None:
        with atomic_write(run / "model.safetensors") as part:
            state = network.state_dict().items()
            weights = {name: value.detach().cpu().contiguous() for name, value in state}
            part.write_bytes(safetensors.torch.save(weights))
        write_text(description, json.dumps(describe(run, config, network), indent=2))
    saved, metadata = load_network(run), _description(description, config)
    with atomic_write(target) as part:
        write_onnx(saved, config, metadata, part)
        difference = parity(saved, config, part)
        if not difference <= TOLERANCE:
            limit = f"at most {TOLERANCE:.0e} is allowed"
            raise ModelError(f"{target}: answers differ from torch by {difference:.1e}, {limit}")
        _check_opens(part, description)
        if network is not None or calibration or store:
            samples, method = Store(store or config.data.store), calibration or config.train.calibration
            metadata |= calibrate(part, samples, config.data.validation, method)
            stamp(part, metadata)
        write_text(description, json.dumps(metadata, indent=2))
    return target


def _description(path: Path, config: Config) -> dict[str, Any]:
    """What a saved run's model.json says, with inputs as today's graphs have them. Raises ModelError."""
    found = read_description(path.read_text(encoding="utf-8"), path)
    if found["schema"] != MODEL_SCHEMAS[-1]:
        found.pop("preprocessing", None)
        found |= {"schema": MODEL_SCHEMAS[-1], "inputs": models.input_set(config.model).to_dict()}
    return found


def _check_opens(part: Path, description: Path) -> None:
    """Raise ModelError, of the description it was given, where a new model file cannot be opened."""
    try:
        Engine(part, 1)
    except ModelError as error:
        raise ModelError(str(error).replace(str(part), str(description))) from None


def describe(run: Path, config: Config, network: Network) -> dict[str, Any]:
    """The metadata that travels with a model: task, inputs, data, licence, metrics, versions."""
    store = Store(config.data.store)
    task = config.resolved_task()
    sources = models.input_set(config.model).sources
    rows = thinned(store.rows_with(sources, learned_from(store, task, config)), config)
    best = _best(run, task, config)
    return {
        "schema": MODEL_SCHEMAS[-1],
        "name": config.name or run.name,
        "task": task.to_dict(),
        "inputs": models.input_set(config.model).to_dict(),
        "temperature": {head.name: 1.0 for head in task},
        "data": {
            "store": store.path.name,
            "sha256": sha256(store.path),
            "importer": store.meta["importer"],
            "train_rows": len(rows),
            "validation": config.data.validation,
        },
        "licence": config.licence,
        **learnt_from(config),
        "metrics": {head.name: _metrics(best, head) for head in task},
        "class_weights": class_weights(
            config, task, {head.name: torch.from_numpy(store.target(head, rows)) for head in task}
        ),
        "head_weights": {head.name: float(best.get(f"weight.{head.name}", head.weight)) for head in task},
        "parameters": network.parameter_count,
        "seed": config.train.seed,
        "opset": OPSET,
        "machine": machine.describe(),
        "versions": {"mien": __version__, "torch": torch.__version__, "onnx": onnx.__version__},
    }


def learnt_from(config: Config) -> dict[str, Any]:
    """`start` and `teachers`: the weights a network began with, and those it was taught by, if any."""
    start, teacher = config.model.start, config.train.teacher
    teachers = {"teachers": [source(run) for run in teacher.runs]} if teacher.runs else {}
    return ({"start": source(start)} if start else {}) | teachers


def _best(run: Path, task: Task, config: Config) -> dict[str, str]:
    """The row in history.csv of the epoch whose weights are exported."""
    monitor = monitored_metric(config, task)
    with (run / "history.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["phase"] == str(len(config.train.phases))]
    return (max if monitor.higher else min)(rows, key=lambda row: float(row[monitor.key]))


def _metrics(row: dict[str, str], head: Head) -> dict[str, float | None]:
    """Validation metrics of an epoch; None for one that is undefined."""
    values = {name: float(row[f"validation_{head.name}_{name}"]) for name in head.metrics}
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
