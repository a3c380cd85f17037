"""Find faces in a picture. A detector is anything that turns RGB or grey pixels into faces."""

from .base import Chosen, Detector
from .custom import Own
from .fetching import fetch_yunet
from .haar import Haar
from .registry import DETECTORS, detector
from .whole import Whole
from .yunet import YuNet

__all__ = ["DETECTORS", "Chosen", "Detector", "Haar", "Own", "Whole", "YuNet", "detector", "fetch_yunet"]
