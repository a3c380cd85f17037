"""FER-2013: drawn faces as the rows of its CSV file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import cast

from ...datasets.fer2013.csv_release import EMOTIONS, USAGES
from ...datasets.fer2013.faces import SIDE
from ...media.image import recolour, resize
from ...records import Pixels, Sample

_CODES = {label: code.decode() for code, label in EMOTIONS.items()}
_USAGES = {split: usage.decode() for usage, split in USAGES.items()}


def write_csv(root: Path, samples: Iterable[Sample]) -> None:
    """`fer2013.csv` with the columns emotion, pixels (48x48 grey) and Usage. Contempt is not in it."""
    with (root / "fer2013.csv").open("w", encoding="ascii", newline="") as file:
        file.write("emotion,pixels,Usage\n")
        file.writelines(_row(sample) for sample in samples if "expression7" in sample.targets)


def _row(sample: Sample) -> str:
    pixels = resize(recolour(cast("Pixels", sample.image), "grey"), SIDE)
    shades = " ".join(map(str, pixels.ravel().tolist()))
    return f"{_CODES[str(sample.targets['expression7'])]},{shades},{_USAGES[sample.split]}\n"
