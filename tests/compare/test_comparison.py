"""The comparison as a whole: which columns it has, and what it makes of seeds, costs and chosen metrics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mien.compare import Comparison, as_dict, compare, write
from mien.errors import ConfigError, ModelError
from mien.tasks import TASKS
from tests.compare.runs_on_disk import FERPLUS, make


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two seeds of one configuration, and a clearly better run."""
    folder = tmp_path_factory.mktemp("runs")
    seeds = [make(folder / f"plain_s{seed}", task=FERPLUS, skill=0.5, seed=seed) for seed in (0, 1)]
    return [
        *seeds,
        make(
            folder / "bold",
            task=FERPLUS,
            skill=2.0,
            config={"train": {"clip": 1.0}},
            training={"seconds": 30.0},
        ),
    ]


@pytest.fixture(scope="module")
def found(folders: list[Path]) -> Comparison:
    return compare(folders, threads=1)


def column(found: Comparison, key: str) -> list[float | None]:
    place = [column.key for column in found.table.columns].index(key)
    return [row.values[place].value for row in found.table.rows]


def test_seeds_make_one_row_which_the_others_are_held_against(found: Comparison) -> None:
    assert [(row.name, row.seeds) for row in found.table.rows] == [("plain", 2), ("bold", 1)]
    accuracy = [
        found.differences[key][1] for key in ("expression8.accuracy", "distribution8.top_label_accuracy")
    ]
    assert all(one and one.seeds and one.value > 0 for one in accuracy)
    sentences = found.verdicts()
    assert len(sentences) == 1
    assert sentences[0].startswith("bold: KL divergence 0.")
    assert "better than plain (2 seeds)" in sentences[0]


def test_the_table_has_every_metric_and_every_cost(found: Comparison) -> None:
    keys = [column.key for column in found.table.columns]
    metrics = [f"{head.name}.{metric}" for head in FERPLUS for metric in head.metrics]
    costs = [
        "parameters",
        "macs",
        "model_bytes",
        "latency_seconds",
        "faces_per_second",
        "training_seconds",
        "epochs",
    ]
    assert keys == metrics + costs
    assert column(found, "macs") == [16.0, 16.0], "one channel to two heads of eight labels"
    assert column(found, "training_seconds") == [90.0, 30.0]
    assert column(found, "parameters") == [1234567.0] * 2
    assert all(value and value > 0 for key in costs for value in column(found, key))


def test_the_narrow_table_has_the_metric_watched_and_two_of_each_head(found: Comparison) -> None:
    assert found.watched.key == "distribution8.kl"
    chosen = [key for key in found.shown if "." in key]
    assert chosen == [
        "distribution8.kl",
        "distribution8.tvd",
        "expression8.accuracy",
        "expression8.balanced_accuracy",
    ]


def test_the_watched_metric_is_the_one_the_first_run_monitored(tmp_path: Path) -> None:
    config = {"train": {"monitor": "macro_f1"}}
    runs = [make(tmp_path / "a", config=config), make(tmp_path / "b")]
    assert compare(runs, speed=False).watched.key == "expression7.macro_f1"


def test_metrics_are_chosen_by_name(folders: list[Path]) -> None:
    def shown(*chosen: str) -> list[str]:
        return [key for key in compare(folders, chosen, speed=False).shown if "." in key]

    assert shown("distribution8.mse", "kappa") == ["distribution8.mse", "expression8.kappa"]
    assert len(shown("all")) == sum(len(head.metrics) for head in FERPLUS)
    with pytest.raises(ConfigError, match="unknown metric 'acuracy', did you mean 'accuracy'"):
        shown("acuracy")


def test_seeds_can_be_seen_apart(folders: list[Path]) -> None:
    apart = compare(folders, seeds=False, speed=False)
    assert [row.name for row in apart.table.rows] == ["plain_s0", "plain_s1", "bold"]
    assert apart.timing is None
    assert "faces_per_second" not in apart.shown
    assert apart.table.rows[0].values[0].interval, "a single run has the interval of its evaluation"


def test_titles_name_the_head_only_where_needed(tmp_path: Path) -> None:
    changed = FERPLUS.changed({"distribution8": {"metrics": ["accuracy", "kl"]}})
    runs = [make(tmp_path / name, task=changed) for name in "ab"]
    titles = [column.head for column in compare(runs, speed=False).table.columns][:4]
    assert titles == [
        "Accuracy, distribution8, % ↑", "KL divergence ↓", "Accuracy, expression8, % ↑",
        "Balanced accuracy, % ↑",
    ]  # fmt: skip


def test_runs_without_a_model_have_dashes(tmp_path: Path) -> None:
    runs = [make(tmp_path / name) for name in "ab"]
    (runs[0] / "model.onnx").unlink()
    found = compare(runs, threads=1)
    assert column(found, "model_bytes")[0] is None
    assert column(found, "faces_per_second")[0] is None
    assert column(found, "faces_per_second")[1]
    (runs[1] / "model.onnx").unlink()
    assert compare(runs, threads=1).timing is None


def test_runs_without_a_metric_in_common_are_refused(tmp_path: Path) -> None:
    task = TASKS["expression7"]
    runs = [
        make(tmp_path / metric, task=task.changed({"expression7": {"metrics": [metric]}}))
        for metric in ("kappa", "accuracy")
    ]
    with pytest.raises(ModelError, match="no metric in common"):
        compare(runs, speed=False)


def test_json_holds_everything_by_name(found: Comparison, folders: list[Path]) -> None:
    table: dict[str, Any] = json.loads(json.dumps(as_dict(found), allow_nan=False))
    first, other = table["runs"]
    assert (first["name"], first["seeds"], first["folders"]) == (
        "plain",
        [0, 1],
        [str(folder) for folder in folders[:2]],
    )
    assert table["speed"]["threads"] == 1
    assert table["data"] == {"store": "faces.h5", "sha256": "ab" * 32, "split": "validation", "rows": 90}
    assert table["watched"] == "distribution8.kl"
    accuracy = other["metrics"]["expression8.accuracy"]
    assert accuracy["higher_is_better"] is True
    assert set(accuracy["difference"]) == {"value", "faces", "seeds", "p", "noise"}
    assert first["metrics"]["expression8.accuracy"]["difference"] is None
    assert first["metrics"]["expression8.accuracy"]["sd"] > 0
    assert other["faces_per_second"] > 0


def test_files_are_written_into_one_folder(found: Comparison, tmp_path: Path) -> None:
    paths = write(found, tmp_path / "deep" / "out")
    assert [path.name for path in paths] == [
        f"comparison.{end}" for end in ("html", "csv", "md", "tex", "json")
    ]
    assert sorted(paths) == sorted((tmp_path / "deep" / "out").iterdir())
    head = (tmp_path / "deep" / "out" / "comparison.csv").read_text().splitlines()[0]
    assert "expression8.kappa_difference_high" in head, "the CSV has every metric"
    assert "kappa" not in (tmp_path / "deep" / "out" / "comparison.md").read_text()
