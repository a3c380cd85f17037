"""OpenCV's small face network."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import cv2
import numpy as np

from ..errors import ConfigError, ModelError
from ..media.image import recolour
from ..records import Face, Pixels
from .base import Search, ordered, scaled
from .fetching import YUNET, cached_yunet
from .pool import Pool

#: The narrowest face, in pixels, that it finds dependably (docs/how-to/find-faces.md has the measurements).
_REACH = 24


class YuNet:
    """OpenCV's YuNet network: small, turned and half-covered faces too, five landmarks, a score.

    Pictures are searched at 960 pixels or fewer on the long side; `smallest` looks for faces from so many
    pixels instead.
    """

    def __init__(self, file: Path | None = None, smallest: int = 0, threshold: float = 0.6) -> None:
        """Load `file`, else what `fetch_yunet` left; drop faces scored below `threshold` (0…1).

        Raises ConfigError, ModelError.
        """
        file = file or cached_yunet()
        if file is None:
            raise ConfigError(
                f"the face detector 'yunet' needs its model file: give {YUNET} (OpenCV Zoo), "
                "or fetch it once (230 kB) with --fetch, in Python mien.detect.fetch_yunet()"
            )
        if not file.is_file():
            raise ModelError(f"{file}: no such face detector file")
        self._search = Search(960, _REACH, smallest)
        self._networks = Pool(partial(_network, file, threshold))

    def __call__(self, pixels: Pixels) -> list[Face]:
        """Faces found."""
        small, scale = self._search.shrunk(recolour(pixels, "rgb"))
        with self._networks.lent() as network:
            network.setInputSize((small.shape[1], small.shape[0]))
            _, rows = network.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
        found = () if rows is None else rows
        # On pictures a few pixels thin the network answers with infinities.
        return ordered(_scored(row, scale) for row in found if np.isfinite(row).all())


def _network(file: Path, threshold: float) -> cv2.FaceDetectorYN:
    try:
        return cv2.FaceDetectorYN.create(str(file), "", (320, 320), threshold)
    except cv2.error:
        raise ModelError(f"{file}: not a YuNet model (needed is face_detection_yunet_….onnx)") from None


def _scored(row: np.ndarray, scale: float) -> Face:
    points = tuple((float(x * scale), float(y * scale)) for x, y in row[4:14].reshape(5, 2))
    return Face(scaled(row[:4], scale), points, min(1.0, float(row[14])))
