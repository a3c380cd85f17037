"""Pictures and videos from http(s) addresses, fetched within limits; their bytes say what they are."""

from __future__ import annotations

import http.client
import tempfile
import time
import urllib.error
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias
from urllib import request

from ..errors import InputError, TooLargeError
from ..media.limits import LIMITS, Limits
from .base import ALL, Flow, Sampling, Source, read_error
from .kinds import HEAD, VIDEOS, kind
from .pictures import PictureSource
from .videos import Video

_PIECE = 1 << 16
Clock: TypeAlias = Callable[[], float]


class Fetched:
    """A picture or video from elsewhere: fetched when read, into memory or a temporary file."""

    count: int | None = None

    def __init__(self, name: str, sampling: Sampling = ALL, limits: Limits = LIMITS) -> None:
        self.name = name
        self._sampling, self._limits = sampling, limits

    def __iter__(self) -> Flow:
        """Fetch and decode."""
        try:
            with self.fetched() as source:
                yield from source
        except (InputError, OSError) as error:
            yield read_error(self.name, error)

    def fetched(self) -> AbstractContextManager[Source]:
        """Fetch it; what is fetched is gone after the block."""
        raise NotImplementedError


class Remote(Fetched):
    """A picture or video at an http(s) address."""

    def __init__(
        self, name: str, sampling: Sampling = ALL, limits: Limits = LIMITS, *, clock: Clock = time.monotonic
    ) -> None:
        super().__init__(name, sampling, limits)
        self._clock = clock

    @property
    def moving(self) -> bool:
        """What its address says: nothing is fetched to find out."""
        return Path(urllib.parse.urlsplit(self.name).path).suffix.lower() in VIDEOS | {".gif"}

    @contextmanager
    def fetched(self) -> Iterator[Source]:
        """Fetch it. Raises InputError."""
        with _answer(self.name, self._limits) as answer, tempfile.NamedTemporaryFile(prefix="mien-") as file:
            try:
                head = answer.read(HEAD)
                video = kind(head) == "video"
                most = self._limits.max_video_bytes if video else self._limits.max_bytes
                self._save(head, answer, file, most)  # type: ignore[arg-type]
            except (OSError, http.client.HTTPException) as error:
                reason = _reason(error, self._limits)
                raise InputError(f"{self.name}: not fetched to its end: {reason}") from None
            answer.close()
            file.flush()
            path = Path(file.name)
            if video:
                yield Video(self.name, path, self._sampling, self._limits)
            else:
                yield PictureSource(self.name, path.read_bytes(), self._sampling, self._limits)

    def _save(self, head: bytes, answer: http.client.HTTPResponse, file: BinaryIO, most: int) -> None:
        size, until, piece = 0, self._clock() + self._limits.fetch_seconds, head
        while piece:
            size += len(piece)
            if size > most:
                raise TooLargeError(f"{self.name}: more than {most} bytes, at most that many are fetched")
            if self._clock() > until:
                raise InputError(f"{self.name}: not fetched within {self._limits.fetch_seconds:.0f} s")
            file.write(piece)
            piece = answer.read(_PIECE)
        if answer.length:
            raise InputError(f"{self.name}: not fetched to its end: {answer.length} bytes are missing")


def _answer(address: str, limits: Limits) -> http.client.HTTPResponse:
    """The answer to a request, proxies of the environment used. Raises InputError."""
    redirects = type("Redirects", (request.HTTPRedirectHandler,), {"max_redirections": limits.max_redirects})
    opener = request.OpenerDirector()  # it knows http(s) alone
    for handler in (
        request.ProxyHandler(), request.HTTPHandler(), request.HTTPSHandler(), redirects(),
        request.HTTPErrorProcessor(), request.HTTPDefaultErrorHandler(), request.UnknownHandler(),
    ):  # fmt: skip
        opener.add_handler(handler)
    try:
        query = request.Request(address, headers={"User-Agent": "mien"})
        answer: http.client.HTTPResponse = opener.open(query, timeout=limits.answer_seconds)
        return answer
    except urllib.error.HTTPError as error:
        error.close()
        text = " ".join(f"{error.code} {error.reason}".split())
        text = "redirected too often" if "infinite loop" in text else text
        raise InputError(f"{address}: not fetched: {text}") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise InputError(f"{address}: not fetched: {_reason(error, limits)}") from None


def _reason(error: Exception, limits: Limits) -> str:
    cause = getattr(error, "reason", None) or error
    if isinstance(cause, TimeoutError):
        return f"no answer within {limits.answer_seconds:.0f} s"
    reason = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return " ".join(reason.split())
