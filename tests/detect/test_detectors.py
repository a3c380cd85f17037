"""Detectors by name, and which of their faces are kept."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.detect import DETECTORS, CustomDetector, FilteredDetector, Haar, NoDetector, YuNet, detector, haar
from mien.detect.base import Search
from mien.errors import ConfigError, InputError, ModelError
from mien.records import Box, Face
from tests.drawn import scene

PLACES = [(430, 60, 120), (80, 50, 160)]


@pytest.fixture(autouse=True)
def no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without fetched files."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


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


def test_large_pictures_are_shrunk_and_boxes_scaled_back() -> None:
    large = scene(1920, 960, [(3 * x, 3 * y, 3 * side) for x, y, side in PLACES])
    found = Haar()(large)
    assert [
        _same_place(face.box, (3 * x, 3 * y, 3 * side))
        for face, (x, y, side) in zip(found, PLACES[::-1], strict=True)
    ]
    assert len(found) == 2


def test_how_large_a_picture_is_searched() -> None:
    picture = np.zeros((500, 2000), np.uint8)

    def searched(search: Search) -> tuple[tuple[int, ...], float]:
        small, scale = search.shrunk(picture)
        return small.shape, scale

    assert searched(Search(1000, 20)) == ((250, 1000), 2)
    assert searched(Search(1000, 20, smallest=80)) == ((125, 500), 4), (
        "no more pixels than the smallest face needs"
    )
    assert searched(Search(1000, 20, smallest=25)) == ((400, 1600), 1.25), (
        "more than usual where it needs them"
    )
    assert searched(Search(1000, 20, smallest=5)) == ((500, 2000), 1), "never enlarged"
    wide = np.zeros((2, 10_000), np.uint8)
    assert Search(1000, 20, smallest=20).shrunk(wide)[0].shape == (1, 4096), "bounded whatever is asked for"


def test_a_smallest_face_leaves_out_narrower_ones_and_finds_the_others() -> None:
    picture = scene(1280, 640, [(80, 50, 160), (700, 200, 80)])
    assert len(Haar()(picture)) == 2
    (face,) = detector("haar", smallest=120)(picture)
    assert _same_place(face.box, (80, 50, 160))


def test_the_largest_faces_are_kept_from_left_to_right() -> None:
    faces = [Face(Box(x, 0, side, side)) for x, side in ((0, 30), (50, 10), (80, 40), (130, 20))]

    def widths(find: FilteredDetector) -> list[int]:
        return [face.box.width for face in find(np.zeros((9, 9), np.uint8))]

    assert widths(FilteredDetector(lambda _: faces, most=2)) == [30, 40]
    assert widths(FilteredDetector(lambda _: faces, smallest=20)) == [30, 40, 20]
    assert widths(FilteredDetector(lambda _: faces, smallest=20, most=1)) == [40]
    assert widths(FilteredDetector(lambda _: faces)) == [30, 10, 40, 20]


@pytest.mark.parametrize("text", [None, "<xml/>"])
def test_a_file_that_is_no_cascade(tmp_path: Path, text: str | None) -> None:
    if text:
        (tmp_path / "c.xml").write_text(text)
    with pytest.raises(ModelError, match=r"c\.xml: not a Haar cascade"):
        Haar(tmp_path / "c.xml")


def test_whole_is_the_picture() -> None:
    assert NoDetector()(np.zeros((20, 30, 3), np.uint8)) == [Face(Box(0, 0, 30, 20))]
    with pytest.raises(ConfigError, match="takes no detector file"):
        NoDetector(Path("x.onnx"))


def test_detectors_by_name() -> None:
    assert isinstance(detector("cropped"), NoDetector)
    assert detector("haar") is not detector("haar"), "whoever uses one keeps it"
    assert set(DETECTORS) == {"haar", "yunet", "cropped"}
    with pytest.raises(ConfigError, match="unknown face detector 'har', did you mean 'haar'"):
        detector("har")
    with pytest.raises(ConfigError, match=r"needs its model file: .* fetch it once .*--fetch"):
        detector("yunet")
    with pytest.raises(ConfigError, match="smallest face -1 and most faces 0 must be 0 or more"):
        detector("haar", smallest=-1)


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
    (tmp_path / "yunet.onnx").touch()
    picture = np.zeros((60, 100, 3), np.uint8)
    picture[..., 2] = 9
    (face,) = YuNet(tmp_path / "yunet.onnx", smallest=48)(picture)
    assert network.size == (50, 30)
    assert network.blue == 9, "OpenCV's networks take BGR"
    assert face == Face(Box(21, 40, 60, 80), ((0, 2), (4, 6), (8, 10), (12, 14), (16, 18)), 0.75)


def test_the_real_yunet_if_it_is_here(yunet: Path) -> None:
    found = YuNet(yunet)(scene(640, 320, PLACES))
    assert [_same_place(face.box, place) for face, place in zip(found, reversed(PLACES), strict=True)] == [
        True,
        True,
    ]
    assert all(face.score and 0.6 < face.score <= 1 and len(face.landmarks) == 5 for face in found)


def test_a_box_in_the_middle_of_a_larger_one_is_no_second_face() -> None:
    outer, nose, neighbour = Box(0, 0, 100, 100), Box(30, 40, 40, 40), Box(90, 0, 100, 100)
    assert haar._outermost([outer, nose, neighbour]) == [outer, neighbour]


OWN = """
from mien import Face
from mien.records import Box

