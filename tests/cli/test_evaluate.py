"""`mien evaluate` as a person calls it."""

import functools
import json
from pathlib import Path

import numpy as np
import pytest

from mien.cli import main
from mien.labels import EXPRESSION8, VALENCE_AROUSAL, LabelSpace
from mien.records import Sample
from mien.store import Origin, write
from mien.tasks import TASKS, Head, Kind, Task
from tests import tiny_model
from tests.tiny_model import GREY

#: One of the heads is called `face`, so the input cannot be.
write_model = functools.partial(tiny_model.write_model, inputs=("person",))
TASK = Task("affect", (Head("face", Kind.CLASS, EXPRESSION8), Head("affect", Kind.VALUES, VALENCE_AROUSAL)))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run folder beside `faces.h5`, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    rng = np.random.default_rng(0)
    rows = [
        Sample.of_image(
            rng.integers(0, 256, (48, 48), np.uint8),
            {"face": EXPRESSION8.labels[k % 8], "affect": {"valence": k / 10 - 0.8, "arousal": 0.5 - k / 10}},
            "train" if k % 2 else "validation",
            f"{k}.png",
        )
        for k in range(16)
    ]
    write(Path("faces.h5"), rows, TASK.heads, Origin("noise", "1"))
    write_model(Path("run/model.onnx"), TASK, GREY)
    Path("run/config.toml").write_text('task = "affect"\n[data]\nstore = "faces.h5"\n')
    return Path("run")


def test_the_table_shows_value_interval_references_and_direction(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["evaluate", "run", "--draws", "40"])
    said = capsys.readouterr()
    assert said.out == ""
    assert "run on 8 faces of faces.h5, split validation" in said.err
    results = json.loads((run / "results/validation.json").read_text())
    accuracy = results["heads"]["face"]["metrics"]["accuracy"]["value"]
    low, high = results["heads"]["face"]["metrics"]["accuracy"]["interval"]
    assert f"{low:.4f} … {high:.4f}" in said.err
    assert "95 % intervals: 40 bootstrap draws by row." in said.err
    assert "Confidence is off by" in said.err
    assert "vote ECE" not in said.err, "nobody voted"
    assert max(map(len, said.err.splitlines())) <= 120
    lines = [line.split() for line in said.err.splitlines()]
    assert {"value", "95", "uniform", "marginal"} <= set(next(line for line in lines if "uniform" in line))
    assert "0.1250" in next(line for line in lines if "balanced_accuracy" in line)
    row = next(line for line in lines if "accuracy" in line)
    assert f"{accuracy:.4f}" in row
    assert "↑" in row
    assert "↓" in next(line for line in lines if "log_loss" in line)
    assert {"valence", "arousal"} <= set(next(line for line in lines if "arousal" in line))
    assert "–" in next(line for line in lines if "pearson" in line)
    assert said.err.rstrip().splitlines()[-2:] == [
        "run/results/validation.json",
        "run/predictions/validation.parquet",
    ]


def test_without_draws_there_are_no_intervals(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["evaluate", "run", "--draws", "0"])
    said = capsys.readouterr().err
    assert "95" not in said.split("accuracy")[0]
    assert "intervals" not in said


