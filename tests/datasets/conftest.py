"""Small FER-2013 look-alikes made of noise, and the real one in every layout where it is there."""

import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

Faces = NDArray[np.uint8]


@pytest.fixture
def faces() -> Faces:
    """Eight faces of noise."""
    return np.random.default_rng(0).integers(0, 256, (8, 48, 48), np.uint8)


def pixels(face: Faces) -> str:
    """A face as the CSV files write it."""
    return " ".join(map(str, face.ravel()))


@pytest.fixture
def lines(faces: Faces) -> list[str]:
    """A `fer2013.csv` of eight rows: four of Training, two of PublicTest, two of PrivateTest."""
    usages = ["Training"] * 4 + ["PublicTest"] * 2 + ["PrivateTest"] * 2
    rows = [
        f"{i % 7},{pixels(face)},{usage}" for i, (face, usage) in enumerate(zip(faces, usages, strict=True))
    ]
    return ["emotion,pixels,Usage", *rows]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write lines (or bytes) into a file below `tmp_path` and return it."""

    def written(name: str, content: list[str] | bytes, end: str = "\n") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(
            content if isinstance(content, bytes) else ("".join(line + end for line in content)).encode()
        )
        return path

    return written


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., Path]:
    """Save a face as a picture file below `tmp_path` and return its path."""

    def saved(name: str, image: Faces) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
        return path

    return saved


@pytest.fixture(scope="session")
def real(fer2013: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The real FER-2013 in a layout of `materialise.py`, its first 300 rows of each split."""
    base = tmp_path_factory.mktemp("fer2013")
    tool = runpy.run_path(str(fer2013 / "materialise.py"))
    splits = {usage: tool["load"](usage, 300) for usage in ("Training", "PublicTest")}

    def laid_out(layout: str) -> Path:
        folder = base / layout
        if not folder.exists():
            folder.mkdir()
            if layout in ("folders", "counted"):
                tool["write_folders"](folder, splits, layout == "counted")
            else:
                tool["write_csv"](folder, splits, layout == "icml")
            if layout == "ferplus":
                tool["write_votes"](folder, splits)
        return folder

    return laid_out
