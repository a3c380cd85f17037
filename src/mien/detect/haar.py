"""OpenCV's bundled cascade."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import cv2
import cv2.data

from ..errors import ModelError
from ..media.image import recolour
from ..records import Box, Face, Pixels
from .base import Search, ordered, scaled
from .pool import Pool

#: The cascade's own window: no narrower face is found.
_WINDOW = 24
#: The narrowest that it finds dependably (docs/how-to/find-faces.md has the measurements).
_REACH = 32


class Haar:
    """OpenCV's bundled frontal-face cascade: no download, upright faces looking ahead. It gives no score.

    Pictures are searched at 960 pixels or fewer on the long side; faces narrower than a twentieth of the
    short side, or 24 pixels of the searched picture, are passed over. `smallest` looks for faces from so many
    pixels of the picture instead.
    """

    def __init__(self, file: Path | None = None, smallest: int = 0) -> None:
        """Load the bundled cascade, or one from `file` (OpenCV's XML). Raises ModelError."""
        path = file or Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"
        self._search = Search(960, _REACH, smallest)
        self._cascades = Pool(partial(_cascade, path))

    def __call__(self, pixels: Pixels) -> list[Face]:
        """Find faces. `detectMultiScale3` could rank them, but lets through what the last stages refuse."""
        small, scale = self._search.shrunk(recolour(pixels, "grey"))
        least = _WINDOW if self._search.smallest else max(_WINDOW, min(small.shape) // 20)
        grey = cv2.equalizeHist(small)
        with self._cascades.lent() as cascade:
            found = cascade.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=5, minSize=(least, least))
        return ordered(Face(box) for box in _outermost([scaled(box, scale) for box in found]))


def _cascade(path: Path) -> cv2.CascadeClassifier:
    try:
        cascade = cv2.CascadeClassifier(str(path))
    except (cv2.error, SystemError):  # a damaged file makes OpenCV's binding raise either
        cascade = cv2.CascadeClassifier()
    if cascade.empty():
        raise ModelError(f"{path}: not a Haar cascade (needed is OpenCV's XML)")
    return cascade


def _outermost(boxes: list[Box]) -> list[Box]:
    """Boxes whose middle lies in no larger one: Haar likes to see a second face in a nose and mouth."""

    def inside(inner: Box, outer: Box) -> bool:
        x, y = inner.x + inner.width / 2, inner.y + inner.height / 2
        within = outer.x <= x <= outer.x + outer.width and outer.y <= y <= outer.y + outer.height
        return within and outer.width * outer.height > inner.width * inner.height

    return [box for box in boxes if not any(inside(box, other) for other in boxes)]
