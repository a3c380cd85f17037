"""A full disk and a read-only folder, for each command that writes for long: one line names the file, nothing
is half-written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mien import cli, config, evaluate, export, train, tune  # noqa: F401  (somebody else could not import their libraries)
from tests.chaos import jobs
from tests.cli.test_hostile_outputs import full_disk

_NOBODY = 65534


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store, pictures, configurations and a finished run."""
    folder = tmp_path_factory.mktemp("base")
    jobs.prepare(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        phases = {"train.phases.0.epochs": 1, "train.phases.1.epochs": 1}
        network = train.train(config.changed(config.load(Path("tiny.toml")), phases), Path("run"))
        export.export(Path("run"), network)
    return folder


@pytest.fixture
def here(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is where the command runs."""
    folder = shutil.copytree(base, tmp_path / "here")
    folder.chmod(0o755)  # who may not write may read
    monkeypatch.chdir(folder)
    return folder


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nobody may write in a folder, root neither: for as long it is somebody else."""
    folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The last line of a command that fails, which has no other that looks like a fault."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    lines = capsys.readouterr().err.strip().splitlines()
    assert ended.value.code == 1
    assert [line for line in lines if line.startswith(("mien: ", "Traceback", "Exception"))] == lines[-1:]
    return lines[-1]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("words", "size", "name"),
    [
        (jobs.IMPORT.words, 20_000, "new.h5"),
        (("evaluate", "run", "--split", "train", "--draws", "0"), 2_000, "run/results/train.json"),
        (("export", "run", "--int8"), 9_000, "run/model-int8.onnx"),
    ],
)
def test_a_full_disk_leaves_everything_as_it_was(
    words: tuple[str, ...], size: int, name: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(here)
    with full_disk(size):
        line = told(capsys, *words)
    assert line.startswith((f"mien: {name}: ", "mien: .new.h5.import/")), line
    assert "File too large" in line or "errno 27" in line, line
    assert files(here) == before


def test_training_on_a_full_disk_names_the_checkpoint_and_goes_on(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree("run")
    with full_disk(9_000):
        assert told(capsys, *jobs.TRAIN.words) == "mien: run/checkpoints/1/last.ckpt: File too large"
    assert jobs.check(here) > 2
    assert not list(here.rglob(".*part*"))
    assert not list(here.rglob("*.ckpt"))


def test_a_study_on_a_full_disk_names_its_database(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with full_disk(50_000):
        line = told_any(capsys, *jobs.TUNE.words)
    assert line.startswith("mien: study/study.db: "), line
    assert not list(here.rglob(".*part*"))


def told_any(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit):
        cli.main(words)
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (("data", "import", "photos", "--out", "run/new.h5"), "run/.new.h5.import"),
        (("train", "tiny.toml", "--out", "run/more"), "run/more"),
        (("tune", "space.toml", "--trials", "1", "--out", "run/study"), "run/study"),
        (("evaluate", "run", "--draws", "0"), "run/results"),
        (("export", "run"), "run/model.onnx"),
    ],
)
def test_a_read_only_folder_is_named(
    words: tuple[str, ...], where: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(here)
    with read_only(here / "run"):
        assert told(capsys, *words) == f"mien: {where}: Permission denied"
    assert files(here) == before
