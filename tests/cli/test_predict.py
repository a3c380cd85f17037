"""`mien predict`."""

from __future__ import annotations

import csv
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas
import pytest

from mien import cli
from mien import detect as faces
from mien.cli.predict import Predict
from mien.cli.run_summary import RunSummary
from mien.detect.fetching import YUNET
from mien.errors import ConfigError, InputError
from mien.outputs.per_source import RunOutputs
from mien.outputs.show import sheet
from mien.outputs.show.sheet import draw
from mien.predict import Model, Settings, load
from mien.predict.results import Result
from mien.tasks import TASKS
from tests.drawn import scene
from tests.outputs.show.streams import face, step
from tests.sources.media import PEOPLE, compose
from tests.tiny_model import RGB, write_model


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model, a photo of two faces, an empty picture and a broken one, and an empty working
    folder."""
    write_model(tmp_path / "run" / "model.onnx", TASKS["affect"], RGB)
    (tmp_path / "photos").mkdir()
    cv2.imwrite(
        str(tmp_path / "photos" / "two.png"), scene(640, 320, [(80, 50, 160), (430, 60, 120)])[..., ::-1]
    )
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
    lines = [line for line in told.out.splitlines() if line.endswith("% ") or "%  " in line]
    assert len(lines) == 6
    assert len({min(line.find(mark) for mark in "━─" if mark in line) for line in lines}) == 1, (
        "bars stand below each other"
    )
    assert made(here / "work") == ["two.mien.json", "two.mien.png"]
    record = json.loads((here / "work" / "two.mien.json").read_text())
    assert [face["face_id"] for face in record["pictures"][0]["faces"]] == [0, 1]
    assert record["model"]["name"] == "tiny"


def test_json_alone_is_on_stdout_and_nothing_is_written(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Predict(("../photos/two.png",), "../run", json=True).run()
    told = capsys.readouterr()
    assert len(json.loads(told.out)["pictures"][0]["faces"]) == 2
    assert made(here / "work") == []


def test_a_folder_goes_on_past_a_broken_file_and_fails_at_the_end(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="2 of 4 inputs could not be read"):
        Predict(("../photos", "nothing*.png"), "../run", out=Path("all.csv"), draw=Path("drawn")).run()
    told = capsys.readouterr()
    assert "bad.jpg: not a picture" in told.err
    assert "nothing*.png: no file matches" in told.err
    assert "use --faces cropped" in told.err
    assert "no face" in told.out
    assert made(here / "work") == ["all.csv", "drawn/none.mien.png", "drawn/two.mien.png"]
    assert len((here / "work" / "all.csv").read_text().splitlines()) == 4, (
        "header, two faces, a row without a face"
    )


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
    Predict(("../a", "../b/face.png", "../b/face-2.png"), "../run", faces="cropped", out_dir=Path("o")).run()
    found = made(here / "work" / "o")
    assert found == [
        f"{name}.mien.{kind}" for name in ("face-2-2", "face-2", "face") for kind in ("json", "png")
    ]
    sources = [
        json.loads((here / "work" / "o" / f"{name}.mien.json").read_text()) for name in ("face", "face-2")
    ]
    assert [record["pictures"][0]["source"] for record in sources] == ["../a/face.png", "../b/face.png"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "nothing to predict on"),
        (["../photos/two.png", "--out", "x.xlsx"], "xlsx"),
        (["../photos/two.png", "--faces", "mtcnn"], "unknown face detector 'mtcnn'"),
        (["../photos/two.png", "--faces", "yunet"], "needs its model file"),
        (["../photos/two.png", "--every", "often"], "--every often: not a time"),
        (["../photos/two.png", "--format", "csv"], "--format csv needs --out"),
        (["../photos/two.png", "--fetch"], "--fetch fetches YuNet's file; with --faces haar it is of no use"),
        (["../photos/two.png", "--abstain", "2"], "abstain 2.0: must be a probability"),
        (["../photos/two.png", "--smooth", "-1"], "--smooth -1: not a time"),
        (["../photos/two.png", "--out", "."], "a folder"),
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


def test_the_table_ends_after_ten_rows_and_counts_the_rest() -> None:
    tally = RunSummary()
    for number in range(20):
        result = step([face((9, 9, 30, 30))] * 3, None, source=f"{number}.jpg")
        tally.add(result)
    assert [result.source for result in tally.first] == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert str(tally) == "20 pictures or frames, 60 faces, 0 without a face"


def test_without_a_model_the_bundled_one_answers(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Predict(("../photos/two.png",), json=True).run()
    document = json.loads(capsys.readouterr().out)
    assert document["model"]["name"]
    assert document["settings"] == "faces=haar"


@pytest.fixture
def clip(here: Path) -> Path:
    """A video of two people who hardly move, of six frames."""
    people = [replace(one, end=(one.start[0] + 12, one.start[1])) for one in PEOPLE]
    compose(here / "clip.mkv", people, duration=0.6, fps=10)
    return here / "clip.mkv"


def test_a_video_gives_a_row_a_face_and_frame(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = {"track": True, "smooth": "0.3s", "every": "0.2s", "start": "0:00.2", "end": "0.5"}
    Predict((str(clip),), "../run", out=Path("o.csv"), **options).run()  # type: ignore[arg-type]
    rows = list(csv.DictReader(Path("o.csv").read_text().splitlines()))
    assert sorted({float(row["timestamp"]) for row in rows}) == pytest.approx([0.2, 0.4], abs=0.01)
    assert {row["frame"] for row in rows} == {"2", "4"}
    assert {row["face_id"] for row in rows} == {"0", "1"}
    assert rows[0]["settings"] == "faces=haar every=0.2 start=0.2 end=0.5 track=1 smooth=0.3"
    told = capsys.readouterr().out
    assert "0.20–0.40 s" in told
    assert "on average" in told


def test_a_video_alone_gives_a_document_and_a_video(clip: Path, here: Path) -> None:
    Predict((str(clip),), "../run", every="0.5s").run()
    assert made(here / "work") == ["clip.mien.json", "clip.mien.mp4"]
    assert len(json.loads(Path("clip.mien.json").read_text())["pictures"]) == 2


def test_running_again_goes_on_where_it_stopped(
    clip: Path, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = str(here / "photos" / "two.png"), str(clip)
    Predict(inputs, "../run", "cropped", out=Path("whole.jsonl")).run()
    add = RunOutputs.add
    seen = []

    def stop_at_four(self: RunOutputs, item: Result) -> None:
        add(self, item)
        seen.append(item)
        if len(seen) == 4:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(RunOutputs, "add", stop_at_four)
    with pytest.raises(SystemExit) as caught:
        cli.main(["predict", *inputs, "--model", "../run", "--out", "o.jsonl", "--faces", "cropped"])
    assert caught.value.code == 130
    assert "stopped after 4 pictures or frames, " in capsys.readouterr().err
    cut = Path("o.jsonl").read_text()
    assert Path("whole.jsonl").read_text().startswith(cut)
    Predict(inputs, "../run", "cropped", out=Path("o.jsonl")).run()
    assert Path("o.jsonl").read_text() == Path("whole.jsonl").read_text()
    assert len(seen) == 7, "1 picture and 6 frames, none twice"
    Predict(inputs, "../run", "cropped", out=Path("o.jsonl")).run()
    assert Path("o.jsonl").read_text() == Path("whole.jsonl").read_text()
    with pytest.raises(ConfigError, match="other settings"):
        Predict(inputs, "../run", "cropped", out=Path("o.jsonl"), every="0.5s").run()


def test_a_followed_video_is_followed_from_its_start_again(
    clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Predict((str(clip),), "../run", out=Path("whole.csv"), track=True).run()
    lines = Path("whole.csv").read_text().splitlines(keepends=True)
    Path("cut.csv").write_text("".join(lines[:8]))
    Predict((str(clip),), "../run", out=Path("cut.csv"), track=True).run()
    assert Path("cut.csv").read_text() == "".join(lines)
    capsys.readouterr()
    Predict((str(clip),), "../run", out=Path("cut.csv"), track=True).run()
    assert capsys.readouterr().err == "cut.csv holds all of it already (--overwrite begins anew)\n"


@pytest.mark.parametrize(
    ("form", "sent"),
    [
        ("json", signal.SIGINT), ("csv", signal.SIGTERM), ("parquet", signal.SIGINT),
        ("parquet", signal.SIGTERM), ("deepface", signal.SIGINT),
    ],
)  # fmt: skip
def test_an_interruption_leaves_a_valid_file(
    here: Path, monkeypatch: pytest.MonkeyPatch, form: str, sent: signal.Signals
) -> None:
    for number in range(5):
        cv2.imwrite(str(here / "photos" / f"x{number}.png"), np.full((60, 60), 40 * number, np.uint8))
    add = RunOutputs.add

    def stop(self: RunOutputs, item: Result) -> None:
        add(self, item)
        signal.raise_signal(sent)

    monkeypatch.setattr(RunOutputs, "add", stop)
    (here / "photos" / "bad.jpg").unlink()
    write_model(here / "seven.onnx")
    with pytest.raises(SystemExit) as caught:
        Predict(("../photos",), "../seven.onnx", faces="cropped", out=Path("o"), format=form).run()  # type: ignore[arg-type]
    assert caught.value.code == 128 + sent
    read = {"csv": pandas.read_csv, "parquet": pandas.read_parquet}.get(
        form, lambda path: json.loads(path.read_text())
    )
    found = read(Path("o"))
    assert len(found["pictures"] if form == "json" else found) == 1


def test_strict_stops_at_the_first_fault(here: Path) -> None:
    with pytest.raises(InputError, match="1 of 3 inputs could not be read"):
        Predict(("../photos",), "../run", out=Path("o.csv"), strict=True).run()
    assert len(Path("o.csv").read_text().splitlines()) == 1, "bad.jpg comes first"


def test_abstaining_is_marked(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Predict(("../photos/two.png",), "../run", abstain=1.0, out=Path("o.csv")).run()
    assert [row["abstained"] for row in csv.DictReader(Path("o.csv").read_text().splitlines())] == ["1", "1"]
    assert "unsure" in capsys.readouterr().out


def test_a_page_a_timeline_and_a_sheet(clip: Path, here: Path) -> None:
    Predict((str(clip),), "../run", track=True, timeline=Path("t.png"), page=Path("p.html")).run()
    Predict(("../photos/two.png", "../photos/none.png"), "../run", sheet=Path("s.png")).run()
    assert {"p.html", "s.png", "t.png"} <= set(made(here / "work"))


def test_an_output_folder_that_is_a_file_is_one_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "work" / "taken").touch()
    with pytest.raises(SystemExit) as caught:
        cli.main(["predict", "../photos/two.png", "--model", "../run", "--draw", "taken"])
    assert caught.value.code == 1
    assert "taken" in capsys.readouterr().err


def test_tags_and_names_with_brackets_are_shown(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_model(here / "emotic.onnx", TASKS["emotic"], RGB)
    cv2.imwrite("[red].png", np.zeros((48, 48), np.uint8))
    Predict(("[red].png",), "../emotic.onnx", faces="cropped").run()
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


def test_help_shows_every_option_in_a_group_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["predict", "--help"])
    assert caught.value.code == 0
    told = capsys.readouterr().out
    groups = [
        f" {name} options " for name in ("source", "faces", "video", "answer", "result", "picture", "work")
    ]
    places = [told.index(group) for group in groups]
    assert places == sorted(places)
    own = {"input": "INPUT", "start": "--from", "end": "--to", "cuts": "--no-cuts"}
    named = [own.get(field.name, f"--{field.name}".replace("_", "-")) for field in fields(Predict)]
    assert [name for name in named if f" {name} " not in told] == []
    assert "None" not in told
    assert "--no-track" not in told


ALIGNED = replace(RGB, align=True)


def test_a_model_of_aligned_faces_and_no_eyes_to_align_by_is_said_once(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(write_model(here / "aligned.onnx", TASKS["affect"], ALIGNED))
    inputs = ("../photos/two.png", "../photos/none.png", "../photos/two.png")
    line = (
        "mien: faces stay as they lean: {} wants them turned until their eyes are level, "
        "and --faces haar does not"
    )
    Predict(inputs, model, json=True).run()
    assert capsys.readouterr().err.count(line.format("this model")) == 1
    Predict(inputs, model, align="off", json=True).run()
    Predict(inputs[1:2], model, json=True).run()
    Predict(inputs, "../run", json=True).run()
    assert "lean" not in capsys.readouterr().err
    Predict(inputs, "../run", align="on", json=True).run()
    assert capsys.readouterr().err.count(line.format("--align on")) == 1


def test_a_contact_sheet_by_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    titles = []
    monkeypatch.setattr(sheet, "draw", lambda cells, title: titles.append(title) or draw(cells, title))
    for by in ("emotion", "source"):
        words = ["predict", "../photos/two.png", "--model", "../run", "--sheet", f"{by}.png"]
        cli.main([*words, *(["--sheet-by", by] if by == "source" else [])])
    assert titles == ["2 faces by emotion", "2 faces by source"]
    assert made(here / "work") == ["emotion.png", "source.png"]


def test_a_folder_with_a_dot_is_a_folder_to_draw_into(here: Path) -> None:
    (here / "work" / "v1.0").mkdir()
    Predict(("../photos/two.png",), "../run", draw=Path("v1.0")).run()
    assert made(here / "work") == ["v1.0/two.mien.png"]


def test_what_was_asked_for_and_not_written_is_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Predict(
        ("../photos/none.png",), "../run", sheet=Path("s.png"), page=Path("p.html"), timeline=Path("t.svg")
    ).run()
    told = capsys.readouterr().err
    for line in (
        "no t.svg: there was no video",
        "no p.html: there was no video",
        "no s.png: there was no face",
    ):
        assert f"wrote {line}\n" in told
    assert made(here / "work") == []


@pytest.mark.parametrize("words", [["--out", "o.csv"], ["--json"], ["--draw", "drawn"]])
def test_without_pyav_videos_are_faults_and_pictures_go_on(
    clip: Path,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(SystemExit) as caught:
        cli.main(["predict", str(clip), "../photos/two.png", "--model", "../run", *words])
    assert caught.value.code == 1
    told = capsys.readouterr()
    assert f'mien: {clip}: av is not installed; run: pip install "mien[video]"\n' in told.err
    assert "1 of 2 inputs could not be read" in told.err
    if "--json" in words:
        document = json.loads(told.out)
        assert (len(document["pictures"]), len(document["failed"])) == (1, 1)
    else:
        assert made(here / "work") == ["o.csv" if "--out" in words else "drawn/two.mien.png"]


def test_without_pyav_a_video_to_write_is_refused_at_once(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(SystemExit) as caught:
        cli.main(["predict", "../photos/two.png", "--model", "../run", "--draw", "o.mp4"])
    assert caught.value.code == 1
    assert capsys.readouterr().err == 'mien: av is not installed; run: pip install "mien[video]"\n'
    assert made(here / "work") == []


@pytest.fixture
def zoo(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, list[str]]]:
    """The folder of a server from which --fetch fetches, what it was asked for, and an empty cache folder."""
    asked: list[str] = []

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            asked.append(self.path)

    (here / "zoo").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(here / "cache"))
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Quiet, directory=str(here / "zoo"))
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/{YUNET}"
        monkeypatch.setattr(faces, "fetch_yunet", partial(faces.fetch_yunet, address))
        yield here / "zoo", asked
        server.shutdown()
        thread.join()


def test_yunet_is_fetched_once_and_then_there(
    here: Path, zoo: tuple[Path, list[str]], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, asked = zoo
    known = Path(os.environ.get("MIEN_MODELS", root.parent / "shared" / "models")) / YUNET
    if not known.is_file():
        pytest.skip("no YuNet model here (set MIEN_MODELS to its folder)")
    shutil.copyfile(known, folder / YUNET)
    words = ["predict", "../photos/two.png", "--model", "../run", "--faces", "yunet", "--json"]
    for fetch in (["--fetch"], ["--fetch"], []):
        cli.main([*words, *fetch])
        found = json.loads(capsys.readouterr().out)["pictures"][0]["faces"]
        assert [len(one["face"]["landmarks"]) for one in found] == [5, 5]
    assert asked == [f"/{YUNET}"]
    assert (here / "cache" / "mien" / YUNET).read_bytes() == known.read_bytes()


def test_a_fetched_file_that_is_not_the_pinned_one_is_refused(
    here: Path, zoo: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    (zoo[0] / YUNET).write_bytes(b"something else")
    with pytest.raises(SystemExit) as caught:
        cli.main(["predict", "../photos/two.png", "--model", "../run", "--faces", "yunet", "--fetch"])
    assert caught.value.code == 1
    assert "14 bytes with SHA-256" in capsys.readouterr().err
    assert not (here / "cache").exists()
    assert made(here / "work") == []


def test_going_on_with_another_threshold_of_the_model_is_refused(here: Path) -> None:
    """A threshold that the caller or the model chose is among the settings, whichever of the two it was."""
    model = load(here / "run")
    asked = [
        (model, {}, "faces=cropped"),
        (model, {"abstain": 0.0}, "faces=cropped"),
        (Model(model.engine, abstain=0.5), {}, "faces=cropped abstain=0.5"),
        (model, {"abstain": 0.5}, "faces=cropped abstain=0.5"),
        (Model(model.engine, abstain=0.5), {"abstain": 0.0}, "faces=cropped"),
    ]
    for who, settings, said in asked:
        reading = who.read(["../photos/two.png"], Settings("cropped", **settings))
        assert reading.origin.settings == said
        (result,) = reading.results()
        assert isinstance(result, Result)
        assert result.predictions[0].abstain == (0.5 if "abstain" in said else 0.0)
