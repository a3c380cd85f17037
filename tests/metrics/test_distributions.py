"""Distances between distributions, against scipy, scikit-learn, linear programmes and worked examples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from scipy.linalg import sqrtm
from scipy.optimize import linprog
from scipy.spatial import distance
from sklearn import metrics as reference

from mien.labels import EXPRESSION7, EXPRESSION8, LabelSpace
from mien.metrics import Array, score
from mien.metrics.distributions import entropies, vote_distances
from mien.tasks import Head, Kind
from tests.metrics.made import SHAPES, classes, one_hot, rows_of, votes_of

FACE = Head("face", Kind.DISTRIBUTION, EXPRESSION8)


@pytest.fixture(params=SHAPES, ids=str)
def faces(request: pytest.FixtureRequest) -> tuple[Array, Array]:
    """Probabilities and ten-vote targets."""
    return rows_of(request.param, 1), votes_of(request.param, 2)


def of(name: str, output: Array, target: Array) -> float:
    return score(name, output, target, classes(target.shape[1], Kind.DISTRIBUTION))


def test_distances_equal_scipy_and_scikit_learn(faces: tuple[Array, Array]) -> None:
    output, target = faces
    pairs, places = list(zip(output, target, strict=True)), np.arange(output.shape[1])
    crps = [np.square(np.cumsum(p) - np.cumsum(q)).sum() for p, q in pairs]
    expected = {
        "kl": np.mean([stats.entropy(q, np.maximum(p, 1e-12)) for p, q in pairs]),
        "js": np.mean([distance.jensenshannon(p, q) ** 2 for p, q in pairs]),
        "l1": np.mean([distance.cityblock(p, q) for p, q in pairs]),
        "tvd": np.mean([distance.cityblock(p, q) / 2 for p, q in pairs]),
        "mse": reference.mean_squared_error(target, output),
        "brier": np.mean([distance.sqeuclidean(p, q) for p, q in pairs]),
        "chebyshev": np.mean([distance.chebyshev(p, q) for p, q in pairs]),
        "canberra": np.mean([distance.canberra(p, q) for p, q in pairs]),
        "clark": np.mean([
            np.sqrt(sum(distance.canberra([a], [b]) ** 2 for a, b in zip(p, q, strict=True)))
            for p, q in pairs
        ]),
        "cosine": np.mean([1 - distance.cosine(p, q) for p, q in pairs]),
        "intersection": np.mean([1 - distance.cityblock(p, q) / 2 for p, q in pairs]),
        "rps": np.mean(crps),
        "entropy_error": np.mean([abs(stats.entropy(p) - stats.entropy(q)) for p, q in pairs]),
        "emd_index": np.mean([stats.wasserstein_distance(places, places, p, q) for p, q in pairs]),
    }  # fmt: skip
    assert {name: of(name, output, target) for name in expected} == pytest.approx(expected)
    assert entropies(target) == pytest.approx(np.array([stats.entropy(q) for q in target]))


def test_distances_of_a_worked_example() -> None:
    p, q = np.array([[0.5, 0.5, 0.0]]), np.array([[1.0, 0.0, 0.0]])
    third = 1 / 3  # of the first label: (1 - 0.5) / (1 + 0.5)
    expected = {
        "kl": np.log(2), "l1": 1, "tvd": 0.5, "mse": 0.5 / 3, "brier": 0.5, "chebyshev": 0.5,
        "cosine": 1 / np.sqrt(2), "intersection": 0.5, "canberra": third + 1, "clark": np.sqrt(third**2 + 1),
        "rps": 0.25, "emd_index": 0.5, "entropy_error": np.log(2),
        "js": (np.log(4 / 3) + 0.5 * np.log(2 / 3) + 0.5 * np.log(2)) / 2, "emd": 0.5,
    }  # fmt: skip
    assert {name: of(name, p, q) for name in expected} == pytest.approx(expected)


def test_the_opposite_of_the_truth_is_as_far_as_can_be() -> None:
    target, output = one_hot([0, 1], 2), one_hot([1, 0], 2)
    expected = {
        "kl": 12 * np.log(10), "js": np.log(2), "l1": 2, "tvd": 1, "mse": 1, "brier": 2, "emd": 1,
        "emd_vad": 1, "chebyshev": 1, "clark": np.sqrt(2), "canberra": 2, "cosine": 0, "intersection": 0,
        "rps": 1, "entropy_error": 0,
    }  # fmt: skip
    assert {name: of(name, output, target) for name in expected} == pytest.approx(expected)


def transport(p: Array, q: Array, distances: Array) -> float:
    """W1 as the linear programme it is defined by."""
    size = len(p)
    leaves, arrives = np.kron(np.eye(size), np.ones(size)), np.kron(np.ones(size), np.eye(size))
    plan = linprog(
        distances.ravel(), A_eq=np.vstack([leaves, arrives]), b_eq=np.concatenate([p, q]), method="highs"
    )
    return float(plan.fun)


@pytest.mark.parametrize(
    "space", [EXPRESSION7, EXPRESSION8, LabelSpace("letters", tuple("abcd"))], ids=lambda s: s.name
)
def test_emd_is_the_least_cost_of_transport(space: LabelSpace) -> None:
    output, target = rows_of((12, len(space)), 3), votes_of((12, len(space)), 4)
    ground = vote_distances(votes_of((60, len(space)), 5))
    head = Head("face", Kind.DISTRIBUTION, space)
    for name, apart in {
        "emd": space.distances(2),
        "emd_vad": space.distances(3),
        "emd_votes": ground,
    }.items():
        least = [transport(p, q, np.array(apart)) for p, q in zip(output, target, strict=True)]
        assert score(name, output, target, head, ground=ground) == pytest.approx(np.mean(least), abs=1e-9), (
            name
        )


def test_emd_without_positions_is_the_total_variation() -> None:
    output, target = rows_of((20, 5), 7), votes_of((20, 5), 8)
    assert of("emd", output, target) == pytest.approx(of("tvd", output, target))


def test_emd_of_happy_for_sad_is_their_distance_in_single_precision_too() -> None:
    happy, sad = EXPRESSION8.index("happy"), EXPRESSION8.index("sad")
    output, target = one_hot([happy], 8).astype(np.float32), one_hot([sad], 8).astype(np.float32)
    assert score("emd", output, target, FACE) == pytest.approx(EXPRESSION8.distances(axes=2)[happy][sad])
    assert score("emd", output, target, FACE) == pytest.approx(1.638, abs=1e-3)
    third = np.full((4, 8), np.float32(1 / 3) * np.float32(0.375))
    assert score("emd", third, third, FACE) == pytest.approx(0, abs=1e-7)


def test_anger_and_fear_are_near_until_dominance_parts_them() -> None:
    output, target = (one_hot([EXPRESSION8.index(label)], 8) for label in ("angry", "fear"))
    assert score("emd", output, target, FACE) == pytest.approx(0.130, abs=1e-3)
    assert score("emd_vad", output, target, FACE) == pytest.approx(0.692, abs=1e-3)


def test_emd_by_votes_is_undefined_without_votes() -> None:
    output, target = rows_of((9, 8), 1), votes_of((9, 8), 2)
    assert np.isnan(score("emd_votes", output, target, FACE))
    found = score("emd_votes", output, target, FACE, ground=vote_distances(target))
    assert 0 < found < score("tvd", output, target, FACE) + 1e-9


def test_labels_are_apart_by_how_rarely_they_are_given_together() -> None:
    votes = np.array([[5, 5, 0, 0], [6, 4, 0, 0], [0, 0, 10, 0], [0, 0, 8, 2], [0, 0, 0, 0], [np.nan] * 4])
    apart = np.array(vote_distances(votes))
    first, second, third = [0.5, 0.6], [0.5, 0.4], [1, 0.8]
    near = 1 - np.dot(first, second) / np.linalg.norm(first) / np.linalg.norm(second)
    assert apart[0, 1] == pytest.approx(near)
    assert apart[2, 3] == pytest.approx(1 - 0.8 / np.linalg.norm(third))
    assert apart[:2, 2:] == pytest.approx(1, abs=1e-9)
    assert (apart == apart.T).all()
    assert vote_distances(10 * votes) == vote_distances(votes)  # shares, however many raters


def test_labels_that_nobody_gives_are_1_from_all_others() -> None:
    apart = np.array(vote_distances(np.array([[4, 6, 0], [9, 1, 0]])))
    assert apart[2] == pytest.approx([1, 1, 0], abs=1e-6)
    assert np.array(vote_distances(np.eye(3))) == pytest.approx(1 - np.eye(3))


def test_what_no_points_in_space_can_have_is_left_out_of_distances_by_votes() -> None:
    """Against the nearest Gram matrix without negative eigenvalues, (G + |G|) / 2."""
    votes = np.array([[5, 5, 0, 0], [5, 0, 5, 0], [5, 0, 0, 5], [0, 0, 0, 1]])
    shares, centre = votes / votes.sum(axis=1, keepdims=True), np.eye(4) - 1 / 4
    apart = 1 - reference.pairwise.cosine_similarity(shares.T)
    gram = -centre @ apart**2 @ centre / 2
    assert np.linalg.eigvalsh(gram).min() < -0.01
    nearest = (gram + sqrtm(gram @ gram).real) / 2
    squares = np.diag(nearest)[:, None] + np.diag(nearest) - 2 * nearest
    assert np.array(vote_distances(votes)) == pytest.approx(np.sqrt(np.maximum(squares, 0)), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_distances_by_votes_are_those_of_points_in_space(seed: int) -> None:
    """Squared distances of points are of negative type (Schoenberg 1935): 1 - co-occurrence alone need not
    be."""
    apart = np.array(vote_distances(np.random.default_rng(seed).integers(0, 4, (6, 5))))
    centre = np.eye(5) - 1 / 5
    assert np.linalg.eigvalsh(-centre @ apart**2 @ centre).min() > -1e-9
    assert (apart[:, :, None] <= apart[:, None, :] + apart[None] + 1e-9).all()


def test_cross_entropy_is_kl_plus_entropy(faces: tuple[Array, Array]) -> None:
    output, target = faces
    cross = -(target * np.log(np.maximum(output, 1e-12))).sum(axis=1).mean()
    assert of("kl", output, target) + entropies(target).mean() == pytest.approx(cross)


def probabilities(size: int) -> st.SearchStrategy[Array]:
    weights = arrays(np.float64, (4, size), elements=st.floats(0, 1))
    return weights.map(lambda rows: (rows + 1e-9) / (rows + 1e-9).sum(axis=1, keepdims=True))


@settings(max_examples=40, deadline=None)
@given(output=probabilities(5), target=probabilities(5))
def test_distances_are_bounded_ordered_and_symmetric(output: Array, target: Array) -> None:
    tops = {
        "l1": 2,
        "brier": 2,
        "clark": 5**0.5,
        "canberra": 5,
        "rps": 4,
        "emd_index": 4,
        "entropy_error": np.log(5),
    }
    for name in ("js", "tvd", "mse", "emd", "chebyshev", "cosine", "intersection", *tops):
        assert of(name, output, target) == pytest.approx(of(name, target, output), abs=1e-9)
        assert -1e-9 <= of(name, output, target) <= tops.get(name, 1) + 1e-9, name
    tvd = of("tvd", output, target)
    assert of("chebyshev", output, target) <= tvd + 1e-9
    assert of("js", output, target) <= np.log(2) + 1e-9
    assert of("kl", output, target) >= 2 * tvd**2 - 1e-9  # Pinsker


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_order_of_rows_and_labels_does_not_matter(data: st.DataObject) -> None:
    truth = one_hot(data.draw(st.lists(st.integers(0, 3), min_size=4, max_size=4)), 4)
    output = data.draw(probabilities(4))
    rows, labels = data.draw(st.permutations(range(4))), data.draw(st.permutations(range(4)))
    mixed = np.random.default_rng(0).uniform(0, 1e-3, output.shape) + output  # no ties
    for name in (
        "accuracy",
        "macro_f1",
        "kappa",
        "log_loss",
        "macro_roc_auc",
        "kl",
        "tvd",
        "emd",
        "cosine",
        "clark",
    ):
        other = of(name, mixed[rows][:, labels], truth[rows][:, labels])
        assert other == pytest.approx(of(name, mixed, truth), nan_ok=True), name
