"""`mien export`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Export:
    """Not written yet."""

    def run(self) -> None:
        """Run it."""
