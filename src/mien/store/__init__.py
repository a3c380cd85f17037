"""The store: one HDF5 file that holds a data set's faces, targets, splits and origin, checksummed, whole or absent.

    images (N, H, W[, 3]) uint8             faces of one size, or
    encoded uint8, offsets (N + 1) int64    picture files of mixed sizes, one after another
    targets/<head>, masks/<head>            CLASS (N,) int16 · DISTRIBUTION (N, K) float32, votes or probabilities as given ·
                                            TAGS (N, K) uint8 · VALUES (N, K) float32; masks (N,) or (N, K) bool
    split (N,) uint8, source, group (N,) text, box (N, 4) int32
    description uint8: JSON with schema, heads, importer, inputs and their SHA-256, options, notes, what was left out;
    attribute `mien`: the schema
"""  # fmt: skip

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from .. import pictures
from ..errors import StoreError, lookup
from ..files import replacing
from ..records import Floats, Pixels, Sample
from ..tasks import Head, Kind
from .writer import DESCRIPTION, SCHEMA, SPLITS, Origin, fill

__all__ = ["SCHEMA", "SPLITS", "Origin", "Rows", "Store", "write"]

Rows = NDArray[np.int64]
_STEP_BYTES = 1 << 20
_GAP_BYTES = 1 << 16  # skipping less than this takes longer than reading it


def write(path: Path, samples: Iterable[Sample], heads: Sequence[Head], origin: Origin) -> Store:
    """Write a store whole or not at all, and open it. `origin` is recorded last, so it may fill while samples stream."""
    if path.is_dir():
        raise StoreError(f"{path}: a folder; a store is a file, such as {path / 'faces.h5'}")
    try:
        with replacing(path) as part:
            # Format 1.10 checksums the metadata too, and every HDF5 since 2016 reads it.
            with h5py.File(part, "w", libver=("v110", "v110")) as file:
                fill(file, samples, heads, origin)
            Store(part).check()
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from None
    return Store(path)


