"""From a trained network to files that need nothing else: safetensors with JSON, and a self-describing ONNX model."""

from __future__ import annotations

import csv
import json
import logging
import math
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import safetensors.torch
import torch
from torch import Tensor, nn

from . import machine, models
from .calibrate import calibrate
from .config import Config, load
from .errors import ModelError
from .files import replacing, sha256, write_text
from .models import Network, activate
from .predict.engine import SCHEMA
from .store import Store
from .tasks import Head, Task
from .train.batches import annotated, thinned
from .train.module import watched
from .train.weights import class_weights
from .version import __version__

#: The largest difference between torch and ONNX Runtime that counts as rounding.
TOLERANCE = 1e-4


def export(run: Path, network: Network | None = None, calibration: str = "", store: Path | None = None) -> Path:
    """Save a network into a run folder, if one is given, and write `model.onnx` from the saved weights.

    A new network is calibrated on the validation split of the run's store (`calibrate.calibrate`); a saved one keeps what its
    description says, unless a method of `calibration` or another `store` is given. Raises ModelError if the ONNX model does
    not answer as torch does.
    """
    config = load(run / "config.toml")
    if network is not None:
        with replacing(run / "model.safetensors") as part:
            part.write_bytes(safetensors.torch.save(_weights(network)))
        _describe(run / "model.json", describe(run, config, network))
    saved = load_network(run)
    target = run / "model.onnx"
    with replacing(target) as part:
        write_onnx(saved, config, (run / "model.json").read_text(), part)
        difference = parity(saved, config, part)
        if not difference <= TOLERANCE:
            raise ModelError(
                f"{target}: answers differ from torch by {difference:.1e}, at most {TOLERANCE:.0e} is allowed"
            )
        if network is not None or calibration or store:
            faces, method = Store(store or config.data.store), calibration or config.train.calibration
            chosen = calibrate(part, faces, config.data.validation, method)
            _describe(run / "model.json", json.loads((run / "model.json").read_text()) | chosen)
            _stamp(onnx.load(part), (run / "model.json").read_text(), part)
    return target


def _describe(path: Path, metadata: dict[str, Any]) -> None:
    write_text(path, json.dumps(metadata, indent=2))


def _stamp(model: onnx.ModelProto, description: str, path: Path) -> None:
    onnx.helper.set_model_props(model, {"mien": description})
    onnx.save(model, str(path))


def load_network(run: Path) -> Network:
    """Rebuild the network of a run from its safetensors. Raises ModelError."""
    config = load(run / "config.toml")
    path = run / "model.safetensors"
    if not path.is_file():
        raise ModelError(f"{run}: has no model.safetensors (train it with `mien train`, or finish it with --resume)")
    network = models.build(untrained(config).model, config.resolved_task())
    network.load_state_dict(safetensors.torch.load_file(path))
    return network.eval()


def describe(run: Path, config: Config, network: Network) -> dict[str, Any]:
    """The metadata that travels with a model: task, preprocessing, data, licence, metrics, versions."""
    store = Store(config.data.store)
    task = config.resolved_task()
    rows = thinned(annotated(store, task, config.data.train), config)
    best = _best(run, task, config)
    return {
        "schema": SCHEMA,
        "name": config.name or run.name,
        "task": task.to_dict(),
        "preprocessing": models.preprocessing(config.model).to_dict(),
        "temperature": {head.name: 1.0 for head in task},
        "data": {
            "store": store.path.name,
            "sha256": sha256(store.path),
            "importer": store.meta["importer"],
            "train_rows": len(rows),
            "validation": config.data.validation,
        },
        "licence": config.licence,
        "metrics": {head.name: _metrics(best, head) for head in task},
        "class_weights": class_weights(
            config, task, {head.name: torch.from_numpy(store.target(head, rows)) for head in task}
        ),
        "head_weights": {head.name: float(best.get(f"weight.{head.name}", head.weight)) for head in task},
        "parameters": network.parameter_count,
        "seed": config.train.seed,
        "machine": machine.describe(),
        "versions": {"mien": __version__, "torch": torch.__version__, "onnx": onnx.__version__},
    }


class _Activated(nn.Module):
    """The network with its activations, answering a tuple in the order of the task's heads."""

    def __init__(self, network: Network, task: Task) -> None:
        super().__init__()
        self.network, self.task = network, task

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        scores = self.network(pixels)
        return tuple(activate(head, scores[head.name]) for head in self.task)


def write_onnx(network: Network, config: Config, description: str, path: Path) -> None:
    """Write the activated network as one ONNX file that carries its description (JSON)."""
    task = config.resolved_task()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            _Activated(network.eval(), task).eval(),
            (_example(config, 2),),
            input_names=["pixels"],
            output_names=[head.name for head in task],
            dynamic_shapes=({0: torch.export.Dim("faces")},),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    _stamp(program.model_proto, description, path)


def parity(network: Network, config: Config, path: Path) -> float:
    """Largest difference between torch and ONNX Runtime over batches of 1, 2 and 7 random pictures."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    activated = _Activated(network.eval(), config.resolved_task())
    worst = 0.0
    for size in (1, 2, 7):
        pixels = _example(config, size)
        with torch.inference_mode():
            wanted = activated(pixels)
        for mine, theirs in zip(session.run(None, {"pixels": pixels.numpy()}), wanted, strict=True):
            worst = max(worst, float(np.abs(mine - theirs.numpy()).max()))
    return worst


def _example(config: Config, size: int) -> Tensor:
    shape = (size, models.preprocessing(config.model).channels, config.model.size, config.model.size)
    return torch.randn(shape, generator=torch.Generator().manual_seed(size))


def _weights(network: Network) -> dict[str, Tensor]:
    return {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}


def untrained(config: Config) -> Config:
    """The same network without fetching published weights, which the run's own replace."""
    pre = models.preprocessing(config.model)
    return replace(config, model=replace(config.model, pretrained=False, mean=pre.mean, std=pre.std))


def _best(run: Path, task: Task, config: Config) -> dict[str, str]:
    """The row in history.csv of the epoch whose weights are exported."""
    watch = watched(config, task)
    with (run / "history.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["phase"] == str(len(config.train.phases))]
    return (max if watch.higher else min)(rows, key=lambda row: float(row[watch.key]))


def _metrics(row: dict[str, str], head: Head) -> dict[str, float | None]:
    """Validation metrics of an epoch; None for one that is undefined."""
    values = {name: float(row[f"validation_{head.name}_{name}"]) for name in head.metrics}
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
