"""`mien report`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Report:
    """Not written yet."""

    def run(self) -> None:
        """Run it."""
