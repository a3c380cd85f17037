"""A tiny self-describing model made with `onnx.helper`: mean colour of each input → linear → activation, one
output a head."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mien.media.image_transform import ImageTransform
from mien.tasks import TASKS, Head, Kind, Task

#: What an input of that name sees of a picture, and the view that it was in a description of schema 1.
REGIONS = {"face": "region", "person": "region", "scene": "whole"}
VIEWS = {"face": "crop", "person": "crop", "scene": "picture"}
GREY = ImageTransform(48)
RGB = ImageTransform(32, "rgb", margin=0.1)


def write_model(
    path: Path,
    task: Task = TASKS["expression7"],
    transform: ImageTransform = GREY,
    changes: dict[str, Any] | None = None,
    *,
    inputs: Sequence[str] = ("face",),
    schema: int = 2,
) -> Path:
    """Write a model whose answer depends on its inputs' means alone; `changes` replace keys of its
    metadata."""
    metadata = {
        "schema": schema,
        "name": "tiny",
        "task": task.to_dict(),
        **description(transform, inputs, schema),
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
    write_graph(path, task, transform, {"mien": json.dumps(metadata)}, inputs, schema)
    return path


def description(transform: ImageTransform, inputs: Sequence[str], schema: int) -> dict[str, Any]:
    """What a model's metadata tells of its inputs."""
    if schema == 1:
        return {"preprocessing": transform.to_dict() | {"views": [VIEWS[name] for name in inputs]}}
    return {"inputs": {name: {"region": REGIONS[name], **transform.to_dict()} for name in inputs}}


def write_graph(
    path: Path,
    task: Task,
    transform: ImageTransform,
    properties: dict[str, str],
    inputs: Sequence[str] = ("face",),
    schema: int = 2,
) -> None:
    """Write the graph with the given metadata properties."""
    side, channels = transform.size, transform.channels * len(inputs)
    rng = np.random.default_rng(0)
    nodes, taken = _pooled(
        [f"input.{name}" for name in inputs] if schema == 2 else ["pixels"], channels, side
    )
    weights, outputs = [], []
    for head in task:
        weights += [
            numpy_helper.from_array(
                rng.normal(size=(channels, len(head))).astype(np.float32), f"{head.name}.w"
            ),
            numpy_helper.from_array(rng.normal(size=len(head)).astype(np.float32), f"{head.name}.b"),
        ]
        nodes.append(
            helper.make_node("Gemm", ["flat", f"{head.name}.w", f"{head.name}.b"], [f"{head.name}.z"])
        )
        nodes += _activation(head, weights)
        outputs.append(helper.make_tensor_value_info(head.name, TensorProto.FLOAT, ["N", len(head)]))
    graph = helper.make_graph(nodes, "tiny", taken, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, properties)
    onnx.save(model, path)


def _pooled(names: Sequence[str], channels: int, side: int) -> tuple[list[Any], list[Any]]:
    """The means of all inputs side by side, (N, channels) called `flat`, zero where one is missing; what the
    graph takes."""
    shape = ["N", channels // len(names), side, side]
    taken = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in names]
    nodes = []
    for name in names:
        nodes += [
            helper.make_node("GlobalAveragePool", [name], [f"{name}.pooled"]),
            helper.make_node("Flatten", [f"{name}.pooled"], [f"{name}.flat" if len(names) > 1 else "flat"]),
        ]
    if len(names) > 1:
        taken.append(helper.make_tensor_value_info("input.present", TensorProto.BOOL, ["N", len(names)]))
        nodes += [
            helper.make_node("Cast", ["input.present"], ["shares"], to=TensorProto.FLOAT),
            helper.make_node("Split", ["shares"], [f"{name}.share" for name in names], axis=1),
            *(helper.make_node("Mul", [f"{name}.flat", f"{name}.share"], [f"{name}.kept"]) for name in names),
            helper.make_node("Concat", [f"{name}.kept" for name in names], ["flat"], axis=1),
        ]
    return nodes, taken


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
