"""What all tests share: one thread a process, no way out to the network, and the real FER-2013 where it is
there."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy and torch are imported

import functools
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from mien.media import MODALITIES
from mien.predict import Model, load
from mien.tasks import TASKS
from tests import tiny_run, toy_modality
from tests.tiny_model import RGB, write_model

settings.register_profile("mien", deadline=None, max_examples=50)
settings.load_profile("mien")

ROOT = Path(__file__).parents[1]
LOCAL = {"127.0.0.1", "::1", "localhost"}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test reach this machine and nothing else."""
    connect = socket.socket.connect

    def local_only(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in LOCAL:
            raise OSError(f"tests stay off the network, refused: {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", local_only)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def fer2013() -> Path:
    """The folder of the real FER-2013 (`MIEN_FER2013`, or beside the repository); skips where it is not
    there."""
    folder = Path(os.environ.get("MIEN_FER2013", ROOT.parent / "shared" / "data" / "fer2013"))
    if not (folder / "Training.csv").exists():
        pytest.skip("the real FER-2013 is not here (set MIEN_FER2013)")
    return folder


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of a small store with every kind of target (`tiny_run.py`)."""
    path = tmp_path_factory.mktemp("faces") / "faces.h5"
    tiny_run.write(path)
    return path


@pytest.fixture
def tiny(faces: Path) -> Any:
    """A maker of configurations that train on it in a moment: `tiny(task, model, **train)`."""
    return functools.partial(tiny_run.config, faces)


@pytest.fixture(scope="session")
def affect(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model of expressions, valence and arousal in a run folder."""
    folder: Path = tmp_path_factory.mktemp("affect")
    write_model(folder / "model.onnx", TASKS["affect"], RGB)
    return load(folder)


@pytest.fixture
def numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A modality of its own in the registries (`toy_modality.py`)."""
    from mien.models import ENCODERS

    monkeypatch.setitem(MODALITIES, "numbers", toy_modality.NUMBERS)
    monkeypatch.setitem(ENCODERS, ("numbers", "linear"), toy_modality.linear)
