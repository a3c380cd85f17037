"""A folder of files on this machine or on object storage, and the inputs that lie there."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .. import files
from ..errors import ConfigError, InputError, TooLargeError
from ..extras import require
from ..media.limits import LIMITS, Limits
from ..sources import PictureSource, Sampling, Source, Video
from ..sources.base import one_line
from ..sources.kinds import VIDEOS
from ..sources.listing import is_input
from ..sources.urls import Fetched

#: Object storage that pyarrow speaks to: Amazon S3 and all that answer like it, Google, Azure.
SCHEMES = ("s3", "gs", "abfs", "abfss")
#: One slash is enough: pathlib folds the two of an address that has been a Path.
_ADDRESS = re.compile(rf"({'|'.join(SCHEMES)}):/+(.*)", re.DOTALL)


def address_of(location: str | Path) -> str:
    """Return a location that is an address on object storage, else ''. Raises ConfigError for a key in it."""
    found = _ADDRESS.fullmatch(str(location))
    if found and "@" in found[2].partition("/")[0] and found[1] in ("s3", "gs"):
        hint = "give them by the environment, a profile or a role"
        raise ConfigError(f"{found[1]}://…@…: no keys in an address; {hint}")
    return f"{found[1]}://{found[2]}" if found else ""


@dataclass(frozen=True)
class Folder:
    """A folder by its path, or by its address on object storage."""

    location: str

    def names(self) -> set[str]:
        """The files and folders in it, less hidden ones; none where it is not there. Raises InputError."""
        system, path = _opened(self.location)
        fs = require("pyarrow.fs", "scale")
        with storage_errors(self.location):
            found = system.get_file_info(fs.FileSelector(path, allow_not_found=True))
        return {info.base_name for info in found if not info.base_name.startswith(".")}

    def open(self, name: str) -> Any:
        """One of its files as pyarrow reads it. Raises OSError."""
        system, path = _opened(self.location)
        return system.open_input_file(f"{path}/{name}")

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole or not at all. Raises OSError, InputError."""
        system, path = _opened(self.location)
        if not address_of(self.location):
            with files.atomic_write(Path(path, name)) as part:
                part.write_bytes(data)
            return
        with storage_errors(f"{self.location}/{name}"):
            stream = system.open_output_stream(f"{path}/{name}")
            stream.write(data)
            stream.close()  # an object is there once it is complete

    def remove(self, name: str) -> None:
        """Remove one of its files. Raises InputError."""
        system, path = _opened(self.location)
        with storage_errors(f"{self.location}/{name}"):
            system.delete_file(f"{path}/{name}")


class Stored(Fetched):
    """An input on object storage."""

    def __init__(self, name: str, place: tuple[str, str], sampling: Sampling, limits: Limits) -> None:
        """`place`: the address that was searched, which says how to reach its store, and the path inside."""
        super().__init__(name, sampling, limits)
        self._place = place

    @property
    def moving(self) -> bool:
        """Whether it is a video, by its name."""
        return Path(self.name).suffix.lower() in VIDEOS

    @contextmanager
    def fetched(self) -> Iterator[Source]:
        """Fetch it. Raises InputError, OSError."""
        system, _ = _opened(self._place[0])
        most = self._limits.max_video_bytes if self.moving else self._limits.max_bytes
        with storage_errors(self.name), system.open_input_file(self._place[1]) as file:
            if (size := file.size()) > most:
                raise TooLargeError(f"{self.name}: {size} bytes, at most {most} are fetched")
            if not self.moving:
                yield PictureSource(self.name, file.read(), self._sampling, self._limits)
                return
            with tempfile.NamedTemporaryFile(prefix="mien-") as copy:
                while piece := file.read(1 << 22):
                    copy.write(piece)
                copy.flush()
                yield Video(self.name, Path(copy.name), self._sampling, self._limits)


def stored(address: str, sampling: Sampling, limits: Limits = LIMITS) -> list[Source]:
    """List the inputs at and below an address, less earlier results. Raises InputError."""
    system, path = _opened(address)
    fs = require("pyarrow.fs", "scale")
    with storage_errors(address):
        info = system.get_file_info(path)
        if info.type == fs.FileType.File:
            found = [path]
        else:
            listed = system.get_file_info(fs.FileSelector(path, recursive=True, allow_not_found=True))
            found = [info.path for info in listed if info.type == fs.FileType.File and _wanted(info.path)]
    if not found:
        raise InputError(f"{address}: no pictures or videos there")
    scheme = address.partition(":")[0]
    paths = sorted(found, key=lambda name: files.natural(Path(name)))
    return [Stored(f"{scheme}://{path}", (address, path), sampling, limits) for path in paths]


def _wanted(name: str) -> bool:
    path = Path(name)
    return is_input(path) and not any(part.startswith((".", "__")) for part in path.parts)


@cache
def _opened(location: str) -> tuple[Any, str]:
    """pyarrow's file system for a path or address, and the path inside."""
    fs = require("pyarrow.fs", "scale")
    if address := address_of(location):
        with storage_errors(address):
            system, path = fs.FileSystem.from_uri(address)
            return system, path.rstrip("/")
    return fs.LocalFileSystem(), str(Path(location).absolute())


@contextmanager
def storage_errors(what: str) -> Iterator[None]:
    """Say in one line what object storage has to say, and about what."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise InputError(f"{what}: {one_line(error)}") from None
