"""Long work that a person watches: a bar with rate and time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..predict.results import Result
    from ..records import Fault
    from ..sources import Source


class Watch:
    """How far the sources are: one bar for all of them, a video's frames as shares of it."""

    def __init__(self, sources: Sequence[Source], bar: Any = None) -> None:
        self._places = {source.name: place for place, source in enumerate(sources)}
        self._sources, self._bar = sources, bar
        self._task = None if bar is None else bar.add_task("Predicting", total=float(len(sources)), said="")
        self._start, self._frames, self._told = time.monotonic(), 0, 0.0

    @property
    def rate(self) -> float:
        """Frames a second."""
        return self._frames / max(1e-9, time.monotonic() - self._start)

    def step(self, item: Result | Fault) -> None:
        """Count one frame and move the bar, ten times a second at most."""
        self._frames += 1
        now = time.monotonic()
        if self._bar is None or now - self._told < 0.1:
            return
        self._told = now
        place = self._places.get(item.source)
        done = None if place is None else place + self._share(self._sources[place], item)
        said = f"{self._frames:,} frames, {self.rate:.1f} a second"
        self._bar.update(self._task, completed=done, said=said)

    def _share(self, source: Source, item: Result | Fault) -> float:
        if item.time is None or item.index is None:
            return 1.0
        return min(1.0, (item.index + 1) / source.count) if source.count else 0.0


@contextmanager
def watching(sources: Sequence[Source]) -> Iterator[Watch]:
    """A bar on stderr, where that is a terminal."""
    if not sys.stderr.isatty():
        yield Watch(sources)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[said]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Watch(sources, bar)
