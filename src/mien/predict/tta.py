"""Test-time augmentation: faces seen several times, a little different; answers are averaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np

from ..errors import lookup
from ..inputs import Input
from ..media import Arrays
from ..records import Pixels

#: How far crops are shifted, as a share of their side: two pixels of 48.
SHIFT = 1 / 24
Views: TypeAlias = Callable[[Pixels], Iterator[Pixels]]


def _flip(pixels: Pixels) -> Iterator[Pixels]:
    yield pixels
    yield np.ascontiguousarray(pixels[:, :, ::-1])


def _ten_crop(pixels: Pixels) -> Iterator[Pixels]:
    """Where they are, and shifted towards each corner (the border repeated), each also mirrored."""
    side = pixels.shape[1]
    by = max(1, round(side * SHIFT))
    around = np.pad(pixels, ((0, 0), (by, by), (by, by), *((0, 0),) * (pixels.ndim - 3)), mode="edge")
    for top, left in ((by, by), (0, 0), (0, 2 * by), (2 * by, 0), (2 * by, 2 * by)):
        yield from _flip(around[:, top : top + side, left : left + side])


#: Views of fitted pixels, uint8 (N, size, size[, channels]), by the name of the averaging.
AVERAGES: dict[str, Views] = {"none": lambda pixels: iter([pixels]), "flip": _flip, "ten_crop": _ten_crop}
#: What an averaging was called before.
OLD_NAMES = {"ten": "ten_crop"}


def averaging(name: str) -> str:
    """The name of an averaging, an earlier one read. Raises ConfigError for an unknown one."""
    name = OLD_NAMES.get(name, name)
    lookup(AVERAGES, name, "averaging")
    return name


#: The modalities of which there are such views.
_VIEWED = ("image",)


def seen_in(views: Views, fitted: Arrays, inputs: Sequence[Input]) -> Iterator[Arrays]:
    """Yield fitted inputs by name, once for each view of them; other inputs stay as they are."""
    viewed = [each.name for each in inputs if each.modality in _VIEWED]
    if not viewed:
        yield fitted
        return
    for seen in zip(*(views(fitted[name]) for name in viewed), strict=True):
        yield fitted | dict(zip(viewed, seen, strict=True))
