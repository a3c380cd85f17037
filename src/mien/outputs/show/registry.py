"""The ways to show results, by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...errors import lookup
from .page import open_page
from .picture import Pictures
from .sheet import Sheet
from .sink import Sink
from .timeline import open_timeline
from .video import open_video

SINKS: dict[str, Callable[[Path], Sink]] = {
    "pictures": Pictures,
    "video": open_video,
    "timeline": open_timeline,
    "sheet": Sheet,
    "page": open_page,
}


def open_sink(kind: str, path: Path) -> Sink:
    """A sink of that kind that writes to `path`: a folder for pictures, else a file. Raises ConfigError."""
    return lookup(SINKS, kind, "way to show results")(path)
