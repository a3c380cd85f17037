"""Data card, model card, subgroups, and how to make it all again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mien.render.blocks import Code, Facts, Points, Section, Strong, Table
from mien.report import data_card, model_card, reproduce
from mien.report.heads.subgroups import subgroups
from mien.report.record import read

from .test_heads import facts, only, said


def points(section: Section) -> str:
    listed = [item for block in section.blocks if isinstance(block, Points) for item in block.items]
    return " ".join("".join(run.text if isinstance(run, Strong) else run for run in item) for item in listed)


def test_the_data_card_says_what_the_store_holds(runs: dict[str, Path]) -> None:
    record = read(runs["distribution8"])
    section = data_card.section(record)
    found = facts(section)
    assert found["Store"] == "faces.h5"
    assert found["Importer"] == "sketch"
    assert len(found["SHA-256"]) == 64
    assert (found["Faces"], found["of these train"], found["of these validation"]) == ("123", "3", "120")
    assert found["Picture"] == "48 × 48"
    assert found["Left out at import"] == "0"
    assert found["Input faces.csv"] == "5eed5eed5eed"
    assert points(section) == "drawn, not photographed"
    table = only(section, Table)
    assert [column.title for column in table.columns] == ["Label", "train", "validation"]
    assert [cell.text for cell in table.rows[-1]] == ["annotated", "0", "112"]
    attributes = [block for block in section.blocks if isinstance(block, Facts)][1]
    assert attributes.pairs == (("gender", "female 62, male 61"),)


def test_the_data_card_shows_what_was_asked_and_names_the_rest(runs: dict[str, Path]) -> None:
    record = read(runs["affect"])
    section = data_card.section(replace(record, heads=record.heads[1:]))
    assert [block.name for block in section.blocks if isinstance(block, Table)] == [
        "Labels of valence_arousal"
    ]
    assert "in the store too: expression8." in said(section)


def test_the_data_card_without_its_store(runs: dict[str, Path]) -> None:
    record = replace(read(runs["expression7"]), store=None, store_note="the run names no store")
    section = data_card.section(record)
    assert section.note == "Counts of faces and labels are left out: the run names no store."
    assert "Faces" not in facts(section)
    assert data_card.section(replace(record, data={}, store_note="")).blocks == ()


def test_the_model_card_keeps_to_what_is_certain(runs: dict[str, Path]) -> None:
    record = read(runs["affect"])
    section = model_card.section(record)
    assert "Regulation (EU) 2024/1689 (AI Act), Article 5(1)(f)" in points(section)
    assert (
        "in the workplace and in education institutions, except where intended for medical or safety reasons"
        in points(section)
    )
    assert "2 February 2025" in points(section)
    assert "Drawn faces: no licence is needed." in said(section)
    assert "Figures by group stand under Subgroups" in points(section)
    bare = replace(record, licence="", heads=tuple(replace(one, found={}) for one in record.heads))
    assert "The run does not say under which licence" in said(model_card.section(bare))
    assert "no figures by group" in points(model_card.section(bare))


def test_subgroups_show_every_group_the_gap_and_labels(runs: dict[str, Path]) -> None:
    one = read(runs["expression7"]).heads[0]
    section = subgroups(one)
    assert section is not None
    groups, gaps, labels = (block for block in section.blocks if isinstance(block, Table))
    assert [row[0].text for row in groups.rows] == ["female", "male"]
    assert groups.rows[0][2].under
    assert [cell.text.replace("\N{NO-BREAK SPACE}", " ") for cell in gaps.rows[0]] == [
        "Accuracy", "female", "male", "3.0 %", "21.0 %",
    ]  # fmt: skip
    assert gaps.rows[0][3].under == "−1.0 to 7.0\N{NO-BREAK SPACE}%"
    assert [column.title for column in labels.columns] == [
        "Label",
        "Said",
        "Recall",
        "Recall or false alarms",
    ]
    assert [(cell.text, cell.under) for cell in labels.rows[0]] == [
        ("angry", ""), ("2.0", ""), ("2.0", "−1.0 to 5.0"), ("2.0", ""),
    ]  # fmt: skip
    assert "recall, the share found of those that have it" in said(section)
    assert subgroups(replace(one, found={})) is None


def test_many_groups_and_measures_are_cut_and_what_is_absent_is_a_dash(runs: dict[str, Path]) -> None:
    one = read(runs["expression7"]).heads[0]
    metrics = {name: {"value": None} for name in ("accuracy", "kappa", "mcc", "ece", "aurc", "macro_f1")}
    many = [{"name": f"s{k}" if k else "", "rows": 1, "small": True, "metrics": metrics} for k in range(30)]
    parity = {"equal_opportunity": {"angry": None}, "intervals": {}}
    gaps = {
        "accuracy": {"best": "a", "worst": "b", "gap": 0.1, "p": 0.0004},
        "kappa": {"best": "a", "worst": "b", "gap": 0.1},
    }
    found = {
        "subgroups": {
            "subject": {"groups": many, "parity": parity, "gaps": gaps},
            "age": {"groups": many[:2]},
        }
    }
    section = subgroups(replace(one, found=found))
    assert section is not None
    first, gap, labels, second = (block for block in section.blocks if isinstance(block, Table))
    assert (len(first.rows), len(first.columns), len(second.rows)) == (24, 7, 2)
    assert (first.rows[0][0].text, first.rows[0][0].under, first.rows[0][2].text) == (
        "not said",
        "too small to compare",
        "–",
    )
    assert "In the results file: 6 more groups and 1 more measures." in said(section)
    assert [row[-1].text for row in gap.rows] == ["below 0.1\N{NO-BREAK SPACE}%", "–"]
    assert labels.rows[0][1].text == "–"


def test_commands_that_make_the_run_again(runs: dict[str, Path]) -> None:
    record = read(runs["expression7"])
    assert only(reproduce.section(record), Code).text.splitlines() == [
        "mien train expression7-run/config.toml --out expression7-run",
        "mien evaluate expression7-run --data faces.h5 --split validation",
        "mien report expression7-run",
    ]
    spaced = replace(record, name="my run", data={}, splits=(), config="", versions={})
    section = reproduce.section(spaced)
    assert only(section, Code).text == "mien report 'my run'"
    assert section.note == "The run holds no config.toml."
