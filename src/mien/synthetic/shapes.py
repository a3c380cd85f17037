"""What the parts of a face are drawn from: outlines in face units, and their placement on a canvas.

Face units: x from -1 (left side of the head, as seen) to 1, y from -1 (top of the skull) to 1 (chin).
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from ..records import Pixels
from .appearance import Appearance, Colour
from .expression import Array

_FRACTION = 4


class Shape(NamedTuple):
    """A filled outline, or a line of a `width` in face units. `depth`: how far it moves as the head turns."""

    points: Array
    colour: Colour
    width: float = 0.0
    depth: float = 1.0


def tone(colour: Colour, factor: float) -> Colour:
    """Return a darker (below 1) or lighter colour."""
    red, green, blue = (min(255.0, channel * factor) for channel in colour)
    return red, green, blue


def blend(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of the second colour in the first."""
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return red, green, blue


def path(*points: tuple[float, float]) -> Array:
    """Return a path through a few points."""
    return np.array(points)


def curve(*points: tuple[float, float]) -> Array:
    """Return a smooth path from the first point to the last, drawn towards those between."""
    return np.asarray(_corner_cutting(len(points)) @ np.array(points))


@lru_cache
def _corner_cutting(count: int) -> Array:
    """Return the matrix that takes the corners of a path to its smooth form (Chaikin 1974)."""
    found = np.eye(count)
    for _ in range(3):
        cut = np.stack([0.75 * found[:-1] + 0.25 * found[1:], 0.25 * found[:-1] + 0.75 * found[1:]], 1)
        found = np.concatenate([found[:1], cut.reshape(-1, count), found[-1:]])
    return found


def between(x: Array, top: Array, bottom: Array) -> Array:
    """Return the outline of what lies between two curves over the same x."""
    return np.array([np.concatenate([x, x[::-1]]), np.concatenate([top, bottom[::-1]])]).T


def oval(x: float, y: float, rx: float, ry: float, count: int = 20) -> Array:
    """Return the outline of an upright ellipse."""
    return np.asarray(_circle(count) * (rx, ry) + (x, y))


@lru_cache
def _circle(count: int) -> Array:
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], 1)


class Placement(NamedTuple):
    """Where a head sits on a canvas: centre and half height in pixels."""

    person: Appearance
    x: float
    y: float
    scale: float

    def matrix(self) -> Array:
        """Face units to canvas pixels, as an affine matrix (2, 3)."""
        cos, sin = math.cos(self.person.view.roll) * self.scale, math.sin(self.person.view.roll) * self.scale
        return np.array([[cos * self.person.width, -sin, self.x], [sin * self.person.width, cos, self.y]])

    def turned(self, points: Array, depth: Array | float) -> Array:
        """Return points (N, 2) moved by the turn of the head: most in the middle, least at the rim."""
        bulge = np.clip(1 - points**2 @ (0.9, 0.3), 0, 1) * depth
        return points + bulge[:, None] * (self.person.view.yaw, self.person.view.pitch)

    def pixels(self, points: Array, depth: Array | float) -> Array:
        """Return points (N, 2) in canvas pixels."""
        matrix = self.matrix()
        return np.asarray(self.turned(points, depth) @ matrix[:, :2].T + matrix[:, 2])


def paint(canvas: Pixels, shapes: Sequence[Shape], placement: Placement) -> None:
    """Draw shapes on an RGB canvas, first ones below."""
    lengths = [len(shape.points) for shape in shapes]
    depth = np.repeat([shape.depth for shape in shapes], lengths)
    spots = placement.pixels(np.concatenate([shape.points for shape in shapes]), depth)
    fixed = np.round(spots * (1 << _FRACTION)).astype(np.int32)
    for shape, outline in zip(shapes, np.split(fixed, np.cumsum(lengths)[:-1]), strict=True):
        if shape.width:
            thick = max(1, round(shape.width * placement.scale))
            cv2.polylines(canvas, [outline], False, shape.colour, thick, cv2.LINE_AA, _FRACTION)
        else:
            cv2.fillPoly(canvas, [outline], shape.colour, cv2.LINE_AA, _FRACTION)
