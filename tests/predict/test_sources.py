"""Files, folders and patterns."""

from __future__ import annotations

from pathlib import Path

import pytest

from mien.files import natural
from mien.predict.sources import expand


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("face10.png", "face9.PNG", "b/Face2.jpg", "b/c/x.webp", "notes.txt", ".hidden.png", "face9.mien.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_a_folder_is_searched_through_all_levels_in_natural_order(folder: Path) -> None:
    found, missing = expand([folder])
    assert [str(path.relative_to(folder)) for path in found] == ["b/c/x.webp", "b/Face2.jpg", "face9.PNG", "face10.png"]
    assert missing == []


def test_patterns_files_and_repeats(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    found, missing = expand(["face10.png", "face*.*", "**/*.jpg", str(folder / "*.txt"), "absent.png"])
    assert [str(path) for path in found] == [
        "face10.png", "face9.mien.png", "face9.PNG", "b/Face2.jpg", str(folder / "notes.txt"), "absent.png",
    ]  # fmt: skip
    assert missing == []


def test_a_file_whose_name_looks_like_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "[1].png").touch()
    assert expand([tmp_path / "[1].png"]) == ([tmp_path / "[1].png"], [])


def test_what_names_nothing_is_said_and_does_not_stop_the_rest(folder: Path) -> None:
    (folder / "empty").mkdir()
    found, missing = expand([folder / "empty", folder / "z*.png", folder / "face10.png"])
    assert found == [folder / "face10.png"]
    assert [str(error) for error in missing] == [
        f"{folder / 'empty'}: a folder without pictures (looked for .bmp, .gif, .jpeg, .jpg, .pgm, .png, .ppm, .tif, "
        ".tiff, .webp)",
        f"{folder / 'z*.png'}: no file matches",
    ]


def test_natural_order_of_numbers() -> None:
    paths = [Path(name) for name in ("im10.png", "im2.png", "Im1.png", "a/2.png", "a/10.png")]
    assert sorted(paths, key=natural) == [paths[3], paths[4], paths[2], paths[1], paths[0]]
