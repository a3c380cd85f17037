"""Faces that lie in picture files of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from .. import pictures
from ..errors import InputError
from ..files import natural
from ..records import Pixels
from .face_table import SIDE


def face(data: bytes, source: str) -> Pixels:
    """Decode a 48x48 face, grey. Raises InputError for anything else."""
    image = pictures.recolour(pictures.decode(data, source), "grey")
    if image.shape != (SIDE, SIDE):
        raise InputError(f"{source}: {image.shape[1]}x{image.shape[0]} pixels, faces of FER-2013 are {SIDE}x{SIDE}")
    return image


def listed(folder: Path) -> list[Path]:
    """The pictures in a folder in natural order: im2 before im10."""
    return sorted((path for path in folder.iterdir() if path.suffix.lower() in pictures.SUFFIXES), key=natural)


def within(folder: Path) -> Iterator[Path]:
    """The pictures in a folder and at any depth below it, in no order, without hidden files and folders."""
    for base, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        yield from (
            Path(base, name) for name in names if Path(name).suffix.lower() in pictures.SUFFIXES and name[0] != "."
        )


def is_face_sized(path: Path) -> bool:
    """Whether a picture is as large as the faces of FER-2013, by its header; true for one that cannot be read."""
    try:
        with Image.open(path, formats=pictures.FORMATS) as image:
            return image.size == (SIDE, SIDE)
    except Exception:  # a decoder of foreign bytes may raise anything
        return True


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder by name, without hidden ones and `__MACOSX`; none where it is no folder."""
    found = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    return [path for path in found if not path.name.startswith((".", "__"))]
