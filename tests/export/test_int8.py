"""`mien export --int8 --check`: the int8 twin of a model, and whether files answer alike."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from mien import cli, export
from mien.export import checking, int8
from mien.predict.engine import Engine
from mien.store import Store
from mien.train import train
from tests import tiny_run


@pytest.fixture(scope="module")
def run(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained run with two kinds of head, exported in float and int8."""
    folder = tmp_path_factory.mktemp("runs") / "affect"
    model = {"size": 24, "options": {"widths": [8, 16], "depth": 2}}
    export.export(folder, train(tiny_run.config(faces, "affect", model), folder))
    export.quantise(folder)
    return folder


def test_convolutions_are_integers_and_heads_are_not(run: Path) -> None:
    graph = onnx.load(run / int8.NAME).graph
    kinds = [node.op_type for node in graph.node]
    assert kinds.count("QuantizeLinear") >= 4
    integers = {tensor.name for tensor in graph.initializer if tensor.data_type == onnx.TensorProto.INT8}
    assert len(integers) >= 4
    for node in graph.node:
        if node.op_type == "Gemm":
            assert node.input[1] not in integers
    scales = [
        len(onnx.numpy_helper.to_array(t).shape) for t in graph.initializer if t.name.endswith("weight_scale")
    ]
    assert scales
    assert all(scales), "a scale for each channel"


def test_the_twin_answers_nearly_alike_and_describes_itself(run: Path, faces: Path) -> None:
    one, other = Engine(run), Engine(run / int8.NAME)
    assert other.task == one.task
    assert other.inputs == one.inputs
    assert other.name == f"{one.name}-int8"
    assert other.metadata["precision"] == {
        "int8": {"faces": 62, "split": "train", "store": "faces.h5"}
    }  # with a label
    assert other.metadata["opset"] == export.OPSET
    assert other.metadata["calibration"]["expression8"]["split"] == "validation"
    store = Store(faces)
    pictures = store.images(store.rows("validation"))
    for head, rows in one.probabilities(pictures).items():
        again = other.probabilities(pictures)[head]
        assert not np.array_equal(rows, again)
        np.testing.assert_allclose(rows, again, atol=0.1)


def test_it_is_the_same_each_time(run: Path, tmp_path: Path) -> None:
    again = Path(shutil.copytree(run, tmp_path / "again"))
    export.quantise(again)
    assert (again / int8.NAME).read_bytes() == (run / int8.NAME).read_bytes()


def test_its_temperature_is_its_own(run: Path, tmp_path: Path) -> None:
    """Fitted to the answers of the int8 graph, and not where the float model has none."""
    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    export.export(copy, calibration="none")
    export.quantise(copy)
    assert Engine(copy / int8.NAME).scaling == {}
    before = Engine(run / int8.NAME).metadata["calibration"]["expression8"]["before"]
    assert before != Engine(run).metadata["calibration"]["expression8"]["before"]


def test_calibration_faces_are_of_all_labels_and_of_training_alone(faces: Path) -> None:
    store, task = Store(faces), tiny_run.config(faces).resolved_task()
    rows = int8.balanced(store, task, "train", 12)
    assert np.array_equal(rows, int8.balanced(store, task, "train", 12))
    assert set(rows) <= set(store.rows("train"))
    labels = store.target(task.heads[0], rows).argmax(axis=1)
    assert sorted(np.bincount(labels)[np.unique(labels)]) == [4, 4, 4]


def test_a_task_without_labels_takes_any_faces(faces: Path) -> None:
    task = tiny_run.config(faces, "emotic").resolved_task()
    assert len(int8.balanced(Store(faces), task, "train", 10)) == 10


def test_heads_are_found_from_the_outputs(run: Path) -> None:
    graph = onnx.load(run / "model.onnx").graph
    kinds = {node.name: node.op_type for node in graph.node}
    assert [kinds[name] for name in int8.heads(graph)].count("Gemm") == 2
    assert "Conv" not in [kinds[name] for name in int8.heads(graph)]


def test_the_command_exports_checks_and_times(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    (copy / int8.NAME).unlink()
    cli.main(["export", str(copy), "--int8", "--check", "--json"])
    told = capsys.readouterr()
    assert f"ONNX opset {export.OPSET}" in told.err
    assert "ONNX against torch, 24 faces, expression8: largest difference" in told.err
    assert "same label on" in told.err
    record = json.loads(told.out)
    assert all(one["largest"] < export.TOLERANCE for one in record["torch"])
    assert record["torch"][0]["agreement"] == 1
    assert {one["metric"] for one in record["metrics"] if one["head"] == "expression8"} >= {"accuracy", "ece"}
    assert [one["model"] for one in record["speed"]] == ["model.onnx", "model-int8.onnx"]
    assert all(one["faces_per_second"] > 0 for one in record["speed"])


def test_checking_alone_keeps_what_was_calibrated(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    cli.main(["export", str(copy), "--check"])
    assert "int8" not in capsys.readouterr().err
    assert Engine(copy).metadata == Engine(run).metadata


def test_a_model_that_is_not_the_network_fails_the_check(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load = checking.load_network

    def other(folder: Path) -> torch.nn.Module:
        network = load(folder)
        with torch.no_grad():
            next(network.parameters()).mul_(1.5)
        return network

    monkeypatch.setattr(checking, "load_network", other)
    with pytest.raises(SystemExit) as caught:
        cli.main(["export", str(run), "--check"])
    assert caught.value.code == 1
    assert "answers differ from torch by" in capsys.readouterr().err
