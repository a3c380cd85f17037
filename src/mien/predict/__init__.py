"""From a picture to faces to probabilities, without torch: `load(model).predict(image)`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .. import pictures
from ..errors import InputError, ModelError
from ..pictures import Boxes, crop
from ..records import Face, Floats, Pixels, Prediction
from ..tasks import Task
from .engine import Engine, check_crops
from .faces import Detector, detector

__all__ = ["Detector", "Engine", "Model", "as_pixels", "crop", "detector", "load"]

if TYPE_CHECKING:
    from PIL.Image import Image

    Picture: TypeAlias = str | Path | bytes | Pixels | Image


class Model:
    """A trained model, ready to predict."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def task(self) -> Task:
        """What the model answers: its heads and their labels."""
        return self.engine.task

    def predict(self, image: Picture, faces: str | Detector = "haar") -> list[Prediction]:
        """Find the faces in a picture, from left to right, and say what each shows; no face gives an empty list.

        `image`: a path, an encoded file's bytes, uint8 pixels (H, W) or (H, W, 3) in RGB order, or a Pillow image.
        `faces`: a detector or its name; 'cropped' takes the whole picture for one face. Raises InputError, ConfigError.
        """
        pixels = as_pixels(image)
        find = detector(faces) if isinstance(faces, str) else faces
        return self.predict_faces(pixels, find(pixels))

    def predict_faces(self, pixels: Pixels, faces: Sequence[Face]) -> list[Prediction]:
        """Say what each of these faces shows; `pixels` is uint8 (H, W) or (H, W, 3) RGB."""
        found = self.probabilities([pixels] * len(faces), [face.box for face in faces])
        chosen = self.engine.thresholds, self.engine.conformal
        return [Prediction(face, self._named(found, row), self.task, *chosen) for row, face in enumerate(faces)]

    def _named(self, found: dict[str, Floats], row: int) -> dict[str, dict[str, float]]:
        return {
            head.name: dict(zip(head.space.labels, found[head.name][row].tolist(), strict=True)) for head in self.task
        }

    def probabilities(self, pictures: Sequence[Pixels] | Pixels, boxes: Boxes | None = None) -> dict[str, Floats]:
        """What the model says of each picture's box: {head: float32 (N, K)}, K in the order of the head's labels.

        `pictures`: uint8 (N, H, W) grey or (N, H, W, 3) RGB, or a list of such images of any sizes. Without `boxes`, int (N, 4),
        they are ready crops; a model that looks at the picture too then sees the crop for both. Raises InputError.
        """
        return self.engine.probabilities(pictures, boxes)


def load(model: str | Path | None = None) -> Model:
    """Open a model: a `model.onnx` or a run folder. Raises ModelError."""
    if model is None:
        raise ModelError(
            "no model given: train one with `mien train CONFIG.toml`, then give its run folder or model.onnx"
        )
    return Model(Engine(model))


def as_pixels(image: Picture) -> Pixels:
    """A picture in any of the forms that `Model.predict` takes, as uint8 (H, W) or (H, W, 3) RGB. Raises InputError."""
    if isinstance(image, (str, Path)):
        return pictures.read(Path(image))
    if isinstance(image, (bytes, bytearray, memoryview)):
        return pictures.decode(bytes(image), f"{len(image)} bytes")
    if isinstance(image, np.ndarray):
        check_crops([image])
        return image
    if hasattr(image, "save") and hasattr(image, "mode"):
        return pictures.from_pillow(image)
    raise InputError(f"a picture cannot be a {type(image).__name__} (a path, bytes, uint8 pixels or a Pillow image)")
