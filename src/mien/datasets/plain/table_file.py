"""CSV files that people made: any usual encoding, separator and line end; every row knows its line."""

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ...errors import DataError
from .. import file_checks

SEPARATORS = ",;\t"
_MISSING = ("", "nan", "na", "none", "null")


class TableRow(NamedTuple):
    """The cells of a row; its number counts from 0 without the header, its line from 1."""

    number: int
    line: int
    cells: list[str]


@dataclass(frozen=True)
class TableFile:
    """A CSV file in memory: `columns` as written; `decimal` is the sign before the fraction of a number."""

    path: Path
    columns: list[str]
    rows: list[TableRow]
    decimal: str

    def where(self, row: TableRow) -> str:
        """File, row and line, for a fault."""
        return f"{self.path}, row {row.number} (line {row.line})"

    def complete_rows(self) -> Iterator[list[str]]:
        """Yield the cells of the rows that have as many as the header."""
        return (row.cells for row in self.rows if len(row.cells) == len(self.columns))

    def number(self, row: list[str], column: int) -> float | None:
        """Return a cell as a number, None where it is empty. Raises DataError."""
        text = row[column].strip()
        if text.lower() in _MISSING:
            return None
        try:
            value = float(text.replace(self.decimal, "."))
            if math.isfinite(value):
                return value
        except ValueError:
            pass
        raise DataError(f"{self.columns[column]} is {file_checks.quoted(text)}, a number is needed")


def load(path: Path) -> TableFile:
    """Read a table with a header. Raises DataError that says what is wrong."""
    file_checks.read_start(path)
    text = _decoded(path.read_bytes())
    first = text.lstrip().partition("\n")[0]
    separator = max(SEPARATORS, key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        found = [(lines.line_num, cells) for cells in lines if any(map(str.strip, cells))]
    except csv.Error as error:
        raise DataError(f"{path}, line {lines.line_num}: cannot be read as CSV: {error}") from None
    (_, header), body = found[0], found[1:]
    columns = [_plain(name) for name in header]
    lower = [name.lower() for name in columns if name]
    if twice := sorted({name for name in lower if lower.count(name) > 1}):
        raise DataError(f"{path}: column '{twice[0]}' is there twice")
    rows = [TableRow(number, line, cells) for number, (line, cells) in enumerate(body)]
    return TableFile(path, columns, rows, "," if separator == ";" else ".")


def _plain(name: str) -> str:
    """Return a column name on one line, without blanks and quotes around it."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(name.split())).strip(" \"'")


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:  # what spreadsheets on Windows write
        return data.decode("cp1252", "replace")
