"""How samples become the data sets of a store; `store.write` is the door."""

from __future__ import annotations

import json
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..media import image as pictures
from ..records import Sample
from ..tasks import Head
from .splits import SPLITS, UNDECIDED, Splitting, decide
from .targets import encode

SCHEMA = 2
DESCRIPTION = "description"
COPIED_AT_ONCE = 1 << 23
_SOURCE, _GROUP, _ATTRIBUTE = 200, 64, 200  # bytes of text
_ROWS = 1024  # of a batch, and a chunk of narrow columns, so that each is written, and packed, once
_BATCH_BYTES = 1 << 26
_CHUNK_PICTURES = 16


@dataclass(frozen=True)
class Origin:
    """Where a store comes from: importer and its version, input files {name: SHA-256}, options, what was left out with the
    reason, what the importer decided (`notes`), and how open splits are chosen (None: every sample names its own)."""

    importer: str
    version: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    splitting: Splitting | None = None


def fill(file: h5py.File, samples: Iterable[Sample], heads: Sequence[Head], folder: Path) -> None:
    """Put all samples into an empty file; encoded pictures wait in `folder` until their size is known. Raises DataError
    naming the sample."""
    with tempfile.TemporaryFile(dir=folder) as spool:
        writer = _Writer(file, heads, spool)
        for batch in _batches(samples):
            writer.append(batch)
        if not writer.seen:
            raise DataError("no samples to import")
        if "extents" not in file:
            return
        encoded, start = one_piece(file, spool.tell()), 0
        spool.seek(0)
        while piece := spool.read(COPIED_AT_ONCE):
            encoded[start : start + len(piece)] = np.frombuffer(piece, np.uint8)
            start += len(piece)


def finish(file: h5py.File, heads: Sequence[Head], origin: Origin) -> None:
    """Choose the splits that are open, and describe the store. Raises DataError."""
    if origin.splitting:
        origin.notes.extend(decide(file, heads, origin.splitting))
    if (undecided := file["split"][:] == UNDECIDED).any():
        source = file["source"][int(undecided.argmax())].decode()
        raise DataError(f"{source}: split '' is none of {', '.join(SPLITS)}")
    describe(file, {"schema": SCHEMA, "heads": [head.to_dict() for head in heads], **asdict(origin)})


def describe(file: h5py.File, record: Mapping[str, Any]) -> None:
    """Write what a store says of itself."""
    text = np.frombuffer(json.dumps(record).encode(), np.uint8)
    # Not an attribute: a long one would lie where HDF5 keeps no checksum, and a flipped bit there can hang the reader.
    file.create_dataset(DESCRIPTION, data=text, chunks=text.shape, fletcher32=True)
    file.attrs["mien"] = SCHEMA


def one_piece(file: h5py.File, size: int) -> Any:
    """Room for encoded pictures that is not cut into chunks: to read one is to read a piece of a file."""
    return file.create_dataset("encoded", (size,), np.uint8)


def column(file: h5py.File, name: str, dtype: Any, tail: tuple[int, ...] = ()) -> Any:
    """A data set of one value a row; made when first needed, with what stands for nothing in the rows before."""
    if name not in file:
        rows = len(file["split"]) if "split" in file else 0
        packing = {"compression": "gzip", "compression_opts": 1} if np.dtype(dtype).kind == "S" else {}
        file.create_dataset(
            name,
            (rows, *tail),
            dtype,
            maxshape=(None, *tail),
            chunks=(_CHUNK_PICTURES if name == "images" else _ROWS, *tail),
            fletcher32=True,
            fillvalue=np.nan if name == "landmarks" else None,
            **packing,
        )
    return file[name]


def extend(dataset: Any, values: NDArray[Any]) -> None:
    """Add rows to the end of a data set."""
    start = dataset.shape[0]
    dataset.resize(start + len(values), axis=0)
    if dataset.name == "/landmarks" or values.view(np.uint8).any():  # rows that were never written read as zeros
        dataset[start:] = values


def end_rows(file: h5py.File, split: NDArray[np.uint8]) -> None:
    """Add the splits of some rows, last of their columns, and what stands for nothing in those the rows lack."""
    extend(column(file, "split", np.uint8), split)
    for name in [f"attributes/{name}" for name in file.get("attributes", ())] + ["landmarks"] * ("landmarks" in file):
        file[name].resize(len(file["split"]), axis=0)


