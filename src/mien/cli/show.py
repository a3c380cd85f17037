"""How results reach the terminal: JSON on stdout, everything for people on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..progress import Progress, silent


def print_json(record: Any) -> None:
    """Print one machine-readable object on stdout."""
    sys.stdout.write(json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def say(text: str) -> None:
    """Tell the person something, on stderr."""
    sys.stderr.write(text + "\n")


@contextmanager
def bar(title: str) -> Iterator[Progress]:
    """Show a progress bar on stderr, where that is a terminal, until the block ends."""
    if not sys.stderr.isatty():
        yield silent
        return
    from rich import progress
    from rich.console import Console

    with progress.Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
