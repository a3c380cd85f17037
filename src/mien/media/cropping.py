"""Where a face is cut out of its picture: the one geometry of training, evaluation and prediction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from ..records import Box, Floats, Pixels
from .limits import LIMITS

#: Boxes of several pictures: records, or int (N, 4) of left, top, width, height, zeros where there is none.
Boxes: TypeAlias = Sequence[Box] | NDArray[np.int32]
#: Landmarks of several faces, (x, y) each: none for a face, or float (N, P, 2), NaN where there are none.
Landmarks: TypeAlias = Sequence[Sequence[tuple[float, float]]] | Floats
#: By the number of landmarks, which of them are the eye on the picture's left and the one on its right:
#: YuNet's 5, iBUG's 68.
EYES = {5: (slice(0, 1), slice(1, 2)), 68: (slice(36, 42), slice(42, 48))}


def crop(pixels: Pixels, box: Box, margin: float = 0.0, degrees: float = 0.0) -> Pixels:
    """Cut a square around a box: its longer side, widened on every side by `margin` (a share of it), same
    centre. A face rolled by `degrees` clockwise is turned back about that centre. Raises TooLargeError for a
    box that is far larger than its picture and than any picture that is read.

    Past the picture's border its outermost pixels are repeated, so that the face stays in the middle of
    the crop. A box as large as the picture has no margin; unless it is rolled, it is the picture as it is.
    """
    height, width = pixels.shape[:2]
    whole = box == (0, 0, width, height)
    if whole and not degrees:
        return pixels
    longer = int(max(box.width, box.height))
    if longer > 2 * max(height, width):
        LIMITS.check_pixels((longer, longer), f"a box of a picture of {width}x{height}")
    side = max(1, round(longer * (1 if whole else 1 + 2 * margin)))
    return _turned(pixels, box, side, degrees) if degrees else _square(pixels, box, side)


def roll(points: Sequence[tuple[float, float]] | Floats) -> float:
    """How many degrees clockwise a face is rolled, by the line through its eyes; 0 where its landmarks (P, 2)
    do not tell."""
    if len(points) not in EYES:
        return 0.0
    left, right = (np.asarray(points, np.float64)[part].mean(axis=0) for part in EYES[len(points)])
    across, down = right - left
    return float(np.degrees(np.arctan2(down, across))) if np.isfinite((across, down)).all() else 0.0


def _turned(pixels: Pixels, box: Box, side: int, degrees: float) -> Pixels:
    """The square of that side about the box's centre whose upper edge is rolled by `degrees` clockwise,
    set upright."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    room = side + 2 * int(
        np.ceil(side * (abs(cos) + abs(sin) - 1) / 2 + 1)
    )  # as odd or even as the side: the same centre
    around = _square(pixels, box, room)
    turn = np.array([[cos, -sin], [sin, cos]])
    shift = (room - 1) / 2 - turn @ np.full(2, (side - 1) / 2)
    matrix, flags = np.column_stack([turn, shift]), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(around, matrix, (side, side), None, flags, cv2.BORDER_REPLICATE), np.uint8
    )


def _square(pixels: Pixels, box: Box, side: int) -> Pixels:
    """The square of that side about the box's centre."""
    height, width = pixels.shape[:2]
    left = box.x + (box.width - side) // 2
    top = box.y + (box.height - side) // 2
    if 0 <= left <= width - side and 0 <= top <= height - side:
        return pixels[top : top + side, left : left + side]
    rows = np.clip(np.arange(top, top + side), 0, height - 1)
    columns = np.clip(np.arange(left, left + side), 0, width - 1)
    return pixels[np.ix_(rows, columns)]
