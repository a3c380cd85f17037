"""A face drawn with a few ellipses that OpenCV's cascade and YuNet both take for one."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
_SKIN, _DARK, _LIGHT, _HAIR = (205, 170, 145), (127, 105, 90), (230, 190, 162), (60, 45, 40)


def scene(width: int, height: int, faces: list[tuple[int, int, int]]) -> Pixels:
    """A picture, uint8 (height, width, 3) RGB, with a face of each (left, top, side)."""
    picture = np.full((height, width, 3), (90, 110, 130), np.uint8)
    for left, top, side in faces:
        _draw(picture, left, top, side)
    return picture


def _draw(picture: Pixels, left: int, top: int, side: int) -> None:
    def disc(x: float, y: float, wide: float, high: float, colour: tuple[int, int, int]) -> None:
        centre, axes = (int(left + x * side), int(top + y * side)), (int(wide * side), int(high * side))
        cv2.ellipse(picture, centre, axes, 0, 0, 360, colour, -1, cv2.LINE_AA)

    disc(0.5, 0.45, 0.44, 0.55, _HAIR)
    disc(0.5, 0.55, 0.38, 0.5, _SKIN)
    for x in (0.34, 0.66):
        disc(x, 0.355, 0.1, 0.018, _HAIR)
        disc(x, 0.44, 0.11, 0.065, _DARK)
        disc(x, 0.45, 0.075, 0.035, (240, 240, 240))
        disc(x, 0.45, 0.032, 0.034, (40, 30, 30))
        disc(0.5 + (x - 0.5) * 1.5, 0.62, 0.08, 0.07, _LIGHT)
    disc(0.5, 0.55, 0.035, 0.14, _LIGHT)
    disc(0.5, 0.69, 0.07, 0.012, _DARK)
    disc(0.5, 0.8, 0.15, 0.045, (150, 70, 70))
    disc(0.5, 0.8, 0.13, 0.01, (90, 40, 40))
