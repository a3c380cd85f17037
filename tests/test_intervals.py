"""Intervals against brute-force resampling, their coverage by simulation, and tests of pairs against worked
examples."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from mien import intervals, metrics
from mien.intervals import (
    BootstrapSettings,
    Clusters,
    basic_interval,
    blocks,
    bootstrap,
    interval,
    mcnemar,
    sample,
    seeds,
)
from mien.labels import EXPRESSION7, VALENCE_AROUSAL, LabelSpace
from mien.metrics import Array, Weights
from mien.metrics.rates import rates
from mien.metrics.statistic import mean
from mien.tasks import Head, Kind

FACES = Head("expression7", Kind.CLASS, EXPRESSION7)
AFFECT = Head("valence_arousal", Kind.VALUES, VALENCE_AROUSAL, metrics=("ccc", "mae"))
MOODS = Head("mood", Kind.TAGS, LabelSpace("mood", ("calm", "glad", "tense")))
cluster_lists = st.lists(st.integers(-3, 6), min_size=1, max_size=30)


def people(rows: int, seed: int = 0, right: float = 0.7) -> tuple[Array, Array]:
    """Probabilities whose top label is the true one so often, and one-hot targets."""
    draw = np.random.default_rng(seed)
    true = draw.integers(0, 7, rows)
    output = draw.dirichlet(np.ones(7), rows)
    said = np.where(draw.random(rows) < right, true, draw.integers(0, 7, rows))
    return (output + np.eye(7)[said]) / 2, np.eye(7)[true]


def all_draws(clusters: object, count: int, seed: int = 0, at_once: int = 1000) -> Weights:
    drawn = Clusters(np.asarray(clusters))
    return np.concatenate([drawn.weights(block, seed) for block in blocks(drawn.rows, count, at_once)])


def of_metrics(
    head: Head,
    output: Array,
    target: Array,
    clusters: object,
    settings: BootstrapSettings = intervals.DEFAULTS,
) -> dict[str, list[float] | None]:
    statistics = {name: metrics.statistic(name, output, target, head) for name in head.metrics}
    return intervals.of_metrics(statistics, np.asarray(clusters), settings)


@given(cluster_lists, st.integers(0, 99))
def test_clusters_are_drawn_whole_and_as_many_as_there_are(clusters: list[int], seed: int) -> None:
    weights = all_draws(clusters, 5, seed)
    assert weights.shape == (5, len(clusters))
    assert weights.dtype == np.uint8
    names, first, places = np.unique(clusters, return_index=True, return_inverse=True)
    assert (weights == weights[:, first][:, places]).all()
    assert (weights[:, first].sum(axis=1) == len(names)).all()


@given(cluster_lists, st.integers(1, 200))
def test_the_size_of_blocks_changes_no_draw(clusters: list[int], at_once: int) -> None:
    assert (all_draws(clusters, 12, 3) == all_draws(clusters, 12, 3, at_once)).all()


def test_blocks_are_bounded_and_hold_a_draw_at_least() -> None:
    assert blocks(10, 7, at_once=30) == [range(3), range(3, 6), range(6, 7)]
    assert blocks(10, 2, at_once=5) == [range(1), range(1, 2)]


def test_a_draw_hangs_on_the_seed_and_its_number_alone() -> None:
    few, many = all_draws(np.arange(20), 3), all_draws(np.arange(20), 9)
    assert (few == many[:3]).all()
    assert len({draw.tobytes() for draw in many}) == 9
    assert not (few == all_draws(np.arange(20), 3, seed=1)).all()


def test_each_row_is_drawn_once_on_average() -> None:
    weights = all_draws(np.arange(50), 4000)
    assert weights.mean(axis=0) == pytest.approx(np.ones(50), abs=0.08)
    assert (weights == 0).mean() == pytest.approx((1 - 1 / 50) ** 50, abs=0.01)


def test_values_are_those_of_resampled_rows() -> None:
    output, target = people(40)
    statistics = {name: metrics.statistic(name, output, target, FACES) for name in FACES.metrics}
    found = sample(statistics, np.arange(40), 15, 2)
    for number, counts in enumerate(all_draws(np.arange(40), 15, 2)):
        rows = np.repeat(np.arange(40), counts)
        brute = metrics.evaluate_head(FACES, output[rows], target[rows])
        assert {name: values[number] for name, values in found.items()} == pytest.approx(brute)


def test_an_interval_is_that_of_brute_force_resampling() -> None:
    right = (np.random.default_rng(1).random(400) < 0.7).astype(float)
    found = bootstrap({"accuracy": mean(right)}, np.arange(400), 2000)["accuracy"]
    draw = np.random.default_rng(5)
    low, high = np.quantile([draw.choice(right, 400).mean() for _ in range(2000)], [0.025, 0.975])
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.006)


def test_the_noise_of_fer2013_is_about_one_and_a_half_points() -> None:
    right = np.arange(3589) < 0.73 * 3589
    found = bootstrap({"accuracy": mean(right.astype(float))}, np.arange(3589))["accuracy"]
    assert found is not None
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * math.sqrt(0.73 * 0.27 / 3589), abs=0.001)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """95 % nominal; 200 simulated sets of 150 faces leave a standard error of 1.5 points."""
    rho, shift, scale = 0.6, 0.2, 1.3
    truth = {"accuracy": 0.73, "ccc": 2 * rho * scale / (1 + scale**2 + shift**2)}
    held = dict.fromkeys(truth, 0)
    for seed in range(200):
        draw = np.random.default_rng(1000 + seed)
        y, noise = draw.normal(size=(2, 150))
        x = scale * (rho * y + math.sqrt(1 - rho**2) * noise) + shift
        right = (draw.random(150) < 0.73).astype(float)
        statistics = {"accuracy": mean(right), "ccc": metrics.METRICS["ccc"].prepare(x, y)}
        for name, found in bootstrap(statistics, np.arange(150), 300, seed=seed).items():
            assert found is not None
            held[name] += found.low <= truth[name] <= found.high
    assert all(0.9 <= count / 200 <= 0.99 for count in held.values()), held


@pytest.mark.parametrize(("truth", "least", "most"), [(0.0, 50, 0), (0.08, 43, 40)])
def test_the_interval_of_a_calibration_error_holds_the_truth_where_percentiles_miss_it(
    truth: float, least: int, most: int
) -> None:
    """50 simulated sets of 300 faces, sure by 60 to 95 %, right as often as said (calibrated) or by 8 points
    less."""
    held = plain = 0
    for seed in range(50):
        draw = np.random.default_rng(seed)
        sure = draw.uniform(0.6, 0.95, 300)
        output = np.stack([sure, 1 - sure], axis=1)
        ece = metrics.METRICS["ece"].prepare(
            output, np.eye(2)[(draw.random(300) >= sure - truth).astype(int)]
        )
        value, percentiles = (
            metrics.plain(ece, 300),
            bootstrap({"ece": ece}, np.arange(300), 200, seed=seed)["ece"],
        )
        found = basic_interval(percentiles, value, 2)
        assert percentiles
        assert found
        assert 0 <= found.low <= value <= found.high
        plain += percentiles.low <= truth <= percentiles.high
        held += found.low <= truth <= found.high
    assert held >= least
    assert plain <= most


def test_calibration_errors_of_a_head_have_mirrored_intervals() -> None:
    output, target = people(400)
    head = replace(FACES, metrics=("accuracy", "ece"))
    found = of_metrics(head, output, target, np.arange(400), BootstrapSettings(100))
    drawn = bootstrap(
        {name: metrics.statistic(name, output, target, head) for name in head.metrics}, np.arange(400), 100
    )
    assert drawn["accuracy"]
    assert drawn["ece"]
    assert found["accuracy"] == [drawn["accuracy"].low, drawn["accuracy"].high]
    value = metrics.score("ece", output, target, head)
    assert found["ece"] == pytest.approx([math.sqrt(2 * value**2 - drawn["ece"].high ** 2), found["ece"][1]])
    assert found["ece"][0] < drawn["ece"].low


def test_an_interval_is_mirrored_at_the_power_that_noise_adds_to() -> None:
    found = intervals.Interval(0.4, 0.6, 3)
    assert basic_interval(found, 0.5, 0) is found
    assert basic_interval(None, 0.5, 2) is None
    assert basic_interval(found, 0.45, 1) == pytest.approx((0.3, 0.5, 3))
    assert basic_interval(found, 0.5, 2) == pytest.approx((math.sqrt(0.5 - 0.36), math.sqrt(0.5 - 0.16), 3))
    assert basic_interval(found, 0.3, 2) == (0, 0.3, 3), "draws that all lie above: from 0 to the figure"


def test_rows_given_twice_are_one_group() -> None:
    output, target = people(60)
    once = of_metrics(FACES, output, target, np.arange(60))
    twice = of_metrics(FACES, np.repeat(output, 2, 0), np.repeat(target, 2, 0), np.arange(60).repeat(2))
    single = of_metrics(FACES, np.repeat(output, 2, 0), np.repeat(target, 2, 0), np.arange(120))
    assert twice == {name: pytest.approx(ends) for name, ends in once.items()}
    assert single["accuracy"]
    assert once["accuracy"]
    assert np.ptp(single["accuracy"]) < 0.85 * np.ptp(once["accuracy"])


def test_threads_change_nothing() -> None:
    output, target = people(3000)
    statistics = {name: metrics.statistic(name, output, target, FACES) for name in ("macro_f1", "log_loss")}
    one, two = (sample(statistics, np.arange(3000), 700, threads=threads) for threads in (1, 2))
    assert all((one[name] == two[name]).all() for name in statistics)


def test_undefined_draws_are_counted_and_too_many_leave_no_interval() -> None:
    values = np.r_[np.arange(101.0), np.full(50, np.nan)]
    found = interval(values)
    assert found is not None
    assert list(found) == [pytest.approx(2.5), pytest.approx(97.5), 50]
    assert interval(np.r_[1.0, np.nan]) == (1, 1, 1)
    assert interval(np.r_[1.0, np.nan, np.nan]) is None
    assert interval([]) is None


def test_a_rare_tag_does_not_undo_the_mean() -> None:
    """A tag with one positive is in only 63 % of the draws."""
    draw = np.random.default_rng(0)
    output, target = draw.random((90, 3)), (draw.random((90, 3)) < 0.4).astype(float)
    target[:, 1], target[3, 1] = 0, 1
    found = sample(
        {"mAP": metrics.statistic("average_precision", output, target, MOODS)}, np.arange(90), 200
    )["mAP"]
    assert np.isfinite(found).all()


@pytest.mark.parametrize("rows", [0, 1])
def test_one_cluster_or_none_has_no_interval(rows: int) -> None:
    output, target = people(rows)
    assert set(of_metrics(FACES, output, target, np.arange(rows)).values()) == {None}
    assert intervals.recalls(FACES, output, target, np.zeros(rows)) == [None] * 7


def test_what_nobody_annotated_has_no_interval() -> None:
    target = np.full((40, 2), np.nan)
    assert of_metrics(AFFECT, np.zeros((40, 2)), target, np.arange(40)) == {"ccc": None, "mae": None}
    target[:, 0] = np.linspace(-1, 1, 40)
    found = of_metrics(AFFECT, np.linspace(-0.9, 0.8, 80).reshape(40, 2), target, np.arange(40))
    assert all(found.values())


def test_settings_say_how_often_how_wide_and_from_where() -> None:
    output, target = people(200)
    wide, narrow, other = (
        of_metrics(FACES, output, target, np.arange(200), chosen)["kappa"]
        for chosen in (
            BootstrapSettings(300),
            BootstrapSettings(300, level=0.5),
            BootstrapSettings(300, seed=1),
        )
    )
    assert wide
    assert narrow
    assert other
    assert wide[0] < narrow[0] < metrics.score("kappa", output, target, FACES) < narrow[1] < wide[1]
    assert wide != other
    assert wide == pytest.approx(other, abs=0.05)


def test_rates_are_those_of_the_table_of_classes() -> None:
    output, target = people(80)
    target[4] = np.nan
    found = rates(output, target, FACES)(np.ones((1, 80), np.uint8))[0]
    seen, true = metrics.present(output, target, FACES)
    table = metrics.confusion(seen, true)
    assert found[0] == pytest.approx([row["recall"] for row in metrics.per_class(FACES, output, target)])
    assert found[1] == pytest.approx((table.sum(axis=0) - np.diag(table)) / (79 - table.sum(axis=1)))
    assert found[2] == pytest.approx(table.sum(axis=0) / 79)


def test_rates_of_tags_follow_their_thresholds_and_skip_what_nobody_annotated() -> None:
    output = np.array([[0.4, 0.9], [0.2, 0.9], [0.6, 0.1]])
    target = np.array([[1, 1], [0, np.nan], [0, 1]])
    head = Head("mood", Kind.TAGS, LabelSpace("mood", ("calm", "glad")))
    found = rates(output, target, head, [0.3, 0.5])(np.array([[1, 1, 1], [2, 1, 0]]))
    assert found[0] == pytest.approx(np.array([[1, 0.5], [0.5, np.nan], [2 / 3, 0.5]]), nan_ok=True)
    assert found[1] == pytest.approx(np.array([[1, 1], [0, np.nan], [2 / 3, 1]]), nan_ok=True)


def test_recalls_lie_around_the_recalls() -> None:
    output, target = people(300)
    target[:, 6], target[target.sum(axis=1) == 0, 0] = 0, 1
    found = intervals.recalls(FACES, output, target, np.arange(300))
    for row, ends in zip(metrics.per_class(FACES, output, target)[:6], found[:6], strict=True):
        assert ends
        assert ends[0] < row["recall"] < ends[1]
    assert found[6] is None


def test_the_difference_of_two_runs_is_that_of_the_differences_row_by_row() -> None:
    a, b = (people(500, 1, right)[0] for right in (0.75, 0.68))
    target = people(500, 1)[1]
    first, second = (metrics.statistic("accuracy", output, target, FACES) for output in (a, b))
    apart = (a.argmax(1) == target.argmax(1)) * 1.0 - (b.argmax(1) == target.argmax(1))
    statistics = {"paired": lambda weights: first(weights) - second(weights), "by row": mean(apart)}
    found = bootstrap(statistics, np.arange(500), 800, seed=4)
    assert found["paired"]
    assert found["paired"] == pytest.approx(found["by row"])


def test_pairs_see_what_two_intervals_do_not() -> None:
    """Two runs that fail on the same faces: 2 points apart, each ±4, and still no doubt."""
    right, better = (mean((np.arange(600) < count).astype(np.float64)) for count in (420, 432))
    statistics = {"a": better, "b": right, "a - b": lambda weights: better(weights) - right(weights)}
    found = bootstrap(statistics, np.arange(600))
    assert found["a"]
    assert found["b"]
    assert found["a - b"]
    assert found["a"].low < found["b"].high
    assert found["a - b"].low > 0


def test_mcnemar_on_a_worked_example() -> None:
    """Six rows only the first got right, one only the second: 2 (C(7,0) + C(7,1)) / 2^7 = 16/128."""
    a = np.array([1] * 6 + [0] + [1] * 20 + [0] * 5)
    b = np.array([0] * 6 + [1] + [1] * 20 + [0] * 5)
    assert list(mcnemar(a, b)) == [6, 1, pytest.approx(0.125)]
    assert mcnemar(a, a) == (0, 0, 1)
    with pytest.raises(ValueError, match="same rows"):
        mcnemar(a, b[1:])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 3000), st.integers(0, 3000))
def test_mcnemar_is_the_exact_binomial_test(one: int, other: int) -> None:
    a, b = np.repeat([True, False], [one, other]), np.repeat([False, True], [one, other])
    expected = binomtest(one, one + other).pvalue if one + other else 1
    assert mcnemar(a, b).p == pytest.approx(expected, rel=1e-6, abs=1e-200)


def test_seeds_are_mean_and_sample_deviation() -> None:
    assert list(seeds([0.71, 0.73, 0.75])) == [pytest.approx(0.73), pytest.approx(0.02), 3]
    alone = seeds([0.7])
    assert (alone.mean, alone.n) == (0.7, 1)
    assert math.isnan(alone.sd)
    with pytest.raises(ValueError, match="at least one seed"):
        seeds([])


def test_rows_without_a_group_stand_for_themselves() -> None:
    clusters = intervals.by_group(["b", "", "a", "b", ""])
    assert len(set(clusters.tolist())) == 4
    assert clusters[0] == clusters[3]
    assert clusters[1] != clusters[4]
    assert len(intervals.by_group([])) == 0
