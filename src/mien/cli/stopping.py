"""Ctrl-C and SIGTERM: work stops where it is, with one line that says what is kept and status 128 plus the signal."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .. import machine
from .show import say


@contextmanager
def heeding() -> Iterator[None]:
    """Within, SIGTERM stops what runs as Ctrl-C does, with `KeyboardInterrupt(SIGTERM)`; whoever takes it takes precedence."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def stopping(goes_on: str) -> Iterator[None]:
    """Where the block is stopped: say so, and how to go on, and leave."""
    try:
        yield
    except KeyboardInterrupt as stop:
        number = next((given for given in stop.args if isinstance(given, int)), int(signal.SIGINT))
        if machine.is_main():
            say(f"mien: stopped; {goes_on}")
        raise SystemExit(128 + number) from None


def _stop(number: int, _: Any) -> None:
    raise KeyboardInterrupt(number)
