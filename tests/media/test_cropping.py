"""Where a face is cut out of its picture, and that training and prediction cut alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mien import synthetic
from mien.errors import TooLargeError
from mien.inputs import Input
from mien.media import InputSet, transform_of
from mien.media.cropping import crop, roll
from mien.media.image_transform import ImageTransform
from mien.predict import Engine, Model
from mien.records import Box, Face, Items, Sample
from mien.store import Origin, Store, write
from mien.tasks import TASKS
from tests.tiny_model import write_model

NUMBERED = np.arange(100, dtype=np.uint8).reshape(10, 10)
GREY = ImageTransform(40)
ALIGNED = replace(GREY, align=True)
#: A dark picture with two bright eyes, level, 40 pixels apart about its middle.
EYES = ((80.0, 90.0), (120.0, 90.0), (100.0, 100.0), (85.0, 120.0), (115.0, 120.0))


def eyes(picture: np.ndarray) -> np.ndarray:
    """Middle of the bright spots in the left and in the right half, (2, 2)."""
    half = picture.shape[1] // 2
    spots = []
    for start, part in ((0, picture[:, :half]), (half, picture[:, half:])):
        rows, columns = np.nonzero(part > 128)
        spots.append((columns.mean() + start, rows.mean()))
    return np.array(spots)


def leaning(degrees: float) -> tuple[np.ndarray, tuple[tuple[float, float], ...]]:
    """A face of two eyes that leans so many degrees clockwise about (100, 100), and its landmarks."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (np.array(EYES) - 100) @ turn.T + 100
    picture = np.zeros((200, 200), np.uint8)
    for x, y in points[:2]:
        cv2.circle(picture, (round(x * 16), round(y * 16)), 5 * 16, 255, -1, cv2.LINE_AA, 4)
    return picture, tuple((float(x), float(y)) for x, y in points)


@pytest.mark.parametrize("degrees", [-40, -25, -10, 0.5, 15, 30, 45])
def test_eyes_become_level_and_stay_where_they_were(degrees: float) -> None:
    picture, points = leaning(degrees)
    assert roll(points) == pytest.approx(degrees)
    upright = crop(picture, Box(50, 50, 100, 100), 0.1, roll(points))
    assert upright.shape == (120, 120)
    found = eyes(upright)
    assert abs(roll([*map(tuple, found), *EYES[2:]])) < 1
    np.testing.assert_allclose(found, np.array(EYES[:2]) - 40, atol=0.7)


def test_a_drawn_face_is_set_upright() -> None:
    """Turned by 25 degrees and cut aligned, a drawing is the one that was never turned."""
    face = synthetic.face("happiness", synthetic.draw_appearance(np.random.default_rng(3)), 160)
    ground = np.full((400, 400), int(np.median(face)), np.uint8)
    ground[120:280, 120:280] = face
    turn = cv2.getRotationMatrix2D((199.5, 199.5), -25, 1)  # OpenCV turns anticlockwise
    turned = cv2.warpAffine(ground, turn, (400, 400), None, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)
    box = Box(140, 140, 120, 120)
    straight = crop(ground, box).astype(float)
    upright = np.abs(crop(turned, box, 0, 25.0) - straight).mean()
    assert upright < 3
    assert np.abs(crop(turned, box) - straight).mean() > 4 * upright


def test_without_a_lean_nothing_is_interpolated() -> None:
    assert np.shares_memory(crop(NUMBERED, Box(2, 3, 4, 4), 0.0, 0.0), NUMBERED)
    np.testing.assert_array_equal(crop(NUMBERED, Box(2, 2, 5, 5), 0.0, 360.0), NUMBERED[2:7, 2:7])
    np.testing.assert_array_equal(crop(NUMBERED, Box(2, 2, 4, 4), 0.0, 90.0), np.rot90(NUMBERED[2:6, 2:6]))
    np.testing.assert_array_equal(crop(NUMBERED, Box(0, 0, 10, 10), 0.3, 180.0), NUMBERED[::-1, ::-1])


