"""YuNet's file, where it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def yunet(root: Path) -> Path:
    """YuNet's file, where it is."""
    folder = Path(os.environ.get("MIEN_MODELS", root.parent / "shared" / "models"))
    files = sorted(folder.glob("face_detection_yunet_*.onnx"))
    if not files:
        pytest.skip("no YuNet model here (set MIEN_MODELS to its folder)")
    return files[0]
