"""A tiny model on disk, opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from mien.predict import Model, load
from mien.tasks import TASKS
from tests.tiny_model import RGB, write_model


@pytest.fixture(scope="session")
def affect(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model of expressions, valence and arousal in a run folder."""
    folder: Path = tmp_path_factory.mktemp("affect")
    write_model(folder / "model.onnx", TASKS["affect"], RGB)
    return load(folder)
