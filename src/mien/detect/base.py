"""What detectors share: the protocol, the size at which they look, and which of the faces found are kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import cv2
import numpy as np

from ..errors import ConfigError
from ..records import Box, Face, Pixels, is_box

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
        faces = [face for face in find_faces(self.detector, pixels) if face.box.width >= self.smallest]
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


def find_faces(detector: Detector, pixels: Pixels) -> list[Face]:
    """What a detector, anybody's code, finds. Raises ConfigError for another answer than faces."""
    return checked_faces(detector(pixels), detector)


def checked_faces(answer: object, detector: Detector) -> list[Face]:
    """The faces of a detector's answer. Raises ConfigError where it is something else."""
    faces: list[Any] = list(answer) if isinstance(answer, Iterable) else [answer]
    for face in faces:
        if not isinstance(face, Face):
            wrong = f"a {type(face).__name__}, needed is a list of mien.Face"
        elif not (isinstance(face.region, Box) and is_box(face.region)):
            wrong = f"a face at {face.region}, needed is a Box of 4 finite numbers"
        else:
            continue
        raise ConfigError(f"face detector '{name_of(detector)}' answered with {wrong}")
    return faces


def name_of(detector: Detector) -> str:
    """Name a detector given as code: by its own `name`, else by where its function or class is defined."""
    if isinstance(name := getattr(detector, "name", None), str):
        return name
    if isinstance(detector, partial):
        keywords = (f"{key}={value}" for key, value in detector.keywords.items())
        arguments = [*map(str, detector.args), *keywords]
        return f"{name_of(detector.func)}({','.join(arguments)})"
    code = detector if hasattr(detector, "__qualname__") else type(detector)
    return f"{code.__module__}:{code.__qualname__}"
