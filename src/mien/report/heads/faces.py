"""Faces as inline pictures: small ones whole as PNG, larger ones reduced as JPEG, so that a report stays small."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from ...records import Pixels
from ...store import Store

_WHOLE = 64
_REDUCED = 128


def portraits(store: Store, rows: list[int]) -> list[tuple[str, bool]]:
    """For each row a data URI of its face, and whether its pixels are so few that they are to be shown as squares."""
    return [portrait(pixels) for pixels in store.images(np.asarray(rows, np.int64))]


def portrait(pixels: Pixels) -> tuple[str, bool]:
    """A data URI of uint8 (H, W) or (H, W, 3), and whether it is small."""
    image = Image.fromarray(pixels)
    small = max(image.size) <= _WHOLE
    sheet = io.BytesIO()
    if small:
        image.save(sheet, "PNG", optimize=True)
    else:
        image.thumbnail((_REDUCED, _REDUCED))
        image.save(sheet, "JPEG", quality=82)
    code = base64.b64encode(sheet.getvalue()).decode()
    return f"data:image/{'png' if small else 'jpeg'};base64,{code}", small
