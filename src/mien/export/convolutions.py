"""Convolutions of an ONNX graph, written so that a processor has them done sooner; the answers stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

#: Up to so many places in a map (four rows of four) a matrix product is faster than a convolution.
SMALL = 16

Weights = dict[str, onnx.TensorProto]


def fold_shortcuts(graph: onnx.GraphProto) -> None:
    """Make x + convolution(x) one convolution, whose kernel holds the identity (RepVGG, Ding et al. 2021).

    Such a shortcut then costs nothing, and in int8 no rounding of its own.
    """
    made = {name: node for node in graph.node for name in node.output}
    used = Counter(name for node in graph.node for name in node.input)
    weights = {tensor.name: tensor for tensor in graph.initializer}
    for add in [node for node in graph.node if node.op_type == "Add"]:
        for convolved, x in (add.input, reversed(add.input)):
            node = made.get(convolved)
            if node and used[convolved] == 1 and node.input[0] == x and _keeps_shape(node, weights):
                kernel = numpy_helper.to_array(weights[node.input[1]]).copy()
                diagonal, (rows, columns) = np.arange(len(kernel)), kernel.shape[2:]
                kernel[diagonal, diagonal, rows // 2, columns // 2] += 1
                weights[node.input[1]].CopyFrom(numpy_helper.from_array(kernel, node.input[1]))
                node.output[0] = add.output[0]
                made[add.output[0]] = node
                graph.node.remove(add)
                break


def multiply_small_maps(graph: onnx.GraphProto) -> None:
    """Make convolutions that keep the size of a map of at most SMALL places products of matrices.

    A convolution goes along rows, and such rows are too short for a processor's vectors.
    """
    weights = {tensor.name: tensor for tensor in graph.initializer}
    shapes = {value.name: value.type.tensor_type.shape.dim for value in graph.value_info}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        size = tuple(side.dim_value for side in shapes.get(node.input[0], ())[2:])
        small = node.op_type == "Conv" and len(size) == 2 and 0 < size[0] * size[1] <= SMALL
        if small and _keeps_size(node, weights):
            kernel = numpy_helper.to_array(weights[node.input[1]])
            nodes += _product(node)
            graph.initializer.extend(_constants(node.output[0], size, kernel))
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in graph.node for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)


def seen(size: tuple[int, ...], kernel: tuple[int, ...]) -> NDArray[np.int64]:
    """The places (H W, h w) that a kernel (h, w) covers at each place of a map (H, W); H W: outside."""
    row, column = np.divmod(np.arange(size[0] * size[1])[:, None], size[1])
    down, right = np.divmod(np.arange(kernel[0] * kernel[1]), kernel[1])
    y, x = row + down - kernel[0] // 2, column + right - kernel[1] // 2
    inside = (y >= 0) & (y < size[0]) & (x >= 0) & (x < size[1])
    return np.where(inside, y * size[1] + x, size[0] * size[1])


def _constants(name: str, size: tuple[int, ...], kernel: NDArray[np.float32]) -> Iterator[onnx.TensorProto]:
    outputs, inputs, *window = kernel.shape
    constants = {
        "pixels": np.array([-1, size[0] * size[1], inputs]),
        "edge": np.array([0, 0, 0, 0, 1, 0]),  # one row of zeros after a sample's places
        "seen": seen(size, tuple(window)),
        "rows": np.array([-1, kernel[0].size]),
        "weight": np.ascontiguousarray(kernel.transpose(2, 3, 1, 0).reshape(-1, outputs)),
        "maps": np.array([-1, *size, outputs]),
    }
    for key, value in constants.items():
        yield numpy_helper.from_array(value, f"{name}.{key}")


def _product(node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
    """The nodes in place of a convolution; ONNX Runtime removes transpositions that undo each other."""
    name, last = node.output[0], node.input[0]
    steps: list[tuple[str, list[str], dict[str, Any]]] = [
        ("Transpose", [], {"perm": [0, 2, 3, 1]}),
        ("Reshape", [f"{name}.pixels"], {}),
        ("Pad", [f"{name}.edge"], {}),
        ("Gather", [f"{name}.seen"], {"axis": 1}),
        ("Reshape", [f"{name}.rows"], {}),
        ("Gemm", [f"{name}.weight", *node.input[2:]], {}),
        ("Reshape", [f"{name}.maps"], {}),
        ("Transpose", [], {"perm": [0, 3, 1, 2]}),
    ]
    for number, (kind, inputs, options) in enumerate(steps, 1):
        made = name if number == len(steps) else f"{name}.{number}"
        yield helper.make_node(kind, [last, *inputs], [made], made, **options)
        last = made


def _keeps_shape(node: onnx.NodeProto, weights: Weights) -> bool:
    """Whether a node is a convolution that keeps size and channels, with a middle to hold the identity."""
    return _keeps_size(node, weights) and len(set(weights[node.input[1]].dims[:2])) == 1


def _keeps_size(node: onnx.NodeProto, weights: Weights) -> bool:
    """Whether a node is a dense convolution with an odd kernel, stride 1 and zeros beyond the edge."""
    if node.op_type != "Conv" or node.input[1] not in weights:
        return False
    shape = weights[node.input[1]].dims
    options = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    padded = [size // 2 for size in shape[2:]] * 2
    steps = {options.get("group", 1), *options.get("strides", ()), *options.get("dilations", ())}
    explicit = options.get("auto_pad", b"NOTSET") == b"NOTSET"
    same = explicit and options.get("pads", [0] * len(padded)) == padded
    return len(shape) == 4 and all(size % 2 for size in shape[2:]) and steps == {1} and same
