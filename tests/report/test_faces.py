"""Faces as inline pictures."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from mien.report.heads.gallery import portrait

RNG = np.random.default_rng(2)


def opened(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


@pytest.mark.parametrize("shape", [(48, 48), (64, 40, 3)])
def test_small_faces_keep_every_pixel(shape: tuple[int, ...]) -> None:
    pixels = RNG.integers(0, 256, shape, dtype=np.uint8)
    uri, small = portrait(pixels)
    assert small
    assert uri.startswith("data:image/png;base64,")
    np.testing.assert_array_equal(np.asarray(opened(uri)), pixels)


def test_large_faces_are_reduced() -> None:
    uri, small = portrait(RNG.integers(0, 256, (300, 600, 3), dtype=np.uint8))
    assert not small
    assert opened(uri).size == (128, 64)
    assert len(uri) < 20_000
