"""How samples become the data sets of a store; `store.write` is the door."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, hint, lookup
from ..inputs import check_input_name
from ..media import MODALITIES
from ..media.image import read_bytes
from ..records import Sample
from ..tasks import Head
from .columns import CHUNK_ROWS, column, end_rows, extend
from .input_writer import InputWriter
from .layout import DESCRIPTION, SCHEMA
from .splits import SPLITS, UNDECIDED, Splitting, decide
from .targets import encode

_SOURCE, _GROUP, _ATTRIBUTE = 200, 64, 200  # bytes of text
_BATCH_BYTES = 1 << 26


@dataclass(frozen=True)
class Origin:
    """Where a store comes from: importer and its version, input files {name: SHA-256}, options, what was
    left out with the reason, what the importer decided (`notes`), and how open splits are chosen (None:
    every sample names its own)."""

    importer: str
    version: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    splitting: Splitting | None = None


def fill(
    file: h5py.File,
    samples: Iterable[Sample],
    heads: Sequence[Head],
    folder: Path,
    modalities: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Put all samples into an empty file and return the modality of each of their inputs; encoded files
    wait in `folder` until their size is known. `modalities`: of inputs that do not bear their modality's
    name. Raises DataError naming the sample."""
    writer = _Writer(file, heads, folder, modalities or {})
    try:
        for batch in _batches(samples):
            writer.append(batch)
        if not writer.seen:
            raise DataError("no samples to import")
        for stored in writer.inputs.values():
            stored.finish()
    finally:
        for stored in writer.inputs.values():
            stored.spool.close()
    return writer.named


def finish(file: h5py.File, heads: Sequence[Head], origin: Origin, modalities: Mapping[str, str]) -> None:
    """Choose the splits that are open, and describe the store. Raises DataError."""
    if origin.splitting:
        origin.notes.extend(decide(file, heads, origin.splitting))
    if (undecided := file["split"][:] == UNDECIDED).any():
        source = file["source"][int(undecided.argmax())].decode()
        raise DataError(f"{source}: split '' is none of {', '.join(SPLITS)}")
    describe(
        file, {"heads": [head.to_dict() for head in heads], "modalities": dict(modalities), **asdict(origin)}
    )


def describe(file: h5py.File, record: Mapping[str, Any]) -> None:
    """Write what a store says of itself."""
    text = np.frombuffer(json.dumps({**record, "schema": SCHEMA}).encode(), np.uint8)
    # Not an attribute: a long one would lie where HDF5 keeps no checksum, and a flipped bit there can hang
    # the reader.
    file.create_dataset(DESCRIPTION, data=text, chunks=text.shape, fletcher32=True)
    file.attrs["mien"] = SCHEMA


class _Writer:
    """A file being filled, batch by batch."""

    def __init__(
        self, file: h5py.File, heads: Sequence[Head], folder: Path, modalities: Mapping[str, str]
    ) -> None:
        self.file, self.heads, self.folder = file, heads, folder
        self.seen: set[str] = set()
        self.inputs: dict[str, InputWriter] = {}
        self.named: dict[str, str] = {}
        self._modalities = modalities

    def append(self, batch: list[Sample]) -> None:
        """Add a batch. Raises DataError naming the sample."""
        rows_before, names = len(self.seen), {head.name for head in self.heads}
        for sample in batch:
            if sample.source in self.seen:
                raise DataError(f"{sample.source}: appears twice; a source must be unique")
            if not sample.inputs:
                raise DataError(f"{sample.source}: a sample without any input")
            if not sample.targets.keys() <= names:
                unknown = next(name for name in sample.targets if name not in names)
                choices = f"{hint(unknown, names)} (one of: {', '.join(sorted(names))})"
                raise DataError(f"{sample.source}: target '{unknown}' is no head{choices}")
            self.seen.add(sample.source)
        for name in dict.fromkeys([*self.inputs, *(name for sample in batch for name in sample.inputs)]):
            self._input(name).append(
                [(sample.source, sample.inputs.get(name)) for sample in batch], rows_before
            )
        for head in self.heads:
            values, mask = encode(batch, head)
            self._add(f"targets/{head.name}", values)
            self._add(f"masks/{head.name}", mask)
        self._add("source", _text([sample.source for sample in batch], _SOURCE))
        self._add("group", _text([sample.group for sample in batch], _GROUP))
        for name in dict.fromkeys(name for sample in batch for name in sample.attributes):
            self._add(
                f"attributes/{name}", _text([sample.attributes.get(name, "") for sample in batch], _ATTRIBUTE)
            )
        end_rows(self.file, np.array([_split(sample) for sample in batch], np.uint8))

    def _input(self, name: str) -> InputWriter:
        if name not in self.inputs:
            check_input_name(name, DataError)
            self.named[name] = self._modalities.get(name, name)
            modality = lookup(MODALITIES, self.named[name], f"modality of input '{name}'")
            self.inputs[name] = InputWriter(self.file, name, modality, self.folder)
        return self.inputs[name]

    def _add(self, name: str, values: NDArray[Any]) -> None:
        extend(column(self.file, name, values.dtype, values.shape[1:]), values)


def _batches(samples: Iterable[Sample]) -> Iterator[list[Sample]]:
    """Samples with their files read, as many at a time as memory should hold."""
    batch: list[Sample] = []
    size = 0
    for sample in samples:
        batch.append(_with_contents(sample))
        for item in batch[-1].inputs.values():
            size += item.data.nbytes if isinstance(item.data, np.ndarray) else len(item.data)
        if len(batch) == CHUNK_ROWS or size > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _with_contents(sample: Sample) -> Sample:
    """The sample, its files read and its texts encoded; the same one where there are none."""
    for item in sample.inputs.values():
        if not isinstance(item.data, (np.ndarray, bytes)):
            inputs = {name: each._replace(data=_contents(each.data)) for name, each in sample.inputs.items()}
            return replace(sample, inputs=inputs)
    return sample


def _contents(data: Any) -> Any:
    """What is stored of an item: an array as it is, a file's bytes, a text in UTF-8."""
    if isinstance(data, Path):
        return read_bytes(data)
    return data.encode("utf-8") if isinstance(data, str) else data


def _split(sample: Sample) -> int:
    if not sample.split:
        return UNDECIDED
    if sample.split not in SPLITS:
        raise DataError(f"{sample.source}: split '{sample.split}' is none of {', '.join(SPLITS)}")
    return SPLITS.index(sample.split)


def _text(values: list[str], limit: int) -> NDArray[np.bytes_]:
    encoded = [value.encode("utf-8", "backslashreplace") for value in values]
    for value in encoded:
        if len(value) > limit:
            raise DataError(f"{value[:60].decode(errors='replace')}…: the text is longer than {limit} bytes")
    return np.array(encoded, f"S{limit}")
