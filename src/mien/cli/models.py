"""`mien models`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Models:
    """Not written yet."""

    def run(self) -> None:
        """Run it."""
