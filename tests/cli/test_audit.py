"""`mien data audit` and `mien data clean` as a person types them."""

import json
import shutil
from pathlib import Path

import pytest

from mien.cli import main
from mien.store import Store
from tests.audit import planted


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planted.write(tmp_path_factory.mktemp("made") / "faces.h5", planted.faulty()).path


@pytest.fixture
def faces(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(made, tmp_path / "faces.h5"))


def run(*words: object) -> None:
    main(["data", *map(str, words)])


def failing(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    with pytest.raises(SystemExit) as left:
        run(*words)
    return int(str(left.value.code)), capsys.readouterr().err


def test_audit_shows_a_table_and_writes_a_folder(
    faces: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    run("audit", faces)
    shown = capsys.readouterr()
    assert shown.out == ""
    rows = {line.split()[0]: line.split()[1:4] for line in shown.err.splitlines() if line.strip()}
    assert rows["constant"] == ["1", "1", "0"]
    assert rows["imbalance:expression8"] == ["-", "-", "-"]
    assert "1 of validation are also in train" in shown.err
    assert "nothing found: unreadable, size" in shown.err
    folder = faces.parent / "faces-audit"
    assert {path.name for path in folder.iterdir()} == {"audit.html", "audit.json"}
    assert str(folder / "audit.html") in shown.err
    assert json.loads((folder / "audit.json").read_text(encoding="utf-8"))["faces"] == 45


def test_audit_as_json_writes_nothing_unless_asked(faces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("audit", faces, "--json")
    found = json.loads(capsys.readouterr().out)
    assert {one["code"] for one in found["findings"]} >= {"constant", "leak", "conflict"}
    assert [path.name for path in faces.parent.iterdir()] == ["faces.h5"]
    run("audit", faces, "--json", "--out", faces.parent / "there")
    assert json.loads(capsys.readouterr().out) == json.loads(
        (faces.parent / "there" / "audit.json").read_text()
    )


def test_clean_says_what_went_and_what_stayed(faces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, out = faces.read_bytes(), faces.parent / "clean.h5"
    run("clean", faces, "--out", out, "--drop", "constant", "duplicate", "leak")
    printed = capsys.readouterr().err
    assert "dropped 1 for constant\ndropped 1 for leak\ndropped 2 for duplicate\n" in printed
    assert "kept 1 of constant: their split stays whole" in printed
    assert f"train 32 of 36, validation 7 of 7, test 2 of 2 -> {out}" in printed
    assert faces.read_bytes() == before
    assert len(Store(out)) == 41


def test_clean_by_hand_and_in_other_splits(faces: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, out = faces.parent / "rows.txt", faces.parent / "clean.h5"
    rows.write_text("near-b\ngroup-b\n")
    run(
        "clean", faces, "--out", out, "--rows", rows, "--drop", "constant", "--splits", "validation", "--json"
    )
    printed = json.loads(capsys.readouterr().out)
    assert printed["dropped"] == {"rows": 2, "constant": 1}
    assert printed["kept"] == {"constant": 1}
    assert printed["splits"]["test"] == [2, 0]


@pytest.mark.parametrize(
    ("words", "line", "code"),
    [
        (("--out", "clean.h5"), "nothing to drop: give --drop (of: unreadable, constant, ", 2),
        (("--out", "clean.h5", "--drop", "leek"), "unknown finding to drop 'leek', did you mean 'leak'?", 2),
        (("--out", "clean.h5", "--drop", "conflict:mood"), "has no target 'mood'", 1),
        (("--out", "faces.h5", "--drop", "leak"), "faces.h5: is the store itself", 1),
        (("--out", "clean.h5", "--rows", "none.txt"), "none.txt: cannot be read: No such file", 1),
    ],
)
def test_wrong_use_gets_one_line(
    words: tuple[str, ...],
    line: str,
    code: int,
    faces: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(faces.parent)
    left, printed = failing(capsys, "clean", faces, *words)
    assert (left, len(printed.splitlines())) == (code, 1)
    assert line in printed
    assert not Path("clean.h5").exists()


def test_no_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(capsys, "audit", tmp_path / "none.h5") == (
        1,
        f"mien: {tmp_path / 'none.h5'}: no such store\n",
    )
