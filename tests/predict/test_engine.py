"""The engine: probabilities from a self-describing ONNX file."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from mien.errors import InputError, ModelError
from mien.media.cropping import crop
from mien.predict.engine import Engine
from mien.records import Box, Items
from mien.tasks import TASKS
from tests.tiny_model import GREY, RGB, write_graph, write_model

RNG = np.random.default_rng(1)
CROPS = RNG.integers(0, 256, (130, 48, 48), dtype=np.uint8)


def by_hand(model: Path, crops: np.ndarray) -> np.ndarray:
    """The tiny model's softmax, worked out with numpy from the weights in its file."""
    import onnx
    from onnx import numpy_helper

    weights = {w.name: numpy_helper.to_array(w) for w in onnx.load(model).graph.initializer}
    mean = (crops.reshape(len(crops), -1).mean(1, keepdims=True) / 255 - 0.5) / 0.25
    logits = mean @ weights["expression7.w"] + weights["expression7.b"]
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def test_probabilities_are_those_of_the_graph(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model.onnx")
    engine = Engine(model)
    found = engine.probabilities(CROPS)["expression7"]
    assert found.shape == (130, 7)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, by_hand(model, CROPS), atol=1e-5)
    assert engine.sha256 == hashlib.sha256(model.read_bytes()).hexdigest()
    assert (engine.name, engine.task, engine.inputs.transforms) == (
        "tiny",
        TASKS["expression7"],
        {"face": GREY},
    )


def test_rows_do_not_depend_on_the_batch_they_came_in(tmp_path: Path) -> None:
    engine = Engine(write_model(tmp_path / "model.onnx"), threads=1)
    whole = engine.probabilities(CROPS)["expression7"]
    for size in (1, 2, 7):
        np.testing.assert_allclose(engine.probabilities(CROPS[:size])["expression7"], whole[:size], atol=1e-5)


def test_a_run_folder_and_crops_of_mixed_sizes_and_colours(tmp_path: Path) -> None:
    write_model(tmp_path / "run" / "model.onnx", TASKS["affect"], RGB)
    grey = np.full((20, 30), 90, np.uint8)
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 200
    found = Engine(tmp_path / "run").probabilities([grey, red, red[..., ::-1]])
    assert {name: rows.shape for name, rows in found.items()} == {
        "expression8": (3, 8),
        "valence_arousal": (3, 2),
    }
    np.testing.assert_allclose(found["expression8"].sum(1), 1, atol=1e-5)
    assert np.abs(found["valence_arousal"]).max() <= 1
    assert np.abs(found["expression8"][1] - found["expression8"][2]).max() > 0.01, (
        "red and blue must differ: RGB order"
    )


def test_values_stay_inside_their_bounds(tmp_path: Path) -> None:
    found = Engine(write_model(tmp_path / "m.onnx", TASKS["emotic"], RGB)).probabilities(CROPS[:9])
    assert found["tags"].shape == (9, 26)
    assert found["vad"].min() >= 1
    assert found["vad"].max() <= 10


@pytest.mark.parametrize("none", [[], CROPS[:0]])
def test_no_crops_give_empty_arrays(tmp_path: Path, none: object) -> None:
    found = Engine(write_model(tmp_path / "m.onnx", TASKS["affect"])).probabilities(none)  # type: ignore[arg-type]
    assert {name: (rows.shape, rows.dtype) for name, rows in found.items()} == {
        "expression8": ((0, 8), np.float32),
        "valence_arousal": ((0, 2), np.float32),
    }


def test_temperature_is_applied_to_softmax_heads_alone(tmp_path: Path) -> None:
    plain = Engine(write_model(tmp_path / "a.onnx", TASKS["affect"])).probabilities(CROPS[:5])
    temperature = {"expression8": 2.0, "valence_arousal": 3.0}
    warm = Engine(
        write_model(tmp_path / "b.onnx", TASKS["affect"], changes={"temperature": temperature})
    ).probabilities(CROPS[:5])
    roots = np.sqrt(plain["expression8"])
    np.testing.assert_allclose(warm["expression8"], roots / roots.sum(1, keepdims=True), atol=1e-6)
    np.testing.assert_array_equal(warm["valence_arousal"], plain["valence_arousal"])
    assert warm["expression8"].dtype == np.float32


@pytest.mark.parametrize(
    ("crops", "message"),
    [
        (np.zeros((48, 48, 3), np.uint8), r"give \[picture\]"),
        (np.zeros((48, 48), np.uint8), r"give \[picture\]"),
        (np.zeros((2, 48, 48), np.float32), "picture 0 is float32"),
        (np.zeros((2, 48, 48, 4), np.uint8), r"picture 0 has shape \(48, 48, 4\)"),
        ([CROPS[0], np.zeros((0, 4), np.uint8)], "picture 1 has shape"),
        (["face.png"], "picture 0 is str"),
    ],
)
def test_crops_of_another_form_are_refused_in_one_line(tmp_path: Path, crops: object, message: str) -> None:
    engine = Engine(write_model(tmp_path / "m.onnx"))
    with pytest.raises(InputError, match=message) as caught:
        engine.probabilities(crops)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def _lfs(folder: Path) -> Path:
    (folder / "m.onnx").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 10\n")
    return folder / "m.onnx"


