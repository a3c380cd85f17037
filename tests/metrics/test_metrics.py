"""The registry of metrics: what it holds, what is left out of a figure, what is refused."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mien import metrics
from mien.errors import ConfigError
from mien.labels import EXPRESSION8
from mien.metrics import METRICS, Metric, evaluate_head, per_class, score, score_columns
from mien.tasks import DEFAULT_METRICS, FURTHER_METRICS, Head, Kind
from tests.metrics.made import AFFECT, GROUND, TAGS, classes, one_hot, rows_of, votes_of

#: Resolution sees which bin a face is in, not what the bin is called, so that labels mixed up do not lower
#: it.
SOFTMAX = [
    name for name, metric in METRICS.items() if Kind.CLASS in metric.kinds and name != "brier_resolution"
]


def test_every_default_metric_is_registered_and_fits_its_kind() -> None:
    for kind in Kind:
        assert all(kind in METRICS[name].kinds for name in (*DEFAULT_METRICS[kind], *FURTHER_METRICS[kind]))
    assert all(name == metric.name for name, metric in METRICS.items())
    assert [names[0] for names in DEFAULT_METRICS.values()] == ["accuracy", "kl", "average_precision", "ccc"]


def test_the_tables_of_the_documentation_are_those_of_the_registry() -> None:
    """Directions, and letters of the kinds of head that have a metric unless they say otherwise, small ones
    in evaluation."""
    text = (Path(__file__).parents[2] / "docs/reference/metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ((?:`\w+`,? ?)+) \| ([↑↓]) \| .* \| ([CDTVcdtv ]*) ?\|$", text, re.MULTILINE)
    found = {
        name: (arrow, marks.split()) for names, arrow, marks in rows for name in re.findall(r"`(\w+)`", names)
    }
    assert found == {
        name: ("↑" if metric.higher_is_better else "↓", marks(name)) for name, metric in METRICS.items()
    }


def marks(name: str) -> list[str]:
    letters = {kind: str(kind)[0].upper() for kind in Kind} | {Kind.VALUES: "V"}
    return [
        letter if name in DEFAULT_METRICS[kind] else letter.lower()
        for kind, letter in letters.items()
        if name in DEFAULT_METRICS[kind] + FURTHER_METRICS[kind]
    ]


def test_an_evaluation_tells_what_the_head_asks_for_first_and_nothing_twice() -> None:
    head = Head("face", Kind.DISTRIBUTION, EXPRESSION8, metrics=("rps", "emd", "kl"))
    assert head.reported[:3] == ("rps", "emd", "kl")
    assert sorted(head.reported) == sorted({"rps", "kl", *FURTHER_METRICS[Kind.DISTRIBUTION]})


@pytest.mark.parametrize("name", SOFTMAX)
def test_perfect_answers_reach_the_best_value_and_wrong_ones_do_not(name: str) -> None:
    head = Head("face", Kind.CLASS, EXPRESSION8)
    target = one_hot([0, 1, 2, 3, 4, 5, 6, 7], 8)
    wrong = 0.9 * np.roll(target, 3, axis=0) + 0.1 / 8
    best, worst = (score(name, answer, target, head, ground=GROUND) for answer in (target, wrong))
    assert best == pytest.approx(1 if METRICS[name].higher_is_better else 0, abs=1e-9)
    assert (worst < best) if METRICS[name].higher_is_better else (worst > best)


def test_missing_rows_are_dropped_before_every_softmax_metric() -> None:
    output, target = rows_of((20, 8), 11), votes_of((20, 8), 12)
    head = Head("face", Kind.DISTRIBUTION, EXPRESSION8, metrics=tuple(SOFTMAX))
    gaps = target.copy()
    gaps[3:9] = np.nan
    kept = np.r_[0:3, 9:20]
    found = evaluate_head(head, output, gaps, ground=GROUND)
    assert found == pytest.approx(evaluate_head(head, output[kept], target[kept], ground=GROUND))
    assert found != pytest.approx(evaluate_head(head, output, target, ground=GROUND))
    assert [len(part) for part in metrics.present(output, gaps, head)] == [14, 14]


def test_missing_values_are_dropped_element_by_element() -> None:
    nan = np.nan
    target = np.array([[0.5, nan], [nan, 0.2], [-0.5, 0.4], [nan, nan]])
    output = np.array([[0.4, 9.0], [9.0, 0.2], [-0.2, 0.8], [nan, 9.0]])
    assert score_columns("mae", output, target, AFFECT) == pytest.approx([0.2, 0.2])
    assert len(metrics.present(output, target, AFFECT)[0]) == 3
    assert score("mae", output, target, AFFECT) == pytest.approx(0.2)
    broken = np.where(output == 0.8, nan, output)
    assert np.isnan(score("mae", broken, target, AFFECT))
    target[:, 1] = nan
    assert score_columns("mae", output, target, AFFECT) == pytest.approx([0.2, nan], nan_ok=True)
    assert score("mae", output, target, AFFECT) == pytest.approx(0.2)


@pytest.mark.parametrize("kind", list(Kind))
def test_nothing_annotated_or_a_network_that_answers_nan_scores_nan(kind: Kind) -> None:
    head = Head("head", kind, EXPRESSION8)
    head = replace(head, metrics=head.reported)
    output, target = rows_of((3, 8), 13), one_hot([0, 1, 2], 8)
    nothing = evaluate_head(head, output, np.full((3, 8), np.nan), ground=GROUND)
    broken = evaluate_head(head, np.full((3, 8), np.nan), target, ground=GROUND)
    none = evaluate_head(head, np.zeros((0, 8)), np.zeros((0, 8)), ground=GROUND)
    for values in (nothing, broken, none):
        assert [name for name, value in values.items() if not np.isnan(value)] == []
    assert list(nothing) == list(head.metrics)


def test_tags_are_counted_at_their_thresholds() -> None:
    target = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [np.nan] * 3])
    output = np.array([[0.5, 0.6, 0.1], [0.4, 0.9, 0.1], [0.9, 0.2, 0.1], [0.9, 0.9, 0.9]])
    calm, _, tense = per_class(TAGS, output, target)
    at_half = {"precision": 0.5, "recall": 0.5, "f1": 0.5, "average_precision": 1 / 4 + 1 / 3}
    assert calm == pytest.approx({"label": "calm", "support": 2, **at_half, "roc_auc": 0, "threshold": 0.5})
    calm, glad, _ = per_class(TAGS, output, target, [0.4, 0.95, 0.5])
    assert (calm["recall"], calm["precision"], calm["threshold"]) == (1, pytest.approx(2 / 3), 0.4)
    assert (glad["recall"], glad["threshold"]) == (0, 0.95)
    assert tense["support"] == 0
    assert np.isnan(
        [tense[key] for key in ("precision", "recall", "f1", "average_precision", "roc_auc")]
    ).all()


def test_a_tag_that_nobody_annotated_is_left_out() -> None:
    target = np.array([[1, np.nan, 0], [0, np.nan, 1], [0, np.nan, 1]])
    output = np.array([[0.9, 0.9, 0.9], [0.1, 0.9, 0.8], [0.2, 0.9, 0.1]])
    assert score("average_precision", output, target, TAGS) == pytest.approx((1 + (1 / 2 + 2 / 3) / 2) / 2)
    rows = per_class(TAGS, output, target)
    assert [row["support"] for row in rows] == [1, 0, 2]
    assert [row["precision"] for row in rows] == pytest.approx([1, np.nan, 0.5], nan_ok=True)


@pytest.mark.parametrize(
    ("name", "head", "words"),
    [
        ("acuracy", classes(3), "unknown metric 'acuracy', did you mean 'accuracy'"),
        ("ccc", classes(3), "metric 'ccc' does not fit head 'face' of kind class (these do: accuracy,"),
        (
            "kl",
            TAGS,
            "metric 'kl' does not fit head 'tags' of kind tags "
            "(these do: average_precision, ranking_loss, roc_auc)",
        ),
    ],
)
def test_a_metric_that_is_not_there_or_does_not_fit_is_named(name: str, head: Head, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        score(name, np.ones((1, 3)), np.ones((1, 3)), head)
    assert str(error.value).startswith(words)
    assert isinstance(metrics.metric_for("accuracy", classes(3)), Metric)


@pytest.mark.parametrize("shape", [(4,), (4, 1), (3, 3)])
def test_shapes_that_do_not_agree_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="head 'face'"):
        score("accuracy", np.ones(shape), np.ones((4, 3)), classes(3))


def test_importing_metrics_is_cheap() -> None:
    code = "import sys, mien.metrics; print({'sklearn', 'scipy', 'ot', 'torch', 'h5py'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"
