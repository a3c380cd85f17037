"""Files that are whole or absent (write beside the target, flush, rename), checksums and natural order."""

import functools
import hashlib
import os
import platform
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PART = re.compile(r"\..+\.part-(.*)-(\d+)")
_DAY = 86400.0


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a part file beside `path` that takes its place when the block ends well, else vanishes.

    Raises OSError with `path` as its file name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_path(path)
    try:
        yield part
        _flush(part)
        os.replace(part, path)
        _flush(path.parent)
    except OSError as error:  # the error of a full disk names no file, or the part
        if error.filename not in (None, str(part)):
            raise
        raise _about(path, error) from error
    finally:
        part.unlink(missing_ok=True)


def part_path(path: Path) -> Path:
    """Where the part of `path` lies until it is whole; parts that killed processes left there are removed."""
    _clear(path.parent)
    return path.with_name(f".{path.name}.part-{platform.node()}-{os.getpid()}")


@functools.cache  # once for each folder: a large one takes long to list
def _clear(folder: Path) -> None:
    for part in folder.glob(".*.part-*"):
        if (named := _PART.fullmatch(part.name)) and _abandoned(part, *named.groups()):
            shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)


def _abandoned(part: Path, machine: str, process: str) -> bool:
    """Whether nobody writes a part: its process is gone, or on another machine has been silent for a day."""
    if machine == platform.node() and os.name == "posix":
        return not is_running(int(process))
    try:
        return time.time() - part.stat().st_mtime > _DAY
    except FileNotFoundError:
        return False


@contextmanager
def with_filename(path: Path) -> Iterator[None]:
    """Give an OSError the name of its file, which that of a full disk lacks."""
    try:
        yield
    except OSError as error:
        raise _about(path, error) from None


def write_text(path: Path, text: str) -> None:
    """Write a text file whole."""
    with atomic_write(path) as part:
        part.write_text(text, encoding="utf-8")


def sha256(path: Path) -> str:
    """SHA-256 of a file, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def natural(path: Path) -> list[list[tuple[str, int]]]:
    """Sort key that puts face9 before face10, and ignores case."""
    parts = (re.findall(r"(\D*)(\d*)", part.casefold()) for part in path.parts)
    return [[(text, int(digits or 0)) for text, digits in part] for part in parts]


def _about(path: Path, error: OSError) -> OSError:
    return OSError(error.errno, error.strerror or str(error), str(path))


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_running(process: int) -> bool:
    """Whether a process of this id runs on this machine."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        pass
    return True
