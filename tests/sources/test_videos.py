"""Video files as sources, against the truth of composed ones: times, places, pictures; sampling; damage;
hostile headers."""

from __future__ import annotations

import struct
import sys
import time
import tracemalloc
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from mien.errors import MissingExtraError
from mien.media.limits import Limits
from mien.records import Moment, ReadError
from mien.sources import Sampling, Video
from mien.sources import videos as module
from mien.sources.base import ALL
from tests.sources.media import PEOPLE, Truth, compose, draw

SIZE = (160, 120)
ODD_TIMES = (0.0, 0.033, 0.5, 0.52, 0.9, 2.0, 2.04, 5.25)


def made(path: Path, **options: object) -> Truth:
    return compose(path, (), **{"size": SIZE, **options})  # type: ignore[arg-type]


def frames(path: Path, sampling: Sampling = ALL) -> list[Moment]:
    found = list(Video("clip", path, sampling))
    assert not [item for item in found if isinstance(item, ReadError)], found
    return [item for item in found if isinstance(item, Moment)]


def faults(path: Path, sampling: Sampling = ALL) -> list[str]:
    return [str(item) for item in Video("clip", path, sampling) if isinstance(item, ReadError)]


@pytest.mark.parametrize("start", [0.0, 1.4])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.mov", "a.ts", "a.webm"])
def test_times_and_places_of_every_frame(name: str, start: float, tmp_path: Path) -> None:
    if name.endswith("avi") and start:
        pytest.skip("an AVI file always begins at 0")
    path = tmp_path / name
    truth = made(path, duration=0.6, codec="libvpx" if name.endswith("webm") else "mpeg4", start=start)
    found = frames(path)
    assert [frame.index for frame in found] == list(range(15))
    np.testing.assert_allclose([frame.time for frame in found], truth.times, atol=0.0011)
    assert {frame.pixels.shape for frame in found} == {(120, 160, 3)}
    assert (Video("clip", path).moving, Video("clip", path).count) == (True, 15)


@pytest.mark.parametrize("codec", ["mpeg4", "libx264"])
def test_a_variable_frame_rate_keeps_its_times(codec: str, tmp_path: Path) -> None:
    truth = made(tmp_path / "a.mp4", times=ODD_TIMES, codec=codec)
    assert tuple(truth.times) == ODD_TIMES
    found = frames(tmp_path / "a.mp4")
    np.testing.assert_allclose([frame.time for frame in found], ODD_TIMES, atol=1e-6)


def test_pictures_are_those_that_were_drawn(tmp_path: Path) -> None:
    truth = compose(tmp_path / "a.mp4", duration=0.4)
    for frame, shot in zip(frames(tmp_path / "a.mp4"), truth.frames, strict=True):
        assert frame.pixels.dtype == np.uint8
        assert np.abs(frame.pixels.astype(int) - draw(PEOPLE, shot.time, 0.4)).mean() < 4


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_turned_video_stands_upright(rotation: int, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    compose(path, duration=0.2, rotation=rotation, size=(320, 240))
    with av.open(str(path)) as file:
        assert file.streams.video[0].width == (240 if rotation != 180 else 320), "it is stored lying down"
    upright = draw(PEOPLE, 0, 0.2, (320, 240))
    (frame, *_) = frames(path)
    assert np.abs(frame.pixels.astype(int) - upright).mean() < 4
    camera = cv2.VideoCapture(str(path))  # another reader of the display matrix says the same
    assert np.abs(frame.pixels.astype(int) - camera.read()[1][..., ::-1]).mean() < 4
    camera.release()


def test_pixels_that_are_not_square_are_made_so(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 120, 96, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        file.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((96, 120, 3), np.uint8), "rgb24")))
        file.mux(stream.encode(None))
    assert [frame.pixels.shape for frame in frames(path)] == [(96, 160, 3)]


