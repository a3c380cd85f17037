"""Find faces in a picture. A detector is anything that turns RGB or grey pixels into faces."""

from .base import Detector, FilteredDetector, find_faces, name_of
from .custom import CustomDetector, NoDetector
from .fetching import fetch_yunet
from .haar import Haar
from .registry import DETECTORS, detector
from .yunet import YuNet

__all__ = [
    "DETECTORS", "CustomDetector", "Detector", "FilteredDetector", "Haar", "NoDetector", "YuNet", "detector",
    "fetch_yunet", "find_faces", "name_of",
]  # fmt: skip
