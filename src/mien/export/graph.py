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

from ..config import Config
from ..media import Arrays, InputSet
from ..models import Network, activate, input_set
from ..tasks import Task
from .convolutions import fold_shortcuts, multiply_small_maps

#: The ONNX operator set of every model.
OPSET = 20
#: The largest difference between torch and ONNX Runtime that counts as rounding.
TOLERANCE = 1e-4


class Activated(nn.Module):
    """The network with its activations: from the graph's inputs to the outputs of the heads, in order."""

    def __init__(self, network: Network, task: Task, inputs: InputSet) -> None:
        super().__init__()
        self.network, self.task = network, task
        self.names = [each.name for each in inputs.inputs]

    def forward(self, *arrays: Tensor) -> tuple[Tensor, ...]:
        """Normalised inputs (N, ...), then bool (N, inputs) if several -> the output (N, K) of each head."""
        inputs = dict(zip(self.names, arrays, strict=False))
        columns = arrays[-1].unbind(1) if len(inputs) > 1 else ()
        scores = self.network(inputs, dict(zip(self.names, columns, strict=False)) or None)
        return tuple(activate(head, scores[head.name]) for head in self.task)


def write_onnx(network: Network, config: Config, description: dict[str, Any], path: Path) -> None:
    """Write the activated network as one ONNX file that carries its description."""
    task, inputs = config.resolved_task(), input_set(config.model)
    # Copied in plain order: one channel may lie as the last, and the graph would then carry strides.
    arrays = map(torch.from_numpy, _example(inputs, 2).values())
    example = tuple(array.clone(memory_format=torch.contiguous_format) for array in arrays)
    samples = torch.export.Dim("samples")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            Activated(network.eval(), task, inputs).eval(),
            example,
            input_names=inputs.graph_inputs,
            output_names=[head.name for head in task],
            dynamic_shapes={"arrays": tuple({0: samples} for _ in example)},
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    forget_source(model.graph)
    fold_shortcuts(model.graph)
    multiply_small_maps(model.graph)
    _save(model, description, path)


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
    """Largest difference between torch and ONNX Runtime on 1, 2 and 7 random samples, some inputs missing."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    inputs = input_set(config.model)
    activated = Activated(network.eval(), config.resolved_task(), inputs)
    worst = 0.0
    for size in (1, 2, 7):
        feed = _example(inputs, size)
        with torch.inference_mode():
            wanted = activated(*map(torch.from_numpy, feed.values()))
        for mine, theirs in zip(session.run(None, feed), wanted, strict=True):
            worst = max(worst, float(np.abs(mine - theirs.numpy()).max()))
    return worst


def _example(inputs: InputSet, size: int) -> Arrays:
    """What the graph takes of so many random samples; of several inputs each is missing now and then."""
    fitted, present = inputs.fit(inputs.example(size))
    places = np.arange(size)[:, None] + np.arange(len(inputs.inputs))
    return inputs.feed(fitted, present & (places % 3 != 0) if len(inputs.inputs) > 1 else present)
