"""From frames to results: decoding, looking for faces and recognising them overlap, in order and in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from ..records import Face, Moment, Pixels, Prediction, ReadError
from .prefetch import Ahead
from .results import Origin, Result

if TYPE_CHECKING:
    from ..detect import Detector

#: At most this many frames are recognised in one go, and only as many as are waiting: a camera's is never held back.
MOST = 16


class Recogniser(Protocol):
    """What the pipeline asks of a model."""

    def recognise(self, pictures: Sequence[Pixels], faces: Sequence[Sequence[Face]]) -> list[list[Prediction]]:
        """Say what each face of each picture shows."""


class Tracks(Protocol):
    """Follows the faces of one video."""

    def update(self, faces: list[Face], time: float, shot: int) -> list[Face]:
        """The same faces with their `track` set."""


class Cuts(Protocol):
    """Finds the cuts of one video."""

    def update(self, pixels: Pixels, time: float) -> int:
        """The number of the shot that a frame belongs to."""


class Smooths(Protocol):
    """Smooths the predictions of one video, each face's by its track."""

    def update(self, predictions: list[Prediction], time: float) -> list[Prediction]:
        """The same predictions, smoothed."""


Item: TypeAlias = "Moment | _Found | Result | ReadError"
Kept = TypeVar("Kept")


class _Found(NamedTuple):
    """The faces of a frame, and its shot where cuts are looked for."""

    frame: Moment
    faces: list[Face]
    shot: int | None


@dataclass(frozen=True)
class Through:
    """What happens to a video's faces from frame to frame: makers of a fresh tracker, smoother and finder of cuts for each."""

    tracker: Callable[[], Tracks] | None = None
    smoother: Callable[[], Smooths] | None = None
    shots: Callable[[], Cuts] | None = None


def stream(
    model: Recogniser,
    frames: Iterable[Moment | ReadError],
    find: Detector,
    through: Through = Through(),
    *,
    origin: Origin | None = None,
    keep: bool = False,
    live: Collection[str] = (),
) -> Generator[Result | ReadError, None, None]:
    """Results in the order of the frames; a frame that fails becomes a ReadError, and the rest goes on.

    `keep` leaves its pixels in each result. Frames of the sources named in `live` wait for nobody: newer ones take the place of
    those that wait. Closing the iterator stops the threads and closes `frames`.
    """

    def passing(item: Item) -> bool:
        return not isinstance(item, ReadError) and _frame_of(item).source in live

    read = Ahead(frames, _bytes, passing)
    found = Ahead(_detected(read, find, through), _bytes, passing)
    done = Ahead(_recognised(found, model, through, keep), _bytes, passing)
    try:
        for item in done:
            yield item if isinstance(item, ReadError) or origin is None else replace(item, origin=origin)
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

    def of(self, frame: Moment) -> Kept | None:
        """What is kept for this frame's video; None for a still picture, or where nothing is kept."""
        if self._make is None or frame.time is None:
            return None
        if self._kept is None or self._source != frame.source:
            self._source, self._kept = frame.source, self._make()
        return self._kept


def _detected(frames: Iterable[Moment | ReadError], find: Detector, through: Through) -> Iterator[_Found | ReadError]:
    followed, cut = _PerSource(through.tracker), _PerSource(through.shots)
    for frame in frames:
        if isinstance(frame, ReadError):
            yield frame
            continue
        try:
            time = frame.time or 0.0
            shot = shots.update(frame.pixels, time) if (shots := cut.of(frame)) else None
            faces = find(frame.pixels)
            if tracker := followed.of(frame):
                faces = tracker.update(faces, time, shot or 0)
        except Exception as error:  # one frame's trouble, whatever the detector raises, is not the others'
            yield _fault(frame, error)
        else:
            yield _Found(frame, faces, shot)


def _recognised(
    found: Ahead[_Found | ReadError], model: Recogniser, through: Through, keep: bool
) -> Iterator[Result | ReadError]:
    smoothed = _PerSource(through.smoother)
    while batch := found.waiting(MOST):
        for item, predictions in zip(batch, _answers(model, batch), strict=True):
            if isinstance(item, ReadError):
                yield item
            elif isinstance(predictions, Exception):
                yield _fault(item.frame, predictions)
            else:
                yield _result(item, predictions, smoothed, keep)


def _result(found: _Found, predictions: list[Prediction], smoothed: _PerSource[Smooths], keep: bool) -> Result:
    frame = found.frame
    if (smoother := smoothed.of(frame)) and frame.time is not None:
        predictions = smoother.update(predictions, frame.time)
    height, width = frame.pixels.shape[:2]
    pixels = frame.pixels if keep else None
    return Result(frame.source, frame.index, frame.time, width, height, predictions, pixels, shot=found.shot)


def _answers(model: Recogniser, batch: Sequence[_Found | ReadError]) -> list[list[Prediction] | Exception]:
    """For each item its predictions, in one go; if that fails, one by one, to find out whose fault it is."""
    asked = [item for item in batch if not isinstance(item, ReadError)]
    try:
        rows = iter(model.recognise([one.frame.pixels for one in asked], [one.faces for one in asked]))
        return [[] if isinstance(item, ReadError) else next(rows) for item in batch]
    except Exception as error:
        return [error] if len(batch) == 1 else [_answers(model, [item])[0] for item in batch]


def _fault(frame: Moment, error: Exception) -> ReadError:
    where = frame.source if frame.time is None else f"{frame.source}, frame {frame.index}"
    reason = " ".join(str(error).split()) or type(error).__name__
    return ReadError(frame.source, f"{where}: {reason}", frame.index, frame.time)


def _frame_of(item: Moment | _Found | Result) -> Moment | Result:
    return item.frame if isinstance(item, _Found) else item


def _bytes(item: Item) -> int:
    pixels = None if isinstance(item, ReadError) else _frame_of(item).pixels
    return 0 if pixels is None else pixels.nbytes
