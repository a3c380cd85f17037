"""The annotated video: every frame with its predictions drawn on it, at its own time. Without the sound."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError
from ...extras import require
from ...files import atomic_write
from ...predict.results import Result
from ...records import Pixels
from .overlay import Overlay
from .sink import Recordings, check_suffix

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
#: Ticks a second: exact for 24, 25, 29.97, 30 and 60 frames a second, and no more than MPEG-4 can count.
TICKS = 60_000
_ENCODERS = {"libx264": {"preset": "veryfast", "crf": "21"}, "libopenh264": {}, "mpeg4": {}}
_BITS = 6  # a second and pixel, for encoders that have no measure of quality


class Film:
    """One video, as large as its first frame (an odd side grows by one pixel), from that frame's time on."""

    def __init__(self, path: Path) -> None:
        """Begin a part file beside `path`. Raises MissingExtraError without PyAV."""
        self._av = require("av", "video")
        with ExitStack() as stack:
            part = stack.enter_context(atomic_write(path))
            container = self._av.open(str(part), "w", format=CONTAINERS[path.suffix.lower()])
            self._file = stack.enter_context(container)
            self._stack = stack.pop_all()
        self._stream: Any = None
        self._tick = -1

    def add(self, result: Result) -> None:
        """Draw on a frame and encode it."""
        pixels, time = result.moment.pixels, result.time or 0.0
        if self._stream is None:
            self._begin(pixels, time)
        picture = self._overlay.draw(pixels, result.predictions, time)
        moving = self._av.VideoFrame.from_ndarray(_even(picture, self._size), "rgb24")
        self._tick = max(self._tick + 1, round((time - self._first) * TICKS))
        moving.pts, moving.time_base = self._tick, Fraction(1, TICKS)
        self._file.mux(self._stream.encode(moving))

    def close(self) -> None:
        """Write what the encoder still holds and put the file in its place."""
        with self._stack:
            self._file.mux(self._stream.encode(None))

    def discard(self) -> None:
        """Leave no file."""
        self._stack.__exit__(InputError, InputError("given up"), None)

    def _begin(self, pixels: Pixels, time: float) -> None:
        height, width = pixels.shape[:2]
        name = next(name for name in _ENCODERS if name in self._av.codecs_available)
        self._stream = self._file.add_stream(name, rate=30, options=_ENCODERS[name])
        self._size = width + width % 2, height + height % 2
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, TICKS)
        self._stream.codec_context.gop_size = 60
        if name != "libx264":
            self._stream.bit_rate = _BITS * width * height
        self._overlay, self._first = Overlay((width, height)), time


def open_video(path: Path) -> Recordings:
    """Make a sink of annotated videos. Raises ConfigError for another suffix, MissingExtraError."""
    check_suffix(path, CONTAINERS, "a video")
    require("av", "video")
    return Recordings(path, Film)


def _even(picture: Pixels, size: tuple[int, int]) -> Pixels:
    """The picture at `size` (width, height): last row and column repeated, or cut where it changed."""
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    short = (0, max(0, size[1] - height)), (0, max(0, size[0] - width)), (0, 0)
    return np.ascontiguousarray(np.pad(picture, short, mode="edge")[: size[1], : size[0]])
