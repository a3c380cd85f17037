"""Distributions written as one line of numbers."""

from __future__ import annotations

from pathlib import Path

from ...errors import DataError
from .. import file_checks

TOLERANCE = 1e-3


def probabilities(path: str) -> list[float]:
    """The numbers in a file, made to sum to 1 where they do within 0.001. Raises DataError."""
    text = file_checks.head(Path(path)).decode("utf-8", "replace").strip()
    try:
        found = [float(cell) for cell in text.split(",")]
    except ValueError:
        raise DataError(
            f"{path}: {file_checks.shown(text)}, needed is one line of numbers with commas between"
        ) from None
    if not all(value >= 0 for value in found):
        raise DataError(f"{path}: a probability is {min(found):g}, allowed are numbers from 0")
    total = sum(found)
    if not abs(total - 1) <= TOLERANCE:
        raise DataError(f"{path}: the {len(found)} values sum to {total:g}, allowed is 1 ± {TOLERANCE}")
    return [value / total for value in found]
