"""Smoothing through time, and what is said of a person in the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mien.errors import ConfigError, InputError
from mien.predict.results import Result
from mien.predict.smoothing import POOLS, People, Smoother, TrackedPerson
from mien.prediction import Prediction
from mien.records import Box, Face, Moment
from mien.tasks import TASKS, Kind

AFFECT, EMOTIC = TASKS["affect"], TASKS["emotic"]
RNG = np.random.default_rng(4)


def summed(results: Iterable[Result]) -> list[TrackedPerson]:
    people = People()
    for result in results:
        people.add(result)
    return people.summed()


def said(track: int | None = 0, task=AFFECT, **given: Sequence[float]) -> Prediction:
    """A prediction with random answers, or those given by head."""
    outputs = {}
    for head in task:
        if head.kind is Kind.VALUES:
            values = RNG.uniform(*head.bounds, len(head))
        elif head.kind is Kind.TAGS:
            values = RNG.uniform(0, 1, len(head))
        else:
            values = RNG.dirichlet(np.full(len(head), 0.4))
        outputs[head.name] = dict(
            zip(head.space.labels, map(float, given.get(head.name, values)), strict=True)
        )
    return Prediction(Face(Box(0, 0, 9, 9), track=track), outputs, task)


def values(found: Prediction, head: str) -> np.ndarray:
    return np.array(list(found.outputs[head].values()))


@pytest.mark.parametrize("pool", POOLS)
def test_the_first_frame_and_faces_without_a_track_are_unchanged(pool: str) -> None:
    smoother = Smoother(0.5, pool)
    given = [said(0), said(None), said(7)]
    assert smoother.update(given, 0.0) == given
    later = [said(7), said(None), said(3)]
    found = smoother.update(later, 0.04)
    assert found[1:] == later[1:]
    assert found[0] != later[0]
    assert [one.face.track for one in found] == [7, None, 3]


@pytest.mark.parametrize("pool", POOLS)
def test_confidence_and_abstaining_are_those_of_the_smoothed_answers(pool: str) -> None:
    temperature = {"expression8": 0.5}
    given = [replace(said(), abstain=0.9, label_temperature=temperature) for _ in range(6)]
    smoother = Smoother(0.5, pool)
    found = [smoother.update([one], 0.1 * k)[0] for k, one in enumerate(given)]
    for one in found:
        sharp = values(one, "expression8") ** 2
        assert one.confidence == pytest.approx(sharp.max() / sharp.sum())
        assert one.abstained == (one.confidence < 0.9)
    (person,) = summed([Result(Moment({}, "a.mp4", k, 0.1 * k), 9, 9, [one]) for k, one in enumerate(found)])
    each = np.array([one.confidence for one in found])
    assert person.confidence == pytest.approx(((each[1:] + each[:-1]) / 2).mean(), abs=1e-4)


def test_the_mean_is_that_of_pandas_at_irregular_times() -> None:
    times = np.cumsum(RNG.exponential(0.3, 40))
    given = [said() for _ in times]
    smoother = Smoother(0.7)
    found = [smoother.update([one], time)[0] for one, time in zip(given, times, strict=True)]
    for head in AFFECT:
        table = pd.DataFrame([one.outputs[head.name] for one in given])
        expected = table.ewm(halflife="700ms", times=pd.to_datetime(times, unit="s")).mean()
        np.testing.assert_allclose([values(one, head.name) for one in found], expected, atol=1e-6)


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("task", [AFFECT, EMOTIC], ids=lambda task: task.name)
def test_answers_stay_what_they_are(pool: str, task) -> None:
    """Probabilities sum to one, tags stay in 0…1 and values in their bounds, whatever the gaps, zeros
    included."""
    smoother = Smoother(0.3, pool)
    for time in np.cumsum(RNG.exponential(0.5, 50)):
        given = said(task=task)
        if task is AFFECT and RNG.random() < 0.3:
            given = said(expression8=np.eye(8)[RNG.integers(8)])
        (found,) = smoother.update([given], time)
        for head in task:
            answer = values(found, head.name)
            assert np.isfinite(answer).all()
            if head.kind is Kind.VALUES:
                assert (answer >= head.bounds[0]).all()
                assert (answer <= head.bounds[1]).all()
            else:
                assert ((answer >= 0) & (answer <= 1)).all()
            if head.kind.is_exclusive:
                assert answer.sum() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("pool", POOLS)
def test_other_names_for_the_labels_give_the_same_answers(pool: str) -> None:
    """Permuting what is said of the labels permutes what is smoothed."""
    order = RNG.permutation(8)
    one, other = Smoother(0.4, pool), Smoother(0.4, pool)
    for time in np.arange(0, 2, 0.1):
        given = RNG.dirichlet(np.ones(8))
        (found,) = one.update([said(expression8=given)], time)
        (turned,) = other.update([said(expression8=given[order])], time)
        np.testing.assert_allclose(
            values(turned, "expression8"), values(found, "expression8")[order], atol=1e-12
        )


def test_pools_by_hand() -> None:
    """Half a half-life apart the older frame has weight 1/2."""
    first, second = np.array([0.8, 0.1, 0.1, 0, 0, 0, 0, 0]), np.array([0.2, 0.7, 0.1, 0, 0, 0, 0, 0])
    found = {}
    for pool in POOLS:
        smoother = Smoother(1.0, pool)
        smoother.update([said(expression8=first, valence_arousal=(0.9, 0.0))], 0.0)
        (found[pool],) = smoother.update([said(expression8=second, valence_arousal=(0.0, 0.3))], 1.0)
        np.testing.assert_allclose(values(found[pool], "valence_arousal"), [0.3, 0.2])
    np.testing.assert_allclose(values(found["mean"], "expression8"), (first / 2 + second) / 1.5)
    geometric = (first**0.5 * second) ** (1 / 1.5)
    np.testing.assert_allclose(
        values(found["geometric"], "expression8"), geometric / geometric.sum(), atol=1e-6
    )


def test_after_a_long_gap_the_past_is_forgotten_and_not_kept() -> None:
    smoother = Smoother(0.1)
    smoother.update([said(0), said(1)], 0.0)
    given = said(0)
    (found,) = smoother.update([given], 3.0)
    np.testing.assert_allclose(values(found, "expression8"), values(given, "expression8"), atol=1e-6)
    smoother.update([given], 6.0)
    assert set(smoother._sums) == {0}, "memory stays flat"


def test_what_is_refused() -> None:
    for half_life in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match=r"half-life .* must be more than 0 seconds"):
            Smoother(half_life)
    with pytest.raises(ConfigError, match="pool 'median' must be one of: mean, geometric"):
        Smoother(1, "median")
    smoother = Smoother()
    smoother.update([said()], 1.0)
    with pytest.raises(InputError, match=r"frame at 0\.5 s after one at 1\.0 s"):
        smoother.update([said()], 0.5)


def result(time: float | None, *found: Prediction, source: str = "v.mp4") -> Result:
    return Result(Moment({}, source, 0, time), 640, 480, list(found))


HAPPY, SAD = (
    np.where(np.array(AFFECT.heads[0].space.labels) == name, 0.93, 0.01) for name in ("happy", "sad")
)


def test_a_person_summed_up() -> None:
    """Happy at 0 and 1 s, sad at 2 and 6 s: 1.5 s of six happy, though half of the frames are."""
    frames = [
        result(time, said(4, expression8=shown, valence_arousal=(value, 0.0)))
        for time, shown, value in ((0, HAPPY, 1.0), (1, HAPPY, 1.0), (2, SAD, 0.0), (6, SAD, 0.0))
    ]
    frames.insert(1, result(0.5))
    (person,) = summed(frames)
    assert (person.source, person.track, person.first, person.last, person.frames) == ("v.mp4", 4, 0, 6, 4)
    assert list(person.share) == ["sad", "happy"]
    np.testing.assert_allclose(list(person.share.values()), [0.75, 0.25], atol=1e-5)
    assert person.means["valence_arousal"]["valence"] == pytest.approx(0.25, abs=1e-5)
    assert sum(person.means["expression8"].values()) == pytest.approx(1)
    assert person.confidence == pytest.approx(0.93)
    assert person.abstained == 0
    table = person.to_dict()
    assert table["share"] == dict(person.share)
    assert table["frames"] == 4


def test_people_of_several_sources_seen_once_and_in_still_pictures() -> None:
    unsure = replace(said(0, expression8=HAPPY), abstain=0.99)
    people = summed(
        [
            result(0.0, unsure, said(1), said(None)),
            result(0.0, said(0, expression8=SAD), source="w.mp4"),
            result(None, said(0, expression8=SAD), source="p.jpg"),
            result(None, said(0, expression8=HAPPY), source="p.jpg"),
        ]
    )
    assert [(one.source, one.track, one.frames) for one in people] == [
        ("v.mp4", 0, 1), ("v.mp4", 1, 1), ("w.mp4", 0, 1), ("p.jpg", 0, 2),
    ]  # fmt: skip
    assert people[0].abstained == 1
    assert people[0].share == {"happy": 1.0}
    assert people[3].share == pytest.approx({"sad": 0.5, "happy": 0.5})
    assert (people[3].first, people[3].last) == (None, None)


def test_a_task_without_classes_has_no_shares() -> None:
    task = replace(AFFECT, heads=tuple(head for head in AFFECT if head.kind is Kind.VALUES))
    (person,) = summed([result(0.0, said(0, task=task)), result(1.0, said(0, task=task))])
    assert person.share == {}
    assert person.confidence is None
    assert set(person.means) == {"valence_arousal"}
