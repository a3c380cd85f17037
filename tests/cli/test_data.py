"""`mien data`: import, info, check and sketch as a person types them."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.cli import main
from mien.cli.data import Data, Sketch
from mien.records import Sample
from mien.store import Origin, write
from mien.tasks import TASKS, Head


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A `fer2013.csv` of thirty faces of noise."""
    faces = np.random.default_rng(0).integers(0, 256, (30, 48 * 48))
    usages = ["Training"] * 20 + ["PublicTest"] * 10
    rows = [
        f"{i % 7},{' '.join(map(str, face))},{usage}\n"
        for i, (face, usage) in enumerate(zip(faces, usages, strict=True))
    ]
    path = tmp_path / "fer2013.csv"
    path.write_text("emotion,pixels,Usage\n" + "".join(rows))
    return path


def run(*words: object) -> None:
    main(["data", *map(str, words)])


def failing(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    with pytest.raises(SystemExit) as left:
        run(*words)
    return int(str(left.value.code)), capsys.readouterr().err


def test_import_says_what_was_found(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = source.parent / "faces.h5"
    run("import", source, "--out", out)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "recognised as fer2013" in shown.err
    assert "20 of 20" in shown.err
    assert "30 faces in" in shown.err
    assert str(out) in shown.err.replace("\n", "")
    assert out.exists()


def test_import_as_json(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("import", source, "--out", source.parent / "faces.h5", "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["splits"] == {"train": 20, "validation": 10}
    assert found["heads"][0]["labels"]["angry"] == {"train": 3, "validation": 2}
    assert found["picture"] == [48, 48]
    assert list(found["inputs"]) == ["fer2013.csv"]
    assert found["seconds"] >= 0


def test_skip_bad_lists_what_was_left_out(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = source.read_text().replace("Training", "Practice", 12)
    source.write_text(text)
    code, told = failing(capsys, "import", source, "--out", source.parent / "x.h5")
    assert code == 1
    assert "row 0 (line 2): usage is 'Practice'" in told
    assert told.count("\n") == 1
    run("import", source, "--out", source.parent / "x.h5", "--skip-bad")
    shown = capsys.readouterr().err
    assert "left out: 12" in shown
    assert "row 9 (line 11)" in shown
    assert "row 10 (line 12)" not in shown
    assert "and 2 more" in shown


def test_wrong_use(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = failing(capsys, "import", source, "--out", source.parent / "x.h5", "--layout", "fer2014")
    assert code == 2
    assert "did you mean 'fer2013'?" in told
    code, told = failing(capsys, "import", source.parent / "none", "--out", source.parent / "x.h5")
    assert (code, told) == (1, f"mien: {source.parent / 'none'}: no such file or folder\n")


def test_info(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = source.parent / "faces.h5"
    run("import", source, "--out", out)
    capsys.readouterr()
    run("info", out)
    shown = capsys.readouterr().err
    for wanted in (
        "30 faces, 48x48",
        "importer: fer2013 1",
        "sha256",
        "sources: fer2013.csv:0",
        "expression7 (class, faces)",
    ):
        assert wanted in shown
    run("info", out, "--json")
    assert json.loads(capsys.readouterr().out)["faces"] == 30


def test_info_of_every_kind_of_head(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heads: list[Head] = [*TASKS["distribution8"].heads, *TASKS["emotic"].heads]
    faces = [
        Sample(np.zeros((2, 2), np.uint8), {"distribution8": {"happy": 6, "sad": 2}, "tags": ("Anger",)}, "train", "a"),
        Sample(
            np.zeros((2, 2), np.uint8),
            {"distribution8": {"happy": 4}, "vad": {"valence": 3, "arousal": 5}},
            "train",
            "b",
        ),
        Sample(np.zeros((2, 2), np.uint8), {}, "test", "c"),
    ]
    write(tmp_path / "x.h5", faces, heads, Origin("test", "1", options={"votes": "raw"}))
    run("info", tmp_path / "x.h5", "--json")
    found: dict[str, dict[str, Any]] = {head["name"]: head for head in json.loads(capsys.readouterr().out)["heads"]}
    assert found["distribution8"]["labels"]["happy"] == {"train": 0.875, "test": None}
    assert found["distribution8"]["annotated"] == {"train": 2, "test": 0}
    assert found["distribution8"]["votes"] == {
        "mean sum": 6.0,
        "mean share of the top label": 0.875,
        "share of faces where one label has more than half": 1.0,
        "share of faces where all agree": 0.5,
    }
    assert found["tags"]["labels"]["Anger"] == {"train": 1, "test": 0}
    assert found["vad"]["labels"]["arousal"] == {"train": 5.0, "test": None}
    assert found["vad"]["labels"]["dominance"] == {"train": None, "test": None}
    run("info", tmp_path / "x.h5")
    shown = capsys.readouterr().err
    assert "0.875" in shown
    assert "mean sum: 6.0" in shown


def test_check(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = source.parent / "faces.h5"
    run("import", source, "--out", out)
    capsys.readouterr()
    run("check", out)
    assert capsys.readouterr().err == f"{out}: whole (30 faces, every checksum holds)\n"
    data = bytearray(out.read_bytes())
    data[data.index(bytes(map(int, source.read_text().splitlines()[1].split(",")[1].split()[:50])))] ^= 1
    out.write_bytes(data)
    code, told = failing(capsys, "check", out)
    assert code == 1
    assert told == f"mien: {out}: 'images' is damaged (missing, or a checksum fails); import again\n"


def test_sketch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Data(Sketch(tmp_path / "drawn.h5", count=12)).run()
    assert capsys.readouterr().err == f"12 drawn faces -> {tmp_path / 'drawn.h5'}\n"


def test_sketch_of_scenes_and_of_a_layout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("sketch", tmp_path / "scenes.h5", "--scenes", "--count", 6, "--size", 48, "--candid")
    run("sketch", tmp_path / "folder", "--layout", "ck48", "--count", 8)
    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"12 drawn faces -> {tmp_path / 'scenes.h5'}"
    assert told[1] == f"drawn in the layout of ck48 -> {tmp_path / 'folder'}"
    assert len(list((tmp_path / "folder").rglob("*.png"))) == 7  # CK+48 has no neutral faces
    code, told = failing(capsys, "sketch", tmp_path / "folder", "--layout", "ck48")
    assert (code, "give a new or an empty folder" in told) == (2, True)
    code, told = failing(capsys, "sketch", tmp_path / "new", "--layout", "ck49")
    assert (code, "did you mean 'ck48'" in told) == (2, True)


def test_a_bar_where_there_is_a_terminal(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    run("import", source, "--out", source.parent / "faces.h5")
    assert "reading fer2013.csv" in screen.getvalue()
    assert "100%" in screen.getvalue()


def test_help_loads_nothing_heavy() -> None:
    lines = [
        "import sys",
        "from mien.cli import main",
        "try: main(['data', 'import', '--help'])",
        "except SystemExit: pass",
    ]
    code = "\n".join([*lines, "print(*sys.modules)"])
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "h5py", "cv2", "PIL"} & set(loaded)
