"""Fetching YuNet: from a server on this machine."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mien.detect import fetch_yunet, fetching
from mien.detect.fetching import YUNET, cache_folder, cached_yunet
from mien.errors import ModelError

CONTENT = b"a network" * 1000


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, counts requests and says nothing."""

    asked: list[str]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        self.asked.append(self.path)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """Address of a server with the file, and what it was asked for."""
    folder = tmp_path / "zoo"
    folder.mkdir()
    (folder / YUNET).write_bytes(CONTENT)
    asked: list[str] = []
    handler = type("Handler", (Quiet,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}", asked
        http.shutdown()
        thread.join()


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The content of the server's file is the right one."""
    monkeypatch.setattr(fetching, "YUNET_SHA256", hashlib.sha256(CONTENT).hexdigest())


@pytest.mark.usefixtures("pinned")
def test_fetched_once_into_the_cache(
    server: tuple[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, asked = server
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cached_yunet() is None
    path = fetch_yunet(f"{address}/{YUNET}")
    assert path == tmp_path / "cache" / "mien" / YUNET == cached_yunet()
    assert path.read_bytes() == CONTENT
    assert fetch_yunet(f"{address}/{YUNET}") == path
    assert len(asked) == 1, "what is there is not fetched again"
    path.write_bytes(b"damaged")
    assert fetch_yunet(f"{address}/{YUNET}").read_bytes() == CONTENT
    assert [item.name for item in path.parent.iterdir()] == [YUNET]


def test_a_wrong_checksum_is_refused_and_nothing_kept(server: tuple[str, list[str]], tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"9000 bytes with SHA-256 \w{64}, needed is ebafce4e\w+; nothing was kept"
    ):
        fetch_yunet(f"{server[0]}/{YUNET}", tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("{server}/absent.onnx", "cannot be fetched: HTTP Error 404"),
        ("http://127.0.0.1:1/x", "cannot be fetched: .*refused"),
        ("file:///etc/hostname", r"not an http\(s\) address"),
        ("http://", "cannot be fetched"),
    ],
)
def test_what_cannot_be_fetched_is_one_line(
    server: tuple[str, list[str]], tmp_path: Path, url: str, line: str
) -> None:
    with pytest.raises(ModelError, match=line) as caught:
        fetch_yunet(url.format(server=server[0]), tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("pinned")
def test_a_folder_that_cannot_be_written(server: tuple[str, list[str]], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="cannot be written: "):
        fetch_yunet(f"{server[0]}/{YUNET}", tmp_path / "file")


def test_cache_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)

    def on(platform: str) -> str:
        monkeypatch.setattr(fetching.sys, "platform", platform)
        return cache_folder().relative_to(tmp_path).as_posix()

    assert on("linux") == ".cache/mien"
    assert on("darwin") == "Library/Caches/mien"
    assert on("win32") == "AppData/Local/mien/Cache"
