"""The `.npy` files of EMOTIC's conversions, compared with the table beside them."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from ...labels import EMOTIC26, VAD
from ...media import image
from ...records import Pixels, Target
from .. import safe_literals
from .people import TAGS, VALUES, SizedPicture

#: The shape of an entry of each array; 0 stands for any length.
_KINDS: dict[str, tuple[int, ...]] = {"context": (0, 0, 3), "body": (0, 0, 3), "cat": (26,), "cont": (3,)}


def load(path: Path, mapped: bool = False) -> NDArray[Any]:
    """Return an array of numbers; `mapped` leaves it on the disk. Raises DataError."""
    try:
        return safe_literals.array(path if mapped else BytesIO(path.read_bytes()), mapped)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: damaged array or none of numbers, download it again: {error}") from None


def load_picture(path: Path) -> SizedPicture:
    """Return a whole picture kept as an array, packed as JPEG, and the array's size. Raises DataError."""
    pixels = load(path)
    shaped = pixels.ndim in (2, 3) and pixels.shape[2:] in ((), (3,)) and pixels.size
    if pixels.dtype != np.uint8 or not shaped:
        raise DataError(f"{path}: an array {pixels.shape} {pixels.dtype}, needed is (height, width, 3) uint8")
    return image.encode(pixels), (pixels.shape[1], pixels.shape[0])


class Arrays:
    """The arrays that `mat2py.py` wrote for a split; row i belongs to row i of its table."""

    def __init__(self, folder: Path, split: str, rows: int) -> None:
        """Open them. Raises DataError where one has another length or shape than the table asks for."""
        self.split, self.arrays = split, dict[str, NDArray[Any]]()
        for kind, tail in _KINDS.items():
            path = folder / f"{split}_{kind}_arr.npy"
            if not path.exists():
                continue
            found = self.arrays[kind] = load(path, mapped=True)
            shape = found.shape[1:]
            if len(shape) != len(tail) or any(n not in (0, m) for n, m in zip(tail, shape, strict=True)):
                needed = ", ".join(str(n or "n") for n in tail)
                raise DataError(f"{path}: an array {found.shape}, needed is (rows, {needed})")
            if len(found) != rows:
                fault = f"{len(found)} entries, {split}.csv has {rows} rows"
                raise DataError(f"{path}: {fault}; they belong to two conversions")

    def check(self, row: int, answers: Mapping[str, Target]) -> None:
        """Compare tags and values of a row with the arrays, by name. Raises DataError where they differ."""
        if "cat" in self.arrays:
            names = [EMOTIC26.labels[place] for place in np.flatnonzero(self.arrays["cat"][row])]
            tags = answers.get(TAGS.name, [])
            if names != tags:
                raise DataError(f"Categorical_Labels are {tags}, {self.split}_cat_arr.npy has {names}")
        if "cont" in self.arrays:
            values = dict(zip(VAD.labels, map(float, self.arrays["cont"][row]), strict=True))
            rated: Any = answers.get(VALUES.name, {})
            if any(abs(rated[name] - values[name]) > 1e-4 for name in rated):
                raise DataError(f"Continuous_Labels are {rated}, {self.split}_cont_arr.npy has {values}")

    @property
    def has_pictures(self) -> bool:
        """Whether the conversion holds the whole pictures, resized."""
        return "context" in self.arrays

    def picture(self, row: int) -> SizedPicture:
        """Return the whole picture of a row, as the conversion resized it."""
        pixels: Pixels = np.array(self.arrays["context"][row], np.uint8)
        return pixels, (pixels.shape[1], pixels.shape[0])

    def scaled(self, corners: list[float], size: list[float]) -> list[float]:
        """Return a box given in a picture of that (width, height), in the resized one. Raises DataError."""
        if not min(size) > 0:
            raise DataError(f"image size is {size}, allowed are positive numbers")
        height, width = self.arrays["context"].shape[1:3]
        scales = [width / size[0], height / size[1]] * 2
        return [corner * scale for corner, scale in zip(corners, scales, strict=True)]
