"""Which sections a head has, and what they take from a record."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from mien.labels import EXPRESSION7
from mien.render.blocks import (
    Callout,
    Cards,
    Facts,
    Matrix,
    Paragraph,
    Plots,
    Section,
    SideBySide,
    Strong,
    Subhead,
    Table,
)
from mien.report import learning, summary, write_report
from mien.report.heads import by_kind
from mien.report.heads.confusion import confusion, cooccurrence, mixed, together
from mien.report.heads.distributions import distribution
from mien.report.heads.measures import measures
from mien.report.heads.per_label import per_label
from mien.report.heads.values import values
from mien.report.history import RunHistory
from mien.report.record import read
from mien.tasks import Kind

from .conftest import Page

Found = TypeVar("Found")


def only(section: Section | None, kind: type[Found]) -> Found:
    """The first block of a kind."""
    assert section is not None
    return next(block for block in section.blocks if isinstance(block, kind))


def said(section: Section | None) -> str:
    """All paragraphs of a section as one text."""
    assert section is not None
    texts = [block for block in section.blocks if isinstance(block, Paragraph)]
    return " ".join(
        "".join(run.text if isinstance(run, Strong) else run for run in block.runs) for block in texts
    )


def test_a_task_of_one_head_has_no_level_of_its_own(runs: dict[str, Path]) -> None:
    flat = by_kind.sections(read(runs["distribution8"]))
    assert [section.title for section in flat] == [
        "Measures", "Distributions", "Confusion", "Labels", "Calibration", "Abstaining", "Prediction sets",
        "Subgroups", "Faces", "Likely mislabelled",
    ]  # fmt: skip
    first, second = by_kind.sections(read(runs["affect"]))
    assert first.title == "expression8: one of 8 labels"
    assert second.title == "valence_arousal: 2 values"
    assert [section.title for section in second.children] == ["Measures", "Values", "Subgroups", "Faces"]
    tags, _ = by_kind.sections(read(runs["emotic"]))
    assert [section.title for section in tags.children][:3] == ["Measures", "Labels", "Tags together"]


def test_every_kind_has_its_sections() -> None:
    assert set(by_kind.PARTS) == set(Kind) == set(summary.ANSWERS)


def test_sections_without_their_input_say_so_or_do_not_appear(runs: dict[str, Path]) -> None:
    for run in runs.values():
        record = read(run)
        for one in record.heads:
            bare = replace(
                one,
                measures=(),
                per_class=(),
                per_column=(),
                confusion=None,
                outputs=None,
                found={},
                fitted={},
            )
            found = [part(bare) for part in by_kind.PARTS[one.head.kind]]
            assert any(found)
            assert all(section.note for section in found if section)
            (tree,) = by_kind.sections(replace(record, heads=(bare,)))[-1:]
            assert tree.title == "Faces"
            assert tree.note.startswith("No gallery")


def test_measures_stand_beside_their_references(runs: dict[str, Path]) -> None:
    one = read(runs["distribution8"]).heads[0]
    table = only(measures(one), Table)
    assert [column.title for column in table.columns] == [
        "Measure", "Value", "Uniform", "Chance", "Oracle", "Noise floor", "What it says",
    ]  # fmt: skip
    assert table.rows[0][0].text == "KL divergence"
    assert table.rows[0][0].up is False
    assert " to " in table.rows[0][1].under
    assert "Means are taken from the train split." in said(measures(one))
    values_of = read(runs["affect"]).heads[1]
    assert [column.title for column in only(measures(values_of), Table).columns][1:3] == ["Value", "Chance"]
    bare = replace(one, measures=tuple(replace(each, references={}, interval=None) for each in one.measures))
    table = only(measures(bare), Table)
    assert len(table.columns) == 3
    assert table.rows[0][1].under == ""


def test_confusion_names_the_commonest_mixups_by_share(runs: dict[str, Path]) -> None:
    one = read(runs["expression7"]).heads[0]
    counts = np.diag([90, 80, 70, 60, 50, 40, 4])
    counts[0, 3], counts[6, 2] = 10, 4
    section = confusion(replace(one, confusion=counts))
    assert mixed(counts) == [(6, 2), (0, 3)]
    plain = said(section).replace("\N{NO-BREAK SPACE}", " ")
    assert "neutral taken for fear (50 %, 4 faces); angry taken for happy (10 %, 10 faces)." in plain
    matrix = only(section, Matrix)
    assert np.sum(matrix.shares, axis=1) == pytest.approx(np.ones(7))
    assert matrix.counts[0][3] == 10


def test_a_label_nobody_has_gives_no_share(runs: dict[str, Path]) -> None:
    one = read(runs["expression7"]).heads[0]
    counts = np.diag([0, 1, 1, 1, 1, 1, 1])
    section = confusion(replace(one, confusion=counts))
    assert only(section, Matrix).shares[0] == (0,) * 7
    assert "mixed up" not in said(section)
    assert confusion(replace(one, confusion=0 * counts)).note


def test_many_labels_are_drawn_instead_of_written(runs: dict[str, Path]) -> None:
    tags = read(runs["emotic"]).heads[0]
    drawn = only(confusion(replace(tags, confusion=np.eye(26, dtype=np.int64))), Plots)
    assert drawn.look == "large"
    assert drawn.plots[0].alt == "Confusion, 26 labels. No pair above one half."


def test_tags_that_go_together(runs: dict[str, Path]) -> None:
    one = read(runs["emotic"]).heads[0]
    counts = np.zeros((26, 26), int)
    counts[0, 0], counts[1, 1], counts[0, 1], counts[1, 0] = 10, 5, 4, 4
    assert together(counts)[:2, :2].tolist() == [[1.0, 0.4], [0.8, 1.0]]
    apart = 0 * counts
    apart[0, 0], apart[1, 1] = 10, 5
    found = {"cooccurrence": {"true": counts.tolist(), "predicted": apart.tolist()}}
    section = cooccurrence(replace(one, found=found))
    plain = said(section).replace("\N{NO-BREAK SPACE}", " ")
    assert "Furthest apart: Affection among Anger (80 % by raters, 0 % by the model)" in plain
    assert [plot.alt for plot in only(section, Plots).plots] == [
        "raters, 26 labels. Anger and Affection 80\N{NO-BREAK SPACE}%.",
        "model, 26 labels. No pair above one half.",
    ]
    same = cooccurrence(
        replace(one, found={"cooccurrence": {"true": apart.tolist(), "predicted": apart.tolist()}})
    )
    assert "Furthest apart" not in said(same)
    assert cooccurrence(replace(one, found={})) is None


def test_tags_show_average_precision_and_values_their_columns(runs: dict[str, Path]) -> None:
    tags, vad = read(runs["emotic"]).heads
    labels = per_label(tags)
    titles = [column.title for column in only(labels, Table).columns]
    assert titles == ["Label", "Faces", "Threshold", "Precision", "Recall", "F1", "Average precision"]
    assert said(labels).startswith("Macro F1 ")
    assert "validation split: these very faces" in said(labels)
    section = values(vad)
    assert [column.title for column in only(section, Table).columns][2:] == [
        "Concordance (CCC)", "RMSE", "Pearson correlation", "Sign agreement",
    ]  # fmt: skip
    assert [len(block.plots) for block in section.blocks if isinstance(block, Plots)] == [3, 2]


def test_recall_has_its_interval_where_the_run_gives_it(runs: dict[str, Path]) -> None:
    one = read(runs["expression7"]).heads[0]
    lines = [
        {
            "label": "angry",
            "support": 9,
            "precision": None,
            "recall": 0.5,
            "f1": 0.4,
            "recall_interval": [0.4, 0.6],
        }
    ]
    row = only(per_label(replace(one, per_class=tuple(lines))), Table).rows[0]
    assert [cell.under for cell in row] == ["", "", "40.0 to 60.0", ""]
    assert [cell.meter for cell in row] == [None, None, 0.5, 0.4]


def test_distributions_show_distance_mean_entropy_and_planes(runs: dict[str, Path]) -> None:
    one = read(runs["distribution8"]).heads[0]
    section = distribution(one)
    beside = only(section, SideBySide)
    assert one.outputs is not None
    assert beside.bars.title == "Mean over 112 faces"
    assert sum(true for _, _, true, _ in beside.bars.rows) == pytest.approx(1, abs=1e-5)
    assert "half of the faces lie below" in beside.plots[0].alt
    entropy, raters, model = only(section, Plots).plots
    assert entropy.alt.startswith("Predicted against true entropy of 112 faces: mean ")
    assert "correlation" in entropy.alt
    assert "as the raters see them" in raters.alt
    assert "as the model see them" in model.alt
    sure = replace(one.outputs, true=np.eye(8, dtype=np.float32)[one.outputs.true.argmax(axis=1)])
    assert "correlation" not in only(distribution(replace(one, outputs=sure)), Plots).plots[0].alt


def curves(section: Section) -> list[str]:
    return [plot.alt.partition(" over")[0] for plot in only(section, Plots).plots]


def test_curves_of_a_task_with_heads(runs: dict[str, Path]) -> None:
    section = learning.section(read(runs["affect"]))
    assert curves(section) == [
        "Loss", "Loss, expression8", "Loss, valence_arousal", "Accuracy, expression8",
        "Concordance (CCC), valence_arousal", "Learned weights", "Learning rate",
    ]  # fmt: skip
    assert "24 epochs in 2 phases" in said(section)
    assert said(section).endswith(", the best of the last phase by accuracy, expression8.")


def test_curves_of_a_bare_history(runs: dict[str, Path]) -> None:
    record = read(runs["expression7"])
    bare = RunHistory({"validation_loss": np.array([0.5, 0.4])}, "validation_loss", False)
    section = learning.section(replace(record, history=bare))
    assert [plot.alt for plot in only(section, Plots).plots] == [
        "Loss over epochs: validation ends at 0.400."
    ]
    assert said(section) == "2 epochs. The broken line marks epoch 2, the best by validation loss."
    nothing = learning.section(replace(record, history=RunHistory({"epoch": np.array([1.0])})))
    assert only(nothing, Plots).plots == ()
    assert said(nothing) == "1 epoch. "


def facts(section: Section) -> dict[str, str]:
    return dict(only(section, Facts).pairs)


def test_facts_leave_out_what_is_not_known(runs: dict[str, Path]) -> None:
    record = read(runs["expression7"])
    found = facts(summary.section(record))
    assert found["Parameters"] == "1,284,103"
    assert found["Training time"] == "36 min"
    assert found["Data"] == "faces.h5"
    assert found["Measured on"] == "120 faces (validation)"
    bare = facts(summary.section(replace(record, data={}, training={}, date="")))
    assert set(bare) == {"Task", "Answers"}


def test_headline_figures_have_intervals_and_chance(runs: dict[str, Path]) -> None:
    record = read(runs["affect"])
    section = summary.section(record)
    card = only(section, Cards).cards[0]
    assert (card.what, card.lead, card.up) == ("Accuracy", True, True)
    assert [line.partition(" ")[0] for line in card.under][1] == "chance"
    assert "95\N{NO-BREAK SPACE}% intervals, from 1,000 bootstrap draws of faces." in said(section)
    assert [block.title for block in section.blocks if isinstance(block, Subhead)] == [
        "expression8",
        "valence_arousal",
    ]
    assert only(section, Callout)
    by_group = {**record.intervals, "unit": "group"}
    assert "groups of faces that belong together" in said(
        summary.section(replace(record, intervals=by_group))
    )
    assert "intervals" not in said(summary.section(replace(record, intervals={})))


def test_a_model_no_better_than_chance_is_flagged(runs: dict[str, Path]) -> None:
    record = read(runs["expression7"])
    one = record.heads[0]
    poor = replace(one.measures[0], value=0.1, references={"marginal": 0.3})
    section = summary.section(replace(record, heads=(replace(one, measures=(poor,)),)))
    assert only(section, Cards).cards[0].flag == "no better than chance"


def test_shares_come_from_the_first_head_of_probabilities(runs: dict[str, Path]) -> None:
    assert [share[0] for share in summary.shares(read(runs["affect"]))][:2] == ["neutral", "happy"]
    assert summary.shares(read(runs["emotic"])) == []


def test_labels_that_could_not_be_compared_are_told_and_left_out(
    tmp_path: Path, runs: dict[str, Path], parse: Callable[[Path], Page]
) -> None:
    """Evaluated on data that lack fear and speak of boredom: six labels everywhere, and a paragraph that says
    why."""
    run = shutil.copytree(runs["expression7"], tmp_path / "run")
    results: dict[str, Any] = json.loads((run / "results" / "validation.json").read_text(encoding="utf-8"))
    found = results["heads"]["expression7"]
    shared = [label for label in EXPRESSION7.labels if label != "fear"]
    found["compared"] = {
        "target": "codes", "matched_by": "--match", "labels": shared, "model_only": ["fear"],
        "data_only": {"bored": 3}, "rule": "labels are compared by name", "accuracy": 0.75,
        "accuracy_unrestricted": 0.5,
    }  # fmt: skip
    found["confusion"] = np.delete(np.delete(found["confusion"], 2, 0), 2, 1).tolist()
    found["per_class"] = [line for line in found["per_class"] if line["label"] != "fear"]
    (run / "results" / "validation.json").write_text(json.dumps(results), encoding="utf-8")
    one = read(run).heads[0]
    assert list(one.head.space.labels) == shared
    assert one.confusion is not None
    assert one.outputs is not None
    assert one.outputs.predicted.shape[1] == 6
    np.testing.assert_allclose(one.outputs.predicted.sum(axis=1), 1, rtol=1e-6)
    page = parse(write_report(run))
    assert "expression7 is compared with the target codes as --match says." in page.text
    assert "Not in the data: fear. Unknown to the model: bored (3 left out)." in page.text
    assert "0.7500 among the labels compared, 0.5000 if any label may be answered" in page.text
    assert "--match expression7=codes" in page.text
    assert (
        "is compared with" not in parse(write_report(runs["expression7"], out=tmp_path / "plain.html")).text
    )
