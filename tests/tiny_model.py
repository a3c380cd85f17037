"""A tiny self-describing model made with `onnx.helper`: mean colour → linear → activation, one output a head."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mien.media.image_transform import ImageTransform
from mien.tasks import TASKS, Head, Kind, Task

GREY = ImageTransform(48)
RGB = ImageTransform(32, "rgb", margin=0.1)


def write_model(
    path: Path,
    task: Task = TASKS["expression7"],
    transform: ImageTransform = GREY,
    changes: dict[str, Any] | None = None,
) -> Path:
    """Write a model whose answer depends on the crop's mean alone; `changes` replace keys of its metadata."""
    metadata = {
        "schema": 2,
        "name": "tiny",
        "task": task.to_dict(),
        "inputs": {"face": transform.to_dict()},
        "temperature": {head.name: 1.0 for head in task},
        "data": {"store": "none.h5", "sha256": "0" * 64, "importer": "none", "train_rows": 0},
        "licence": "",
        "metrics": {},
        "parameters": 0,
        "seed": 0,
        "versions": {"mien": "0.1.0"},
        **(changes or {}),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_graph(path, task, transform, {"mien": json.dumps(metadata)})
    return path


def write_graph(path: Path, task: Task, transform: ImageTransform, properties: dict[str, str]) -> None:
    """Write the graph with the given metadata properties."""
    side, channels = transform.size, transform.channels
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node("GlobalAveragePool", ["face"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
    ]
    weights, outputs = [], []
    for head in task:
        weights += [
            numpy_helper.from_array(rng.normal(size=(channels, len(head))).astype(np.float32), f"{head.name}.w"),
            numpy_helper.from_array(rng.normal(size=len(head)).astype(np.float32), f"{head.name}.b"),
        ]
        nodes.append(helper.make_node("Gemm", ["flat", f"{head.name}.w", f"{head.name}.b"], [f"{head.name}.z"]))
        nodes += _activation(head, weights)
        outputs.append(helper.make_tensor_value_info(head.name, TensorProto.FLOAT, ["N", len(head)]))
    pixels = helper.make_tensor_value_info("face", TensorProto.FLOAT, ["N", channels, side, side])
    graph = helper.make_graph(nodes, "tiny", [pixels], outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, properties)
    onnx.save(model, path)


def _activation(head: Head, weights: list[Any]) -> list[Any]:
    logits = f"{head.name}.z"
    if head.kind.is_exclusive:
        return [helper.make_node("Softmax", [logits], [head.name], axis=1)]
    if head.kind is Kind.TAGS:
        return [helper.make_node("Sigmoid", [logits], [head.name])]
    low, high = head.bounds
    weights.append(numpy_helper.from_array(np.float32((high - low) / 2), f"{head.name}.half"))
    weights.append(numpy_helper.from_array(np.float32((high + low) / 2), f"{head.name}.middle"))
    return [
        helper.make_node("Tanh", [logits], [f"{head.name}.t"]),
        helper.make_node("Mul", [f"{head.name}.t", f"{head.name}.half"], [f"{head.name}.s"]),
        helper.make_node("Add", [f"{head.name}.s", f"{head.name}.middle"], [head.name]),
    ]
