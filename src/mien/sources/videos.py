"""Video files as sources, through PyAV: real timestamps, turned as the file says."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ..errors import InputError, MienError
from ..extras import require
from ..media.limits import LIMITS, Limits
from ..records import Moment, ReadError
from .base import ALL, Flow, Picker, Sampling, read_error
from .kinds import head_of, kind
from .video_decoder import VideoDecoder, upright

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

Opening: TypeAlias = "Generator[tuple[InputContainer, VideoStream], None, None]"
#: Containers that are opened. Playlists are not among them: they name other files and addresses to be read.
CONTAINERS = (
    "mov,mp4,matroska,avi,mpegts,mpeg,mpegvideo,m4v,flv,asf,ogg,ivf,obu,h264,hevc,mxf,dv,rm,wtv,nut,mjpeg,"
    "mp3,wav,flac,aac,aiff"
)
#: A video that ends this much sooner than its header says, in seconds and as a share, was cut off.
_SHORT, _SHARE = 1.0, 0.02


class Video:
    """A video file. Time 0 is its first frame; a frame's index is its place in the whole file."""

    moving = True

    def __init__(self, name: str, path: Path, sampling: Sampling = ALL, limits: Limits = LIMITS) -> None:
        self.name = name
        self._path, self._sampling, self._limits = path, sampling, limits

    @cached_property
    def count(self) -> int | None:
        """How many frames to expect, by the header."""
        with suppress(MienError), closing(_opened(self.name, self._path, self._limits)) as opening:
            container, stream = next(opening)
            rate = float(stream.average_rate or stream.guessed_rate or 0)
            duration = _duration(container, stream)
            frames = stream.frames or round(duration * rate)
            return self._sampling.expected(duration or frames / (rate or 1), frames) if frames else None
        return None

    def __iter__(self) -> Flow:
        """Decode what the sampling wants."""
        try:
            with closing(_opened(self.name, self._path, self._limits)) as opening:
                yield from self._frames(*next(opening))
        except MienError as error:
            yield read_error(self.name, error)

    def _frames(self, container: InputContainer, stream: VideoStream) -> Flow:
        picker, turn = Picker(self._sampling), upright(stream, self._limits)
        decoder = VideoDecoder(self.name, stream, picker)
        whole = True
        for index, time, frame in decoder.frames(container):
            if picker.over(time):
                whole = False
                break
            if picker.takes(time):
                try:
                    yield Moment({"image": turn(frame)}, self.name, index, time)
                except InputError as error:
                    reason = f"{self.name}, frame {index} at {time:.2f} s: {error}"
                    yield ReadError(self.name, reason, index, time)
        if decoder.lost:
            yield decoder.damage
        if whole:
            yield from self._missing(decoder, picker, _duration(container, stream))

    def _missing(self, decoder: VideoDecoder, picker: Picker, claimed: float) -> Flow:
        """What to say at the end of the file of what should have been there."""
        if not decoder.shown and not decoder.lost:
            yield ReadError(self.name, f"{self.name}: a video without frames")
        elif decoder.broken or claimed - decoder.length > max(_SHORT, claimed * _SHARE):
            reason = decoder.broken or f"its header says {claimed:.2f} s"
            reason = f"cut off: it ends at {decoder.length:.2f} s ({reason})"
            yield ReadError(self.name, f"{self.name}: {reason}", None, decoder.length)
        elif decoder.shown and (fault := picker.verdict(self.name, decoder.length)):
            yield fault


def _opened(name: str, path: Path, limits: Limits) -> Opening:
    """The file and its video stream; closing lets go of both. Raises InputError, MissingExtraError."""
    av = require("av", "video")
    if not path.exists():
        raise InputError(f"{name}: no such file")
    if not str(path).isprintable():
        raise InputError(f"{name!a}: a name with odd characters; rename the file")
    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}
    try:
        container = av.open(f"file:{path}", options=options, metadata_errors="replace")
    except (av.FFmpegError, ValueError, OSError) as error:
        raise InputError(f"{name}: {_reason(path, error)}") from None
    with container:
        yield container, checked(name, container, limits)


def checked(name: str, container: InputContainer, limits: Limits) -> VideoStream:
    """Return the stream to decode. Raises InputError where there is none, or its pictures are too large."""
    av = require("av", "video")
    cover = av.stream.Disposition.attached_pic
    streams = [stream for stream in container.streams.video if not stream.disposition & cover]
    if not streams:
        others = {stream.type for stream in container.streams if stream.type != "video"}
        raise InputError(f"{name}: no video in it, only {' and '.join(sorted(others)) or 'a cover picture'}")
    known = [stream for stream in streams if stream.codec_context is not None]
    if not known:
        raise InputError(f"{name}: a video in a format that PyAV does not decode")
    stream: VideoStream = max(known, key=lambda stream: stream.width * stream.height)
    limits.check_pixels((stream.width, stream.height), name)
    stream.thread_type = "AUTO"
    return stream


def _reason(path: Path, error: Exception) -> str:
    """Why a file is no video that can be read."""
    if isinstance(error, PermissionError) or path.is_dir():
        return f"cannot be read: {'not a file' if path.is_dir() else 'Permission denied'}"
    head = head_of(path)
    if not head:
        return "an empty file"
    found = kind(head)
    if found == "video":
        return "damaged or cut off: its header cannot be read"
    return "a picture under a video's name" if found else f"not a video (starts with {head[:24]!r})"


def _duration(container: InputContainer, stream: VideoStream) -> float:
    """Seconds, as the header says; 0 where it does not."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if len(container.streams) > 1 or container.duration is None:
        return 0.0  # another stream may be the longer one
    return max(0, container.duration - max(0, container.start_time or 0)) / 1_000_000
