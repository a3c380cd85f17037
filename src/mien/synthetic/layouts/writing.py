"""What all layouts use: files and CSV tables in new folders, and the parts of a drawn sample."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from ...media.image import encode
from ...records import Pixels, Sample


def save(path: Path, data: bytes) -> None:
    """Write a file, and the folder it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def save_picture(path: Path, pixels: Pixels) -> None:
    """Write a picture as PNG where the name ends so, else as JPEG."""
    save(path, encode(pixels, "PNG" if path.suffix.lower() == ".png" else "JPEG"))


def save_csv(path: Path, rows: Iterable[Iterable[Any]], line_end: str = "\n") -> None:
    """Write a CSV file, and the folder it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator=line_end).writerows(rows)


def pixels(sample: Sample) -> Pixels:
    """Return the drawn picture, uint8 (H, W, 3) RGB."""
    return cast("Pixels", sample.inputs["image"].data)


def values(sample: Sample, head: str) -> Mapping[str, float]:
    """Return the target of a head of values or a distribution: name -> number."""
    return cast("Mapping[str, float]", sample.targets[head])
