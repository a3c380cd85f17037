"""Videos composed from drawn faces, with the truth of every frame: its time, who is in it and where.

`compose(path, people, duration)` writes one; Haar and YuNet find every face of `PEOPLE`. Nothing of it comes
from a photograph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np

from mien import synthetic
from mien.records import Box, Pixels

#: How much larger than a face's box its drawing is: hair, ears and a neck.
_ROOM = 1.3
#: Colours of the ground, one after each cut.
_GROUNDS = ((96, 112, 128), (128, 104, 88), (84, 116, 92), (120, 92, 120))


@dataclass(frozen=True)
class Person:
    """Someone who crosses the picture in a straight line: centre of the face's box at the video's start and
    end, in pixels.

    `seen`: from and to when, in seconds. `emotions`: (from when on, label), the first from 0. `side`: of the
    box. `look`: a seed (YuNet finds each of 0…9, Haar all but 1 and 8).
    """

    name: str
    look: int
    start: tuple[float, float]
    end: tuple[float, float]
    side: int = 110
    seen: tuple[float, float] = (0.0, float("inf"))
    emotions: tuple[tuple[float, str], ...] = ((0.0, "happiness"),)

    def box(self, share: float) -> Box:
        """Where the face is when `share` (0…1) of the duration has passed."""
        x, y = (a + share * (b - a) for a, b in zip(self.start, self.end, strict=True))
        return Box(round(x - self.side / 2), round(y - self.side / 2), self.side, self.side)

    def feels(self, time: float) -> str:
        """The emotion that the face shows."""
        return [label for since, label in self.emotions if since <= time][-1]


#: Two who pass each other in 640x480, at different heights and never behind one another.
PEOPLE = (
    Person("ann", 0, (110, 130), (530, 130), emotions=((0.0, "happiness"), (1.0, "surprise"))),
    Person("bob", 3, (530, 340), (110, 340), emotions=((0.0, "sadness"),)),
)


class Shot(NamedTuple):
    """One frame: its time in seconds, as the file keeps it, and the (name, box) of everybody in it."""

    time: float
    faces: list[tuple[str, Box]]


class Truth(NamedTuple):
    """What a composed video shows, frame by frame."""

    frames: list[Shot]

    @property
    def times(self) -> list[float]:
        """When each frame is shown, in seconds."""
        return [shot.time for shot in self.frames]


def compose(
    path: Path,
    people: Sequence[Person] = PEOPLE,
    duration: float = 2.0,
    fps: int = 25,
    *,
    times: Sequence[float] | None = None,
    size: tuple[int, int] = (640, 480),
    cuts: Sequence[float] = (),
    rotation: int = 0,
    codec: str = "mpeg4",
    gop: int = 12,
    start: float = 0.0,
) -> Truth:
    """Write a video (.mp4, .mkv, .avi …) and return its truth. A frame every 1/fps seconds, or at `times`
    (kept to the ms).

    `size` (width, height) is as displayed; a `rotation` (degrees, multiple of 90) stores the picture turned,
    with the display matrix that turns it back. `cuts`: when the ground changes. `start`: the first frame's
    own time; the truth counts from it.
    """
    base = Fraction(1, 1000 if times is not None else fps)
    ticks = [round(t * 1000) for t in times] if times is not None else list(range(round(duration * fps)))
    shots = [Shot(float(tick * base), []) for tick in ticks]
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=Fraction(fps))
        stored = size if rotation % 180 == 0 else size[::-1]
        stream.width, stream.height, stream.pix_fmt = *stored, "yuv420p"
        stream.bit_rate, stream.gop_size, stream.codec_context.time_base = 4_000_000, gop, base
        stream.codec_context.thread_count = 1
        if rotation:
            stream.set_display_rotation(rotation)
        for tick, shot in zip(ticks, shots, strict=True):
            pixels = draw(people, shot.time, duration, size, ground=sum(cut <= shot.time for cut in cuts))
            shot.faces.extend(present(people, shot.time, duration))
            frame = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(np.rot90(pixels, -rotation // 90)), "rgb24"
            )
            frame.pts, frame.time_base = tick + round(start / base), base
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return Truth(shots)


def present(people: Sequence[Person], time: float, duration: float) -> list[tuple[str, Box]]:
    """Who is in the picture at a time, and where."""
    return [(one.name, one.box(time / duration)) for one in people if one.seen[0] <= time < one.seen[1]]


def draw(
    people: Sequence[Person],
    time: float,
    duration: float,
    size: tuple[int, int] = (640, 480),
    ground: int = 0,
) -> Pixels:
    """The picture at a time, uint8 (height, width, 3) RGB; later people stand before earlier ones."""
    picture = np.array(_ground(ground % len(_GROUNDS), size))
    for one in people:
        if one.seen[0] <= time < one.seen[1]:
            _paste(picture, one, one.box(time / duration), time)
    return picture


def _paste(picture: Pixels, one: Person, box: Box, time: float) -> None:
    face, mask = _drawn(one.look, one.feels(time), round(one.side * _ROOM))
    edge = (face.shape[0] - one.side) // 2
    left, top, (height, width) = box.x - edge, box.y - edge, picture.shape[:2]
    rows = slice(max(0, top), min(height, top + face.shape[0]))
    columns = slice(max(0, left), min(width, left + face.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    inner = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
    share = mask[inner][:, :, None]
    picture[rows, columns] = picture[rows, columns] * (1 - share) + face[inner] * share + 0.5


@cache
def _drawn(look: int, emotion: str, side: int) -> tuple[Pixels, np.ndarray]:
    """A face and how much of each pixel it covers."""
    drawn = synthetic.draw_appearance(np.random.default_rng(look))
    view = replace(drawn.view, roll=0.0, yaw=drawn.view.yaw / 2, shift=(0.0, 0.0), zoom=1 / _ROOM, blur=0.0)
    face = synthetic.face(emotion, replace(drawn, view=view), side, "rgb")
    mask = np.zeros((side, side), np.float32)
    cv2.ellipse(mask, (side // 2, side // 2), (int(side * 0.42), int(side * 0.48)), 0, 0, 360, 1.0, -1)
    return face, cv2.GaussianBlur(mask, (0, 0), side / 60)


@cache
def _ground(which: int, size: tuple[int, int]) -> Pixels:
    """A colour that grows darker towards the floor, under a little grain."""
    width, height = size
    shade = np.linspace(1.15, 0.75, height)[:, None, None]
    grain = np.random.default_rng(which).normal(0, 2, (height, width, 1))
    return np.clip(np.array(_GROUNDS[which]) * shade + grain, 0, 255).astype(np.uint8)
