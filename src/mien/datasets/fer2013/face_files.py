"""Faces of FER-2013 that lie in picture files of their own."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from ...errors import InputError
from ...media import image as pictures
from ...records import Pixels
from .face_table import SIDE


def face(data: bytes, source: str) -> Pixels:
    """Decode a 48x48 face, grey. Raises InputError for anything else."""
    image = pictures.recolour(pictures.decode(data, source), "grey")
    if image.shape != (SIDE, SIDE):
        raise InputError(f"{source}: {image.shape[1]}x{image.shape[0]} pixels, faces of FER-2013 are {SIDE}x{SIDE}")
    return image


def is_face_sized(path: Path) -> bool:
    """Whether a picture is as large as the faces of FER-2013, by its header; true for one that cannot be read."""
    try:
        with Image.open(path, formats=pictures.FORMATS) as image:
            return image.size == (SIDE, SIDE)
    except Exception:  # a decoder of foreign bytes may raise anything
        return True
