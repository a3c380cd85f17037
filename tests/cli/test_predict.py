"""`mien predict`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from mien import cli
from mien.cli.predict import Predict
from mien.errors import InputError, ModelError
from mien.tasks import TASKS
from tests.drawn import scene
from tests.tiny_model import RGB, write_model


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model, a photo of two faces, an empty picture and a broken one, and an empty working folder."""
    write_model(tmp_path / "run" / "model.onnx", TASKS["affect"], RGB)
    (tmp_path / "photos").mkdir()
    cv2.imwrite(str(tmp_path / "photos" / "two.png"), scene(640, 320, [(80, 50, 160), (430, 60, 120)])[..., ::-1])
    cv2.imwrite(str(tmp_path / "photos" / "none.png"), np.full((90, 90), 127, np.uint8))
    (tmp_path / "photos" / "bad.jpg").write_text("no picture")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path


def made(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_tags_that_apply_are_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = {"tags": dict.fromkeys(TASKS["emotic"].heads[0].space.labels, 1.1) | {"Peace": 0.0}}
    model = write_model(here / "tags.onnx", TASKS["emotic"], RGB, {"thresholds": chosen})
    cli.main(["predict", str(here / "photos" / "none.png"), "--model", str(model), "--faces", "cropped"])
    head, row, *_ = [
        line.split() for line in capsys.readouterr().out.splitlines() if line.strip() and "─" not in line[:3]
    ]
    assert head[-1] == "tags"
    assert row[-1] == "Peace"


def test_a_photo_gives_a_table_json_and_a_picture(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["predict", "../photos/two.png", "--model", "../run"])
    told = capsys.readouterr()
    assert "two.png" in told.out
    assert "valence" in told.out
    assert "%" in told.out
    assert "two.mien.json" in told.err
    assert made(here / "work") == ["two.mien.json", "two.mien.png"]
    record = json.loads((here / "work" / "two.mien.json").read_text())
    assert [face["face_id"] for face in record["pictures"][0]["faces"]] == [0, 1]
    assert record["model"]["name"] == "tiny"


def test_json_alone_is_on_stdout_and_nothing_is_written(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Predict(("../photos/two.png",), Path("../run"), json=True).run()
    told = capsys.readouterr()
    assert len(json.loads(told.out)["pictures"][0]["faces"]) == 2
    assert made(here / "work") == []


def test_a_folder_goes_on_past_a_broken_file_and_fails_at_the_end(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="2 of 4 inputs could not be read"):
        Predict(("../photos", "nothing*.png"), Path("../run"), out=Path("all.csv"), draw=Path("drawn")).run()
    told = capsys.readouterr()
    assert "bad.jpg: not a picture" in told.err
    assert "nothing*.png: no file matches" in told.err
    assert "use --faces cropped" in told.err
    assert "no face" in told.out
    assert made(here / "work") == ["all.csv", "drawn/none.mien.png", "drawn/two.mien.png"]
    assert len((here / "work" / "all.csv").read_text().splitlines()) == 4, "header, two faces, a row without a face"


def test_failures_are_in_the_json(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["predict", "../photos/bad.jpg", "absent.png", "--model", "../run", "--json"])
    assert caught.value.code == 1
    failed = json.loads(capsys.readouterr().out)["failed"]
    assert [entry["source"] for entry in failed] == ["../photos/bad.jpg", "absent.png"]


def test_pictures_of_one_name_do_not_overwrite_each_other(here: Path) -> None:
    for folder in ("a", "b"):
        (here / folder).mkdir()
        cv2.imwrite(str(here / folder / "face.png"), np.zeros((48, 48), np.uint8))
    cv2.imwrite(str(here / "b" / "face-2.png"), np.zeros((48, 48), np.uint8))
    Predict(("../a", "../b/face.png", "../b/face-2.png"), Path("../run"), faces="cropped", out_dir=Path("o")).run()
    found = made(here / "work" / "o")
    assert found == [f"{name}.mien.{kind}" for name in ("face-2-2", "face-2", "face") for kind in ("json", "png")]
    sources = [json.loads((here / "work" / "o" / f"{name}.mien.json").read_text()) for name in ("face", "face-2")]
    assert [record["pictures"][0]["source"] for record in sources] == ["../a/face.png", "../b/face.png"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "nothing to predict on"),
        (["../photos/two.png", "--out", "x.xlsx"], "xlsx"),
        (["../photos/two.png", "--faces", "mtcnn"], "unknown face detector 'mtcnn'"),
        (["../photos/two.png", "--faces", "yunet"], "needs its model file"),
        (["../photos/odd.json", "--out", "../photos/odd.json"], "is one of the pictures"),
    ],
)
def test_wrong_use_is_2_and_writes_nothing(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    (here / "photos" / "odd.json").write_text("precious")
    with pytest.raises(SystemExit) as caught:
        cli.main(["predict", *words, "--model", "../run"])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
    assert made(here / "work") == []
    assert (here / "photos" / "odd.json").read_text() == "precious"


def test_without_a_model_it_says_how_to_get_one(here: Path) -> None:
    with pytest.raises(ModelError, match="mien train"):
        Predict(("../photos/two.png",)).run()


def test_an_output_folder_that_is_a_file_is_one_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "work" / "taken").touch()
    with pytest.raises(SystemExit) as caught:
        cli.main(["predict", "../photos/two.png", "--model", "../run", "--draw", "taken"])
    assert caught.value.code == 1
    assert "taken" in capsys.readouterr().err


def test_tags_and_names_with_brackets_are_shown(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_model(here / "emotic.onnx", TASKS["emotic"], RGB)
    cv2.imwrite("[red].png", np.zeros((48, 48), np.uint8))
    Predict(("[red].png",), Path("../emotic.onnx"), faces="cropped").run()
    told = capsys.readouterr().out
    assert "[red].png" in told
    assert "dominance" in told


def test_predicting_imports_no_torch(here: Path) -> None:
    code = (
        "import sys; from mien.cli import main;"
        "main(['predict', '../photos/two.png', '--model', '../run']);"
        "print(sorted({'torch', 'matplotlib', 'h5py', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
