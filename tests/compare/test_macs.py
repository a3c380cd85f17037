"""Multiply-accumulates, against the shapes of layers that PyTorch really ran, and by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from mien import models
from mien.compare.macs import macs
from mien.config import ModelConfig
from mien.tasks import TASKS
from tests import tiny_model


def counted(network: nn.Module, example: Any) -> int:
    """An independent count: a hook on each convolution and linear layer."""
    total = []

    def hook(layer: Any, _: Any, output: torch.Tensor) -> None:
        total.append(output.numel() * layer.weight[0].numel())

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(hook)
    network(example)
    return sum(total)


def exported(network: nn.Module, example: torch.Tensor, path: Path) -> Path:
    batch = {0: torch.export.Dim("faces")}
    program = torch.onnx.export(
        network, (torch.cat([example, example]),), dynamic_shapes=(batch,), dynamo=True, verbose=False
    )
    assert program
    program.save(path)
    return path


@pytest.mark.filterwarnings("ignore")
def test_the_compact_network(tmp_path: Path) -> None:
    config = ModelConfig.from_dict({"size": 24, "options": {"widths": [4, 8], "depth": 1}})
    network = models.build(config, TASKS["expression7"]).eval()
    alone, example = nn.Sequential(network.encoders["input_face"], network.heads), torch.zeros(1, 1, 24, 24)
    assert (
        macs(exported(alone, example, tmp_path / "model.onnx"))
        == counted(network, {"face": example})
        > 10_000
    )


@pytest.mark.filterwarnings("ignore")
def test_a_grouped_convolution_and_attention(tmp_path: Path) -> None:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(4, 8, 3, stride=2, groups=2)

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            tokens = self.conv(pixels).flatten(2).transpose(1, 2)  # (N, 16, 8)
            return (tokens @ tokens.transpose(1, 2)).softmax(dim=-1) @ tokens

    path = exported(Attention().eval(), torch.zeros(1, 4, 9, 9), tmp_path / "model.onnx")
    assert macs(path) == 8 * 4 * 4 * (2 * 9) + 16 * 16 * 8 + 16 * 8 * 16


def test_a_tiny_model_by_hand(tmp_path: Path) -> None:
    assert macs(tiny_model.write_model(tmp_path / "model.onnx")) == 7, "one channel to seven labels"


def graph(path: Path, operation: str, **attributes: Any) -> Path:
    """A graph of one node with a weight of shape (3, 5)."""
    weight = numpy_helper.from_array(torch.zeros(3, 5).numpy(), "w")
    node = helper.make_node(operation, ["pixels", "w"], ["out"], **attributes)
    given = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", 3])
    answer = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["N", None])
    model = helper.make_model(helper.make_graph([node], "one", [given], [answer], [weight]))
    onnx.save(model, path)
    return path


def test_gemm_and_matmul_alike(tmp_path: Path) -> None:
    assert macs(graph(tmp_path / "a.onnx", "MatMul")) == macs(graph(tmp_path / "b.onnx", "Gemm")) == 15


def test_what_cannot_be_counted_has_no_figure(tmp_path: Path) -> None:
    assert macs(graph(tmp_path / "a.onnx", "Einsum", equation="nk,kj->nj")) is None
    assert macs(graph(tmp_path / "b.onnx", "MatMulOfSomeoneElse")) == 0
