"""One face's row of a timeline: stacked probabilities, a strip of dominant labels, curves of values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...palette import EMOTIONS, colours
from ...tasks import Head, Kind, Task
from .plot import TimelinePlot, ink_on, wide
from .series import Piece, Series, Track

WIDTH, LEFT, RIGHT = 960, 48, 20  # of the plot, and of its margins
COLUMNS = 446  # two units each: finer detail than that cannot be seen, and is averaged
UNSURE = "unsure"
_STACK, _STRIP, _CURVES, _HEAD, _GAP = 72, 18, 56, 32, 6  # heights
_VALUES = ("accent", "second", "muted")
#: Colours of tags, far from one another.
_TAGS = tuple(EMOTIONS[name] for name in ("sad", "angry", "disgust", "contempt", "happy"))


@dataclass(frozen=True)
class Scale:
    """From seconds to places on the plot."""

    start: float
    end: float

    def x(self, time: float) -> float:
        """Where a time is."""
        return LEFT + (time - self.start) / max(self.end - self.start, 1e-9) * (WIDTH - LEFT - RIGHT)

    @property
    def column(self) -> float:
        """The shortest time that can be distinguished, in seconds."""
        return (self.end - self.start) / COLUMNS


def curved(task: Task) -> list[Head]:
    """The heads that are shown as curves: those of values; tags where nothing is stacked."""
    kinds = (Kind.VALUES,) if task.main_head else (Kind.VALUES, Kind.TAGS)
    return [head for head in task if head.kind in kinds]


def strokes(series: Series, head: Head) -> dict[str, str]:
    """The labels of a head that get a curve, with colours: each value, or the likeliest tags on the whole."""
    if head.kind is Kind.VALUES:
        return {label: _VALUES[at % len(_VALUES)] for at, label in enumerate(head.space.labels)}
    mean = np.concatenate([track.values(head) for track in series.tracks.values()]).mean(axis=0)
    best = np.argsort(-mean)[: len(_TAGS)]
    return {head.space.labels[at]: colour for at, colour in zip(best, _TAGS, strict=False)}


def row(plot: TimelinePlot, series: Series, task: Task, track: Track, top: float) -> float:
    """Draw the row of a face from `top` on; returns where it ends."""
    scale, head = Scale(*series.span), task.main_head
    plot.text((LEFT, top + 21), track.name, size=14, bold=True)
    plot.text((LEFT + wide(track.name, 14) + 14, top + 21), _summary(series, track, head), "muted")
    top += _HEAD
    if head:
        _ground(plot, top, _STACK, ("100 %", "0"))
        for piece in series.pieces(track, head, scale.column):
            _areas(plot, scale, head, piece, top)
            _strip(plot, scale, head, piece, top + _STACK + 3)
        top += _STACK + 3 + _STRIP
    for head in curved(task):
        top += _GAP
        _curves(plot, series, track, head, top)
        top += _CURVES
    return top + _GAP


def _ground(plot: TimelinePlot, top: float, height: float, ends: tuple[str, str]) -> None:
    for at, text in zip((top + 9, top + height), ends, strict=True):
        plot.text((LEFT - 6, at), text, "muted", size=10, anchor="end")
    plot.line([(LEFT, top + height), (WIDTH - RIGHT, top + height)], "line")


def _areas(plot: TimelinePlot, scale: Scale, head: Head, piece: Piece, top: float) -> None:
    """Each label's area from the base up, the last label first, so that no seam is left between two."""
    heights = np.cumsum(piece.values, axis=1)
    heights = top + _STACK * (1 - heights / heights[:, -1:])
    x = [scale.x(time) for time in piece.times]
    for at in reversed(range(len(head))):
        upper = heights[:, at].tolist()
        points = [(x[0], top + _STACK), *zip(x, [*upper, upper[-1]], strict=True), (x[-1], top + _STACK)]
        plot.area(points, colours(head.space)[head.space.labels[at]], head.space.labels[at])


def _strip(plot: TimelinePlot, scale: Scale, head: Head, piece: Piece, top: float) -> None:
    """The dominant label as long as it stays, with its name where there is room."""
    for label, start, end in _stays(head, piece):
        left, right = scale.x(start), scale.x(end)
        colour = "line" if label == UNSURE else colours(head.space)[label]
        plot.box((left, top, right, top + _STRIP), colour, label)
        if wide(label, 11) + 8 < right - left:
            ink = "ink" if label == UNSURE else ink_on(colour)
            plot.text(((left + right) / 2, top + 13), label, ink, size=11, anchor="middle")


def _stays(head: Head, piece: Piece) -> Iterator[tuple[str, float, float]]:
    best = np.where(piece.unsure > 0.5, len(head), piece.values.argmax(axis=1))
    first = np.flatnonzero(np.diff(best, prepend=-1))
    names = (*head.space.labels, UNSURE)
    for start, stop in zip(first, [*first[1:], len(best)], strict=True):
        yield names[best[start]], float(piece.times[start]), float(piece.times[stop])


def _curves(plot: TimelinePlot, series: Series, track: Track, head: Head, top: float) -> None:
    scale = Scale(*series.span)
    low, high = head.bounds if head.kind is Kind.VALUES else (0.0, 1.0)
    _ground(plot, top, _CURVES, (f"{high:+g}", f"{low:g}") if low < 0 else (f"{high:g}", f"{low:g}"))
    if low < 0 < high:
        middle = top + _CURVES * high / (high - low)
        plot.line([(LEFT, middle), (WIDTH - RIGHT, middle)], "line")
    for piece in series.pieces(track, head, scale.column):
        for label, stroke in strokes(series, head).items():
            share = (high - piece.values[:, head.space.index(label)]) / (high - low)
            y = (top + _CURVES * np.clip(share, 0, 1)).tolist()
            plot.line([*zip(map(scale.x, piece.times), [*y, y[-1]], strict=True)], stroke, 1.6)


def _summary(series: Series, track: Track, head: Head | None) -> str:
    """When the face was seen, and what it mostly showed."""
    seen = series.seen(track)
    words = f"{clock(seen[0])} to {clock(seen[-1] + series.step)}"
    if head is None:
        return words
    best = np.where(np.array(track.unsure) > 0, len(head), track.values(head).argmax(axis=1)).tolist()
    place, times = Counter(best).most_common(1)[0]
    return f"{words} · mostly {(*head.space.labels, UNSURE)[place]} ({times / len(best):.0%})"


def clock(seconds: float, step: float = 1.0) -> str:
    """A time as m:ss or h:mm:ss, with tenths where the step is shorter than a second."""
    whole = round(seconds, 1) if step < 1 else round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(int(minutes), 60)
    tail = f"{rest:04.1f}" if step < 1 else f"{int(rest):02}"
    return f"{hours}:{minutes:02}:{tail}" if hours else f"{minutes}:{tail}"
