"""`mien evaluate`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Evaluate:
    """Not written yet."""

    def run(self) -> None:
        """Run it."""
