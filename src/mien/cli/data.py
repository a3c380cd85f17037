"""`mien data`: import, look at, check and draw data sets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Data:
    """Import, look at, check and draw data sets."""

    def run(self) -> None:
        """Run the chosen verb."""
