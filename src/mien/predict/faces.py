"""Find faces in a picture. A detector is anything that turns RGB or grey pixels into faces."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Protocol

import cv2
import cv2.data
import numpy as np

from ..errors import ConfigError, ModelError, lookup
from ..pictures import recolour
from ..records import Box, Face, Pixels

#: Larger pictures are shrunk to this many pixels on the long side before faces are looked for; boxes are scaled back.
LONGEST = 1600


class Detector(Protocol):
    """Finds the faces in a picture, uint8 (H, W) or (H, W, 3) RGB, sorted from left to right; boxes are in its pixels
    and may reach past its border."""

    def __call__(self, pixels: Pixels) -> list[Face]:
        """Faces found."""


class Haar:
    """OpenCV's bundled frontal-face cascade: no download, upright faces looking ahead. It gives no score.

    Faces narrower than a twentieth of the picture's short side, or 24 pixels, are passed over.
    """

    def __init__(self, file: Path | None = None) -> None:
        """Load the bundled cascade, or one from `file` (OpenCV's XML). Raises ModelError."""
        path = file or Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"
        try:
            self._cascade = cv2.CascadeClassifier(str(path))
        except (cv2.error, SystemError):  # a damaged file makes OpenCV's binding raise either
            self._cascade = cv2.CascadeClassifier()
        self._lock = Lock()
        if self._cascade.empty():
            raise ModelError(f"{path}: not a Haar cascade (needed is OpenCV's XML)")

    def __call__(self, pixels: Pixels) -> list[Face]:
        """Faces found. `detectMultiScale3` could rank them, but lets through what the cascade's last stages refuse."""
        small, scale = _shrunk(recolour(pixels, "grey"))
        least = max(24, min(small.shape) // 20)
        grey = cv2.equalizeHist(small)
        with self._lock:
            found = self._cascade.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=5, minSize=(least, least))
        return _ordered([Face(box) for box in _outermost([_box(box, scale) for box in found])])


class YuNet:
    """OpenCV's YuNet network (`cv2.FaceDetectorYN`): small, turned and half-covered faces too, five landmarks, a score."""

    def __init__(self, file: Path | None = None, threshold: float = 0.6) -> None:
        """Load the network from `file`; faces scored below `threshold` (0…1) are dropped. Raises ConfigError, ModelError."""
        if file is None:
            raise ConfigError(
                "the face detector 'yunet' needs its model file, face_detection_yunet_….onnx (OpenCV Zoo)"
            )
        if not file.is_file():
            raise ModelError(f"{file}: no such face detector file")
        self._lock = Lock()
        try:
            self._network = cv2.FaceDetectorYN.create(str(file), "", (320, 320), threshold)
        except cv2.error:
            raise ModelError(f"{file}: not a YuNet model (needed is face_detection_yunet_….onnx)") from None

    def __call__(self, pixels: Pixels) -> list[Face]:
        """Faces found."""
        small, scale = _shrunk(recolour(pixels, "rgb"))
        with self._lock:
            self._network.setInputSize((small.shape[1], small.shape[0]))
            _, rows = self._network.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
        # On pictures a few pixels thin the network answers with infinities.
        return _ordered([_scored(row, scale) for row in (() if rows is None else rows) if np.isfinite(row).all()])


class Whole:
    """No detector: the picture is a crop of one face already."""

    def __init__(self, file: Path | None = None) -> None:
        """Take no file. Raises ConfigError if one is given."""
        if file is not None:
            raise ConfigError(f"'cropped' looks for no face and takes no detector file, given {file}")

    def __call__(self, pixels: Pixels) -> list[Face]:
        """One face as large as the picture."""
        return [Face(Box(0, 0, pixels.shape[1], pixels.shape[0]))]


DETECTORS: dict[str, Callable[[Path | None], Detector]] = {"haar": Haar, "yunet": YuNet, "cropped": Whole}


@cache
def detector(name: str, file: Path | None = None) -> Detector:
    """The detector of that name, with its own file where it takes one. Loaded once; safe in threads. Raises ConfigError."""
    return lookup(DETECTORS, name, "face detector")(file)


def _shrunk(pixels: Pixels) -> tuple[Pixels, float]:
    """The picture at most LONGEST pixels long, and by how much to multiply what is found there."""
    height, width = pixels.shape[:2]
    scale = max(1.0, max(height, width) / LONGEST)
    if scale == 1:
        return np.ascontiguousarray(pixels), scale
    size = max(1, round(width / scale)), max(1, round(height / scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _scored(row: np.ndarray, scale: float) -> Face:
    points = tuple((float(x * scale), float(y * scale)) for x, y in row[4:14].reshape(5, 2))
    return Face(_box(row[:4], scale), points, min(1.0, float(row[14])))


def _box(found: Iterable[float], scale: float) -> Box:
    return Box(*(round(float(value) * scale) for value in found))


def _outermost(boxes: list[Box]) -> list[Box]:
    """Boxes whose middle lies in no larger one: Haar likes to see a second face in a nose and mouth."""

    def inside(inner: Box, outer: Box) -> bool:
        x, y = inner.x + inner.width / 2, inner.y + inner.height / 2
        within = outer.x <= x <= outer.x + outer.width and outer.y <= y <= outer.y + outer.height
        return within and outer.width * outer.height > inner.width * inner.height

    return [box for box in boxes if not any(inside(box, other) for other in boxes)]


def _ordered(faces: list[Face]) -> list[Face]:
    return sorted(faces, key=lambda face: face.box)
