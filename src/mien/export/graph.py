"""A network as an ONNX graph: written, simplified, held against torch."""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from .. import models
from ..config import Config
from ..models import Network, activate
from ..tasks import Task
from .convolutions import fold_shortcuts, multiply_small_maps

#: The ONNX operator set of every model.
OPSET = 20
#: The largest difference between torch and ONNX Runtime that counts as rounding.
TOLERANCE = 1e-4


class Activated(nn.Module):
    """The network with its activations, answering a tuple in the order of the task's heads."""

    def __init__(self, network: Network, task: Task) -> None:
        super().__init__()
        self.network, self.task = network, task

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Normalised pixels (N, channels, H, W) -> what each head's output is in the graph, (N, K)."""
        scores = self.network(pixels)
        return tuple(activate(head, scores[head.name]) for head in self.task)


def write_onnx(network: Network, config: Config, description: str, path: Path) -> None:
    """Write the activated network as one ONNX file that carries its description (JSON)."""
    task = config.resolved_task()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            Activated(network.eval(), task).eval(),
            (_example(config, 2),),
            input_names=["pixels"],
            output_names=[head.name for head in task],
            dynamic_shapes=({0: torch.export.Dim("faces")},),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    forget_source(model.graph)
    fold_shortcuts(model.graph)
    multiply_small_maps(model.graph)
    _save(model, json.loads(description), path)


def stamp(path: Path, description: dict[str, Any]) -> None:
    """Put another description into a model file, in place."""
    _save(onnx.load(path), description, path)


def _save(model: onnx.ModelProto, description: dict[str, Any], path: Path) -> None:
    onnx.helper.set_model_props(model, {"mien": json.dumps(description)})
    onnx.save(model, str(path))


def forget_source(graph: onnx.GraphProto) -> None:
    """Take out the stack traces of the exporter, which name the paths of whoever made the model."""
    for part in (graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
        part.ClearField("doc_string")
        part.ClearField("metadata_props")


def parity(network: Network, config: Config, path: Path) -> float:
    """Largest difference between torch and ONNX Runtime over batches of 1, 2 and 7 random pictures."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    activated = Activated(network.eval(), config.resolved_task())
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
