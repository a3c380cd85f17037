"""Networks as ONNX graphs: every family exports, shortcuts fold into the convolution they go around."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from mien import export, models
from mien.export.convolutions import fold_shortcuts, multiply_small_maps, seen

DRAW = np.random.default_rng(1)


def residual(
    kernel: tuple[int, ...] = (4, 4, 3, 3), swap: bool = False, twice: bool = False, **changes: object
) -> onnx.ModelProto:
    """x + convolution(x), then ReLU, with attributes of the convolution changed."""
    weight = numpy_helper.from_array(DRAW.normal(size=kernel).astype(np.float32), "weight")
    bias = numpy_helper.from_array(DRAW.normal(size=kernel[0]).astype(np.float32), "bias")
    pads = [size // 2 for size in kernel[2:]] * 2
    attributes = {"pads": pads, **changes}
    nodes = [
        helper.make_node("Conv", ["x", "weight", "bias"], ["convolved"], name="conv", **attributes),
        helper.make_node("Add", ["x", "convolved"] if swap else ["convolved", "x"], ["sum"], name="add"),
        helper.make_node("Relu", ["sum"], ["y"], name="relu"),
    ]
    if twice:
        nodes.append(helper.make_node("Neg", ["convolved"], ["z"], name="neg"))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("y", "z")[: 1 + twice]]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4, 6, 6])
    graph = helper.make_graph(nodes, "residual", [x], ends, [weight, bias])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", export.OPSET)], ir_version=10)


def answers(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["y"], {"x": x})[0])


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("kernel", [(4, 4, 3, 3), (4, 4, 1, 1), (4, 4, 5, 3)])
def test_a_shortcut_becomes_part_of_its_convolution(kernel: tuple[int, ...], swap: bool) -> None:
    model, x = residual(kernel, swap), DRAW.normal(size=(2, 4, 6, 6)).astype(np.float32)
    before = answers(model, x)
    fold_shortcuts(model.graph)
    assert [node.op_type for node in model.graph.node] == ["Conv", "Relu"]
    np.testing.assert_allclose(answers(model, x), before, atol=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        residual((4, 2, 3, 3), group=2),
        residual(strides=[1, 1], dilations=[2, 2], pads=[2, 2, 2, 2]),
        residual((1, 4, 3, 3)),
        residual(pads=[0, 0, 2, 2]),
        residual((4, 4, 2, 2), pads=[1, 1, 0, 0]),
        residual(twice=True),
    ],
    ids=["groups", "dilated", "other width", "off centre", "no middle", "used elsewhere"],
)
def test_any_other_sum_stays(model: onnx.ModelProto) -> None:
    before = model.SerializeToString()
    fold_shortcuts(model.graph)
    assert model.SerializeToString() == before


def small(
    kernel: tuple[int, ...], size: tuple[int, int], bias: bool = True, **attributes: object
) -> onnx.ModelProto:
    """A ReLU, and a convolution of its maps of a size the graph tells."""
    weight = numpy_helper.from_array(DRAW.normal(size=kernel).astype(np.float32), "weight")
    given = [weight, numpy_helper.from_array(DRAW.normal(size=kernel[0]).astype(np.float32), "bias")][
        : 1 + bias
    ]
    attributes = {"pads": [side // 2 for side in kernel[2:]] * 2, **attributes}
    nodes = [
        helper.make_node("Relu", ["x"], ["maps"]),
        helper.make_node("Conv", ["maps", *(part.name for part in given)], ["y"], **attributes),
    ]
    x, maps, y = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", ["N", 4, *size]), ("maps", ["N", 4, *size]), ("y", ["N", None, None, None]))
    )
    graph = helper.make_graph(nodes, "small", [x], [y], given, value_info=[maps])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", export.OPSET)], ir_version=10)


@pytest.mark.parametrize("faces", [1, 3])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("size", [(3, 3), (2, 4), (1, 1)], ids=str)
@pytest.mark.parametrize("kernel", [(6, 4, 3, 3), (4, 4, 5, 3), (2, 4, 1, 1)], ids=str)
def test_a_convolution_of_small_maps_becomes_a_product(
    kernel: tuple[int, ...], size: tuple[int, int], bias: bool, faces: int
) -> None:
    model, x = small(kernel, size, bias), DRAW.normal(size=(faces, 4, *size)).astype(np.float32)
    before = answers(model, x)
    multiply_small_maps(model.graph)
    onnx.checker.check_model(model, full_check=True)
    assert "Conv" not in {node.op_type for node in model.graph.node}
    assert "weight" not in {tensor.name for tensor in model.graph.initializer}
    np.testing.assert_allclose(answers(model, x), before, atol=1e-4)


@pytest.mark.parametrize(
    "model",
    [
        small((4, 4, 3, 3), (5, 4)),
        small((4, 4, 3, 3), (3, 3), strides=[2, 2]),
        small((4, 2, 3, 3), (3, 3), group=2),
        small((4, 4, 3, 3), (3, 3), pads=[0, 0, 0, 0]),
        residual(),
    ],
    ids=["larger map", "stride", "groups", "smaller answer", "size untold"],
)
def test_any_other_convolution_stays(model: onnx.ModelProto) -> None:
    before = model.SerializeToString()
    multiply_small_maps(model.graph)
    assert model.SerializeToString() == before


def test_what_a_pixel_sees() -> None:
    assert seen((2, 2), (3, 1)).tolist() == [[4, 0, 2], [4, 1, 3], [0, 2, 4], [1, 3, 4]]


@pytest.mark.parametrize(
    ("encoder", "size", "options"),
    [
        ("compact", 48, {"widths": [4, 8], "depth": 3, "stride": 2}),
        ("compact", 40, {"widths": [4, 8], "activation": "silu", "residual": False}),
        ("alexnet", 64, {}),
        ("test_vit", 48, {}),
        ("test_resnet", 48, {}),
        ("test_efficientnet", 48, {}),
        ("test_convnext", 64, {}),
    ],
)
def test_every_network_exports_with_a_free_number_of_faces(
    encoder: str, size: int, options: dict[str, object], tiny: object, tmp_path: Path
) -> None:
    config = tiny(model={"encoder": encoder, "size": size, "options": options})  # type: ignore[operator]
    network = models.build(config.model, config.resolved_task()).eval()
    export.write_onnx(network, config, {}, tmp_path / "model.onnx")
    assert export.parity(network, config, tmp_path / "model.onnx") < export.TOLERANCE
    model = onnx.load(tmp_path / "model.onnx")
    assert [opset.version for opset in model.opset_import if not opset.domain] == [export.OPSET]
    assert (
        b"in forward\n" not in (tmp_path / "model.onnx").read_bytes()
    )  # a stack trace names its maker's paths
    (given,) = model.graph.input
    assert given.name == "input.face"
    assert given.type.tensor_type.shape.dim[0].dim_param == "samples"


def test_the_shortcuts_of_compact_leave_no_sum(tiny: object, tmp_path: Path) -> None:
    config = tiny(model={"options": {"widths": [4, 8], "depth": 3}})  # type: ignore[operator]
    network = models.build(config.model, config.resolved_task()).eval()
    export.write_onnx(network, config, {}, tmp_path / "model.onnx")
    kinds = [node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node]
    assert kinds.count("Conv") == 6
    assert "Add" not in kinds
