"""Drawn faces as folders in the layouts of real data sets, to rehearse with before the real ones have come."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from ....records import Sample

__all__ = ["LAYOUTS"]

#: Writes drawn samples (uint8 RGB images with every target of `sketch.HEADS`) into an empty folder as a data set has them.
Writer = Callable[[Path, Iterable[Sample]], None]

#: By the name of the importer that reads it back.
LAYOUTS: dict[str, Writer] = {}
