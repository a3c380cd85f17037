"""One source from moment to moment: its faces found, followed, recognised and smoothed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeAlias

from ..detect import Detector, find_faces
from ..media.image_transform import check_pictures
from ..prediction import Prediction
from ..records import Moment, Subject
from .results import ModelOrigin, Result
from .settings import Settings
from .shot_detection import ShotDetector
from .smoothing import Smoother
from .tracks import Tracker

_DEFAULTS = Settings()
#: The subjects of each of some moments.
Subjects: TypeAlias = Sequence[Sequence[Subject]]


class Recogniser(Protocol):
    """What a session asks of a model."""

    def recognise(self, moments: Sequence[Moment], subjects: Subjects) -> Sequence[list[Prediction]]:
        """Say what each subject of each moment shows."""


class Found(NamedTuple):
    """The faces of a moment, and its shot where cuts are looked for."""

    moment: Moment
    subjects: Sequence[Subject]
    shot: int | None
    session: Session


class Session:
    """Predicts on one source, moment by moment; it keeps tracks, cuts and smoothed answers in between.

    `Model.session` makes one. `find` and `result` are the halves of `update`: one thread may find while
    another makes results, and the recognition between them may take several moments at once. Moments with a
    `time`, those of a video or camera, must come in order; others are still pictures, each for itself.
    """

    def __init__(
        self,
        model: Recogniser,
        detector: Detector,
        settings: Settings = _DEFAULTS,
        *,
        origin: ModelOrigin | None = None,
        keep: bool = False,
    ) -> None:
        """Use track, cuts and smooth of `settings`: `model` and `detector` know the others.

        `origin` goes into each result; `keep` leaves its media there too.
        """
        self.model, self.detector = model, detector
        self.tracker = Tracker() if settings.follows else None
        self.shots = ShotDetector() if settings.follows and settings.cuts else None
        self.smoother = Smoother(settings.smooth) if settings.smooth else None
        self._origin, self._keep = origin, keep

    def update(self, moment: Moment) -> Result:
        """Predict on a moment. Raises InputError where time runs back, and what detector and model raise."""
        found = self.find(moment)
        (predictions,) = self.model.recognise([moment], [found.subjects])
        return self.result(found, predictions)

    def find(self, moment: Moment) -> Found:
        """Find the faces of a moment and track them; a moment without a picture is one subject.

        Raises InputError for what is no picture, ConfigError for a detector's answer that is no faces.
        """
        if "image" not in moment.media:
            return Found(moment, [Subject(None)], None, self)
        check_pictures([moment.pixels])
        time = moment.time
        shot = None if time is None or self.shots is None else self.shots.update(moment.pixels, time)
        faces = find_faces(self.detector, moment.pixels)
        if self.tracker is not None and time is not None:
            faces = self.tracker.update(faces, time, shot or 0)
        return Found(moment, faces, shot, self)

    def result(self, found: Found, predictions: list[Prediction]) -> Result:
        """Smooth what a model says of the faces that `find` found."""
        moment = found.moment
        if self.smoother is not None and moment.time is not None:
            predictions = self.smoother.update(predictions, moment.time)
        height, width = moment.media["image"].shape[:2] if "image" in moment.media else (0, 0)
        kept = moment if self._keep else moment.without_media()
        return Result(kept, width, height, predictions, found.shot, self._origin)
