"""The models that come with mien, and the wheel that brings them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

import numpy as np
import pytest

import mien
from mien import bundle, cli
from mien.errors import ModelError
from mien.predict.engine import Engine
from tests.drawn import scene


def test_every_bundled_file_is_listed_whole_and_described() -> None:
    assert sorted(path.stem for path in bundle.FOLDER.glob("*.onnx")) == sorted(bundle.checksums())
    for name in bundle.checksums():
        engine = Engine(bundle.find(name), threads=1)
        assert engine.name == name
        assert [head.name for head in engine.task] == ["distribution8", "expression7"]
        assert "FER-2013" in engine.metadata["licence"]
        for record in engine.metadata["figures"]:
            assert record["split"] == "validation"
            for figure in record["metrics"].values():
                low, high = figure["interval"]
                assert low <= high


def test_sizes_keep_their_promise() -> None:
    sizes = {name: bundle.find(name).stat().st_size / 1e6 for name in ("face", "face-int8")}
    assert sizes["face"] < 12
    assert sizes["face-int8"] < 4


def test_load_takes_the_default_a_name_or_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "face").mkdir()  # a folder of that name is not taken for the model
    assert mien.load().engine.path == mien.load("face").engine.path == bundle.FOLDER / "face.onnx"
    assert mien.load("face-int8").engine.name == "face-int8"
    copy = shutil.copy(bundle.find("face"), tmp_path / "mine.onnx")
    assert mien.load(copy).engine.sha256 == mien.load().engine.sha256
    with pytest.raises(ModelError, match=r"folder without model\.onnx"):
        mien.load("./face")


def test_float_and_int8_answer_alike() -> None:
    faces = np.random.default_rng(0).integers(0, 256, (8, 48, 48), np.uint8)
    one, other = (mien.load(name).probabilities(faces) for name in ("face", "face-int8"))
    for head, rows in one.items():
        assert np.abs(rows - other[head]).mean() < 0.05
        assert not np.array_equal(rows, other[head])


def test_an_unknown_name_tells_what_is_bundled() -> None:
    with pytest.raises(ModelError, match=r"fase: no such model .*bundled are face, face-int8"):
        mien.load("fase")
    with pytest.raises(ModelError, match=r"no model 'fase' \(bundled are face, face-int8"):
        bundle.find("fase")


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (
            lambda folder: (folder / "face.onnx").write_bytes(b"half"),
            r"face\.onnx: the bundled model is damaged",
        ),
        (lambda folder: (folder / "face.onnx").unlink(), r"face\.onnx: the bundled model is missing"),
        (lambda folder: (folder / bundle.SUMS).unlink(), r"SHA256SUMS: missing"),
    ],
)
def test_a_damaged_installation_says_so_in_one_line(tmp_path: Path, harm: object, message: str) -> None:
    folder = shutil.copytree(bundle.FOLDER, tmp_path / "bundle")
    harm(folder)  # type: ignore[operator]
    with pytest.raises(ModelError, match=message) as caught:
        bundle.find("face", folder)
    assert "install mien again" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_predict_needs_no_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    Image.fromarray(scene(320, 320, [(80, 50, 160)])).save(tmp_path / "photo.png")
    cli.main(["predict", str(tmp_path / "photo.png"), "--out", str(tmp_path / "out.csv")])
    assert "face" in (tmp_path / "out.csv").read_text()


#: Python runs it at every start: whoever connects to anything is refused.
_OFFLINE = """
import socket
def refuse(*_): raise OSError("offline")
socket.socket.connect = socket.socket.connect_ex = refuse
"""

_LOADED = """
import importlib.util, sys
import numpy as np
import mien
assert importlib.util.find_spec("torch") is None
assert mien.__file__.startswith(sys.prefix), mien.__file__
rows = mien.load().probabilities(np.zeros((1, 48, 48), np.uint8))
assert [part.shape for part in rows.values()] == [(1, 8), (1, 7)]
"""


def needed(
    name: str, extras: Iterable[str] = (), seen: dict[str, Distribution] | None = None
) -> dict[str, Distribution]:
    """The installed distributions that one needs, with these extras, and what those need; by name, itself
    not."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found = {} if seen is None else seen
    for wanted in map(Requirement, distribution(name).requires or ()):
        asked = wanted.marker is None or any(
            wanted.marker.evaluate({"extra": extra}) for extra in ("", *extras)
        )
        other = canonicalize_name(wanted.name)
        if asked and other not in found:
            found[other] = distribution(other)
            needed(other, wanted.extras, found)
    return found


def environment(folder: Path) -> Path:
    """A virtual environment with what mien's core needs and nothing else, linked from the one that runs this;
    its Python."""
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    (site,) = folder.glob("lib/python*/site-packages")
    for one in needed("mien").values():
        for top in {file.parts[0] for file in one.files or () if file.parts[0] not in ("..", "__pycache__")}:
            (site / top).symlink_to(Path(str(one.locate_file(top))))
    (site / "sitecustomize.py").write_text(_OFFLINE)
    return python


def built(root: Path, folder: Path) -> Path:
    """The wheel of a copy of this checkout, built without the network."""
    source = folder / "source"
    shutil.copytree(root / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, source / name)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_the_wheel_installs_and_predicts_offline_without_torch_in_any_folder(
    root: Path, tmp_path: Path
) -> None:
    """pip checks what the wheel needs against what is there, so a requirement that is missing or too old
    fails here."""
    pytest.importorskip("hatchling")
    pytest.importorskip("pip")
    from PIL import Image

    python = environment(tmp_path / "installed")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--quiet",
        "--no-compile",
        "--no-index",
    ]
    subprocess.run([*pip, str(built(root, tmp_path))], check=True, capture_output=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    Image.fromarray(scene(320, 320, [(80, 50, 160)])).save(elsewhere / "photo.png")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV_"))}

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(command, cwd=elsewhere, env=clean, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done

    run(str(python), "-c", _LOADED)
    mien = str(python.with_name("mien"))
    run(mien, "predict", "photo.png", "--faces", "cropped", "--out", "out.jsonl")
    assert (elsewhere / "out.jsonl").read_text().count("\n") == 1
    listed = run(mien, "models")
    assert "face-int8" in listed.stdout
    assert 'pip install "mien[train]"' in listed.stderr
