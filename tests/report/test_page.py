"""The page as a whole: one file that opens anywhere, says what it lacks and trusts no name."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien import files
from mien.errors import ModelError
from mien.labels import LabelSpace
from mien.render.blocks import Section
from mien.render.page import place
from mien.report import write_report
from mien.run_folder import split_files
from mien.tasks import Head, Kind, Task

from . import fake_run
from .conftest import TASKS

EARLIER = Path(__file__).parents[1] / "earlier"
Parse = Callable[[Path], Any]


@pytest.fixture(scope="module")
def pages(runs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    out = tmp_path_factory.mktemp("pages")
    return {name: write_report(run, out=out / f"{name}.html") for name, run in runs.items()}


def test_the_report_lies_in_the_run_folder(tmp_path: Path, runs: dict[str, Path]) -> None:
    run = shutil.copytree(runs["expression7"], tmp_path / "run")
    assert write_report(run) == run / "report.html"
    assert (run / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize("name", TASKS)
def test_opens_without_a_network_and_stays_small(name: str, pages: dict[str, Path], parse: Parse) -> None:
    text = pages[name].read_text(encoding="utf-8")
    assert len(text) < 1_000_000
    assert "@import" not in text
    assert "http://" not in text
    assert "https://" not in text
    assert not re.search(r"url\((?!#)", text)
    page = parse(pages[name])
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "base")
        for key in ("src", "href", "xlink:href", "srcset"):
            assert attributes.get(key, "#").startswith(("#", "data:image/")), f"{tag} {key}"
    policy = [
        meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


@pytest.mark.parametrize("name", TASKS)
def test_headings_descend_in_order_and_every_anchor_is_there_once(
    name: str, pages: dict[str, Path], parse: Parse
) -> None:
    page = parse(pages[name])
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [link["href"][1:] for link in page.all("a")] + [use["href"][1:] for use in page.all("use")]
    assert set(targets) <= set(ids)
    assert len(targets) > 5


@pytest.mark.parametrize("name", TASKS)
def test_pictures_have_words(name: str, pages: dict[str, Path], parse: Parse) -> None:
    page = parse(pages[name])
    assert all(picture["alt"].startswith("Face. Raters: ") for picture in page.all("img"))
    assert 20 <= len(page.all("img")) <= 80
    figures = page.all("figure")
    assert len(figures) >= 3
    assert all(figure["role"] == "img" and len(figure["aria-label"]) > 20 for figure in figures)


@pytest.mark.parametrize("name", TASKS)
def test_the_page_has_its_landmarks_and_language(name: str, pages: dict[str, Path], parse: Parse) -> None:
    page = parse(pages[name])
    assert page.all("html") == [{"lang": "en"}]
    assert [len(page.all(tag)) for tag in ("header", "nav", "main", "footer")] == [1] * 4
    assert f"<title>{name}-run · mien report</title>" in pages[name].read_text(encoding="utf-8")
    assert page.all("nav")[0]["aria-label"]
    assert "width=device-width" in next(
        meta["content"] for meta in page.all("meta") if meta.get("name") == "viewport"
    )
    assert page.all("a")[0] == {"class": "skip", "href": "#content"}
    assert page.all("main") == [{"id": "content"}]
    named = [tag for tag in page.all("section") if "aria-label" in tag or "aria-labelledby" in tag]
    assert not named, "a section with a name is a landmark, and there are too many for that"


@pytest.mark.parametrize("name", TASKS)
def test_tables_have_heads_and_what_scrolls_can_be_reached(
    name: str, pages: dict[str, Path], parse: Parse
) -> None:
    page = parse(pages[name])
    assert len(page.all("table")) >= 5
    heads, rows = page.all("th"), page.all("tr")
    assert all(head["scope"] in ("col", "row") for head in heads)
    assert len([head for head in heads if head["scope"] == "row"]) == len(rows) - len(page.all("table"))
    wide = [tag for tag in page.all("div") if tag.get("class") == "wide"]
    assert all(tag["tabindex"] == "0" and tag["role"] == "group" and tag["aria-label"] for tag in wide)
    assert all(tag.get("tabindex") == "0" for tag in page.all("pre"))
    assert all(svg.get("aria-hidden") == "true" or svg["aria-label"] for svg in page.all("svg"))


def test_large_figures_stay_below_five_megabytes(tmp_path: Path) -> None:
    """Pictures of 240 × 240, which are reduced, and a task of 40 labels."""
    space = LabelSpace("many", tuple(f"label {k}" for k in range(40)))
    task = Task("many", (Head("many", Kind.CLASS, space), Head("spread", Kind.DISTRIBUTION, space)))
    path = write_report(fake_run.make_task(tmp_path, task, 150, 240))
    assert path.stat().st_size < 2_500_000


@pytest.mark.parametrize("name", TASKS)
def test_plots_take_their_colours_from_the_page(name: str, pages: dict[str, Path]) -> None:
    text = pages[name].read_text(encoding="utf-8")
    assert "stroke: var(--accent)" in text
    assert "#0a0b" not in text
    assert text.count("prefers-color-scheme: dark") == 1
    assert "@media print" in text


def test_what_is_measured_and_what_it_must_not_be_used_for_stands_first(
    pages: dict[str, Path], parse: Parse
) -> None:
    text = parse(pages["expression7"]).text
    assert "how a face looks to raters, not what the person feels" in text
    assert text.index("Not for use at work or in school") < text.index("24 epochs")


def test_nobody_can_smuggle_markup_in_by_a_name(tmp_path: Path, parse: Parse) -> None:
    evil = '<script>alert(1)</script>"><img src=x onerror=y> $\\frac'
    space = LabelSpace("evil", (evil, "b&<i>", "plain"))
    task = Task(
        "evil<b>",
        (Head("evil", Kind.DISTRIBUTION, space), Head("va", Kind.VALUES, LabelSpace("v", (evil, "</svg>")))),
    )
    run = tmp_path / "run"
    run.mkdir()
    pairs = {head.name: fake_run.guesses(head, 40, np.random.default_rng(1)) for head in task}
    (tmp_path / "faces.h5").write_bytes(b"")
    fake_run.write_results(run, tmp_path / "faces.h5", task, pairs)
    fake_run.write_predictions(run / "predictions" / "validation.parquet", pairs, task, 40)
    fake_run.write_history(run / "history.csv", task, np.random.default_rng(1))
    page = parse(write_report(run))
    assert not page.all("script")
    assert not page.all("img")
    assert not page.all("u")
    assert all(not key.startswith("on") for _, attributes in page.tags for key in attributes)
    assert "<script>alert(1)</script>" in page.text


def test_a_run_that_was_never_evaluated_still_has_curves(
    tmp_path: Path, runs: dict[str, Path], parse: Parse
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(runs["affect"] / "history.csv", run)
    task = (runs["affect"] / "results" / "validation.json").read_text(encoding="utf-8")
    files.write_text(
        run / "model.json", json.dumps({"schema": 1, "name": "m", "task": json.loads(task)["task"]})
    )
    text = parse(write_report(run)).text
    assert "not been evaluated yet" in text
    assert "24 epochs in 2 phases" in text
    assert "No gallery" in text
    assert "no confusion matrix" in text
    assert "no config.toml" in text


def test_a_run_without_history_and_store_says_so(tmp_path: Path, runs: dict[str, Path], parse: Parse) -> None:
    run = shutil.copytree(runs["expression7"], tmp_path / "run")
    (run / "history.csv").unlink()
    results = json.loads((run / "results" / "validation.json").read_text(encoding="utf-8"))
    results["data"] |= {"store": "gone/faces.h5", "trained_on": True}
    files.write_text(run / "results" / "validation.json", json.dumps(results))
    page = parse(write_report(run))
    assert "The run holds no history.csv." in page.text
    assert "No gallery: the store faces.h5 is not where the run says; give it with --data." in page.text
    assert "the very faces the model was trained on" in page.text
    assert not page.all("img")
    assert "Most often mixed up" in page.text


def scored_again(run: Path, split: str, **data: object) -> None:
    """The results of validation as those of another split too."""
    first, other = split_files(run, "validation"), split_files(run, split)
    results = json.loads(first.results.read_text(encoding="utf-8"))
    results["data"] |= {"split": split, "chosen_on": False, **data}
    files.write_text(other.results, json.dumps(results))
    shutil.copy(first.predictions, other.predictions)


def test_every_split_is_shown_and_one_in_detail(tmp_path: Path, runs: dict[str, Path], parse: Parse) -> None:
    run = shutil.copytree(runs["affect"], tmp_path / "run")
    assert "Scored on" not in parse(write_report(run)).text
    scored_again(run, "train", trained_on=True)
    scored_again(run, "test", sha256="0" * 64)
    text = parse(write_report(run)).text
    assert text.count("Split Faces ") == 2, "one table for each head"
    for words in ("validation best epoch chosen on 112", "train trained on 112", "test of faces.h5 112"):
        assert words in text, words
    assert text.index("validation best epoch") < text.index("test of faces") < text.index("train trained on")
    assert "Measured on 120 faces (validation)" in text
    assert "mien evaluate affect-run --data faces.h5 --split train" in text
    assert text.rstrip().count("mien report affect-run --split") == 0
    text = parse(write_report(run, split="test")).text
    assert "Measured on 120 faces (test)" in text
    assert "mien report affect-run --split test" in text
    (run / "results" / "validation.json").unlink()
    assert "Measured on 120 faces (test)" in parse(write_report(run)).text
    with pytest.raises(
        ModelError, match=r"has no results of the split 'validation', only of test, train \(mien eval"
    ):
        write_report(run, split="validation")


@pytest.mark.parametrize("name", ["faces", "scenes"])
def test_a_run_of_an_earlier_version_is_reported(name: str, tmp_path: Path, parse: Parse) -> None:
    run = shutil.copytree(EARLIER / name, tmp_path / name)
    text = parse(write_report(run, EARLIER / f"{name}.h5")).text
    assert "Measured on 12 faces (validation)" in text
    assert "No gallery" not in text
    assert "never been evaluated" not in text


def test_sections_of_one_title_get_anchors_of_their_own() -> None:
    tree = (Section("A b", children=(Section("C"), Section("C"))), Section("a  B"), Section("!"))
    nodes = list(place(tree))
    assert [node.anchor for node in nodes] == ["a-b", "a-b-2", "section"]
    assert [(child.anchor, child.level) for child in nodes[0].children] == [("a-b-c", 3), ("a-b-c-2", 3)]
