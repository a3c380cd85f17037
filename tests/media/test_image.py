"""Pictures as arrays: decoding, colour, size, and a network's input."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mien.errors import ConfigError, InputError, TooLargeError
from mien.inputs import Input
from mien.media import InputSet, transform_of
from mien.media.cropping import crop
from mien.media.image import decode, from_pillow, read, recolour, resize
from mien.media.image_transform import ImageTransform
from mien.media.limits import Limits
from mien.records import Box, Items

RNG = np.random.default_rng(2)
RGB = RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (6, 8), dtype=np.uint8)


def encoded(image: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF", "PPM"])
@pytest.mark.parametrize("pixels", [RGB, GREY], ids=["rgb", "grey"])
def test_lossless_formats_come_back_exactly(pixels: np.ndarray, file_format: str) -> None:
    found = decode(encoded(Image.fromarray(pixels), file_format), "x")
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize("file_format", ["JPEG", "WEBP", "GIF"])
def test_other_formats_come_back_nearly(file_format: str) -> None:
    flat = np.full((16, 16, 3), (200, 120, 40), np.uint8)
    found = decode(encoded(Image.fromarray(flat), file_format), "x")
    assert np.abs(found.astype(int) - flat).max() < 12


def test_modes_become_grey_or_rgb() -> None:
    half = Image.fromarray(np.dstack([RGB, np.full((6, 8), 0, np.uint8)]), "RGBA")
    assert (decode(encoded(half), "x") == 255).all(), "what is transparent becomes white"
    clear = Image.fromarray(np.zeros((2, 2), np.uint8)).convert("P")
    assert (decode(encoded(clear, transparency=0), "x") == 255).all()
    assert decode(encoded(Image.new("1", (4, 3), 1)), "x").tolist() == [[255] * 4] * 3
    assert decode(encoded(Image.new("LA", (4, 3), (9, 255))), "x").shape == (3, 4, 3)
    assert decode(encoded(Image.new("CMYK", (4, 3)), "JPEG"), "x").shape == (3, 4, 3)


def test_sixteen_bits_become_eight() -> None:
    deep = np.array([[0, 257, 65535]], np.uint16)
    assert decode(encoded(Image.fromarray(deep)), "x").tolist() == [[0, 1, 255]]
    dark = np.array([[0, 100, 250]], np.uint16)
    assert decode(encoded(Image.fromarray(dark)), "x").tolist() == [[0, 0, 1]], "dark, not bright"
    numbers = np.array([[0, np.nan, 255.0]], np.float32)
    assert decode(encoded(Image.fromarray(numbers), "TIFF"), "x").tolist() == [[0, 0, 255]]


def test_pictures_are_turned_as_their_exif_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.fromarray(GREY), exif=exif)
    np.testing.assert_array_equal(decode(data, "x"), np.rot90(GREY, -1))
    np.testing.assert_array_equal(from_pillow(Image.open(io.BytesIO(data))), np.rot90(GREY, -1))


def _bomb() -> bytes:
    """A PNG whose header claims 30,000 x 30,000 pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"face\.png: an empty file"),
        (b"<!DOCTYPE html>", "not a picture .*DOCTYPE"),
        (
            encoded(Image.fromarray(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)))[:2000],
            "damaged picture",
        ),
        (_bomb(), r"face\.png: .*(pixels|exceeds limit)"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
    ],
    ids=["empty", "html", "cut", "bomb", "postscript"],
)
def test_what_cannot_be_decoded_is_one_line(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        decode(data, "face.png")
    assert "\n" not in str(caught.value)


def test_more_pixels_than_allowed_are_refused_by_the_header() -> None:
    with pytest.raises(TooLargeError, match="x: 8x6 pixels, at most 47 are decoded"):
        decode(encoded(Image.fromarray(RGB)), "x", Limits(max_pixels=47))
    assert decode(encoded(Image.fromarray(RGB)), "x", Limits(max_pixels=48)).shape == RGB.shape


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"])
def test_random_damage_raises_input_error_or_nothing(file_format: str) -> None:
    whole = np.frombuffer(encoded(Image.fromarray(RGB.repeat(4, 0)), file_format), np.uint8)
    for _ in range(60):
        broken = whole.copy()
        places = RNG.integers(0, len(whole), 4)
        broken[places] = RNG.integers(0, 256, 4)
        with suppress(InputError):
            assert decode(broken.tobytes(), "x").dtype == np.uint8


def test_read_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    with pytest.raises(InputError, match=r"a\.png: no such file"):
        read(path)
    path.write_bytes(encoded(Image.fromarray(RGB)))
    np.testing.assert_array_equal(read(path), RGB)
    with pytest.raises(InputError, match="not a file"):
        read(tmp_path)
    monkeypatch.setattr(
        Path, "read_bytes", lambda self: (_ for _ in ()).throw(PermissionError(13, "Permission denied"))
    )
    with pytest.raises(InputError, match=r"a\.png: cannot be read: Permission denied"):
        read(path)
    with pytest.raises(TooLargeError, match="bytes, at most 10 are read"):
        read(path, Limits(max_bytes=10))


def test_recolour() -> None:
    assert recolour(GREY, "grey") is GREY
    assert recolour(RGB, "rgb") is RGB
    np.testing.assert_array_equal(recolour(GREY, "rgb"), np.dstack([GREY] * 3))
    weights = np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(recolour(RGB, "grey"), RGB @ weights, atol=1)


def test_resize_averages_when_shrinking_and_interpolates_when_growing() -> None:
    checks = np.indices((8, 8)).sum(0).astype(np.uint8) % 2 * 200
    assert (resize(checks, 4) == 100).all()
    assert resize(GREY[:, :6], 6).base is not None or resize(GREY[:, :6], 6).shape == (6, 6)
    grown = resize(np.array([[0, 200], [0, 200]], np.uint8), 4)
    assert grown.tolist() == [[0, 50, 150, 200]] * 4
    assert resize(RGB, 5).shape == (5, 5, 3)


GREY_INPUT = ImageTransform(4)
RGB_INPUT = ImageTransform(4, "rgb", (0.1, 0.2, 0.3), (0.5, 0.25, 0.125), 0.2)


@pytest.mark.parametrize("given", [GREY_INPUT, RGB_INPUT])
def test_a_transform_survives_its_dictionary(given: ImageTransform) -> None:
    assert transform_of(Input.from_dict("face", given.to_dict())) == given


def test_fit_and_normalise() -> None:
    grey = GREY_INPUT.fit(Items([RGB, GREY, np.full((4, 4), 255, np.uint8)]))
    assert (grey.shape, grey.dtype) == ((3, 4, 4, 1), np.uint8)
    found = GREY_INPUT.normalise(grey)
    assert (found.shape, found.dtype, found.flags.c_contiguous) == ((3, 1, 4, 4), np.float32, True)
    np.testing.assert_allclose(found[2], 2)

    colour = RGB_INPUT.fit(Items(np.full((2, 9, 9, 3), (255, 0, 51), np.uint8)))
    assert colour.shape == (2, 4, 4, 3)
    np.testing.assert_allclose(RGB_INPUT.normalise(colour)[1, :, 0, 0], [1.8, -0.8, -0.8], rtol=1e-6)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0, "grey", (0.5,), (0.5,)), "size 0 must be positive"),
        ((4, "bgr", (0.5,), (0.5,)), "colour 'bgr' one of: grey, rgb"),
        ((4, "rgb", (0.5,), (0.5,)), "need 3 numbers each"),
        ((4, "grey", (0.5,), (0.0,)), "std above 0"),
    ],
)
def test_impossible_transforms_are_refused(
    values: tuple[int, str, tuple[float], tuple[float]], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        ImageTransform(*values)


NUMBERED = np.arange(100, dtype=np.uint8).reshape(10, 10)


@pytest.mark.parametrize(
    ("box", "margin", "rows", "columns"),
    [
        (Box(2, 3, 4, 4), 0.0, range(3, 7), range(2, 6)),
        (Box(2, 3, 4, 2), 0.0, range(2, 6), range(2, 6)),
        (Box(4, 4, 2, 2), 0.5, range(3, 7), range(3, 7)),
        (Box(-2, -1, 4, 4), 0.0, [0, 0, 1, 2], [0, 0, 0, 1]),
        (Box(8, 8, 4, 4), 0.0, [8, 9, 9, 9], [8, 9, 9, 9]),
        (Box(3, 3, 0, 0), 0.0, [2], [2]),
    ],
)
def test_crops_are_square_and_repeat_the_border(
    box: Box, margin: float, rows: object, columns: object
) -> None:
    expected = [[NUMBERED[row, column] for column in columns] for row in rows]  # type: ignore[attr-defined]
    np.testing.assert_array_equal(crop(NUMBERED, box, margin), expected)


def test_the_whole_picture_is_left_as_it_is() -> None:
    wide = np.zeros((10, 20, 3), np.uint8)
    assert crop(wide, Box(0, 0, 20, 10), 0.3) is wide
    assert crop(wide, Box(0, 0, 10, 10)).shape == (10, 10, 3)


def test_a_crop_within_the_picture_is_no_copy() -> None:
    assert np.shares_memory(crop(NUMBERED, Box(2, 3, 4, 4)), NUMBERED)
    assert not np.shares_memory(crop(NUMBERED, Box(8, 8, 4, 4)), NUMBERED)


VIEWS = {"face": "region", "scene": "whole"}


def seen_as(transform: ImageTransform, *names: str) -> InputSet:
    """Inputs of one picture: what lies in the box, and all of it."""
    inputs = tuple(Input(name, region=VIEWS[name]) for name in names)
    return InputSet(inputs, dict.fromkeys(names, transform))


WIDER = replace(GREY_INPUT, margin=0.25)
BOTH = seen_as(WIDER, "face", "scene")
PHOTO = np.random.default_rng(1).integers(0, 256, (30, 40, 3), np.uint8)
BOX = Box(4, 6, 12, 8)


def test_two_inputs_see_the_region_and_the_whole_of_one_picture() -> None:
    found, present = BOTH.fit({"image": Items([PHOTO], [BOX])})
    assert list(found) == ["face", "scene"]
    assert present.tolist() == [[True, True]]
    cut = GREY_INPUT.fit(Items([crop(PHOTO, BOX, 0.25)]))
    whole = GREY_INPUT.fit(Items([PHOTO]))
    np.testing.assert_array_equal(found["face"], cut)
    np.testing.assert_array_equal(found["scene"], whole)
    assert (cut != whole).any()
    turned, _ = seen_as(WIDER, "scene", "face").fit({"image": Items([PHOTO], [BOX])})
    assert list(turned) == ["scene", "face"]
    assert all(np.array_equal(turned[name], found[name]) for name in found)
    alone, _ = seen_as(WIDER, "scene").fit({"image": Items([PHOTO], [BOX])})
    assert {name: values.tolist() for name, values in alone.items()} == {"scene": whole.tolist()}


@pytest.mark.parametrize("schema", [1, 2])
def test_inputs_in_colour_are_normalised_alike(schema: int) -> None:
    both = replace(seen_as(RGB_INPUT, "face", "scene"), stacked=schema == 1)
    fitted, present = both.fit({"image": Items([PHOTO] * 2, np.array([BOX, BOX], np.int32))})
    assert {name: values.shape for name, values in fitted.items()} == {
        "face": (2, 4, 4, 3),
        "scene": (2, 4, 4, 3),
    }
    found = both.feed(fitted, present)
    assert (
        list(found)
        == both.graph_inputs
        == (["pixels"] if schema == 1 else ["input.face", "input.scene", "input.present"])
    )
    if schema == 1:
        assert found["pixels"].shape == (2, 6, 4, 4)
        found = {"input.face": found["pixels"][:, :3], "input.scene": found["pixels"][:, 3:]}
    for name, view in (("input.face", crop(PHOTO, BOX, 0.2)), ("input.scene", PHOTO)):
        np.testing.assert_array_equal(found[name][1:], RGB_INPUT.normalise(RGB_INPUT.fit(Items([view]))))


@pytest.mark.parametrize("boxes", [None, [Box(0, 0, 0, 0)], np.zeros((1, 4), np.int32), [Box(3, 3, 0, 5)]])
def test_without_a_box_the_crop_is_the_picture(boxes: Any) -> None:
    found, _ = BOTH.fit({"image": Items([PHOTO], boxes)})
    np.testing.assert_array_equal(found["face"], found["scene"])
    np.testing.assert_array_equal(found["face"], GREY_INPUT.fit(Items([PHOTO])))


def test_each_picture_needs_a_box_of_its_own() -> None:
    with pytest.raises(ValueError, match="zip"):
        BOTH.fit({"image": Items([PHOTO, PHOTO], [BOX])})


def test_what_is_missing_is_nothing_and_is_told() -> None:
    apart = InputSet((Input("face"), Input("other", of="second")), dict.fromkeys(("face", "other"), WIDER))
    second = Items([PHOTO, PHOTO], [BOX, BOX], present=np.array([False, True]))
    found, present = apart.fit({"image": Items([PHOTO, PHOTO], [BOX, BOX]), "second": second})
    assert present.tolist() == [[True, False], [True, True]]
    assert not found["other"][0].any()
    np.testing.assert_array_equal(found["other"][1], found["face"][1])
    assert apart.fit({"image": Items([PHOTO])})[1].tolist() == [[True, False]]


def test_inputs_survive_the_dictionary() -> None:
    assert InputSet.of({"inputs": BOTH.to_dict()}).to_dict() == BOTH.to_dict()
    assert InputSet.of({"inputs": BOTH.to_dict()}).transforms == BOTH.transforms


@pytest.mark.parametrize("views", [["crop"], ["picture"], ["crop", "picture"], ["picture", "crop"], None])
def test_descriptions_of_schema_1_are_read(views: list[str] | None) -> None:
    """Its views may be absent, and so may what came later."""
    names = [{"crop": "face", "picture": "scene"}[view] for view in views or ["crop"]]
    table = {"size": 4, "colour": "grey", "mean": [0.5], "std": [0.25], "margin": 0.25}
    found = InputSet.of(
        {"preprocessing": table if views is None else table | {"views": views, "align": False}}
    )
    assert [(each.name, each.region) for each in found.inputs] == [(name, VIEWS[name]) for name in names]
    assert found.transforms == dict.fromkeys(names, WIDER)
    assert found.graph_inputs == ["pixels"]
