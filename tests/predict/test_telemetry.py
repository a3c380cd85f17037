"""Prediction leaves nothing in the user's folders: ONNX Runtime's telemetry is off before it is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PREDICT = """
import mien
from mien.synthetic import face
assert mien.load().predict(face("happiness", size=96), faces="cropped")
"""


def test_a_prediction_leaves_an_empty_home_empty(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "ORT_", "MIEN_"))}
    surroundings = kept | {"HOME": str(home), "USERPROFILE": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", PREDICT], env=surroundings, cwd=tmp_path, check=True)
    assert [path.name for path in tmp_path.rglob("*")] == ["home"]


def test_a_value_of_the_users_own_wins() -> None:
    show = "import mien, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    for given, expected in ({}, "1"), ({"ORT_DISABLE_TELEMETRY": "0"}, "0"):
        kept = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"}
        done = subprocess.run(
            [sys.executable, "-c", show], env=kept | given, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == expected
