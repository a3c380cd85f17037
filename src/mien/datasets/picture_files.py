"""Pictures in folders: listed in natural order, with the split and class that their folders name."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..files import natural
from ..media import image

#: Folders that name a split, in lower case.
SPLIT_FOLDERS = {
    "train": "train", "training": "train", "test": "test",
    "validation": "validation", "valid": "validation", "val": "validation",
}  # fmt: skip


class LabelledPicture(NamedTuple):
    """A picture file, with the split and class that its folders name."""

    path: Path
    split: str
    label: str


def listed(folder: Path) -> list[Path]:
    """Return the pictures in a folder in natural order: im2 before im10."""
    return sorted((path for path in folder.iterdir() if path.suffix.lower() in image.SUFFIXES), key=natural)


def within(folder: Path) -> Iterator[Path]:
    """Yield the pictures in a folder and at any depth below it, in no order, without hidden ones."""
    for base, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        found = (Path(base, name) for name in names if name[0] != ".")
        yield from (path for path in found if path.suffix.lower() in image.SUFFIXES)


def subfolders(folder: Path) -> list[Path]:
    """Return the folders in a folder by name, without hidden ones and `__MACOSX`; none in a file."""
    found = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    return [path for path in found if not path.name.startswith((".", "__"))]
