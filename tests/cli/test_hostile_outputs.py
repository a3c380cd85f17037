"""A disk that is full and places that cannot be written, each with the very line it gets
(docs/reference/hostile-inputs.md)."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import pytest

from mien import cli
from mien.tasks import TASKS
from tests.drawn import scene
from tests.sources.media import PEOPLE, compose
from tests.tiny_model import RGB, write_model


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model, forty pictures and a short video, which is where the command runs."""
    write_model(tmp_path / "run" / "model.onnx", TASKS["affect"], RGB)
    (tmp_path / "photos").mkdir()
    for number in range(40):
        cv2.imwrite(str(tmp_path / "photos" / f"{number}.png"), scene(96, 96, [(20, 20, 60)])[..., ::-1])
    compose(tmp_path / "clip.mp4", PEOPLE[:1], duration=0.5)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file may grow past `size` bytes: what a full disk does, with "File too large" for "No space left on
    device"."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The last line that a failing `mien predict` says."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["predict", *words, "--model", "run", "--faces", "cropped"])
    assert ended.value.code == 1
    return capsys.readouterr().err.strip().splitlines()[-1]


@pytest.mark.parametrize("name", ["all.csv", "all.jsonl", "all.json", "all.parquet"])
def test_a_full_disk_is_one_line_and_the_next_run_goes_on(
    here: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with full_disk(6_000):
        line = told(capsys, "photos", "--out", name)
    assert line.startswith(f"mien: {name}: ")
    assert "File too large" in line or "errno 27" in line
    cli.main(["predict", "photos", "--model", "run", "--faces", "cropped", "--out", name])
    whole = Path(name).read_bytes()
    Path(name).unlink()
    cli.main(["predict", "photos", "--model", "run", "--faces", "cropped", "--out", name])
    assert name.endswith(".parquet") or Path(name).read_bytes() == whole


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("photos/0.png", "--draw", "drawn"), "drawn/0.mien.png"),
        (("photos", "--sheet", "sheet.png"), "sheet.png"),
        (("clip.mp4", "--timeline", "time.png"), "time.png"),
        (("clip.mp4", "--page", "page.html"), "page.html"),
        (("clip.mp4", "--draw", "drawn.mp4"), "drawn.mp4"),
    ],
)
def test_a_picture_that_finds_no_room_leaves_nothing(
    here: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], name: str
) -> None:
    with full_disk(2_000):
        assert told(capsys, *words) == f"mien: {name}: File too large"
    assert not Path(name).exists()
    assert not list(here.rglob(".*part*"))


@pytest.mark.parametrize("words", [("--out", "photos/0.png/a.csv"), ("--draw", "photos/0.png/drawn")])
def test_a_place_that_cannot_be_written_is_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, str]
) -> None:
    line = told(capsys, "photos/1.png", *words)
    assert "photos/0.png" in line
    assert "Traceback" not in line
