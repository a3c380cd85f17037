"""One input of a store: its items, the regions and points that are meant, and where it is missing."""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
from numpy.typing import NDArray

from ..errors import StoreError, lookup
from ..media import MODALITIES
from ..records import Floats, Item, Items
from .layout import PARTS, REGION_COLUMNS, Rows, checked_rows, path_of

Layout = tuple[tuple[int, ...], np.dtype[Any]]


class Columns(Protocol):
    """What an input asks of the store that it belongs to."""

    path: Path
    schema: int
    shards: tuple[Any, ...]

    def read(self, name: str, rows: Rows) -> NDArray[Any]:
        """Read a column of the file by its path."""

    def __len__(self) -> int: ...


class StoredInput:
    """An input of a store, ready to be read by rows in any order. `parts`: those of its parts that the
    file has."""

    def __init__(self, store: Columns, file: h5py.File, name: str, modality: str) -> None:
        """Look at the input's parts. Raises StoreError for a modality that this version does not know."""
        self.name = name
        self.modality = lookup(MODALITIES, modality, f"modality of input '{name}' of {store.path}")
        self.modality_name = modality
        self._store = store
        self.parts = {part: path for part in PARTS if (path := path_of(name, part, store.schema)) in file}
        values = file[self.parts["values"]] if "values" in self.parts else None
        self._layout: Layout | None = None if values is None else (values.shape[1:], values.dtype)
        self._encoded = _Encoded(file, self.parts) if "extents" in self.parts else None

    def data(self, rows: Rows) -> Any:
        """Items of some rows, in their order: an array (n, ...), or a list of decoded items where they are
        encoded (None where one is missing)."""
        if self._store.shards:
            found = self._gathered(rows, "data")
            return found if self.is_encoded or not found else np.stack(found)
        if self._layout is not None:
            return self._store.read(self.parts["values"], rows)
        decode = self.modality.decode
        return [
            decode(blob, f"{self._store.path}, row {row}") if blob else None
            for blob, row in self._blobs(rows)
        ]

    def encoded(self, rows: Rows) -> list[bytes]:
        """The files of some rows as they were imported, b'' where one is missing. Raises StoreError for a
        store of arrays, or a damaged one."""
        if self._store.shards:
            return self._gathered(rows, "encoded")
        if self._encoded is None:
            raise StoreError(f"{self._store.path}: holds arrays, not encoded files, of '{self.name}'")
        return [blob for blob, _ in self._blobs(rows)]

    def regions(self, rows: Rows) -> NDArray[Any] | None:
        """Regions of some rows, (n, 4) or (n, 2); zeros or NaN where there is none, None if nobody has
        any."""
        return self._store.read(self.parts["region"], rows) if "region" in self.parts else None

    def points(self, rows: Rows) -> Floats | None:
        """Points of some rows in pixels, float32 (n, P, 2); NaN where there are none, None if nobody has
        any."""
        return (
            np.asarray(self._store.read(self.parts["points"], rows), np.float32)
            if "points" in self.parts
            else None
        )

    def present(self, rows: Rows) -> NDArray[np.bool_] | None:
        """Which of some rows have this input, (n,); None where all have."""
        return (
            np.asarray(self._store.read(self.parts["mask"], rows), np.bool_) if "mask" in self.parts else None
        )

    def items(self, rows: Rows) -> Items:
        """All that is known of this input of some rows."""
        return Items(self.data(rows), self.regions(rows), self.points(rows), self.present(rows))

    def given(self, rows: Rows) -> list[Item | None]:
        """The items of some rows as they were given to `store.write`; None where one is missing."""
        data = self.encoded(rows) if self.is_encoded else self.data(rows)
        regions, points, present = self.regions(rows), self.points(rows), self.present(rows)
        kind = self.modality.region
        absent = REGION_COLUMNS[kind].absent if kind else 0
        found: list[Item | None] = []
        for k in range(len(rows)):
            region = None
            if kind is not None and regions is not None and not _is_absent(regions[k], absent):
                region = kind(*regions[k].tolist())
            known = points is not None and not np.isnan(points[k]).all()
            item = Item(data[k], region, points[k].tolist() if known and points is not None else ())
            found.append(item if present is None or present[k] else None)
        return found

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Shape of one item where all are arrays of one shape, None where they are encoded."""
        return self._array_layout and self._array_layout[0]

    @property
    def item_bytes(self) -> int | None:
        """Bytes of one item where all are arrays of one shape, None where they are encoded."""
        return self._array_layout and math.prod(self._array_layout[0]) * self._array_layout[1].itemsize

    @property
    def is_encoded(self) -> bool:
        """Whether its items are encoded files rather than arrays of one shape."""
        return self.shape is None

    @property
    def _array_layout(self) -> Layout | None:
        """Shape and type of one item where all are arrays; of a store of shards, those of the first."""
        holder: StoredInput = self._store.shards[0].inputs[self.name] if self._store.shards else self
        return holder._layout

    def _gathered(self, rows: Rows, method: str) -> list[Any]:
        """What each row's shard holds of it, in the order of the rows."""
        rows = checked_rows(rows, len(self._store), self._store.path)
        found: list[Any] = [None] * len(rows)
        start = 0
        for shard in self._store.shards:
            places = np.flatnonzero((rows >= start) & (rows < start + len(shard)))
            if len(places):
                items = getattr(shard.inputs[self.name], method)(rows[places] - start)
                for place, item in zip(places, items, strict=True):
                    found[place] = item
            start += len(shard)
        return found

    def _blobs(self, rows: Rows) -> Iterator[tuple[bytes, int]]:
        assert self._encoded is not None
        path = self._store.path
        with path.open("rb", buffering=0) as file:
            for row in checked_rows(rows, len(self._encoded.extents), path).tolist():
                if (blob := self._encoded.read(file.fileno(), row)) is None:
                    raise StoreError(f"{path}: '{self.name}' of row {row} is damaged; import again")
                yield blob, row


def _is_absent(region: NDArray[Any], absent: float) -> bool:
    return bool(np.isnan(region).all() if np.isnan(absent) else not region.any())


class _Encoded:
    """Where the encoded files of an input lie, so that any thread or process can read one without HDF5."""

    def __init__(self, file: h5py.File, parts: dict[str, str]) -> None:
        self.extents, self.checksums = file[parts["extents"]][:], file[parts["checksums"]][:]
        self.place = file[parts["encoded"]].id.get_offset() or 0  # None where there are no bytes

    def read(self, handle: int, row: int) -> bytes | None:
        """The bytes of a row; None if they are not what they were."""
        start, end = self.extents[row].tolist()
        blob = os.pread(handle, end - start, self.place + start)
        return blob if zlib.crc32(blob) == self.checksums[row] else None
