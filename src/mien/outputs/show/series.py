"""What a video's results say of each face over time, as columns of numbers: some bytes a frame."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...predict.results import Result
from ...prediction import Prediction
from ...tasks import Head, Task

Array = NDArray[np.float64]
#: Seconds without a face from which on a track has a gap, where frames do not lie further apart.
_GAP = 0.5


class Piece(NamedTuple):
    """A time in which a face was seen without a gap.

    `times` (n + 1) in seconds, the last one its end; `values` (n, labels) and the share of frames without an
    answer, `unsure` (n,), from each of the other times on.
    """

    times: Array
    values: Array
    unsure: Array


@dataclass
class Track:
    """One face: its frames (places in Series.times), boxes (4 numbers each), abstentions, numbers by head."""

    name: str
    frames: array[int] = field(default_factory=lambda: array("l"))
    boxes: array[int] = field(default_factory=lambda: array("l"))
    unsure: array[int] = field(default_factory=lambda: array("b"))
    heads: dict[str, array[float]] = field(default_factory=dict)

    def add(self, frame: int, prediction: Prediction) -> None:
        """Take what one frame says of it."""
        self.frames.append(frame)
        self.boxes.extend(prediction.face.box)
        self.unsure.append(prediction.abstained)
        for head in prediction.task:
            numbers = prediction.outputs[head.name]
            self.heads.setdefault(head.name, array("f")).extend(numbers[label] for label in head.space.labels)

    def values(self, head: Head) -> Array:
        """A head's numbers, float64 (rows, labels)."""
        return np.array(self.heads[head.name], np.float64).reshape(-1, len(head))


class Series:
    """The results of one video, frame by frame and track by track."""

    def __init__(self) -> None:
        self.times = array("d")
        self.size = (0, 0)
        self.tracks: dict[int, Track] = {}
        self.task: Task | None = None

    def add(self, result: Result) -> None:
        """Take the result of one frame. Faces without a track are distinguished by their place in the row."""
        self.times.append(result.time or 0.0)
        self.size = result.width, result.height
        for place, prediction in enumerate(result.predictions):
            self.task = prediction.task
            track = prediction.face.track
            key = -1 - place if track is None else track
            name = f"face {place + 1}" if track is None else f"#{track}"
            self.tracks.setdefault(key, Track(name)).add(len(self.times) - 1, prediction)

    @property
    def step(self) -> float:
        """The usual time between two frames, in seconds."""
        gaps = np.diff(np.array(self.times))
        return float(np.median(gaps)) if len(gaps) else 0.04

    @property
    def span(self) -> tuple[float, float]:
        """From the first frame to the end of the last, in seconds."""
        return (self.times[0], self.times[-1] + self.step) if self.times else (0.0, 0.0)

    def seen(self, track: Track) -> Array:
        """When each row of a track was, in seconds."""
        return np.array(self.times)[np.array(track.frames, np.intp)]

    def pieces(self, track: Track, head: Head, column: float) -> Iterator[Piece]:
        """Yield a head's answers for a track, without its gaps, as means over `column` seconds."""
        seen, values, unsure = self.seen(track), track.values(head), np.array(track.unsure, np.float64)
        breaks = np.flatnonzero(np.diff(seen) > max(_GAP, 2.5 * self.step)) + 1
        for start, stop in zip([0, *breaks.tolist()], [*breaks.tolist(), len(seen)], strict=True):
            rows = slice(start, stop)
            places = np.floor((seen[rows] - seen[start]) / max(column, 1e-9))
            first = np.flatnonzero(np.diff(places, prepend=-1.0))
            counts = np.diff(first, append=stop - start)
            yield Piece(
                np.append(seen[rows][first], seen[stop - 1] + self.step),
                np.add.reduceat(values[rows], first) / counts[:, None],
                np.add.reduceat(unsure[rows], first) / counts,
            )
