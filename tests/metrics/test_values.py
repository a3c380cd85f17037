"""Agreement of numbers, against scikit-learn, scipy, an analysis of variance and worked examples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn import metrics as reference

from mien.labels import VAD, LabelSpace
from mien.metrics import Array, score, score_columns, statistic
from mien.tasks import Head, Kind
from tests.metrics.made import AFFECT

ONE = Head("one", Kind.VALUES, LabelSpace("one", ("valence",)))
NAMES = ("rmse", "mae", "pearson", "ccc", "icc", "sagr")


def of(name: str, output: Array, target: Array) -> float:
    return score(name, output[:, None], target[:, None], ONE)


def anova(x: Array, y: Array) -> float:
    """ICC(3,1) from the mean squares of a two-way analysis of variance, two raters."""
    rows, raters, grand = (x + y) / 2, np.array([x.mean(), y.mean()]), (x.mean() + y.mean()) / 2
    between = 2 * np.square(rows - grand).sum() / (len(x) - 1)
    rest = np.stack([x, y], axis=1) - rows[:, None] - raters + grand
    error = np.square(rest).sum() / (len(x) - 1)
    return float((between - error) / (between + error))


@pytest.mark.parametrize("rows", [3, 40, 200])
def test_value_metrics_equal_other_implementations(rows: int) -> None:
    rng = np.random.default_rng(9)
    target = rng.uniform(-1, 1, (rows, 2))
    output = 0.5 * target + rng.normal(0.1, 0.3, target.shape)
    for x, y in zip(output.T, target.T, strict=True):
        moments = np.cov(x, y, ddof=0)
        shift = (x.mean() - y.mean()) ** 2
        expected = {
            "rmse": reference.root_mean_squared_error(y, x),
            "mae": reference.mean_absolute_error(y, x),
            "pearson": stats.pearsonr(x, y).statistic,
            "ccc": 2 * moments[0, 1] / (moments[0, 0] + moments[1, 1] + shift),
            "icc": anova(x, y),
            "sagr": np.mean(x * y > 0),
        }
        assert {name: of(name, x, y) for name in NAMES} == pytest.approx(expected)
    for name in NAMES:
        columns = score_columns(name, output, target, AFFECT)
        assert score(name, output, target, AFFECT) == pytest.approx(np.mean(columns))


def test_ccc_and_icc_of_a_worked_example() -> None:
    x, y = np.array([1.0, 2, 3]), np.array([2.0, 4, 6])
    assert of("ccc", x, y) == pytest.approx(2 * (4 / 3) / (2 / 3 + 8 / 3 + 4))
    assert of("icc", x, y) == pytest.approx(2 * (4 / 3) / (2 / 3 + 8 / 3))
    assert of("icc", x + 5, y) == pytest.approx(of("icc", x, y))
    assert of("ccc", np.zeros(3), np.ones(3)) == 0


@pytest.mark.parametrize("name", NAMES)
def test_perfect_and_reversed_answers(name: str) -> None:
    target = np.array([[-0.8, 0.5], [0.2, -0.3], [0.6, -0.2]])
    errors = name in ("rmse", "mae")
    assert score(name, target, target, AFFECT) == pytest.approx(0 if errors else 1)
    worst = score(name, -target, target, AFFECT)
    assert worst == pytest.approx({"pearson": -1, "icc": -1, "sagr": 0}.get(name, worst))
    assert worst > 0.5 if errors else worst < 0.1


@pytest.mark.parametrize("constant", [0.1, 1 / 3, 7.3, -1e6])
@pytest.mark.parametrize("rows", [1, 9, 1000])
def test_a_column_that_never_changes_has_no_correlation(constant: float, rows: int) -> None:
    flat, target = np.full(rows, constant), np.random.default_rng(3).uniform(-1, 1, rows)
    for x, y in ((flat, target), (target, flat)):
        assert np.isnan(of("pearson", x, y))
        assert of("ccc", x, y) == 0
    for name in ("pearson", "ccc", "icc"):
        assert np.isnan(of(name, flat, flat))


@pytest.mark.parametrize("weight", [1, 3, 1 / 3])
def test_a_draw_of_one_row_has_no_correlation(weight: float) -> None:
    rng = np.random.default_rng(4)
    output, target = rng.normal(size=(40, 1)), rng.normal(size=(40, 1))
    drawn = weight * np.eye(40)
    assert np.isnan(statistic("pearson", output, target, ONE)(drawn)).all()
    assert (statistic("ccc", output, target, ONE)(drawn) == 0).all()


def test_one_flat_column_spoils_the_mean_correlation() -> None:
    target = np.random.default_rng(15).uniform(-1, 1, (9, 2))
    output = np.column_stack([target[:, 0], np.zeros(9)])
    assert score_columns("pearson", output, target, AFFECT) == pytest.approx([1, np.nan], nan_ok=True)
    assert np.isnan(score("pearson", output, target, AFFECT))


def test_a_column_that_a_draw_leaves_empty_does_not_spoil_the_draw() -> None:
    rng = np.random.default_rng(6)
    output, target = rng.uniform(-1, 1, (20, 2)), rng.uniform(-1, 1, (20, 2))
    target[10:, 1] = np.nan
    drawn = np.ones((2, 20))
    drawn[1, :10] = 0
    both = statistic("mae", output, target, AFFECT)(drawn)
    assert both[1] == pytest.approx(np.abs(output - target)[10:, 0].mean())
    assert both[0] == pytest.approx(np.nanmean(np.abs(output - target), axis=0).mean())


def test_moments_keep_their_digits_far_from_zero() -> None:
    rng = np.random.default_rng(5)
    y = rng.normal(size=500)
    x = y + rng.normal(size=500)
    assert of("pearson", x + 1e6, y + 1e6) == pytest.approx(stats.pearsonr(x, y).statistic)
    assert of("pearson", 1e-4 * x, y + 3) == pytest.approx(stats.pearsonr(x, y).statistic)


def test_sign_agreement_turns_on_the_middle_of_the_bounds() -> None:
    head = Head("vad", Kind.VALUES, VAD, bounds=(1.0, 10.0), metrics=("sagr",))
    output, target = np.full((1, 3), 6.0), np.array([[9.0, 5.0, 5.5]])
    assert score_columns("sagr", output, target, head) == [1, 0, 0]
    assert of("sagr", np.zeros(2), np.array([0.0, 0.1])) == 0.5


def test_the_whole_set_counts_not_the_mean_of_batches() -> None:
    rng = np.random.default_rng(14)
    target, output = rng.uniform(-1, 1, 40), rng.uniform(-1, 1, 40)
    halves = np.mean([of("ccc", output[part], target[part]) for part in (slice(20), slice(20, 40))])
    assert of("ccc", output, target) != pytest.approx(halves)


values = arrays(np.float64, (6,), elements=st.floats(-1, 1).map(lambda number: round(number, 3)))


@settings(max_examples=60, deadline=None)
@given(x=values, y=values)
def test_value_metrics_are_bounded_and_symmetric(x: Array, y: Array) -> None:
    for name in NAMES:
        assert of(name, x, y) == pytest.approx(of(name, y, x), nan_ok=True), name
    pearson, ccc, icc = (of(name, x, y) for name in ("pearson", "ccc", "icc"))
    assert np.isnan(pearson) or abs(ccc) <= abs(icc) + 1e-9 <= abs(pearson) + 2e-9 <= 1 + 3e-9
    assert of("mae", x, y) <= of("rmse", x, y) + 1e-12
