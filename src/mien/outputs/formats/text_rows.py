"""`jsonl` and `csv`: one line a face, added to what an earlier run wrote."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from ...errors import ConfigError
from ...files import with_filename
from ...predict.results import ModelOrigin, Result, Row, columns
from ...records import ReadError
from .resume import OTHER_COLUMNS, ResumeState
from .writer import csv_line

Pack: TypeAlias = Callable[[list[Row]], str]
Read: TypeAlias = Callable[[bytes], Row]


class Lines:
    """Lines of text at the end of a file, a frame's in one piece; what a full disk cuts off is taken back."""

    def __init__(self, path: Path, origin: ModelOrigin, pack: Pack, earlier: tuple[ResumeState, int]) -> None:
        """Go on after the `earlier` rows, which end at that byte. Raises OSError naming the file."""
        self.path, self.origin, self._pack = path, origin, pack
        held, end = earlier
        self.done: Mapping[str, int] = held.done
        with with_filename(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)
            self._file.truncate(end)

    def add(self, result: Result) -> None:
        """Write one frame's rows."""
        self.write(self._pack(result.rows(self.origin)))

    def fail(self, fault: ReadError) -> None:
        """Have no place for it."""

    def write(self, text: str) -> None:
        """Write lines, all or none."""
        start = os.fstat(self._file.fileno()).st_size
        rest = memoryview(text.encode())
        try:
            with with_filename(self.path):
                while rest:
                    rest = rest[self._file.write(rest) :]
        except OSError:
            self._file.truncate(start)
            raise

    def close(self) -> None:
        """Hand everything to the disk."""
        if not self._file.closed:
            with with_filename(self.path):
                os.fsync(self._file.fileno())
                self._file.close()


def json_lines(path: Path, origin: ModelOrigin) -> Lines:
    """A JSON object a line and face."""

    def pack(rows: list[Row]) -> str:
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    def read(line: bytes) -> Row:
        row = json.loads(line)
        return row if isinstance(row, dict) else {}

    return Lines(path, origin, pack, _earlier(path, origin, read, b""))


def table(path: Path, origin: ModelOrigin) -> Lines:
    """CSV under a header (RFC 4180, but for bare line feeds); what is not known is empty."""
    names = columns(origin.task)
    header = csv_line(names)

    def pack(rows: list[Row]) -> str:
        return "".join(csv_line([_cell(row[name]) for name in names]) for row in rows)

    def read(line: bytes) -> Row:
        return dict(zip(names, next(csv.reader([line.decode()])), strict=True))

    lines = Lines(path, origin, pack, _earlier(path, origin, read, header.encode()))
    if not path.stat().st_size:
        lines.write(header)
    return lines


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, list):  # landmarks
        return ";".join(" ".join(map(str, point)) for point in value)
    return value


def _earlier(path: Path, origin: ModelOrigin, read: Read, header: bytes) -> tuple[ResumeState, int]:
    """What the file holds already, and the byte at which its last whole frame ends."""
    held = ResumeState(path, origin)
    if not path.is_file():
        return held, 0
    with path.open("rb") as file:
        first = file.readline() if header else b""
        if first != header:
            if header.startswith(first):  # empty, or cut off within the header
                return held, 0
            raise ConfigError(f"{path}: {OTHER_COLUMNS}")
        end = place = len(header)
        for number, line in enumerate(_records(file, bool(header)), 1):
            place += len(line)
            if held.take(_read(line, read, f"{path}, row {number}")):
                end = place
    return held, end


def _read(line: bytes, read: Read, where: str) -> Row:
    try:
        row = read(line)
        return {name: row[name] for name in ("source", "frame", "faces", "model", "model_sha256", "settings")}
    except (ValueError, KeyError, StopIteration):
        raise ConfigError(f"{where}: not a row of results; choose another file or --overwrite") from None


def _records(file: io.BufferedReader, quoted: bool) -> Iterator[bytes]:
    """Whole lines; where a text may be `quoted` over several lines, those joined."""
    record = b""
    for line in file:
        record += line
        if line.endswith(b"\n") and not (quoted and record.count(b'"') % 2):
            yield record
            record = b""
