"""From an input to faces to probabilities, without torch: `load(model).predict(image)`."""

from ..detect import Detector, detector
from ..media.cropping import crop
from .engine import Engine
from .model import Model, as_pixels, load
from .results import Result, to_frame
from .settings import Settings

__all__ = [
    "Detector", "Engine", "Model", "Result", "Settings", "as_pixels", "crop", "detector", "load", "to_frame",
]  # fmt: skip
