"""`mien predict`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Predict:
    """Not written yet."""

    def run(self) -> None:
        """Run it."""
