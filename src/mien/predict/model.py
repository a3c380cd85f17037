"""From an input to faces to probabilities, without torch: `load(model).predict(image)`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np

from .. import bundle
from ..detect import Detector, find_faces, name_of
from ..errors import InputError
from ..media import MODALITIES, InputSet
from ..media import image as image_files
from ..media.cropping import Boxes, Landmarks
from ..media.image_transform import check_pictures
from ..media.limits import LIMITS, Limits
from ..prediction import Prediction
from ..records import Face, Floats, Items, Moment, Pixels, ReadError, Subject
from ..sources import plan
from ..tasks import Task
from .engine import Engine, Pictures
from .job import PredictionJob
from .pipeline import MOST
from .results import Result, origin
from .session import Session, Subjects
from .settings import Settings
from .tta import averaging

if TYPE_CHECKING:
    from PIL.Image import Image

    Picture: TypeAlias = str | Path | bytes | Pixels | Image


#: The settings that a detector is made from.
_DETECTOR_SETTINGS = ("faces", "detector_file", "smallest", "most")
_DEFAULTS = Settings()


class Model:
    """A trained model, ready to predict."""

    def __init__(
        self,
        engine: Engine,
        abstain: float | None = None,
        align: bool | None = None,
        average: str = "none",
        *,
        limits: Limits = LIMITS,
    ) -> None:
        """Wrap an engine. `abstain`: the confidence below which predictions abstain (default: the model's
        own, else 0).

        `align`, `average`: as in `Engine.outputs`. `limits` hold for `predict`.
        """
        self.engine, self.align, self.average, self.limits = engine, align, averaging(average), limits
        self._detectors: dict[Settings, Detector] = {}
        self.abstain = float(engine.metadata.get("abstain") or 0.0) if abstain is None else abstain

    @property
    def task(self) -> Task:
        """What the model answers: its heads and their labels."""
        return self.engine.task

    @overload
    def predict(self, image: Picture, faces: str | Detector = "haar") -> list[Prediction]:
        """Predict on one input."""

    @overload
    def predict(
        self, image: list[Picture] | tuple[Picture, ...], faces: str | Detector = "haar"
    ) -> list[list[Prediction]]:
        """Predict on several."""

    def predict(
        self, image: Picture | list[Picture] | tuple[Picture, ...], faces: str | Detector = "haar"
    ) -> list[Prediction] | list[list[Prediction]]:
        """Find the faces in a picture, from left to right, and predict on each; no face gives an empty list.

        `image`: a path, an encoded file's bytes, uint8 pixels (H, W) or (H, W, 3) in RGB order, or a Pillow
        image; a list or tuple of them gives a list of such lists. `faces`: a detector or its name; 'cropped'
        takes the whole picture for one face. Raises InputError, ConfigError.

        >>> import mien
        >>> from mien.synthetic import face
        >>> model, pixels = mien.load(), face("happiness", size=96)
        >>> (prediction,) = model.predict(pixels, faces="cropped")
        >>> prediction.face.box
        Box(x=0, y=0, width=96, height=96)
        >>> 0 < prediction.confidence <= 1 and prediction.dominant == prediction.top(1)[0][0]
        True
        >>> [len(found) for found in model.predict([pixels, pixels], faces="cropped")]
        [1, 1]
        """
        detector = self._detector(Settings(faces)) if isinstance(faces, str) else faces
        many = image if isinstance(image, (list, tuple)) else [image]
        found: list[list[Prediction]] = []
        for start in range(0, len(many), MOST):
            batch = many[start : start + MOST]
            moments = [Moment({"image": as_pixels(picture, self.limits)}, "") for picture in batch]
            found += self.recognise(moments, [find_faces(detector, moment.pixels) for moment in moments])
        return found if isinstance(image, (list, tuple)) else found[0]

    def stream(
        self,
        inputs: str | Path | Sequence[str | Path],
        faces: str | Detector = "haar",
        *,
        on_fault: Callable[[ReadError], object] | None = None,
        keep: bool = False,
        allow_urls: bool = False,
        **settings: Any,
    ) -> Iterator[Result]:
        """Read pictures, folders, patterns, videos or a camera frame by frame, those without a face too.

        `settings` as in `mien.predict.Settings`: every=0.5, track=True … What cannot be read goes to
        `on_fault`; without it, it raises InputError. `keep` leaves its media in each result. Raises
        ConfigError, InputError.

        >>> import mien
        >>> from mien.synthetic import face
        >>> from PIL import Image
        >>> for name in ("ann", "bob"):
        ...     Image.fromarray(face("sadness", size=96)).save(f"{name}.png")
        >>> results = list(mien.load().stream(["ann.png", "bob.png"], "cropped"))
        >>> [(result.source, len(result.predictions)) for result in results]
        [('ann.png', 1), ('bob.png', 1)]
        >>> mien.to_frame(results)["frame"].tolist()
        [0, 0]
        """
        several = [inputs] if isinstance(inputs, (str, Path)) else inputs
        name, detector = _named(faces)
        job = self.read(several, Settings(name, **settings), detector, allow_urls=allow_urls)
        with closing(job.results(keep=keep)) as results:
            for item in results:
                if isinstance(item, Result):
                    yield item
                elif on_fault is None:
                    raise InputError(item.reason)
                else:
                    on_fault(item)

    def read(
        self,
        inputs: Iterable[str | Path],
        settings: Settings,
        detector: Detector | None = None,
        *,
        allow_urls: bool = False,
    ) -> PredictionJob:
        """Plan what `stream` reads; `detector` finds the faces instead of the one that the settings name."""
        model, asked = self._configured(settings)
        detector = self._detector(asked) if detector is None else asked.filtered(detector)
        sources, faults = plan(inputs, asked.sampling(), asked.limits, allow_urls=allow_urls)
        return PredictionJob(model, origin(self.engine, str(asked)), asked, detector, sources, faults)

    def session(self, faces: str | Detector = "haar", *, keep: bool = False, **settings: Any) -> Session:
        """Predict on one camera or video that you read yourself, moment by moment.

        `settings` as in `mien.predict.Settings`: track=True, smooth=0.5, most=3 …; those that say which
        frames to read do nothing. `keep` leaves its media in each result. Raises ConfigError, ModelError.

        >>> import mien
        >>> from mien.records import Moment
        >>> from mien.synthetic import face
        >>> session = mien.load().session("cropped", track=True)
        >>> for index in range(2):
        ...     moment = Moment({"image": face("anger", size=96)}, "my camera", index, time=index / 25)
        ...     (prediction,) = session.update(moment).predictions
        ...     prediction.face.track
        0
        0
        """
        name, detector = _named(faces)
        return self.read((), Settings(name, **settings), detector).session(keep=keep)

    def _configured(self, settings: Settings) -> tuple[Model, Settings]:
        """Return this model as the settings ask for it, and the settings, completed by the model."""
        average = self.average if settings.average is None else settings.average
        align = self.align if settings.align is None else settings.align
        abstain = self.abstain if settings.abstain is None else settings.abstain
        changed = None if average == "none" else average
        asked = replace(settings, average=changed, align=align, abstain=abstain or None)
        return Model(self.engine, abstain, align, average, limits=self.limits), asked

    def _detector(self, settings: Settings) -> Detector:
        """The detector that the settings name, built when it is first asked for."""
        key = replace(_DEFAULTS, **{name: getattr(settings, name) for name in _DETECTOR_SETTINGS})
        if key not in self._detectors:
            self._detectors[key] = key.detector()
        return self._detectors[key]

    def predict_faces(self, pixels: Pixels, faces: Sequence[Face]) -> list[Prediction]:
        """Say what each of these faces shows; `pixels` is uint8 (H, W) or (H, W, 3) RGB."""
        return self.recognise([Moment({"image": pixels}, "")], [faces])[0]

    def recognise(self, moments: Sequence[Moment], subjects: Subjects) -> list[list[Prediction]]:
        """Say what each subject of each moment shows, all in one go. Raises InputError."""
        both = zip(moments, subjects, strict=True)
        pairs = [(moment, subject) for moment, some in both for subject in some]
        items = items_of(self.engine.inputs, pairs)
        found = self.engine.outputs(items, align=self.align, average=self.average)
        rows = iter(range(len(pairs)))
        return [[self._prediction(subject, found, next(rows)) for subject in some] for some in subjects]

    def _prediction(self, subject: Subject, found: dict[str, Floats], row: int) -> Prediction:
        engine, outputs = self.engine, dict[str, dict[str, float]]()
        for head in self.task:
            outputs[head.name] = dict(zip(head.space.labels, found[head.name][row].tolist(), strict=True))
        chosen = engine.thresholds, engine.conformal, self.abstain, engine.label_temperature
        return Prediction(subject, outputs, self.task, *chosen)

    def probabilities(
        self, pictures: Pictures, boxes: Boxes | None = None, landmarks: Landmarks | None = None
    ) -> dict[str, Floats]:
        """Predict on each picture's box, as `Engine.probabilities` does. Raises InputError."""
        return self.engine.probabilities(pictures, boxes, landmarks, average=self.average)


