"""Picture files as sources: stills in every format, animations with their times, pages."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, features

from mien.media.image import decode
from mien.records import Moment, ReadError
from mien.sources import PictureSource, Sampling

SHADES = [20, 90, 160, 230]
DURATIONS = [100, 250, 50, 400]
TIMES = [0.0, 0.1, 0.35, 0.4]


def shade(value: int, size: tuple[int, int] = (32, 24)) -> Image.Image:
    return Image.new("RGB", size, (value, 255 - value, value // 2))


def animated(path: Path, durations: list[int] | int = DURATIONS, **options: object) -> Path:
    first, *rest = (shade(value) for value in SHADES)
    first.save(path, save_all=True, append_images=rest, duration=durations, **options)
    return path


def frames(source: PictureSource) -> list[Moment]:
    found = list(source)
    assert not [item for item in found if isinstance(item, ReadError)]
    return [item for item in found if isinstance(item, Moment)]


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp", ".avif"])
def test_an_animation_is_frames_with_their_own_times(suffix: str, tmp_path: Path) -> None:
    source = PictureSource("clip", animated(tmp_path / f"a{suffix}"))
    assert (source.moving, source.count) == (True, 4)
    found = frames(source)
    assert [frame.index for frame in found] == [0, 1, 2, 3]
    np.testing.assert_allclose([frame.time for frame in found], TIMES, atol=0.002)
    for frame, value in zip(found, SHADES, strict=True):
        assert frame.pixels.shape == (24, 32, 3)
        assert np.abs(frame.pixels.mean((0, 1)) - (value, 255 - value, value // 2)).max() < 6
    assert [frame.index for frame in frames(source)] == [0, 1, 2, 3], "it can be read twice"


def test_an_animation_is_sampled_by_time(tmp_path: Path) -> None:
    path = animated(tmp_path / "a.gif")
    assert [frame.index for frame in frames(PictureSource("x", path, Sampling(every=0.2)))] == [0, 2, 3]
    assert [frame.index for frame in frames(PictureSource("x", path, Sampling(start=0.1, end=0.4)))] == [1, 2]
    assert [frame.index for frame in frames(PictureSource("x", path, Sampling(limit=1)))] == [0]
    assert list(PictureSource("x", path, Sampling(start=5))) == [
        ReadError("x", "x: nothing from 5.00 s: it ends at 0.80 s")
    ]


def test_frames_without_a_duration_are_shown_for_a_tenth_of_a_second(tmp_path: Path) -> None:
    path = animated(tmp_path / "a.gif", 0)
    np.testing.assert_allclose([frame.time for frame in frames(PictureSource("x", path))], [0, 0.1, 0.2, 0.3])


def test_what_an_apng_shows_to_those_who_cannot_play_it_is_no_frame(tmp_path: Path) -> None:
    source = PictureSource("x", animated(tmp_path / "a.png", default_image=True))
    assert source.count == 3
    found = frames(source)
    assert [frame.index for frame in found] == [0, 1, 2]
    assert [round(frame.pixels[0, 0, 0]) for frame in found] == SHADES[1:]


def test_pages_of_a_tiff_are_pictures_without_times(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    pages = [shade(SHADES[0]), shade(SHADES[1], (8, 40)), Image.new("L", (5, 6), 7)]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    source = PictureSource("x", path)
    assert (source.moving, source.count) == (False, 3)
    found = frames(source)
    assert [(frame.index, frame.time, frame.pixels.shape) for frame in found] == [
        (0, None, (24, 32, 3)), (1, None, (40, 8, 3)), (2, None, (6, 5)),
    ]  # fmt: skip
    assert [frame.index for frame in frames(PictureSource("x", path, Sampling(limit=2)))] == [0, 1]


def test_smaller_copies_among_the_pages_are_passed_over(tmp_path: Path) -> None:
    path, small = tmp_path / "thumb.tif", shade(9, (4, 3))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    shade(9).save(path, save_all=True, append_images=[small, shade(9, (8, 6))])
    assert [(frame.index, frame.pixels.shape[:2]) for frame in frames(PictureSource("x", path))] == [
        (0, (24, 32)),
        (2, (6, 8)),
    ]


def test_a_photo_with_a_second_picture_behind_it_is_one_frame(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    shade(40).save(path, "MPO", save_all=True, append_images=[shade(200, (8, 6))])
    source = PictureSource("x", path)
    assert (source.moving, source.count, len(frames(source))) == (False, 1, 1)


def test_a_still_picture_has_no_time(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    shade(9).save(path)
    (frame,) = frames(PictureSource("x", path, Sampling(start=9, every=1, limit=1)))
    assert (frame.index, frame.time) == (0, None)


def test_an_animation_cut_off_gives_what_it_has_and_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    noise = [Image.fromarray(np.random.default_rng(n).integers(0, 256, (64, 64), np.uint8)) for n in range(4)]
    noise[0].save(path, save_all=True, append_images=noise[1:], duration=100)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 5 // 8])
    *found, fault = PictureSource("x", path)
    assert [frame.index for frame in found] == [0, 1]
    assert isinstance(fault, ReadError)
    assert fault.reason.startswith("x: damaged picture: ")
    assert "frame 2" in fault.reason
    assert fault.index == 2


@pytest.mark.parametrize(
    "suffix", [".jp2", ".avif", ".ras", ".pgm", ".ppm", ".pnm", ".bmp", ".dib", ".tiff", ".jpe", ".png"]
)
def test_formats_of_opencv(suffix: str, tmp_path: Path) -> None:
    if suffix == ".avif" and not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")
    colour = suffix != ".pgm"
    pixels = np.full((40, 48, 3) if colour else (40, 48), 100, np.uint8)
    pixels[:20] = (200, 100, 30) if colour else 200
    done, data = cv2.imencode(suffix, pixels[..., ::-1] if colour else pixels)
    if not done:
        pytest.skip(f"this OpenCV writes no {suffix}")
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data.tobytes())
    (frame,) = frames(PictureSource("x", path))
    assert np.abs(frame.pixels.astype(int) - pixels).mean() < 5


def pgm16() -> bytes:
    return b"P5 3 1 65535\n" + np.array([0, 257, 65535], ">u2").tobytes()


def ppm16() -> bytes:
    return b"P6 1 1 65535\n" + np.array([0, 257, 65535], ">u2").tobytes()


def pfm() -> bytes:
    return b"Pf\n3 1\n-1.0\n" + np.array([0, 1 / 255, 1], "<f4").tobytes()


def jp2() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.array([[0, 257, 65535]] * 8, np.uint16).repeat(8, 1)).save(stream, "JPEG2000")
    return stream.getvalue()


def tiff() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.array([[0, 1 / 255, 1]], np.float32)).save(stream, "TIFF")
    return stream.getvalue()


@pytest.mark.parametrize("make", [pgm16, ppm16, pfm, jp2, tiff])
def test_deep_and_float_pictures_become_bytes(make: Callable[[], bytes]) -> None:
    assert sorted(set(decode(make(), "x").ravel().tolist())) == [0, 1, 255]


def test_a_dark_picture_of_sixteen_bits_stays_dark() -> None:
    assert decode(b"P5 2 1 65535\n" + np.array([100, 200], ">u2").tobytes(), "x").tolist() == [[0, 1]]
