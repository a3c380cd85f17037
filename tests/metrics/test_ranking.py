"""How well tags rank, against scikit-learn, brute force and worked examples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from mien.metrics import Array, per_class, score, score_columns, statistic
from tests.metrics.made import TAGS, coarse, tags_of

SHAPES = [(5, 3), (60, 3), (700, 3)]


def brute_average_precision(scores: Array, true: Array) -> float:
    """Sum over thresholds of precision times gain in recall."""
    total, reached = 0.0, 0.0
    for threshold in sorted(set(scores.tolist()), reverse=True):
        said = scores >= threshold
        recall = float((true * said).sum() / true.sum())
        total += (recall - reached) * float((true * said).sum() / said.sum())
        reached = recall
    return total


def brute_roc_auc(scores: Array, true: Array) -> float:
    """Share of pairs in the right order, ties halved."""
    gaps = scores[true > 0.5][:, None] - scores[true < 0.5]
    return float(((gaps > 0) + 0.5 * (gaps == 0)).mean())


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("ties", [True, False], ids=["ties", "no ties"])
def test_areas_equal_scikit_learn(shape: tuple[int, int], ties: bool) -> None:
    output = coarse(shape, 1) if ties else np.random.default_rng(1).random(shape)
    target = tags_of(shape, 2)
    target[0], target[1] = 1, 0
    for name, figure in (
        ("average_precision", reference.average_precision_score),
        ("roc_auc", reference.roc_auc_score),
    ):
        expected = [figure(target[:, k], output[:, k]) for k in range(3)]
        assert score_columns(name, output, target, TAGS) == pytest.approx(expected)
        assert score(name, output, target, TAGS) == pytest.approx(np.mean(expected))
        assert [row[name] for row in per_class(TAGS, output, target)] == pytest.approx(expected)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=12))
def test_areas_equal_brute_force(pairs: list[tuple[int, bool]]) -> None:
    output, true = (np.array(side, float) for side in zip(*pairs, strict=True))
    wide = np.column_stack([output] * 3), np.column_stack([true] * 3)
    precision = brute_average_precision(output, true) if true.any() else np.nan
    area = brute_roc_auc(output, true) if 0 < true.sum() < len(true) else np.nan
    assert score("average_precision", *wide, TAGS) == pytest.approx(precision, nan_ok=True)
    assert score("roc_auc", *wide, TAGS) == pytest.approx(area, nan_ok=True)


def test_areas_of_a_worked_example() -> None:
    output, target = np.array([[0.9], [0.8], [0.7], [0.6]]), np.array([[1.0], [0], [1], [0]])
    wide = np.repeat(output, 3, axis=1), np.repeat(target, 3, axis=1)
    assert score("average_precision", *wide, TAGS) == pytest.approx((1 + 2 / 3) / 2)
    assert score("roc_auc", *wide, TAGS) == pytest.approx(3 / 4)
    same = np.full((4, 3), 0.5)
    assert score("average_precision", same, wide[1], TAGS) == pytest.approx(0.5)
    assert score("roc_auc", same, wide[1], TAGS) == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["average_precision", "roc_auc"])
def test_the_mean_is_over_the_tags_for_which_it_is_defined(name: str) -> None:
    output, target = coarse((30, 3), 3), tags_of((30, 3), 4)
    target[:, 2] = 0
    columns = score_columns(name, output, target, TAGS)
    assert np.isnan(columns).tolist() == [False, False, True]
    assert score(name, output, target, TAGS) == pytest.approx(np.mean(columns[:2]))
    target[:, 1] = np.nan
    assert score(name, output, target, TAGS) == pytest.approx(columns[0])
    assert np.isnan(score(name, output, np.zeros((30, 3)), TAGS))


def test_a_tag_that_a_draw_leaves_without_positives_does_not_spoil_the_draw() -> None:
    output, target = coarse((30, 3), 3), tags_of((30, 3), 4)
    target[:, 2] = np.arange(30) == 7
    drawn = np.ones((2, 30))
    drawn[1, 7] = 0
    both = statistic("average_precision", output, target, TAGS)(drawn)
    rest = np.arange(30) != 7
    assert both[1] == pytest.approx(score("average_precision", output[rest], target[rest], TAGS))
    assert both[0] != pytest.approx(both[1])


def test_large_sets_do_not_overflow() -> None:
    rng = np.random.default_rng(5)
    target = (rng.random((200_000, 1)) < 0.5).astype(float)
    output = rng.random((200_000, 1)) + 0.2 * target
    wide = np.repeat(output, 3, axis=1), np.repeat(target, 3, axis=1)
    drawn = np.full((1, 200_000), 200, np.uint8)
    for name, figure in (
        ("average_precision", reference.average_precision_score),
        ("roc_auc", reference.roc_auc_score),
    ):
        assert statistic(name, *wide, TAGS)(drawn)[0] == pytest.approx(figure(target[:, 0], output[:, 0]))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_ranking_loss_equals_scikit_learn(shape: tuple[int, int]) -> None:
    output, target = coarse(shape, 6), tags_of(shape, 7)
    expected = reference.label_ranking_loss(target, output)
    assert 0 < expected < 1
    assert score("ranking_loss", output, target, TAGS) == pytest.approx(expected)


def test_ranking_loss_leaves_out_tags_that_nobody_annotated() -> None:
    output = np.array([[0.9, 0.5, 0.1], [0.1, 0.5, 0.9], [0.3, 0.2, 0.1]])
    target = np.array([[0, 1, np.nan], [1, np.nan, 0], [np.nan] * 3])
    assert score("ranking_loss", output, target, TAGS) == 1
    target[0] = [0, 1, 0]
    assert score("ranking_loss", output, target, TAGS) == pytest.approx((1 / 2 + 1) / 2)
    target[1] = [1, 1, 1]
    assert score("ranking_loss", output, target, TAGS) == pytest.approx((1 / 2 + 0) / 2)