def test_votes_have_an_oracle_and_a_noise_floor_in_a_table_that_fits(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    votes = Head("votes", Kind.DISTRIBUTION, EXPRESSION8)
    rng = np.random.default_rng(0)
    said = [
        dict(zip(EXPRESSION8.labels, rng.multinomial(10, [1 / 8] * 8).tolist(), strict=True))
        for _ in range(59)
    ]
    said.append({"happy": 10})
    rows = [
        Sample.of_image(
            np.full((48, 48), 4 * k, np.uint8),
            {"votes": cast},
            "test",
            f"{k}",
            attributes={"age": "ab"[k % 2]},
        )
        for k, cast in enumerate(said)
    ]
    write(Path("votes.h5"), rows, (votes,), Origin("noise", "1"))
    told = {"conformal": {"votes": {"level": 0.9, "threshold": 0.0, "split": "validation"}}}
    model = write_model(Path("model.onnx"), Task("votes", (votes,)), GREY, told)
    main(["evaluate", str(model), "--data", "votes.h5", "--split", "test", "--draws", "40", "--by", "age"])
    lines = capsys.readouterr().err.splitlines()
    errors = json.loads(Path("on-votes/results/test.json").read_text())["heads"]["votes"]["calibration"]
    far = (
        f"Confidence is off by {errors['vote_ece']:.1%} on average from the raters' votes (vote ECE), "
        f"by {errors['ece']:.1%} "
    )
    assert far in " ".join(lines)
    (header,) = (line for line in lines if "value" in line)
    for title in ("uniform", "marginal", "oracle", "noise floor"):
        assert title in header
    assert any("top_label_accuracy ↑" in line and "1.0000" in line for line in lines)  # nothing is cut off
    assert "Sets that promise 90% hold the true label in 100.0%, with 8.00 labels on average." in " ".join(
        lines
    )
    write_model(
        Path("model.onnx"), Task("votes", (votes,)), GREY, told | {"label_temperature": {"votes": 0.5}}
    )
    main(["evaluate", str(model), "--data", "votes.h5", "--split", "test", "--draws", "0"])
    label = json.loads(Path("on-votes/results/test.json").read_text())["heads"]["votes"]["calibration"][
        "label"
    ]["ece"]
    sure = (
        f"Confidence in the label is off by {label:.1%} on average (ECE). "
        f"Shares of votes are off by {errors['vote_ece']:.1%}"
    )
    assert sure in " ".join(capsys.readouterr().err.split())
    assert any(line.startswith("  By age: kl lies ") and " between " in line for line in lines)


def test_json_is_the_results_file(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["evaluate", "run", "--json", "--data", "faces.h5", "--split", "train", "--out", "aside"])
    said = capsys.readouterr()
    assert json.loads(said.out) == json.loads(Path("aside/results/train.json").read_text())
    assert not (run / "results").exists()


def test_scores_on_training_faces_come_with_a_warning(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from mien.files import sha256

    write_model(run / "model.onnx", TASK, GREY, {"data": {"sha256": sha256(Path("faces.h5"))}})
    main(["evaluate", "run/model.onnx", "--split", "train"])
    said = capsys.readouterr().err
    assert "the model was trained on these faces" in said
    assert said.rstrip().endswith("run/predictions/train.parquet")


def test_heads_that_were_not_scored_are_named(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = Task("more", (*TASK.heads, Head("mood", Kind.TAGS, EXPRESSION8)))
    write_model(run / "model.onnx", more, GREY)
    main(["evaluate", "run"])
    assert "Not scored: mood (no target of the store fits)." in capsys.readouterr().err


def test_another_data_set_is_told_in_words_and_goes_aside(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = Head("codes", Kind.CLASS, LabelSpace("codes", ("Anger", "Joy", "bored")))
    rows = [
        Sample.of_image(
            np.full((48, 48), 9 * k, np.uint8), {"codes": codes.space.labels[k % 3]}, "test", f"{k}"
        )
        for k in range(9)
    ]
    write(Path("far.h5"), rows, (codes,), Origin("noise", "1"))
    main(["evaluate", "run", "--data", "far.h5", "--split", "test"])
    said = capsys.readouterr().err
    assert "none has its name, this one shares most labels (--match face=TARGET takes another)" in said
    assert "Compared: happy, angry." in said
    assert "Unknown to the model: bored (3 left out)." in said
    assert "Accuracy 0." in said
    assert "Not scored: affect (no target of the store fits)." in said
    assert said.rstrip().splitlines()[-2:] == [
        f"run/on-far/{name}" for name in ("results/test.json", "predictions/test.parquet")
    ]
    main(["evaluate", "run", "--data", "far.h5", "--split", "test", "--match", "face=codes"])
    assert "face is compared with the target codes as --match says." in capsys.readouterr().err
    main(["report", "run/on-far"])
    assert "Unknown to the model: bored (3 left out)." in Path("run/on-far/report.html").read_text()


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["nowhere"], 1, "nowhere"),
        (["run", "--split", "test"], 1, "split 'test' is empty"),
        (["run", "--split", "x"], 1, "unknown split 'x'"),
        (["run", "--by", "age"], 1, "unknown attribute of faces.h5 'age'"),
        (["run", "--draws", "-1"], 2, "--draws -1: must be 0"),
        (["run", "--match", "face"], 2, "--match 'face': needs HEAD=TARGET"),
        (
            ["run", "--match", "face=gaze"],
            2,
            "faces.h5 has no target 'gaze' that fits a head of kind class (one of: face)",
        ),
    ],
)
def test_faults_are_one_line(
    run: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, line: str
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["evaluate", *words])
    assert left.value.code == code
    said = capsys.readouterr().err
    assert said.startswith("mien: ")
    assert line in said
    assert len(said.splitlines()) == 1


def test_tags_are_scored_where_they_are_said_to_apply(
    tmp_path: Path, faces: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_model(
        tmp_path / "model.onnx", TASKS["emotic"], changes={"thresholds": {"tags": {"Peace": 0.1}}}
    )
    main(["evaluate", str(model), "--data", str(faces), "--split", "validation"])
    said = " ".join(capsys.readouterr().err.split())
    assert "macro_f1 0." in said
    assert "jaccard 0." in said
    assert "A tag applies from its own threshold on, chosen for the best F1 on the validation split." in said
