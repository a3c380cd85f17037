"""What takes a stream of frames with their results and shows them in files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...predict.results import Result
    from ...records import Moment


class Sink(Protocol):
    """Takes each frame with its result as they stream, in order; the frames of one source come one after the other.

    Files appear whole or not at all. `written` names those that are in place. Not for several threads at once.
    """

    written: list[Path]

    def add(self, frame: Moment, result: Result) -> None:
        """Take one frame. Raises MienError if it cannot be shown, OSError if a file cannot be written."""

    def close(self) -> None:
        """Finish the files with all that was added so far (after an interruption too); a second call does nothing."""

    def discard(self) -> None:
        """Give up what is not in place yet and leave no part of it; after `close` this does nothing."""


class Recording(Protocol):
    """What is made of one video: one file, in place after `close`, gone after `discard`."""

    def add(self, frame: Moment, result: Result) -> None:
        """Take the next frame."""

    def close(self) -> None:
        """Finish the file."""

    def discard(self) -> None:
        """Leave no file."""


class Recordings:
    """A sink that makes one file of each video: `path`, then `path` numbered from 2. Still pictures are passed over."""

    def __init__(self, path: Path, start: Callable[[Path], Recording]) -> None:
        self.written: list[Path] = []
        self._path, self._start = path, start
        self._now: Recording | None = None
        self._source, self._target = "", path

    def add(self, frame: Moment, result: Result) -> None:
        """Take one frame; the first of another source finishes the file before it."""
        if frame.time is None:
            return
        if self._now is None or frame.source != self._source:
            self.close()
            number = len(self.written) + 1
            self._target = self._path if number == 1 else self._path.with_stem(f"{self._path.stem}-{number}")
            self._source, self._now = frame.source, self._start(self._target)
        self._now.add(frame, result)

    def close(self) -> None:
        """Finish the file that is being made."""
        now, self._now = self._now, None
        if now is not None:
            now.close()
            self.written.append(self._target)

    def discard(self) -> None:
        """Drop the file that is being made."""
        now, self._now = self._now, None
        if now is not None:
            now.discard()
