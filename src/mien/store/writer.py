"""How samples become the data sets of a store; `store.write` is the door."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..records import Sample, Target
from ..tasks import Head, Kind

SCHEMA = 1
DESCRIPTION = "description"
SPLITS = ("train", "validation", "test")
_CHUNK = 16
_BATCH = 1024  # also the chunk of narrow columns, so that each is written, and packed, once
_TYPES: dict[Kind, Any] = {Kind.CLASS: np.int16, Kind.TAGS: np.uint8}


@dataclass(frozen=True)
class Origin:
    """Where a store comes from: importer and its version, input files {name: SHA-256}, options, what the importer decided
    (`notes`), and what was left out with the reason."""

    importer: str
    version: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def fill(file: h5py.File, samples: Iterable[Sample], heads: Sequence[Head], origin: Origin) -> None:
    """Put all samples into an empty file, then the description. Raises DataError naming the sample."""
    _append_all(file, iter(samples), heads)
    record = {"schema": SCHEMA, "heads": [head.to_dict() for head in heads], **asdict(origin)}
    text = np.frombuffer(json.dumps(record).encode(), np.uint8)
    # Not an attribute: a long one would lie where HDF5 keeps no checksum, and a flipped bit there can hang the reader.
    file.create_dataset(DESCRIPTION, data=text, chunks=text.shape, fletcher32=True)
    file.attrs["mien"] = SCHEMA


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
    def dataset(name: str, dtype: Any, *tail: int, chunk: int = _BATCH, **packing: Any) -> None:
        file.create_dataset(
            name, (0, *tail), dtype, maxshape=(None, *tail), chunks=(chunk, *tail), fletcher32=True, **packing
        )  # fmt: skip

    if isinstance(first.image, bytes):
        dataset("encoded", np.uint8, chunk=1 << 18)
        dataset("offsets", np.int64)
        _extend(file["offsets"], np.zeros(1, np.int64))
    else:
        dataset("images", np.uint8, *first.image.shape, chunk=_CHUNK)
    for head in heads:
        dataset(f"targets/{head.name}", _TYPES.get(head.kind, np.float32), *_tail(head, head.kind is not Kind.CLASS))
        dataset(f"masks/{head.name}", np.bool_, *_tail(head, head.kind is Kind.VALUES))
    dataset("split", np.uint8)
    dataset("source", "S200", compression="gzip", compression_opts=1)
    dataset("group", "S64", compression="gzip", compression_opts=1)
    dataset("box", np.int32, 4)


def _tail(head: Head, wide: bool) -> tuple[int, ...]:
    return (len(head),) if wide else ()


def _append(file: h5py.File, batch: list[Sample], heads: Sequence[Head]) -> None:
    if "images" in file:
        _extend(file["images"], _stacked(batch, file["images"].shape[1:]))
    else:
        _append_encoded(file, batch)
    for head in heads:
        values, mask = _encode(batch, head)
        _extend(file[f"targets/{head.name}"], values)
        _extend(file[f"masks/{head.name}"], mask)
    _extend(file["split"], np.array([_split(sample) for sample in batch], np.uint8))
    _extend(file["source"], _text([sample.source for sample in batch], 200))
    _extend(file["group"], _text([sample.group for sample in batch], 64))
    _extend(file["box"], _boxes(batch))


def _stacked(batch: list[Sample], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    images: list[Any] = [sample.image for sample in batch]
    if {getattr(image, "shape", None) for image in images} == {shape}:
        joined = np.concatenate(images)
        if joined.dtype == np.uint8:
            return joined.reshape(-1, *shape)
    raise DataError(next(filter(None, (_misfit(sample, shape) for sample in batch))))


def _misfit(sample: Sample, shape: tuple[int, ...]) -> str:
    if isinstance(sample.image, bytes):
        return f"{sample.source}: an encoded picture among decoded pixels"
    if sample.image.shape == shape and sample.image.dtype == np.uint8:
        return ""
    found = f"{sample.image.shape} {sample.image.dtype}"
    return f"{sample.source}: the picture is {found}, those before it are {shape} uint8"


def _append_encoded(file: h5py.File, batch: list[Sample]) -> None:
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
    if values.view(np.uint8).any():  # rows that were never written read as zeros
        dataset[start:] = values


def _split(sample: Sample) -> int:
    if sample.split not in SPLITS:
        raise DataError(f"{sample.source}: split '{sample.split}' is none of {', '.join(SPLITS)}")
    return SPLITS.index(sample.split)


def _boxes(batch: list[Sample]) -> NDArray[np.int32]:
    """Boxes (n, 4); zeros where there is none."""
    boxes = np.zeros((len(batch), 4), np.int32)
    for row, box in enumerate([sample.box for sample in batch]):
        if box is not None:
            boxes[row] = box
    return boxes


def _text(values: list[str], limit: int) -> NDArray[np.bytes_]:
    encoded = [value.encode("utf-8", "backslashreplace") for value in values]
    for value in encoded:
        if len(value) > limit:
            raise DataError(f"{value[:60].decode(errors='replace')}…: the name is longer than {limit} bytes")
    return np.array(encoded, f"S{limit}")


def _encode(batch: list[Sample], head: Head) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Targets and mask of a batch, in the store's form. Raises DataError naming the sample."""
    given = [sample.targets.get(head.name) for sample in batch]
    encode = _encode_names if head.kind is Kind.CLASS else _encode_rows
    try:
        return encode(given, head)
    except (DataError, ValueError, TypeError):
        for sample, target in zip(batch, given, strict=True):
            _blame(sample, target, head)
        raise


def _blame(sample: Sample, target: Target | None, head: Head) -> None:
    try:
        (_encode_names if head.kind is Kind.CLASS else _encode_rows)([target], head)
    except (DataError, ValueError, TypeError) as error:
        raise DataError(f"{sample.source}, {head.name}: {error}") from None


def _encode_names(given: list[Target | None], head: Head) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    names = [name for name in given if isinstance(name, str)]
    if len(names) + given.count(None) < len(given):
        raise DataError("a class is one name, this target is none")
    position: dict[Any, int] = {None: -1} | {name: head.space.index(name) for name in set(names)}
    codes = np.array([position[name] for name in given], np.int16)
    return codes, codes >= 0


def _encode_rows(given: list[Target | None], head: Head) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    rows = np.zeros((len(given), len(head)), np.float32)
    mask = np.zeros_like(rows, dtype=np.bool_)
    columns: dict[tuple[str, ...], list[int]] = {}
    for row, target in enumerate(given):
        if target is None:
            continue
        names, values = _items(target)
        if names not in columns:
            columns[names] = [head.space.index(name) for name in names]
        rows[row, columns[names]] = values
        mask[row, columns[names]] = True
    if not np.isfinite(rows).all():
        raise DataError("a value that is no finite number (leave out what is not known)")
    if head.kind is Kind.VALUES:
        return rows, mask
    if head.kind is Kind.DISTRIBUTION and (rows < 0).any():
        raise DataError("a negative vote or probability")
    present = np.array([target is not None for target in given])
    return rows.astype(_TYPES.get(head.kind, np.float32)), present


def _items(target: Target) -> tuple[tuple[str, ...], list[float]]:
    if isinstance(target, str):
        raise DataError(f"names and numbers are needed here, given the name '{target}'")
    if isinstance(target, Mapping):
        return tuple(target), list(target.values())
    return tuple(target), [1.0] * len(target)
