"""Figures of top labels and class probabilities, against scikit-learn and worked examples."""

import numpy as np
import pytest
from sklearn import metrics as reference
from sklearn.preprocessing import label_binarize

from mien import metrics
from mien.labels import LabelSpace
from mien.metrics import Array, per_class, score
from mien.tasks import Head, Kind
from tests.metrics.made import SHAPES, classes, hard_of, one_hot, rows_of, votes_of


@pytest.fixture(params=SHAPES, ids=str)
def faces(request: pytest.FixtureRequest) -> tuple[Array, Array]:
    """Probabilities and one-hot targets."""
    return rows_of(request.param, 1), hard_of(request.param, 2)


def of(name: str, output: Array, target: Array) -> float:
    return score(name, output, target, classes(target.shape[1]))


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true:UserWarning")
def test_figures_of_top_labels_equal_scikit_learn(faces: tuple[Array, Array]) -> None:
    output, target = faces
    said, true, labels = output.argmax(axis=1), target.argmax(axis=1), range(target.shape[1])
    f1, precision = reference.f1_score, reference.precision_score
    expected = {
        "accuracy": reference.accuracy_score(true, said),
        "top_label_accuracy": reference.accuracy_score(true, said),
        "balanced_accuracy": reference.balanced_accuracy_score(true, said),
        "macro_precision": precision(true, said, average="macro", zero_division=0),
        "weighted_precision": precision(true, said, average="weighted", zero_division=0),
        "macro_f1": f1(true, said, average="macro"),
        "weighted_f1": f1(true, said, average="weighted"),
        "mcc": reference.matthews_corrcoef(true, said),
        "log_loss": reference.log_loss(true, output, labels=list(labels)),
    }
    assert {name: of(name, output, target) for name in expected} == pytest.approx(expected)
    assert (
        metrics.confusion(output, target) == reference.confusion_matrix(true, said, labels=list(labels))
    ).all()
    if len(target) > 1:
        assert of("kappa", output, target) == pytest.approx(reference.cohen_kappa_score(true, said))


@pytest.mark.parametrize("shape", [(40, 7), (300, 8)], ids=str)
@pytest.mark.parametrize("decimals", [1, 9], ids=["ties", "no ties"])
def test_areas_and_top_3_equal_scikit_learn(shape: tuple[int, int], decimals: int) -> None:
    output, target = rows_of(shape, 1), hard_of(shape, 2)
    true, labels = target.argmax(axis=1), range(shape[1])
    assert len(set(true)) == shape[1]
    assert of("top_3_accuracy", output, target) == pytest.approx(
        reference.top_k_accuracy_score(true, output, k=3, labels=list(labels))
    )
    rounded, flags = output.round(decimals), label_binarize(true, classes=list(labels))
    assert of("macro_pr_auc", rounded, target) == pytest.approx(
        reference.average_precision_score(flags, rounded)
    )
    roc = [reference.roc_auc_score(flags[:, k], rounded[:, k]) for k in labels]
    assert of("macro_roc_auc", rounded, target) == pytest.approx(np.mean(roc))
    rows = per_class(classes(shape[1]), rounded, target)
    assert [row["roc_auc"] for row in rows] == pytest.approx(roc)
    assert np.mean([row["average_precision"] for row in rows]) == pytest.approx(
        of("macro_pr_auc", rounded, target)
    )


def test_votes_count_by_their_top_label() -> None:
    output, votes = rows_of((200, 5), 1), votes_of((200, 5), 2)
    top = one_hot(votes.argmax(axis=1).tolist(), 5)
    for name in (
        "accuracy",
        "top_3_accuracy",
        "macro_f1",
        "mcc",
        "macro_roc_auc",
        "macro_pr_auc",
        "log_loss",
    ):
        assert of(name, output, votes) == of(name, output, top)


def test_ties_go_to_the_first_label_on_both_sides() -> None:
    votes, output = np.array([[0.5, 0.5, 0]]), np.array([[0.2, 0.4, 0.4]])
    assert of("accuracy", output, votes) == 0
    assert of("accuracy", np.array([[0.4, 0.4, 0.2]]), votes) == 1
    assert metrics.confusion(output, votes).tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert of("top_3_accuracy", np.full((4, 4), 0.25), np.eye(4)) == 0.75


def test_absent_classes_count_only_where_they_are_predicted() -> None:
    target, output = one_hot([0, 0, 1], 4), one_hot([0, 2, 1], 4)
    assert of("balanced_accuracy", output, target) == pytest.approx((0.5 + 1) / 2)
    assert of("macro_f1", output, target) == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert of("macro_precision", output, target) == pytest.approx((1 + 1 + 0) / 3)
    rows = per_class(classes(4), output, target)
    expected = {
        "support": [2, 1, 0, 0],
        "precision": [1, 1, 0, np.nan],
        "recall": [0.5, 1, np.nan, np.nan],
        "f1": [2 / 3, 1, 0, np.nan],
        "average_precision": [0.5 + 0.5 * 2 / 3, 1, np.nan, np.nan],
        "roc_auc": [0.75, 1, np.nan, np.nan],
    }
    assert [row["label"] for row in rows] == ["a", "b", "c", "d"]
    for name, column in expected.items():
        assert [row[name] for row in rows] == pytest.approx(column, nan_ok=True), name
    assert of("macro_roc_auc", output, target) == pytest.approx((0.75 + 1) / 2)


def test_a_class_that_is_never_said_has_no_precision_but_counts_as_0() -> None:
    target, output = one_hot([0, 0, 0, 1], 2), one_hot([0, 0, 0, 0], 2)
    assert of("macro_precision", output, target) == pytest.approx(0.75 / 2)
    assert of("weighted_precision", output, target) == pytest.approx(0.75 * 0.75)


def test_where_all_is_one_class_agreement_is_undefined() -> None:
    same = one_hot([1, 1], 3)
    undefined = {
        "kappa": np.nan,
        "macro_roc_auc": np.nan,
        "mcc": 0,
        "macro_pr_auc": 1,
        "balanced_accuracy": 1,
    }
    found = {name: of(name, same, same) for name in undefined}
    assert found == pytest.approx(undefined, nan_ok=True)


def test_mcc_of_one_side_in_one_class_is_0_with_weights_that_do_not_add_up_exactly() -> None:
    output, target = one_hot([0] * 30, 12), hard_of((30, 12), 3)
    head = Head("face", Kind.CLASS, LabelSpace("dozen", tuple("abcdefghijkl")))
    found = metrics.statistic("mcc", output, target, head)
    assert found(np.random.default_rng(4).random((20, 30))).tolist() == [0.0] * 20