SAMPLINGS = [
    Sampling(every=0.5), Sampling(every=1.9), Sampling(start=2.02, limit=3), Sampling(start=1.0, end=1.2),
    Sampling(every=0.3, start=0.7, end=3.0), Sampling(start=3.96), Sampling(every=0.01),
]  # fmt: skip


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Four seconds each: with and without frames that lean on later ones, and as a stream that cannot be
    searched."""
    folder = tmp_path_factory.mktemp("clips")
    for name, codec in (
        ("mpeg4.mp4", "mpeg4"),
        ("h264.mp4", "libx264"),
        ("h264.mkv", "libx264"),
        ("h264.ts", "libx264"),
    ):
        made(folder / name, codec=codec, duration=4, cuts=(1, 2, 3))
    return {path.name: path for path in folder.iterdir()}


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=str)
@pytest.mark.parametrize("name", ["mpeg4.mp4", "h264.mp4", "h264.mkv", "h264.ts"])
def test_sampling_gives_the_very_frames_of_a_whole_reading(
    name: str, sampling: Sampling, clips: dict[str, Path]
) -> None:
    whole = frames(clips[name])
    start, end = sampling.start - 0.0005, sampling.end or 99
    expected = [frame for frame in whole if start <= (frame.time or 0) < end - 0.0005][: sampling.limit]
    if sampling.every:
        ticks = [sampling.start + tick * sampling.every for tick in range(500)]
        firsts = [
            next((frame for frame in expected if (frame.time or 0) >= tick - 0.0005), None) for tick in ticks
        ]
        expected = list(dict.fromkeys(frame for frame in firsts if frame))
    found = frames(clips[name], sampling)
    assert [(frame.index, frame.time) for frame in found] == [(frame.index, frame.time) for frame in expected]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
    count = Video("x", clips[name], sampling).count
    assert count is not None
    assert abs(count - len(found)) <= 1 or sampling.every == 0.01


def test_what_is_not_wanted_is_not_decoded(clips: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    reels = []

    class Watched(module.VideoDecoder):
        def __init__(self, *given: object) -> None:
            super().__init__(*given)  # type: ignore[arg-type]
            reels.append(self)

    monkeypatch.setattr(module, "VideoDecoder", Watched)
    for sampling, most in ((Sampling(every=2), 60), (Sampling(start=3.9), 20), (Sampling(), 100)):
        frames(clips["mpeg4.mp4"], sampling)
        assert 1 <= reels[-1].shown <= most, "of 100 frames, a keyframe every twelve"
    assert reels[-1].shown == 100


def test_packets_without_a_keyframe_are_not_hoarded(
    clips: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mien.sources.video_decoder._HELD", 3)
    made(tmp_path / "a.mp4", gop=600)
    assert [frame.index for frame in frames(tmp_path / "a.mp4", Sampling(start=1.96))] == [49]


def test_damaged_packets_are_passed_over_and_told_once(clips: dict[str, Path], tmp_path: Path) -> None:
    data = bytearray(clips["h264.mkv"].read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = np.random.default_rng(3).bytes(400)
    (tmp_path / "a.mkv").write_bytes(data)
    *found, fault = Video("clip", tmp_path / "a.mkv")
    assert isinstance(fault, ReadError)
    assert fault.reason.startswith("clip: ")
    assert "could not be decoded, the first at " in fault.reason
    assert fault.time is not None
    assert 0 < fault.time < 4
    whole = {frame.index: frame for frame in frames(clips["h264.mkv"])}
    assert 40 < len(found) < 100
    for frame in found[:20]:
        assert isinstance(frame, Moment)
        assert frame.time == whole[frame.index].time, "places and times are those of the whole file"
        np.testing.assert_array_equal(frame.pixels, whole[frame.index].pixels)


def test_a_video_cut_off_gives_what_it_has_and_one_line(clips: dict[str, Path], tmp_path: Path) -> None:
    data = clips["h264.mkv"].read_bytes()
    (tmp_path / "a.mkv").write_bytes(data[: len(data) // 2])
    *found, fault = Video("clip", tmp_path / "a.mkv")
    assert 20 < len(found) < 80
    assert str(fault).startswith("clip: ")
    assert isinstance(fault, ReadError)


def claims_three_hours(path: Path) -> Path:
    """A second of video whose header claims three hours, and in an .mp4 three hours' frames."""
    made(path, duration=1)
    data = bytearray(path.read_bytes())
    if path.suffix == ".mkv":
        at = data.index(b"\x44\x89\x88") + 3
        data[at : at + 8] = struct.pack(">d", 3 * 3600 * 1000.0)
    else:
        at = data.index(b"stts") + 12
        data[at : at + 4] = (3 * 3600 * 25).to_bytes(4, "big")
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_header_that_claims_three_hours_costs_nothing(name: str, tmp_path: Path) -> None:
    path = claims_three_hours(tmp_path / name)
    began = time.process_time()
    tracemalloc.start()
    found = list(Video("clip", path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len([item for item in found if isinstance(item, Moment)]), Video("clip", path).count) == (
        25,
        270_000,
    )
    assert time.process_time() - began < 2
    assert peak < 10e6


def test_a_video_shorter_than_its_header_says_is_told(tmp_path: Path) -> None:
    path = claims_three_hours(tmp_path / "a.mkv")
    line = "clip: cut off: it ends at 1.00 s (its header says 10800.00 s)"
    assert faults(path) == [line]
    assert faults(path, Sampling(start=7200)) == [line]
    assert faults(path, Sampling(limit=3)) == []


def test_a_stretch_beyond_the_end_is_said(clips: dict[str, Path]) -> None:
    assert faults(clips["h264.mp4"], Sampling(start=5, end=6)) == [
        "clip: nothing from 5.00 s to 6.00 s: it ends at 4.00 s"
    ]


def test_reading_stops_where_the_reader_stops(clips: dict[str, Path]) -> None:
    flow = iter(Video("clip", clips["h264.mp4"]))
    first = next(flow)
    flow.close()
    assert isinstance(first, Moment)
    assert first.index == 0
    with pytest.raises(StopIteration):
        next(flow)


def test_memory_stays_flat(clips: dict[str, Path]) -> None:
    tracemalloc.start()
    for _ in Video("clip", clips["h264.mp4"]):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 160 * 120 * 3, "100 frames passed"


def test_without_pyav_the_line_says_what_to_install(
    clips: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str, extra: str) -> None:
        raise MissingExtraError(f'{name} is not installed; run: pip install "mien[{extra}]"')

    monkeypatch.setattr(module, "require", absent)
    assert faults(clips["h264.mp4"]) == ['clip: av is not installed; run: pip install "mien[video]"']
    assert Video("clip", clips["h264.mp4"]).count is None


def test_nothing_is_written_to_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(500))
    faults(tmp_path / "a.mp4")
    sys.stderr.flush()
    assert capfd.readouterr() == ("", "")


def test_frames_too_large_are_refused(clips: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    small = Limits(max_pixels=100)
    (fault,) = Video("clip", clips["mpeg4.mp4"], limits=small)
    assert str(fault) == "clip: 160x120 pixels, at most 100 are decoded"
    upright = module.upright
    monkeypatch.setattr(module, "upright", lambda stream, _: upright(stream, small))
    found = faults(clips["mpeg4.mp4"], Sampling(limit=1))
    assert found == ["clip, frame 0 at 0.00 s: 160x120 pixels, at most 100 are decoded"]


def test_a_file_with_a_cover_picture_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as file:
        sound = file.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        file.mux(sound.encode(frame))
        file.mux(sound.encode(None))
    assert faults(path) == ["clip: no video in it, only audio"]