class _Writer:
    """A file being filled, batch by batch."""

    def __init__(self, file: h5py.File, heads: Sequence[Head], spool: IO[bytes]) -> None:
        self.file, self.heads, self.spool = file, heads, spool
        self.seen: set[str] = set()
        self.last, self.extent = b"", (0, 0)

    def append(self, batch: list[Sample]) -> None:
        """Add a batch. Raises DataError naming the sample."""
        for sample in batch:
            if sample.source in self.seen:
                raise DataError(f"{sample.source}: appears twice; a source must be unique")
            self.seen.add(sample.source)
        if "images" not in self.file and isinstance(batch[0].image, bytes):
            self._encoded(batch)
        elif "extents" in self.file:
            raise DataError(f"{batch[0].source}: decoded pixels among encoded pictures")
        else:
            self._add("images", _stacked(batch, self.file["images"].shape[1:] if "images" in self.file else ()))
        for head in self.heads:
            values, mask = encode(batch, head)
            self._add(f"targets/{head.name}", values)
            self._add(f"masks/{head.name}", mask)
        self._add("source", _text([sample.source for sample in batch], _SOURCE))
        self._add("group", _text([sample.group for sample in batch], _GROUP))
        self._add("box", _boxes(batch))
        self._optional(batch)
        end_rows(self.file, np.array([_split(sample) for sample in batch], np.uint8))

    def _add(self, name: str, values: NDArray[Any]) -> None:
        extend(column(self.file, name, values.dtype, values.shape[1:]), values)

    def _optional(self, batch: list[Sample]) -> None:
        for name in dict.fromkeys(name for sample in batch for name in sample.attributes):
            self._add(f"attributes/{name}", _text([sample.attributes.get(name, "") for sample in batch], _ATTRIBUTE))
        points = next((len(sample.landmarks) for sample in batch if sample.landmarks), 0)
        if "landmarks" in self.file:
            points = self.file["landmarks"].shape[1]
        if points:
            self._add("landmarks", _landmarks(batch, points))

    def _encoded(self, batch: list[Sample]) -> None:
        extents, checksums = np.zeros((len(batch), 2), np.int64), np.zeros(len(batch), np.uint32)
        for row, sample in enumerate(batch):
            if not isinstance(sample.image, bytes):
                raise DataError(f"{sample.source}: decoded pixels among encoded pictures")
            if sample.image != self.last:  # several people in one picture come one after another
                start = self.spool.tell()
                self.last, self.extent = sample.image, (start, start + len(sample.image))
                self.spool.write(sample.image)
            extents[row], checksums[row] = self.extent, zlib.crc32(sample.image)
        self._add("extents", extents)
        self._add("checksums", checksums)


def _batches(samples: Iterable[Sample]) -> Iterator[list[Sample]]:
    """Samples with their pictures read, as many at a time as memory should hold."""
    batch: list[Sample] = []
    size = 0
    for sample in samples:
        image = pictures.read_bytes(sample.image) if isinstance(sample.image, Path) else sample.image
        batch.append(replace(sample, image=image) if image is not sample.image else sample)
        size += len(image) if isinstance(image, bytes) else image.nbytes
        if len(batch) == _ROWS or size > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _stacked(batch: list[Sample], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    images: list[Any] = [sample.image for sample in batch]
    shape = shape or images[0].shape
    if {getattr(image, "shape", None) for image in images} == {shape}:
        joined = np.concatenate(images)
        if joined.dtype == np.uint8:
            return joined.reshape(-1, *shape)
    raise DataError(next(filter(None, (_misfit(sample, shape) for sample in batch))))


def _misfit(sample: Sample, shape: tuple[int, ...]) -> str:
    if not isinstance(sample.image, np.ndarray):
        return f"{sample.source}: an encoded picture among decoded pixels"
    if sample.image.shape == shape and sample.image.dtype == np.uint8:
        return ""
    found = f"{sample.image.shape} {sample.image.dtype}"
    return f"{sample.source}: the picture is {found}, those before it are {shape} uint8"


def _split(sample: Sample) -> int:
    if not sample.split:
        return UNDECIDED
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


def _landmarks(batch: list[Sample], points: int) -> NDArray[np.float32]:
    """Landmarks (n, points, 2); NaN where there are none."""
    found = np.full((len(batch), points, 2), np.nan, np.float32)
    for row, sample in enumerate(batch):
        if len(sample.landmarks) not in (0, points):
            raise DataError(f"{sample.source}: {len(sample.landmarks)} landmarks, those before it have {points}")
        if len(sample.landmarks):
            found[row] = sample.landmarks
    return found


def _text(values: list[str], limit: int) -> NDArray[np.bytes_]:
    encoded = [value.encode("utf-8", "backslashreplace") for value in values]
    for value in encoded:
        if len(value) > limit:
            raise DataError(f"{value[:60].decode(errors='replace')}…: the text is longer than {limit} bytes")
    return np.array(encoded, f"S{limit}")
