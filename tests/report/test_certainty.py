"""Calibration, abstaining and prediction sets: what is shown, and what is not said where the run does not say
it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mien.render.blocks import Cards, Plots, Table
from mien.report.heads.certainty import abstaining, calibration, prediction_sets
from mien.report.record import read
from mien.report.results import HeadRecord

from .test_heads import only, said


@pytest.fixture
def one(runs: dict[str, Path]) -> HeadRecord:
    return read(runs["distribution8"]).heads[0]


def changed(one: HeadRecord, name: str, **changes: Any) -> HeadRecord:
    return replace(one, found={**one.found, name: {**one.part(name), **changes}})


def test_calibration_shows_errors_bins_and_what_the_fit_did(one: HeadRecord) -> None:
    section = calibration(one)
    assert [card.what for card in only(section, Cards).cards] == [
        "ECE",
        "ECE, equal width",
        "Class-wise ECE",
        "Vote ECE",
    ]
    assert "scaled by temperature 1.31, fitted on the validation split" in said(section)
    assert (
        "Brier score 0.610 = 0.020 reliability − 0.200 resolution + 0.800 uncertainty − 0.010 within"
        in said(section)
    )
    assert "in 15 bins" in only(section, Plots).plots[0].alt
    table = only(section, Table)
    assert [column.title for column in table.columns] == [
        "On the validation split",
        "Before",
        "After",
        "Across folds",
    ]
    assert [cell.text for cell in table.rows[0]] == ["ECE", "0.081", "0.024", "0.026"]


def test_calibration_without_its_parts(one: HeadRecord) -> None:
    bare = replace(one, found={"calibration": {"ece": 0.1, "bins": []}}, fitted={})
    section = calibration(bare)
    assert section is not None
    assert len(only(section, Cards).cards) == 1
    assert not [block for block in section.blocks if isinstance(block, Plots | Table)]
    assert "temperature" not in said(section)
    assert calibration(replace(one, found={})) is None
    old = calibration(replace(one, fitted={"before": {"ece": 0.2}, "after": {"ece": None}}))
    assert [cell.text for cell in only(old, Table).rows[0]] == ["ECE", "0.200", "–"]
    assert only(old, Table).columns[0].title == "On the faces it was fitted on"


@pytest.mark.parametrize(
    ("method", "words"),
    [("none", "left as they are"), ("vector", "vector scaling, fitted on the validation split")],
)
def test_how_probabilities_were_scaled(one: HeadRecord, method: str, words: str) -> None:
    assert words in said(calibration(changed(one, "calibration", method=method)))


def test_confidence_in_the_label_comes_before_shares_of_votes(one: HeadRecord) -> None:
    bins = [{"confidence": 0.9, "accuracy": 0.8, "rows": 40}]
    label = {"ece": 0.0123, "ece_equal_width": 0.02, "classwise_ece": 0.03, "bins": bins, "rows": 1234}
    fits = {when: {"ece": 0.1} for when in ("before", "after", "cross_fitted")}
    fitted = {**one.fitted, "label": {"temperature": 0.586, **fits}}
    told = replace(changed(one, "calibration", label_temperature=0.586, label=label), fitted=fitted)
    section = calibration(told)
    assert [card.value for card in only(section, Cards).cards][:1] == ["0.012"]
    assert (
        "by label temperature 0.586: here on the 1,234 faces that have a label. "
        "The vote ECE is of the shares." in said(section)
    )
    assert "in 1 bins" in only(section, Plots).plots[0].alt
    assert section is not None
    tables = [block for block in section.blocks if isinstance(block, Table)]
    assert [table.name for table in tables] == ["Before and after", "Confidence in the label"]
    assert tables[1].columns[0].title == "On the validation split"
    held = {**one.part("calibration"), "label_temperature": 0.586}
    against = calibration(replace(one, found={"calibration": {**held, "vote_ece": None}}))
    assert "by label temperature 0.586." in said(against)
    assert "faces that have a label" not in said(against)


def test_the_furthest_bin_is_told_to_those_who_cannot_see(one: HeadRecord) -> None:
    bins = [
        {"confidence": 0.5, "accuracy": 0.4, "rows": 9},
        {"confidence": 0.9, "accuracy": 0.6, "rows": 9},
        {"confidence": 0.1, "accuracy": 1.0, "rows": 0},
    ]
    alt = only(calibration(changed(one, "calibration", bins=bins)), Plots).plots[0].alt
    assert alt.replace("\N{NO-BREAK SPACE}", " ").endswith(
        "in 2 bins; on the broken line they agree. Furthest apart: 90 % sure, 60 % right."
    )


def test_abstaining_compares_the_surer_half_with_all(one: HeadRecord) -> None:
    part = {"coverage": [0.25, 0.5, 1.0], "risk": [0.0, 0.1, 0.3], "aurc": 0.12}
    section = abstaining(replace(one, found={"risk_coverage": part}))
    plain = said(section).replace("\N{NO-BREAK SPACE}", " ")
    assert "it errs in 10.0 % of the surer half, against 30.0 % of all" in plain
    assert "(AURC): 0.120" in plain
    assert "30.0" in only(section, Plots).plots[0].alt
    assert "AURC" not in said(abstaining(replace(one, found={"risk_coverage": {**part, "aurc": None}})))
    assert abstaining(replace(one, found={"risk_coverage": {"coverage": [], "risk": []}})) is None


def test_prediction_sets_show_promise_measurement_and_sizes(one: HeadRecord) -> None:
    section = prediction_sets(changed(one, "conformal", sizes={"2": 30, "10": 10, "1": 60}, mean_size=2.2))
    coverage, size = only(section, Cards).cards
    assert coverage.value == "90.6\N{NO-BREAK SPACE}%"
    assert coverage.under == ("promised 90\N{NO-BREAK SPACE}%",)
    assert size.value == "2.20"
    sizes, labels = (block for block in section.blocks if isinstance(block, Table))
    assert [(row[0].text, row[2].meter) for row in sizes.rows] == [("1", 0.6), ("2", 0.3), ("10", 0.1)]
    support = {line["label"]: str(line["support"]) for line in one.per_class}
    shown = [(row[0].text, row[1].text, row[2].text) for row in labels.rows]
    names = one.head.space.labels
    assert shown[:3] == [
        (name, support[name], text) for name, text in zip(names, ("96.0", "63.0", "0.0"), strict=False)
    ]
    assert [row[0].text for row in labels.rows] == [name for k, name in enumerate(names) if k % 4 < 3], (
        "none bears it"
    )
    assert "measured across folds" in said(section)
    elsewhere = prediction_sets(changed(one, "conformal", cross_fitted=False, sizes={}, by_label={}))
    assert "measured across folds" not in said(elsewhere)
    assert elsewhere is not None
    assert not [block for block in elsewhere.blocks if isinstance(block, Table)]
    assert prediction_sets(replace(one, found={})) is None
