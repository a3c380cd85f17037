"""The annotated video, read back."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from mien import extras
from mien.errors import ConfigError, MissingExtraError
from mien.outputs.show import open_sink
from mien.outputs.show import video as module
from mien.records import Pixels
from tests.outputs.show.streams import clip, face, step

UNEVEN = [0.0, 0.04, 0.08, 0.24, 0.2733, 0.9, 0.94, 1.5]


def read(path: Path) -> tuple[list[float], list[Pixels], str]:
    with av.open(str(path)) as file:
        frames = list(file.decode(video=0))
        name = file.streams.video[0].codec_context.name
    return (
        [float(frame.time) for frame in frames],
        [frame.to_ndarray(format="rgb24") for frame in frames],
        name,
    )


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_every_frame_keeps_its_time(tmp_path: Path, suffix: str) -> None:
    sink = open_sink("video", tmp_path / f"out{suffix}")
    for result in clip({1: "happy"}, UNEVEN):
        sink.add(result)
    assert list(tmp_path.glob("out*")) == [], "nothing is there before it is whole"
    sink.close()
    sink.close()
    times, pictures, _ = read(tmp_path / f"out{suffix}")
    np.testing.assert_allclose(times, UNEVEN, atol=0.0006)  # Matroska counts milliseconds
    assert pictures[0].shape == (120, 160, 3)
    assert sink.written == list(tmp_path.iterdir()) == [tmp_path / f"out{suffix}"]


def test_what_is_drawn_is_there(tmp_path: Path) -> None:
    sink = open_sink("video", tmp_path / "out.mp4")
    for result in clip({1: "happy"}, [0.0, 0.1], size=(320, 240)):
        sink.add(result)
    sink.close()
    _, (first, _), _ = read(tmp_path / "out.mp4")
    assert np.abs(first[150:].astype(int) - 128).max() < 12, "far from the face nothing changed"
    red, green, blue = first[30, 10:13].mean(axis=0)
    assert red > green > blue + 50, "happy is yellow"


def test_a_video_cut_from_a_longer_one_begins_at_0(tmp_path: Path) -> None:
    sink = open_sink("video", tmp_path / "out.mp4")
    for result in clip({1: "sad"}, [10.0, 10.04, 10.2]):
        sink.add(result)
    sink.close()
    np.testing.assert_allclose(read(tmp_path / "out.mp4")[0], [0, 0.04, 0.2], atol=1e-4)


def test_times_that_stand_still_still_go_on(tmp_path: Path) -> None:
    sink = open_sink("video", tmp_path / "out.mp4")
    for result in clip({1: "sad"}, [0.0, 0.5, 0.5, 0.3, 0.6]):
        sink.add(result)
    sink.close()
    times = read(tmp_path / "out.mp4")[0]
    assert len(times) == 5
    assert all(a < b for a, b in pairwise(times))


def test_odd_sides_grow_by_a_pixel_and_changed_sizes_are_cut(tmp_path: Path) -> None:
    sink = open_sink("video", tmp_path / "out.mp4")
    for at, size in enumerate([(101, 75), (101, 75), (90, 200)]):
        pixels = np.full((size[1], size[0], 3), 90, np.uint8)
        sink.add(step([face((5, 5, 30, 30))], at / 10, index=at, pixels=pixels))
    sink.close()
    _, pictures, _ = read(tmp_path / "out.mp4")
    assert {picture.shape for picture in pictures} == {(76, 102, 3)}


def test_without_h264_it_is_mpeg_4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = SimpleNamespace(open=av.open, VideoFrame=av.VideoFrame, codecs_available={"mpeg4", "png"})
    monkeypatch.setattr(module, "require", lambda name, extra: fake)
    sink = open_sink("video", tmp_path / "out.mp4")
    for result in clip({1: "sad"}, UNEVEN):
        sink.add(result)
    sink.close()
    times, pictures, name = read(tmp_path / "out.mp4")
    assert name == "mpeg4"
    np.testing.assert_allclose(times, UNEVEN, atol=1e-4)
    assert len(pictures) == len(UNEVEN)


def test_what_is_given_up_leaves_nothing_and_an_older_file_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_bytes(b"older")
    sink = open_sink("video", tmp_path / "out.mp4")
    for result in clip({1: "sad"}, UNEVEN):
        sink.add(result)
    sink.discard()
    sink.discard()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"older"]
    assert sink.written == []


def test_a_second_video_gets_a_file_of_its_own_and_pictures_none(tmp_path: Path) -> None:
    sink = open_sink("video", tmp_path / "out.mp4")
    for source in ("a.mp4", "b.mp4"):
        for result in clip({1: "sad"}, [0.0, 0.1], source=source):
            sink.add(result)
    sink.add(step([], None, source="still.jpg"))
    sink.close()
    assert sink.written == [tmp_path / "out.mp4", tmp_path / "out-2.mp4"]
    assert sorted(tmp_path.iterdir()) == sorted(sink.written)


def test_no_frame_no_file(tmp_path: Path) -> None:
    sink = open_sink("video", tmp_path / "out.mp4")
    sink.close()
    assert list(tmp_path.iterdir()) == []


def test_wrong_names_and_a_missing_extra_are_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=r"out\.avi: not the name of a video to write \(one of: \.mp4"):
        open_sink("video", tmp_path / "out.avi")

    def missing(name: str) -> object:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(extras.importlib, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"mien\[video\]"):
        open_sink("video", tmp_path / "out.mp4")
