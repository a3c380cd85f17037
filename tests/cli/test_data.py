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
from mien.cli.data import Data, DataSketch
from mien.media.image import encode
from mien.records import Box, Sample
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
    code, printed = failing(capsys, "import", source, "--out", source.parent / "x.h5")
    assert code == 1
    assert "row 0 (line 2): usage is 'Practice'" in printed
    assert printed.count("\n") == 1
    run("import", source, "--out", source.parent / "x.h5", "--skip-bad")
    shown = capsys.readouterr().err
    assert "left out: 12" in shown
    assert "row 9 (line 11)" in shown
    assert "row 10 (line 12)" not in shown
    assert "and 2 more" in shown


def test_wrong_use(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = failing(capsys, "import", source, "--out", source.parent / "x.h5", "--layout", "fer2014")
    assert code == 2
    assert "did you mean 'fer2013'?" in printed
    code, printed = failing(capsys, "import", source.parent / "none", "--out", source.parent / "x.h5")
    assert (code, printed) == (1, f"mien: {source.parent / 'none'}: no such file or folder\n")


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
        Sample.of_image(
            np.zeros((2, 2), np.uint8),
            {"distribution8": {"happy": 6, "sad": 2}, "tags": ("Anger",)},
            "train",
            "a",
        ),
        Sample.of_image(
            np.zeros((2, 2), np.uint8),
            {"distribution8": {"happy": 4}, "vad": {"valence": 3, "arousal": 5}},
            "train",
            "b",
        ),
        Sample.of_image(np.zeros((2, 2), np.uint8), {}, "test", "c"),
    ]
    write(tmp_path / "x.h5", faces, heads, Origin("test", "1", options={"votes": "raw"}))
    run("info", tmp_path / "x.h5", "--json")
    found: dict[str, dict[str, Any]] = {
        head["name"]: head for head in json.loads(capsys.readouterr().out)["heads"]
    }
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
    code, printed = failing(capsys, "check", out)
    assert code == 1
    assert (
        printed
        == f"mien: {out}: 'inputs/image/values' is damaged (missing, or a checksum fails); import again\n"
    )


def test_sketch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Data(DataSketch(tmp_path / "drawn.h5", count=12)).run()
    assert capsys.readouterr().err == f"12 drawn faces -> {tmp_path / 'drawn.h5'}\n"


def test_sketch_of_scenes_and_of_a_layout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("sketch", tmp_path / "scenes.h5", "--scenes", "--count", 6, "--size", 48, "--candid")
    run("sketch", tmp_path / "folder", "--layout", "ck48", "--count", 8)
    printed = capsys.readouterr().err.splitlines()
    assert printed[0] == f"12 drawn faces -> {tmp_path / 'scenes.h5'}"
    assert printed[1] == f"drawn in the layout of ck48 -> {tmp_path / 'folder'}"
    assert len(list((tmp_path / "folder").rglob("*.png"))) == 7  # CK+48 has no neutral faces
    code, printed = failing(capsys, "sketch", tmp_path / "folder", "--layout", "ck48")
    assert (code, "give a new or an empty folder" in printed) == (2, True)
    code, printed = failing(capsys, "sketch", tmp_path / "new", "--layout", "ck49")
    assert (code, "did you mean 'ck48'" in printed) == (2, True)


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
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "h5py", "cv2", "PIL"} & set(loaded)


def test_info_tells_attributes_boxes_and_groups(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        Sample.of_image(np.zeros((4, 4), np.uint8), {"expression7": "happy"}, "train", str(k),
               Box(0, 0, 2, 2) if k else None, group=f"person {k % 3}",
               attributes={"gender": "female" if k % 2 else "male", "number": str(k)})
        for k in range(12)
    ]  # fmt: skip
    store = write(tmp_path / "x.h5", rows, TASKS["expression7"].heads, Origin("test", "1"))
    run("info", store.path)
    printed = capsys.readouterr().err
    assert "boxes: 11\ngroups: 3\n" in printed
    assert "gender: male 6, female 6\n" in printed
    assert "… 4" in printed.split("number: ")[1]


def test_a_stopped_import_says_how_to_go_on(
    source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mien.datasets.import_dataset", stopped)
    code, printed = failing(capsys, "import", source, "--out", source.parent / "x.h5")
    assert code == 130
    assert "the same command goes on from what is finished" in printed


def test_splits_are_drawn_as_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("sketch", tmp_path / "drawn", "--layout", "folders", "--count", 80)
    (tmp_path / "drawn/train").rename(tmp_path / "flat")
    run(
        "import",
        tmp_path / "flat",
        "--out",
        tmp_path / "x.h5",
        "--validation",
        0.25,
        "--test",
        0,
        "--seed",
        7,
    )
    printed = capsys.readouterr().err
    assert (
        "no official split: 48 train, 16 validation, 0 test, stratified by expression8, seed 7"
        in printed.replace("\n  ", " ")
    )


@pytest.mark.parametrize("after", [1, 2])
def test_a_killed_import_goes_on(tmp_path: Path, after: int) -> None:
    """A real process, killed when some parts are finished; the store is then the one an undisturbed import
    writes."""
    folder = tmp_path / "faces"
    for label in ("happy", "sad"):
        (folder / label).mkdir(parents=True)
        for k in range(100):
            (folder / label / f"{k}.png").write_bytes(encode(np.full((6, 6 + k), k, np.uint8), "PNG"))
    # Parts of 32 pictures, and a kill in the middle of the next one.
    code = (
        "import os, signal, sys\nfrom mien.datasets import loading\nfrom mien.cli import main\n"
        f"loading.ITEMS, add = 32, loading.Parts.add\n"
        "def watched(self, *given):\n    add(self, *given)\n"
        f"    if self.count == {after}: os.kill(os.getpid(), signal.SIGKILL)\n"
        "if sys.argv[1] == 'kill': loading.Parts.add = watched\n"
        f"main(['data', 'import', {str(folder)!r}, '--out', sys.argv[2]])"
    )
    out = tmp_path / "x.h5"
    killed = subprocess.run([sys.executable, "-c", code, "kill", str(out)], capture_output=True, check=False)
    assert killed.returncode == -9
    assert not out.exists()
    assert len(list((tmp_path / ".x.h5.import").glob("*.h5"))) == after
    for name in ("x.h5", "y.h5"):
        subprocess.run(
            [sys.executable, "-c", code, "go on", str(tmp_path / name)], capture_output=True, check=True
        )
    assert out.read_bytes() == (tmp_path / "y.h5").read_bytes()
    assert not (tmp_path / ".x.h5.import").exists()
