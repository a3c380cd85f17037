"""Files that are not what their name says, recognised by their first bytes; small CSV files."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import DataError

_HEAD = 1 << 16
_BOM = b"\xef\xbb\xbf"
_MARKS: dict[bytes, str] = {
    b"\x1f\x8b": "a gzip archive; unpack it and give what is inside",
    b"PK\x03\x04": "a zip archive; unpack it and give what is inside",
    b"\x89HDF": "an HDF5 file; if `mien data check` calls it whole, it needs no import",
    b"\xff\xfe": "text in UTF-16; save it as UTF-8",
    b"\xfe\xff": "text in UTF-16; save it as UTF-8",
}
_HTML = (b"<!doctype", b"<html", b"<head", b"<?xml")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raise DataError that names the file where the block cannot read it, or not as CSV."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except csv.Error as error:
        raise DataError(f"{path}: cannot be read as CSV: {error}") from None


def read_start(path: Path) -> bytes:
    """Return the first 64 KiB of a text file, without byte-order mark. Raises DataError for another kind."""
    with reading(path), path.open("rb") as file:
        start = file.read(_HEAD)
    if found := _not_text(start):
        raise DataError(f"{path}: {found}")
    return start.removeprefix(_BOM)


def _not_text(start: bytes) -> str:
    if not start.strip():
        return "an empty file; download it again"
    if start.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, not the file it stands for; run `git lfs pull` where it came from"
    if start.lstrip().lower().startswith(_HTML):
        return "an HTML page (often a log-in or error page saved under this name); download the file itself"
    for mark, what in _MARKS.items():
        if start.startswith(mark):
            return what
    return "binary data, not a CSV file" if b"\0" in start else ""


def column_names(path: Path, separators: str = ",") -> list[str]:
    """Return the names in the first line of a CSV file, in lower case, without blanks and quotes.

    The most frequent of the `separators` divides them. Raises DataError as `read_start`.
    """
    first = read_start(path).split(b"\n", 1)[0].decode("utf-8", "replace")
    return [name.strip(" \t\r\"'").lower() for name in first.split(max(separators, key=first.count))]


def has_long_line(path: Path) -> bool:
    """Return whether the first 64 KiB hold less than a header and one row."""
    start = read_start(path)
    return len(start) >= _HEAD - len(_BOM) and start.count(b"\n") < 2


def csv_rows(path: Path) -> list[list[str]]:
    """Return all rows of a small CSV file with its header, without empty lines. Raises DataError."""
    read_start(path)
    with reading(path), path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        return [row for row in csv.reader(file) if row]


def quoted(text: str | bytes, limit: int = 40) -> str:
    """Return a piece of foreign text in quotes, safe to show on one line."""
    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    plain = "".join(letter if letter.isprintable() else "?" for letter in plain.strip())
    return f"'{plain[:limit]}…'" if len(plain) > limit else f"'{plain}'"
