"""Pictures and videos from http(s) addresses, fetched only when asked for and within limits; their bytes say what they are."""

from __future__ import annotations

import http.client
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..errors import InputError
from ..media.image import MAX_BYTES
from .base import ALL, Flow, Sampling, Source, told
from .kinds import HEAD, VIDEOS, kind
from .pictures import Picture
from .videos import Video

#: How many redirects are followed; seconds to wait for an answer or a next piece, and for the whole; the largest video.
REDIRECTS, TIMEOUT, WHOLE, MAX_VIDEO = 5, 15.0, 600.0, 4_000_000_000
_PIECE = 1 << 16


class Remote:
    """A picture or video at an http(s) address: fetched when it is read, into memory or a file that vanishes afterwards."""

    count: int | None = None

    def __init__(self, name: str, sampling: Sampling = ALL, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self._sampling, self._clock = sampling, clock

    @property
    def moving(self) -> bool:
        """What its address says: nothing is fetched to find out."""
        return Path(urllib.parse.urlsplit(self.name).path).suffix.lower() in VIDEOS | {".gif"}

    def __iter__(self) -> Flow:
        """Fetch and decode."""
        try:
            with self._fetched() as source:
                yield from source
        except InputError as error:
            yield told(self.name, error)

    @contextmanager
    def _fetched(self) -> Iterator[Source]:
        with _answer(self.name) as answer, tempfile.NamedTemporaryFile(prefix="mien-") as file:
            try:
                head = answer.read(HEAD)
                video = kind(head) == "video"
                self._save(head, answer, file, MAX_VIDEO if video else MAX_BYTES)  # type: ignore[arg-type]
            except (OSError, http.client.HTTPException) as error:
                raise InputError(f"{self.name}: not fetched to its end: {_words(error)}") from None
            answer.close()
            file.flush()
            path = Path(file.name)
            yield (Video if video else _still)(self.name, path, self._sampling)

    def _save(self, head: bytes, answer: http.client.HTTPResponse, file: BinaryIO, most: int) -> None:
        size, until, piece = 0, self._clock() + WHOLE, head
        while piece:
            size += len(piece)
            if size > most:
                raise InputError(f"{self.name}: more than {most} bytes, at most that many are fetched")
            if self._clock() > until:
                raise InputError(f"{self.name}: not fetched within {WHOLE:.0f} s")
            file.write(piece)
            piece = answer.read(_PIECE)
        if answer.length:
            raise InputError(f"{self.name}: not fetched to its end: {answer.length} bytes are missing")


def _still(name: str, path: Path, sampling: Sampling) -> Picture:
    return Picture(name, path.read_bytes(), sampling)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a few redirects; the opener knows http(s) alone."""

    max_redirections = REDIRECTS


def _answer(address: str) -> http.client.HTTPResponse:
    """The answer to a request, proxies of the environment used. Raises InputError."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(), urllib.request.HTTPHandler(), urllib.request.HTTPSHandler(), _Redirects(),
        urllib.request.HTTPErrorProcessor(), urllib.request.HTTPDefaultErrorHandler(), urllib.request.UnknownHandler(),
    ):  # fmt: skip
        opener.add_handler(handler)
    try:
        request = urllib.request.Request(address, headers={"User-Agent": "mien"})
        answer: http.client.HTTPResponse = opener.open(request, timeout=TIMEOUT)
        return answer
    except urllib.error.HTTPError as error:
        error.close()
        text = " ".join(f"{error.code} {error.reason}".split())
        text = "redirected too often" if "infinite loop" in text else text
        raise InputError(f"{address}: not fetched: {text}") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise InputError(f"{address}: not fetched: {_words(error)}") from None


def _words(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    if isinstance(reason, TimeoutError):
        return f"no answer within {TIMEOUT:.0f} s"
    said = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return " ".join(said.split())
