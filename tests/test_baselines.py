"""What figures are measured against: worked examples, brute force and the limits that theory gives."""

import math
from dataclasses import replace

import numpy as np
import pytest

from mien import baselines
from mien.labels import EXPRESSION8, LabelSpace
from mien.metrics import METRICS, evaluate_head, score
from mien.metrics.distributions import entropies
from mien.tasks import Head, Kind

ABC = LabelSpace("abc", ("a", "b", "c"))
FACE = Head("face", Kind.CLASS, ABC, metrics=("accuracy", "kappa", "log_loss", "macro_f1"))
VOTES = Head("votes", Kind.DISTRIBUTION, ABC, metrics=("kl", "tvd", "mse", "top_label_accuracy"))
TAGS = Head("tags", Kind.TAGS, ABC)
AFFECT = Head("affect", Kind.VALUES, ABC, metrics=("rmse", "mae", "pearson"))
EVERY = tuple(name for name, metric in METRICS.items() if Kind.DISTRIBUTION in metric.kinds)
EIGHT = replace(VOTES, space=EXPRESSION8, metrics=EVERY)
GROUND = EXPRESSION8.distances()

#: Ten votes a face; the second face was not annotated, the last two are alike.
CAST = np.array([[8, 2, 0], [math.nan] * 3, [1, 9, 0], [0, 5, 5], [2, 2, 6], [2, 2, 6]])
SHARES = CAST / CAST.sum(axis=1, keepdims=True)
TRAINING = np.array([[1.0, 0, 0], [0.6, 0.4, 0], [0.2, 0.8, 0], [math.nan] * 3])


def ten_votes(rng: np.random.Generator, rows: int = 60) -> np.ndarray:
    return rng.multinomial(10, rng.dirichlet(np.full(8, 0.4), rows)).astype(float)


def test_equal_shares_take_a_top_label_at_random() -> None:
    """Every figure by hand: one row of a, three of b, none of c, each answered a, b or c as often."""
    target = np.eye(3)[[0, 1, 1, 1]]
    found = baselines.for_head(FACE, target, target)["uniform"]
    f1 = [2 * (1 / 3) / (1 + 4 / 3), 2 * 1 / (3 + 4 / 3), 0]
    expected = {"accuracy": 1 / 3, "kappa": 0, "log_loss": math.log(3), "macro_f1": sum(f1) / 3}
    assert found == pytest.approx(expected, abs=1e-8)


def test_equal_shares_are_exact_for_distributions() -> None:
    known = SHARES[~np.isnan(SHARES).any(axis=1)]
    found = baselines.for_head(VOTES, SHARES, TRAINING)["uniform"]
    assert found["kl"] == pytest.approx(math.log(3) - entropies(known).mean(), abs=1e-8)
    assert found["tvd"] == pytest.approx(np.abs(known - 1 / 3).sum(axis=1).mean() / 2, abs=1e-8)
    assert found["top_label_accuracy"] == pytest.approx(1 / 3)


def test_the_marginal_is_the_mean_of_what_was_annotated() -> None:
    assert baselines.marginal(TRAINING) == pytest.approx([0.6, 0.4, 0])
    found = baselines.for_head(FACE, np.eye(3)[[0, 0, 1]], TRAINING)["marginal"]
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["log_loss"] == pytest.approx(-(2 * math.log(0.6) + math.log(0.4)) / 3)


def test_the_oracle_answers_the_training_mean_of_the_true_top_label() -> None:
    """b on top: (.2, .8, 0); a: the mean of two rows; c is never on top in training, so everyone's mean."""
    means = baselines.class_means(TRAINING)
    assert means == pytest.approx(np.array([[0.8, 0.2, 0], [0.2, 0.8, 0], [0.6, 0.4, 0]]))
    found = baselines.for_head(VOTES, SHARES, TRAINING)["oracle"]
    assert found == pytest.approx(evaluate_head(VOTES, means[[0, 0, 1, 1, 2, 2]], SHARES))


