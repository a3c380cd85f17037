"""Cameras and live streams as sources: frames as they come, timed by a clock."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from functools import partial
from itertools import dropwhile
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np

from ..errors import InputError, MienError
from ..extras import require
from ..media.limits import LIMITS, Limits
from ..records import Moment, Pixels
from .base import ALL, Flow, Picker, Sampling, read_error
from .video_decoder import upright
from .videos import checked

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

#: What begins a live stream's address; `camera:` before an http(s) address makes it one too.
STREAMS = ("rtsp://", "rtsps://", "rtmp://", "srt://", "udp://", "rtp://")
_PROTOCOLS = "rtsp,rtsps,rtp,udp,tcp,tls,http,https,httpproxy,crypto,rtmp,rtmps,srt"

#: Opens a camera by its name and yields its pictures, uint8 (H, W, 3) RGB, until closed. Raises InputError.
Capture: TypeAlias = Callable[..., cv2.VideoCapture]
Opener: TypeAlias = Callable[[str], Generator[Pixels, None, None]]


class Camera:
    """A camera of this machine (`camera:0`, `/dev/video0`) or a live stream (`rtsp://…`).

    A frame's time is when it came, by `clock` in seconds, counted from the first one. Its end is a fault,
    unless the sampling wanted no more.
    """

    moving = True
    count: int | None = None

    def __init__(
        self,
        name: str,
        sampling: Sampling = ALL,
        limits: Limits = LIMITS,
        *,
        clock: Callable[[], float] = time.monotonic,
        opener: Opener | None = None,
    ) -> None:
        self.name = name
        self._sampling, self._clock = sampling, clock
        self._opener = opener or (partial(stream, limits=limits) if "://" in name else device)

    def __iter__(self) -> Flow:
        """Read until it ends, or the sampling has enough."""
        picker, index, passed, began = Picker(self._sampling), 0, 0.0, None
        try:
            with closing(self._opener(self.name.removeprefix("camera:"))) as pictures:
                for index, pixels in enumerate(pictures):
                    now = self._clock()
                    began = now if began is None else began
                    passed = now - began
                    if picker.over(passed):
                        return
                    if picker.takes(passed):
                        yield Moment({"image": pixels}, self.name, index, passed)
                    if picker.over(passed):
                        return
            when = f"after {passed:.2f} s and {index + 1} frames"
            reason = "gave no picture" if began is None else f"ended {when}"
        except MienError as error:
            when = f" (after {passed:.2f} s and {index + 1} frames)"
            reason = f"{error}{'' if began is None else when}"
        yield read_error(self.name, InputError(f"{self.name}: {reason}"))


def device(name: str, capture: Capture = cv2.VideoCapture) -> Generator[Pixels, None, None]:
    """The pictures of a camera of this machine, by its number or path. Raises InputError."""
    if not re.fullmatch(r"\d{1,3}|/dev/\S+", name):
        known = "a number such as camera:0, a path such as /dev/video0, or rtsp://…"
        raise InputError(f"unknown camera ({known})")
    silent = cv2.utils.logging.LOG_LEVEL_SILENT  # it would write lines of its own
    level = cv2.utils.logging.setLogLevel(silent)
    try:
        camera = capture(int(name) if name.isdecimal() else name)
    finally:
        cv2.utils.logging.setLogLevel(level)
    try:
        if not camera.isOpened():
            raise InputError("no such camera, or another program is using it")
        while (found := camera.read())[0] and found[1] is not None:
            yield np.asarray(cv2.cvtColor(found[1], cv2.COLOR_BGR2RGB), np.uint8)
    finally:
        camera.release()


def stream(address: str, limits: Limits = LIMITS) -> Generator[Pixels, None, None]:
    """The pictures of a live stream, from its first keyframe on. Raises InputError, MissingExtraError."""
    av = require("av", "video")
    options = {"rtsp_transport": "tcp", "protocol_whitelist": _PROTOCOLS}
    timeouts = limits.stream_seconds, limits.stream_seconds
    asked = time.monotonic()
    try:
        with av.open(address, options=options, timeout=timeouts, metadata_errors="replace") as container:
            video = checked("the stream", container, limits)
            turn = upright(video, limits)
            for frame in _decoded(video, container):
                asked = time.monotonic()
                yield turn(frame)
                asked = time.monotonic()
    except (av.FFmpegError, OSError) as error:
        late = time.monotonic() - asked >= limits.stream_seconds  # PyAV gives up with an error of any kind
        reason = getattr(error, "strerror", None) or str(error)
        reason = f"no answer within {limits.stream_seconds:.0f} s" if late else " ".join(reason.split())
        raise InputError(reason) from None


def _decoded(video: VideoStream, container: InputContainer) -> Iterator[VideoFrame]:
    """Whole frames from the first keyframe on; damaged packets, common on the air, are passed over."""
    failure = require("av", "video").FFmpegError
    ended: Exception | None = None
    packets = dropwhile(lambda packet: not packet.is_keyframe, container.demux(video))
    while ended is None:
        packet = None
        try:
            packet = next(packets, None)
        except failure as error:
            ended = error  # what the decoder holds is still to come
        with suppress(failure):
            yield from (frame for frame in video.codec_context.decode(packet) if not frame.is_corrupt)
        if packet is None:
            break
    if ended:
        raise ended
