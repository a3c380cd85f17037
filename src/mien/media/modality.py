"""What a modality is: how items of one kind are decoded, checked, shown to a network and shown to a
person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, lookup
from ..inputs import Input
from ..records import Box, Floats, Items, Pixels, Region
from ..tables import Reader
from . import image
from .image_transform import ImageTransform, check_pictures


class Transform(Protocol):
    """Brings items to what a network is shown. `fit` gives a compact array that training keeps in memory;
    a network takes it with its axes in the order `axes`, divided by `unit`, less the mean and divided by
    the standard deviation of `statistics` (None: whole numbers such as tokens, taken as they are)."""

    unit: float
    axes: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def uses_points(self) -> bool:
        """Whether items are brought to the network by their points."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one fitted item."""

    @property
    def statistics(self) -> tuple[Floats, Floats] | None:
        """Mean and standard deviation, broadcast over one item as the network takes it."""

    def fit(self, items: Items) -> NDArray[Any]:
        """Bring items to one array (N, *shape)."""

    def normalise(self, fitted: NDArray[Any]) -> NDArray[Any]:
        """Turn fitted items into what the graph takes."""

    def example(self, count: int) -> Items:
        """Make items of noise: to time and to test a network."""

    def to_dict(self) -> dict[str, Any]:
        """Return the options as JSON can hold them."""


@dataclass(frozen=True)
class Modality:
    """One kind of input. `transform` is the class of its transforms, a dataclass whose fields are the
    options in TOML; `region` that of its regions, None where there are none; `encoder` the name of the one
    that is taken where none is named. `decode(bytes, source)` and `verify(bytes, source)` raise
    InputError, `encode(data)` is the way back, without loss; `check(data)` raises InputError for arrays
    that cannot be such items; `exhibit(data, region)` draws an item for a report."""

    transform: type[Any]
    encoder: str
    region: type[Any] | None
    decode: Callable[[bytes, str], Any]
    verify: Callable[[bytes, str], None]
    encode: Callable[[Any], bytes]
    check: Callable[[Any], None]
    exhibit: Callable[[Any, Region | None], Pixels]


def transform_of(given: Input, where: str = "", key: str = "") -> Transform:
    """Make the transform that an input declares. Raises ConfigError naming `where` and the `key`."""
    modality = lookup(MODALITIES, given.modality, f"modality of input '{given.name}'")
    where = where or f"input '{given.name}'"
    try:
        transform: Transform = Reader(where).read(given.transform, modality.transform, key)
    except ConfigError as error:
        raise ConfigError(f"{where}: {str(error).removeprefix(f'{where}: ')}") from None
    return transform


MODALITIES: dict[str, Modality] = {
    "image": Modality(
        transform=ImageTransform,
        encoder="compact",
        region=Box,
        decode=image.decode,
        verify=image.verify,
        encode=partial(image.encode, form="PNG"),
        check=check_pictures,
        exhibit=image.exhibit,
    ),
}
