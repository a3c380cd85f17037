"""A store opened for reading."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ..errors import StoreError, lookup
from ..records import Floats, Pixels, Sample, Target
from ..tasks import Head, Kind
from .layout import DESCRIPTION, EARLIER, SCHEMA, Rows, checked_rows
from .splits import SPLITS
from .stored_input import StoredInput
from .targets import decode

_AT_ONCE = 256
_GAP_BYTES = 1 << 16  # skipping less than this takes longer than reading it


class Store:
    """A store opened for reading. It holds no open file: every read opens, reads and closes, so it may be
    pickled.

    `inputs`: what a sample is made of, by name. `shards`: the stores that hold its items, in the order of
    its rows; none where it holds them itself.
    """

    def __init__(self, path: str | Path) -> None:
        """Read the store's description. Raises StoreError for a missing, foreign or damaged file."""
        self.path = Path(path)
        with self.open() as file:
            self.schema = self._schema(file)
            self.meta: dict[str, Any] = json.loads(file[DESCRIPTION][:].tobytes())
            self._split = file["split"][:]
            self.attributes: tuple[str, ...] = tuple(file.get("attributes", ()))
            modalities = self.meta.get("modalities", {"image": "image"})
            self.inputs = {name: StoredInput(self, file, name, kind) for name, kind in modalities.items()}
        self.shards = tuple(self._shard(**table) for table in self.meta.get("shards", ()))
        self.heads = tuple(Head.from_dict(table) for table in self.meta["heads"])

    def __len__(self) -> int:
        return len(self._split)

    @property
    def modalities(self) -> dict[str, str]:
        """The modality of each input, by its name."""
        return {name: stored.modality_name for name, stored in self.inputs.items()}

    def _schema(self, file: h5py.File) -> int:
        if "mien" not in file.attrs:
            raise StoreError(
                f"{self.path}: an HDF5 file, but no store of mien (import with `mien data import`)"
            )
        if file.attrs["mien"] not in (SCHEMA, EARLIER):
            raise StoreError(
                f"{self.path}: of another schema than this version reads ({EARLIER} and {SCHEMA}); "
                "import again"
            )
        return int(file.attrs["mien"])

    def _shard(self, file: str, faces: int, sha256: str) -> Store:  # noqa: ARG002  (`check` compares the file with its digest)
        shard = _Shard(self.path.with_name(file))
        if len(shard) != faces:
            raise StoreError(
                f"{shard.path}: holds {len(shard)} rows, {self.path.name} was split with {faces} there"
            )
        return shard

    def input(self, name: str) -> StoredInput:
        """The input of that name. Raises StoreError naming those it has."""
        if name not in self.inputs:
            raise StoreError(f"{self.path}: has no input '{name}' (it has: {', '.join(self.inputs)})")
        return self.inputs[name]

    @contextmanager
    def open(self, part: str = "") -> Iterator[h5py.File]:
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
            raise StoreError(
                f"{self.path}: {what} is damaged (missing, or a checksum fails); import again"
            ) from None

    def rows(self, split: str = "") -> Rows:
        """Row numbers of a split, ascending; all rows for ''. Raises StoreError for an unknown or empty
        split."""
        if not split:
            return np.arange(len(self))
        lookup({name: name for name in SPLITS}, split, "split", StoreError)
        found = np.flatnonzero(self._split == SPLITS.index(split))
        if not len(found):
            raise StoreError(f"{self.path}: split '{split}' is empty (there are: {', '.join(self.splits)})")
        return found

    def rows_with(self, names: Iterable[str], rows: Rows) -> Rows:
        """Keep those of some rows that have at least one of these inputs. Raises StoreError where the
        store has none of them."""
        known = [name for name in names if name in self.inputs]
        if not known:
            self.input(next(iter(names)))
        masks = [mask for name in known if (mask := self.inputs[name].present(rows)) is not None]
        return rows[np.any(masks, axis=0)] if len(masks) == len(known) else rows

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that have rows."""
        return tuple(name for code, name in enumerate(SPLITS) if (self._split == code).any())

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        """Shape of the pictures of input `image` where all are pixels of one size, else None."""
        return self.input("image").shape

    def images(self, rows: Rows) -> Pixels | list[Pixels]:
        """Pictures of some rows, in their order: uint8 (n, H, W[, 3]), or a list of arrays where sizes are
        mixed."""
        pictures: Pixels | list[Pixels] = self.input("image").data(rows)
        return pictures

    def encoded(self, rows: Rows) -> list[bytes]:
        """The picture files of some rows as they were imported. Raises StoreError for a store of pixels,
        or a damaged one."""
        return self.input("image").encoded(rows)

    def boxes(self, rows: Rows) -> NDArray[np.int32]:
        """Boxes of some rows, int32 (n, 4): left, top, width, height; zeros where there is none."""
        boxes = self.input("image").regions(rows)
        return np.zeros((len(rows), 4), np.int32) if boxes is None else np.asarray(boxes, np.int32)

    def landmarks(self, rows: Rows) -> Floats | None:
        """Landmarks of some rows in pixels, float32 (n, P, 2); NaN where there are none, None if nobody
        has any."""
        return self.input("image").points(rows)

    def attribute(self, name: str, rows: Rows) -> list[str]:
        """Values of an attribute of some rows: gender, age …; '' where nothing is. Raises StoreError."""
        lookup(dict.fromkeys(self.attributes), name, f"attribute of {self.path}", StoreError)
        return self._texts(f"attributes/{name}", rows)

    def samples(self, rows: Rows) -> Iterator[Sample]:
        """Everything that is known of some rows, as it was given to `write`."""
        for start in range(0, len(rows), _AT_ONCE):
            yield from self._samples(rows[start : start + _AT_ONCE])

    def _samples(self, rows: Rows) -> list[Sample]:
        inputs = {name: stored.given(rows) for name, stored in self.inputs.items()}
        targets = {head.name: self._given(head, rows) for head in self.heads}
        attributes = {name: self.attribute(name, rows) for name in self.attributes}
        sources, groups = self.texts("source", rows), self.texts("group", rows)
        return [
            Sample(
                {name: item for name, items in inputs.items() if (item := items[k]) is not None},
                {name: target for name, values in targets.items() if (target := values[k]) is not None},
                SPLITS[self._split[row]],
                sources[k],
                groups[k],
                {name: values[k] for name, values in attributes.items() if values[k]},
            )
            for k, row in enumerate(rows)
        ]

    def _given(self, head: Head, rows: Rows) -> list[Target | None]:
        return decode(self.read(f"targets/{head.name}", rows), self.read(f"masks/{head.name}", rows), head)

    def target(self, head: Head, rows: Rows) -> Floats:
        """Targets of a head as float32 (n, K), in the order of the *head's* labels; NaN where nobody
        annotated.

        CLASS gives one-hot rows, DISTRIBUTION probabilities that sum to 1 over the labels both sides know.
        A label the store does not know gets 0 in these two kinds, NaN in the others.
        """
        mine = self.head(head.name)
        values = self._dense(mine, rows)
        columns = head.space.mapping_to(mine.space)
        if all(column is None for column in columns):
            raise StoreError(
                f"{self.path}: '{head.name}' shares no label with {', '.join(mine.space.labels)}"
            )
        exclusive = head.kind.is_exclusive
        unknown = np.full(len(rows), 0 if exclusive else np.nan, np.float32)
        taken = np.stack([unknown if column is None else values[:, column] for column in columns], axis=1)
        if exclusive:
            with np.errstate(invalid="ignore"):
                return np.asarray(taken / taken.sum(axis=1, keepdims=True), np.float32)
        return taken

    def annotations(self, name: str, rows: Rows) -> Floats:
        """Read a target as it was annotated: float32 (n, K) in the order of the store's labels, NaN: nobody
        did.

        CLASS gives one-hot rows, DISTRIBUTION votes or shares (not normalised), TAGS 0 or 1, VALUES
        numbers in the store's units.
        """
        return self._dense(self.head(name), rows)

    def head(self, name: str) -> Head:
        """The store's own description of a target. Raises StoreError naming those it has."""
        for head in self.heads:
            if head.name == name:
                return head
        raise StoreError(
            f"{self.path}: has no target '{name}' (it has: {', '.join(head.name for head in self.heads)})"
        )

    def _dense(self, head: Head, rows: Rows) -> Floats:
        values, mask = self.read(f"targets/{head.name}", rows), self.read(f"masks/{head.name}", rows)
        if head.kind is Kind.CLASS:
            values = np.eye(len(head), dtype=np.float32)[values]
        absent = ~mask if head.kind is Kind.VALUES else np.broadcast_to(~mask[:, None], values.shape)
        return np.where(absent, np.float32(np.nan), values.astype(np.float32))

    def texts(self, name: str, rows: Rows) -> list[str]:
        """The 'source' or 'group' of some rows. Raises StoreError for another name."""
        lookup(dict.fromkeys(("source", "group")), name, f"text of {self.path}", StoreError)
        return self._texts(name, rows)

    def _texts(self, name: str, rows: Rows) -> list[str]:
        return [value.decode() for value in self.read(name, rows)]

    def read(self, name: str, rows: Rows) -> NDArray[Any]:
        """A data set of the file by name, rows in any order, repeats too: one slice for each stretch that
        lies close together."""
        with self.open(name) as file:
            dataset = file[name]
            rows = checked_rows(rows, len(dataset), self.path)
            if not len(rows):
                return np.asarray(dataset[:0])
            order, back = np.unique(rows, return_inverse=True)
            close = max(1, _GAP_BYTES // row_bytes(dataset))
            stretches = np.split(order, np.flatnonzero(np.diff(order) > close) + 1)
            parts = [
                _picked(dataset[stretch[0] : stretch[-1] + 1], stretch - stretch[0]) for stretch in stretches
            ]
            found = parts[0] if len(parts) == 1 else np.concatenate(parts)
            return _picked(found, back)


class _Shard(Store):
    """A store that holds its pictures itself."""

    def _shard(self, file: str, faces: int, sha256: str) -> Store:  # noqa: ARG002
        raise StoreError(f"{self.path}: a split store, where a shard of one is expected; split again")


def row_bytes(dataset: h5py.Dataset) -> int:
    """Bytes of a row."""
    size: int = np.prod(dataset.shape[1:], dtype=np.int64).item() * dataset.dtype.itemsize
    return max(1, size)


def _picked(values: NDArray[Any], places: NDArray[np.intp]) -> NDArray[Any]:
    """`values[places]`, without a copy where that is all of them in order."""
    if len(values) == len(places) and (np.diff(places) > 0).all():
        return values
    return np.asarray(values[places])
