"""The FER+ rules: rows worked by hand, a row-by-row reading of the official description, and the official
counts."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.datasets.fer2013.ferplus_rules import RULES, target
from mien.labels import EXPRESSION8

#       neu hap sur sad ang dis fea con unk nf
HAND = {
    "clear": (7, 2, 0, 0, 1, 0, 0, 0, 0, 0),
    "half": (5, 5, 0, 0, 0, 0, 0, 0, 0, 0),
    "three": (4, 3, 3, 0, 0, 0, 0, 0, 0, 0),
    "four alike": (2, 2, 2, 2, 1, 1, 0, 0, 0, 0),
    "singles": (1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
    "no face": (0, 0, 0, 0, 0, 0, 0, 0, 0, 10),
    "unknown first": (2, 3, 0, 0, 0, 0, 0, 0, 5, 0),
    "tied with unknown": (4, 2, 0, 0, 0, 0, 0, 0, 4, 0),
    "unknown behind": (6, 0, 0, 0, 0, 0, 0, 0, 3, 1),
}


def by_rule(rule: str, name: str) -> list[float] | None:
    rows, present = target(rule, np.array([HAND[name]], np.float64))
    return [round(value, 4) for value in rows[0].tolist()] if present[0] else None


def eight(**shares: float) -> list[float]:
    return [shares.get(label, 0.0) for label in EXPRESSION8.labels]


@pytest.mark.parametrize(
    ("name", "majority", "probability", "multi_target"),
    [
        # 7 of 9 (the single vote does not count); the level of 7 is over 3/4 of 9; 2 is below 0.3 of 9
        ("clear", eight(neutral=1), eight(neutral=1), eight(neutral=1)),
        # 5 is not more than half of 10
        ("half", None, eight(neutral=0.5, happy=0.5), eight(neutral=0.5, happy=0.5)),
        (
            "three",
            None,
            eight(neutral=0.4, happy=0.3, surprise=0.3),
            eight(neutral=1 / 3, happy=1 / 3, surprise=1 / 3),
        ),
        # one level of four emotions: more than three
        ("four alike", None, None, None),
        ("singles", None, None, None),
        ("no face", None, None, None),
        # 'unknown' is the largest; 2 + 3 + 5: only 5 and 3 reach 0.3 of 10, and 'unknown' leads them
        ("unknown first", None, None, None),
        # the level of 4 holds neutral and unknown: neutral stays, the level ends it, but 4 is not over half
        # of 10
        ("tied with unknown", None, None, eight(neutral=1)),
        # counted 6 + 3: neutral is over half; 6 < 3/4 of 9, the next level is unknown, which is dropped
        # behind neutral
        ("unknown behind", eight(neutral=1), eight(neutral=1), eight(neutral=1)),
    ],
)
def test_rows_worked_by_hand(
    name: str, majority: list[float] | None, probability: list[float] | None, multi_target: list[float] | None
) -> None:
    assert by_rule("majority", name) == majority
    assert by_rule("probability", name) == probability
    assert by_rule("crossentropy", name) == probability
    assert by_rule("multi_target", name) == (multi_target and [round(share, 4) for share in multi_target])


def test_raw_keeps_counts_of_rows_led_by_an_emotion() -> None:
    assert by_rule("raw", "clear") == [7, 2, 0, 0, 1, 0, 0, 0]
    assert by_rule("raw", "tied with unknown") == [
        4,
        2,
        0,
        0,
        0,
        0,
        0,
        0,
    ]  # the first of equals is the emotion
    assert by_rule("raw", "singles") == [1] * 8
    assert by_rule("raw", "unknown first") is None
    assert target("raw", np.zeros((1, 10)))[1].tolist() == [False]


def test_no_rows() -> None:
    for rule in RULES:
        rows, present = target(rule, np.zeros((0, 10)))
        assert rows.shape == (0, 8)
        assert present.shape == (0,)


def slowly(votes: list[float]) -> list[float] | None:
    """The `probability` rule, one column at a time, as its official description goes."""
    left = [vote if vote > 1 else 0.0 for vote in votes]
    total, kept, mass, going = sum(left), [0.0] * 10, 0.0, True
    while mass < 0.75 * total and sum(map(bool, kept)) < 3 and going:
        top = max(left)
        for column in range(10):
            if left[column] == top:
                kept[column], left[column] = top, 0.0
                mass += top
                if column >= 8:
                    going = False
                    kept[column] = 0.0 if sum(kept) > top else top
                    break
    if sum(kept) <= 0.5 * total or sum(map(bool, kept)) > 3 or kept.index(max(kept)) >= 8:
        return None
    return [share / sum(kept[:8]) for share in kept[:8]]


@given(
    st.lists(st.integers(0, 9), min_size=10, max_size=10).map(
        lambda cuts: [float(cuts.count(i)) for i in range(10)]
    )
)
def test_probability_is_the_slow_reading(votes: list[float]) -> None:
    rows, present = target("probability", np.array([votes]))
    wanted = slowly(votes)
    assert (rows[0].tolist() if present[0] else None) == (wanted and pytest.approx(wanted))


@pytest.fixture(scope="module")
def votes(fer2013: Path) -> dict[str, NDArray[np.float64]]:
    """The real votes of Training and PublicTest."""
    found = {}
    for usage in ("Training", "PublicTest"):
        with (fer2013 / f"{usage}.csv").open(newline="") as file:
            names = (
                "neutral",
                "happiness",
                "surprise",
                "sadness",
                "anger",
                "disgust",
                "fear",
                "contempt",
                "unknown",
                "NF",
            )
            found[usage] = np.array([[float(row[name]) for name in names] for row in csv.DictReader(file)])
    return found


@pytest.mark.parametrize(
    ("rule", "train", "valid"),
    [
        ("majority", 25060, 3199),
        ("probability", 27956, 3505),
        ("crossentropy", 27956, 3505),
        ("multi_target", 27671, 3472),
        ("raw", 28389, 3553),
    ],
)
def test_official_number_of_kept_rows(
    votes: dict[str, NDArray[np.float64]], rule: str, train: int, valid: int
) -> None:
    assert [int(target(rule, votes[usage])[1].sum()) for usage in ("Training", "PublicTest")] == [
        train,
        valid,
    ]


def test_official_majority_per_class(votes: dict[str, NDArray[np.float64]]) -> None:
    golden = {
        "Training": [8740, 7287, 3149, 3014, 2100, 119, 532, 119],
        "PublicTest": [1182, 865, 415, 351, 287, 24, 62, 13],
    }
    assert {
        usage: target("majority", table)[0].sum(axis=0).tolist() for usage, table in votes.items()
    } == golden
