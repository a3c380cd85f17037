"""No detector, for pictures that are crops of one face already."""

from __future__ import annotations

from pathlib import Path

from ..errors import ConfigError
from ..records import Box, Face, Pixels


class NoDetector:
    """No detector: the picture is a crop of one face already."""

    def __init__(self, file: Path | None = None, smallest: int = 0) -> None:  # noqa: ARG002 - nothing is searched
        """Take no file. Raises ConfigError if one is given."""
        if file is not None:
            raise ConfigError(f"'cropped' looks for no face and takes no detector file, given {file}")

    def __call__(self, pixels: Pixels) -> list[Face]:
        """One face as large as the picture."""
        return [Face(Box(0, 0, pixels.shape[1], pixels.shape[0]))]
