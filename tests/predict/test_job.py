"""What is left to do of what an earlier run began."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.errors import ConfigError
from mien.outputs.formats import open_writer
from mien.predict import Model
from mien.predict.job import PredictionJob
from mien.predict.results import Result
from mien.predict.settings import Settings
from mien.records import Pixels, ReadError
from mien.sources import Camera
from tests.sources.media import compose

FORMS = pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])


def still(path: Path, pages: int = 1, **options: object) -> str:
    """A picture of so many frames, each of another grey."""
    first, *others = [Image.fromarray(np.full((16, 16), 40 * n, np.uint8)) for n in range(pages)]
    first.save(path, save_all=pages > 1, append_images=others, **options)  # type: ignore[arg-type]
    return str(path)


def read(model: Model, inputs: list[str], out: Path, most: int = 100) -> list[tuple[str, int]]:
    """Go on with `out` and stop after `most` results; what was done now."""
    reading = model.read(inputs, Settings("cropped"))
    writer = open_writer(out, reading.origin)
    done: list[tuple[str, int]] = []
    for item in reading.resume_from(writer.done, out).results():
        assert not isinstance(item, ReadError)
        if len(done) == most:
            break
        writer.add(item)
        done.append((Path(item.source).name, item.index))
    writer.close()
    return done


@FORMS
@pytest.mark.parametrize(("name", "options"), [("a.tif", {}), ("a.gif", {"duration": 100}), ("a.png", {})])
def test_a_picture_of_several_frames_is_done_with_its_last(
    affect: Model, tmp_path: Path, form: str, name: str, options: dict[str, object]
) -> None:
    """Also where rows of other inputs were written since."""
    several, single = still(tmp_path / name, 4, **options), still(tmp_path / "b.png")
    out = tmp_path / f"o.{form}"
    assert read(affect, [several], out, most=2) == [(name, 0), (name, 1)]
    assert read(affect, [single], out) == [("b.png", 0)]
    assert read(affect, [single, several], out, most=1) == [(name, 2)]
    assert read(affect, [single, several], out) == [(name, 3)]
    assert read(affect, [single, several], out) == []


@FORMS
def test_a_video_that_was_begun_goes_on_before_what_was_added_since(
    affect: Model, tmp_path: Path, form: str
) -> None:
    compose(tmp_path / "v.mp4", duration=0.2, size=(64, 48))
    video, added = str(tmp_path / "v.mp4"), still(tmp_path / "a.png")
    out = tmp_path / f"o.{form}"
    assert len(read(affect, [video], out, most=2)) == 2
    assert read(affect, [added, video], out, most=1) == [("v.mp4", 2)]
    assert read(affect, [added, video], out) == [("v.mp4", 3), ("v.mp4", 4), ("a.png", 0)]
    assert read(affect, [added, video], out) == []


def test_only_what_may_be_unfinished_is_opened_again(affect: Model) -> None:
    reading = affect.read(["a.mp4", "b.mp4", "c.mp4", "d.jpg"], Settings())

    def left(done: dict[str, int]) -> list[str]:
        return [source.name for source in PredictionJob.resume_from(reading, done, Path("o.csv")).left]

    assert left({}) == ["a.mp4", "b.mp4", "c.mp4", "d.jpg"]
    assert left({"a.mp4": 9, "b.mp4": 3}) == ["b.mp4", "c.mp4", "d.jpg"]
    assert left({"b.mp4": 3, "a.mp4": 9, "d.jpg": 0}) == ["c.mp4"]


def test_the_last_in_the_file_comes_first_so_that_it_stays_known_as_begun(
    affect: Model, tmp_path: Path
) -> None:
    paged = still(tmp_path / "a.tif", 3)
    reading = affect.read([paged, "b.mp4", "c.jpg"], Settings())
    left = reading.resume_from({paged: 1, "b.mp4": 7}, Path("o.csv")).left
    assert [source.name for source in left] == ["b.mp4", paged, "c.jpg"]


def test_a_camera_is_not_gone_on_with(affect: Model) -> None:
    with pytest.raises(ConfigError, match=r"o\.csv: holds frames of camera:0"):
        affect.read(["camera:0"], Settings()).resume_from({"camera:0": 3}, Path("o.csv"))


def test_results_of_a_camera_are_those_of_its_newest_frames(
    affect: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames come at once; the camera is drained, and its last frame is among the few looked at."""

    def shots(name: str) -> Iterator[Pixels]:
        assert name == "0"
        yield from np.zeros((400, 16, 16, 3), np.uint8)

    monkeypatch.setattr("mien.sources.cameras.device", shots)
    reading = affect.read(["camera:0"], Settings("cropped"))
    assert isinstance(reading.sources[0], Camera)
    *found, fault = reading.results()
    assert isinstance(fault, ReadError)
    assert "400 frames" in fault.reason
    indices = [item.index for item in found if isinstance(item, Result)]
    assert indices == sorted(indices)
    assert indices[-1] == 399
    assert len(indices) < 400
