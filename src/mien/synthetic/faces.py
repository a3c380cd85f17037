"""Single drawn faces: one as asked for, or a numbered series with the truth of every head."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

from ..errors import ConfigError
from ..labels import EXPRESSION8
from ..media.image import recolour
from ..records import Pixels, Sample
from .appearance import Appearance, draw_appearance, express
from .expression import Array, distribution, draw_distribution
from .head import backdrop, draw, render
from .shapes import Placement
from .truth import targets


def face(
    emotion: str | Mapping[str, float] | Array,
    person: Appearance | int = 0,
    size: int = 48,
    colour: str = "grey",
) -> Pixels:
    """Draw one face, uint8 (size, size[, 3]), of a label or a distribution over EXPRESSION8.

    `person` may be a seed; `size` is 16…1024 pixels, `colour` grey or rgb. Raises ConfigError, DataError.
    """
    if not 16 <= size <= 1024 or colour not in ("grey", "rgb"):
        allowed = "size must be 16…1024, colour 'grey' or 'rgb'"
        raise ConfigError(f"cannot draw {size} pixels in '{colour}': {allowed}")
    if not isinstance(person, Appearance):
        person = draw_appearance(np.random.default_rng(person))
    side = size * (4 if size <= 64 else 2 if size <= 512 else 1)  # drawn larger, then shrunk
    x, y = (side * (0.5 + shift) for shift in person.view.shift)
    canvas = backdrop(person.view, (side, side))
    placement = Placement(person, x, y - 0.03 * side, 0.52 * side * person.view.zoom)
    draw(canvas, express(distribution(emotion), person), placement)
    return recolour(render(canvas, person.view, (size, size)), colour)


def samples(
    count: int, size: int = 48, seed: int = 0, colour: str = "grey", *, candid: bool = False
) -> Iterator[Sample]:
    """Draw faces 0…count - 1 of a seed; face i depends on (seed, i) alone. `size` and `colour` as in `face`.

    Every ten faces are eight for training, one for validation, one for test; every eighty hold each emotion
    as often, in each split too. `candid`: all show exactly what they feel. Raises ConfigError.
    """
    check_series(count, seed)
    return map(partial(_sample, size=size, seed=seed, colour=colour, candid=candid), range(count))


def _sample(index: int, size: int, seed: int, colour: str, candid: bool) -> Sample:
    rng = np.random.default_rng([seed, index])
    probabilities = draw_distribution(rng, class_of(index))
    person = draw_appearance(rng)
    pixels = face(probabilities, person.candid() if candid else person, size, colour)
    return Sample.of_image(pixels, targets(probabilities), split(index), f"sketch/{seed}/{index:06d}")


def check_series(count: int, seed: int) -> None:
    """Raise ConfigError where there is no such series."""
    if count < 1 or seed < 0:
        limits = "the count must be at least 1, the seed at least 0"
        raise ConfigError(f"cannot draw {count} of seed {seed}: {limits}")


def class_of(index: int) -> int:
    """Return the emotion (0…7) of a face by its number: every eighty hold each as often, in all splits."""
    return (index + index // 10) % len(EXPRESSION8)


def split(index: int) -> str:
    """Return the split of a face by its number: of every ten, one is for validation and one for test."""
    return {1: "validation", 2: "test"}.get(index % 10, "train")
