"""What inputs name: files, folders, patterns, lists, standard input; and which frames a sampling wants."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from mien.errors import ConfigError
from mien.files import natural
from mien.media.limits import Limits
from mien.records import Moment, ReadError
from mien.sources import Camera, PictureSource, Remote, Sampling, Source, Video, plan
from mien.sources.base import Picker
from mien.sources.kinds import kind


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "face10.png", "face9.PNG", "b/Face2.jpg", "b/c/x.webp", "b/clip.MP4", "notes.txt", ".hidden.png",
        "face9.mien.png", ".cache/y.png", "__MACOSX/z.jpg", "clip.mien.mp4",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def names(sources: list[Source]) -> list[str]:
    return [source.name for source in sources]


def test_a_folder_is_searched_through_all_levels_in_natural_order(folder: Path) -> None:
    found, faults = plan([folder])
    expected = ["b/c/x.webp", "b/clip.MP4", "b/Face2.jpg", "face9.PNG", "face10.png"]
    assert names(found) == [str(folder / name) for name in expected]
    assert [type(source) for source in found] == [
        PictureSource,
        Video,
        PictureSource,
        PictureSource,
        PictureSource,
    ]
    assert faults == []


def test_patterns_files_and_repeats(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    found, faults = plan(["./face10.png", "face*.*", "**/*.jpg", str(folder / "*.txt"), "absent.png"])
    assert names(found) == [
        "face10.png", "face9.mien.png", "face9.PNG", "__MACOSX/z.jpg", "b/Face2.jpg",
        str(folder / "notes.txt"), "absent.png",
    ]  # fmt: skip
    assert faults == []


def test_a_file_whose_name_looks_like_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "[1].png").touch()
    assert names(plan([tmp_path / "[1].png"])[0]) == [str(tmp_path / "[1].png")]


def test_what_names_nothing_is_said_and_does_not_stop_the_rest(folder: Path) -> None:
    (folder / "empty").mkdir()
    given = [
        folder / "empty",
        folder / "z*.png",
        "@absent.txt",
        "ftp://a/b",
        "http://a/b.png",
        folder / "face10.png",
    ]
    found, faults = plan(given)
    assert names(found) == [str(folder / "face10.png")]
    assert [str(fault) for fault in faults] == [
        f"{folder / 'empty'}: a folder without pictures or videos",
        f"{folder / 'z*.png'}: no file matches",
        "@absent.txt: no such list",
        "ftp://a/b: unknown kind of address (known: http, https, rtsp, rtsps, rtmp, srt, udp, rtp)",
        "http://a/b.png: an address is fetched only when that is allowed (--allow-urls)",
    ]
    assert [fault.source for fault in faults] == [str(name) for name in given[:-1]]


def test_natural_order_of_numbers() -> None:
    paths = [Path(name) for name in ("im10.png", "im2.png", "Im1.png", "a/2.png", "a/10.png")]
    assert sorted(paths, key=natural) == [paths[3], paths[4], paths[2], paths[1], paths[0]]


def test_a_folder_that_may_not_be_opened_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("c"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found, faults = plan([folder])
    assert found == []
    assert [str(fault) for fault in faults] == [
        f"{folder}: cannot be searched: {folder / 'b' / 'c'}: Permission denied"
    ]


def test_cameras_streams_and_addresses_are_known_by_their_names() -> None:
    given = [
        "camera:0",
        "/dev/video1",
        "rtsp://door/1",
        "camera:http://door/live",
        "https://a/b.jpg",
        "http://a/b.mp4?x=1",
    ]
    found, faults = plan(given, allow_urls=True)
    assert (names(found), faults) == (given, [])
    assert [type(source) for source in found] == [Camera] * 4 + [Remote] * 2
    assert [source.moving for source in found] == [True] * 4 + [False, True]
    assert [source.count for source in found] == [None] * 6


def test_a_file_without_a_telling_suffix_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    (tmp_path / "film").write_bytes(b"\x1a\x45\xdf\xa3rest")
    (tmp_path / "photo.dat").write_bytes(b"\xff\xd8\xffrest")
    (tmp_path / "text").write_bytes(b"hello")
    found, _ = plan([tmp_path / name for name in ("film", "photo.dat", "text", "absent")])
    assert [type(source) for source in found] == [Video, PictureSource, PictureSource, PictureSource]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\0\0\0\x20ftypisom", "video"), (b"\0\0\0\x20ftypavif", "picture"),
        (b"\0\0\0\x20ftypheic", "picture"), (b"RIFF....WEBPVP8 ", "picture"), (b"RIFF....AVI LIST", "video"),
        (b"RIFF....WAVEfmt ", ""), (b"P6\n3 3 255", "picture"), (b"Pfad", ""),
        (b"G" + bytes(187) + b"G", "video"), (b"Good morning", ""), (b"II*\0", "picture"), (b"", ""),
        (b"\0\0\0\x08moov", "video"), (b"<!DOCTYPE html>", ""),
    ],
)  # fmt: skip
def test_kinds_by_first_bytes(head: bytes, expected: str) -> None:
    assert kind(head) == expected


def test_a_list_names_inputs_line_by_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    lines = [
        "# people",
        "",
        " face10.png ",
        "b/c",
        "z*.png",
        "@list.txt",
        "-",
        "http://a/b.png",
        "face10.png",
    ]
    Path("list.txt").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    found, faults = plan(["@list.txt"])
    assert names(found) == ["face10.png", "b/c/x.webp", "@list.txt", "-"], (
        "a list names no list and no standard input"
    )
    assert [str(fault) for fault in faults] == [
        "z*.png: no file matches (@list.txt, line 5)",
        "http://a/b.png: an address is fetched only when that is allowed (--allow-urls) (@list.txt, line 8)",
    ]


def test_what_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\xd8")
    assert "must be text in UTF-8" in str(plan([f"@{tmp_path / 'binary'}"])[1][0])
    assert "cannot be read: Is a directory" in str(plan([f"@{tmp_path}"])[1][0])
    small = Limits(max_list_bytes=3)
    assert "a list of more than 3 bytes" in str(plan([f"@{tmp_path / 'binary'}"], limits=small)[1][0])


def encoded(size: tuple[int, int] = (3, 2)) -> bytes:
    stream = io.BytesIO()
    Image.new("L", size).save(stream, "PNG")
    return stream.getvalue()


def test_standard_input_is_a_list_or_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    assert names(plan(["-"], stdin=io.BytesIO(b"a.png\nb.mp4\n"))[0]) == ["a.png", "b.mp4"]
    assert names(plan(["-"], stdin=io.BytesIO(b"a.png\0b c.png\0"))[0]) == ["a.png", "b c.png"]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(encoded())))
    (source,), _ = plan(["-"])
    assert (source.name, source.moving, source.count) == ("-", False, 1)
    (frame,) = source
    assert isinstance(frame, Moment)
    assert (frame.pixels.shape, frame.source, frame.time) == ((2, 3), "-", None)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (b" \n", "-: nothing on standard input (expected paths, one a line, or a picture's bytes)"),
        (b"\x1a\x45\xdf\xa3", "-: a video cannot come through standard input; give its path"),
        (encoded((300, 300)) + bytes(10_000), "-: more than 9000 bytes on standard input"),
    ],
)
def test_what_standard_input_cannot_be(given: bytes, line: str) -> None:
    assert plan(["-"], limits=Limits(max_bytes=9000), stdin=io.BytesIO(given)) == ([], [ReadError("-", line)])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"every": 0.0}, "a frame every 0.0 s: must be more than 0 s"),
        ({"every": float("nan")}, "a frame every nan s"),
        ({"start": -1.0}, "from -1.0 s: must be 0 s or later"),
        ({"start": 2.0, "end": 2.0}, "to 2.0 s: must lie after the start, 2.0 s"),
        ({"limit": 0}, "at most 0 frames: must be 1 or more"),
    ],
)
def test_impossible_samplings_are_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Sampling(**values)  # type: ignore[arg-type]


def picked(sampling: Sampling, times: list[float]) -> list[float]:
    picker = Picker(sampling)
    return [time for time in times if not picker.over(time) and picker.takes(time)]


def test_the_first_frame_at_or_after_each_tick() -> None:
    times = [0, 0.4, 0.499, 0.7, 1.0, 1.1, 2.6, 2.7, 3.0]
    assert picked(Sampling(every=0.5), times) == [0, 0.7, 1.0, 2.6, 3.0]
    assert picked(Sampling(every=0.5, start=0.4, end=3.0), times) == [0.4, 1.0, 2.6]
    assert picked(Sampling(limit=2, start=0.5), times) == [0.7, 1.0]
    thirds = [round(number / 30, 3) for number in range(31)]
    assert picked(Sampling(every=1 / 3), thirds) == [0, 0.333, 0.667, 1.0], "files keep whole milliseconds"
    assert picked(Sampling(every=0.1), [number / 30 for number in range(7)]) == [0, 3 / 30, 6 / 30]


def test_expected_counts() -> None:
    assert Sampling().expected(8.0, 200) == 200
    assert Sampling(start=3, end=3.2).expected(8.0, 200) == 5
    assert Sampling(every=0.5).expected(8.0, 200) == 16
    assert Sampling(every=0.01, limit=7).expected(8.0, 200) == 7
    assert Sampling(start=9).expected(8.0, 200) == 0
    assert Sampling().expected(0.0, 12) == 12
