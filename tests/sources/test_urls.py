"""Pictures and videos from http addresses, served on this machine."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.media.limits import Limits
from mien.records import Moment, ReadError
from mien.sources import Remote, Sampling, plan
from tests.sources.media import compose


def picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (8, 6), (200, 100, 50)).save(stream, "PNG")
    return stream.getvalue()


class Handler(BaseHTTPRequestHandler):
    """`/loop` redirects to itself, `/far/N` N times, others as `elsewhere` says; `/hang` never answers."""

    files: dict[str, bytes] = {}  # noqa: RUF012
    done = threading.Event()
    elsewhere = {"loop": "/loop", "file": "file:///etc/hostname", "ftp": "ftp://127.0.0.1/a"}  # noqa: RUF012

    def do_GET(self) -> None:
        first, _, rest = self.path[1:].partition("/")
        if self.path in self.files:
            self.answer(200, self.files[self.path], {"Content-Type": "text/html"})
        elif first == "far":
            self.answer(302, b"", {"Location": f"/far/{int(rest) - 1}" if int(rest) else "/a.png"})
        elif first in self.elsewhere:
            self.answer(302, b"", {"Location": self.elsewhere[first]})
        elif first == "short":
            self.answer(200, picture()[:40], {"Content-Length": "400"})
        elif first == "hang":
            self.done.wait(5)
        else:
            self.answer(404, b"nothing here", {})

    def answer(self, code: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("site") / "clip.mp4"
    compose(path, (), 0.4, size=(64, 48))
    Handler.files = {
        "/a.png": picture(), "/clip": path.read_bytes(), "/page.jpg": b"<!DOCTYPE html><p>no",
        "/empty.png": b"",
    }  # fmt: skip
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        Handler.done.set()
        server.shutdown()


def test_a_picture_is_known_by_its_bytes(site: str) -> None:
    (source,), faults = plan([f"{site}/a.png"], allow_urls=True)
    (frame,) = source
    assert isinstance(frame, Moment)
    assert (frame.source, frame.time, frame.pixels.shape) == (f"{site}/a.png", None, (6, 8, 3))
    assert (frame.pixels == np.array([200, 100, 50])).all()
    assert faults == []


def test_a_video_is_known_by_its_bytes_and_leaves_nothing_behind(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    source = Remote(f"{site}/clip", Sampling(every=0.2))
    assert [(item.index, item.time, item.source) for item in source] == [
        (0, 0.0, f"{site}/clip"),
        (5, 0.2, f"{site}/clip"),
    ]
    flow = iter(source)
    next(flow)
    assert len(list(tmp_path.iterdir())) == 1
    flow.close()
    assert list(tmp_path.iterdir()) == []


def test_a_few_redirects_are_followed(site: str) -> None:
    assert isinstance(next(iter(Remote(f"{site}/far/2"))), Moment)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/none.png", "not fetched: 404 Not Found"),
        ("/loop", "not fetched: redirected too often"),
        ("/far/9", "not fetched: redirected too often"),
        ("/file", "not fetched: 302 Found - Redirection to url 'file:///etc/hostname' is not allowed"),
        ("/page.jpg", "not a picture (starts with b'<!DOCTYPE html><p>no'; read are JPEG,"),
        ("/empty.png", "an empty file"),
        ("/short", "not fetched to its end: 360 bytes are missing"),
        ("/ftp", "not fetched: unknown url type: ftp"),
    ],
)
def test_what_cannot_be_fetched_is_one_line(site: str, path: str, line: str) -> None:
    (fault,) = Remote(site + path)
    assert isinstance(fault, ReadError)
    assert fault.reason.startswith(f"{site}{path}: {line}")
    assert "\n" not in fault.reason


def test_limits_of_size_and_time(site: str) -> None:
    small = Limits(max_bytes=20, max_video_bytes=30)
    for path, most in (("/a.png", 20), ("/clip", 30)):
        (fault,) = Remote(site + path, limits=small)
        assert str(fault) == f"{site}{path}: more than {most} bytes, at most that many are fetched"
    ticks = iter((0.0, 601.0))
    (fault,) = Remote(f"{site}/a.png", clock=lambda: next(ticks))
    assert str(fault) == f"{site}/a.png: not fetched within 600 s"
    (fault,) = Remote(f"{site}/hang", limits=Limits(answer_seconds=0.2))
    assert str(fault) == f"{site}/hang: not fetched: no answer within 0 s"


def test_an_address_that_nobody_serves() -> None:
    (fault,) = Remote("http://127.0.0.1:9/a.png")
    assert str(fault) == "http://127.0.0.1:9/a.png: not fetched: Connection refused"
    (fault,) = Remote("http:///a.png")
    assert str(fault).startswith("http:///a.png: not fetched: ")
