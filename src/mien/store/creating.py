"""The store: one HDF5 file that holds a data set's faces, targets, splits and origin, checksummed, whole or absent.

    images (N, H, W[, 3]) uint8             faces of one size, or
    encoded (M,) uint8                      picture files of mixed sizes, one after another, in one piece;
    extents (N, 2) int64, checksums (N,)    where each row's begins and ends (rows may share one), and its CRC-32
    targets/<head>, masks/<head>            CLASS (N,) int16 · DISTRIBUTION (N, K) float32, votes or probabilities as given ·
                                            TAGS (N, K) uint8 · VALUES (N, K) float32; masks (N,) or (N, K) bool
    split (N,) uint8, source, group (N,) text, box (N, 4) int32
    landmarks (N, P, 2) float32, attributes/<name> (N,) text, where a data set has them
    description uint8: JSON with schema, heads, importer, inputs and their SHA-256, options, notes, what was left out;
    attribute `mien`: the schema

A split store is one without pictures: its description names the stores beside it that hold them, with their SHA-256.
"""  # fmt: skip

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np

from ..errors import StoreError
from ..files import atomic_write, sha256
from ..records import Sample
from ..tasks import Head
from .checking import check
from .joining import join
from .reader import Store
from .sharding import index, same_origin
from .writer import Origin, fill, finish


def write(path: Path, samples: Iterable[Sample], heads: Sequence[Head], origin: Origin) -> Store:
    """Write a store whole or not at all, and open it. `origin` is recorded last, so it may fill while samples stream."""
    with _created(path) as file:
        fill(file, samples, heads, path.parent)
        finish(file, heads, origin)
    return Store(path)


def write_part(path: Path, samples: Iterable[Sample], heads: Sequence[Head]) -> None:
    """Write some samples with encoded pictures as a part of a store to be joined."""
    with _created(path, checked=False) as file:
        fill(file, samples, heads, path.parent)


def write_joined(path: Path, parts: Sequence[Path], heads: Sequence[Head], origin: Origin, pictures_of: str) -> Store:
    """Write a store from its parts, in order; the digest of their pictures joins `origin.inputs` under `pictures_of`."""
    with _created(path) as file:
        origin = replace(origin, inputs={**origin.inputs, pictures_of: join(file, parts)})
        finish(file, heads, origin)
    return Store(path)


def write_shards(path: Path, store: Store, shards: int) -> Store:
    """Split a store: `name-00.h5` … beside `path`, each a store of consecutive rows, and `path` itself with everything but the
    pictures, written last. Raises StoreError."""
    if not 1 <= shards <= len(store):
        raise StoreError(f"{store.path}: {shards} shards of {len(store)} faces, there must be 1 to {len(store)}")
    names = [path.with_name(f"{path.stem}-{number:02}{path.suffix}") for number in range(shards)]
    if store.path.resolve() in {place.resolve() for place in [path, *names]}:
        raise StoreError(f"{path}: the store that is to be split; choose another name")
    tables = []
    for name, rows in zip(names, np.array_split(store.rows(), shards), strict=True):
        write(name, store.samples(rows), store.heads, same_origin(store))
        tables.append({"file": name.name, "faces": len(rows), "sha256": sha256(name)})
    with _created(path) as file:
        index(file, store, tables)
    return Store(path)


@contextmanager
def _created(path: Path, checked: bool = True) -> Iterator[h5py.File]:
    """A file to be filled, which then takes its place whole; on the way there a store is read back."""
    if path.is_dir():
        raise StoreError(f"{path}: a folder; a store is a file, such as {path / 'faces.h5'}")
    try:
        with atomic_write(path) as part:
            # Format 1.10 checksums the metadata too, and every HDF5 since 2016 reads it.
            with h5py.File(part, "w", libver=("v110", "v110")) as file:
                yield file
            if checked:
                check(Store(part))
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from None
