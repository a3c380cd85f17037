"""A decoded frame of PyAV as upright RGB pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from ..extras import require
from ..media.limits import LIMITS, Limits
from ..records import Pixels

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.stream import VideoStream

#: Widths of a pixel that are believed, as a share of its height.
_ASPECTS = (0.25, 4.0)


def upright(stream: VideoStream, limits: Limits = LIMITS) -> Callable[[VideoFrame], Pixels]:
    """A maker of uint8 (H, W, 3) RGB, turned as the frame's display matrix says and with square pixels; for the frames of one
    stream, whose conversion it sets up once. It raises InputError."""
    av = require("av", "video")
    aspect = float(stream.sample_aspect_ratio or 1)
    stretch = aspect if _ASPECTS[0] <= aspect <= _ASPECTS[1] else 1.0
    reformatter = av.video.reformatter.VideoReformatter()

    def convert(frame: VideoFrame) -> Pixels:
        width = round(frame.width * stretch)
        limits.check_pixels((width, frame.height))
        try:
            pixels = reformatter.reformat(frame, width=width, height=frame.height, format="rgb24").to_ndarray()
        except (av.FFmpegError, ValueError) as error:
            raise InputError(f"its colours cannot be converted: {error}") from None
        turns = round(frame.rotation / 90) % 4
        return np.asarray(np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels, np.uint8)

    return convert
