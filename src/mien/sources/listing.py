"""What inputs name: files, folders, patterns, lists, standard input, cameras and addresses."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..errors import InputError, TooLargeError
from ..files import natural
from ..media.limits import LIMITS, Limits
from ..records import ReadError
from .base import ALL, Sampling, Source
from .cameras import STREAMS, Camera
from .kinds import HEAD, PICTURES, VIDEOS, kind, kind_of
from .pictures import PictureSource
from .urls import Remote
from .videos import Video

#: What `mien predict` writes beside others' pictures; a folder's own results are not predicted on again.
RESULT = ".mien"


def plan(
    inputs: Iterable[str | Path],
    sampling: Sampling = ALL,
    limits: Limits = LIMITS,
    *,
    allow_urls: bool = False,
    stdin: BinaryIO | None = None,
) -> tuple[list[Source], list[ReadError]]:
    """The sources that `inputs` name, each once, and what named none.

    A file, a folder (searched through all its levels for pictures and videos; hidden files and earlier
    results are passed over), a pattern such as 'a/**/*.jpg', `@list.txt` (one input a line, # for remarks),
    `-` (a list, or a picture's bytes, from standard input), `camera:0`, `/dev/video0`, `rtsp://…`, and with
    `allow_urls` http(s) addresses. Opens no file but lists.
    """
    planner = _Planner(sampling, limits, allow_urls, stdin)
    found: dict[str, Source] = {}
    faults: list[ReadError] = []
    for word in map(str, inputs):
        try:
            for item in planner.named(word):
                if isinstance(item, ReadError):
                    faults.append(item)
                else:
                    found.setdefault(item.name, item)
        except InputError as error:
            faults.append(ReadError(word, str(error)))
    return list(found.values()), faults


@dataclass(frozen=True)
class _Planner:
    sampling: Sampling
    limits: Limits
    allow_urls: bool
    stdin: BinaryIO | None

    def named(self, word: str, *, listed: bool = False) -> Iterator[Source | ReadError]:
        """What one input names. Raises InputError where that is nothing."""
        if not listed and word == "-":
            yield from self._standard_input()
        elif not listed and word.startswith("@"):
            yield from self._lines(word, self._text(word))
        elif word.startswith(("camera:", "/dev/video", *STREAMS)):
            yield Camera(word, self.sampling, self.limits)
        elif scheme := re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*)://", word):
            yield self._address(word, scheme[1].lower())
        else:
            yield from map(self._file, _files(word))

    def _file(self, path: Path) -> Source:
        source = Video if kind_of(path) == "video" else PictureSource
        return source(str(path), path, self.sampling, self.limits)

    def _address(self, word: str, scheme: str) -> Source:
        if scheme not in ("http", "https"):
            known = ", ".join(["http", "https", *(start[:-3] for start in STREAMS)])
            raise InputError(f"{word}: unknown kind of address (known: {known})")
        if not self.allow_urls:
            raise InputError(f"{word}: an address is fetched only when that is allowed (--allow-urls)")
        return Remote(word, self.sampling, self.limits)

    def _lines(self, name: str, text: bytes) -> Iterator[Source | ReadError]:
        """What a list names; each line that names nothing is a fault with its number."""
        try:
            content = text.decode("utf-8-sig")
        except UnicodeDecodeError:
            needed = "must be text in UTF-8, one path a line"
            raise InputError(f"{name}: not a list of paths ({needed})") from None
        lines = content.split("\0") if "\0" in content else content.splitlines()
        for number, line in enumerate(map(str.strip, lines), 1):
            if not line or line.startswith("#"):
                continue
            try:
                yield from self.named(line, listed=True)
            except InputError as error:
                yield ReadError(line, f"{error} ({name}, line {number})")

    def _standard_input(self) -> Iterator[Source | ReadError]:
        stream = self.stdin or sys.stdin.buffer
        head = stream.read(HEAD)
        if kind(head) == "video":
            raise InputError("-: a video cannot come through standard input; give its path")
        most = self.limits.max_bytes if kind(head) else self.limits.max_list_bytes
        data = head + stream.read(most)
        if len(data) > most:
            raise TooLargeError(f"-: more than {most} bytes on standard input")
        if kind(head):
            yield PictureSource("-", data, self.sampling, self.limits)
        elif not data.strip():
            expected = "expected paths, one a line, or a picture's bytes"
            raise InputError(f"-: nothing on standard input ({expected})")
        else:
            yield from self._lines("-", data)

    def _text(self, word: str) -> bytes:
        path = Path(word[1:])
        try:
            if path.stat().st_size > self.limits.max_list_bytes:
                raise TooLargeError(f"{word}: a list of more than {self.limits.max_list_bytes} bytes")
            return path.read_bytes()
        except FileNotFoundError:
            raise InputError(f"{word}: no such list") from None
        except OSError as error:
            raise InputError(f"{word}: cannot be read: {error.strerror or error}") from None


def _files(word: str) -> list[Path]:
    path = Path(word)
    if path.is_dir():
        return _inside(path, word)
    if path.exists() or not glob.has_magic(word):
        return [path]
    names = glob.glob(word, recursive=True)  # noqa: PTH207  (Path.glob refuses absolute patterns)
    matching = sorted((Path(name) for name in names if Path(name).is_file()), key=natural)
    if not matching:
        raise InputError(f"{word}: no file matches")
    return matching


def _inside(folder: Path, word: str) -> list[Path]:
    """The pictures and videos in a folder and below it; a folder that cannot be opened ends the search."""
    found: list[Path] = []

    def refuse(error: OSError) -> None:
        raise InputError(f"{word}: cannot be searched: {error.filename}: {error.strerror}") from None

    for base, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        found += filter(is_input, (Path(base, name) for name in names))
    if not found:
        raise InputError(f"{word}: a folder without pictures or videos")
    return sorted(found, key=natural)


def is_input(path: Path) -> bool:
    """Whether a file that was searched for is a picture or video: neither hidden nor an earlier result."""
    hidden, earlier = path.name.startswith("."), path.stem.endswith(RESULT)
    return path.suffix.lower() in PICTURES | VIDEOS and not hidden and not earlier
