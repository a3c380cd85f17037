"""From frames to results: decoding, looking for faces and recognising them overlap, in order and in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, Protocol, TypeAlias, TypeVar

from ..records import Face, Fault, Frame, Pixels, Prediction
from .ahead import Ahead
from .results import Origin, Result

if TYPE_CHECKING:
    from .faces import Detector

#: At most this many frames are recognised in one go, and only as many as are waiting: a camera's is never held back.
MOST = 16


class Recogniser(Protocol):
    """What the pipeline asks of a model."""

    def recognise(self, pictures: Sequence[Pixels], faces: Sequence[Sequence[Face]]) -> list[list[Prediction]]:
        """Say what each face of each picture shows."""


class Tracks(Protocol):
    """Follows the faces of one video."""

    def update(self, faces: list[Face], time: float) -> list[Face]:
        """The same faces with their `track` set."""


class Smooths(Protocol):
    """Smooths the predictions of one video, each face's by its track."""

    def update(self, predictions: list[Prediction], time: float) -> list[Prediction]:
        """The same predictions, smoothed."""


Found: TypeAlias = tuple[Frame, list[Face]]
Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Through:
    """What happens to a video's faces from frame to frame: makers of a fresh tracker and smoother for each video."""

    tracker: Callable[[], Tracks] | None = None
    smoother: Callable[[], Smooths] | None = None


def stream(
    model: Recogniser,
    frames: Iterable[Frame | Fault],
    find: Detector,
    through: Through = Through(),
    *,
    origin: Origin | None = None,
    keep: bool = False,
) -> Generator[Result | Fault, None, None]:
    """Results in the order of the frames; a frame that fails becomes a Fault, and the rest goes on.

    `keep` leaves its pixels in each result. Closing the iterator stops the threads and closes `frames`.
    """
    read = Ahead(frames, _bytes)
    found = Ahead(_detected(read, find, through), _bytes)
    done = Ahead(_recognised(found, model, through, keep), _bytes)
    try:
        for item in done:
            yield item if isinstance(item, Fault) or origin is None else replace(item, origin=origin)
    finally:
        for stage in (done, found, read):
            stage.stop()
        for stage in (done, found, read):
            stage.join()


class _PerSource(Generic[Kept]):
    """What is kept from frame to frame of one video, made anew for the next."""

    def __init__(self, make: Callable[[], Kept] | None) -> None:
        self._make, self._source = make, ""
        self._kept: Kept | None = None

    def of(self, frame: Frame) -> Kept | None:
        """What is kept for this frame's video; None for a still picture, or where nothing is kept."""
        if self._make is None or frame.time is None:
            return None
        if self._kept is None or self._source != frame.source:
            self._source, self._kept = frame.source, self._make()
        return self._kept


def _detected(frames: Iterable[Frame | Fault], find: Detector, through: Through) -> Iterator[Found | Fault]:
    followed = _PerSource(through.tracker)
    for frame in frames:
        if isinstance(frame, Fault):
            yield frame
            continue
        try:
            faces = find(frame.pixels)
            if (tracker := followed.of(frame)) and frame.time is not None:
                faces = tracker.update(faces, frame.time)
        except Exception as error:  # one frame's trouble, whatever the detector raises, is not the others'
            yield _fault(frame, error)
        else:
            yield frame, faces


def _recognised(
    found: Ahead[Found | Fault], model: Recogniser, through: Through, keep: bool
) -> Iterator[Result | Fault]:
    smoothed = _PerSource(through.smoother)
    while batch := found.waiting(MOST):
        for item, predictions in zip(batch, _answers(model, batch), strict=True):
            if isinstance(item, Fault):
                yield item
            elif isinstance(predictions, Exception):
                yield _fault(item[0], predictions)
            else:
                yield _result(item[0], predictions, smoothed, keep)


def _result(frame: Frame, predictions: list[Prediction], smoothed: _PerSource[Smooths], keep: bool) -> Result:
    if (smoother := smoothed.of(frame)) and frame.time is not None:
        predictions = smoother.update(predictions, frame.time)
    height, width = frame.pixels.shape[:2]
    pixels = frame.pixels if keep else None
    return Result(frame.source, frame.index, frame.time, width, height, predictions, pixels)


def _answers(model: Recogniser, batch: Sequence[Found | Fault]) -> list[list[Prediction] | Exception]:
    """For each item its predictions, in one go; if that fails, one by one, to find out whose fault it is."""
    asked = [item for item in batch if not isinstance(item, Fault)]
    try:
        rows = iter(model.recognise([frame.pixels for frame, _ in asked], [faces for _, faces in asked]))
        return [[] if isinstance(item, Fault) else next(rows) for item in batch]
    except Exception as error:
        return [error] if len(batch) == 1 else [_answers(model, [item])[0] for item in batch]


def _fault(frame: Frame, error: Exception) -> Fault:
    where = frame.source if frame.time is None else f"{frame.source}, frame {frame.index}"
    reason = " ".join(str(error).split()) or type(error).__name__
    return Fault(frame.source, f"{where}: {reason}", frame.index, frame.time)


def _bytes(item: Frame | Found | Result | Fault) -> int:
    held = item[0] if isinstance(item, tuple) else item
    pixels = None if isinstance(held, Fault) else held.pixels
    return 0 if pixels is None else pixels.nbytes
