"""What a stopped command says: one line on what is kept; its status is 128 plus the signal."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from .. import machine
from .show import say


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
