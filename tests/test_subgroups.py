"""Groups of an attribute: how they are cut, what each one scores, and how far apart they are."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien import intervals, metrics, subgroups
from mien.intervals import BootstrapSettings
from mien.labels import EXPRESSION7, VALENCE_AROUSAL, LabelSpace
from mien.metrics import Array
from mien.subgroups import cut
from mien.tasks import Head, Kind

FACES = Head("expression7", Kind.CLASS, EXPRESSION7, metrics=("accuracy", "log_loss"))
AFFECT = Head("valence_arousal", Kind.VALUES, VALENCE_AROUSAL, metrics=("ccc", "rmse"))
MOODS = Head("mood", Kind.TAGS, LabelSpace("mood", ("calm", "glad", "tense")))
FEW = BootstrapSettings(200)


def people(rights: dict[str, float], each: int = 200, seed: int = 0) -> tuple[Array, Array, list[str]]:
    """Probabilities, one-hot targets and the group of each face; the top label is right as often as the group
    says."""
    draw = np.random.default_rng(seed)
    groups = np.repeat(list(rights), each)
    true = draw.integers(0, 7, len(groups))
    right = draw.random(len(groups)) < np.repeat(list(rights.values()), each)
    said = np.where(right, true, (true + draw.integers(1, 7, len(groups))) % 7)
    return (draw.dirichlet(np.ones(7), len(groups)) + np.eye(7)[said]) / 2, np.eye(7)[true], groups.tolist()


def record(head: Head, output: Array, target: Array, column: list[str], **more: Any) -> Any:
    """What is found of one attribute."""
    clusters = more.pop("clusters", np.arange(len(output)))
    found = subgroups.for_head(head, output, target, {"it": column}, clusters, **{"settings": FEW, **more})
    assert set(found) <= {"it"}
    return found.get("it")


def sizes(column: list[str]) -> dict[str, int]:
    return {name: len(rows) for name, rows in cut(column).items()}


def test_texts_come_by_size_and_what_says_nothing_last() -> None:
    assert list(sizes(["m", "", "f", "f", "", "", ""]).items()) == [("f", 2), ("m", 1), ("", 4)]


def test_many_texts_keep_the_twelve_largest() -> None:
    column = [name for k, name in enumerate("abcdefghijklmnop") for _ in range(30 - k)]
    found = sizes([*column, ""])
    assert list(found)[:12] == list("abcdefghijkl")
    assert list(found)[12:] == ["other", ""]
    assert found["other"] == 18 + 17 + 16 + 15


def test_numbers_come_in_their_order_and_many_are_cut_into_quartiles() -> None:
    assert list(sizes(["10", "9", "10", "100"])) == ["9", "10", "100"]
    found = sizes([str(age) for age in range(20, 60)] + ["", "20"])
    assert list(found) == ["up to 29", "above 29 to 39", "above 39 to 49", "above 49", ""]
    assert list(found.values()) == [11, 10, 10, 10, 1]


@given(st.lists(st.integers(0, 40), min_size=1, max_size=80))
def test_quartiles_part_every_number_in_order(ages: list[int]) -> None:
    groups = cut([str(age) for age in ages])
    if len(set(ages)) < 2:
        assert groups == {}
        return
    assert sorted(np.concatenate(list(groups.values())).tolist()) == list(range(len(ages)))
    parts = [[ages[row] for row in rows] for rows in groups.values()]
    assert all(max(low) < min(high) for low, high in pairwise(parts))


@pytest.mark.parametrize(
    "column", [[], [""] * 9, ["f"] * 9, ["f"] * 9 + [""], [f"{k}.jpg" for k in range(60)]]
)
def test_what_tells_no_groups_apart_is_left_out(column: list[str]) -> None:
    assert cut(column) == {}


def test_each_group_scores_as_its_rows_alone() -> None:
    output, target, column = people({"f": 0.8, "m": 0.6})
    target[7] = np.nan
    found = record(FACES, output, target, column)
    for group, rows in zip(found["groups"], (slice(200), slice(200, 400)), strict=True):
        assert {name: cell["value"] for name, cell in group["metrics"].items()} == pytest.approx(
            metrics.evaluate_head(FACES, output[rows], target[rows])
        )
        recall = {row["label"]: row["recall"] for row in metrics.per_class(FACES, output[rows], target[rows])}
        assert {label: cell["value"] for label, cell in group["recall"].items()} == pytest.approx(recall)
    assert [(group["name"], group["rows"], group["small"]) for group in found["groups"]] == [
        ("f", 199, False),
        ("m", 200, False),
    ]


def test_intervals_and_gaps_come_from_the_same_draws() -> None:
    output, target, column = people({"f": 0.8, "m": 0.6})
    found = record(FACES, output, target, column)
    weights = intervals.Clusters(np.arange(400)).weights(range(FEW.draws), FEW.seed)
    right = output.argmax(axis=1) == target.argmax(axis=1)
    f, m = (
        (weights[:, rows] @ right[rows]) / weights[:, rows].sum(axis=1)
        for rows in (slice(200), slice(200, 400))
    )
    ends = [np.quantile(values, [0.025, 0.975]) for values in (f, m, f - m)]
    gap = found["gaps"]["accuracy"]
    assert found["groups"][0]["metrics"]["accuracy"]["interval"] == pytest.approx(ends[0])
    assert found["groups"][1]["metrics"]["accuracy"]["interval"] == pytest.approx(ends[1])
    assert gap["interval"] == pytest.approx(ends[2])
    assert gap["gap"] == pytest.approx(right[:200].mean() - right[200:].mean())
    assert (gap["best"], gap["worst"], gap["worst_value"]) == ("f", "m", pytest.approx(right[200:].mean()))
    assert gap["ratio"] == pytest.approx(right[200:].mean() / right[:200].mean())


def test_a_gap_says_how_much_better_the_best_group_is_whatever_the_direction() -> None:
    output, target, column = people({"f": 0.9, "m": 0.5, "x": 0.7})
    loss = record(FACES, output, target, column)["gaps"]["log_loss"]
    assert (loss["best"], loss["worst"]) == ("f", "m")
    assert 0 < loss["interval"][0] < loss["gap"] < loss["interval"][1]
    assert 0 < loss["ratio"] < 1


def test_a_gap_by_chance_and_one_that_is_none() -> None:
    output, target, column = people({"f": 0.8, "m": 0.6})
    apart = record(FACES, output, target, column)["gaps"]["accuracy"]
    assert apart["p"] == pytest.approx(1 / 201)
    shuffled = np.random.default_rng(1).permutation(column).tolist()
    chance = record(FACES, output, target, shuffled)["gaps"]["accuracy"]
    assert chance["p"] > 0.05
    assert chance["interval"][0] < 0 < chance["interval"][1]


def test_the_permutation_test_is_exact_where_all_deals_can_be_listed() -> None:
    """Eight people of two groups, ten faces each; both people who are never right belong to one group."""
    right = np.repeat([1, 1, 1, 1, 1, 1, 0, 0], 10).astype(bool)
    clusters, column = np.repeat(np.arange(8), 10), ["f"] * 40 + ["m"] * 40
    output = np.where(right[:, None], np.eye(7)[0], np.eye(7)[1])
    head = Head("expression7", Kind.CLASS, EXPRESSION7, metrics=("accuracy",))
    target = np.eye(7)[np.zeros(80, int)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subgroups, "FEWEST_CLUSTERS", 2)
        found = record(head, output, target, column, clusters=clusters, settings=BootstrapSettings(3000))[
            "gaps"
        ]["accuracy"]
    assert found["gap"] == 0.5
    # Both wrong people fall into one group in 2 C(6,2) / C(8,4) = 30/70 of the deals.
    assert found["p"] == pytest.approx(30 / 70, abs=0.03)


def test_small_groups_have_figures_but_neither_intervals_nor_gaps() -> None:
    output, target, column = people({"f": 0.7, "m": 0.7, "x": 0.0}, each=100)
    kept = np.r_[np.arange(200), np.arange(200, 229)]
    found = record(FACES, output[kept], target[kept], [column[row] for row in kept])
    small = found["groups"][2]
    assert (small["name"], small["rows"], small["small"]) == ("x", 29, True)
    assert small["metrics"]["accuracy"] == {"value": 0, "interval": None}
    assert all(cell["interval"] is None for cell in small["recall"].values())
    assert "x" not in (found["gaps"]["accuracy"]["best"], found["gaps"]["accuracy"]["worst"])


def test_a_group_of_few_people_is_small_however_many_faces_it_has() -> None:
    output, target, column = people({"f": 0.8, "m": 0.6})
    clusters = np.r_[np.arange(200) % 9, 9 + np.arange(200) % 10]
    found = record(FACES, output, target, column, clusters=clusters)
    assert [group["small"] for group in found["groups"]] == [True, False]
    assert found["gaps"] == {}
    assert set(found["parity"]["statistical_parity"].values()) == {None}


def test_those_of_whom_nothing_is_said_take_no_part_in_gaps() -> None:
    output, target, column = people({"f": 0.8, "m": 0.7, "": 0.1})
    found = record(FACES, output, target, column)
    assert found["groups"][2]["name"] == ""
    assert found["groups"][2]["metrics"]["accuracy"]["interval"]
    assert found["gaps"]["accuracy"]["worst"] == "m"


def test_parity_is_what_fairness_defines() -> None:
    """Against the definitions, label by label: shares said, recalls, and the larger of the gaps in recall and
    false alarms."""
    output, target, column = people({"f": 0.8, "m": 0.5}, each=300)
    found = record(FACES, output, target, column)["parity"]
    true, said = target.argmax(axis=1), output.argmax(axis=1)
    parts = (slice(300), slice(300, 600))
    for k, label in enumerate(EXPRESSION7.labels):
        share = [float((said[part] == k).mean()) for part in parts]
        recall = [float((said[part] == k)[true[part] == k].mean()) for part in parts]
        alarm = [float((said[part] == k)[true[part] != k].mean()) for part in parts]
        assert found["statistical_parity"][label] == pytest.approx(abs(share[0] - share[1]))
        assert found["equal_opportunity"][label] == pytest.approx(abs(recall[0] - recall[1]))
        assert found["equalised_odds"][label] == pytest.approx(max(abs(a - b) for a, b in (recall, alarm)))
        high, low = (column[part][0] for part in (parts if recall[0] > recall[1] else parts[::-1]))
        assert found["between"]["equal_opportunity"][label] == [high, low]
        low_end, high_end = found["intervals"]["equal_opportunity"][label]
        assert low_end < found["equal_opportunity"][label] < high_end


def test_a_label_that_few_faces_of_a_group_have_has_no_part_in_parity() -> None:
    output, target, column = people({"f": 0.8, "m": 0.5})
    rare = np.flatnonzero(target[:200].argmax(axis=1) == 2)[9:]
    target[rare] = np.eye(7)[0]
    found = record(FACES, output, target, column)
    label = EXPRESSION7.labels[2]
    assert (target[:200].argmax(axis=1) == 2).sum() == 9
    assert found["parity"]["equal_opportunity"][label] is None
    assert found["parity"]["between"]["equalised_odds"][label] is None
    assert found["parity"]["statistical_parity"][label] is not None
    assert found["groups"][0]["recall"][label]["interval"] is None


def test_values_have_gaps_but_no_labels_to_be_at_par_in() -> None:
    draw = np.random.default_rng(3)
    target = draw.uniform(-1, 1, (200, 2))
    target[5] = np.nan
    output = np.nan_to_num(target) + draw.normal(0, np.repeat([0.1, 0.6], 100)[:, None], (200, 2))
    found = record(AFFECT, output, target, ["a"] * 100 + ["b"] * 100)
    assert found["groups"][0]["rows"] == 99
    assert found["groups"][0]["recall"] == {}
    assert found["gaps"]["rmse"]["best"] == found["gaps"]["ccc"]["best"] == "a"
    assert found["parity"] == {}


def test_tags_are_said_from_their_thresholds_on() -> None:
    draw = np.random.default_rng(4)
    output, column = draw.random((200, 3)), ["a", "b"] * 100
    target = (draw.random((200, 3)) < 0.4).astype(float)
    target[draw.random((200, 3)) < 0.1] = np.nan
    found = record(MOODS, output, target, column, thresholds=[0.2, 0.5, 1.1])
    recall = {label: cell["value"] for label, cell in found["groups"][0]["recall"].items()}
    rows = metrics.per_class(MOODS, output[::2], target[::2], [0.2, 0.5, 1.1])
    assert recall == pytest.approx({row["label"]: row["recall"] for row in rows})
    assert recall["tense"] == found["parity"]["statistical_parity"]["tense"] == 0
    assert found["gaps"]["average_precision"]["gap"] > 0


def test_a_figure_that_no_group_has_leaves_no_gap() -> None:
    target = np.full((80, 2), np.nan)
    target[:, 0] = 0.5
    output = np.linspace(-1, 1, 160).reshape(80, 2)
    head = Head("valence_arousal", Kind.VALUES, VALENCE_AROUSAL, metrics=("pearson", "mae"))
    found = record(head, output, target, ["a"] * 40 + ["b"] * 40)
    assert set(found["gaps"]) == {"mae"}


def test_a_head_annotated_in_no_group_leaves_the_attribute_out() -> None:
    output, target, column = people({"f": 0.8, "m": 0.6}, each=40)
    assert record(FACES, output, np.full_like(target, np.nan), column) is None
    target[:40] = np.nan
    assert record(FACES, output, target, column) is None


def test_the_same_seed_says_the_same() -> None:
    output, target, column = people({"f": 0.8, "m": 0.7}, each=60)
    first, again, other = (
        record(FACES, output, target, column, settings=BootstrapSettings(99, seed=seed)) for seed in (1, 1, 2)
    )
    assert first == again
    assert first["groups"][0]["metrics"] != other["groups"][0]["metrics"]
