"""Differences against the first run: their size, their noise, and the words for them."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from mien import intervals
from mien.compare.caveats import caveats, verdict
from mien.compare.differences import (
    ComparedMetric,
    Difference,
    compared_metrics,
    differences,
    draws,
    value_of,
)
from mien.compare.runs import RunGroup, group_runs, load, shared
from mien.compare.table import Quantity
from mien.run_folder import split_files
from mien.tasks import TASKS, Task
from tests.compare.runs_on_disk import FERPLUS, make

HEAD = TASKS["expression7"].heads[0]
ACCURACY, LOG_LOSS = ComparedMetric(HEAD, "accuracy", True), ComparedMetric(HEAD, "log_loss", False)
SHARE = Quantity("expression7.accuracy", "Accuracy, %", True, 100, 1)
NUMBER = Quantity("expression7.log_loss", "Log loss", False, decimals=3)


def rows(*folders: Path) -> tuple[RunGroup, ...]:
    return group_runs([load(folder) for folder in folders])


def test_a_run_does_not_differ_from_its_copy(tmp_path: Path) -> None:
    pair = rows(make(tmp_path / "a"), make(tmp_path / "b"))
    found = differences(pair, [ACCURACY, LOG_LOSS], draws(pair[0]))
    assert found["expression7.accuracy"][0] is None
    apart = found["expression7.accuracy"][1]
    assert apart
    assert (apart.value, apart.faces, apart.p) == (0.0, (0.0, 0.0), 1.0)
    assert (apart.noise, apart.clear) == (("faces",), False)


def test_a_better_run_is_clearly_better_in_either_direction(tmp_path: Path) -> None:
    pair = rows(make(tmp_path / "bad", skill=0.3), make(tmp_path / "good", skill=2.0))
    found = differences(pair, [ACCURACY, LOG_LOSS], draws(pair[0]))
    right, loss = found["expression7.accuracy"][1], found["expression7.log_loss"][1]
    assert right
    assert loss
    assert right.clear
    assert right.value == pytest.approx(value_of(pair[1], ACCURACY)[0] - value_of(pair[0], ACCURACY)[0])
    assert right.faces
    assert 0 < right.faces[0] < right.value < right.faces[1]
    assert right.p is not None
    assert right.p < 0.001
    assert loss.clear
    assert loss.value < 0
    assert loss.p is None, "McNemar is of top labels"


def test_intervals_are_drawn_on_the_same_faces(tmp_path: Path) -> None:
    """Paired: two runs alike in most faces are told apart better than by their own intervals."""
    pair = rows(make(tmp_path / "a", skill=1.0), make(tmp_path / "b", skill=1.05))
    apart = differences(pair, [LOG_LOSS], draws(pair[0]))[LOG_LOSS.key][1]
    assert apart
    assert apart.faces
    outputs = pair[0].runs[0].head("expression7").outputs
    assert outputs
    losses = -np.log(outputs.predicted[np.arange(len(outputs.true)), outputs.true.argmax(axis=1)])
    alone = 2 * 1.96 * losses.std() / math.sqrt(len(losses))
    assert apart.faces[1] - apart.faces[0] < alone / 4


def test_the_distances_that_votes_told_are_those_of_the_evaluation(tmp_path: Path) -> None:
    """emd_votes moves along them, and the task does not say them; far apart they make the same difference
    larger."""
    task = Task("votes", (replace(TASKS["distribution8"].heads[0], metrics=("kl", "emd_votes")),))
    folders = [make(tmp_path / name, task=task, skill=skill) for name, skill in (("a", 0.3), ("b", 2.0))]
    found = {}
    for unit in (0.0, 0.5, 1.0):
        for folder in folders:
            results = json.loads(split_files(folder, "validation").results.read_text())
            head = results["heads"]["distribution8"]
            head["metrics"]["emd_votes"]["value"] = 0.2
            head["ground"] = (unit * (1 - np.eye(8))).tolist()
            split_files(folder, "validation").results.write_text(json.dumps(results))
        pair = rows(*folders)
        one = next(one for one in compared_metrics(pair, task.heads) if one.name == "emd_votes")
        apart = differences(pair, [one], draws(pair[0]))[one.key][1]
        assert apart
        found[unit] = apart.value
    assert found[0.0] == 0
    assert found[1.0] == pytest.approx(2 * found[0.5])
    assert found[1.0] < -0.05


def test_several_seeds_are_a_mean_with_a_deviation(tmp_path: Path) -> None:
    row = rows(*(make(tmp_path / f"a{seed}", seed=seed) for seed in range(3)))[0]
    values = [run.measure("expression7", "accuracy").value for run in row.runs]  # type: ignore[union-attr]
    assert value_of(row, ACCURACY) == (
        pytest.approx(np.mean(values)),
        None,
        pytest.approx(np.std(values, ddof=1)),
    )


def test_a_difference_of_seeds_is_that_of_their_means(tmp_path: Path) -> None:
    first = [make(tmp_path / f"a{seed}", seed=seed, skill=0.4) for seed in range(3)]
    other = [
        make(tmp_path / f"b{seed}", seed=seed, skill=1.5, config={"train": {"clip": 1.0}})
        for seed in range(2)
    ]
    pair = rows(*first, *other)
    assert [len(row.runs) for row in pair] == [3, 2]
    apart = differences(pair, [ACCURACY], draws(pair[0]))[ACCURACY.key][1]
    assert apart
    assert apart.value == pytest.approx(
        value_of(pair[1], ACCURACY)[0] - value_of(pair[0], ACCURACY)[0], abs=1e-6
    )
    assert apart.seeds
    assert apart.p is None, "McNemar holds two single runs against each other"


def test_the_interval_over_seeds_is_students() -> None:
    first, other = [0.70, 0.72, 0.71], [0.75, 0.74, 0.76, 0.77]
    wanted = stats.ttest_ind(other, first).confidence_interval(0.95)
    assert intervals.seed_difference(first, other) == pytest.approx((wanted.low, wanted.high))
    assert intervals.seed_difference([0.7], [0.8]) is None
    low, high = intervals.seed_difference([0.70], [0.74, 0.76]) or (0.0, 0.0)
    assert low < 0 < high, "one seed against two says little"


def test_groups_are_drawn_whole_where_the_store_has_them(tmp_path: Path) -> None:
    by_row = rows(make(tmp_path / "a"), make(tmp_path / "b"))
    assert draws(by_row[0]).units.tolist() == list(range(90))
    assert (draws(by_row[0]).count, draws(by_row[0]).seed, draws(by_row[0]).grouped) == (200, 0, False)

    said = {"intervals": {"draws": 50, "level": 0.95, "unit": "group", "seed": 3}}
    old = rows(make(tmp_path / "c", **said), make(tmp_path / "d", **said))
    assert "too narrow" in caveats(old, [HEAD], draws(old[0]))[-1], "an evaluation that named no groups"
    said["groups"] = [str(row // 2) for row in range(90)]
    pair = rows(make(tmp_path / "e", **said), make(tmp_path / "f", **said))
    found = draws(pair[0])
    assert (found.count, found.seed, found.grouped, len(set(found.units))) == (50, 3, True, 45)
    assert (found.units[::2] == found.units[1::2]).all()
    assert caveats(pair, [HEAD], found) == ()


def test_only_metrics_that_all_have_are_compared(tmp_path: Path) -> None:
    less = {"heads": {"expression7": {"metrics": ["log_loss", "accuracy"]}}}
    task = TASKS["expression7"].changed(less["heads"])
    runs = [load(make(tmp_path / "a")), load(make(tmp_path / "b", task=task))]
    assert [one.name for one in compared_metrics(group_runs(runs), shared(runs))] == ["accuracy", "log_loss"]


def test_no_interval_where_an_answer_is_undefined() -> None:
    assert not Difference(math.nan, None).clear


TWO = (RunGroup("first", ()), RunGroup("other", ()))


@pytest.mark.parametrize(
    ("apart", "words"),
    [
        (
            Difference(0.012, (0.003, 0.021), None, 0.004),
            "other: Accuracy 1.2 points better than first, more than noise (95 % interval of the difference "
            "+0.3 to +2.1 points; McNemar p = 0.004).",
        ),
        (
            Difference(-0.012, (-0.03, 0.004), None, 0.0001),
            "other: Accuracy 1.2 points worse than first, but that lies inside the noise: "
            "with other faces of the same kind it could be anything "
            "from −3.0 to +0.4 points; McNemar p < 0.001.",
        ),
        (
            Difference(0.02, (0.01, 0.03), (-0.01, 0.05)),
            "other: Accuracy 2.0 points better than first, but that lies inside the noise: "
            "with other seeds it could be anything from −1.0 to +5.0 points.",
        ),
        (
            Difference(0.02, (-0.01, 0.03), (-0.02, 0.02)),
            "other: Accuracy 2.0 points better than first, but that lies inside the noise: "
            "with other faces of the same kind or other seeds it could be anything from −2.0 to +3.0 points.",
        ),
        (
            Difference(math.nan, None),
            "other: Accuracy cannot be held against that of first, one of them is undefined.",
        ),
    ],
)
def test_verdicts_in_words(apart: Difference, words: str) -> None:
    assert verdict(*TWO, ACCURACY, SHARE, apart) == words


def test_lower_is_better_where_the_metric_says_so() -> None:
    assert "Log loss 0.100 better than first" in verdict(
        *TWO, LOG_LOSS, NUMBER, Difference(-0.1, (-0.2, -0.05))
    )


def test_cautions(tmp_path: Path) -> None:
    rows_ = rows(
        make(tmp_path / "a", task=FERPLUS, data={"trained_on": True}),
        make(
            tmp_path / "b",
            data={"chosen_on": True},
            task=TASKS["expression8"],
            training={"train_rows": 5000, "machine": "GPU"},
        ),
    )
    runs = [run for row in rows_ for run in row.runs]
    told = caveats(rows_, shared(runs), draws(rows_[0]))
    assert told == (
        "a: trained on these very faces, so the figures say nothing of new ones.",
        "The best epoch of b was chosen on these very faces, which flatters the figures a little: "
        "compare on the test split before you report them.",
        "The runs were not trained on equally many faces: 1,000, 5,000.",
        "Training times come from different machines: 2 cores; GPU.",
        "Not compared, because not every run was scored on it with the same labels: distribution8.",
    )
    same = rows(make(tmp_path / "c"), make(tmp_path / "d"))
    assert caveats(same, [HEAD], draws(same[0])) == ()
