"""Prediction sets keep their promise."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.metrics import conformal

RNG = np.random.default_rng(0)


def world(rows: int, rng: np.random.Generator, sharpen: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Answers (rows, 6) of a model that may be too sure, and true labels."""
    powers = np.exp(rng.normal(0, 1.5, (rows, 6)))
    p = powers / powers.sum(axis=1, keepdims=True)
    true = np.eye(6)[(p.cumsum(axis=1) < rng.random((rows, 1))).sum(axis=1).clip(max=5)]
    said = p**sharpen
    return said / said.sum(axis=1, keepdims=True), true


@pytest.mark.parametrize("sharpen", [1.0, 3.0, 0.3])
@pytest.mark.parametrize("level", [0.8, 0.9])
def test_new_faces_are_covered_as_promised_whatever_the_model(sharpen: float, level: float) -> None:
    rng, covered = np.random.default_rng(4), []
    for _ in range(200):
        p, true = world(400, rng, sharpen)
        limit = conformal.threshold(p[:200], true[:200], level)
        covered.append(conformal.measured(conformal.sets(p[200:], limit), true[200:])["coverage"])
    assert np.mean(covered) == pytest.approx(level, abs=0.01)


def test_coverage_across_folds_is_that_of_new_faces() -> None:
    p, true = world(4000, np.random.default_rng(8))
    found = conformal.measured(conformal.cross_fitted(p, true), true)
    assert found["coverage"] == pytest.approx(0.9, abs=0.01)
    assert found["mean_size"] == pytest.approx(sum(int(k) * n for k, n in found["sizes"].items()) / 4000)


@given(st.integers(1, 60), st.sampled_from([0.5, 0.8, 0.9, 0.95]))
def test_the_threshold_holds_just_enough_true_labels(rows: int, level: float) -> None:
    p, true = world(rows, np.random.default_rng(rows))
    limit = conformal.threshold(p, true, level)
    held = int((p[true > 0] >= limit).sum())
    needed = math.ceil(round((rows + 1) * level, 9))
    assert held == min(needed, rows)
    assert (limit == 0) == (needed > rows)


def test_no_set_is_empty_and_the_limit_belongs_to_it() -> None:
    p = np.array([[0.5, 0.3, 0.2], [0.4, 0.35, 0.25]])
    assert conformal.sets(p, 0.6).tolist() == [[True, False, False], [True, False, False]]
    assert conformal.sets(p, 0.3).tolist() == [[True, True, False], [True, True, False]]
    assert conformal.sets(p, 0.0).all()


def test_measured_by_hand() -> None:
    inside = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [1, 1, 1]], bool)
    true = np.eye(3)[[0, 2, 1, 2]]
    assert conformal.measured(inside, true) == {
        "coverage": 0.75,
        "mean_size": 2.0,
        "sizes": {"1": 1, "2": 2, "3": 1},
    }


def test_coverage_of_each_label() -> None:
    inside = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [1, 1, 1]], bool)
    found = conformal.by_label(inside, np.eye(3)[[0, 0, 0, 1]])
    np.testing.assert_array_equal(found, [2 / 3, 1, np.nan])


def test_folds_are_even_and_always_the_same() -> None:
    assert np.bincount(conformal.folds(103)).tolist() == [21, 21, 21, 20, 20]
    assert np.array_equal(conformal.folds(103), conformal.folds(103))
    assert not np.array_equal(conformal.folds(100), np.arange(100) % 5)
