"""Each metric against an independent implementation or a worked example, over several shapes."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from scipy.optimize import linprog
from scipy.spatial.distance import jensenshannon
from sklearn import metrics as reference

from mien import metrics
from mien.errors import ConfigError
from mien.labels import EXPRESSION7, EXPRESSION8, VAD, VALENCE_AROUSAL, LabelSpace
from mien.metrics import METRICS, Array, Metric, evaluate_head, per_class, score, score_columns
from mien.tasks import DEFAULT_METRICS, Head, Kind

SHAPES = [(1, 2), (40, 7), (300, 8)]
SOFTMAX = [name for name, metric in METRICS.items() if Kind.CLASS in metric.kinds]
AFFECT = Head("valence_arousal", Kind.VALUES, VALENCE_AROUSAL)
TAGS = Head("tags", Kind.TAGS, LabelSpace("mood", ("calm", "tired", "tense")))


def classes(size: int, kind: Kind = Kind.CLASS, space: LabelSpace | None = None) -> Head:
    return Head("face", kind, space or LabelSpace("letters", tuple("abcdefghij"[:size])))


def rows_of(shape: tuple[int, int], seed: int) -> Array:
    return np.random.default_rng(seed).dirichlet(np.full(shape[1], 0.5), shape[0])


def votes_of(shape: tuple[int, int], seed: int) -> Array:
    rng = np.random.default_rng(seed)
    return np.array([rng.multinomial(10, row) for row in rng.dirichlet(np.full(shape[1], 0.3), shape[0])]) / 10


def one_hot(truth: list[int], size: int) -> Array:
    return np.eye(size)[truth]


@pytest.fixture(params=SHAPES, ids=str)
def hard(request: pytest.FixtureRequest) -> tuple[Array, Array]:
    """Probabilities and one-hot targets."""
    output = rows_of(request.param, 1)
    return output, one_hot(
        list(np.random.default_rng(2).integers(0, request.param[1], request.param[0])), request.param[1]
    )


@pytest.fixture(params=SHAPES, ids=str)
def soft(request: pytest.FixtureRequest) -> tuple[Array, Array]:
    """Probabilities and ten-vote targets."""
    return rows_of(request.param, 1), votes_of(request.param, 2)


def test_every_default_metric_is_registered_and_fits_its_kind() -> None:
    for kind, names in DEFAULT_METRICS.items():
        assert all(kind in METRICS[name].kinds for name in names)
    assert all(name == metric.name for name, metric in METRICS.items())


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true:UserWarning")
def test_class_metrics_equal_scikit_learn(hard: tuple[Array, Array]) -> None:
    output, target = hard
    said, true, labels = output.argmax(axis=1), target.argmax(axis=1), range(target.shape[1])
    assert metrics.accuracy(output, target) == pytest.approx(reference.accuracy_score(true, said))
    assert metrics.balanced_accuracy(output, target) == pytest.approx(reference.balanced_accuracy_score(true, said))
    assert metrics.macro_f1(output, target) == pytest.approx(reference.f1_score(true, said, average="macro"))
    assert metrics.log_loss(output, target) == pytest.approx(reference.log_loss(true, output, labels=list(labels)))
    assert (metrics.confusion(output, target) == reference.confusion_matrix(true, said, labels=list(labels))).all()
    if len(target) > 1:
        assert metrics.kappa(output, target) == pytest.approx(reference.cohen_kappa_score(true, said))


def test_distribution_metrics_equal_scipy(soft: tuple[Array, Array]) -> None:
    output, target = soft
    pairs = list(zip(output, target, strict=True))
    assert metrics.kl(output, target) == pytest.approx(
        np.mean([stats.entropy(q, np.maximum(p, 1e-12)) for p, q in pairs])
    )
    assert metrics.js(output, target) == pytest.approx(np.mean([jensenshannon(p, q) ** 2 for p, q in pairs]))
    assert metrics.tvd(output, target) == pytest.approx(np.mean([sum(abs(p - q)) / 2 for p, q in pairs]))
    assert metrics.mse(output, target) == pytest.approx(reference.mean_squared_error(target, output))
    assert metrics.chebyshev(output, target) == pytest.approx(np.mean([max(abs(p - q)) for p, q in pairs]))
    cosines = np.diag(reference.pairwise.cosine_similarity(output, target))
    assert metrics.cosine(output, target) == pytest.approx(cosines.mean())
    assert metrics.intersection(output, target) == pytest.approx(1 - metrics.tvd(output, target))
    assert metrics.entropy(target) == pytest.approx(np.mean([stats.entropy(q) for q in target]))


def transport(p: Array, q: Array, distances: Array) -> float:
    """W1 as the linear programme it is defined by."""
    size = len(p)
    leaves, arrives = np.kron(np.eye(size), np.ones(size)), np.kron(np.ones(size), np.eye(size))
    plan = linprog(distances.ravel(), A_eq=np.vstack([leaves, arrives]), b_eq=np.concatenate([p, q]), method="highs")
    return float(plan.fun)


@pytest.mark.parametrize(
    "space", [EXPRESSION7, EXPRESSION8, LabelSpace("letters", tuple("abcd"))], ids=lambda s: s.name
)
def test_emd_is_the_least_cost_of_transport(space: LabelSpace) -> None:
    head = classes(0, Kind.DISTRIBUTION, space)
    output, target = rows_of((12, len(space)), 3), votes_of((12, len(space)), 4)
    least = [transport(p, q, np.array(space.distances(axes=2))) for p, q in zip(output, target, strict=True)]
    assert metrics.emd(output, target, head) == pytest.approx(np.mean(least), abs=1e-9)


class Line(LabelSpace):
    """Labels that lie on a line, one apart."""

    def distances(self, axes: int = 3) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(float(abs(i - j)) for j in range(len(self))) for i in range(len(self)))


def test_emd_on_a_line_equals_scipys_wasserstein_distance() -> None:
    head = classes(0, Kind.DISTRIBUTION, Line("line", tuple("abcdefgh")))
    output, target = rows_of((30, 8), 5), votes_of((30, 8), 6)
    spots = np.arange(8)
    expected = [stats.wasserstein_distance(spots, spots, p, q) for p, q in zip(output, target, strict=True)]
    assert metrics.emd(output, target, head) == pytest.approx(np.mean(expected), abs=1e-9)


def test_emd_without_positions_is_the_total_variation() -> None:
    head = classes(5, Kind.DISTRIBUTION)
    output, target = rows_of((20, 5), 7), votes_of((20, 5), 8)
    assert metrics.emd(output, target, head) == pytest.approx(metrics.tvd(output, target))


def test_emd_of_happy_for_sad_is_their_distance_in_single_precision_too() -> None:
    head = Head("face", Kind.DISTRIBUTION, EXPRESSION8, metrics=("emd",))
    happy, sad = EXPRESSION8.index("happy"), EXPRESSION8.index("sad")
    output, target = one_hot([happy], 8).astype(np.float32), one_hot([sad], 8).astype(np.float32)
    assert score("emd", output, target, head) == pytest.approx(EXPRESSION8.distances(axes=2)[happy][sad])
    third = np.full((4, 8), np.float32(1 / 3) * np.float32(0.375))
    assert score("emd", third, third, head) == pytest.approx(0, abs=1e-7)


def test_value_metrics_equal_scikit_learn_and_scipy() -> None:
    rng = np.random.default_rng(9)
    target = rng.uniform(-1, 1, (200, 2))
    output = 0.5 * target + rng.normal(0.1, 0.3, target.shape)
    for k in range(2):
        x, y = output[:, k], target[:, k]
        assert metrics.rmse(x, y) == pytest.approx(reference.root_mean_squared_error(y, x))
        assert metrics.mae(x, y) == pytest.approx(reference.mean_absolute_error(y, x))
        assert metrics.pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic)
        moments = np.cov(x, y, ddof=0)
        lin = 2 * moments[0, 1] / (moments[0, 0] + moments[1, 1] + (x.mean() - y.mean()) ** 2)
        assert metrics.ccc(x, y) == pytest.approx(lin)
        assert metrics.sagr(x, y, AFFECT) == pytest.approx(np.mean([a * b > 0 for a, b in zip(x, y, strict=True)]))
    for name in ("rmse", "mae", "pearson", "ccc", "sagr"):
        assert score(name, output, target, AFFECT) == pytest.approx(
            np.mean(score_columns(name, output, target, AFFECT))
        )


def test_ccc_of_a_worked_example() -> None:
    x, y = np.array([1.0, 2, 3]), np.array([2.0, 4, 6])
    assert metrics.ccc(x, y) == pytest.approx(2 * (4 / 3) / (2 / 3 + 8 / 3 + 4))
    assert metrics.ccc(np.zeros(3), np.ones(3)) == 0
    assert np.isnan(metrics.ccc(np.ones(3), np.ones(3)))


def test_sign_agreement_turns_on_the_middle_of_the_bounds() -> None:
    head = Head("vad", Kind.VALUES, VAD, bounds=(1.0, 10.0), metrics=("sagr",))
    output, target = np.full((1, 3), 6.0), np.array([[9.0, 5.0, 5.5]])
    assert score_columns("sagr", output, target, head) == [1, 0, 0]
    assert metrics.sagr(np.zeros(2), np.array([0.0, 0.1]), AFFECT) == 0.5


def brute_average_precision(scores: Array, true: Array) -> float:
    """Sum over thresholds of precision times gain in recall."""
    total, reached = 0.0, 0.0
    for threshold in sorted(set(scores.tolist()), reverse=True):
        said = scores >= threshold
        recall = float((true * said).sum() / true.sum())
        total += (recall - reached) * float((true * said).sum() / said.sum())
        reached = recall
    return total


@pytest.mark.parametrize("rows", [5, 60])
def test_average_precision_is_the_mean_over_tags_with_positives(rows: int) -> None:
    rng = np.random.default_rng(10)
    target = (rng.random((rows, 3)) < 0.4).astype(float)
    target[0], target[:, 2] = 1, 0
    output = rng.integers(0, 10, (rows, 3)) / 10
    expected = [brute_average_precision(output[:, k], target[:, k]) for k in range(2)]
    assert score("average_precision", output, target, TAGS) == pytest.approx(np.mean(expected))
    listed = [row["average_precision"] for row in per_class(TAGS, output, target)]
    assert listed == pytest.approx([*expected, np.nan], nan_ok=True)


BEST = {name: 1.0 if METRICS[name].higher_is_better else 0.0 for name in METRICS}


@pytest.mark.parametrize("name", SOFTMAX)
def test_perfect_answers_reach_the_best_value_and_wrong_ones_do_not(name: str) -> None:
    head = Head("face", Kind.CLASS, EXPRESSION8)
    target = one_hot([0, 1, 2, 3, 4, 5, 6, 7], 8)
    best, worst = score(name, target, target, head), score(name, np.roll(target, 1, axis=0), target, head)
    assert best == pytest.approx(BEST[name], abs=1e-9)
    assert (worst < best) if METRICS[name].higher_is_better else (worst > best)


def test_worst_answers_reach_the_worst_value() -> None:
    target, output = one_hot([0, 1], 2), one_hot([1, 0], 2)
    head = classes(2)
    expected = {
        "accuracy": 0, "balanced_accuracy": 0, "macro_f1": 0, "kappa": -1, "log_loss": 12 * np.log(10),
        "kl": 12 * np.log(10), "js": np.log(2), "tvd": 1, "mse": 1, "emd": 1, "chebyshev": 1, "cosine": 0,
        "intersection": 0, "top_label_accuracy": 0,
    }  # fmt: skip
    assert {name: score(name, output, target, head) for name in SOFTMAX} == pytest.approx(expected)


@pytest.mark.parametrize("name", ["rmse", "mae", "pearson", "ccc", "sagr"])
def test_values_perfect_and_reversed(name: str) -> None:
    target = np.array([[-0.8, 0.5], [0.2, -0.3], [0.6, -0.2]])
    assert score(name, target, target, AFFECT) == pytest.approx(BEST[name])
    worst = score(name, -target, target, AFFECT)
    assert worst == pytest.approx(-1 if name == "pearson" else worst)
    assert (worst < 0.1) if METRICS[name].higher_is_better else (worst > 0.5)


def test_missing_rows_are_dropped_before_every_softmax_metric() -> None:
    output, target = rows_of((20, 8), 11), votes_of((20, 8), 12)
    head = Head("face", Kind.DISTRIBUTION, EXPRESSION8)
    gaps = target.copy()
    gaps[3:9] = np.nan
    kept = np.r_[0:3, 9:20]
    assert evaluate_head(head, output, gaps) == pytest.approx(evaluate_head(head, output[kept], target[kept]))
    assert evaluate_head(head, output, gaps) != pytest.approx(evaluate_head(head, output, target))
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
    output, target = rows_of((3, 8), 13), one_hot([0, 1, 2], 8)
    nothing = evaluate_head(head, output, np.full((3, 8), np.nan))
    broken = evaluate_head(head, np.full((3, 8), np.nan), target)
    none = evaluate_head(head, np.zeros((0, 8)), np.zeros((0, 8)))
    assert all(np.isnan(list(values.values())).all() for values in (nothing, broken, none))
    assert list(nothing) == list(head.metrics)


def test_ties_go_to_the_first_label_on_both_sides() -> None:
    head = classes(3)
    votes, output = np.array([[0.5, 0.5, 0]]), np.array([[0.2, 0.4, 0.4]])
    assert score("accuracy", output, votes, head) == 0
    assert score("accuracy", np.array([[0.4, 0.4, 0.2]]), votes, head) == 1
    assert metrics.confusion(output, votes).tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]


def test_absent_classes_count_only_where_they_are_predicted() -> None:
    target, output = one_hot([0, 0, 1], 4), one_hot([0, 2, 1], 4)
    assert metrics.balanced_accuracy(output, target) == pytest.approx((0.5 + 1) / 2)
    assert metrics.macro_f1(output, target) == pytest.approx((2 / 3 + 1 + 0) / 3)
    rows = per_class(classes(4), output, target)
    assert [row["label"] for row in rows] == ["a", "b", "c", "d"]
    assert [row["support"] for row in rows] == [2, 1, 0, 0]
    assert [row["precision"] for row in rows] == pytest.approx([1, 1, 0, np.nan], nan_ok=True)
    assert [row["recall"] for row in rows] == pytest.approx([0.5, 1, np.nan, np.nan], nan_ok=True)
    assert [row["f1"] for row in rows] == pytest.approx([2 / 3, 1, 0, np.nan], nan_ok=True)


def test_kappa_is_undefined_where_all_is_one_class() -> None:
    assert np.isnan(metrics.kappa(one_hot([1, 1], 3), one_hot([1, 1], 3)))


def test_a_constant_column_has_no_correlation() -> None:
    assert np.isnan(metrics.pearson(np.full(9, 0.1), np.arange(9.0)))
    assert metrics.ccc(np.full(9, 0.1), np.arange(9.0)) == pytest.approx(0)


def test_tags_are_counted_at_their_thresholds() -> None:
    target = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [np.nan] * 3])
    output = np.array([[0.5, 0.6, 0.1], [0.4, 0.9, 0.1], [0.9, 0.2, 0.1], [0.9, 0.9, 0.9]])
    calm, _, tense = per_class(TAGS, output, target)
    at_half = {"precision": 0.5, "recall": 0.5, "f1": 0.5, "average_precision": 1 / 4 + 1 / 3, "threshold": 0.5}
    assert calm == pytest.approx({"label": "calm", "support": 2, **at_half})
    calm, glad, _ = per_class(TAGS, output, target, [0.4, 0.95, 0.5])
    assert (calm["recall"], calm["precision"], calm["threshold"]) == (1, pytest.approx(2 / 3), 0.4)
    assert (glad["recall"], glad["threshold"]) == (0, 0.95)
    assert tense["support"] == 0
    assert np.isnan([tense[key] for key in ("precision", "recall", "f1", "average_precision")]).all()


def test_a_tag_that_nobody_annotated_is_left_out() -> None:
    target = np.array([[1, np.nan, 0], [0, np.nan, 1], [0, np.nan, 1]])
    output = np.array([[0.9, 0.9, 0.9], [0.1, 0.9, 0.8], [0.2, 0.9, 0.1]])
    assert score("average_precision", output, target, TAGS) == pytest.approx((1 + (1 / 2 + 2 / 3) / 2) / 2)
    rows = per_class(TAGS, output, target)
    assert [row["support"] for row in rows] == [1, 0, 2]
    assert [row["precision"] for row in rows] == pytest.approx([1, np.nan, 0.5], nan_ok=True)


def test_a_column_that_never_changes_spoils_the_mean_correlation() -> None:
    target = np.random.default_rng(15).uniform(-1, 1, (9, 2))
    output = np.column_stack([target[:, 0], np.zeros(9)])
    assert score_columns("pearson", output, target, AFFECT) == pytest.approx([1, np.nan], nan_ok=True)
    assert np.isnan(score("pearson", output, target, AFFECT))


def test_cross_entropy_is_kl_plus_entropy(soft: tuple[Array, Array]) -> None:
    output, target = soft
    cross = -(target * np.log(np.maximum(output, 1e-12))).sum(axis=1).mean()
    assert metrics.kl(output, target) + metrics.entropy(target) == pytest.approx(cross)


def test_the_whole_set_counts_not_the_mean_of_batches() -> None:
    rng = np.random.default_rng(14)
    target, output = rng.uniform(-1, 1, 40), rng.uniform(-1, 1, 40)
    halves = np.mean([metrics.ccc(output[part], target[part]) for part in (slice(20), slice(20, 40))])
    assert metrics.ccc(output, target) != pytest.approx(halves)


@pytest.mark.parametrize(
    ("name", "head", "words"),
    [
        ("acuracy", classes(3), "unknown metric 'acuracy', did you mean 'accuracy'"),
        ("ccc", classes(3), "metric 'ccc' does not fit head 'face' of kind class (these do: accuracy,"),
        ("kl", TAGS, "metric 'kl' does not fit head 'tags' of kind tags (these do: average_precision)"),
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


def probabilities(size: int) -> st.SearchStrategy[Array]:
    weights = arrays(np.float64, (4, size), elements=st.floats(0, 1))
    return weights.map(lambda rows: (rows + 1e-9) / (rows + 1e-9).sum(axis=1, keepdims=True))


@settings(max_examples=40, deadline=None)
@given(output=probabilities(5), target=probabilities(5))
def test_distances_are_bounded_ordered_and_symmetric(output: Array, target: Array) -> None:
    head = classes(5)
    for name in ("js", "tvd", "mse", "emd", "chebyshev", "cosine", "intersection"):
        assert score(name, output, target, head) == pytest.approx(score(name, target, output, head), abs=1e-9)
        assert -1e-9 <= score(name, output, target, head) <= 1 + 1e-9
    tvd, kl = score("tvd", output, target, head), score("kl", output, target, head)
    assert score("chebyshev", output, target, head) <= tvd + 1e-9
    assert score("js", output, target, head) <= np.log(2) + 1e-9
    assert kl >= 2 * tvd**2 - 1e-9  # Pinsker


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_order_of_rows_and_labels_does_not_matter(data: st.DataObject) -> None:
    output, target = (
        data.draw(probabilities(4)),
        one_hot(data.draw(st.lists(st.integers(0, 3), min_size=4, max_size=4)), 4),
    )
    rows, labels = data.draw(st.permutations(range(4))), data.draw(st.permutations(range(4)))
    mixed = np.random.default_rng(0).uniform(0, 1e-3, output.shape) + output  # no ties
    for name in ("accuracy", "macro_f1", "kappa", "log_loss", "kl", "tvd", "emd", "cosine"):
        once = score(name, mixed, target, classes(4))
        other = score(name, mixed[rows][:, labels], target[rows][:, labels], classes(4))
        assert other == pytest.approx(once, nan_ok=True)


values = arrays(np.float64, (6,), elements=st.floats(-1, 1).map(lambda number: round(number, 3)))


@settings(max_examples=60, deadline=None)
@given(x=values, y=values)
def test_value_metrics_are_bounded_and_symmetric(x: Array, y: Array) -> None:
    for function in (metrics.pearson, metrics.ccc, metrics.rmse, metrics.mae):
        assert function(x, y) == pytest.approx(function(y, x), nan_ok=True)
    pearson, ccc = metrics.pearson(x, y), metrics.ccc(x, y)
    assert np.isnan(pearson) or abs(ccc) <= abs(pearson) + 1e-9 <= 1 + 2e-9
    assert metrics.mae(x, y) <= metrics.rmse(x, y) + 1e-12


def test_importing_metrics_is_cheap() -> None:
    code = "import sys, mien.metrics; print({'sklearn', 'scipy', 'ot', 'torch', 'h5py'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"
