"""The terminal: JSON on stdout, words for people on stderr, tables, progress bars, and interruptions."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .. import machine
from ..progress import Progress, silent

if TYPE_CHECKING:
    from rich.table import Table

    from ..predict.results import Result
    from ..records import ReadError
    from ..sources import Source

_BETWEEN_UPDATES = 0.1  # seconds


def print_json(record: Any) -> None:
    """Print one machine-readable object on stdout."""
    sys.stdout.write(json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def say(text: str) -> None:
    """Tell the person something, on stderr."""
    sys.stderr.write(text + "\n")


def new_table(title: Any = None, **options: Any) -> Table:
    """Make a table with a line under its head, in which columns are still to be put."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(box=SIMPLE_HEAD, title=title, title_justify="left", **options)


def show(table: Any, *, stderr: bool = True) -> None:
    """Print a table or styled text for people, a command's own result on stdout."""
    from rich.console import Console

    Console(stderr=stderr).print(table)


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """Show a bar on stderr, if that is a terminal; `progress(done, total)` moves it until the block ends."""
    if not sys.stderr.isatty():
        yield silent
        return
    from rich import progress
    from rich.console import Console

    with progress.Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class ProgressBar:
    """How far a prediction is: one bar for all sources, a video's frames as shares of it."""

    def __init__(self, sources: Sequence[Source], bar: Any = None) -> None:
        self._places = {source.name: place for place, source in enumerate(sources)}
        self._sources, self._bar = sources, bar
        self._task = None if bar is None else bar.add_task("Predicting", total=float(len(sources)), speed="")
        self._start, self._frames, self._updated = time.monotonic(), 0, 0.0

    @property
    def rate(self) -> float:
        """Frames a second."""
        return self._frames / max(1e-9, time.monotonic() - self._start)

    def step(self, item: Result | ReadError) -> None:
        """Count one frame and move the bar, ten times a second at most."""
        self._frames += 1
        now = time.monotonic()
        if self._bar is None or now - self._updated < _BETWEEN_UPDATES:
            return
        self._updated = now
        place = self._places.get(item.source)
        done = None if place is None else place + self._share(self._sources[place], item)
        speed = f"{self._frames:,} frames, {self.rate:.1f} a second"
        self._bar.update(self._task, completed=done, speed=speed)

    def _share(self, source: Source, item: Result | ReadError) -> float:
        if item.time is None or item.index is None:
            return 1.0
        return min(1.0, (item.index + 1) / source.count) if source.count else 0.0


@contextmanager
def progress_over(sources: Sequence[Source]) -> Iterator[ProgressBar]:
    """Yield a ProgressBar, shown on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        yield ProgressBar(sources)
        return
    from rich import progress
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

    title, speed = TextColumn("{task.description}"), TextColumn("{task.fields[speed]}")
    columns = title, BarColumn(), TaskProgressColumn(), speed, TimeRemainingColumn()
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield ProgressBar(sources, bar)


@contextmanager
def exit_when_interrupted(what_is_kept: str) -> Iterator[None]:
    """Where the block is interrupted, say what is kept, and exit with 128 plus the signal's number."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        number = next((arg for arg in interrupt.args if isinstance(arg, int)), int(signal.SIGINT))
        if machine.is_main():
            say(f"mien: stopped; {what_is_kept}")
        raise SystemExit(128 + number) from None
