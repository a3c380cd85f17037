"""Everything that one call writes: its table, its pictures, or a document and a picture of each input."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from ..errors import MissingExtraError
from ..predict.results import Origin, Result
from ..records import Moment, ReadError
from .formats import Writer
from .formats.document import Document
from .show import Sink, open_sink
from .show.picture import Pictures


class Outputs:
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
        if item.pixels is not None:
            frame = Moment({"image": item.pixels}, item.source, item.index, item.time)
            for sink in self.sinks:
                sink.add(frame, item)

    @property
    def written(self) -> list[Path]:
        """The files of single inputs in place."""
        return [path for output in (*self.writers, *self.sinks) for path in getattr(output, "written", [])]

    def close(self) -> None:
        """Finish every file, those too that come after one that cannot be finished."""
        with ExitStack() as stack:
            for close in [*(sink.close for sink in self.sinks), *(writer.close for writer in self.writers)]:
                stack.callback(close)


class Each:
    """A writer of `<name>.mien.json` of each source into a folder."""

    def __init__(self, folder: Path, origin: Origin, names: dict[str, str]) -> None:
        self.done: Mapping[str, int] = {}
        self.written: list[Path] = []
        self._folder, self._origin, self._names = folder, origin, names
        self._source = ""
        self._now: Document | None = None

    def add(self, result: Result) -> None:
        """Write one frame; the first of another source finishes the file before it."""
        if self._now is None or result.source != self._source:
            self.close()
            path = self._folder / f"{self._names[result.source]}.mien.json"
            self._source, self._now = result.source, Document(path, self._origin)
        self._now.add(result)

    def fail(self, fault: ReadError) -> None:
        """Note what could not be read of the source at hand."""
        if self._now is not None and fault.source == self._source:
            self._now.fail(fault)

    def close(self) -> None:
        """Finish the file at hand."""
        now, self._now = self._now, None
        if now is not None:
            now.close()
            self.written.append(now.path)


class ByKind:
    """A sink that writes `<name>.mien.png` of each still picture and `<name>.mien.mp4` of each video into a folder; without
    PyAV, a picture of each frame."""

    def __init__(self, folder: Path, names: dict[str, str]) -> None:
        self._folder, self._names = folder, names
        self._still: Sink = Pictures(folder, names)
        self._moving: Sink | None = None
        self._source = ""
        self.written: list[Path] = self._still.written

    def add(self, frame: Moment, result: Result) -> None:
        """Hand one frame on; the first of another video finishes the one before it."""
        if frame.time is None:
            self._still.add(frame, result)
            return
        if self._moving is None or frame.source != self._source:
            self._finish()
            self._source, self._moving = frame.source, self._film(self._names[frame.source])
        self._moving.add(frame, result)

    def close(self) -> None:
        """Finish the files."""
        self._finish()
        self._still.close()

    def discard(self) -> None:
        """Leave no part of a file."""
        if self._moving is not None:
            self._moving.discard()

    def _film(self, name: str) -> Sink:
        try:
            return open_sink("video", self._folder / f"{name}.mien.mp4")
        except MissingExtraError:
            return Pictures(self._folder, self._names)

    def _finish(self) -> None:
        now, self._moving = self._moving, None
        if now is not None:
            now.close()
            self.written += now.written


def names_of(sources: Iterable[str]) -> dict[str, str]:
    """A different name for each source's results: the file's own, numbered where two share it."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for source in sources:
        stem = Path(source).stem or "picture"
        number, name = 1, stem
        while name.casefold() in taken:
            number, name = number + 1, f"{stem}-{number + 1}"
        taken.add(name.casefold())
        names[source] = name
    return names
