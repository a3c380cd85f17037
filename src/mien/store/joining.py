"""Parts of an import, put together into one store without looking into their pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..errors import DataError
from .writer import COPIED_AT_ONCE, column, end_rows, extend, one_piece


def join(file: h5py.File, parts: Sequence[Path]) -> str:
    """Fill an empty file with the rows of all parts, in order, and answer the SHA-256 of their sources and pictures."""
    names, pictures = hashlib.sha256(), hashlib.sha256()
    sizes = [_size(path) for path in parts]
    encoded, start = one_piece(file, sum(sizes)), 0
    for path, size in zip(parts, sizes, strict=True):
        with h5py.File(path, "r") as part:
            names.update(part["source"][:].tobytes())
            for place in range(0, size, COPIED_AT_ONCE):
                piece = part["encoded"][place : place + COPIED_AT_ONCE]
                pictures.update(piece)
                encoded[start + place : start + place + len(piece)] = piece
            _columns(file, part, start)
        start += size
    _unique(file)
    return hashlib.sha256(names.digest() + pictures.digest()).hexdigest()


def _size(path: Path) -> int:
    with h5py.File(path, "r") as part:
        return len(part["encoded"])


def _columns(file: h5py.File, part: h5py.File, start: int) -> None:
    def add(name: str, found: Any) -> None:
        if isinstance(found, h5py.Dataset) and name not in ("encoded", "split"):
            values = found[:] + start if name == "extents" else found[:]
            extend(column(file, name, values.dtype, values.shape[1:]), values)

    part.visititems(add)
    end_rows(file, part["split"][:])


def _unique(file: h5py.File) -> None:
    found, counts = np.unique(file["source"][:], return_counts=True)
    if (counts > 1).any():
        raise DataError(f"{found[counts.argmax()].decode()}: appears twice; a source must be unique")
