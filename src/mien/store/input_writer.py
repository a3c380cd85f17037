"""How one input of the samples becomes its parts of a store."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, InputError
from ..media import Modality
from ..records import Item
from .columns import column, extend, one_piece
from .layout import REGION_COLUMNS, path_of

COPIED_AT_ONCE = 1 << 23

#: The source of a sample beside its item of one input; None where it is missing.
Named = Sequence[tuple[str, Item | None]]


class InputWriter:
    """An input being written, batch by batch: as arrays of one shape, or as encoded files, which wait in a
    temporary file in `folder` until their size is known; whichever the first item is."""

    def __init__(self, file: h5py.File, name: str, modality: Modality, folder: Path) -> None:
        self.file, self.name, self.modality = file, name, modality
        self.spool = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  (whoever fills the file closes it)
        self.like: NDArray[Any] | None = None
        self.encoded: bool | None = None
        self.last, self.extent = b"", (0, 0)

    def append(self, batch: Named, rows_before: int) -> None:
        """Add a batch, the first with at least one item; `rows_before`: how many rows the store has
        already. Raises DataError naming the sample."""
        items = [item for _, item in batch if item is not None]
        late = rows_before if self.encoded is None else 0
        if self.encoded is None:
            self.encoded = isinstance(items[0].data, bytes)
        if items:
            self._add_encoded(batch) if self.encoded else self._add("values", self._stacked(batch))
            self._add_regions(batch)
            self._add_points(batch)
        if late or len(items) < len(batch) or self._has("mask"):
            self._add("mask", np.array([item is not None for _, item in batch]), fill=True)
            self.file[self._path("mask")][:late] = False

    def finish(self) -> None:
        """Put the encoded files in their place."""
        if not self.encoded:
            return
        encoded, start = one_piece(self.file, self._path("encoded"), self.spool.tell()), 0
        self.spool.seek(0)
        while piece := self.spool.read(COPIED_AT_ONCE):
            encoded[start : start + len(piece)] = np.frombuffer(piece, np.uint8)
            start += len(piece)

    def _path(self, part: str) -> str:
        return path_of(self.name, part)

    def _has(self, part: str) -> bool:
        return self._path(part) in self.file

    def _add(self, part: str, values: NDArray[Any], fill: Any = None) -> None:
        extend(column(self.file, self._path(part), values.dtype, values.shape[1:], fill), values)

    def _add_encoded(self, batch: Named) -> None:
        extents, checksums = np.zeros((len(batch), 2), np.int64), np.zeros(len(batch), np.uint32)
        for row, (source, item) in enumerate(batch):
            if item is None:
                continue
            if not isinstance(item.data, bytes):
                raise DataError(f"{source}: an array among encoded files of '{self.name}'")
            if item.data != self.last:  # several people in one picture come one after another
                start = self.spool.tell()
                self.last, self.extent = item.data, (start, start + len(item.data))
                self.spool.write(item.data)
            extents[row], checksums[row] = self.extent, zlib.crc32(item.data)
        self._add("extents", extents)
        self._add("checksums", checksums)

    def _stacked(self, batch: Named) -> NDArray[Any]:
        for source, item in batch:
            if self.like is None and item is not None:
                self.like = self._checked(source, item.data)
        assert self.like is not None
        blank = np.zeros_like(self.like)
        arrays = [blank if item is None else item.data for _, item in batch]
        if {getattr(array, "shape", None) for array in arrays} == {self.like.shape}:
            joined = np.concatenate(arrays)
            if joined.dtype == self.like.dtype:
                return joined.reshape(-1, *self.like.shape)
        raise DataError(next(filter(None, (self._misfit(*each) for each in batch))))

    def _checked(self, source: str, array: NDArray[Any]) -> NDArray[Any]:
        try:
            self.modality.check([array])
        except InputError as error:
            raise DataError(f"{source}: {str(error).replace(' 0 ', ' ', 1)}") from None
        return array

    def _misfit(self, source: str, item: Item | None) -> str:
        """What is wrong with an item among those before it; '' where nothing is."""
        assert self.like is not None
        if item is None or not isinstance(item.data, np.ndarray):
            return "" if item is None else f"{source}: an encoded file among arrays of '{self.name}'"
        if (item.data.shape, item.data.dtype) == (self.like.shape, self.like.dtype):
            return ""
        found, wanted = (f"{array.shape} {array.dtype}" for array in (item.data, self.like))
        return f"{source}: the {self.name} is {found}, those before it are {wanted}"

    def _add_regions(self, batch: Named) -> None:
        regions = [None if item is None else item.region for _, item in batch]
        if not self._has("region") and not any(region is not None for region in regions):
            return
        held = REGION_COLUMNS[self.modality.region]
        values = np.full((len(batch), held.width), held.absent, held.dtype)
        for row, region in enumerate(regions):
            if region is None:
                continue
            try:
                values[row] = region
            except (OverflowError, TypeError, ValueError):
                limits = np.iinfo(held.dtype) if held.dtype is np.int32 else np.finfo(held.dtype)
                raise DataError(
                    f"{batch[row][0]}: the region {region} of '{self.name}' must be {held.width} numbers "
                    f"from {limits.min} to {limits.max}"
                ) from None
        self._add("region", values, held.absent or None)

    def _add_points(self, batch: Named) -> None:
        count = next((len(item.points) for _, item in batch if item is not None and len(item.points)), 0)
        if self._has("points"):
            count = self.file[self._path("points")].shape[1]
        if not count:
            return
        values = np.full((len(batch), count, 2), np.nan, np.float32)
        for row, (source, item) in enumerate(batch):
            if item is None or not len(item.points):
                continue
            if len(item.points) != count:
                raise DataError(f"{source}: {len(item.points)} landmarks, those before it have {count}")
            values[row] = item.points
        self._add("points", values, np.nan)
