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
"""

from .checking import check
from .creating import write, write_joined, write_part, write_shards
from .reader import Rows, Store
from .splits import SPLITS, Splitting
from .writer import SCHEMA, Origin

__all__ = [
    "SCHEMA",
    "SPLITS",
    "Origin",
    "Rows",
    "Splitting",
    "Store",
    "check",
    "write",
    "write_joined",
    "write_part",
    "write_shards",
]
