"""Hostile and odd inputs, each with the very line it gets (docs/reference/hostile-inputs.md shows the same
table)."""

from __future__ import annotations

import io
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from mien.detect import detector
from mien.records import Moment, ReadError
from mien.sources import plan
from tests import drawn
from tests.sources.media import compose

RNG = np.random.default_rng(5)


def photo(form: str = "JPEG", size: tuple[int, int] = (64, 48)) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (size[1], size[0], 3), np.uint8)).save(stream, form)
    return stream.getvalue()


def bomb() -> bytes:
    """A PNG of 30,000 x 30,000 pixels in a few bytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def large() -> bytes:
    """The same a little smaller, so that Pillow lets it pass."""
    return photo("PPM", (2, 2)).replace(b"2 2", b"9000 9000", 1)


def video(path: Path, **options: object) -> bytes:
    compose(path, (), **{"duration": 1.0, "size": (64, 48), **options})  # type: ignore[arg-type]
    return path.read_bytes()


def three_hours(path: Path) -> bytes:
    data = bytearray(video(path.with_suffix(".mkv")))
    at = data.index(b"\x44\x89\x88") + 3
    data[at : at + 8] = struct.pack(">d", 3 * 3600 * 1000.0)
    return bytes(data)


def half(path: Path) -> bytes:
    data = video(path)
    return data[: len(data) // 2]


def frameless(path: Path) -> bytes:
    data = bytearray(video(path))
    at = data.index(b"stsz") + 12
    data[at : at + 4] = bytes(4)
    return bytes(data)


def sound(path: Path) -> bytes:
    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path.read_bytes()


def broken(path: Path) -> bytes:
    data = bytearray(video(path))
    at = data.index(b"mdat") + 4
    data[at : at + 8] = b"\xff" * 8
    return bytes(data)


PLAYLIST = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n"
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)

#: File name; its bytes, or what makes them at a path; how many frames it gives; the line after its name ('':
#: none).
HOSTILE: dict[str, tuple[str, bytes | Callable[[Path], bytes], int, str]] = {
    "zero bytes": ("a.jpg", b"", 0, "an empty file"),
    "truncated picture": ("a.jpg", photo()[:900], 0, "damaged picture: image file is truncated (*)"),
    "HTML named .jpg": (
        "a.jpg",
        b"<!DOCTYPE html>",
        0,
        "not a picture (starts with b'<!DOCTYPE html>'; read are *)",
    ),
    "text named .png": ("a.png", b"hello", 0, "not a picture (starts with b'hello'; read are *)"),
    "HEIC": (
        "a.heic",
        HEIC,
        0,
        "HEIC pictures are not read; turn it into JPEG first, for example with heif-convert",
    ),
    "1x1": ("a.png", photo("PNG", (1, 1)), 1, ""),
    "30,000x30,000 bomb": ("a.png", bomb(), 0, "900000000 pixels, at most 50000000 are decoded"),
    "81 million pixels": ("a.ppm", large(), 0, "9000x9000 pixels, at most 50000000 are decoded"),
    "video, zero bytes": ("a.mp4", b"", 0, "an empty file"),
    "video cut off before its index": ("a.mp4", half, 0, "damaged or cut off: its header cannot be read"),
    "picture named .mp4": ("a.mp4", photo(), 0, "a picture under a video's name"),
    "HTML named .mp4": ("a.mp4", b"<!DOCTYPE html>", 0, "not a video (starts with b'<!DOCTYPE html>')"),
    "playlist named .mp4": (
        "a.mp4",
        PLAYLIST,
        0,
        "not a video (starts with b'#EXTM3U\\n#EXTINF:1,\\nfile:')",
    ),
    "audio named .mp4": ("a.mp4", sound, 0, "no video in it, only audio"),
    "video without frames": ("a.mp4", frameless, 0, "a video without frames"),
    "one damaged frame": ("a.mp4", broken, 24, "1 frame could not be decoded, the first at 0.00 s"),
    "3-hour header over one second": (
        "a.mkv",
        three_hours,
        25,
        "cut off: it ends at 1.00 s (its header says 10800.00 s)",
    ),
    "missing file": ("absent.jpg", lambda path: b"", 0, "no such file"),
    "missing video": ("absent.mp4", lambda path: b"", 0, "no such file"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_each_gets_its_line(case: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    name, content, expected, line = HOSTILE[case]
    path = tmp_path / name
    if callable(content):
        path.with_suffix(".tmp.d").mkdir()
        data = content(path.with_suffix(".tmp.d") / name)
    else:
        data = content
    if not name.startswith("absent"):
        path.write_bytes(data)
    (source,), _ = plan([path])
    began = time.process_time()
    found = list(source)
    assert time.process_time() - began < 2
    faults = [str(item) for item in found if isinstance(item, ReadError)]
    assert len(found) - len(faults) == expected
    assert len(faults) == (1 if line else 0), faults
    start, _, end = f"{path}: {line}".partition("*")
    assert all(told.startswith(start) and told.endswith(end) and "\n" not in told for told in faults), faults
    assert capfd.readouterr() == ("", ""), "libraries write nothing of their own"


def test_a_folder_of_them_gives_what_can_be_read(tmp_path: Path) -> None:
    for number, (name, content, _, _) in enumerate(HOSTILE.values()):
        if isinstance(content, bytes):
            (tmp_path / f"{number}{name}").write_bytes(content)
    sources, faults = plan([tmp_path])
    assert faults == []
    kinds = [type(item) for source in sources for item in source]
    assert (kinds.count(Moment), kinds.count(ReadError)) == (1, len(sources) - 1)


def test_the_table_in_the_docs_is_this_one(root: Path) -> None:
    text = (root / "docs" / "reference" / "hostile-inputs.md").read_text(encoding="utf-8")
    for case, (name, _, frames, line) in HOSTILE.items():
        assert f"| {case} | `{name}` | {frames} | {f'`{line}`'.replace('*', '…') if line else '–'} |" in text


def test_no_face_and_sixty_faces(tmp_path: Path) -> None:
    find = detector("haar")
    places = [(15 + 80 * (n % 10), 15 + 90 * (n // 10), 60) for n in range(60)]
    for name, faces in (("none.png", []), ("sixty.png", places)):
        Image.fromarray(drawn.scene(830, 560, faces)).save(tmp_path / name)
    none, sixty = (next(iter(source)) for source in plan([tmp_path / "none.png", tmp_path / "sixty.png"])[0])
    assert isinstance(none, Moment)
    assert isinstance(sixty, Moment)
    assert find(none.pixels) == []
    assert len(find(sixty.pixels)) == 60


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".gif", ".tif", ".webp", ".mp4", ".mkv", ".avi"])
def test_random_damage_never_raises(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix in (".mp4", ".mkv", ".avi"):
        whole = np.frombuffer(video(path, duration=0.4), np.uint8)
    else:
        first, *rest = (Image.fromarray(RNG.integers(0, 256, (16, 16, 3), np.uint8)) for _ in range(3))
        many = {"save_all": True, "append_images": rest} if suffix != ".jpg" else {}
        first.save(path, **many)
        whole = np.frombuffer(path.read_bytes(), np.uint8)
    for _ in range(40):
        data = whole.copy()
        places = RNG.integers(0, len(data), 4)
        data[places] = RNG.integers(0, 256, 4)
        path.write_bytes(
            data[: RNG.integers(1, len(data))].tobytes() if RNG.random() < 0.3 else data.tobytes()
        )
        (source,), _ = plan([path])
        assert source.count is None or source.count >= 0
        for item in source:
            assert isinstance(item, Moment | ReadError)
            assert isinstance(item, Moment) or "\n" not in item.reason
