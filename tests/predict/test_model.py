"""`load(model).predict(image)`."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mien.detect import name_of
from mien.errors import ConfigError, InputError, TooLargeError
from mien.media.limits import Limits
from mien.predict import Model, crop, load
from mien.records import Box, Face, Moment, Pixels, ReadError
from mien.tasks import TASKS
from tests.drawn import scene
from tests.tiny_model import RGB, write_model

PICTURE = scene(640, 320, [(80, 50, 160), (430, 60, 120)])


def test_every_form_of_a_picture_gives_the_same_answer(affect: Model, tmp_path: Path) -> None:
    encoded = io.BytesIO()
    Image.fromarray(PICTURE).save(encoded, format="PNG")
    (tmp_path / "photo.png").write_bytes(encoded.getvalue())
    expected = affect.predict(PICTURE)
    assert len(expected) == 2
    forms = (
        tmp_path / "photo.png",
        str(tmp_path / "photo.png"),
        encoded.getvalue(),
        Image.fromarray(PICTURE),
    )
    assert all(affect.predict(form) == expected for form in forms)


def test_each_face_gets_what_its_crop_gets(affect: Model) -> None:
    predictions = affect.predict(PICTURE)
    crops = [crop(PICTURE, prediction.face.box, margin=0.1) for prediction in predictions]
    alone = affect.probabilities(crops)
    for row, prediction in enumerate(predictions):
        assert list(prediction.outputs) == ["expression8", "valence_arousal"]
        for head in affect.task:
            found = prediction.outputs[head.name]
            assert tuple(found) == head.space.labels
            np.testing.assert_allclose(list(found.values()), alone[head.name][row], atol=1e-6)
        assert (
            prediction.dominant == max(prediction.outputs["expression8"].items(), key=lambda item: item[1])[0]
        )


def test_confidence_in_a_label_comes_from_shares_of_votes(tmp_path: Path) -> None:
    task, told = TASKS["distribution8"], {"label_temperature": {"distribution8": 0.5}, "abstain": 0.6}
    model = load(write_model(tmp_path / "m.onnx", task, RGB, told))
    bare = load(write_model(tmp_path / "old.onnx", task, RGB))
    for found, old in zip(model.predict(PICTURE), bare.predict(PICTURE), strict=True):
        shares = np.array(list(found.outputs["distribution8"].values()))
        assert found.outputs == old.outputs
        assert found.confidence == pytest.approx(shares.max() ** 2 / (shares**2).sum())
        assert old.confidence == shares.max() < found.confidence
        assert found.abstained == (found.confidence < 0.6)


def test_a_detector_by_name_or_as_an_object(affect: Model) -> None:
    (whole,) = affect.predict(PICTURE, faces="cropped")
    assert whole.face.box == (0, 0, 640, 320)
    given = [Face(Box(1, 2, 30, 30), track=5), Face(Box(600, 300, 90, 90))]
    assert [prediction.face for prediction in affect.predict(PICTURE, faces=lambda pixels: given)] == given
    with pytest.raises(ConfigError, match="unknown face detector 'mtcnn'"):
        affect.predict(PICTURE, faces="mtcnn")


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "a NoneType, needed is a list of mien.Face"),
        (["a"], "a str, needed is a list of mien.Face"),
        ([Face()], "a face at None, needed is a Box of 4 finite numbers"),
        (
            [Face(Box(0, 0, float("nan"), 9))],  # type: ignore[arg-type]
            "a face at Box(x=0, y=0, width=nan, height=9), needed is a Box of 4 finite numbers",
        ),
    ],
)
def test_a_detector_that_answers_with_something_else_than_faces(
    affect: Model, answer: Any, line: str
) -> None:
    def finds(pixels: Pixels) -> Any:
        return answer

    moment = Moment({"image": PICTURE}, "camera", time=0.0)
    sessions = affect.session(finds, track=True), affect.session(finds, most=1)
    for ask in (lambda: affect.predict(PICTURE, finds), *(partial(one.update, moment) for one in sessions)):
        with pytest.raises(ConfigError) as caught:
            ask()
        assert str(caught.value) == f"face detector '{name_of(finds)}' answered with {line}"


def test_a_box_that_is_none_is_one_line(affect: Model) -> None:
    for box in ((0, 0, 10), (0, 0, float("nan"), 10), 5):
        with pytest.raises(InputError) as caught:
            affect.probabilities([PICTURE] * 2, [Box(0, 0, 9, 9), box])  # type: ignore[list-item]
        needed = "needed are 4 finite numbers: left, top, width, height"
        assert str(caught.value) == f"box 1 is {box}, {needed}"


def test_no_face_is_an_empty_list(affect: Model) -> None:
    assert affect.predict(np.zeros((100, 100), np.uint8)) == []


def test_a_list_of_pictures_gives_a_list_of_lists(affect: Model) -> None:
    empty = np.zeros((100, 100), np.uint8)
    found = affect.predict([PICTURE, empty, PICTURE])
    assert [len(some) for some in found] == [2, 0, 2]
    for some in (found[0], found[2]):
        for one, other in zip(some, affect.predict(PICTURE), strict=True):
            assert one.face == other.face
            assert one.outputs["expression8"] == pytest.approx(other.outputs["expression8"], abs=1e-6)
    assert affect.predict((PICTURE,) * 20, faces="cropped")[19][0].face.box == (0, 0, 640, 320)
    assert affect.predict([]) == []


def test_a_stream_gives_results_in_order_and_raises_or_hands_on_faults(affect: Model, tmp_path: Path) -> None:
    for name in ("a", "c"):
        Image.fromarray(PICTURE).save(tmp_path / f"{name}.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"b\.png: not a picture"):
        list(affect.stream(tmp_path, "cropped"))
    faults: list[ReadError] = []
    results = list(affect.stream(str(tmp_path), "cropped", on_fault=faults.append, keep=True, abstain=1.0))
    assert [Path(result.source).name for result in results] == ["a.png", "c.png"]
    assert [Path(fault.source).name for fault in faults] == ["b.png"]
    assert results[0].pixels is not None
    assert results[0].pixels.shape == PICTURE.shape
    assert results[0].predictions[0].abstained
    assert results[0].origin is not None
    assert results[0].origin.settings == "faces=cropped abstain=1.0"


def test_a_stream_takes_a_detector_and_settings(affect: Model, tmp_path: Path) -> None:
    Image.fromarray(PICTURE).save(tmp_path / "a.png")
    (result,) = affect.stream([tmp_path / "a.png"], lambda _: [Face(Box(1, 2, 30, 30))])
    assert result.predictions[0].face.box == (1, 2, 30, 30)
    assert result.pixels is None
    with pytest.raises(ConfigError, match="unknown averaging 'twelve'"):
        next(affect.stream(tmp_path, average="twelve"))
    with pytest.raises(TypeError, match="evry"):
        next(affect.stream(tmp_path, evry=1))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (Path("absent.png"), "absent.png: no such file"),
        (b"hello", "5 bytes: not a picture"),
        (np.zeros((4, 4), np.float32), "float32, needed is a uint8 array"),
        (np.zeros((4, 4, 2), np.uint8), r"shape \(4, 4, 2\)"),
        (3, "cannot be a int"),
    ],
)
def test_what_is_no_picture_is_said_in_one_line(affect: Model, image: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        affect.predict(image)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("schema", [1, 2])
def test_a_model_of_two_inputs_sees_each_face_and_the_picture(schema: int, tmp_path: Path) -> None:
    model = load(
        write_model(tmp_path / "m.onnx", TASKS["affect"], RGB, inputs=("face", "scene"), schema=schema)
    )
    faces = [Face(Box(80, 50, 160, 160)), Face(Box(430, 60, 120, 120))]
    expected = model.probabilities([PICTURE] * 2, [face.box for face in faces])
    for row, prediction in enumerate(model.predict(PICTURE, faces=lambda _: faces)):
        said = list(prediction.outputs["expression8"].values())
        np.testing.assert_allclose(said, expected["expression8"][row], atol=1e-6)
    # The same face in another place: the picture counts too.
    moved = np.roll(PICTURE, 40, axis=1) // 2
    moved[50:210, 80:240] = PICTURE[50:210, 80:240]
    (other,) = model.predict_faces(moved, faces[:1])
    assert not np.allclose(list(other.outputs["expression8"].values()), expected["expression8"][0], atol=1e-3)


def test_limits_reach_what_is_read(affect: Model, tmp_path: Path) -> None:
    Image.fromarray(PICTURE).save(tmp_path / "a.png")
    small = Limits(max_pixels=100)
    with pytest.raises(TooLargeError, match="at most 100 are decoded"):
        Model(affect.engine, limits=small).predict(tmp_path / "a.png")
    faults: list[ReadError] = []
    assert list(affect.stream(tmp_path / "a.png", "cropped", limits=small, on_fault=faults.append)) == []
    assert "at most 100 are decoded" in faults[0].reason
