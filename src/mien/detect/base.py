"""What detectors share: the protocol, the size at which they look, and which of the faces found are kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from ..records import Box, Face, Pixels

#: No picture is searched at more pixels on its long side, for the smallest faces: memory stays bounded.
LONGEST = 4096


class Detector(Protocol):
    """Finds the faces in a picture, from left to right; boxes may reach past its border."""

    def __call__(self, pixels: Pixels) -> list[Face]:
        """Find faces in uint8 (H, W) or (H, W, 3) RGB pixels."""


@dataclass(frozen=True)
class FilteredDetector:
    """Another detector's faces of at least `smallest` pixels, and of these the `most` largest (0: all)."""

    detector: Detector
    smallest: int = 0
    most: int = 0

    def __call__(self, pixels: Pixels) -> list[Face]:
        """Faces found, in the detector's order."""
        faces = [face for face in self.detector(pixels) if face.box.width >= self.smallest]
        if not self.most or len(faces) <= self.most:
            return faces
        largest = sorted(range(len(faces)), key=lambda k: -faces[k].box.width * faces[k].box.height)
        return [faces[k] for k in sorted(largest[: self.most])]


@dataclass(frozen=True)
class Search:
    """How large a picture is searched: at most `usual` pixels long, or as `smallest` faces need.

    Then it is shrunk (never enlarged) until they are `reach` wide, the least that the detector finds.
    """

    usual: int
    reach: int
    smallest: int = 0

    def shrunk(self, pixels: Pixels) -> tuple[Pixels, float]:
        """The picture to search, and by how much to multiply what is found in it."""
        height, width = pixels.shape[:2]
        longest = max(height, width)
        asked = longest * self.reach / self.smallest if self.smallest else self.usual
        scale = max(1.0, longest / min(asked, LONGEST))
        if scale == 1:
            return np.ascontiguousarray(pixels), scale
        size = max(1, round(width / scale)), max(1, round(height / scale))
        return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def scaled(found: Iterable[float], scale: float) -> Box:
    """Left, top, width, height in the searched picture as a box in the whole one."""
    return Box(*(round(float(value) * scale) for value in found))


def ordered(faces: Iterable[Face]) -> list[Face]:
    """Faces from left to right."""
    return sorted(faces, key=lambda face: face.box)
