"""Columns of a store being written: one HDF5 data set each, a value a row."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

CHUNK_ROWS = 1024  # a chunk of narrow columns, and a batch, so that each is written, and packed, once
_CHUNK_ITEMS = 16


def one_piece(file: h5py.File, name: str, size: int) -> Any:
    """Make room for encoded files that is not cut into chunks: to read one is to read a piece of a file."""
    return file.create_dataset(name, (size,), np.uint8)


def column(file: h5py.File, name: str, dtype: Any, tail: tuple[int, ...] = (), fill: Any = None) -> Any:
    """Return a data set of one value a row; made when first needed, with what stands for nothing in the
    rows before."""
    if name not in file:
        rows = len(file["split"]) if "split" in file else 0
        packing = {"compression": "gzip", "compression_opts": 1} if np.dtype(dtype).kind == "S" else {}
        file.create_dataset(
            name,
            (rows, *tail),
            dtype,
            maxshape=(None, *tail),
            chunks=(_CHUNK_ITEMS if name.endswith("/values") else CHUNK_ROWS, *tail),
            fletcher32=True,
            fillvalue=fill,
            **packing,
        )
    return file[name]


def extend(dataset: Any, values: NDArray[Any]) -> None:
    """Add rows to the end of a data set."""
    start = dataset.shape[0]
    dataset.resize(start + len(values), axis=0)
    if (
        dataset.fillvalue or values.view(np.uint8).any()
    ):  # rows that were never written read as the fill value
        dataset[start:] = values


def end_rows(file: h5py.File, split: NDArray[np.uint8]) -> None:
    """Add the splits of some rows, last of their columns, and what stands for nothing in the columns that
    the rows lack."""
    extend(column(file, "split", np.uint8), split)
    rows = len(file["split"])

    def grow(_: str, found: Any) -> None:
        if isinstance(found, h5py.Dataset) and found.maxshape[0] is None and len(found) < rows:
            found.resize(rows, axis=0)

    file.visititems(grow)
