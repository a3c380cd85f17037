"""Targets as annotators give them, as the numbers that a store holds, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..records import Sample, Target
from ..tasks import Head, Kind

Columns = tuple[NDArray[Any], NDArray[np.bool_]]

#: How the values of a kind are held; float32 for the others.
TYPES: dict[Kind, Any] = {Kind.CLASS: np.int16, Kind.TAGS: np.uint8}


def encode(batch: Sequence[Sample], head: Head) -> Columns:
    """Values and mask of a batch, in the store's form. Raises DataError naming the sample."""
    given = [sample.targets.get(head.name) for sample in batch]
    encoded = _encode_names if head.kind is Kind.CLASS else _encode_rows
    try:
        return encoded(given, head)
    except (DataError, ValueError, TypeError):
        for sample, target in zip(batch, given, strict=True):
            _blame(sample, target, head)
        raise


def decode(values: NDArray[Any], mask: NDArray[np.bool_], head: Head) -> list[Target | None]:
    """What the annotators gave, from the store's form; None where nobody annotated."""
    labels = head.space.labels
    if head.kind is Kind.CLASS:
        return [labels[code] if there else None for code, there in zip(values.tolist(), mask, strict=True)]
    if head.kind is Kind.TAGS:
        found = [[labels[place] for place in np.flatnonzero(row)] for row in values]
        return [tags if there else None for tags, there in zip(found, mask, strict=True)]
    known = np.broadcast_to(mask[:, None], values.shape) if mask.ndim == 1 else mask
    rows = [
        {labels[k]: float(row[k]) for k in np.flatnonzero(there)}
        for row, there in zip(values, known, strict=True)
    ]
    return [row or None for row in rows]


def _blame(sample: Sample, target: Target | None, head: Head) -> None:
    try:
        (_encode_names if head.kind is Kind.CLASS else _encode_rows)([target], head)
    except (DataError, ValueError, TypeError) as error:
        raise DataError(f"{sample.source}, {head.name}: {error}") from None


def _encode_names(given: list[Target | None], head: Head) -> Columns:
    names = [name for name in given if isinstance(name, str)]
    if len(names) + given.count(None) < len(given):
        raise DataError("a class is one name, this target is none")
    position: dict[Any, int] = {None: -1} | {name: head.space.index(name) for name in set(names)}
    codes = np.array([position[name] for name in given], np.int16)
    return codes, codes >= 0


def _encode_rows(given: list[Target | None], head: Head) -> Columns:
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
    return rows.astype(TYPES.get(head.kind, np.float32)), present


def _items(target: Target) -> tuple[tuple[str, ...], list[float]]:
    if isinstance(target, str):
        raise DataError(f"names and numbers are needed here, given the name '{target}'")
    if isinstance(target, Mapping):
        return tuple(target), list(target.values())
    return tuple(target), [1.0] * len(target)
