"""One source from moment to moment: its faces found, followed, recognised and smoothed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ..records import Moment, Prediction, Subject
from .results import ModelOrigin, Result
from .settings import Settings
from .shot_detection import ShotDetector
from .smoothing import Smoother
from .tracks import Tracker

if TYPE_CHECKING:
    from ..detect import Detector

_DEFAULTS = Settings()


class Recogniser(Protocol):
    """What a session asks of a model."""

    def recognise(self, moments: Sequence[Moment], subjects: Sequence[Sequence[Subject]]) -> Sequence[list[Prediction]]:
        """Say what each subject of each moment shows."""


class Found(NamedTuple):
    """The faces of a moment, and its shot where cuts are looked for: what the first half of `Session.update` gives the second."""

    moment: Moment
    subjects: Sequence[Subject]
    shot: int | None
    session: Session


class Session:
    """Predicts on one source, moment by moment; what it keeps from one to the next are tracks, cuts and smoothed answers.

    `Model.session` makes one. `update` does all that is to be done with a moment. `find` and `result` are its two halves: one
    thread may find while another makes results, and the recognition between them may take several moments at once.

    Moments with a `time`, those of a video or camera, must come in order; those without are still pictures, each for itself.
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
        """Of `settings` count track, cuts and smooth: the others are what `model` and `detector` were made with. `origin` goes
        into each result; `keep` leaves its media there too."""
        self.model, self.detector = model, detector
        self.tracker = Tracker() if settings.follows else None
        self.shots = ShotDetector() if settings.follows and settings.cuts else None
        self.smoother = Smoother(settings.smooth) if settings.smooth else None
        self._origin, self._keep = origin, keep

    def update(self, moment: Moment) -> Result:
        """What this moment shows. Raises InputError where time runs back, and whatever detector and model raise."""
        found = self.find(moment)
        (predictions,) = self.model.recognise([moment], [found.subjects])
        return self.result(found, predictions)

    def find(self, moment: Moment) -> Found:
        """Find the faces of a moment, and give each its track; a moment without a picture is one subject, all of it."""
        if "image" not in moment.media:
            return Found(moment, [Subject(None)], None, self)
        time = moment.time
        shot = None if time is None or self.shots is None else self.shots.update(moment.pixels, time)
        faces = self.detector(moment.pixels)
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
