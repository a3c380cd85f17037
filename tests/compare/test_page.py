"""The page of a comparison, and its plots."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from mien.compare import Comparison, compare, figures
from mien.compare.figures import PlottedRun, curves, front, pareto, points, style
from mien.compare.page import render
from mien.compare.table import ComparisonRow, ComparisonTable, Quantity, Value
from tests.compare.runs_on_disk import FERPLUS, make


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("runs")
    seeds = [make(folder / f"<plain>_s{seed}", task=FERPLUS, skill=0.5, seed=seed) for seed in (0, 1)]
    other = make(
        folder / "bold", task=FERPLUS, skill=2.0, config={"train": {"clip": 1.0}}, training={"train_rows": 9}
    )
    copy = make(folder / "copy", task=FERPLUS, skill=0.5, config={"train": {"clip": 2.0}})
    return compare([*seeds, other, copy], threads=1)


@pytest.fixture(scope="module")
def page(found: Comparison) -> str:
    return render(found)


def test_the_page_says_what_the_table_says(page: str, found: Comparison) -> None:
    for title in (
        "Runs",
        "Good and fast",
        "Against &lt;plain&gt;",
        "Learning curves",
        "Every figure",
        "How it was measured",
    ):
        assert re.search(rf"<h2[^>]*>{re.escape(title)}</h2>", page), title
    assert "&lt;plain&gt;, bold, copy · mien comparison" in page
    assert "2 seeds" in page
    assert "not trained on equally many faces" in page
    assert "inside the noise" in page
    for column in found.table.columns:
        assert column.head.replace("'", "&#39;") in page


def test_the_page_opens_without_a_network(page: str) -> None:
    assert not re.search(r"https?://|<script|<plain", page)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_two_runs_without_speed_history_or_model(tmp_path: Path) -> None:
    runs = [make(tmp_path / name) for name in "ab"]
    for run in runs:
        (run / "history.csv").unlink()
        (run / "model.onnx").unlink()
    text = render(compare(runs, speed=False))
    assert "Learning curves" not in text
    assert "Speed: not measured." in text


def test_one_row_has_nothing_to_differ_from(tmp_path: Path) -> None:
    text = render(compare([make(tmp_path / f"a_s{seed}", seed=seed) for seed in (0, 1)], speed=False))
    assert "Against" not in text
    assert "Good and fast" not in text
    assert "Learning curves" in text, "two seeds are two lines"


def test_runs_with_other_losses_do_not_share_a_validation_loss(tmp_path: Path) -> None:
    losses = [{"expression7": {"loss": {name: 1.0}}} for name in ("cross_entropy", "mse")]
    runs = [
        make(tmp_path / str(k), config={"heads": heads}, task=FERPLUS) for k, heads in enumerate([{}, {}])
    ]
    assert "Validation loss" in render(compare(runs, speed=False))
    from mien.tasks import TASKS

    runs = [
        make(tmp_path / f"loss{k}", task=TASKS["expression7"].changed(heads))
        for k, heads in enumerate(losses)
    ]
    assert "Validation loss" not in render(compare(runs, speed=False))


COLUMNS = (
    Quantity("h.kl", "KL divergence", False, decimals=3),
    Quantity("h.accuracy", "Accuracy, %", True, 100, 1),
    Quantity("macs", "MACs, M", scale=1e-6),
    Quantity("faces_per_second", "Faces/s", True),
)


def table(*rows: tuple[float | None, ...]) -> ComparisonTable:
    lines = (ComparisonRow(f"run{k}", 1, tuple(Value(value) for value in row)) for k, row in enumerate(rows))
    return ComparisonTable(COLUMNS, tuple(lines))


def test_the_front_holds_whom_nobody_beats_in_both() -> None:
    def fronts(more: bool, up: bool) -> list[str]:
        spots = [("a", 1, 1), ("b", 2, 2), ("c", 3, 1.5), ("d", 1, 3), ("e", 3, 1.5)]
        found = [PlottedRun(name, x, y, y, y, 0) for name, x, y in spots]
        return [one.name for one in front(found, more, up)]

    assert fronts(more=True, up=True) == ["d", "b", "c"]
    assert fronts(more=False, up=True) == ["d"]
    assert fronts(more=True, up=False) == ["a", "c"]
    assert fronts(more=False, up=False) == ["a"]


def test_points_are_in_the_units_people_read() -> None:
    found = points(table((0.5, 0.7, 2e6, 100.0), (0.4, 0.8, None, 50.0)), "macs", "h.accuracy")
    assert [(one.name, one.x, one.y, one.low) for one in found] == [("run0", 2.0, 70.0, 70.0)]
    assert points(table((0.5, 0.7, 2e6, 100.0)), "latency_seconds", "h.kl") == []
    assert pareto(table((0.5, 0.7, 2e6, 100.0)), "macs", "h.kl") is None


def test_pareto_names_the_winners_in_words() -> None:
    plot = pareto(
        table((0.5, 0.7, 2e6, 100.0), (0.4, 0.8, 4e8, 50.0), (0.6, 0.6, 5e8, 40.0)),
        "faces_per_second",
        "h.accuracy",
    )
    assert plot
    assert plot.alt == "Accuracy, % over Faces/s of 3 runs; none beats run1, run0 in both."
    for name in ("run0", "run1", "run2", "Accuracy, % ↑ over Faces/s"):
        assert name in plot.svg


def test_costs_that_lie_far_apart_get_a_logarithmic_axis_with_plain_numbers() -> None:
    plot = pareto(table((0.5, 0.7, 2e6, 100.0), (0.4, 0.8, 4e8, 50.0)), "macs", "h.kl")
    assert plot
    for tick in ("2", "10", "100", "1,000"):
        assert f">{tick}</text>" in plot.svg
    assert "none beats run0, run1 in both" in plot.alt, "fewer MACs and a lower divergence are better"


def test_names_keep_their_distance() -> None:
    moved = figures.spread([0.5, 0.5, 0.9, 0.51])
    apart = np.diff(np.sort(moved))
    assert (apart > 0.06).all()
    assert moved[0] < moved[1] < moved[3], "the order stays"
    assert moved[2] == 0.9
    assert figures.spread([0.1, 0.6]) == [0.1, 0.6]


def test_curves_need_two_lines(found: Comparison) -> None:
    assert curves(found.groups[1:2], "validation_loss", "Validation loss") is None
    assert curves(found.groups, "unheard_of", "Unheard of") is None
    plot = curves(found.groups, "validation_loss", "Validation loss")
    assert plot
    assert plot.alt.count("ends at") == 4, "every seed is a line"
    assert "(2 seeds)" in plot.svg


def test_rows_look_different() -> None:
    assert len({(style(k).colour, style(k).dash) for k in range(36)}) == 36
