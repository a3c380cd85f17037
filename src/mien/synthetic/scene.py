"""Pictures of several people side by side, each with a box and the truth."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..errors import ConfigError
from ..labels import EXPRESSION8
from ..records import Box, Pixels, Sample
from .appearance import Appearance, draw_appearance, express
from .expression import Array, distribution, draw_distribution
from .faces import check_series, class_of, split
from .head import backdrop, draw, render
from .shapes import Placement
from .truth import targets

#: A face in a `photo` is at least this wide, in pixels.
SMALLEST = 120
#: Half the side of a detector's box, and how far below the head's middle it is, in half heights of the head
#: (measured with OpenCV's frontal Haar cascade).
_BOX, _BELOW = 0.96, 0.06
#: The size of the smallest and the largest head, as a share.
_SIZES = (0.85, 1.0)


class _PlacedPerson(NamedTuple):
    """A person in a scene: distribution (8,), height of the head's middle and its size, as shares."""

    person: Appearance
    probabilities: Array
    level: float
    size: float


def photo(
    seed: int = 0, faces: int = 2, size: tuple[int, int] = (640, 480), emotions: Sequence[str] = ()
) -> tuple[Pixels, list[tuple[Box, str]]]:
    """Draw a colour picture (height, width, 3) of people side by side, with the box and label of each face.

    `size` is (width, height). Missing emotions are drawn at random. Raises ConfigError where there is no room
    for faces of 120 pixels.
    """
    rng = np.random.default_rng(seed)
    width, height = size
    if faces < 1 or 2 * _SIZES[0] * _scale(size, faces) * _BOX < SMALLEST:
        needed = f"need at least one face, each {SMALLEST} pixels wide"
        raise ConfigError(f"{faces} faces in {width}x{height} pixels: {needed}")
    view = draw_appearance(rng)
    labels = [*emotions, *rng.choice(EXPRESSION8.labels, faces).tolist()][:faces]
    picture, boxes = _picture(view, [_place(rng, distribution(label)) for label in labels], size)
    return picture, list(zip(boxes, labels, strict=True))


def scenes(count: int, size: int = 240, seed: int = 0, *, candid: bool = False) -> Iterator[Sample]:
    """Draw colour pictures 0…count - 1 of a seed, `size` high and a third wider, of 1, 2 or 3 people in turn.

    One sample a person, those of a picture together: `image` is the picture, `box` the face, `group` its
    name. Picture i depends on (seed, i) alone. `size` is 48…1024; splits, `candid` as in `samples`.
    Raises ConfigError.
    """
    check_series(count, seed)
    if not 48 <= size <= 1024:
        raise ConfigError(f"cannot draw a scene of {size} pixels: its height must be 48…1024")
    return (sample for index in range(count) for sample in _scene(index, size, seed, candid))


def _scene(index: int, size: int, seed: int, candid: bool) -> Iterator[Sample]:
    rng = np.random.default_rng([seed, index])
    view = draw_appearance(rng)
    emotions = [(class_of(index) + 3 * place) % len(EXPRESSION8) for place in range(1 + index % 3)]
    people = [_place(rng, draw_distribution(rng, emotion)) for emotion in emotions]
    if candid:
        people = [placed._replace(person=placed.person.candid()) for placed in people]
    picture, boxes = _picture(view, people, (size * 4 // 3, size))
    name = f"sketch/{seed}/scene{index:06d}"
    for place, (placed, box) in enumerate(zip(people, boxes, strict=True)):
        answers, source = targets(placed.probabilities), f"{name}:{place}"
        yield Sample.of_image(picture, answers, split(index), source, box, group=name)


def _place(rng: np.random.Generator, probabilities: Array) -> _PlacedPerson:
    """Draw a person who poses: with half of the roll and yaw, and less vivid."""
    person = draw_appearance(rng)
    view = replace(person.view, roll=person.view.roll / 2, yaw=person.view.yaw / 2)
    person = replace(person, vivid=0.8 * person.vivid, view=view)
    return _PlacedPerson(person, probabilities, rng.uniform(0.44, 0.5), rng.uniform(*_SIZES))


def _picture(
    scene: Appearance, people: Sequence[_PlacedPerson], size: tuple[int, int]
) -> tuple[Pixels, list[Box]]:  # fmt: skip
    """Draw people from left to right as a scene's camera sees them, with the box of each face."""
    width, height = size
    scale = _scale(size, len(people))
    canvas = backdrop(scene.view, (2 * width, 2 * height))
    boxes = []
    for place, placed in enumerate(people):
        x, y, half = width * (place + 0.5) / len(people), height * placed.level, scale * placed.size
        placement = Placement(placed.person, 2 * x, 2 * y, 2 * half)
        draw(canvas, express(placed.probabilities, placed.person), placement)
        boxes.append(_box(x, y, half))
    return render(canvas, replace(scene.view, blur=0.0), size), boxes


def _scale(size: tuple[int, int], faces: int) -> float:
    """Return half the height of the largest head, in pixels."""
    return min(size[0] / max(faces, 1) / 2.3, size[1] / 3.0)


def _box(x: float, y: float, half: float) -> Box:
    """Return the square from brows to chin that face detectors find, for a head's centre and half height."""
    side = round(2 * half * _BOX)
    return Box(round(x) - side // 2, round(y + _BELOW * half) - side // 2, side, side)
