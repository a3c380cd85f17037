"""An iterator that runs ahead of its reader in a thread, by a bounded number of items and bytes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")

#: How far a thread runs ahead: at most this many items, and one item more once they take this many bytes.
ITEMS, BYTES = 16, 48 << 20
#: So many passing items wait at most.
_PASSING = 2


class Prefetcher(Generic[Item]):
    """Iterates over `items` in a thread and raises here what they raise; `weigh` gives the bytes of an item.

    Items that are `passing`, a camera's, are dropped, the oldest first, where others would have to wait.
    """

    def __init__(
        self,
        items: Iterable[Item],
        weigh: Callable[[Item], int] = lambda _: 0,
        passing: Callable[[Item], bool] = lambda _: False,
    ) -> None:
        self._items, self._weigh, self._passing = items, weigh, passing
        self._ready: deque[Item] = deque()
        self._held = 0
        self._changed = threading.Condition()
        self._over = self._stopped = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="mien-prefetch", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Item]:
        while items := self.waiting(1):
            yield from items

    def waiting(self, most: int) -> list[Item]:
        """Wait for an item, then take all that are there, `most` at a time; an empty list is the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._over or self._stopped)
            if self._stopped:
                return []
            if not self._ready and self._error:
                raise self._error
            taken = [self._ready.popleft() for _ in range(min(most, len(self._ready)))]
            self._held -= sum(map(self._weigh, taken))
            self._changed.notify_all()
            return taken

    def stop(self) -> None:
        """End the iteration on both sides: no further item is waited for or handed out."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def join(self, timeout: float = 5.0) -> None:
        """Wait at most `timeout` seconds for the thread to close its items: a camera may never answer."""
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            for item in self._items:
                if not self._put(item):
                    break
        except BaseException as error:  # whatever it is, the reader's thread is the one to hear of it
            self._error = error
        finally:
            self._close()
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _put(self, item: Item) -> bool:
        weight = self._weigh(item)
        with self._changed:
            if self._passing(item):
                self._drop()
            self._changed.wait_for(self._has_room)
            if not self._stopped:
                self._ready.append(item)
                self._held += weight
                self._changed.notify_all()
            return not self._stopped

    def _drop(self) -> None:
        kept: deque[Item] = deque()
        over = sum(map(self._passing, self._ready)) + 1 - _PASSING
        for item in self._ready:
            if over > 0 and self._passing(item):
                over -= 1
                self._held -= self._weigh(item)
            else:
                kept.append(item)
        self._ready = kept

    def _has_room(self) -> bool:
        return self._stopped or (len(self._ready) < ITEMS and self._held < BYTES)

    def _close(self) -> None:
        close = getattr(self._items, "close", None)
        if close is None:
            return
        try:
            close()
        except Exception as error:
            self._error = self._error or error
