"""Golden files of every format."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from mien.errors import ConfigError
from mien.predict import Model
from mien.predict.formats import FORMATS, Result, Results, columns, write
from mien.records import Box, Face, Prediction
from mien.tasks import Head, Kind, LabelSpace, Task

TASK = Task(
    "mood",
    (
        Head("mood", Kind.CLASS, LabelSpace("mood", ("good", "bad"))),
        Head("va", Kind.VALUES, LabelSpace("va", ("valence",)), bounds=(0.0, 1.0)),
    ),
)


class FakeEngine:
    """What the formats ask of an engine."""

    name, sha256, task = "tiny", "ab12", TASK
    thresholds: ClassVar[dict[str, dict[str, float]]] = {}


def prediction(good: float, face: Face) -> Prediction:
    return Prediction(face, {"mood": {"good": good, "bad": 1 - good}, "va": {"valence": float(np.float32(0.1))}}, TASK)


FACES = [
    prediction(0.75, Face(Box(1, 2, 3, 4), ((1.5, 2.5),), 0.9)),
    prediction(0.25, Face(Box(-5, 6, 7, 8))),
]
RESULTS = Results(
    FakeEngine(),  # type: ignore[arg-type]
    [Result('a,"b".png', 64, 48, FACES), Result("leer/ü.png", 8, 8, [])],
    [("x.png", "x.png: no such file")],
)

GOLDEN_CSV = """\
source,face_id,box_x,box_y,box_width,box_height,face_score,dominant,mood.good,mood.bad,va.valence,model,model_sha256
"a,""b"".png",0,1,2,3,4,0.9,good,0.75,0.25,0.1,tiny,ab12
"a,""b"".png",1,-5,6,7,8,,bad,0.25,0.75,0.1,tiny,ab12
leer/ü.png,,,,,,,,,,,tiny,ab12
"""

GOLDEN_JSON = {
    "schema": 1,
    "model": {
        "name": "tiny",
        "sha256": "ab12",
        "heads": [
            {"name": "mood", "kind": "class", "labels": ["good", "bad"]},
            {"name": "va", "kind": "values", "labels": ["valence"], "bounds": [0.0, 1.0]},
        ],
    },
    "pictures": [
        {
            "source": 'a,"b".png',
            "width": 64,
            "height": 48,
            "faces": [
                {
                    "face_id": 0,
                    "face": {"box": [1, 2, 3, 4], "landmarks": [[1.5, 2.5]], "score": 0.9, "track": None},
                    "dominant": "good",
                    "outputs": {"mood": {"good": 0.75, "bad": 0.25}, "va": {"valence": 0.1}},
                },
                {
                    "face_id": 1,
                    "face": {"box": [-5, 6, 7, 8], "landmarks": [], "score": None, "track": None},
                    "dominant": "bad",
                    "outputs": {"mood": {"good": 0.25, "bad": 0.75}, "va": {"valence": 0.1}},
                },
            ],
        },
        {"source": "leer/ü.png", "width": 8, "height": 8, "faces": []},
    ],
    "failed": [{"source": "x.png", "error": "x.png: no such file"}],
}


def test_csv_is_golden() -> None:
    assert FORMATS["csv"](RESULTS) == GOLDEN_CSV


def test_json_is_golden() -> None:
    assert json.loads(FORMATS["json"](RESULTS)) == GOLDEN_JSON


def test_json_lines_and_csv_say_the_same() -> None:
    lines = [json.loads(line) for line in FORMATS["jsonl"](RESULTS).splitlines()]
    assert [list(line) for line in lines] == [columns(TASK)] * 3
    texts = [{key: "" if value is None else str(value) for key, value in line.items()} for line in lines]
    assert texts == list(csv.DictReader(io.StringIO(GOLDEN_CSV)))


def test_tags_are_listed_with_their_thresholds() -> None:
    task = Task("t", (Head("signs", Kind.TAGS, LabelSpace("signs", ("joy", "pain", "calm"))),))

    class Tagging(FakeEngine):
        thresholds: ClassVar[dict[str, dict[str, float]]] = {"signs": {"joy": 0.3, "pain": 0.7, "calm": 1 / 3}}

    Tagging.task = task
    outputs = {"signs": {"joy": 0.4, "pain": 0.6, "calm": 0.9}}
    found = Prediction(Face(Box(0, 0, 1, 1)), outputs, task, Tagging.thresholds)
    results = Results(Tagging(), [Result("a.png", 1, 1, [found]), Result("b.png", 1, 1, [])])  # type: ignore[arg-type]
    assert FORMATS["csv"](results).splitlines() == [
        "source,face_id,box_x,box_y,box_width,box_height,face_score,dominant,tags,signs.joy,signs.pain,signs.calm,"
        "model,model_sha256",
        "a.png,0,0,0,1,1,,,joy;calm,0.4,0.6,0.9,tiny,ab12",
        "b.png,,,,,,,,,,,,tiny,ab12",
    ]
    said = json.loads(FORMATS["json"](results))
    assert said["model"]["heads"][0]["thresholds"] == {"joy": 0.3, "pain": 0.7, "calm": 0.333333}
    assert said["pictures"][0]["faces"][0]["tags"] == {"signs": ["joy", "calm"]}


@pytest.mark.parametrize("suffix", [".json", ".JSONL", ".csv"])
def test_files_are_written_by_their_suffix(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / "deep" / f"out{suffix}", RESULTS)
    text = (tmp_path / "deep" / f"out{suffix}").read_text(encoding="utf-8")
    assert text == FORMATS[suffix[1:].lower()](RESULTS)
    assert len(list((tmp_path / "deep").iterdir())) == 1


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"out\.xlsx: 'xlsx' \(one of: csv, json, jsonl\)"):
        write(tmp_path / "out.xlsx", RESULTS)
    assert list(tmp_path.iterdir()) == []


def test_real_predictions_fit_their_columns(affect: Model) -> None:
    found = affect.predict(np.zeros((9, 9), np.uint8), faces="cropped")
    (row,) = Results(affect.engine, [Result("a.png", 9, 9, found)]).rows()
    assert list(row) == columns(affect.task)
    assert None not in [value for key, value in row.items() if key != "face_score"]