def items_of(inputs: InputSet, pairs: Sequence[tuple[Moment, Subject]]) -> dict[str, Items]:
    """Collect what a model looks at of each subject in its moment; media that a moment lacks are absent."""
    items = {}
    for name, modality in {each.of: each.modality for each in inputs.inputs}.items():
        data = [moment.media.get(name) for moment, _ in pairs]
        present = np.array([item is not None for item in data], np.bool_)
        kind = MODALITIES[modality].region
        subjects = [subject for _, subject in pairs]
        regions = [each.region if kind and isinstance(each.region, kind) else None for each in subjects]
        points = [each.points for each in subjects]
        items[name] = Items(data, regions, points, None if present.all() else present)
    return items


def _named(faces: str | Detector) -> tuple[str, Detector | None]:
    return (faces, None) if isinstance(faces, str) else (name_of(faces), faces)


def load(model: str | Path | None = None, average: str = "none", threads: int | None = None) -> Model:
    """Open a model: a bundled one by its name (default: `face`), a `model.onnx` or a run folder.

    `mien models` lists the bundled ones; `./face` is a folder with such a name. `average`: none, flip (each
    face also mirrored: twice the time) or ten_crop (also shifted to four sides, all mirrored: ten times).
    `threads`: cores to use (default: all it may). Raises ModelError, ConfigError.
    """
    name = bundle.DEFAULT if model is None else str(model)
    path = bundle.find(name) if name in bundle.checksums() else name
    return Model(Engine(path, threads), average=average)


def as_pixels(image: Picture, limits: Limits = LIMITS) -> Pixels:
    """Return any picture that `Model.predict` takes as uint8 (H, W) or (H, W, 3) RGB. Raises InputError."""
    if isinstance(image, (str, Path)):
        return image_files.read(Path(image), limits)
    if isinstance(image, (bytes, bytearray, memoryview)):
        return image_files.decode(bytes(image), f"{len(image)} bytes", limits)
    if isinstance(image, np.ndarray):
        check_pictures([image])
        return image
    if hasattr(image, "save") and hasattr(image, "mode"):
        return image_files.from_pillow(image)
    kind = type(image).__name__
    raise InputError(f"a picture cannot be a {kind} (a path, bytes, uint8 pixels or a Pillow image)")
