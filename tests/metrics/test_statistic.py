"""Every metric is a statistic of weighted rows: weights do what repeating rows and leaving them out does."""

import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.metrics import METRICS, score, statistic
from mien.metrics.statistic import Statistic, Weights, leading, mean, plain, ratio
from mien.tasks import Kind
from tests.metrics.made import GROUND, TAGS, case

#: Their bins are drawn on the rows a statistic is prepared for, so other rows have other bins.
BINNED = {"ece", "classwise_ece", "vote_ece", "brier_reliability", "brier_resolution"}
FITTING = [(name, kind) for name, metric in METRICS.items() for kind in metric.kinds]
UNBINNED = [pair for pair in FITTING if pair[0] not in BINNED]
ROWS = 60


def draws(count: int, rows: int = ROWS) -> Weights:
    """As many rows as there are, with replacement; in the last draw one row alone."""
    rng = np.random.default_rng(8)
    found = rng.multinomial(rows, np.full(rows, 1 / rows), count).astype(np.uint8)
    found[-1] = np.arange(rows) == 20
    return found


def prepared(name: str, kind: Kind) -> Statistic:
    head, output, target = case(kind, ROWS)
    return statistic(name, output, target, head, ground=GROUND)


@pytest.mark.parametrize(("name", "kind"), UNBINNED)
def test_weights_do_what_repeated_rows_and_rows_left_out_do(name: str, kind: Kind) -> None:
    head, output, target = case(kind, ROWS)
    found = statistic(name, output, target, head, ground=GROUND)(draws(5))
    for value, row in zip(found, draws(5), strict=True):
        taken = np.repeat(np.arange(ROWS), row)
        assert value == pytest.approx(
            score(name, output[taken], target[taken], head, ground=GROUND), nan_ok=True, abs=1e-12
        )
    assert np.isfinite(found[:-1]).all()


@pytest.mark.parametrize(("name", "kind"), FITTING)
def test_ones_give_the_plain_figure_and_nothing_gives_nan(name: str, kind: Kind) -> None:
    head, output, target = case(kind, ROWS)
    ones, zeros = np.ones((1, ROWS)), np.zeros((1, ROWS), np.uint8)
    assert prepared(name, kind)(ones)[0] == score(name, output, target, head, ground=GROUND)
    assert np.isnan(prepared(name, kind)(zeros)).all()


@pytest.mark.parametrize(("name", "kind"), FITTING)
def test_draws_at_once_equal_them_one_by_one_in_any_type_of_number(name: str, kind: Kind) -> None:
    found = prepared(name, kind)
    at_once = found(draws(5))
    assert at_once.shape == (5,)
    assert at_once.dtype == np.float64
    same = {"nan_ok": True, "rel": 1e-9, "abs": 1e-12}
    assert np.concatenate([found(row[None]) for row in draws(5)]) == pytest.approx(at_once, **same)
    for kind_of_number in (np.int64, np.float64, np.float32, np.uint16):
        assert found(draws(5).astype(kind_of_number)) == pytest.approx(at_once, **same)
    assert found(draws(5) / 7) == pytest.approx(at_once, **same)  # shares in place of counts


@given(st.lists(st.integers(0, 255), min_size=1, max_size=400), st.data())
def test_leading_sums_are_those_of_the_first_rows(weights: list[int], data: st.DataObject) -> None:
    order = np.random.default_rng(1).permutation(len(weights))
    counts = np.sort(
        data.draw(st.lists(st.integers(0, len(weights)), max_size=9).map(lambda some: np.array(some, int)))
    )
    rows = np.array([weights, weights[::-1]], np.uint8)
    expected = np.array(
        [[row[order][:count].sum() for count in counts] for row in rows.astype(float)]
    ).reshape(2, -1)
    for drawn in (rows, rows / 2):
        assert leading(order, counts)(drawn) == pytest.approx(expected if drawn is rows else expected / 2)


def test_leading_sums_of_the_heaviest_weights_do_not_overflow() -> None:
    found = leading(np.arange(40_000), np.array([0, 1, 40_000]))(np.full((2, 40_000), 255, np.uint8))
    assert found.tolist() == [[0, 255, 255 * 40_000]] * 2
    assert leading(np.array([], int), np.array([], int))(np.ones((2, 3))).shape == (2, 0)


def test_small_helpers() -> None:
    rows = np.array([1.0, 2, 4])
    assert mean(rows)(np.array([[1, 1, 1], [0, 2, 2], [0, 0, 0]])) == pytest.approx(
        [7 / 3, 3, np.nan], nan_ok=True
    )
    assert ratio(np.array([1.0, 0, 3]), np.array([2.0, 0, 0])) == pytest.approx(
        [0.5, np.nan, np.nan], nan_ok=True
    )
    assert plain(mean(rows), 3) == pytest.approx(7 / 3)
    assert np.isnan(plain(mean(rows), 0))


def test_draws_of_a_large_set_are_quick_and_small() -> None:
    rng = np.random.default_rng(2)
    target = (rng.random((100_000, 3)) < 0.2).astype(float)
    found = statistic("average_precision", rng.normal(size=target.shape) + target, target, TAGS)
    weights = rng.poisson(1, (10, 100_000)).astype(np.uint8)
    tracemalloc.start()
    start = time.process_time()
    found(weights)
    taken, (_, peak) = time.process_time() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 0.15  # 26 tags in 1,000 draws take 870 times as long
    assert peak < 40e6
