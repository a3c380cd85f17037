"""Stores written: whole or not at all, in one go, from parts, or in shards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..errors import DataError, StoreError
from ..files import atomic_write, sha256
from ..records import Sample
from ..tasks import Head
from .checking import check
from .columns import column, end_rows, extend, one_piece
from .input_writer import COPIED_AT_ONCE
from .layout import ITEMS, PARTS, path_of
from .reader import Store
from .writer import Origin, describe, fill, finish


def write(
    path: Path,
    samples: Iterable[Sample],
    heads: Sequence[Head],
    origin: Origin,
    modalities: Mapping[str, str] | None = None,
) -> Store:
    """Write a store whole or not at all, and open it. `origin` is recorded last, so it may fill while
    samples stream. `modalities`: of inputs that do not bear their modality's name. Raises DataError,
    StoreError."""
    with _created(path) as file:
        named = fill(file, samples, heads, path.parent, modalities)
        finish(file, heads, origin, named)
    return Store(path)


def write_part(path: Path, samples: Iterable[Sample], heads: Sequence[Head]) -> None:
    """Write some samples as a part of a store to be joined."""
    with _created(path, checked=False) as file:
        fill(file, samples, heads, path.parent)


def write_joined(
    path: Path, parts: Sequence[Path], heads: Sequence[Head], origin: Origin, files_of: str
) -> Store:
    """Write a store from its parts, in order, without looking into their encoded files; the digest of
    these joins `origin.inputs` under `files_of`."""
    with _created(path) as file:
        digest, names = _join(file, parts)
        origin = replace(origin, inputs={**origin.inputs, files_of: digest})
        finish(file, heads, origin, {name: name for name in names})
    return Store(path)


def _join(file: h5py.File, parts: Sequence[Path]) -> tuple[str, list[str]]:
    """Fill an empty file with the rows of all parts, in order; return the SHA-256 of their sources and
    encoded files, and the names of their inputs."""
    sources, contents = hashlib.sha256(), hashlib.sha256()
    sizes = [_encoded_sizes(path) for path in parts]
    names = list(dict.fromkeys(name for part_sizes in sizes for name in part_sizes))
    totals = {name: sum(part_sizes.get(name) or 0 for part_sizes in sizes) for name in names}
    encoded = {name for part_sizes in sizes for name, size in part_sizes.items() if size is not None}
    places = {
        name: one_piece(file, path_of(name, "encoded"), totals[name]) for name in names if name in encoded
    }
    starts = dict.fromkeys(names, 0)
    partial = any(set(size) != set(names) for size in sizes)
    for path, size in zip(parts, sizes, strict=True):
        with h5py.File(path, "r") as part:
            sources.update(part["source"][:].tobytes())
            for name in [name for name in size if name in places]:
                for place in range(0, size[name] or 0, COPIED_AT_ONCE):
                    piece = part[path_of(name, "encoded")][place : place + COPIED_AT_ONCE]
                    contents.update(piece)
                    places[name][starts[name] + place : starts[name] + place + len(piece)] = piece
            _join_columns(file, part, starts, names if partial else [])
        for name, length in size.items():
            starts[name] += length or 0
    _check_unique(file)
    return hashlib.sha256(sources.digest() + contents.digest()).hexdigest(), names


def _encoded_sizes(path: Path) -> dict[str, int | None]:
    """The bytes of encoded files of each input of a part; None for one that holds arrays."""
    with h5py.File(path, "r") as part:
        return {
            name: len(found["encoded"]) if "encoded" in found else None
            for name, found in part["inputs"].items()
        }


def _join_columns(file: h5py.File, part: h5py.File, starts: Mapping[str, int], masked: Sequence[str]) -> None:
    """Add the columns of a part; `masked`: the inputs that not every part has."""
    offsets = {path_of(name, "extents"): start for name, start in starts.items()}

    def add(name: str, found: Any) -> None:
        if isinstance(found, h5py.Dataset) and not name.endswith("/encoded") and name != "split":
            values = found[:] + offsets.get(name, 0) if name in offsets else found[:]
            extend(column(file, name, values.dtype, values.shape[1:], found.fillvalue or None), values)

    part.visititems(add)
    for name in masked:
        if (mask := path_of(name, "mask")) not in part:
            extend(
                column(file, mask, np.bool_, fill=True), np.full(len(part["split"]), name in part["inputs"])
            )
    end_rows(file, part["split"][:])


def _check_unique(file: h5py.File) -> None:
    found, counts = np.unique(file["source"][:], return_counts=True)
    if (counts > 1).any():
        raise DataError(f"{found[counts.argmax()].decode()}: appears twice; a source must be unique")


def write_shards(path: Path, store: Store, shards: int) -> Store:
    """Split a store: `name-00.h5` … beside `path`, each a store of consecutive rows, and `path` itself
    with everything but the items, written last. On failure all is as it was. Raises StoreError."""
    if not 1 <= shards <= len(store):
        raise StoreError(
            f"{store.path}: {shards} shards of {len(store)} rows, there must be 1 to {len(store)}"
        )
    names = [path.with_name(f"{path.stem}-{number:02}{path.suffix}") for number in range(shards)]
    if store.path.resolve() in {place.resolve() for place in [path, *names]}:
        raise StoreError(f"{path}: the store that is to be split; choose another name")
    modalities, tables = store.modalities, []
    with ExitStack() as unfinished:
        file = unfinished.enter_context(_created(path))  # begun first: put into place last
        for name, rows in zip(names, np.array_split(store.rows(), shards), strict=True):
            part = unfinished.enter_context(atomic_write(name))
            write(part, store.samples(rows), store.heads, same_origin(store), modalities)
            tables.append({"file": name.name, "faces": len(rows), "sha256": sha256(part)})
        _index(file, store, modalities)
        describe(file, {**store.meta, "modalities": modalities, "shards": tables})
    return Store(path)


def same_origin(store: Store) -> Origin:
    """Return the origin of what is taken from a store: its own. Splits are decided."""
    kept = {field.name: store.meta[field.name] for field in fields(Origin) if field.name != "splitting"}
    return Origin(**kept)


def _index(file: h5py.File, store: Store, names: Iterable[str]) -> None:
    """Fill an empty file with everything but the items."""
    with store.open() as source:
        for name in ("split", "source", "group", "targets", "masks", "attributes"):
            if name in source:
                source.copy(name, file)
        for name in names:
            file.create_group(f"inputs/{name}")
            for part in PARTS:
                place = path_of(name, part, store.schema)
                if part not in ITEMS and place in source:
                    source.copy(place, file, path_of(name, part))


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