def test_past_the_border_the_outermost_pixels_are_repeated() -> None:
    picture = np.full((30, 30, 3), 90, np.uint8)
    picture[0], picture[:, 0] = 200, 200
    found = crop(picture, Box(-10, -10, 20, 20), 0.2, 20.0)
    assert found.shape == (28, 28, 3)
    assert set(np.unique(found)) <= set(range(90, 201)), "no black corners"


def test_landmarks_that_do_not_tell() -> None:
    assert roll(()) == 0
    assert roll([(1.0, 2.0)] * 37) == 0
    assert roll(np.full((5, 2), np.nan, np.float32)) == 0
    points = np.zeros((68, 2), np.float32)
    points[36:42], points[42:48] = (10, 10), (20, 20)
    assert roll(points) == pytest.approx(45)


def test_only_a_network_that_wants_it_gets_aligned_faces() -> None:
    picture, points = leaning(30)
    box = Box(50, 50, 100, 100)
    plain = GREY.fit(Items([picture], [box]))
    np.testing.assert_array_equal(GREY.fit(Items([picture], [box], [points])), plain)
    np.testing.assert_array_equal(ALIGNED.fit(Items([picture], [box])), plain)
    np.testing.assert_array_equal(ALIGNED.fit(Items([picture], [box], [()])), plain)
    level, straight = (
        eyes(fitted[0, ..., 0]) for fitted in (ALIGNED.fit(Items([picture], [box], [points])), plain)
    )
    assert abs(level[0, 1] - level[1, 1]) < 0.5
    assert abs(straight[0, 1] - straight[1, 1]) > 5
    whole = eyes(ALIGNED.fit(Items([picture], None, [points]))[0, ..., 0])
    assert abs(whole[0, 1] - whole[1, 1]) < 0.5, "a ready crop with landmarks is turned about its middle"


def test_align_survives_the_dictionary_and_may_be_absent_from_it() -> None:
    assert transform_of(Input.from_dict("face", ALIGNED.to_dict())) == ALIGNED
    table = GREY.to_dict()
    assert table.pop("align") is False
    assert transform_of(Input.from_dict("face", table)) == GREY


@pytest.mark.parametrize(
    "transform", [replace(GREY, margin=0.2), replace(ALIGNED, margin=0.1)], ids=["plain", "aligned"]
)
def test_a_model_predicts_on_the_very_crop_it_was_trained_on(
    tmp_path: Path, transform: ImageTransform
) -> None:
    """The store's box and landmarks and the detector's go through one function: the same pixels reach the
    network."""
    from mien.train.batches import SampleDataset

    picture, points = leaning(20)
    box = Box(60, 40, 100, 110)
    sample = Sample.of_image(picture, {"expression7": "happy"}, "train", "a", box, landmarks=points)
    write(tmp_path / "s.h5", [sample], TASKS["expression7"].heads, Origin("test", "1"))
    store = Store(tmp_path / "s.h5")
    inputs = InputSet((Input("face"),), {"face": transform})
    dataset = SampleDataset(store, store.rows("train"), TASKS["expression7"], inputs, 1.0)
    trained = dataset[[0]]["inputs"]["face"].numpy()

    write_model(tmp_path / "model.onnx", TASKS["expression7"], transform)
    engine = Engine(tmp_path / "model.onnx")
    seen = []
    normalise = ImageTransform.normalise
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            ImageTransform, "normalise", lambda self, fitted: seen.append(fitted) or normalise(self, fitted)
        )
        Model(engine).predict_faces(picture, [Face(box, points)])
        Model(engine, align=not transform.align).predict_faces(picture, [Face(box, points)])
    np.testing.assert_array_equal(seen[0].transpose(transform.axes), trained)
    assert (seen[1] != seen[0]).mean() > 0.02, "`align` overrules the model"


@pytest.mark.parametrize("degrees", [0.0, 10.0])
def test_a_box_beyond_all_pictures_is_refused(degrees: float) -> None:
    with pytest.raises(TooLargeError, match=r"^a box of a picture of 10x10: 1000000000x1000000000 pixels"):
        crop(NUMBERED, Box(0, 0, 10**9, 5), degrees=degrees)
    assert crop(NUMBERED, Box(-20, -20, 50, 50)).shape == (50, 50)
