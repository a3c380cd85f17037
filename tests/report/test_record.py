"""Reading a run folder: what is there, what is not, and what does not fit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien import store
from mien.errors import ModelError, StoreError
from mien.records import Sample
from mien.report import write_report
from mien.report.history import RunHistory
from mien.report.record import read
from mien.report.results import MetricResult
from mien.tasks import TASKS


@pytest.fixture
def run(tmp_path: Path, runs: dict[str, Path]) -> Path:
    """A copy of a run that a test may spoil."""
    return shutil.copytree(runs["expression7"], tmp_path / "run")


def changed(run: Path, **changes: Any) -> None:
    results = json.loads((run / "results" / "validation.json").read_text(encoding="utf-8")) | changes
    (run / "results" / "validation.json").write_text(json.dumps(results), encoding="utf-8")


def test_reads_what_a_run_holds(runs: dict[str, Path]) -> None:
    record = read(runs["affect"])
    first, second = record.heads
    assert record.name == "affect-run"
    assert record.task == TASKS["affect"]
    assert record.training["epochs"] == 24
    assert record.versions["torch"] == "2.15.0"
    assert record.date.startswith("20")
    assert [measure.name for measure in first.measures] == list(TASKS["affect"].heads[0].metrics)
    assert first.confusion is not None
    assert first.confusion.sum() == first.rows == 112
    assert second.confusion is None
    assert [line["label"] for line in second.per_column] == ["valence", "arousal"]
    assert record.store is not None
    assert len(record.store) == 123


def test_outputs_are_the_annotated_faces_only(runs: dict[str, Path]) -> None:
    record = read(runs["expression7"])
    outputs = record.heads[0].outputs
    assert outputs is not None
    assert 0 not in outputs.places
    assert 17 not in outputs.places
    assert len(outputs.places) == 112
    assert record.rows[outputs.places[0]] == 4
    assert record.sources[1] == "drawn/00004.png"
    np.testing.assert_allclose(outputs.true.sum(axis=1), 1)


def measure(name: str, value: float, higher: bool, chance: float | None = None) -> MetricResult:
    return MetricResult(name, value, higher, references={} if chance is None else {"marginal": chance})


def test_a_measure_knows_whether_it_beats_chance() -> None:
    assert measure("accuracy", 0.6, True, 0.5).beats_chance is True
    assert measure("kl", 0.6, False, 0.5).beats_chance is False
    assert measure("kl", 0.6, False).beats_chance is None
    assert measure("kl", float("nan"), False, 0.5).beats_chance is None


def test_the_best_epoch_is_of_the_last_phase_and_asks_the_metric_for_its_direction(run: Path) -> None:
    columns = {
        "phase": np.array([1, 1, 2, 2]),
        "x": np.array([0.9, 0.0, 0.3, 0.2]),
        "none": np.full(4, np.nan),
    }
    assert RunHistory(columns, "x", True).best == 2
    assert RunHistory(columns, "x", False).best == 3
    assert RunHistory(columns, "none", True).best is None
    assert RunHistory(columns, "absent", True).best is None
    history = read(run).history
    assert history is not None
    assert history.watched == "validation_expression7_accuracy"
    assert history.higher_is_better


@pytest.mark.parametrize(
    ("monitor", "column", "higher"),
    [
        ("log_loss", "validation_expression7_log_loss", False),
        ("expression7.macro_f1", "validation_expression7_macro_f1", True),
        ("unheard_of", "validation_loss", False),
    ],
)
def test_the_watched_metric_is_the_one_configured(run: Path, monitor: str, column: str, higher: bool) -> None:
    (run / "config.toml").write_text(f'[train]\nmonitor = "{monitor}"\n', encoding="utf-8")
    history = read(run).history
    assert history is not None
    assert (history.watched, history.higher_is_better) == (column, higher)


def test_a_configuration_that_is_not_toml_is_shown_all_the_same(run: Path) -> None:
    (run / "config.toml").write_text("what = = this", encoding="utf-8")
    record = read(run)
    assert record.config == "what = = this"
    assert record.history is not None
    assert record.history.watched == "validation_expression7_accuracy"


def test_cells_that_are_no_number_are_missing(run: Path) -> None:
    (run / "history.csv").write_text(
        "phase,epoch,validation_loss\n1,1,0.5\n1,2,\n1,3,oops\n", encoding="utf-8"
    )
    history = read(run).history
    assert history is not None
    assert history.best == 0
    assert np.isnan(history.columns["validation_loss"][1:]).all()


def test_measures_have_intervals_and_references(run: Path) -> None:
    first = read(run).heads[0].measures[0]
    assert first.interval is not None
    assert first.interval[0] < first.value < first.interval[1]
    assert set(first.references) == {"uniform", "marginal"}
    heads = json.loads((run / "results" / "validation.json").read_text(encoding="utf-8"))["heads"]
    heads["expression7"]["metrics"]["accuracy"]["interval"] = [None, 1.0]
    heads["expression7"]["references"] = {"marginal": {"accuracy": None}, "uniform": None}
    changed(run, heads=heads)
    first = read(run).heads[0].measures[0]
    assert (first.interval, first.references, first.chance) == (None, {}, None)


def test_parts_of_a_head(run: Path) -> None:
    one = read(run).heads[0]
    assert one.part("calibration")["ece"] == 0.031
    assert one.part("unheard of") == {}
    assert one.fitted["after"]["ece"] == 0.024


def test_undefined_figures_are_none_or_nan(run: Path) -> None:
    heads = json.loads((run / "results" / "validation.json").read_text(encoding="utf-8"))["heads"]
    heads["expression7"]["metrics"]["kappa"]["value"] = None
    heads["expression7"]["per_class"][0]["precision"] = float("nan")
    heads["expression7"]["confusion"] = [[1, 2]]
    changed(run, heads=heads)
    head = read(run).heads[0]
    assert np.isnan(next(one for one in head.measures if one.name == "kappa").value)
    assert head.per_class[0]["precision"] is None
    assert head.confusion is None


def test_no_run_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no run folder"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "damaged"),
        ("[1]", "schema None, this version reads 2; evaluate again"),
        ('{"schema": 1}', "schema 1, this version reads 2; evaluate again"),
        ('{"schema": 2}', "does not follow its schema"),
        ('{"schema": 2, "task": {"name": "t", "heads": [{"name": "h"}]}}', "does not follow its schema"),
    ],
)
def test_damaged_results(run: Path, text: str, message: str) -> None:
    (run / "results" / "validation.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        read(run)


def test_a_figure_that_is_missing_is_one_line(run: Path) -> None:
    path = run / "results" / "validation.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"accuracy"', '"acc"'), encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        write_report(run)
    assert str(caught.value) == f"{path}: damaged: KeyError('accuracy')"


def test_models_of_either_schema_are_read(run: Path) -> None:
    """1 had the preprocessing of one picture where 2 has inputs: a report needs neither."""
    model = json.loads((run / "model.json").read_text())
    found = []
    for schema in (1, 2):
        (run / "model.json").write_text(json.dumps(model | {"schema": schema}))
        found.append(read(run))
    assert found[0].licence == found[1].licence != ""
    (run / "model.json").write_text(json.dumps(model | {"schema": 3}))
    with pytest.raises(ModelError, match=r"schema 3, this version reads 1 and 2$"):
        read(run)


def test_files_that_cannot_be_read(run: Path) -> None:
    (run / "config.toml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ModelError, match=r"config\.toml: cannot be read"):
        read(run)


def test_damaged_predictions(run: Path) -> None:
    (run / "predictions" / "validation.parquet").write_bytes(b"no parquet")
    with pytest.raises(ModelError, match=r"validation\.parquet: damaged"):
        read(run)


def test_predictions_of_another_task_are_no_predictions(run: Path, runs: dict[str, Path]) -> None:
    shutil.copy(runs["emotic"] / "predictions" / "validation.parquet", run / "predictions")
    assert read(run).heads[0].outputs is None


def other_store(path: Path, count: int) -> Path:
    samples = (
        Sample.of_image(np.zeros((8, 8), np.uint8), {}, "validation", f"other/{k}") for k in range(count)
    )
    store.write(path, samples, TASKS["expression7"].heads, store.Origin("sketch", "1"))
    return path


def test_a_store_of_other_faces_is_refused_or_left_out(run: Path, tmp_path: Path) -> None:
    other = other_store(tmp_path / "other.h5", 200)
    with pytest.raises(StoreError, match="other faces than those predicted: has other/3, not drawn/00003"):
        read(run, other)
    changed(run, data={"store": str(other)})
    record = read(run)
    assert record.store is None
    assert record.store_note.startswith("the store other.h5 cannot be used: ")
    assert "other faces" in record.store_note


def test_a_store_too_short_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds 5 faces, the predictions speak of row 122"):
        read(run, other_store(tmp_path / "short.h5", 5))


def test_a_store_is_found_beside_the_run_and_given_by_hand(run: Path, runs: dict[str, Path]) -> None:
    faces = runs["expression7"].parent / "faces.h5"
    assert read(run, faces).store is not None
    changed(run, data={"store": "faces.h5"})
    assert "--data" in read(run).store_note
    shutil.copy(faces, run.parent)
    assert read(run).store is not None
    changed(run, data={})
    assert read(run).store_note.startswith("the run names no store")


def test_without_predictions_any_store_fits(run: Path, tmp_path: Path) -> None:
    (run / "predictions" / "validation.parquet").unlink()
    assert read(run, other_store(tmp_path / "other.h5", 2)).store is not None
