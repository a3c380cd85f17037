"""Contact sheets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.errors import ConfigError
from mien.outputs.show import open_sink
from mien.outputs.show import sheet as sheets
from mien.outputs.show.sheet import COLUMNS, ROWS, Sheet, SheetCell
from mien.records import Pixels
from mien.tasks import TASKS
from tests.outputs.show.streams import clip, face, step


def listed(sink: Sheet, monkeypatch: pytest.MonkeyPatch) -> list[list[SheetCell]]:
    """The cells of each page."""
    pages: list[list[SheetCell]] = []
    draw = sheets.draw

    def noted(cells: list[SheetCell], title: str) -> Image.Image:
        pages.append(list(cells))
        return draw(cells, title)

    monkeypatch.setattr(sheets, "draw", noted)
    sink.close()
    return pages


def pictures(sink: Sheet) -> None:
    for name, label, value in (
        ("b10", "sad", 0.6),
        ("b9", "happy", 0.5),
        ("a", "happy", 0.9),
        ("c", "neutral", 0.3),
    ):
        sink.add(step([face((20, 20, 60, 60), label, value, abstain=0.4)], None, source=f"in/{name}.jpg"))
    sink.add(step([], None, source="in/nobody.jpg"))


def test_by_emotion_the_surest_first_and_the_unsure_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = Sheet(tmp_path / "s.png")
    pictures(sink)
    (cells,) = listed(sink, monkeypatch)
    assert [(cell.source, cell.answer.label) for cell in cells] == [
        ("a.jpg", "happy"), ("b9.jpg", "happy"), ("b10.jpg", "sad"), ("c.jpg", "unsure (neutral)"),
    ]  # fmt: skip
    assert cells[0].answer.number == "90%"


def test_by_source_in_natural_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Sheet(tmp_path / "s.png", "source")
    pictures(sink)
    assert [cell.source for cell in listed(sink, monkeypatch)[0]] == ["a.jpg", "b9.jpg", "b10.jpg", "c.jpg"]


@pytest.mark.parametrize(("name", "form"), [("s.png", "PNG"), ("s.jpg", "JPEG")])
def test_pages_are_whole_pictures(tmp_path: Path, name: str, form: str) -> None:
    sink = open_sink("sheet", tmp_path / name)
    for number in range(COLUMNS * ROWS + 1):
        sink.add(step([face((20, 20, 60, 60))], None, source=f"{number}.jpg"))
    sink.close()
    sink.close()
    assert [path.stem for path in sink.written] == ["s", "s-2"]
    assert sorted(sink.written) == sorted(tmp_path.iterdir())
    with Image.open(sink.written[0]) as first, Image.open(sink.written[1]) as second:
        assert first.format == form
        assert first.height > 4 * second.height


def test_the_crop_shows_the_face(tmp_path: Path) -> None:
    pixels: Pixels = np.zeros((120, 160, 3), np.uint8)
    pixels[30:90, 50:110] = (220, 30, 30)
    sink = open_sink("sheet", tmp_path / "s.png")
    sink.add(step([face((50, 30, 60, 60))], None, pixels=pixels))
    sink.close()
    with Image.open(tmp_path / "s.png") as drawn:
        red, green, blue = drawn.getpixel((24 + 74, 56 + 74))
    assert red > 200
    assert max(green, blue) < 60


def test_a_video_gives_each_track_once_where_it_is_surest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = Sheet(tmp_path / "s.png")
    for index, value in enumerate((0.5, 0.9, 0.7)):
        faces = [face((20, 20, 60, 60), "happy", value, track=3), face((90, 20, 60, 60), "sad", 0.6, track=5)]
        sink.add(step(faces, index / 2, index=index))
    (cells,) = listed(sink, monkeypatch)
    assert [(cell.source, cell.answer.number) for cell in cells] == [
        ("a.mp4 #3 0.5 s", "90%"),
        ("a.mp4 #5 0.0 s", "60%"),
    ]


def test_faces_across_the_border_and_tiny_ones_are_no_fault(tmp_path: Path) -> None:
    sink = open_sink("sheet", tmp_path / "s.png")
    for box in ((-30, -30, 60, 60), (150, 110, 60, 60), (5, 5, 1, 1)):
        sink.add(step([face(box, task=TASKS["emotic"])], None, source="x" * 80))
    for result in clip({1: "happy"}, [0.0]):
        sink.add(result)
    sink.close()
    assert sink.written


def test_no_face_no_sheet_and_wrong_use_is_told(tmp_path: Path) -> None:
    sink = Sheet(tmp_path / "s.png")
    sink.add(step([], None))
    sink.close()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match=r"s\.svg: not the name of a contact sheet"):
        Sheet(tmp_path / "s.svg")
    with pytest.raises(ConfigError, match="unknown order of a contact sheet 'age'"):
        Sheet(tmp_path / "s.png", "age")
