"""Data card, model card, subgroups, and how to make it all again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mien.report import data_card, model_card, setup
from mien.report.blocks import Code, Facts, Points, Strong, Table, Text
from mien.report.record import read
from mien.report.section import Section
from mien.report.subgroups import subgroups

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
    assert [block.name for block in section.blocks if isinstance(block, Table)] == ["Labels of valence_arousal"]
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


def test_subgroups_show_every_group_and_the_gap(runs: dict[str, Path]) -> None:
    one = read(runs["expression7"]).heads[0]
    section = subgroups(one)
    assert section is not None
    groups, gaps = (block for block in section.blocks if isinstance(block, Table))
    assert [row[0].text for row in groups.rows] == ["female", "male"]
    assert groups.rows[0][2].under
    assert [cell.text for cell in gaps.rows[0]] == ["Accuracy", "female", "male", "3.0\N{NO-BREAK SPACE}%"]
    assert gaps.rows[0][3].under == "−1.0 to 7.0\N{NO-BREAK SPACE}%"
    assert "Equal opportunity: 0.040." in said(section)
    assert "Statistical parity: angry 0.020, disgust 0.020." in said(section)
    assert subgroups(replace(one, found={})) is None


def test_many_groups_are_cut_and_strange_parts_left_out(runs: dict[str, Path]) -> None:
    one = read(runs["expression7"]).heads[0]
    many = [{"name": f"s{k}", "rows": 1, "metrics": {"accuracy": {"value": None}}} for k in range(30)]
    found = {"subgroups": {"subject": {"groups": many, "parity": {"odd": "text", "nested": {"a": "b"}}}}}
    section = subgroups(replace(one, found=found))
    assert section is not None
    assert len(only(section, Table).rows) == 24
    assert only(section, Table).rows[0][2].text == "–"
    assert "6 more groups are in results.json." in said(section)
    assert len([block for block in section.blocks if isinstance(block, Text)]) == 2


def test_commands_that_make_the_run_again(runs: dict[str, Path]) -> None:
    record = read(runs["expression7"])
    assert only(setup.section(record), Code).text.splitlines() == [
        "mien train expression7-run/config.toml --out expression7-run",
        "mien evaluate expression7-run --data faces.h5 --split validation",
        "mien report expression7-run",
    ]
    spaced = replace(record, name="my run", data={}, config="", versions={})
    section = setup.section(spaced)
    assert only(section, Code).text == "mien report 'my run'"
    assert section.note == "The run holds no config.toml."