class Store:
    """A store opened for reading. It holds no open file: every read opens, reads and closes, so it may be pickled."""

    def __init__(self, path: str | Path) -> None:
        """Read the store's description. Raises StoreError for a missing, foreign or damaged file."""
        self.path = Path(path)
        with self._open() as file:
            self.meta: dict[str, Any] = self._description(file)
            self.image_shape: tuple[int, ...] | None = file["images"].shape[1:] if "images" in file else None
            self._split = file["split"][:]
        self.heads = tuple(Head.from_dict(table) for table in self.meta["heads"])

    def __len__(self) -> int:
        return len(self._split)

    def _description(self, file: h5py.File) -> dict[str, Any]:
        if "mien" not in file.attrs:
            raise StoreError(f"{self.path}: an HDF5 file, but no store of mien (import with `mien data import`)")
        if file.attrs["mien"] != SCHEMA:
            raise StoreError(f"{self.path}: of another schema than this version reads ({SCHEMA}); import again")
        meta: dict[str, Any] = json.loads(file[DESCRIPTION][:].tobytes())
        return meta

    @contextmanager
    def _open(self, part: str = "") -> Iterator[h5py.File]:
        """Open for one read; what HDF5 cannot read becomes one line that names the part."""
        if not self.path.is_file():
            raise StoreError(f"{self.path}: no such store")
        try:
            file = h5py.File(self.path, "r")
        except OSError as error:
            raise StoreError(f"{self.path}: not a readable HDF5 file: {error}") from None
        try:
            with file:
                yield file
        except (OSError, KeyError, RuntimeError):
            what = f"'{part}'" if part else "it"
            raise StoreError(f"{self.path}: {what} is damaged (missing, or a checksum fails); import again") from None

    def rows(self, split: str = "") -> Rows:
        """Row numbers of a split, ascending; all rows for ''. Raises StoreError where the split is empty."""
        if not split:
            return np.arange(len(self))
        lookup({name: name for name in SPLITS}, split, "split")
        found = np.flatnonzero(self._split == SPLITS.index(split))
        if not len(found):
            raise StoreError(f"{self.path}: split '{split}' is empty (there are: {', '.join(self.splits)})")
        return found

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that have rows."""
        return tuple(name for code, name in enumerate(SPLITS) if (self._split == code).any())

    def images(self, rows: Rows) -> Pixels | list[Pixels]:
        """Faces of some rows, in their order: uint8 (n, H, W[, 3]), or a list of arrays where sizes are mixed."""
        if self.image_shape is not None:
            return np.asarray(self._read("images", rows), np.uint8)
        starts, ends = self._read("offsets", rows), self._read("offsets", rows + 1)
        with self._open("encoded") as file:
            blobs = [file["encoded"][start:end].tobytes() for start, end in zip(starts, ends, strict=True)]
        return [pictures.decode(blob, source) for blob, source in zip(blobs, self.texts("source", rows), strict=True)]

    def target(self, head: Head, rows: Rows) -> Floats:
        """Targets of a head as float32 (n, K), in the order of the *head's* labels; NaN where nobody annotated.

        CLASS gives one-hot rows, DISTRIBUTION probabilities that sum to 1 over the labels both sides know. A label the
        store does not know gets 0 in these two kinds, NaN in the others.
        """
        mine = self.head(head.name)
        values = self._dense(mine, rows)
        columns = head.space.mapping_to(mine.space)
        if all(column is None for column in columns):
            raise StoreError(f"{self.path}: '{head.name}' shares no label with {', '.join(mine.space.labels)}")
        exclusive = head.kind in (Kind.CLASS, Kind.DISTRIBUTION)
        unknown = np.full(len(rows), 0 if exclusive else np.nan, np.float32)
        taken = np.stack([unknown if column is None else values[:, column] for column in columns], axis=1)
        if exclusive:
            with np.errstate(invalid="ignore"):
                return np.asarray(taken / taken.sum(axis=1, keepdims=True), np.float32)
        return taken

    def votes(self, name: str, rows: Rows) -> Floats:
        """What the annotators gave for a DISTRIBUTION, not normalised: float32 (n, K), NaN where absent."""
        return self._dense(self.head(name), rows)

    def head(self, name: str) -> Head:
        """The store's own description of a target. Raises StoreError naming those it has."""
        for head in self.heads:
            if head.name == name:
                return head
        raise StoreError(f"{self.path}: has no target '{name}' (it has: {', '.join(head.name for head in self.heads)})")

    def _dense(self, head: Head, rows: Rows) -> Floats:
        values, mask = self._read(f"targets/{head.name}", rows), self._read(f"masks/{head.name}", rows)
        if head.kind is Kind.CLASS:
            values = np.eye(len(head), dtype=np.float32)[values]
        absent = ~mask if head.kind is Kind.VALUES else np.broadcast_to(~mask[:, None], values.shape)
        return np.where(absent, np.float32(np.nan), values.astype(np.float32))

    def texts(self, name: str, rows: Rows) -> list[str]:
        """The 'source' or 'group' of some rows."""
        return [value.decode() for value in self._read(name, rows)]

    def _read(self, name: str, rows: Rows) -> NDArray[Any]:
        """Read rows in any order, repeats included: one slice for each stretch that lies close together."""
        with self._open(name) as file:
            dataset = file[name]
            if not len(rows):
                return np.asarray(dataset[:0])
            if rows.min() < 0 or rows.max() >= len(dataset):
                wanted = f"rows {rows.min()} to {rows.max()}"
                raise StoreError(f"{self.path}: {wanted} asked for, it has 0 to {len(self) - 1}")
            order, back = np.unique(rows, return_inverse=True)
            close = max(1, _GAP_BYTES // _width(dataset))
            stretches = np.split(order, np.flatnonzero(np.diff(order) > close) + 1)
            parts = [_picked(dataset[stretch[0] : stretch[-1] + 1], stretch - stretch[0]) for stretch in stretches]
            found = parts[0] if len(parts) == 1 else np.concatenate(parts)
            return _picked(found, back)

    def check(self) -> None:
        """Hold the store against its schema and every byte against its checksum. Raises StoreError."""
        images = ["offsets", "encoded"] if self.image_shape is None else ["images"]
        targets = [f"{part}/{head.name}" for head in self.heads for part in ("targets", "masks")]
        for name in (*images[:1], *targets, "source", "group", "box"):
            with self._open(name) as file:
                length = len(file[name]) - (name == "offsets")
            if length != len(self):
                raise StoreError(f"{self.path}: '{name}' has {length} rows, the split has {len(self)}")
        for name in (*images, *targets, "source", "group", "box"):
            self._verify(name)
        self._hold_schema()

    def _verify(self, name: str) -> None:
        with self._open(name) as file:
            dataset = file[name]
            step = max(1, _STEP_BYTES // _width(dataset))
            for start in range(0, len(dataset), step):
                dataset[start : start + step]

    def _hold_schema(self) -> None:
        if self._split.max(initial=0) >= len(SPLITS):
            raise StoreError(f"{self.path}: 'split' holds {self._split.max()}, allowed are 0 to {len(SPLITS) - 1}")
        for head in self.heads:
            values = self._read(f"targets/{head.name}", self.rows())
            if values.shape[1:] != (() if head.kind is Kind.CLASS else (len(head),)):
                raise StoreError(f"{self.path}: 'targets/{head.name}' is {values.shape}, it needs {len(head)} columns")
            if head.kind is Kind.CLASS and not ((values >= -1) & (values < len(head))).all():
                raise StoreError(f"{self.path}: 'targets/{head.name}' holds a class outside 0 to {len(head) - 1}")
        if self.image_shape is None:
            with self._open("offsets") as file:
                offsets, size = file["offsets"][:], len(file["encoded"])
            if offsets[0] != 0 or offsets[-1] != size or (np.diff(offsets) < 0).any():
                raise StoreError(f"{self.path}: 'offsets' do not fit the {size} bytes of pictures")


def _width(dataset: h5py.Dataset) -> int:
    """Bytes of a row."""
    width: int = np.prod(dataset.shape[1:], dtype=np.int64).item() * dataset.dtype.itemsize
    return max(1, width)


def _picked(values: NDArray[Any], places: NDArray[np.intp]) -> NDArray[Any]:
    """`values[places]`, without a copy where that is all of them in order."""
    if len(values) == len(places) and (np.diff(places) > 0).all():
        return values
    return np.asarray(values[places])
