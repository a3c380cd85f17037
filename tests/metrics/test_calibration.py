"""Calibration errors, the parts of the Brier score and risk against coverage, against worked examples and
plain loops."""

from itertools import pairwise

import numpy as np
import pytest

from mien import metrics
from mien.metrics import calibration
from mien.metrics.calibration import calibration_record
from mien.tasks import TASKS

CLASS, VOTES = TASKS["expression7"].heads[0], TASKS["distribution8"].heads[0]
ERRORS = ["ece", "ece_equal_width", "classwise_ece", "vote_ece"]
ALL = [*ERRORS, "brier_reliability", "brier_resolution", "aurc"]


def answers(rows: int, labels: int, seed: int = 0) -> np.ndarray:
    scores = np.random.default_rng(seed).normal(0, 1.5, (rows, labels))
    powers = np.exp(scores)
    return powers / powers.sum(axis=1, keepdims=True)


def drawn(p: np.ndarray, seed: int = 1, votes: int = 1) -> np.ndarray:
    """Vote shares of raters who vote as the probabilities say."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.multinomial(votes, row) for row in p / p.sum(axis=1, keepdims=True)]) / votes


def slow_gap(said: np.ndarray, true: np.ndarray, bins: list[np.ndarray]) -> float:
    """Σ bin share · |mean said - mean true| of one column, bin by bin."""
    return sum(
        len(rows) / len(said) * abs(said[rows].mean() - true[rows].mean()) for rows in bins if len(rows)
    )


def equal_mass(said: np.ndarray) -> list[np.ndarray]:
    """Fifteen bins of equal size, for columns without ties whose length 15 divides."""
    return np.array_split(np.argsort(said), 15)


def equal_width(said: np.ndarray) -> list[np.ndarray]:
    edges = np.linspace(0, 1, 16)
    return [np.flatnonzero((said > low) & (said <= high)) for low, high in pairwise(edges)]


P, Q = answers(600, 8), drawn(answers(600, 8, seed=3), votes=10)


def test_each_error_is_what_a_plain_loop_gives() -> None:
    said, guess, top = P.max(axis=1), P.argmax(axis=1), Q.argmax(axis=1)
    right = (guess == top).astype(float)
    expected = {
        "ece": slow_gap(said, right, equal_mass(said)),
        "ece_equal_width": slow_gap(said, right, equal_width(said)),
        "classwise_ece": np.mean([slow_gap(P[:, k], top == k, equal_mass(P[:, k])) for k in range(8)]),
        "vote_ece": slow_gap(said, Q[np.arange(600), guess], equal_mass(said)),
    }
    for name, value in expected.items():
        assert metrics.score(name, P, Q, VOTES) == pytest.approx(value, abs=1e-12), name
    assert len(set(expected.values())) == 4


def test_a_worked_example() -> None:
    said = np.array([0.9] * 10 + [0.6] * 10)
    p = np.column_stack([said, 1 - said])
    q = np.eye(2)[[0] * 8 + [1] * 2 + [0] * 3 + [1] * 7]  # 8 of 10 right at 0.9, 3 of 10 at 0.6
    for figure in (calibration.ece, calibration.ece_equal_width, calibration.classwise_ece):
        assert figure(p, q)(np.ones((1, 20)))[0] == pytest.approx((0.1 + 0.3) / 2)
    assert calibration.reliability(p, q) == [
        {"confidence": pytest.approx(0.6), "accuracy": 0.3, "rows": 10},
        {"confidence": pytest.approx(0.9), "accuracy": 0.8, "rows": 10},
    ]
    # Half answered at risk 0.2, all at 9 / 20.
    assert calibration.aurc(p, q)(np.ones((1, 20)))[0] == pytest.approx((0.2 + 0.45) / 2)
    curve = calibration.risk_coverage(p, q)
    assert (curve["coverage"], curve["risk"]) == ([0.5, 1.0], [0.2, 0.45])


def test_equal_width_bins_hold_their_upper_edge() -> None:
    p = np.array([[0.6, 0.4], [0.5999, 0.4001], [1.0, 0.0]])
    right = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    # 0.6 = 9/15 closes the bin of 0.5999: together they are 0.59995 sure and half right.
    assert metrics.METRICS["ece_equal_width"].prepare(p, right)(np.ones((1, 3)))[0] == pytest.approx(
        2 / 3 * 0.09995
    )


def test_answers_that_mean_what_they_say_have_next_to_no_error() -> None:
    p = answers(60_000, 7)
    q = drawn(p)
    for name in ERRORS:
        assert metrics.score(name, p, q, CLASS) < 0.01
    sharp = p**2 / (p**2).sum(axis=1, keepdims=True)
    assert metrics.score("ece", sharp, q, CLASS) > 0.1
    assert metrics.score("brier_reliability", sharp, q, CLASS) > 20 * metrics.score(
        "brier_reliability", p, q, CLASS
    )


def test_votes_that_the_model_gives_exactly_are_no_error_though_labels_are() -> None:
    p = answers(3000, 8)
    assert metrics.score("vote_ece", p, p, VOTES) == pytest.approx(0, abs=1e-12)
    assert metrics.score("ece", p, p, VOTES) > 0.3


@pytest.mark.parametrize("name", ALL)
def test_the_order_of_faces_does_not_matter_even_where_they_tie(name: str) -> None:
    p, order = np.round(P[:, :7] + 0.01, 1), np.random.default_rng(2).permutation(600)
    q = np.eye(7)[Q[:, :7].argmax(axis=1)]
    assert metrics.score(name, p[order], q[order], CLASS) == pytest.approx(
        metrics.score(name, p, q, CLASS), abs=1e-12
    )


@pytest.mark.parametrize("name", ALL)
def test_weights_count_faces_in_the_bins_of_the_plain_data(name: str) -> None:
    one = metrics.statistic(name, P, Q, VOTES)
    weights = np.random.default_rng(5).integers(0, 3, (2, 600))
    twice = one(np.vstack([weights, 2 * weights]))
    assert twice[:2] == pytest.approx(twice[2:])
    assert np.isnan(one(np.zeros((1, 600)))[0])
    some = weights[0] > 0
    if name == "aurc":
        assert one(some[None].astype(int))[0] == pytest.approx(metrics.score(name, P[some], Q[some], VOTES))
    if name == "ece":
        said, right = P.max(axis=1), P.argmax(axis=1) == Q.argmax(axis=1)
        bins = [np.repeat(rows, weights[0][rows]) for rows in equal_mass(said)]
        gaps = [len(rows) * abs(said[rows].mean() - right[rows].mean()) for rows in bins if len(rows)]
        assert twice[0] == pytest.approx(sum(gaps) / weights[0].sum())


@pytest.mark.parametrize("target", [Q, np.eye(8)[Q.argmax(axis=1)]], ids=["votes", "labels"])
def test_the_parts_of_the_brier_score_add_up(target: np.ndarray) -> None:
    weights = np.vstack([np.ones(600), np.random.default_rng(6).integers(0, 3, 600)])
    parts = calibration.brier_parts(P, target)(weights)
    whole = parts["reliability"] - parts["resolution"] + parts["uncertainty"] + parts["within"]
    assert whole == pytest.approx(metrics.statistic("brier", P, target, VOTES)(weights), abs=1e-12)
    assert all((parts[name] >= 0).all() for name in ("reliability", "resolution", "uncertainty"))
    assert metrics.score("brier_reliability", P, target, VOTES) == pytest.approx(parts["reliability"][0])
    assert metrics.score("brier_resolution", P, target, VOTES) == pytest.approx(parts["resolution"][0])


def test_the_parts_of_an_answer_without_knowledge() -> None:
    target = np.eye(7)[[0] * 6 + [3] * 4]
    parts = calibration.brier_parts(np.broadcast_to(target.mean(axis=0), target.shape).copy(), target)(
        np.ones((1, 10))
    )
    expected = {"reliability": 0, "resolution": 0, "uncertainty": 2 * 0.6 * 0.4, "within": 0}
    assert {name: float(part[0]) for name, part in parts.items()} == pytest.approx(expected, abs=1e-12)


def test_the_area_under_risk_is_the_mean_risk_over_ranks() -> None:
    order = np.argsort(-P.max(axis=1))
    wrong = (P.argmax(axis=1) != Q.argmax(axis=1))[order]
    risks = np.cumsum(wrong) / np.arange(1, 601)
    assert metrics.score("aurc", P, Q, VOTES) == pytest.approx(risks.mean())
    curve = calibration.risk_coverage(P, Q)
    assert len(curve["coverage"]) == len(curve["risk"]) == 101
    assert curve["coverage"][-1] == 1
    assert curve["risk"][-1] == pytest.approx(1 - metrics.score("accuracy", P, Q, VOTES))
    assert curve["coverage"] == sorted(curve["coverage"])
    assert [risks[round(share * 600) - 1] for share in curve["coverage"]] == pytest.approx(curve["risk"])


def test_a_model_that_knows_when_it_errs_has_less_area() -> None:
    sure = np.where(np.arange(100) < 80, 0.9, 0.5)
    p, honest = np.column_stack([sure, 1 - sure]), np.eye(2)[(np.arange(100) >= 80).astype(int)]
    statistic = calibration.aurc
    assert statistic(p, honest)(np.ones((1, 100)))[0] == pytest.approx(0.2 * 0.2)
    assert statistic(p, honest[::-1])(np.ones((1, 100)))[0] > 0.2


SAID = {
    "temperature": {"distribution8": 1.5},
    "calibration": {"distribution8": {"method": "temperature", "split": "validation"}},
    "conformal": {"distribution8": {"level": 0.9, "threshold": 0.2, "split": "validation"}},
}


def test_what_results_say_of_a_head() -> None:
    gaps = Q.copy()
    gaps[::5] = np.nan
    record = calibration_record(VOTES, P, gaps, SAID)
    told, kept = record["calibration"], ~np.isnan(gaps).any(axis=1)
    assert {name: told[name] for name in ERRORS} == {
        name: metrics.score(name, P, gaps, VOTES) for name in ERRORS
    }
    assert (told["method"], told["temperature"], told["chosen_on"]) == ("temperature", 1.5, "validation")
    assert sum(line["rows"] for line in told["bins"]) == kept.sum() == 480
    assert len(told["bins"]) == 15
    brier = told["brier"]
    whole = brier["reliability"] - brier["resolution"] + brier["uncertainty"] + brier["within"]
    assert whole == pytest.approx(metrics.score("brier", P, gaps, VOTES))
    assert record["risk_coverage"]["aurc"] == metrics.score("aurc", P, gaps, VOTES)
    sets = record["conformal"]
    held = (P >= 0.2)[kept]
    held[np.arange(480), P[kept].argmax(axis=1)] = True
    assert sets["mean_size"] == pytest.approx(held.sum(axis=1).mean())
    assert sets["coverage"] == held[np.arange(480), gaps[kept].argmax(axis=1)].mean()
    assert sum(sets["sizes"].values()) == 480
    happy = VOTES.space.index("happy")
    assert sets["by_label"]["happy"] == held[gaps[kept].argmax(axis=1) == happy][:, happy].mean()
    assert (sets["level"], sets["threshold"], sets["chosen_on"], sets["cross_fitted"]) == (
        0.9,
        0.2,
        "validation",
        False,
    )


def test_coverage_on_the_faces_of_the_threshold_is_measured_across_folds() -> None:
    sets = calibration_record(VOTES, P, Q, SAID, same=True)["conformal"]
    assert sets["cross_fitted"] is True
    assert sets["coverage"] == pytest.approx(0.9, abs=0.02)
    assert sets["coverage"] != calibration_record(VOTES, P, Q, SAID)["conformal"]["coverage"]


def test_a_model_without_thresholds_and_a_target_of_labels_say_less() -> None:
    record = calibration_record(CLASS, P[:, :7], np.eye(7)[Q[:, :7].argmax(axis=1)], {})
    assert set(record) == {"calibration", "risk_coverage"}
    assert "vote_ece" not in record["calibration"]
    assert (record["calibration"]["method"], record["calibration"]["temperature"]) == ("none", None)


def test_nothing_is_said_of_other_kinds_or_of_nothing() -> None:
    assert calibration_record(VOTES, P, np.full_like(Q, np.nan), SAID) == {}
    assert calibration_record(VOTES, np.full_like(P, np.nan), Q, SAID) == {}
    tags = TASKS["emotic"].heads[0]
    assert calibration_record(tags, np.zeros((3, len(tags))), np.zeros((3, len(tags))), {}) == {}
