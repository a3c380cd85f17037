"""Objects that only one thread may use at a time, handed to each that asks: OpenCV's detectors."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Generic, TypeVar

from ..machine import usable_cores

Object = TypeVar("Object")


class Pool(Generic[Object]):
    """Lends out objects that are alike, each to one thread at a time.

    Another is made where all are lent, up to one for each core this process may use; then a thread waits.
    """

    def __init__(self, make: Callable[[], Object]) -> None:
        """Make the first. Raises what `make` raises."""
        self._make, self._idle = make, deque([make()])
        self._places = BoundedSemaphore(max(1, usable_cores()))

    @contextmanager
    def lent(self) -> Iterator[Object]:
        """Within, one of them is this thread's own."""
        with self._places:
            try:
                item = self._idle.pop()
            except IndexError:
                item = self._make()
            try:
                yield item
            finally:
                self._idle.append(item)
