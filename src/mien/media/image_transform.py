"""How pictures become what a network is shown: the same code, hence the same pixels, in training,
evaluation and prediction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import numpy as np

from ..choices import Colour
from ..errors import ConfigError, InputError
from ..records import Box, Floats, Items, Pixels, is_box
from ..tables import Bounds
from .cropping import crop, roll
from .image import recolour, resize

COLOURS = {"grey": 1, "rgb": 3}


@dataclass(frozen=True)
class ImageTransform:
    """What a network expects of a picture: `size` of its side in pixels, `colour` (grey or rgb), `mean`
    and `std` of each colour on 0…1 (default 0.5 and 0.25), the `margin`, a share of the box added on every
    side before the crop is cut, and whether the crop is turned until the eyes are level (`align`), where
    landmarks tell where they are."""

    size: Annotated[int, Bounds(1)] = 48
    colour: Colour = "grey"
    mean: tuple[Annotated[float, Bounds(0, 1)], ...] = ()
    std: tuple[Annotated[float, Bounds(0.001, 1)], ...] = ()
    margin: float = (
        0.0  # FER-2013's framing: Haar's box is 0.96, YuNet's 1.00 of its pictures' side (medians)
    )
    align: bool = False

    def __post_init__(self) -> None:
        """Fill in mean and std, and raise ConfigError for what cannot be."""
        if self.size < 1 or self.colour not in COLOURS:
            raise ConfigError(
                f"size {self.size} must be positive, colour '{self.colour}' one of: {', '.join(COLOURS)}"
            )
        object.__setattr__(self, "mean", tuple(self.mean) or (0.5,) * self.channels)
        object.__setattr__(self, "std", tuple(self.std) or (0.25,) * self.channels)
        if not len(self.mean) == len(self.std) == self.channels or min(self.std) <= 0:
            raise ConfigError(
                f"mean {list(self.mean)} and std {list(self.std)} need {self.channels} numbers each, "
                "std above 0"
            )

    #: Fitted pixels are 0…255; what mean and std are of is 0…1.
    unit = 255.0
    #: A batch's axes as the network takes them: (N, C, S, S).
    axes = (0, 3, 1, 2)

    @property
    def channels(self) -> int:
        """1 for grey, 3 for rgb."""
        return COLOURS[self.colour]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one fitted picture: (size, size, channels)."""
        return (self.size, self.size, self.channels)

    dtype = np.dtype(np.uint8)

    @property
    def uses_points(self) -> bool:
        """Whether crops are aligned by landmarks."""
        return self.align

    @property
    def statistics(self) -> tuple[Floats, Floats]:
        """Mean and standard deviation, (channels, 1, 1) each."""
        mean, std = (np.asarray(values, np.float32).reshape(-1, 1, 1) for values in (self.mean, self.std))
        return mean, std

    def to_dict(self) -> dict[str, Any]:
        """Return the transform as JSON can hold it; its fields are the keys."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }

    def fit(self, items: Items) -> Pixels:
        """Bring pictures, uint8 (H, W[, 3]) RGB of any size, to uint8 (N, size, size, channels): the
        square around each region, in the network's colour. Where there is no region, or one without an
        area, it is the whole picture. Points count where the network wants its faces aligned."""
        pictures, boxes, points = items.data, items.regions, items.points
        cuts = (
            [_NOWHERE if box is None else Box(*map(int, box)) for box in boxes] if boxes is not None else None
        )
        turning = self.align and points is not None
        rolls = [roll(each) for each in points] if turning else [0.0] * len(pictures)
        fitted = [
            self._fitted(*each)
            for each in zip(pictures, cuts or [_NOWHERE] * len(pictures), rolls, strict=True)
        ]
        return np.stack(fitted).reshape(-1, *self.shape) if fitted else np.zeros((0, *self.shape), np.uint8)

    def _fitted(self, picture: Pixels, box: Box, degrees: float) -> Pixels:
        whole = Box(0, 0, picture.shape[1], picture.shape[0])
        cut = crop(picture, box if min(box.width, box.height) > 0 else whole, self.margin, degrees)
        return resize(recolour(cut, self.colour), self.size)

    def normalise(self, fitted: Pixels) -> Floats:
        """Turn fitted pictures into the network's float32 input (N, channels, size, size)."""
        mean, std = (np.asarray(values, np.float32) for values in (self.mean, self.std))
        batch = (fitted.reshape(-1, *self.shape) / np.float32(self.unit) - mean) / std
        return np.ascontiguousarray(batch.transpose(self.axes), np.float32)

    def example(self, count: int) -> Items:
        """Make pictures of noise, of the size that the network is shown: to time and to test it."""
        shape = (count, self.size, self.size) if self.colour == "grey" else (count, *self.shape)
        return Items(np.random.default_rng(0).integers(0, 256, shape, np.uint8))


_NOWHERE = Box(0, 0, 0, 0)


def check_boxes(boxes: Iterable[Any]) -> None:
    """Raise InputError unless each box is left, top, width, height or None."""
    for position, box in enumerate(boxes):
        if box is not None and not is_box(box):
            raise InputError(
                f"box {position} is {box}, needed are 4 finite numbers: left, top, width, height"
            )


def check_pictures(pictures: Sequence[Pixels] | Pixels) -> None:
    """Raise InputError unless `pictures` are uint8 (N, H, W[, 3]) or a list of uint8 (H, W[, 3])."""
    shape = pictures.shape if isinstance(pictures, np.ndarray) else None
    if shape is not None and (len(shape) not in (3, 4) or (len(shape) == 3 and shape[2] == 3)):
        hint = "; for one picture give [picture]" if len(shape) in (2, 3) else ""
        raise InputError(f"pictures of shape {shape}, needed are (N, H, W) or (N, H, W, 3){hint}")
    for position, picture in enumerate(pictures):
        if not (isinstance(picture, np.ndarray) and picture.dtype == np.uint8):
            found = getattr(picture, "dtype", type(picture).__name__)
            raise InputError(f"picture {position} is {found}, needed is a uint8 array (0…255)")
        if picture.size == 0 or picture.ndim not in (2, 3) or picture.shape[2:] not in ((), (3,)):
            raise InputError(f"picture {position} has shape {picture.shape}, needed is (H, W) or (H, W, 3)")
