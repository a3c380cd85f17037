"""`mien train`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional


@dataclass
class Train:
    """Train a model as a TOML file says; `--section.key value` changes one of its values, as in `--train.seed 3`."""

    config: Positional[Path]
    """The TOML file."""
    out: Path | None = None
    """Run folder (default: runs/<name of the file>)."""
    resume: bool = False
    """Go on with the run in that folder."""

    def run(self, overrides: list[str]) -> None:
        """Run it."""
