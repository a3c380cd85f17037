"""Tables of EMOTIC's conversions: rows by column name, and what stands in their cells."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import DataError
from ...files import sha256
from ...labels import canonical
from .. import file_checks, safe_literals
from ..base import ImportLog
from ..file_checks import quoted

Cells = Mapping[str, str]
_NUMPY = re.compile(r"\bnp\.\w+\(([^()]*)\)")  # NumPy 2 writes 6 as np.uint8(6)
_NAN = re.compile(r"\bnan\b")


def table(path: Path, needed: Sequence[str], log: ImportLog) -> list[Cells]:
    """Return the rows of a CSV file by canonical column name, {} for a rejected one. Raises DataError."""
    first, *rows = file_checks.csv_rows(path)
    header = list(map(canonical, first))
    if missing := [name for name in needed if canonical(name) not in header]:
        raise DataError(f"{path}: no column {', '.join(missing)} (it has: {', '.join(first)})")
    log.inputs[path.name] = sha256(path)
    for number, row in enumerate(rows):
        if len(row) != len(header):
            log.reject(f"{path}, row {number}: {len(row)} fields, the header has {len(header)}")
    return [dict(zip(header, row, strict=True)) if len(row) == len(header) else {} for row in rows]


def listed(cells: Cells, name: str) -> list[Any]:
    """Return the Python list in a cell; None stands for NaN. Raises DataError."""
    text = cells[canonical(name)]
    try:
        found = safe_literals.value(_NAN.sub("None", _NUMPY.sub(r"\1", text.strip())))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        found = None
    if not isinstance(found, list | tuple):
        raise DataError(f"{name} is {quoted(text)}, allowed is a list such as [1, 2]")
    return list(found)


def numbers(cells: Cells, name: str, count: int) -> list[float]:
    """Return the numbers in the Python list of a cell. Raises DataError where they are not `count`."""
    found = [math.nan if value is None else value for value in listed(cells, name)]
    if len(found) != count or not all(isinstance(value, int | float) for value in found):
        raise DataError(f"{name} is {quoted(cells[canonical(name)])}, needed are {count} numbers")
    return list(map(float, found))


def number(cells: Cells, name: str) -> float:
    """Return the number in a cell; NaN where it is empty. Raises DataError."""
    text = cells[canonical(name)]
    try:
        return float(text or "nan")
    except ValueError:
        raise DataError(f"{name} is {quoted(text)}, allowed is a number") from None


def flag(cells: Cells, name: str) -> bool:
    """Return the yes or no in a cell. Raises DataError for anything but 0 and 1."""
    value = number(cells, name)
    if value not in (0, 1):
        raise DataError(f"{name} is {quoted(cells[canonical(name)])}, allowed are 0 and 1")
    return bool(value)
