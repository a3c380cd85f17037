"""Everything that one call writes: its table, its pictures, or a document and a picture of each input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from ..errors import MissingExtraError
from ..predict.results import ModelOrigin, Result
from ..records import ReadError
from ..sources.per_source import PerSource
from .formats import Writer
from .formats.document import Document
from .show import Sink, open_sink
from .show.picture import Pictures


class RunOutputs:
    """Hands each result to all `writers` and `sinks`; sinks need results that kept their pixels."""

    def __init__(self, writers: Sequence[Writer], sinks: Sequence[Sink]) -> None:
        self.writers, self.sinks = writers, sinks

    def add(self, item: Result | ReadError) -> None:
        """Write one result, or note a fault. Raises OSError naming the file."""
        if isinstance(item, ReadError):
            for writer in self.writers:
                writer.fail(item)
            return
        for writer in self.writers:
            writer.add(item)
        for sink in self.sinks:
            sink.add(item)

    @property
    def written(self) -> list[Path]:
        """The files of single inputs in place."""
        return [path for output in (*self.writers, *self.sinks) for path in getattr(output, "written", [])]

    def close(self) -> None:
        """Finish every file, those too that come after one that cannot be finished."""
        with ExitStack() as stack:
            for close in [*(sink.close for sink in self.sinks), *(writer.close for writer in self.writers)]:
                stack.callback(close)


class PerSourceJson:
    """A writer of `<name>.mien.json` of each source into a folder."""

    def __init__(self, folder: Path, origin: ModelOrigin, names: Mapping[str, str]) -> None:
        self.done: Mapping[str, int] = {}
        self.written: list[Path] = []
        self._documents = PerSource(
            lambda source: Document(folder / f"{names[source]}.mien.json", origin), self._finish
        )

    def add(self, result: Result) -> None:
        """Write one frame; the first of another source finishes the file before it."""
        self._documents.of(result.source).add(result)

    def fail(self, fault: ReadError) -> None:
        """Note what could not be read of the source at hand."""
        if self._documents.held is not None and fault.source == self._documents.source:
            self._documents.held.fail(fault)

    def close(self) -> None:
        """Finish the file at hand."""
        self._documents.close()

    def _finish(self, document: Document) -> None:
        document.close()
        self.written.append(document.path)


class PerSourceMedia:
    """Writes `<name>.mien.png` of each picture, `<name>.mien.mp4` of each video (without PyAV: frames)."""

    def __init__(self, folder: Path, names: Mapping[str, str]) -> None:
        self._folder, self._names = folder, names
        self._stills: Sink = Pictures(folder, names)
        self._videos = PerSource(self._video, self._finish)
        self.written: list[Path] = self._stills.written

    def add(self, result: Result) -> None:
        """Take one frame's result; the first of another video finishes the one before it."""
        sink = self._stills if result.time is None else self._videos.of(result.source)
        sink.add(result)

    def close(self) -> None:
        """Finish the files."""
        self._videos.close()
        self._stills.close()

    def discard(self) -> None:
        """Leave no part of a file."""
        if video := self._videos.drop():
            video.discard()

    def _video(self, source: str) -> Sink:
        try:
            return open_sink("video", self._folder / f"{self._names[source]}.mien.mp4")
        except MissingExtraError:
            return Pictures(self._folder, self._names)

    def _finish(self, video: Sink) -> None:
        video.close()
        self.written += video.written