def two(pixels):
    return [Face(Box(9, 0, 5, 5)), Face(Box(1, 0, pixels.shape[1], 5))]

class Made:
    def __call__(self, pixels):
        return (face for face in two(pixels))

def fails(pixels):
    raise ValueError("out\\nof luck")

def tuples(pixels):
    return [(1, 2, 3, 4)]

word = "text"
"""


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder holds a user's module."""
    (tmp_path / "mine_found.py").write_text(OWN)
    (tmp_path / "mine_broken.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("beside")
@pytest.mark.parametrize("name", ["two", "Made"])
def test_a_users_own_detector(name: str) -> None:
    find = detector(f"mine_found:{name}")
    assert isinstance(find, CustomDetector)
    assert [face.box for face in find(np.zeros((6, 7, 3), np.uint8))] == [(1, 0, 7, 5), (9, 0, 5, 5)], (
        "left to right"
    )
    assert len(detector(f"mine_found:{name}", most=1)(np.zeros((6, 7), np.uint8))) == 1


@pytest.mark.usefixtures("beside")
@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("mine_found:", "give your own as package.module:attribute"),
        (":two", "give your own as package.module:attribute"),
        ("mine_absent:two", "cannot be loaded: ModuleNotFoundError: No module named 'mine_absent'"),
        ("mine_broken:two", "cannot be loaded: ZeroDivisionError: division by zero"),
        (
            "mine_found:three",
            "cannot be loaded: AttributeError: module 'mine_found' has no attribute 'three'",
        ),
        ("mine_found:word", "is a str, needed is a function from pixels to faces"),
    ],
)
def test_a_detector_that_cannot_be_loaded_is_one_line(name: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        detector(name)
    assert str(caught.value).startswith(f"face detector '{name}'")
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("beside")
def test_a_detector_that_fails_or_answers_with_something_else() -> None:
    picture = np.zeros((6, 7, 3), np.uint8)
    with pytest.raises(InputError, match="'mine_found:fails' failed: ValueError: out of luck"):
        detector("mine_found:fails")(picture)
    with pytest.raises(
        ConfigError, match=r"'mine_found:tuples' answered with a tuple, needed is a list of mien\.Face"
    ):
        detector("mine_found:tuples")(picture)
    with pytest.raises(ConfigError, match=r"is code and takes no detector file, given x\.onnx"):
        detector("mine_found:two", Path("x.onnx"))
