"""Thresholds of tags and what follows from them, against brute force and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, jaccard_score

from mien.labels import LabelSpace
from mien.metrics import tags
from mien.tasks import Head, Kind

HEAD = Head("mood", Kind.TAGS, LabelSpace("mood", ("calm", "glad", "tense")))
answers = st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=1, max_size=12)


@given(answers)
def test_no_other_threshold_has_a_higher_f1(pairs: list[tuple[int, bool]]) -> None:
    output, true = (
        np.array([answer / 10 for answer, _ in pairs]),
        np.array([float(there) for _, there in pairs]),
    )
    (chosen,) = tags.best_thresholds(output[:, None], true[:, None])
    assert 0 <= chosen <= 1
    scores = [f1_score(true, output >= cut, zero_division=0) for cut in (*np.linspace(0, 1.05, 22), chosen)]
    assert scores[-1] == pytest.approx(max(scores))


def test_a_threshold_lies_halfway_between_what_it_parts() -> None:
    output, target = np.array([[0.1], [0.2], [0.3], [0.4]]), np.array([[0], [0], [1], [1]])
    assert tags.best_thresholds(output, target) == pytest.approx([0.25])
    assert tags.best_thresholds(output[2:], target[2:]) == pytest.approx([0.15])


def test_of_thresholds_that_tie_the_one_nearest_to_the_middle_is_taken() -> None:
    # F1 is 2/3 from 0.75 on (one hit, one miss) and from 0.35 on (two hits, two false alarms).
    output, target = np.array([[0.9], [0.6], [0.5], [0.2]]), np.array([[1], [0], [0], [1]])
    cuts = {cut: f1_score(target[:, 0], output[:, 0] >= cut) for cut in (0.75, 0.1)}
    assert len(set(cuts.values())) == 1
    assert tags.best_thresholds(output, target) == pytest.approx([0.75])


def test_what_cannot_be_chosen_is_one_half() -> None:
    target = np.array([[0, np.nan, 1], [0, np.nan, 0]])
    output = np.array([[0.1, 0.2, np.nan], [0.9, 0.1, 0.1]])
    assert tags.best_thresholds(output, target).tolist() == [0.5, 0.5, 0.5]


def test_faces_nobody_annotated_have_no_say() -> None:
    output, target = np.array([[0.9], [0.3], [0.1]]), np.array([[1.0], [np.nan], [0.0]])
    assert tags.best_thresholds(output, target) == pytest.approx([0.5])


def test_agreement_is_scikit_learns() -> None:
    draw = np.random.default_rng(2)
    output, target = draw.random((60, 3)), (draw.random((60, 3)) < [0.5, 0.2, 0.6]).astype(float)
    cuts = [0.4, 0.6, 0.5]
    said = output >= cuts
    assert (target.any(axis=1) | said.any(axis=1)).sum() < 60
    found = tags.agreement(output, target, cuts)
    assert found == pytest.approx(
        {
            "macro_f1": f1_score(target, said, average="macro"),
            "micro_f1": f1_score(target, said, average="micro"),
            "jaccard": jaccard_score(target, said, average="samples", zero_division=1),
        }
    )


def test_agreement_leaves_out_what_nobody_annotated() -> None:
    target = np.array([[1, np.nan, 0], [1, 0, 0], [np.nan] * 3])
    output = np.array([[0.9, 0.9, 0.1], [0.1, 0.9, 0.1], [0.9, 0.9, 0.9]])
    found = tags.agreement(output, target, 0.5)
    assert found == pytest.approx({"macro_f1": (2 / 3 + 0) / 2, "micro_f1": 2 / 4, "jaccard": 1 / 2})
    assert np.isnan(list(tags.agreement(output, np.full((3, 3), np.nan), 0.5).values())).all()


def test_thresholds_are_found_by_name() -> None:
    assert tags.in_order(HEAD, {"tense": 0.2, "calm": 0.7}).tolist() == [0.7, 0.5, 0.2]
