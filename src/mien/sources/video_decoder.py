"""Decode one video stream: the wanted frames, their places and times, and what was lost."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import InputError
from ..extras import require
from ..media.limits import LIMITS, Limits
from ..records import Pixels, ReadError
from .base import CLOSE, Picker

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

#: At most this many packets wait for the next keyframe to say that they are not needed: memory stays flat.
_HELD = 600
#: Widths of a pixel that are believed, as a share of its height.
_ASPECTS = (0.25, 4.0)


class DecodedFrame(NamedTuple):
    """A decoded frame: its place in the file from 0, and its time in seconds from the first."""

    place: int
    time: float
    frame: VideoFrame


class VideoDecoder:
    """Decodes a stream from the keyframe before each frame that `picker` wants next; what lies between is
    read, not decoded.

    A frame's place is the rank of its timestamp among all packets that were read, so it is the same whatever
    was passed over or lost. `lost`: packets and frames that could not be decoded. `length`: the end of what
    was read, in seconds. `broken`: why reading stopped before the end of the file.
    """

    def __init__(self, name: str, stream: VideoStream, picker: Picker) -> None:
        self.lost, self.shown, self.length, self.broken = 0, 0, 0.0, ""
        self._name, self._stream, self._picker = name, stream, picker
        self._base = float(stream.time_base or 0)
        self._first_lost: float | None = None
        self._origin: int | None = None
        self._waiting: list[int] = []  # timestamps read and not yet shown, smallest first
        self._passed = 0
        self._whole_from: int | None = None  # frames before this one may lack what was passed over

    @property
    def damage(self) -> ReadError:
        """What was lost, in one line."""
        first = "" if self._first_lost is None else f", the first at {self._first_lost:.2f} s"
        frames = "1 frame" if self.lost == 1 else f"{self.lost} frames"
        reason = f"{frames} could not be decoded{first}"
        return ReadError(self._name, f"{self._name}: {reason}", None, self._first_lost)

    def frames(self, container: InputContainer) -> Iterator[DecodedFrame]:
        """All frames that were decoded, in the order in which they are shown; not all of them are wanted."""
        error = require("av", "video").FFmpegError
        for packet in self._needed(self._packets(container)):
            try:
                decoded = packet.decode()
            except error:  # threads tell it late: it is the earliest that was not shown
                self._lose(self._waiting[0] if self._waiting else packet.pts)
                continue
            for frame in decoded:
                if not frame.is_corrupt:
                    yield self._placed(frame)
                elif self._whole_from is None or frame.pts is None or frame.pts >= self._whole_from:
                    self._lose(frame.pts)

    def _packets(self, container: InputContainer) -> Iterator[Packet[VideoStream]]:
        """The stream's packets, at the end an empty one that makes the decoder give what it holds."""
        packets = container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except require("av", "video").FFmpegError as error:
                self.broken = " ".join(str(error.strerror).split())
                return
            if packet.size:
                self._enter(packet)
            yield packet

    def _enter(self, packet: Packet[VideoStream]) -> None:
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is None:
            return
        if self._origin is None:  # what an edit list leaves out lies before time 0
            self._origin = self._whole_from = (self._stream.start_time or 0) if packet.is_discard else stamp
        if not packet.is_discard and stamp >= self._origin:
            heapq.heappush(self._waiting, stamp)
        self.length = max(self.length, self._seconds(stamp + (packet.duration or 0)))

    def _needed(self, packets: Iterator[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
        """Leave out packets before the last keyframe that is not later than the next wanted frame."""
        held: list[Packet[VideoStream]] = []
        fed = False
        for packet in packets:
            key = packet.pts if held and packet.is_keyframe else None
            if key is not None and self._until_next(key) >= -CLOSE:
                held.clear()
                self._skip_to(key, fed)
            held.append(packet)
            earliest = packet.dts if packet.dts is not None else packet.pts
            if earliest is None or self._until_next(earliest) <= CLOSE or len(held) > _HELD:
                yield from held
                held.clear()
                fed = True
        yield from held

    def _until_next(self, stamp: int) -> float:
        return self._picker.next - self._seconds(stamp)

    def _skip_to(self, stamp: int, fed: bool) -> None:
        self._pass(stamp)
        self._whole_from = stamp
        if fed:
            self._stream.codec_context.flush_buffers()

    def _placed(self, frame: VideoFrame) -> DecodedFrame:
        stamp = frame.pts if frame.pts is not None else frame.dts
        self.shown += 1
        if stamp is None:
            self._passed += 1
            place = self._passed - 1
            return DecodedFrame(place, place / float(self._stream.guessed_rate or 25), frame)
        self._pass(stamp)
        index = self._passed
        if self._waiting and self._waiting[0] == stamp:
            heapq.heappop(self._waiting)
            self._passed += 1
        return DecodedFrame(index, self._seconds(stamp), frame)

    def _pass(self, stamp: int) -> None:
        """Count the frames before this one."""
        while self._waiting and self._waiting[0] < stamp:
            heapq.heappop(self._waiting)
            self._passed += 1

    def _lose(self, stamp: int | None) -> None:
        self.lost += 1
        if self._first_lost is None and stamp is not None:
            self._first_lost = self._seconds(stamp)

    def _seconds(self, stamp: int) -> float:
        return (stamp - (self._origin or 0)) * self._base


def upright(stream: VideoStream, limits: Limits = LIMITS) -> Callable[[VideoFrame], Pixels]:
    """Make the converter of one stream's frames to uint8 (H, W, 3) RGB; it raises InputError.

    They are turned as the frame's display matrix says, with square pixels.
    """
    av = require("av", "video")
    aspect = float(stream.sample_aspect_ratio or 1)
    stretch = aspect if _ASPECTS[0] <= aspect <= _ASPECTS[1] else 1.0
    reformatter = av.video.reformatter.VideoReformatter()

    def convert(frame: VideoFrame) -> Pixels:
        width, height = round(frame.width * stretch), frame.height
        limits.check_pixels((width, height))
        try:
            pixels = reformatter.reformat(frame, width=width, height=height, format="rgb24").to_ndarray()
        except (av.FFmpegError, ValueError) as error:
            raise InputError(f"its colours cannot be converted: {error}") from None
        turns = round(frame.rotation / 90) % 4
        return np.asarray(np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels, np.uint8)

    return convert
