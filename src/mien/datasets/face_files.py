"""Faces that lie in picture files of their own."""

from __future__ import annotations

from pathlib import Path

from .. import pictures
from ..errors import InputError
from ..files import natural
from ..records import Pixels
from .face_table import SIDE


def face(data: bytes, source: str) -> Pixels:
    """Decode a 48x48 face, grey. Raises InputError for anything else."""
    if not data:
        raise InputError(f"{source}: an empty file")
    image = pictures.recolour(pictures.decode(data, source), "grey")
    if image.shape != (SIDE, SIDE):
        raise InputError(f"{source}: {image.shape[1]}x{image.shape[0]} pixels, faces of FER-2013 are {SIDE}x{SIDE}")
    return image


def listed(folder: Path) -> list[Path]:
    """The pictures in a folder in natural order: im2 before im10."""
    return sorted((path for path in folder.iterdir() if path.suffix.lower() in pictures.SUFFIXES), key=natural)
