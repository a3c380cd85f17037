"""SIGINT and SIGTERM: how work is asked to stop, and whether it stops at once or after the step at hand."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn


class StopRequest:
    """Whether somebody asked for work to stop: `signal` is the number of the signal, 0 until one does."""

    signal = 0


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Let SIGTERM stop the block as Ctrl-C does, with `KeyboardInterrupt(SIGTERM)`."""
    with _handled(interrupt, signal.SIGTERM):
        yield


@contextmanager
def interruptible() -> Iterator[StopRequest]:
    """Yield a request that the first Ctrl-C or SIGTERM sets; a second one raises `KeyboardInterrupt`."""
    request = StopRequest()

    def ask(number: int, _: Any) -> None:
        if request.signal:
            raise KeyboardInterrupt(number)
        request.signal = number

    with _handled(ask, signal.SIGINT, signal.SIGTERM):
        yield request


def interrupt(number: int, _: Any) -> NoReturn:
    """Handle a signal: raise `KeyboardInterrupt` with its number."""
    raise KeyboardInterrupt(number)


@contextmanager
def _handled(handler: Callable[[int, Any], None], *numbers: signal.Signals) -> Iterator[None]:
    """Set a handler of signals for the block; only the main thread may, in others nothing is set."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)
