"""How far a prediction is from the raters: worked by hand, and against the metrics of whole sets."""

from __future__ import annotations

import numpy as np
import pytest

from mien import metrics
from mien.report.heads import scores
from mien.tasks import TASKS

RNG = np.random.default_rng(5)


def test_divergence_averages_to_the_metric() -> None:
    true, predicted = RNG.dirichlet(np.ones(8), 50), RNG.dirichlet(np.ones(8), 50)
    true[0] = np.eye(8)[3]
    head = TASKS["distribution8"].heads[0]
    found = scores.distance(head, true.astype(np.float32), predicted.astype(np.float32))
    assert found.mean() == pytest.approx(metrics.score("kl", predicted, true, head), rel=1e-5)
    assert found[0] == pytest.approx(-np.log(predicted[0, 3]), rel=1e-5)


def test_entropy() -> None:
    rows = np.array([[0.5, 0.5], [1.0, 0.0]], np.float32)
    np.testing.assert_allclose(scores.entropy(rows), [np.log(2), 0], atol=1e-9)


def test_surprise_of_tags() -> None:
    true, predicted = np.array([[1.0, 0.0]], np.float32), np.array([[0.8, 0.5]], np.float32)
    assert scores.surprise(true, predicted)[0] == pytest.approx(-(np.log(0.8) + np.log(0.5)) / 2, rel=1e-6)


def test_deviation_leaves_out_what_nobody_annotated() -> None:
    true = np.array([[0.3, np.nan], [0.0, 0.4]], np.float32)
    predicted = np.array([[0.0, 0.9], [0.3, 0.0]], np.float32)
    np.testing.assert_allclose(scores.deviation(true, predicted), [0.3, np.sqrt(0.125)], rtol=1e-6)
