"""Where each part of a store lies in its HDF5 file, in this schema and in the one before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import StoreError
from ..records import Box, Span

Rows = NDArray[np.int64]
SCHEMA = 3
#: The schema of stores written before there were inputs: one picture a sample. It is read, never written.
EARLIER = 2
DESCRIPTION = "description"
#: The parts of an input that hold its items; the others say more of each row.
ITEMS = ("values", "encoded", "extents", "checksums")
PARTS = (*ITEMS, "region", "points", "mask")
_EARLIER = {
    "values": "images",
    "encoded": "encoded",
    "extents": "extents",
    "checksums": "checksums",
    "region": "box",
    "points": "landmarks",
}


@dataclass(frozen=True)
class RegionColumn:
    """How a kind of region is held, a row each: its numbers' type, how many, and the number that stands
    for no region."""

    dtype: Any
    width: int
    absent: float


REGION_COLUMNS: dict[type[Any] | None, RegionColumn] = {
    Box: RegionColumn(np.int32, len(Box._fields), 0),
    Span: RegionColumn(np.float64, len(Span._fields), np.nan),
}


def checked_rows(rows: Any, count: int, path: Path) -> Rows:
    """Row numbers as an array, from any sequence of them. Raises StoreError for others than the `count`
    that the store `path` has."""
    found: Rows = np.asarray(rows)
    if found.ndim != 1 or (len(found) and found.dtype.kind not in "iu"):
        raise StoreError(f"{path}: rows are a list of whole numbers from 0 to {count - 1}")
    if len(found) and (found.min() < 0 or found.max() >= count):
        wanted = f"rows {found.min()} to {found.max()}"
        raise StoreError(f"{path}: {wanted} asked for, it has 0 to {count - 1}")
    return found.astype(np.int64, copy=False)


def path_of(name: str, part: str, schema: int = SCHEMA) -> str:
    """The path of one part of an input in a store of that schema; a part that it does not know is ''."""
    return f"inputs/{name}/{part}" if schema == SCHEMA else _EARLIER.get(part, "")
