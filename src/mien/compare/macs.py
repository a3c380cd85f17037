"""How many multiply-accumulates a model needs for one face, counted from the shapes in its ONNX graph."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..extras import require

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]


def _conv(node: Any, shapes: Shapes) -> int:
    """Each output element is a sum over the kernel and the channels of its group: the weight's shape but its
    first."""
    return math.prod(shapes[node.output[0]]) * math.prod(shapes[node.input[1]][1:])


def _gemm(node: Any, shapes: Shapes) -> int:
    transposed = any(option.name == "transA" and option.i for option in node.attribute)
    return math.prod(shapes[node.output[0]]) * shapes[node.input[0]][0 if transposed else 1]


def _matmul(node: Any, shapes: Shapes) -> int:
    return math.prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]


COUNTED: dict[str, Callable[[Any, Shapes], int]] = {"Conv": _conv, "Gemm": _gemm, "MatMul": _matmul}
#: Operations with multiplications of their own that are not counted: a model with one gets no figure rather
#: than a wrong one.
_OTHERS = {"Attention", "ConvInteger", "ConvTranspose", "Einsum", "GRU", "LSTM", "MatMulInteger",
           "MultiHeadAttention", "QLinearConv", "QLinearMatMul", "RNN"}  # fmt: skip


def macs(path: Path) -> int | None:
    """Multiply-accumulates of the convolutions, linear layers and matrix products for one face; None where a
    shape is not known or an operation cannot be counted. Raises MissingExtraError."""
    graph = _shaped(require("onnx", "evaluate"), path)
    if any(node.op_type in _OTHERS for node in graph.node):
        return None
    shapes = {weight.name: tuple(weight.dims) for weight in graph.initializer}
    for value in [*graph.input, *graph.value_info, *graph.output]:
        dims = value.type.tensor_type.shape.dim
        if all(dim.HasField("dim_value") for dim in dims):
            shapes[value.name] = tuple(dim.dim_value for dim in dims)
    try:
        return sum(COUNTED[node.op_type](node, shapes) for node in graph.node if node.op_type in COUNTED)
    except KeyError:
        return None


def _shaped(onnx: Any, path: Path) -> Any:
    """The graph with all shapes worked out for a batch of one face."""
    model = onnx.load(str(path))
    del model.graph.value_info[:]
    for value in [*model.graph.input, *model.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_value = 1
    return onnx.shape_inference.infer_shapes(model, data_prop=True).graph
