"""Sections of heads and of learning: what they take from a record."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mien.labels import EXPRESSION7
from mien.report import heads, learning, summary, write_report
from mien.report.record import History, read
from mien.tasks import Kind

from .conftest import Page


def test_a_task_of_one_head_has_no_level_of_its_own(runs: dict[str, Path]) -> None:
    flat = heads.sections(read(runs["distribution8"]))
    assert [section.title for section in flat] == ["Measures", "Distributions", "Confusion", "Labels", "Faces"]
    first, second = heads.sections(read(runs["affect"]))
    assert first.title == "expression8: one of 8 labels"
    assert second.title == "valence_arousal: 2 values"
    assert [section.title for section in second.children] == ["Measures", "Values", "Faces"]


def test_every_kind_has_its_sections() -> None:
    assert set(heads.PARTS) == set(Kind) == set(summary.ANSWERS)


def test_confusion_names_the_commonest_mixups_by_share(runs: dict[str, Path]) -> None:
    one = read(runs["expression7"]).heads[0]
    counts = np.diag([90, 80, 70, 60, 50, 40, 4])
    counts[0, 3], counts[6, 2] = 10, 4
    data = heads.confusion(replace(one, confusion=counts)).data
    assert data["mixed"] == [("neutral", "fear", 0.5, 4), ("angry", "happy", 0.1, 10)]
    assert np.sum(data["shares"], axis=1) == pytest.approx(np.ones(7))


def test_a_label_nobody_has_gives_no_share(runs: dict[str, Path]) -> None:
    one = read(runs["expression7"]).heads[0]
    counts = np.diag([0, 1, 1, 1, 1, 1, 1])
    assert heads.confusion(replace(one, confusion=counts)).data["shares"][0] == [0] * 7
    assert heads.confusion(replace(one, confusion=0 * counts)).note


def test_tags_show_average_precision_and_values_their_columns(runs: dict[str, Path]) -> None:
    tags, vad = read(runs["emotic"]).heads
    labels = heads.per_label(tags).data
    assert labels["columns"] == ["threshold", "precision", "recall", "f1", "average_precision"]
    assert labels["said"].startswith("Macro F1 ")
    assert "validation split: these very faces" in labels["said"]
    data = heads.values(vad).data
    assert data["names"] == ["ccc", "rmse", "pearson", "sagr"]
    assert len(data["plots"]) == 3
    assert len(data["planes"]) == 2


def test_sections_without_their_input_say_so(runs: dict[str, Path]) -> None:
    for run in runs.values():
        for one in read(run).heads:
            bare = replace(one, measures=(), per_class=(), per_column=(), confusion=None, outputs=None)
            assert all(part(bare).note for part in heads.PARTS[one.head.kind])


def test_mean_distributions_are_means_of_annotated_faces(runs: dict[str, Path]) -> None:
    one = read(runs["distribution8"]).heads[0]
    data = heads.distribution(one).data
    assert one.outputs is not None
    assert data["faces"] == 112
    assert sum(true for _, _, true, _ in data["mean"]) == pytest.approx(1, abs=1e-5)
    assert "half of the faces lie below" in data["plot"].alt


def test_curves_of_a_task_with_heads(runs: dict[str, Path]) -> None:
    record = read(runs["affect"])
    data = learning.section(record).data
    assert [plot.alt.partition(" over")[0] for plot in data["plots"]] == [
        "Loss", "Loss, expression8", "Loss, valence_arousal", "Accuracy, expression8", "Concordance (CCC), valence_arousal",
        "Learned weights", "Learning rate",
    ]  # fmt: skip
    assert data["watched"] == "Accuracy, expression8"
    assert data["phases"] == 2
    assert 7 <= data["best"] <= 24


def test_curves_of_a_bare_history(runs: dict[str, Path]) -> None:
    record = read(runs["expression7"])
    bare = History({"validation_loss": np.array([0.5, 0.4])}, "validation_loss", False)
    data = learning.section(replace(record, history=bare)).data
    assert len(data["plots"]) == 1
    assert data["best"] == 2
    assert data["epochs"] == 2
    assert data["plots"][0].alt == "Loss over epochs: validation ends at 0.400."
    nothing = History({"epoch": np.array([1.0])})
    assert learning.section(replace(record, history=nothing)).data["plots"] == []


def test_facts_leave_out_what_is_not_known(runs: dict[str, Path]) -> None:
    record = read(runs["expression7"])
    facts = dict(summary.section(record).data["facts"])
    assert facts["Parameters"] == "1,284,103"
    assert facts["Training time"] == "36 min"
    assert facts["Data"] == "faces.h5"
    assert len(facts["SHA-256"]) == 12
    assert facts["Measured on"] == "120 faces (validation)"
    bare = dict(summary.section(replace(record, data={}, training={}, date="")).data["facts"])
    assert set(bare) == {"Task", "Answers"}


def test_shares_come_from_the_first_head_of_probabilities(runs: dict[str, Path]) -> None:
    assert [share[0] for share in summary.shares(read(runs["affect"]))][:2] == ["neutral", "happy"]
    assert summary.shares(read(runs["emotic"])) == []


def test_labels_that_could_not_be_compared_are_told_and_left_out(
    tmp_path: Path, runs: dict[str, Path], parse: Callable[[Path], Page]
) -> None:
    """Evaluated on data that lack fear and speak of boredom: six labels everywhere, and a paragraph that says why."""
    run = shutil.copytree(runs["expression7"], tmp_path / "run")
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    found = results["heads"]["expression7"]
    shared = [label for label in EXPRESSION7.labels if label != "fear"]
    found["compared"] = {
        "target": "codes", "matched_by": "--match", "labels": shared, "model_only": ["fear"], "data_only": {"bored": 3},
        "rule": "labels are compared by name", "accuracy": 0.75, "accuracy_unrestricted": 0.5,
    }  # fmt: skip
    found["confusion"] = np.delete(np.delete(found["confusion"], 2, 0), 2, 1).tolist()
    found["per_class"] = [line for line in found["per_class"] if line["label"] != "fear"]
    (run / "results.json").write_text(json.dumps(results), encoding="utf-8")
    one = read(run).heads[0]
    assert list(one.head.space.labels) == shared
    assert one.confusion is not None
    assert one.outputs is not None
    assert one.outputs.predicted.shape[1] == 6
    np.testing.assert_allclose(one.outputs.predicted.sum(axis=1), 1, rtol=1e-6)
    page = parse(write_report(run))
    assert "expression7 is held against the target codes as --match says." in page.text
    assert "Not in the data: fear. Unknown to the model: bored (3 left out)." in page.text
    assert "0.7500 among the labels compared, 0.5000 if any label may be answered" in page.text
    assert "is held against" not in parse(write_report(runs["expression7"], out=tmp_path / "plain.html")).text
