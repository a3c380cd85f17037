"""Averaging at prediction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien import load
from mien.errors import ConfigError
from mien.predict.engine import Engine
from mien.predict.settings import Settings, current_words
from mien.predict.tta import AVERAGES
from mien.records import Moment
from tests.tiny_model import RGB, write_model

FACES = np.random.default_rng(3).integers(0, 256, (5, 48, 48), np.uint8)
COSTS = {"none": 1, "flip": 2, "ten_crop": 10}


@pytest.mark.parametrize("name", AVERAGES)
@pytest.mark.parametrize("pixels", [FACES, np.repeat(FACES[..., None], 3, axis=3)])
def test_each_view_is_as_large_as_the_face_and_differs(name: str, pixels: np.ndarray) -> None:
    views = list(AVERAGES[name](pixels))
    assert len(views) == COSTS[name]
    assert all(view.shape == pixels.shape and view.dtype == np.uint8 for view in views)
    assert np.array_equal(views[0], pixels)
    assert len({view.tobytes() for view in views}) == len(views)


def test_ten_shifts_by_two_pixels_of_48_and_repeats_the_border() -> None:
    views = list(AVERAGES["ten_crop"](FACES))
    assert np.array_equal(views[1], FACES[:, :, ::-1])
    down_right = views[2]  # the window moved up and left, so the face moved down and right
    assert np.array_equal(down_right[:, 2:, 2:], FACES[:, :-2, :-2])
    assert np.array_equal(down_right[:, 0, 2:], FACES[:, 0, :-2])
    assert np.array_equal(views[8][:, :-2, :-2], FACES[:, 2:, 2:])


@pytest.mark.parametrize("name", AVERAGES)
def test_the_engine_averages_what_the_graph_says_of_each_view(name: str, tmp_path: Path) -> None:
    engine = Engine(write_model(tmp_path / "m.onnx"))
    alone = [engine.probabilities(view)["expression7"] for view in AVERAGES[name](FACES)]
    found = engine.probabilities(FACES, average=name)["expression7"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.mean(alone, axis=0), atol=1e-6)


def test_a_model_keeps_the_averaging_it_was_loaded_with(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx", transform=RGB)
    pixels = np.random.default_rng(0).integers(0, 256, (60, 40, 3), np.uint8)
    plain, ten = (load(path, average=name) for name in ("none", "ten_crop"))
    (one,), (other,) = (model.predict(pixels, faces="cropped") for model in (plain, ten))
    assert one.outputs != other.outputs
    assert not np.array_equal(
        plain.probabilities([pixels])["expression7"], ten.probabilities([pixels])["expression7"]
    )


def test_another_averaging_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown averaging 'twelve'.*flip, none, ten_crop"):
        Engine(write_model(tmp_path / "m.onnx")).probabilities(FACES, average="twelve")


def test_what_an_averaging_was_called_before_is_read(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx")
    old, new = (
        Engine(path).probabilities(FACES, average=name)["expression7"] for name in ("ten", "ten_crop")
    )
    np.testing.assert_array_equal(old, new)
    assert load(path, average="ten").average == "ten_crop"
    assert (
        str(Settings(average="ten"))
        == current_words("faces=haar average=ten")
        == "faces=haar average=ten_crop"
    )


def test_an_averaging_of_the_model_can_be_switched_off(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.onnx", transform=RGB)
    model, plain = load(path, average="ten_crop"), load(path)
    picture = np.random.default_rng(0).integers(0, 256, (60, 40, 3), np.uint8)
    moment = Moment({"image": picture}, "a.png")
    on, off, never = (
        some.session("cropped", average=average).update(moment)
        for some, average in ((model, None), (model, "none"), (plain, None))
    )
    assert off.predictions[0].outputs == never.predictions[0].outputs != on.predictions[0].outputs
    settings = [result.origin.settings for result in (on, off, never) if result.origin]
    assert settings == ["faces=cropped average=ten_crop", "faces=cropped", "faces=cropped"]
