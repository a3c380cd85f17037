"""Where each part of a store lies in its HDF5 file, in this schema and in the one before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def path_of(name: str, part: str, schema: int = SCHEMA) -> str:
    """The path of one part of an input in a store of that schema; a part that it does not know is ''."""
    return f"inputs/{name}/{part}" if schema == SCHEMA else _EARLIER.get(part, "")
