"""One pass over a store's pictures, which keeps a digest, a hash, a thumbnail and a few numbers of each."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..machine import usable_cores
from ..media import image
from ..progress import Progress, silent
from ..records import Pixels
from ..store import Store

THUMBNAIL = 16
_BLOCK_BYTES = 1 << 24
_BLOCK_FILES = 128
_HASHED, _KEPT = 32, 8  # side of the picture that is transformed, and of the low frequencies that are kept


class ImageMeasures(NamedTuple):
    """One picture: digest of pixels and shape, perceptual hash, thumbnail, grey levels, sides."""

    digest: bytes
    hash: int
    thumbnail: NDArray[np.uint8]
    low: int
    high: int
    std: float
    sides: tuple[int, int]


@dataclass(frozen=True)
class StoreMeasures:
    """The measures of all pictures, by row. `bytes` is the size of a picture file, 0 for pixels; `faults`:
    the rows that cannot be decoded, and why; their other measures are 0."""

    picture: NDArray[np.int64]
    hash: NDArray[np.uint64]
    thumbnail: NDArray[np.uint8]
    low: NDArray[np.uint8]
    high: NDArray[np.uint8]
    std: NDArray[np.float32]
    sides: NDArray[np.int32]
    bytes: NDArray[np.int64]
    faults: dict[int, str] = field(default_factory=dict)

    @property
    def readable(self) -> NDArray[np.bool_]:
        """Which rows have a picture that was decoded, bool (N,)."""
        found = np.ones(len(self.std), np.bool_)
        found[list(self.faults)] = False
        return found


def measure(store: Store, progress: Progress = silent) -> StoreMeasures:
    """Read all pictures, block by block, on all cores. About 300 bytes a picture are kept."""
    count = len(store)
    digests = np.zeros((count, 16), np.uint8)
    found = StoreMeasures(
        np.zeros(count, np.int64), np.zeros(count, np.uint64),
        np.zeros((count, THUMBNAIL, THUMBNAIL), np.uint8), np.zeros(count, np.uint8),
        np.zeros(count, np.uint8), np.zeros(count, np.float32), np.zeros((count, 2), np.int32),
        np.zeros(count, np.int64),
    )  # fmt: skip
    with ThreadPoolExecutor(usable_cores()) as pool:
        for rows in _blocks(store):
            pictures: list[Any] = list(store.images(rows)) if store.image_shape else store.encoded(rows)
            measures = pool.map(_measured, pictures)
            for row, measured, picture in zip(rows.tolist(), measures, pictures, strict=True):
                _keep(found, digests, row, measured)
                found.bytes[row] = len(picture) if isinstance(picture, bytes) else 0
            progress(int(rows[-1]) + 1, count)
    found.picture[:] = np.unique(digests, axis=0, return_inverse=True)[1].ravel()
    found.picture[list(found.faults)] = count + np.arange(len(found.faults))  # like nothing else
    return found


def of_pixels(pixels: Pixels) -> ImageMeasures:
    """Measure a picture, uint8 (H, W) or (H, W, 3)."""
    grey = image.recolour(pixels, "grey")
    digest = blake2b(repr(pixels.shape).encode(), digest_size=16)
    digest.update(pixels.tobytes())
    thumbnail = np.asarray(cv2.resize(grey, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA), np.uint8)
    height, width = grey.shape
    return ImageMeasures(
        digest.digest(), perceptual_hash(grey), thumbnail,
        int(grey.min()), int(grey.max()), float(cv2.meanStdDev(grey)[1][0, 0]), (height, width),
    )  # fmt: skip


def perceptual_hash(grey: Pixels) -> int:
    """Return the signs of 63 low frequencies of the cosine transform of a 32x32 copy, against their median.

    The mean is not among them, so brightness and contrast do not count.
    """
    small = cv2.resize(grey, (_HASHED, _HASHED), interpolation=cv2.INTER_AREA).astype(np.float32)
    waves = cv2.dct(small)[:_KEPT, :_KEPT].ravel()[1:]
    return int.from_bytes(np.packbits(waves > np.median(waves)).tobytes(), "big")


def _blocks(store: Store) -> Iterator[NDArray[np.int64]]:
    shape = store.image_shape
    step = max(1, _BLOCK_BYTES // int(np.prod(shape))) if shape else _BLOCK_FILES
    rows = store.rows()
    return (rows[start : start + step] for start in range(0, len(rows), step))


def _measured(picture: Pixels | bytes) -> ImageMeasures | str:
    """Return the measures, or why there are none."""
    try:
        return of_pixels(image.decode(picture, "") if isinstance(picture, bytes) else picture)
    except InputError as error:
        return str(error).removeprefix(": ")


def _keep(found: StoreMeasures, digests: NDArray[np.uint8], row: int, measured: ImageMeasures | str) -> None:
    if isinstance(measured, str):
        found.faults[row] = measured
        return
    digests[row] = np.frombuffer(measured.digest, np.uint8)
    found.hash[row], found.thumbnail[row], found.std[row] = measured.hash, measured.thumbnail, measured.std
    found.low[row], found.high[row], found.sides[row] = measured.low, measured.high, measured.sides
