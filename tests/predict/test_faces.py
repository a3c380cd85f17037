"""Detectors."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.errors import ConfigError, ModelError
from mien.predict import faces
from mien.predict.faces import DETECTORS, Haar, Whole, YuNet, detector
from mien.records import Box, Face
from tests.drawn import scene

PLACES = [(430, 60, 120), (80, 50, 160)]


def _same_place(box: Box, place: tuple[int, int, int]) -> bool:
    left, top, side = place
    off = max(abs(box.x + box.width / 2 - left - side / 2), abs(box.y + box.height / 2 - top - side / 2))
    return off < side * 0.2 and 0.7 < box.width / side < 1.3


def test_haar_finds_drawn_faces_from_left_to_right() -> None:
    found = Haar()(scene(640, 320, PLACES))
    assert len(found) == 2
    assert all(_same_place(face.box, place) for face, place in zip(found, reversed(PLACES), strict=True))
    assert [face.score for face in found] == [None, None]


def test_haar_reads_grey_views_and_finds_nothing_where_nothing_is() -> None:
    grey = scene(640, 320, PLACES)[..., 1]
    assert not grey.flags.c_contiguous
    assert len(Haar()(grey)) == 2
    assert Haar()(np.full((200, 300), 128, np.uint8)) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1, 3), (23, 40, 3)])
def test_haar_takes_pictures_of_any_size(shape: tuple[int, ...]) -> None:
    assert Haar()(np.zeros(shape, np.uint8)) == []


def test_large_pictures_are_shrunk_and_boxes_scaled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces, "LONGEST", 320)
    found = Haar()(scene(1280, 640, [(2 * x, 2 * y, 2 * side) for x, y, side in PLACES]))
    assert [_same_place(face.box, (160, 100, 320)) for face in found][:1] == [True]
    assert len(found) == 2


@pytest.mark.parametrize("text", [None, "<xml/>"])
def test_a_file_that_is_no_cascade(tmp_path: Path, text: str | None) -> None:
    if text:
        (tmp_path / "c.xml").write_text(text)
    with pytest.raises(ModelError, match=r"c\.xml: not a Haar cascade"):
        Haar(tmp_path / "c.xml")


def test_whole_is_the_picture() -> None:
    assert Whole()(np.zeros((20, 30, 3), np.uint8)) == [Face(Box(0, 0, 30, 20))]
    with pytest.raises(ConfigError, match="takes no detector file"):
        Whole(Path("x.onnx"))


def test_detectors_by_name() -> None:
    assert isinstance(detector("cropped"), Whole)
    assert detector("haar") is detector("haar"), "loaded once"
    assert set(DETECTORS) == {"haar", "yunet", "cropped"}
    with pytest.raises(ConfigError, match="unknown face detector 'har', did you mean 'haar'"):
        detector("har")
    with pytest.raises(ConfigError, match="needs its model file"):
        detector("yunet")


def test_yunet_needs_its_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such face detector file"):
        YuNet(tmp_path / "absent.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="not a YuNet model"):
        YuNet(tmp_path / "bad.onnx")


class FakeNetwork:
    """Answers as YuNet's network does, with one face and one row of infinities."""

    def setInputSize(self, size: tuple[int, int]) -> None:  # noqa: N802
        self.size = size

    def detect(self, pixels: np.ndarray) -> tuple[int, np.ndarray]:
        self.blue = int(pixels[0, 0, 0])
        row = [10.4, 20, 30, 40, *range(10), 0.75]
        return 1, np.array([row, [np.inf] * 15], np.float32)


def test_yunet_rows_become_faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = FakeNetwork()
    monkeypatch.setattr(cv2.FaceDetectorYN, "create", lambda *_: network)
    monkeypatch.setattr(faces, "LONGEST", 50)
    (tmp_path / "yunet.onnx").touch()
    picture = np.zeros((60, 100, 3), np.uint8)
    picture[..., 2] = 9
    (face,) = YuNet(tmp_path / "yunet.onnx")(picture)
    assert network.size == (50, 30)
    assert network.blue == 9, "OpenCV's networks take BGR"
    assert face == Face(Box(21, 40, 60, 80), ((0, 2), (4, 6), (8, 10), (12, 14), (16, 18)), 0.75)


def test_the_real_yunet_if_it_is_here(root: Path) -> None:
    folder = Path(os.environ.get("MIEN_MODELS", root.parent / "shared" / "models"))
    files = sorted(folder.glob("face_detection_yunet_*.onnx"))
    if not files:
        pytest.skip("no YuNet model here (set MIEN_MODELS to its folder)")
    found = YuNet(files[0])(scene(640, 320, PLACES))
    assert [_same_place(face.box, place) for face, place in zip(found, reversed(PLACES), strict=True)] == [True, True]
    assert all(face.score and 0.6 < face.score <= 1 and len(face.landmarks) == 5 for face in found)


def test_a_box_in_the_middle_of_a_larger_one_is_no_second_face() -> None:
    outer, nose, neighbour = Box(0, 0, 100, 100), Box(30, 40, 40, 40), Box(90, 0, 100, 100)
    assert faces._outermost([outer, nose, neighbour]) == [outer, neighbour]