def test_counting_equal_targets_together_changes_nothing() -> None:
    """Every metric there is, against answers written out row by row."""
    rng = np.random.default_rng(1)
    votes, training = ten_votes(rng), ten_votes(rng) / 10
    shares = np.concatenate([votes, votes[:20]]) / 10
    found = baselines.for_head(EIGHT, shares, training, ground=GROUND)
    assert set(found) == {"uniform", "marginal", "oracle"}
    rows = np.tile(baselines.marginal(training), (len(shares), 1))
    assert found["marginal"] == pytest.approx(evaluate_head(EIGHT, rows, shares, ground=GROUND))
    rows = baselines.class_means(training)[shares.argmax(axis=1)]
    assert found["oracle"] == pytest.approx(evaluate_head(EIGHT, rows, shares, ground=GROUND))
    even = np.full(shares.shape, 1 / 8)
    for name in (
        "kl",
        "js",
        "emd",
        "emd_vad",
        "emd_votes",
        "emd_index",
        "rps",
        "clark",
        "entropy_error",
        "brier",
    ):
        assert found["uniform"][name] == pytest.approx(
            score(name, even, shares, EIGHT, ground=GROUND), abs=1e-6
        ), name
    assert found["uniform"]["top_3_accuracy"] == pytest.approx(3 / 8)
    assert found["uniform"]["macro_roc_auc"] == pytest.approx(1 / 2)


def test_the_noise_floor_is_other_annotators_of_the_same_faces() -> None:
    """By hand, row by row, from the same seed."""
    prior = baselines.marginal(TRAINING)
    truth, fresh = baselines.redrawn(CAST, prior, seed=5)
    cast = CAST[~np.isnan(CAST).any(axis=1)]
    assert truth == pytest.approx((cast + prior) / 11)
    rng = np.random.default_rng(5)
    assert fresh.tolist() == [(rng.multinomial(10, row) / 10).tolist() for row in truth]
    found = baselines.for_head(VOTES, SHARES, TRAINING, CAST, seed=5)["noise_floor"]
    assert found == pytest.approx(evaluate_head(VOTES, truth, fresh))
    assert baselines.for_head(VOTES, SHARES, TRAINING, CAST, seed=6)["noise_floor"] != found


def test_the_noise_floor_of_many_votes_is_that_of_theory() -> None:
    """KL of a multinomial draw of n votes from its own distribution is (K - 1) / 2n for large n; squares are
    Σ q (1 - q) / nK."""
    cast = np.tile([300.0, 500.0, 200.0], (4000, 1))
    truth, fresh = baselines.redrawn(cast)
    assert score("kl", truth, fresh, VOTES) == pytest.approx(2 / 2000, rel=0.05)
    assert score("mse", truth, fresh, VOTES) == pytest.approx((0.21 + 0.25 + 0.16) / 3000, rel=0.05)


def test_rows_have_as_many_new_votes_as_they_had() -> None:
    _, fresh = baselines.redrawn(np.array([[3.0, 1, 0], [0, 0, 0], [0, 1, 1]]), 0.0)
    assert len(fresh) == 2
    assert (fresh[0] * 4 == np.round(fresh[0] * 4)).all()
    assert fresh[1][0] == 0
    assert fresh.sum(axis=1) == pytest.approx([1, 1])


@pytest.mark.parametrize(
    ("votes", "told"),
    [
        (CAST, True),
        (SHARES, False),
        (np.eye(3), False),  # shares too: a single vote says nothing of noise
        (np.array([[1.0, 0, 0], [1, 1, 0]]), True),
        (np.full((2, 3), math.nan), False),
        (np.zeros((0, 3)), False),
    ],
)
def test_votes_are_told_from_shares(votes: np.ndarray, told: bool) -> None:
    assert baselines.are_votes(votes) is told
    training = np.eye(3)
    assert ("noise_floor" in baselines.for_head(VOTES, SHARES, training, votes)) is told


def test_classes_have_neither_oracle_nor_noise_floor() -> None:
    assert set(baselines.for_head(FACE, np.eye(3), np.eye(3), CAST)) == {"uniform", "marginal"}


def test_tags_and_values_have_the_marginal_alone() -> None:
    target = np.array([[1, 0, math.nan], [0, 1, 1], [1, 0, 0.0]])
    found = baselines.for_head(TAGS, target, target)
    assert list(found) == ["marginal"]
    assert found["marginal"]["average_precision"] == pytest.approx((2 / 3 + 1 / 3 + 1 / 2) / 3)
    found = baselines.for_head(AFFECT, target, target * 2)
    means = np.nanmean(target * 2, axis=0)
    assert found["marginal"]["mae"] == pytest.approx(np.nanmean(np.abs(target - means), axis=0).mean())
    assert math.isnan(found["marginal"]["pearson"])


def test_what_nobody_annotated_is_undefined() -> None:
    nothing = np.full((4, 3), math.nan)
    for head in (FACE, VOTES, TAGS, AFFECT):
        for name, found in baselines.for_head(head, nothing, nothing).items():
            assert all(math.isnan(value) for value in found.values()), name
