"""Golden files of the formats of one row a face, and the document; resuming them."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas
import pyarrow.parquet
import pytest

from mien.errors import ConfigError
from mien.outputs.formats import FORMATS, RESUMED, named, open_writer
from mien.predict import Model
from mien.predict.results import ModelOrigin, Result, columns, origin, to_frame
from mien.prediction import Prediction
from mien.records import Box, Face, Moment
from mien.tasks import Head, Kind, LabelSpace, Task
from tests.outputs.formats.made import FACES, FAULT, HEADS, ORIGIN, RESULTS, TASK

MODEL = "tiny,ab12,faces=haar every=0.5"
GOLDEN_CSV = f"""\
source,frame,timestamp,shot,width,height,faces,face_id,box_x,box_y,box_width,box_height,landmarks,face_score,dominant,confidence,\
entropy,abstained,mood.good,mood.bad,va.valence,model,model_sha256,settings
"a,""b"".png",0,,,64,48,2,0,1,2,3,4,1.5 2.5;3.0 2.5,0.9,good,0.75,0.562335,1,0.75,0.25,0.1,{MODEL}
"a,""b"".png",0,,,64,48,2,12,-5,6,7,8,,,bad,0.95,0.198515,0,0.05,0.95,0.1,{MODEL}
leer/ü.mp4,30,1.25,2,8,8,0,,,,,,,,,,,,,,,{MODEL}
leer/ü.mp4,45,1.75,3,8,8,1,12,-5,6,7,8,,,bad,0.95,0.198515,0,0.05,0.95,0.1,{MODEL}
"""


def written(path: Path, results: list[Result] = RESULTS, made: ModelOrigin = ORIGIN, **options: Any) -> Path:
    writer = open_writer(path, made, **options)
    for result in results:
        writer.add(result)
    writer.fail(FAULT)
    writer.close()
    writer.close()
    return path


def schema(root: Path, name: str) -> dict[str, Any]:
    whole = json.loads((root / "docs" / "reference" / "prediction.schema.json").read_text())
    return whole | {"$ref": f"#/$defs/{name}"}


def test_csv_is_golden(tmp_path: Path) -> None:
    assert written(tmp_path / "deep" / "out.CSV").read_text(encoding="utf-8") == GOLDEN_CSV


def test_the_document_is_golden(tmp_path: Path, root: Path) -> None:
    found = json.loads(written(tmp_path / "out.json").read_text(encoding="utf-8"))
    jsonschema.validate(found, schema(root, "document"))
    face = {
        "face_id": 0,
        "face": {"box": [1, 2, 3, 4], "landmarks": [[1.5, 2.5], [3.0, 2.5]], "score": 0.9, "track": None},
        "dominant": "good",
        "confidence": 0.75,
        "entropy": 0.562335,
        "abstained": True,
        "outputs": {"mood": {"good": 0.75, "bad": 0.25}, "va": {"valence": 0.1}},
    }
    assert found["pictures"][0]["faces"][0] == face
    assert found["pictures"][1] == {
        "source": "leer/ü.mp4", "frame": 30, "timestamp": 1.25, "shot": 2, "width": 8, "height": 8,
        "faces": [],
    }  # fmt: skip
    assert found["pictures"][2]["faces"][0]["face_id"] == 12
    assert found["failed"] == [
        {"source": "x.png", "frame": None, "timestamp": None, "error": "x.png: no such file"}
    ]
    assert found["model"] == {"name": "tiny", "sha256": "ab12", "heads": HEADS}
    assert (found["schema"], found["settings"]) == (1, "faces=haar every=0.5")


def test_a_document_of_nothing_is_one(tmp_path: Path, root: Path) -> None:
    found = json.loads(written(tmp_path / "out.json", []).read_text())
    jsonschema.validate(found, schema(root, "document"))
    assert found["pictures"] == []


def test_json_lines_follow_their_schema_and_say_what_csv_says(tmp_path: Path, root: Path) -> None:
    lines = [
        json.loads(line) for line in written(tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    for line in lines:
        jsonschema.validate(line, schema(root, "row"))
    assert [list(line) for line in lines] == [columns(TASK)] * 4
    assert lines[0]["landmarks"] == [[1.5, 2.5], [3.0, 2.5]]
    assert lines[0]["abstained"] is True
    rows = list(csv.DictReader(GOLDEN_CSV.splitlines()))
    for line, row in zip(lines, rows, strict=True):
        said = {name: "" if value is None else str(value) for name, value in line.items()}
        said |= {"landmarks": row["landmarks"], "abstained": row["abstained"]}
        assert said == row


def test_the_schema_refuses_what_is_wrong(tmp_path: Path, root: Path) -> None:
    line = json.loads(written(tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()[0])
    for change in ({"faces": 0}, {"face_score": 1.5}, {"timestamp": "0"}, {"more": 1}, {"mood.good": "x"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(line | change, schema(root, "row"))


def test_parquet_has_the_rows_of_json_lines_with_types(tmp_path: Path) -> None:
    lines = [
        json.loads(line) for line in written(tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    table = pyarrow.parquet.read_table(written(tmp_path / "out.parquet"))
    assert table.to_pylist() == lines
    kinds = {
        name: str(table.schema.field(name).type) for name in ("frame", "timestamp", "abstained", "va.valence")
    }
    assert kinds == {"frame": "int64", "timestamp": "double", "abstained": "bool", "va.valence": "double"}


def test_pandas_reads_all_three_alike(tmp_path: Path) -> None:
    frames = [
        pandas.read_csv(written(tmp_path / "out.csv")),
        pandas.read_json(written(tmp_path / "out.jsonl"), lines=True),
        pandas.read_parquet(written(tmp_path / "out.parquet")),
        to_frame(replace(result, origin=ORIGIN) for result in RESULTS),
    ]
    for frame in frames:
        assert list(frame.columns) == columns(TASK)
        assert frame["mood.good"].fillna(-1).tolist() == [0.75, 0.05, -1, 0.05]
        assert frame.groupby("source")["faces"].max().tolist() == [2, 1]


def test_predictions_of_one_picture_are_a_frame_too() -> None:
    frame = to_frame(FACES)
    assert frame["dominant"].tolist() == ["good", "bad"]
    assert "source" not in frame


def test_tags_are_listed(tmp_path: Path) -> None:
    task = Task("t", (Head("signs", Kind.TAGS, LabelSpace("signs", ("joy", "pain", "calm"))),))
    outputs = {"signs": {"joy": 0.4, "pain": 0.6, "calm": 0.9}}
    found = Prediction(Face(Box(0, 0, 1, 1)), outputs, task, {"signs": {"joy": 0.3, "pain": 0.7}})
    results = [
        Result(Moment({}, "a.png", 0, None), 1, 1, [found]),
        Result(Moment({}, "b.png", 0, None), 1, 1, []),
    ]
    text = written(tmp_path / "t.csv", results, ModelOrigin("t", "0", task)).read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["tags"] for row in rows] == ["joy;calm", ""]
    assert rows[0]["dominant"] == rows[0]["entropy"] == ""
    assert rows[0]["abstained"] == "0"


def test_real_predictions_fit_their_columns(affect: Model, tmp_path: Path, root: Path) -> None:
    found = affect.predict(np.zeros((9, 9), np.uint8), faces="cropped")
    made = origin(affect.engine, "faces=cropped")
    path = written(tmp_path / "a.jsonl", [Result(Moment({}, "a.png", 0, None), 9, 9, found)], made)
    row = json.loads(path.read_text())
    jsonschema.validate(row, schema(root, "row"))
    assert list(row) == columns(affect.task)
    assert [key for key, value in row.items() if value is None] == [
        "timestamp",
        "shot",
        "landmarks",
        "face_score",
    ]
    document = json.loads(
        written(tmp_path / "a.json", [Result(Moment({}, "a.png", 0, None), 9, 9, found)], made).read_text()
    )
    jsonschema.validate(document, schema(root, "document"))
    assert document["model"]["heads"][1]["bounds"] == [-1.0, 1.0]


@pytest.mark.parametrize("form", RESUMED)
class TestResuming:
    """Formats that go on where an earlier run stopped."""

    def test_in_two_runs_as_in_one(self, tmp_path: Path, form: str) -> None:
        whole = written(tmp_path / f"whole.{form}")
        parts = written(tmp_path / f"parts.{form}", RESULTS[:2])
        writer = open_writer(parts, ORIGIN)
        assert writer.done == {'a,"b".png': 0, "leer/ü.mp4": 30}
        writer.add(RESULTS[2])
        writer.close()
        if form == "parquet":
            assert pyarrow.parquet.read_table(parts).equals(pyarrow.parquet.read_table(whole))
        else:
            assert parts.read_bytes() == whole.read_bytes()

    def test_another_model_or_other_settings_are_refused_and_the_file_stays(
        self, tmp_path: Path, form: str
    ) -> None:
        path = written(tmp_path / f"out.{form}")
        before = path.read_bytes()
        with pytest.raises(
            ConfigError, match=r"other model \('tiny ab12', now 'tiny ffff'\); .* --overwrite"
        ):
            open_writer(path, replace(ORIGIN, sha256="ffff"))
        with pytest.raises(
            ConfigError, match=r"other settings \('faces=haar every=0.5', now 'faces=yunet'\)"
        ):
            open_writer(path, replace(ORIGIN, settings="faces=yunet"))
        other = Task("other", (Head("mood", Kind.CLASS, LabelSpace("mood", ("good", "bad", "ugly"))),))
        with pytest.raises(ConfigError, match="other"):
            open_writer(path, replace(ORIGIN, task=other, name="other"))
        assert path.read_bytes() == before
        assert [one.name for one in tmp_path.iterdir()] == [path.name]

    def test_overwrite_begins_anew(self, tmp_path: Path, form: str) -> None:
        path = written(tmp_path / f"out.{form}")
        writer = open_writer(path, replace(ORIGIN, sha256="ffff"), overwrite=True)
        assert writer.done == {}
        writer.close()
        again = open_writer(path, replace(ORIGIN, sha256="0000"))
        assert again.done == {}
        again.close()

    def test_what_is_not_results_is_refused(self, tmp_path: Path, form: str) -> None:
        path = tmp_path / f"out.{form}"
        path.write_text("my,own\n1,2\n")
        with pytest.raises(ConfigError, match="choose another file or --overwrite"):
            open_writer(path, ORIGIN)
        assert path.read_text() == "my,own\n1,2\n"


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_cut_anywhere_loses_the_last_frame_at_most(tmp_path: Path, form: str) -> None:
    results = [
        replace(result, moment=replace(result.moment, source=result.source + '\n"q')) for result in RESULTS
    ]
    whole = written(tmp_path / f"whole.{form}", results).read_bytes()
    path = tmp_path / f"cut.{form}"
    ends = [place for place, byte in enumerate(whole) if byte == ord("\n")]
    for cut in sorted({*range(0, len(whole), 61), *ends, *(end + 1 for end in ends)}):
        path.write_bytes(whole[:cut])
        writer = open_writer(path, ORIGIN)
        for result in results:
            if result.index > writer.done.get(result.source, -1):
                writer.add(result)
        writer.close()
        assert path.read_bytes() == whole, cut


def test_parquet_writes_groups_as_it_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mien.outputs.formats.parquet.GROUP", 2)
    path = written(tmp_path / "out.parquet")
    assert pyarrow.parquet.ParquetFile(path).num_row_groups == 2
    assert len(pyarrow.parquet.read_table(written(path))) == 8


def test_formats_by_suffix_or_name(tmp_path: Path) -> None:
    assert named(Path("a.JSONL")) == "jsonl"
    assert named(Path("a.csv"), "openface") == "openface"
    with pytest.raises(ConfigError, match=r"out\.xlsx: 'xlsx' \(one of: csv, json, jsonl, parquet\)"):
        named(tmp_path / "out.xlsx")
    with pytest.raises(ConfigError, match="unknown format of results 'csw', did you mean 'csv'"):
        named(tmp_path / "out.csv", "csw")
    with pytest.raises(ConfigError, match="a folder"):
        named(tmp_path, "csv")


@pytest.mark.parametrize("form", FORMATS)
def test_a_full_disk_is_one_line_and_nothing_half_is_left(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource
    import signal

    from tests.outputs.formats.made import EXPRESSION, feeling

    results = [
        Result(Moment({}, f"{n}.png", 0, None), 9, 9, [feeling(EXPRESSION, "happy")]) for n in range(400)
    ]
    monkeypatch.setattr("mien.outputs.formats.parquet.GROUP", 50)
    path = tmp_path / "out"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (9000, before[1]))
        writer = open_writer(path, EXPRESSION, form)
        with pytest.raises(OSError, match="File too large") as caught:  # noqa: PT012
            for result in results:
                writer.add(result)
            writer.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.filename == str(path)
    if form in ("jsonl", "csv"):
        writer.close()
        again = open_writer(path, EXPRESSION, form)
        again.close()
        assert again.done.keys() == {f"{n}.png" for n in range(len(done(path, form)))}
    else:
        writer.close()
        assert list(tmp_path.iterdir()) == []


def done(path: Path, form: str) -> list[str]:
    lines = path.read_text().splitlines()
    assert lines[-1].endswith(("}", ","))
    return lines[1:] if form == "csv" else lines


def test_an_output_that_cannot_be_written_names_itself(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    for form in FORMATS:
        with pytest.raises(OSError, match="taken"):
            open_writer(
                tmp_path / "taken" / "out",
                ORIGIN if form not in ("deepface", "fer", "pyfeat") else seven(),
                form,
            )


def seven() -> ModelOrigin:
    from tests.outputs.formats.made import EXPRESSION

    return EXPRESSION
