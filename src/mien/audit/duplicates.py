"""Which pictures resemble each other, and which rows are equal.

Every hash is compared with every later one, so no pair is missed, as it would be with an index of bands:
100,000 pictures take 7 seconds of one core, far less than decoding them, and 300,000 about a minute.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .measures import StoreMeasures
from .record import AuditLimits

Numbers = NDArray[np.int64]
_TILE = 1 << 15  # hashes that stay in the processor's cache


def group_equal(*columns: NDArray[np.generic]) -> Iterator[Numbers]:
    """Yield groups of at least two rows that are equal in every column, in order of their first row."""
    number = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        code = np.unique(column, axis=0, return_inverse=True)[1].ravel()
        number = np.unique(number * (code.max(initial=0) + 1) + code, return_inverse=True)[1].ravel()
    order = np.argsort(number, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(number[order])) + 1)
    yield from sorted((group for group in groups if len(group) > 1), key=lambda group: int(group[0]))


def near_duplicates(measures: StoreMeasures, usable: NDArray[np.bool_], limits: AuditLimits) -> Numbers:
    """Number the rows: equal numbers for pictures that resemble each other, directly or through others.

    Two pictures do when their hashes differ in few bits and their thumbnails correlate. Rows that are not
    usable (blank ones resemble everything) keep a number of their own, as their picture has.
    """
    pictures, first, back = np.unique(measures.picture, return_index=True, return_inverse=True)
    rows = first[usable[first]]
    label = np.arange(len(pictures))
    place = np.flatnonzero(usable[first])
    label[place] = place[_linked(measures.hash[rows], measures.thumbnail[rows], limits)]
    return np.asarray(label[back.ravel()], np.int64)


def _linked(hashes: NDArray[np.uint64], thumbnails: NDArray[np.uint8], limits: AuditLimits) -> Numbers:
    """Return for each picture the index of a picture that stands for all it is linked with."""
    label = np.arange(len(hashes))
    for first in range(len(hashes) - 1):
        for start in range(first + 1, len(hashes), _TILE):
            bits = np.bitwise_count(hashes[start : start + _TILE] ^ hashes[first])
            near = start + np.flatnonzero(bits <= limits.hamming)
            near = near[label[near] != label[first]]
            if len(near):
                likeness = _standard(thumbnails[near]) @ _standard(thumbnails[first : first + 1])[0]
                label[np.isin(label, label[near[likeness >= limits.likeness]])] = label[first]
    return label


def _standard(thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Thumbnails (n, 256) with mean 0 and length 1, so that the product of two is their correlation."""
    flat = thumbnails.reshape(len(thumbnails), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6), np.float32)
