"""What is kept for one source at a time: its session, its file of results, its video."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Held = TypeVar("Held")


class PerSource(Generic[Held]):
    """Holds one thing for the source at hand. All moments of a source come one after the other, so the first
    moment of another source finishes what is held and makes it anew.

    >>> lists = PerSource(lambda source: [source], print)
    >>> for source in ("a.mp4", "a.mp4", "b.mp4"):
    ...     lists.of(source).append(1)
    ['a.mp4', 1, 1]
    >>> lists.close()
    ['b.mp4', 1]
    """

    def __init__(self, make: Callable[[str], Held], finish: Callable[[Held], object] | None = None) -> None:
        """`make` makes it from the name of a source, `finish` ends it."""
        self._make, self._finish = make, finish
        self.source = ""
        self.held: Held | None = None

    def of(self, source: str) -> Held:
        """What is held for this source."""
        if self.held is None or source != self.source:
            self.close()
            self.source, self.held = source, self._make(source)
        return self.held

    def close(self) -> None:
        """Finish what is held; a second call does nothing."""
        held = self.drop()
        if held is not None and self._finish:
            self._finish(held)

    def drop(self) -> Held | None:
        """Return what is held, and hold nothing."""
        held, self.held = self.held, None
        return held
