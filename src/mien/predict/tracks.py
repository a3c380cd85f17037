"""Follow faces through a video: after ByteTrack (Zhang et al., ECCV 2022, arXiv 2110.06864), in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..records import Box, Face

Array = NDArray[np.float64]

#: How exactly detectors place a face, and how fast it moves (a second), in shares of its size.
_PLACED, _SPEED = 0.05, 1.5
#: After so many seconds unseen a face is taken to have lost most of its speed.
_COAST = 0.5
#: Boxes are compared as if wider by what the filter is unsure of, up to this share of their size.
_WIDEST = 1.0


class Tracker:
    """Gives the faces of one video their `track`: a number from 0, never used again, nor in another shot.

    Faces scored `high` or better, or not scored, are matched first, by their overlap with where a track is
    expected (intersection over union above `overlap`); the others then with the tracks that are left. An
    unmatched face starts a new track at once. A track unseen for `patience` seconds is over.
    """

    def __init__(self, patience: float = 2.0, high: float = 0.6, overlap: float = 0.2) -> None:
        self.patience, self.high, self.overlap = patience, high, overlap
        self._tracks: list[_Track] = []
        self._numbers, self._time = count(), -np.inf

    def update(self, faces: Sequence[Face], time: float, shot: int = 0) -> list[Face]:
        """Return the faces with their `track` set, in the same order; `shot` is the number of the shot.

        `time` is in seconds. Raises InputError where it runs back.
        """
        if not time >= self._time:
            order = f"frame at {time} s after one at {self._time} s"
            raise InputError(f"{order}: faces are followed forwards only")
        before, self._time = self._time, time
        oldest = min(before, time - self.patience)  # one seen in the last frame is alive, however old
        self._tracks = [track for track in self._tracks if track.time >= oldest]
        boxes = np.array([_centred(face.box) for face in faces]).reshape(-1, 4)
        sure = [k for k, face in enumerate(faces) if face.score is None or face.score >= self.high]
        unsure = [k for k in range(len(faces)) if k not in sure]
        alive = [track for track in self._tracks if track.shot == shot]
        matched = self._match(boxes, sure, alive)
        unmatched = [track for track in alive if track not in matched.values()]
        matched |= self._match(boxes, unsure, unmatched)
        for k in range(len(faces)):
            if k in matched:
                matched[k].correct(boxes[k], time)
            else:
                matched[k] = _Track(next(self._numbers), boxes[k], time, shot)
                self._tracks.append(matched[k])
        return [replace(face, track=matched[k].number) for k, face in enumerate(faces)]

    def _match(self, boxes: Array, picks: list[int], tracks: list[_Track]) -> dict[int, _Track]:
        """Pairs of face and track by overlap, the largest first."""
        if not picks or not tracks:
            return {}
        expected = np.array([track.expected(self._time) for track in tracks])
        shared = _overlap(boxes[picks], expected[:, :4], np.minimum(expected[:, 4], _WIDEST))
        return {picks[row]: tracks[column] for row, column in _pairs(shared, self.overlap)}


class _Track:
    """A face's box as centre, width and height, and their speeds, through a Kalman filter.

    All four share one 2x2 covariance, in shares of the face's size. Speeds fade (an Ornstein-Uhlenbeck
    process): what is expected of a face unseen for a second stays near.
    """

    def __init__(self, number: int, box: Array, time: float, shot: int) -> None:
        self.number, self.time, self.shot = number, time, shot
        self._state = np.stack([box, np.zeros(4)])
        self._spread = np.diag([_PLACED**2, _SPEED**2])

    def expected(self, time: float) -> Array:
        """Predict centre x, y, width, height, and the place's uncertainty in shares of the face."""
        state, spread = self._predicted(time)
        return np.append(state[0], np.sqrt(spread[0, 0]))

    def correct(self, box: Array, time: float) -> None:
        """Take in where the face was seen."""
        state, spread = self._predicted(time)
        gain = spread[:, 0] / (spread[0, 0] + _PLACED**2)
        self._state = state + np.outer(gain, box - state[0])
        self._spread = spread - np.outer(gain, spread[0])
        self.time = time

    def _predicted(self, time: float) -> tuple[Array, Array]:
        since = (time - self.time) / _COAST
        left = np.exp(-since)
        move = np.array([[1.0, _COAST * (1 - left)], [0.0, left]])
        place = _COAST**2 * (2 * since - 3 + 4 * left - left**2)
        both = _COAST * (1 - left) ** 2
        noise = _SPEED**2 * np.array([[place, both], [both, 1 - left**2]])
        return move @ self._state, move @ self._spread @ move.T + noise


def _centred(box: Box) -> tuple[float, float, float, float]:
    """Centre x and y, width and height."""
    return box.x + box.width / 2, box.y + box.height / 2, max(1, box.width), max(1, box.height)


def _overlap(boxes: Array, others: Array, wider: Array) -> Array:
    """Intersection over union of boxes (n, 4) and others (m, 4), grown by `wider` (m,) on every side."""
    grown = 1 + 2 * wider
    size, other = boxes[:, None, 2:] * grown[None, :, None], others[None, :, 2:] * grown[None, :, None]
    apart = np.abs(boxes[:, None, :2] - others[None, :, :2])
    shared = np.clip(np.minimum((size + other) / 2 - apart, np.minimum(size, other)), 0, None).prod(axis=2)
    return np.asarray(shared / (size.prod(axis=2) + other.prod(axis=2) - shared), np.float64)


def _pairs(shared: Array, least: float) -> Iterator[tuple[int, int]]:
    """Yield row and column of the largest value above `least`, then the largest of the others, and so on."""
    left = np.array(shared)
    while left.max() > least:
        row, column = divmod(int(left.argmax()), left.shape[1])
        yield row, column
        left[row, :] = left[:, column] = -1
