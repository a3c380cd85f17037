"""The store: one HDF5 file that holds a data set's faces, targets, splits and origin, checksummed, whole or absent.

    images (N, H, W[, 3]) uint8             faces of one size, or
    encoded uint8, offsets (N + 1) int64    picture files of mixed sizes, one after another
    targets/<head>, masks/<head>            CLASS (N,) int16 · DISTRIBUTION (N, K) float32, votes or probabilities as given ·
                                            TAGS (N, K) uint8 · VALUES (N, K) float32; masks (N,) or (N, K) bool
    split (N,) uint8, source, group (N,) text, box (N, 4) int32
    attribute `mien`: JSON with schema, heads, splits, importer, inputs and their SHA-256, what was left out
"""  # fmt: skip

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from . import pictures
from .errors import DataError, StoreError, lookup
from .files import replacing
from .records import Box, Floats, Pixels, Sample, Target
from .tasks import Head, Kind

SCHEMA = 1
SPLITS = ("train", "validation", "test")
Rows = NDArray[np.int64]
_CHUNK = 16
_BATCH = 1024
_NO_BOX = Box(0, 0, 0, 0)


@dataclass(frozen=True)
class Origin:
    """Where a store comes from: importer name and version, input files {name: SHA-256}, options, and what was left out."""

    importer: str
    version: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def write(path: Path, samples: Iterable[Sample], heads: Sequence[Head], origin: Origin) -> Store:
    """Write a store whole or not at all, and open it. `origin` is recorded last, so it may fill while samples stream."""
    with replacing(path) as part:
        with h5py.File(part, "w") as file:
            _append_all(file, iter(samples), heads)
            file.attrs["mien"] = json.dumps(
                {
                    "schema": SCHEMA,
                    "heads": [head.to_dict() for head in heads],
                    "importer": origin.importer,
                    "version": origin.version,
                    "inputs": dict(origin.inputs),
                    "options": dict(origin.options),
                    "left_out": list(origin.left_out),
                }
            )
        Store(part).check()
    return Store(path)


def _append_all(file: h5py.File, samples: Iterator[Sample], heads: Sequence[Head]) -> None:
    batch = list(islice(samples, _BATCH))
    if not batch:
        raise DataError("no samples to import")
    _create(file, batch[0], heads)
    seen: set[str] = set()
    while batch:
        for sample in batch:
            if sample.source in seen:
                raise DataError(f"{sample.source}: appears twice; a source must be unique")
            seen.add(sample.source)
        _append(file, batch, heads)
        batch = list(islice(samples, _BATCH))


def _create(file: h5py.File, first: Sample, heads: Sequence[Head]) -> None:
    def dataset(name: str, dtype: Any, *tail: int, chunk: int = 4096) -> None:
        file.create_dataset(
            name, (0, *tail), dtype, maxshape=(None, *tail), chunks=(chunk, *tail), fletcher32=True
        )  # fmt: skip

    if isinstance(first.image, bytes):
        dataset("encoded", np.uint8, chunk=1 << 18)
        dataset("offsets", np.int64)
        _extend(file["offsets"], np.zeros(1, np.int64))
    else:
        dataset("images", np.uint8, *first.image.shape, chunk=_CHUNK)
    for head in heads:
        dtype = {Kind.CLASS: np.int16, Kind.TAGS: np.uint8}.get(head.kind, np.float32)
        dataset(f"targets/{head.name}", dtype, *(() if head.kind is Kind.CLASS else (len(head),)))
        dataset(f"masks/{head.name}", np.bool_, *((len(head),) if head.kind is Kind.VALUES else ()))
    dataset("split", np.uint8)
    dataset("source", "S200")
    dataset("group", "S64")
    dataset("box", np.int32, 4)


def _append(file: h5py.File, batch: list[Sample], heads: Sequence[Head]) -> None:
    _append_images(file, batch)
    for head in heads:
        values, mask = _encode(batch, head)
        _extend(file[f"targets/{head.name}"], values)
        _extend(file[f"masks/{head.name}"], mask)
    _extend(file["split"], np.array([_split(sample) for sample in batch], np.uint8))
    _extend(file["source"], _text([sample.source for sample in batch], 200))
    _extend(file["group"], _text([sample.group for sample in batch], 64))
    _extend(file["box"], np.array([sample.box or _NO_BOX for sample in batch], np.int32))


def _append_images(file: h5py.File, batch: list[Sample]) -> None:
    if "images" in file:
        shape = file["images"].shape[1:]
        for sample in batch:
            if isinstance(sample.image, bytes) or sample.image.shape != shape:
                raise DataError(f"{sample.source}: the picture is not {shape} like those before it")
        _extend(file["images"], np.stack([sample.image for sample in batch]))
        return
    blobs = []
    for sample in batch:
        if not isinstance(sample.image, bytes):
            raise DataError(f"{sample.source}: decoded pixels among encoded pictures")
        blobs.append(np.frombuffer(sample.image, np.uint8))
    start = int(file["offsets"][-1])
    _extend(file["encoded"], np.concatenate(blobs))
    _extend(file["offsets"], start + np.cumsum([len(blob) for blob in blobs], dtype=np.int64))


def _extend(dataset: Any, values: NDArray[Any]) -> None:
    start = dataset.shape[0]
    dataset.resize(start + len(values), axis=0)
    dataset[start:] = values


def _split(sample: Sample) -> int:
    if sample.split not in SPLITS:
        raise DataError(f"{sample.source}: split '{sample.split}' is none of {', '.join(SPLITS)}")
    return SPLITS.index(sample.split)


def _text(values: list[str], limit: int) -> NDArray[np.bytes_]:
    for value in values:
        if len(value.encode()) > limit:
            raise DataError(f"{value[:60]}…: the name is longer than {limit} bytes")
    return np.array([value.encode() for value in values], f"S{limit}")


