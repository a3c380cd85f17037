"""One call from its inputs to results: what is left to do of them, in order, through the pipeline."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from ..detect import Detector
from ..errors import ConfigError
from ..records import Moment, ReadError
from ..sources import Camera, PictureSource, Source
from .pipeline import stream
from .results import ModelOrigin, Result
from .session import Recogniser, Session
from .settings import Settings


@dataclass(frozen=True)
class PredictionJob:
    """What is to be read, by which model and how. `faults`: inputs that named nothing; they come first."""

    model: Recogniser
    origin: ModelOrigin
    settings: Settings
    detector: Detector
    sources: Sequence[Source]
    faults: Sequence[ReadError] = ()
    done: Mapping[str, int] = field(default_factory=dict)

    @property
    def left(self) -> list[Source]:
        """The sources that `done`, the last frame of each source in an earlier run's file, does not cover.

        Pictures of several frames know how many they have. Of the others only the last in the file may be
        unfinished: it comes first.
        """
        last = next(reversed(list(self.done)), None)
        begun = [source for source in self.sources if source.name in self.done]
        unfinished = [source for source in begun if self._unfinished(source, last)]
        unfinished.sort(key=lambda source: source.name != last)
        return unfinished + [source for source in self.sources if source.name not in self.done]

    def _unfinished(self, source: Source, last: str | None) -> bool:
        if isinstance(source, PictureSource):
            return (source.count or 1) > self.done[source.name] + 1
        return source.name == last

    def resume_from(self, done: Mapping[str, int], path: Path) -> PredictionJob:
        """Return the job less what `path` holds already. Raises ConfigError for a camera: it cannot go on."""
        for source in self.sources:
            if isinstance(source, Camera) and source.name in done:
                held = f"holds frames of {source.name}"
                raise ConfigError(f"{path}: {held}; choose another file or --overwrite")
        return replace(self, done=done)

    def session(self, *, keep: bool = False) -> Session:
        """Make a session for one source."""
        return Session(self.model, self.detector, self.settings, origin=self.origin, keep=keep)

    def results(self, *, keep: bool = False) -> Generator[Result | ReadError, None, None]:
        """Yield results and faults in order; a followed video is read again, but not written again."""
        replayed = self.settings.follows
        moments = _moments(self.left, self.faults, {} if replayed else self.done)
        live = [source.name for source in self.sources if isinstance(source, Camera)]
        with closing(stream(partial(self.session, keep=keep), moments, live=live)) as results:
            for item in results:
                if not replayed or _new(item, self.done):
                    yield item


def _moments(
    sources: Sequence[Source], faults: Sequence[ReadError], done: Mapping[str, int]
) -> Generator[Moment | ReadError, None, None]:
    yield from faults
    for source in sources:
        items = iter(source)
        try:
            for item in items:
                if _new(item, done):
                    yield item
        finally:
            if close := getattr(items, "close", None):
                close()


def _new(item: Moment | Result | ReadError, done: Mapping[str, int]) -> bool:
    return item.index is None or item.index > done.get(item.source, -1)
