"""The formats of other tools hold what those tools call things."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pandas
import pytest

from mien.errors import ConfigError
from mien.outputs.formats import open_writer
from mien.predict.results import ModelOrigin, Result
from mien.records import Moment
from tests.outputs.formats.made import AFFECT, EXPRESSION, ORIGIN, feeling

EYES = ((15.2, 30.0), (33.9, 30.0), (25.0, 40.0), (18.0, 50.0), (32.0, 50.0))


def written(path: Path, form: str, origin: ModelOrigin = EXPRESSION) -> Path:
    faces = [feeling(origin, "happy", landmarks=EYES, score=0.9), feeling(origin, "sad", track=7)]
    writer = open_writer(path, origin, form)
    writer.add(Result(Moment({}, "a.mp4", 0, 0.0), 64, 48, faces))
    writer.add(Result(Moment({}, "a.mp4", 75, 62.5), 64, 48, []))
    writer.close()
    return path


def rows(path: Path) -> list[dict[str, Any]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_deepface_has_percent_region_and_eyes(tmp_path: Path) -> None:
    first, second, none = json.loads(written(tmp_path / "a.json", "deepface").read_text())
    assert list(first["emotion"]) == ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
    assert sum(first["emotion"].values()) == pytest.approx(100, abs=1e-4)
    assert first["emotion"]["happy"] == pytest.approx(65)
    assert first["region"] == {
        "x": 10,
        "y": 20,
        "w": 30,
        "h": 40,
        "left_eye": [34, 30],
        "right_eye": [15, 30],
    }
    assert (first["dominant_emotion"], first["face_confidence"], first["source"]) == ("happy", 0.9, "a.mp4")
    assert (second["dominant_emotion"], second["region"]["w"]) == ("sad", 30)
    assert "left_eye" not in second["region"]
    assert (none["emotion"], none["region"], none["face_confidence"], none["timestamp"]) == (
        None,
        None,
        0,
        62.5,
    )


def test_fer_has_box_and_emotions(tmp_path: Path) -> None:
    first, _, none = json.loads(written(tmp_path / "a.json", "fer").read_text())
    assert first["box"] == [10, 20, 30, 40]
    assert max(first["emotions"].items(), key=lambda item: item[1]) == ("happy", 0.65)
    assert (none["box"], none["emotions"], none["frame"]) == (None, None, 75)


def test_openface_has_its_first_columns_and_no_others_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "openface", AFFECT)
    frame = pandas.read_csv(path)
    assert list(frame.columns[:5]) == ["frame", "face_id", "timestamp", "confidence", "success"]
    assert frame["frame"].tolist() == [1, 1, 76], "OpenFace counts from 1"
    assert frame["face_id"].tolist() == [0, 7, 0]
    assert frame["success"].tolist() == [1, 1, 0]
    assert frame["timestamp"].tolist() == [0.0, 0.0, 62.5]
    assert [name for name in frame.columns if name.startswith(("AU", "gaze", "pose", "x_"))] == []
    assert frame["valence_arousal.valence"].tolist()[:2] == [0.5, 0.5]
    assert rows(path)[2]["expression8.happy"] == ""


def test_pyfeat_has_the_columns_of_its_first_detector(tmp_path: Path) -> None:
    frame = pandas.read_csv(written(tmp_path / "a.csv", "pyfeat"))
    assert list(frame.columns) == [
        "FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore",
        "anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral",
        "input", "frame", "approx_time", "Identity",
    ]  # fmt: skip
    assert frame["happiness"].tolist()[:2] == pytest.approx([0.65, 0.058333])
    assert frame["approx_time"].tolist() == ["00:00", "00:00", "01:02"]
    assert frame["Identity"].fillna("").tolist() == ["", "Person_7", ""]
    assert frame.iloc[2, :12].isna().all()


def test_pyfeat_has_the_columns_of_its_second_detector_where_the_model_has_valence_and_arousal(
    tmp_path: Path,
) -> None:
    frame = pandas.read_csv(written(tmp_path / "a.csv", "pyfeat", AFFECT))
    assert list(frame.columns[5:14]) == [
        "Anger", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral", "valence", "arousal",
    ]  # fmt: skip
    assert frame["arousal"].tolist()[:2] == [-0.25, -0.25]
    assert frame["Happy"].tolist()[0] == pytest.approx(0.65)


def test_a_still_picture_has_no_approximate_time(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "a.csv", EXPRESSION, "pyfeat")
    writer.add(Result(Moment({}, "a.png", 0, None), 9, 9, []))
    writer.close()
    assert rows(tmp_path / "a.csv")[0]["approx_time"] == ""


@pytest.mark.parametrize("form", ["deepface", "fer", "pyfeat"])
def test_a_model_without_the_seven_expressions_is_refused(tmp_path: Path, form: str) -> None:
    with pytest.raises(ConfigError, match=f"format {form}: the model has no head with angry, disgust"):
        open_writer(tmp_path / "a", ORIGIN, form)
    assert list(tmp_path.iterdir()) == []