def _garbage(folder: Path) -> Path:
    (folder / "m.onnx").write_bytes(b"<!DOCTYPE html><html>404</html>")
    return folder / "m.onnx"


def _foreign(folder: Path) -> Path:
    write_graph(folder / "m.onnx", TASKS["expression7"], GREY, {})
    return folder / "m.onnx"


def _no_json(folder: Path) -> Path:
    write_graph(folder / "m.onnx", TASKS["expression7"], GREY, {"mien": "hello"})
    return folder / "m.onnx"


def _other_heads(folder: Path) -> Path:
    text = json.dumps({"schema": 2, "task": TASKS["affect"].to_dict(), "inputs": {"face": GREY.to_dict()}})
    write_graph(folder / "m.onnx", TASKS["expression7"], GREY, {"mien": text})
    return folder / "m.onnx"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "absent.onnx", "no such model"),
        (lambda folder: folder, "without model.onnx"),
        (_lfs, "Git-LFS pointer"),
        (_garbage, "not an ONNX model"),
        (_foreign, "without mien's description"),
        (_no_json, "damaged"),
        (_other_heads, "lacks the output 'expression8'"),
        (
            lambda folder: write_model(folder / "m.onnx", changes={"schema": 9}),
            "schema 9, this version of mien reads 1 and 2",
        ),
        (
            lambda folder: write_model(folder / "m.onnx", changes={"task": {"name": "x", "heads": []}}),
            "damaged",
        ),
        (
            lambda folder: write_model(folder / "m.onnx", changes={"inputs": {"face": {"size": 48}}}),
            "damaged.*mean",
        ),
        (
            lambda folder: write_model(folder / "m.onnx", schema=1, changes={"preprocessing": {"size": 48}}),
            "damaged.*mean",
        ),
        (
            lambda folder: write_model(folder / "m.onnx", changes={"inputs": {"face": {"sise": 48}}}),
            "damaged.*sise",
        ),
        (lambda folder: write_model(folder / "m.onnx", changes={"temperature": 3}), "damaged"),
        (
            lambda folder: write_model(folder / "m.onnx", changes={"temperature": {"expression7": 0}}),
            "damaged",
        ),
        (
            lambda folder: write_model(
                folder / "m.onnx", changes={"scaling": {"expression7": {"scale": {}}}}
            ),
            "damaged",
        ),
        (
            lambda folder: write_model(folder / "m.onnx", changes={"conformal": {"expression7": 0.1}}),
            "damaged",
        ),
        (
            lambda folder: write_model(folder / "m.onnx", changes={"label_temperature": {"expression7": 0}}),
            "damaged",
        ),
    ],
)
def test_a_file_that_is_no_model_is_named_in_one_line(tmp_path: Path, make: object, message: str) -> None:
    path = make(tmp_path)  # type: ignore[operator]
    with pytest.raises(ModelError, match=message) as caught:
        Engine(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_graph_with_another_input_is_refused(tmp_path: Path) -> None:
    import onnx

    path = write_model(tmp_path / "m.onnx")
    model = onnx.load(path)
    model.graph.input[0].name = model.graph.node[0].input[0] = "image"
    onnx.save(model, path)
    with pytest.raises(ModelError, match=r"must have the inputs input\.face; it has image"):
        Engine(path)


def test_predicting_never_imports_torch(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.onnx")
    code = (
        "import sys, numpy as np; from mien.predict.engine import Engine;"
        f"Engine({str(model)!r}).probabilities(np.zeros((2, 48, 48), np.uint8));"
        "print(sorted({'torch', 'matplotlib', 'h5py', 'onnx'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


BOTH = ("face", "scene")
PHOTOS = [RNG.integers(0, 256, (40 + k, 60, 3), dtype=np.uint8) for k in range(70)]
BOXES = [Box(k % 30, 5, 20, 12 + k % 9) for k in range(70)]


def test_boxes_say_where_to_look(tmp_path: Path) -> None:
    engine = Engine(write_model(tmp_path / "m.onnx", TASKS["affect"], RGB))
    crops = [crop(photo, box, RGB.margin) for photo, box in zip(PHOTOS, BOXES, strict=True)]
    expected = engine.probabilities(crops)
    for boxes in (BOXES, np.array(BOXES, np.int32)):
        found = engine.probabilities(PHOTOS, boxes)
        assert all(np.array_equal(found[name], expected[name]) for name in expected)
    assert not np.array_equal(engine.probabilities(PHOTOS)["expression8"], expected["expression8"])


@pytest.mark.parametrize("schema", [1, 2])
def test_two_inputs_see_the_crop_and_the_picture(schema: int, tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.onnx", transform=RGB, inputs=BOTH, schema=schema)
    found = Engine(model).probabilities(PHOTOS, BOXES)["expression7"]
    crops = [crop(photo, box, RGB.margin) for photo, box in zip(PHOTOS, BOXES, strict=True)]
    np.testing.assert_allclose(found, graph(model, crops, PHOTOS, schema), atol=1e-6)


@pytest.mark.parametrize("schema", [1, 2])
def test_ready_crops_fill_both_inputs(schema: int, tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.onnx", transform=RGB, inputs=BOTH, schema=schema)
    found = Engine(model).probabilities(PHOTOS)["expression7"]
    np.testing.assert_allclose(found, graph(model, PHOTOS, PHOTOS, schema), atol=1e-6)


def graph(model: Path, crops: list[np.ndarray], photos: list[np.ndarray], schema: int) -> np.ndarray:
    """What the bare graph answers."""
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    face, scene = (RGB.normalise(RGB.fit(Items(pictures))) for pictures in (crops, photos))
    feed = {"input.face": face, "input.scene": scene, "input.present": np.ones((len(crops), 2), np.bool_)}
    if schema == 1:
        feed = {"pixels": np.concatenate([face, scene], axis=1)}
    return np.asarray(session.run(["expression7"], feed)[0])


@pytest.mark.parametrize("views", [["crop"], ["picture"], None])
def test_one_view_of_a_description_of_schema_1(views: list[str] | None, tmp_path: Path) -> None:
    table = RGB.to_dict() | ({} if views is None else {"views": views})
    model = write_model(tmp_path / "old.onnx", transform=RGB, schema=1, changes={"preprocessing": table})
    inputs = ("scene",) if views == ["picture"] else ("face",)
    today = Engine(write_model(tmp_path / "new.onnx", transform=RGB, inputs=inputs))
    found, wanted = (engine.probabilities(PHOTOS, BOXES)["expression7"] for engine in (Engine(model), today))
    np.testing.assert_array_equal(found, wanted)


def test_what_is_missing_is_told_to_the_graph(tmp_path: Path) -> None:
    changes = {
        "inputs": {"face": RGB.to_dict(), "scene": {"of": "place", **RGB.to_dict()}},
    }
    engine = Engine(write_model(tmp_path / "m.onnx", transform=RGB, inputs=BOTH, changes=changes))
    present = np.array([True, False, True])
    faces, places = Items(PHOTOS[:3]), Items(PHOTOS[3:6], present=present)
    whole = engine.outputs({"image": faces, "place": replace(places, present=None)})["expression7"]
    found = engine.outputs({"image": faces, "place": places})["expression7"]
    alone = engine.outputs({"image": faces})["expression7"]
    np.testing.assert_allclose(found[present], whole[present], atol=1e-6)
    np.testing.assert_allclose(found[1], alone[1], atol=1e-6)
    assert np.abs(found[1] - whole[1]).max() > 1e-3
    with pytest.raises(InputError, match=r"the model looks at image, place; given: sound"):
        engine.outputs({"sound": faces})


def test_every_picture_needs_a_box(tmp_path: Path) -> None:
    engine = Engine(write_model(tmp_path / "m.onnx", transform=RGB, inputs=BOTH))
    with pytest.raises(InputError, match="1 regions for 2 items of 'image', needed is one each"):
        engine.probabilities(PHOTOS[:2], BOXES[:1])


@pytest.mark.parametrize(
    ("inputs", "line"),
    [
        ({"image": list(CROPS[:2])}, "input 'image' is a list, needed are Items, such as Items(pictures)"),
        (list(CROPS[:2]), "inputs are a list, needed is a mapping such as {'image': Items(pictures)}"),
    ],
)
def test_inputs_of_another_kind_are_one_line(tmp_path: Path, inputs: Any, line: str) -> None:
    with pytest.raises(InputError) as caught:
        Engine(write_model(tmp_path / "m.onnx")).outputs(inputs)
    assert str(caught.value) == line


def test_without_calibration_the_graph_answers_itself(tmp_path: Path) -> None:
    path = write_model(tmp_path / "a.onnx", changes={"temperature": {"expression7": 2.0}})
    plain = Engine(write_model(tmp_path / "b.onnx")).probabilities(CROPS[:5])["expression7"]
    np.testing.assert_array_equal(
        Engine(path, calibrated=False).probabilities(CROPS[:5])["expression7"], plain
    )
    assert np.abs(Engine(path).probabilities(CROPS[:5])["expression7"] - plain).max() > 1e-3
