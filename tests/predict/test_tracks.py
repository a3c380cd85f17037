"""Faces followed through simulated videos whose truth is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pytest

from mien.detect import detector
from mien.errors import InputError
from mien.predict.tracks import Tracker, _overlap, _pairs
from mien.records import Box, Face
from tests.sources.media import PEOPLE, Person, draw, present

Shot = tuple[float, list[tuple[str, Face]]]


def face(x: float, y: float = 100, side: int = 80, score: float | None = None) -> Face:
    """A face whose middle is at (x, y)."""
    return Face(Box(round(x - side / 2), round(y - side / 2), side, side), (), score)


def ids(tracker: Tracker, shots: Iterable[Shot]) -> dict[str, list[int]]:
    """By name the ids that a person had, in order, each once in a row."""
    found: dict[str, list[int]] = {}
    for time, people in shots:
        for (name, _), seen in zip(people, tracker.update([face for _, face in people], time), strict=True):
            assert seen.track is not None
            if found.setdefault(name, [])[-1:] != [seen.track]:
                found[name].append(seen.track)
    return found


def video(
    people: Sequence[Person], times: Iterable[float], duration: float, noise: float = 0.02
) -> list[Shot]:
    """What a detector sees of composed people: boxes a little off, in any order."""
    rng = np.random.default_rng(0)
    shots = []
    for time in times:
        seen = [(name, _shaken(box, noise, rng)) for name, box in present(people, time, duration)]
        shots.append((time, [seen[k] for k in rng.permutation(len(seen))]))
    return shots


def _shaken(box: Box, noise: float, rng: np.random.Generator) -> Face:
    x, y, side = np.array([box.x, box.y, 0]) + rng.normal(0, noise * box.width, 3)
    return Face(Box(round(x), round(y), round(box.width + side), round(box.width + side)))


def test_the_same_faces_in_the_same_order_each_with_an_id_at_once() -> None:
    tracker = Tracker()
    first = [face(300), face(100), face(500, score=0.1)]
    found = tracker.update(first, 0.0)
    assert [seen.track for seen in found] == [0, 1, 2]
    assert [seen.box for seen in found] == [seen.box for seen in first]
    assert [seen.track for seen in tracker.update([face(102), face(503), face(299)], 0.04)] == [1, 2, 0]
    assert tracker.update([], 0.08) == []


CROSSING = (
    Person("ann", 0, (60, 200), (580, 200), seen=(0, 9)),
    Person("bob", 1, (580, 215), (60, 215), seen=(0, 9)),
)


def test_two_who_cross_keep_their_ids() -> None:
    """They pass each other at two face widths a second, and for a quarter of a second only one of them is
    found."""
    times = np.arange(0, 3, 1 / 25)
    shots = video(CROSSING, times, 3.0)
    hidden = [(t, [one for one in people if abs(t - 1.5) > 0.13 or one[0] == "ann"]) for t, people in shots]
    found = ids(Tracker(), hidden)
    assert sorted(found.values()) == [[0], [1]]


def test_variable_frame_rates_and_every_half_second() -> None:
    rng = np.random.default_rng(1)
    irregular = np.cumsum(rng.uniform(0.01, 0.3, 60))
    slow = (Person("ann", 0, (100, 100), (500, 130)), Person("bob", 1, (500, 300), (100, 330)))
    for times in (irregular, np.arange(0, 12, 0.5), np.arange(0, 12, 1.0)):
        found = ids(Tracker(), video(slow, times, 12.0))
        assert [len(numbers) for numbers in found.values()] == [1, 1]


def test_who_leaves_and_comes_back_soon_keeps_the_id_and_later_gets_a_new_one() -> None:
    def away(seconds: float) -> list[int]:
        there = [("ann", face(200))]
        times = np.arange(0, 2 + seconds, 0.04)
        return ids(Tracker(patience=2.0), [(t, [] if 1 < t < 1 + seconds else there) for t in times])["ann"]

    assert away(1.5) == [0]
    assert away(2.5) == [0, 1], "ids are never used again"


def test_a_track_seen_in_the_last_frame_lives_however_long_ago_that_was() -> None:
    tracker = Tracker(patience=1.0)
    assert [tracker.update([face(200 + 5 * k)], 10.0 * k)[0].track for k in range(4)] == [0, 0, 0, 0]


def test_a_face_of_another_shot_is_another_and_a_shot_that_goes_on_has_its_own_again() -> None:
    tracker = Tracker()
    shots = [(0.0, 0), (0.04, 1), (0.08, 0), (0.12, 2), (0.16, 2)]
    assert [tracker.update([face(200)], time, shot)[0].track for time, shot in shots] == [0, 1, 0, 2, 2]


def test_sure_faces_choose_first_and_unsure_ones_keep_a_track_going() -> None:
    tracker = Tracker(high=0.6)
    tracker.update([face(200, score=0.9)], 0.0)
    found = tracker.update([face(202, score=0.3), face(215, score=0.9)], 0.04)
    assert [seen.track for seen in found] == [1, 0], "the sure one, though further off"
    assert tracker.update([face(218, score=0.2)], 0.08)[0].track == 0, "an unsure face is no lost one"
    greedy = Tracker(high=0.0)
    greedy.update([face(200, score=0.9)], 0.0)
    assert [seen.track for seen in greedy.update([face(202, score=0.3), face(215, score=0.9)], 0.04)] == [
        0,
        1,
    ]


def test_a_face_that_moves_on_is_expected_ahead() -> None:
    """After a gap of a fifth of a second the one in front, not the one where it was last seen, is the same
    face."""
    tracker = Tracker()
    for k in range(20):
        tracker.update([face(100 + 12 * k)], k / 25)
    found = tracker.update([face(100 + 12 * 19, 150), face(100 + 12 * 24)], 24 / 25)
    assert [seen.track for seen in found] == [1, 0]


def test_time_does_not_run_back() -> None:
    tracker = Tracker()
    tracker.update([], 1.0)
    with pytest.raises(InputError, match=r"frame at 0\.5 s after one at 1\.0 s"):
        tracker.update([], 0.5)
    with pytest.raises(InputError, match="frame at nan s"):
        tracker.update([], float("nan"))


def test_overlap_by_hand() -> None:
    boxes, others = (
        np.array([[5.0, 5, 10, 10]]),
        np.array([[5.0, 5, 10, 10], [10, 5, 10, 10], [15, 5, 10, 10], [5, 5, 2, 2]]),
    )
    np.testing.assert_allclose(_overlap(boxes, others, np.zeros(4)), [[1, 1 / 3, 0, 0.04]])
    np.testing.assert_allclose(_overlap(boxes, others[2:3], np.full(1, 0.5)), [[1 / 3]])


def test_pairs_take_the_largest_first() -> None:
    shared = np.array([[0.9, 0.8], [0.85, 0.1], [0.05, 0.3]])
    assert list(_pairs(shared, 0.2)) == [(0, 0), (2, 1)]
    assert list(_pairs(shared, 0.0)) == [(0, 0), (2, 1)]
    assert not list(_pairs(np.zeros((2, 3)), 0.0))


def test_detected_faces_of_a_drawn_video_keep_their_ids() -> None:
    """Haar finds both in every frame; each id stays with the one whose box is there."""
    tracker, find = Tracker(), detector("haar", smallest=80)
    followed: dict[str, set[int | None]] = {"ann": set(), "bob": set()}
    for time in np.arange(0, 2, 0.1):
        faces = tracker.update(find(draw(PEOPLE, time, 2.0)), time)
        assert len(faces) == 2
        for name, box in present(PEOPLE, time, 2.0):
            near = min(faces, key=lambda found: abs(found.box.x - box.x) + abs(found.box.y - box.y))
            assert abs(near.box.x + near.box.width / 2 - box.x - box.width / 2) < 25
            followed[name].add(near.track)
    assert sorted(followed.values(), key=min) == [{0}, {1}]
