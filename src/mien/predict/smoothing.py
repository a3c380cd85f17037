"""Smooth each face's answers through time, and sum them up by person (docs/concepts/tracking.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, InputError
from ..prediction import Prediction
from ..tasks import Head, Kind, Task
from .results import Result

Array = NDArray[np.float64]
POOLS = ("mean", "geometric")
_TINY = 1e-7
#: What a frame counts besides the time around it, in seconds: enough to sum up a face seen once.
_INSTANT = 1e-6


class Smoother:
    """Replaces each prediction by the weighted mean of those of its track so far.

    The latest has weight 1, one `half_life` seconds ago weight 1/2. Faces without a track are unchanged.
    `pool`: 'mean' averages probabilities (the linear pool); 'geometric' averages their logarithms and
    normalises, tags by their log-odds. Values are averaged as they are.
    """

    def __init__(self, half_life: float = 0.5, pool: str = "mean") -> None:
        """Raises ConfigError."""
        if not (np.isfinite(half_life) and half_life > 0):
            raise ConfigError(f"half-life {half_life} must be more than 0 seconds")
        if pool not in POOLS:
            raise ConfigError(f"pool '{pool}' must be one of: {', '.join(POOLS)}")
        self.half_life, self.pool = half_life, pool
        self._sums: dict[int, _Sum] = {}

    def update(self, predictions: Sequence[Prediction], time: float) -> list[Prediction]:
        """Return the predictions smoothed, in order. Raises InputError where `time` (s) runs back."""
        smoothed = [self._smoothed(found, time) for found in predictions]
        oldest = time - 50 * self.half_life  # what is forgotten to the last digit need not be kept
        self._sums = {track: kept for track, kept in self._sums.items() if kept.time > oldest}
        return smoothed

    def _smoothed(self, found: Prediction, time: float) -> Prediction:
        track = found.face.track
        if track is None:
            return found
        last = self._sums.get(track, _Sum(time, 0.0, {}))
        if time < last.time:
            order = f"frame at {time} s after one at {last.time} s"
            raise InputError(f"{order}: faces are smoothed forwards only")
        kept = 0.5 ** ((time - last.time) / self.half_life)
        answers = {head.name: self._into(head, found.outputs[head.name]) for head in found.task}
        sums = {name: kept * last.sums.get(name, 0.0) + values for name, values in answers.items()}
        total = self._sums[track] = _Sum(time, kept * last.weight + 1, sums)
        if total.weight == 1:
            return found
        outputs = {head.name: self._back(head, sums[head.name] / total.weight) for head in found.task}
        return replace(found, outputs=outputs)

    def _into(self, head: Head, answers: Mapping[str, float]) -> Array:
        """The space in which a head's answers are averaged."""
        values = np.array([answers[label] for label in head.space.labels])
        if self.pool == "mean" or head.kind is Kind.VALUES:
            return values
        values = np.clip(values, _TINY, 1 - _TINY)
        return np.asarray(np.log(values / (1 - values) if head.kind is Kind.TAGS else values))

    def _back(self, head: Head, mean: Array) -> dict[str, float]:
        if self.pool == "geometric" and head.kind is Kind.TAGS:
            mean = 1 / (1 + np.exp(-mean))
        elif self.pool == "geometric" and head.kind is not Kind.VALUES:
            mean = np.exp(mean - mean.max())
            mean = mean / mean.sum()
        return dict(zip(head.space.labels, mean.tolist(), strict=True))


@dataclass(frozen=True)
class _Sum:
    """Of one track when it was last seen: sum of the weights, and of the weighted answers by head."""

    time: float
    weight: float
    sums: Mapping[str, Array]


@dataclass(frozen=True)
class TrackedPerson:
    """One track of one source, summed up.

    `first`, `last`: times of its first and last frame in seconds, None in still pictures; `share`: of its
    time, by dominant label; `means`: by head, label -> mean; `confidence` and `abstained` (a share) are
    means. Means are over time: a frame counts for half the time to the one before it and half the time to the
    next.
    """

    source: str
    track: int
    first: float | None
    last: float | None
    frames: int
    share: Mapping[str, float]
    means: Mapping[str, Mapping[str, float]]
    confidence: float | None
    abstained: float
    task: Task = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The person as JSON can hold it."""
        return {name: value for name, value in vars(self).items() if name != "task"}


class People:
    """Sums up the followed faces of results: of `most` people, the first to appear (0: of all)."""

    def __init__(self, most: int = 0) -> None:
        self.most = most
        self._sums: dict[tuple[str, int], _TrackSum] = {}

    def add(self, result: Result) -> None:
        """Take in the next result."""
        for found in result.predictions:
            if (track := found.face.track) is None:
                continue
            key = result.source, track
            if key not in self._sums and (not self.most or len(self._sums) < self.most):
                self._sums[key] = _TrackSum(found.task, result.time)
            if key in self._sums:
                self._sums[key].add(found, result.time)

    def summed(self) -> list[TrackedPerson]:
        """The people so far, in order of appearance."""
        return [total.person(*key) for key, total in self._sums.items()]


@dataclass
class _TrackSum:
    """What is known of a track so far: seconds by dominant label, and each answer's integral over time."""

    task: Task
    first: float | None
    last: float | None = None
    frames: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    total: float = 0.0
    sums: Array | float = 0.0
    before: tuple[str | None, Array] | None = None

    def add(self, found: Prediction, time: float | None) -> None:
        """Take in one more frame: the time since the last one belongs half to each of the two."""
        answers = [found.outputs[head.name][label] for head in self.task for label in head.space.labels]
        now = found.dominant, np.array([*answers, found.confidence or 0.0, found.abstained])
        if self.before is not None and self.last is not None and time is not None:
            half = (time - self.last) / 2
            self._count(*self.before, half)
            self._count(*now, half)
        self._count(*now, _INSTANT)
        self.last, self.before, self.frames = time, now, self.frames + 1

    def _count(self, dominant: str | None, answers: Array, seconds: float) -> None:
        if dominant is not None:
            self.seconds[dominant] = self.seconds.get(dominant, 0.0) + seconds
        self.sums, self.total = self.sums + seconds * answers, self.total + seconds

    def person(self, source: str, track: int) -> TrackedPerson:
        """The track summed up."""
        *values, confidence, abstained = (np.asarray(self.sums) / self.total).tolist()
        each = iter(values)
        means = {head.name: {label: next(each) for label in head.space.labels} for head in self.task}
        longest = sorted(self.seconds.items(), key=lambda item: -item[1])
        share = {label: seconds / self.total for label, seconds in longest}
        sure, seen = confidence if share else None, (self.first, self.last, self.frames)
        return TrackedPerson(source, track, *seen, share, means, sure, abstained, self.task)
