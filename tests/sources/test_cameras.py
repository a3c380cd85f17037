"""Cameras and live streams, with a camera and a clock made for the test."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import pytest

from mien.errors import InputError
from mien.media.limits import Limits
from mien.records import Moment, Pixels, ReadError
from mien.sources import Camera, Sampling
from mien.sources.cameras import device, stream
from tests.sources.media import PEOPLE, compose, draw


class Shots:
    """Pictures that come every 0.1 seconds of a clock that stands still otherwise."""

    def __init__(self, count: int = 1000) -> None:
        self.now, self.count, self.opened, self.closed = 100.0, count, [], False

    def clock(self) -> float:
        return self.now

    def open(self, name: str) -> Generator[Pixels, None, None]:
        self.opened.append(name)
        try:
            for number in range(self.count):
                yield np.full((2, 3, 3), number % 256, np.uint8)
                self.now += 0.1
        finally:
            self.closed = True


def watch(shots: Shots, sampling: Sampling = Sampling(), name: str = "camera:0") -> list[Moment | ReadError]:  # noqa: B008
    return list(Camera(name, sampling, clock=shots.clock, opener=shots.open))


def test_frames_are_timed_from_the_first_and_the_end_is_one_line() -> None:
    shots = Shots(4)
    *found, fault = watch(shots)
    assert [(frame.index, round(frame.time or 0, 6), frame.source) for frame in found] == [
        (0, 0.0, "camera:0"), (1, 0.1, "camera:0"), (2, 0.2, "camera:0"), (3, 0.3, "camera:0"),
    ]  # fmt: skip
    assert fault == ReadError("camera:0", "camera:0: ended after 0.30 s and 4 frames")
    assert (shots.opened, shots.closed) == (["0"], True)


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        (Sampling(every=0.25, limit=3), [0, 3, 5]),
        (Sampling(start=0.2, end=0.4), [2, 3]),
        (Sampling(limit=1), [0]),
    ],
)
def test_enough_is_no_fault(sampling: Sampling, expected: list[int]) -> None:
    shots = Shots()
    assert [item.index for item in watch(shots, sampling)] == expected
    assert shots.closed


def test_the_last_wanted_frame_is_not_waited_past() -> None:
    shots = Shots()
    watch(shots, Sampling(limit=2))
    assert round(shots.now, 6) == 100.1, "the third picture was never asked for"


def test_letting_go_of_the_frames_lets_go_of_the_camera() -> None:
    shots = Shots()
    flow = iter(Camera("camera:0", clock=shots.clock, opener=shots.open))
    next(flow)
    flow.close()
    assert shots.closed


def test_a_camera_without_pictures_or_with_a_fault() -> None:
    assert [str(item) for item in watch(Shots(0))] == ["camera:0: gave no picture"]

    def breaks(name: str) -> Iterator[Pixels]:
        yield np.zeros((2, 3, 3), np.uint8)
        raise InputError("unplugged")

    *_, fault = Camera("camera:1", clock=lambda: 5.0, opener=breaks)  # type: ignore[arg-type]
    assert str(fault) == "camera:1: unplugged (after 0.00 s and 1 frames)"


class Capture:
    """What OpenCV opens: two pictures in BGR."""

    opened: list[object] = []  # noqa: RUF012

    def __init__(self, name: object, there: bool = True) -> None:
        self.left, self.there, self.released = 2, there, False
        Capture.opened.append(self)
        self.name = name

    def isOpened(self) -> bool:  # noqa: N802
        return self.there

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.left -= 1
        return self.left >= 0, np.full((2, 3, 3), (1, 2, 3), np.uint8) if self.left >= 0 else None

    def release(self) -> None:
        self.released = True


@pytest.mark.parametrize(("name", "expected"), [("0", 0), ("12", 12), ("/dev/video0", "/dev/video0")])
def test_a_device_gives_rgb_and_is_released(name: str, expected: object) -> None:
    found = list(device(name, Capture))
    assert [pixels[0, 0].tolist() for pixels in found] == [[3, 2, 1]] * 2
    (camera,) = Capture.opened[-1:]
    assert isinstance(camera, Capture)
    assert (camera.name, camera.released) == (expected, True)


def test_a_camera_that_is_not_there(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="no such camera, or another program is using it"):
        list(device("0", lambda name: Capture(name, there=False)))
    for name in ("camera:987", "/dev/video987"):
        (fault,) = Camera(name)
        assert str(fault) == f"{name}: no such camera, or another program is using it"
    (fault,) = Camera("camera:front")
    assert str(fault).startswith("camera:front: unknown camera (a number such as camera:0")
    assert capfd.readouterr() == ("", ""), "OpenCV's own lines are kept quiet"


def serving(server: socket.socket, answer: bytes) -> threading.Thread:
    """A server that sends this to whoever asks first, and hangs up."""

    def serve() -> None:
        peer, _ = server.accept()
        with peer:
            peer.recv(4096)
            peer.sendall(b"HTTP/1.0 200 OK\r\n" + answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("announced", [True, False])
def test_a_live_stream_is_read_until_it_ends(announced: bool, tmp_path: Path) -> None:
    compose(tmp_path / "a.ts", duration=1.0, size=(320, 240))
    data = (tmp_path / "a.ts").read_bytes()
    length = f"Content-Length: {len(data)}\r\n".encode() if announced else b""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = serving(server, length + b"\r\n" + data)
        name = f"camera:http://127.0.0.1:{server.getsockname()[1]}/live.ts"
        *found, fault = Camera(name)
        thread.join(5)
    assert len(found) == 25
    assert isinstance(found[0], Moment)
    assert np.abs(found[0].pixels.astype(int) - draw(PEOPLE, 0, 1.0, (320, 240))).mean() < 6
    line = (
        r"ended after \d+\.\d\d s and 25 frames"
        if announced
        else r"Input/output error \(after .* s and 25 frames\)"
    )
    assert re.fullmatch(f"{re.escape(name)}: {line}", str(fault))


@pytest.mark.parametrize("address", ["rtsp://127.0.0.1:{}/a", "http://127.0.0.1:{}/a"])
def test_a_stream_that_nobody_serves(address: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(InputError, match="Connection refused"):
        list(stream(address.format(port)))


def test_a_stream_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"rtsp://127.0.0.1:{server.getsockname()[1]}/a"
        (fault,) = Camera(address, limits=Limits(stream_seconds=0.3))
    assert str(fault) == f"{address}: no answer within 0 s"


def test_a_stream_may_not_name_files(tmp_path: Path) -> None:
    compose(tmp_path / "a.ts", duration=0.2, size=(64, 48))
    listed = (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{tmp_path}/a.ts\n#EXT-X-ENDLIST\n".encode()
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        head = (
            f"Content-Type: application/vnd.apple.mpegurl\r\nContent-Length: {len(listed)}\r\n\r\n".encode()
        )
        thread = serving(server, head + listed)
        found = list(Camera(f"camera:http://127.0.0.1:{server.getsockname()[1]}/live.m3u8"))
        thread.join(5)
    assert [type(item) for item in found] == [ReadError]
