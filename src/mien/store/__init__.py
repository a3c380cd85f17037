"""The store: one HDF5 file that holds a data set's items, targets, splits and origin, checksummed, whole or
absent.

    inputs/<name>/values (N, ...)           items as arrays of one shape (pictures: uint8 (H, W[, 3])), or
    inputs/<name>/encoded (M,) uint8        encoded files (pictures, recordings, texts), in one piece;
    inputs/<name>/extents (N, 2) int64      where each row's begins and ends (rows may share one),
    inputs/<name>/checksums (N,)            and its CRC-32
    inputs/<name>/region                    boxes (N, 4) int32, zeros for none; spans (N, 2) float64, NaN
    inputs/<name>/points (N, P, 2) float32  landmarks in pixels, NaN for none
    inputs/<name>/mask (N,) bool            where some rows lack this input
    targets/<head>, masks/<head>            CLASS (N,) int16 · DISTRIBUTION (N, K) float32, votes as given ·
                                            TAGS (N, K) uint8 · VALUES (N, K) float32; masks (N,) or (N, K)
    split (N,) uint8, source, group (N,) text, attributes/<name> (N,) text, where a data set has them
    description uint8: JSON with schema, heads, modalities of the inputs, importer, input files and their
    SHA-256, options, notes, what was left out; attribute `mien`: the schema

Region, points and mask are there where a data set has them. A split store is one without items: its
description names the stores beside it that hold them, with their SHA-256. Schema 2, with one picture a
sample, is read as one input `image`.
"""

from .checking import check
from .creating import same_origin, write, write_joined, write_part, write_shards
from .layout import SCHEMA, Rows
from .reader import Store
from .splits import SPLITS, Splitting
from .stored_input import StoredInput
from .writer import Origin

__all__ = [
    "SCHEMA",
    "SPLITS",
    "Origin",
    "Rows",
    "Splitting",
    "Store",
    "StoredInput",
    "check",
    "same_origin",
    "write",
    "write_joined",
    "write_part",
    "write_shards",
]