def _encode(batch: list[Sample], head: Head) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Targets and mask of a batch, in the store's form."""
    given = [sample.targets.get(head.name) for sample in batch]
    present = np.array([target is not None for target in given])
    if head.kind is Kind.CLASS:
        return np.array([-1 if name is None else head.space.index(str(name)) for name in given], np.int16), present
    rows = np.zeros((len(batch), len(head)), np.float32)
    mask = np.zeros_like(rows, dtype=np.bool_)
    for row, marks, target in zip(rows, mask, given, strict=True):
        for name, value in _items(target):
            row[head.space.index(name)] = value
            marks[head.space.index(name)] = True
    if head.kind is Kind.VALUES:
        return rows, mask
    return rows.astype(np.uint8 if head.kind is Kind.TAGS else np.float32), present


def _items(target: Target | None) -> Iterable[tuple[str, float]]:
    if target is None:
        return ()
    return target.items() if isinstance(target, Mapping) else ((name, 1.0) for name in target)


class Store:
    """A store opened for reading. It holds no open file: every read opens, reads and closes, so it may be pickled."""

    def __init__(self, path: str | Path) -> None:
        """Read the store's description. Raises StoreError for a missing, foreign or damaged file."""
        self.path = Path(path)
        with self._open() as file:
            if "mien" not in file.attrs:
                raise StoreError(f"{path}: an HDF5 file, but no store of mien (import with `mien data import`)")
            self.meta: dict[str, Any] = json.loads(file.attrs["mien"])
            if self.meta["schema"] != SCHEMA:
                raise StoreError(f"{path}: schema {self.meta['schema']}, this version reads {SCHEMA}; import again")
            self.image_shape: tuple[int, ...] | None = file["images"].shape[1:] if "images" in file else None
            self._split = file["split"][:]
        self.heads = tuple(Head.from_dict(table) for table in self.meta["heads"])

    def __len__(self) -> int:
        return len(self._split)

    def _open(self) -> h5py.File:
        if not self.path.is_file():
            raise StoreError(f"{self.path}: no such store")
        try:
            return h5py.File(self.path, "r")
        except OSError as error:
            raise StoreError(f"{self.path}: not a readable HDF5 file: {error}") from None

    def rows(self, split: str = "") -> Rows:
        """Row numbers of a split, ascending; all rows for ''. Raises StoreError where the split is empty."""
        if not split:
            return np.arange(len(self))
        lookup({name: name for name in SPLITS}, split, "split")
        found = np.flatnonzero(self._split == SPLITS.index(split))
        if not len(found):
            there = [name for name in SPLITS if (self._split == SPLITS.index(name)).any()]
            raise StoreError(f"{self.path}: split '{split}' is empty (there are: {', '.join(there)})")
        return found

    def images(self, rows: Rows) -> Pixels | list[Pixels]:
        """Faces of some rows, in their order: uint8 (n, H, W[, 3]), or a list of arrays where sizes are mixed."""
        if self.image_shape is not None:
            return np.asarray(self._read("images", rows), np.uint8)
        with self._open() as file:
            offsets = file["offsets"][:]
            blobs = [file["encoded"][offsets[row] : offsets[row + 1]].tobytes() for row in rows]
        return [pictures.decode(blob, source) for blob, source in zip(blobs, self.texts("source", rows), strict=True)]

    def target(self, head: Head, rows: Rows) -> Floats:
        """Targets of a head as float32 (n, K), in the order of the *head's* labels; NaN where nobody annotated.

        CLASS gives one-hot rows, DISTRIBUTION probabilities that sum to 1 over the labels both sides know.
        """
        mine = self.head(head.name)
        values = self._dense(mine, rows)
        columns = head.space.mapping_to(mine.space)
        if all(column is None for column in columns):
            raise StoreError(f"{self.path}: '{head.name}' shares no label with {', '.join(mine.space.labels)}")
        taken = np.stack([np.zeros(len(rows), np.float32) if c is None else values[:, c] for c in columns], axis=1)
        if head.kind in (Kind.CLASS, Kind.DISTRIBUTION):
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
        """Read rows in any order: one slice when they are dense, sorted picks when they are few."""
        with self._open() as file:
            dataset = file[name]
            try:
                low, high = int(rows.min(initial=len(self))), int(rows.max(initial=-1)) + 1
                if high - low <= 4 * len(rows):
                    return np.asarray(dataset[low:high])[rows - low]
                order, back = np.unique(rows, return_inverse=True)
                return np.asarray(dataset[order])[back]
            except OSError:
                raise StoreError(f"{self.path}: '{name}' is damaged (a checksum does not hold); import again") from None

    def check(self) -> None:
        """Read every byte against its checksum and hold the store against its schema. Raises StoreError."""
        with self._open() as file:
            count = len(self)
            wanted = ["source", "group", "box"] + [
                f"{part}/{h.name}" for h in self.heads for part in ("targets", "masks")
            ]
            lengths = {name: file[name].shape[0] if name in file else None for name in wanted}
            lengths["pictures"] = file["images"].shape[0] if "images" in file else file["offsets"].shape[0] - 1
            for name, length in lengths.items():
                if length != count:
                    raise StoreError(f"{self.path}: '{name}' has {length} rows, the split has {count}")
            file.visititems(self._verify)

    def _verify(self, name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            try:
                for start in range(0, item.shape[0], _BATCH * 4 if item.ndim > 1 else 1 << 24):
                    item[start : start + (_BATCH * 4 if item.ndim > 1 else 1 << 24)]
            except OSError:
                raise StoreError(f"{self.path}: '{name}' is damaged (a checksum does not hold); import again") from None
