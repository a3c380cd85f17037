"""What takes a stream of results and shows them in files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from ...errors import ConfigError
from ...predict.results import Result
from ...sources.per_source import PerSource
from .series import Series


class Recording(Protocol):
    """What is made of one video: one file, in place after `close`, gone after `discard`."""

    def add(self, result: Result) -> None:
        """Take one frame's result. Raises MienError if it cannot be shown, OSError naming the file."""

    def close(self) -> None:
        """Finish with all that was added so far, after an interruption too; a second call does nothing."""

    def discard(self) -> None:
        """Give up what is not in place yet and leave no part of it; after `close` this does nothing."""


class Sink(Recording, Protocol):
    """Takes results that kept their media as they stream, in order, one source after the other.

    Files appear whole or not at all. `written` names those that are in place. Not for several threads at
    once.
    """

    written: list[Path]


def check_suffix(path: Path, suffixes: Iterable[str], what: str) -> None:
    """Raise ConfigError for a file whose name has none of these suffixes."""
    if path.suffix.lower() not in suffixes:
        raise ConfigError(f"{path}: not the name of {what} to write (one of: {', '.join(suffixes)})")


class SeriesRecording:
    """Gathers one video's results; when it ends, `write` makes the file from them, source and path."""

    def __init__(self, path: Path, write: Callable[[Series, str, Path], None]) -> None:
        self._path, self._write, self._series, self._source = path, write, Series(), ""

    def add(self, result: Result) -> None:
        """Take the result of one frame."""
        self._source = result.source
        self._series.add(result)

    def close(self) -> None:
        """Write the file."""
        self._write(self._series, self._source, self._path)

    def discard(self) -> None:
        """Leave nothing: nothing is written before the end."""


class Recordings:
    """Makes one file of each video: `path`, then `path` numbered from 2. Still pictures are passed over."""

    def __init__(self, path: Path, start: Callable[[Path], Recording]) -> None:
        self.written: list[Path] = []
        self._path, self._start = path, start
        self._files = PerSource(self._begin, self._finish)

    def add(self, result: Result) -> None:
        """Take one frame's result; the first of another source finishes the file before it."""
        if result.time is not None:
            self._files.of(result.source)[1].add(result)

    def close(self) -> None:
        """Finish the file that is being made."""
        self._files.close()

    def discard(self) -> None:
        """Drop the file that is being made."""
        if held := self._files.drop():
            held[1].discard()

    def _begin(self, _: str) -> tuple[Path, Recording]:
        number = len(self.written) + 1
        path = self._path if number == 1 else self._path.with_stem(f"{self._path.stem}-{number}")
        return path, self._start(path)

    def _finish(self, held: tuple[Path, Recording]) -> None:
        path, recording = held
        recording.close()
        self.written.append(path)
