"""A network as an ONNX graph: written, simplified, held against torch."""

from __future__ import annotations

import json
import logging
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from .. import models
from ..config import Config
from ..models import Network, activate
from ..tasks import Task

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


def fold_shortcuts(graph: onnx.GraphProto) -> None:
    """Make x + convolution(x) one convolution, whose kernel also holds the identity (as RepVGG does: Ding et al. 2021).

    Such a shortcut then costs nothing, and in int8 no rounding of its own.
    """
    made = {name: node for node in graph.node for name in node.output}
    used = Counter(name for node in graph.node for name in node.input)
    weights = {tensor.name: tensor for tensor in graph.initializer}
    for add in [node for node in graph.node if node.op_type == "Add"]:
        for convolved, x in (add.input, reversed(add.input)):
            node = made.get(convolved)
            if node and used[convolved] == 1 and _around(node, x, weights):
                kernel = numpy_helper.to_array(weights[node.input[1]]).copy()
                diagonal, (rows, columns) = np.arange(len(kernel)), kernel.shape[2:]
                kernel[diagonal, diagonal, rows // 2, columns // 2] += 1
                weights[node.input[1]].CopyFrom(numpy_helper.from_array(kernel, node.input[1]))
                node.output[0] = add.output[0]
                made[add.output[0]] = node
                graph.node.remove(add)
                break


def _around(node: onnx.NodeProto, x: str, weights: dict[str, onnx.TensorProto]) -> bool:
    """Whether a node is a convolution of `x` alone that keeps its shape, with a middle to hold the identity."""
    if node.op_type != "Conv" or node.input[0] != x or node.input[1] not in weights:
        return False
    shape = weights[node.input[1]].dims
    said = {given.name: onnx.helper.get_attribute_value(given) for given in node.attribute}
    padded = [size // 2 for size in shape[2:]] * 2
    plain = said.get("group", 1) == 1 and all(
        step == 1 for key in ("strides", "dilations") for step in said.get(key, ())
    )
    same = said.get("auto_pad", b"NOTSET") == b"NOTSET" and said.get("pads", [0] * len(padded)) == padded
    return len(shape) == 4 and shape[0] == shape[1] and all(size % 2 for size in shape[2:]) and plain and same


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
