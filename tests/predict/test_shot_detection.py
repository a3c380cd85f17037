"""Cuts of drawn videos, and what is none: flashes, movement, black frames."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mien.predict.shot_detection import ShotDetector
from mien.predict.tracks import Tracker
from mien.records import Face, Pixels
from tests.sources.media import Person, draw, present


def place(seed: int, size: tuple[int, int] = (450, 300)) -> Pixels:
    """Somewhere: blurred patches of colour, larger than the picture."""
    patches = np.random.default_rng(seed).integers(0, 255, (20, 30, 3), np.uint8)
    return np.asarray(cv2.resize(patches, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def seen(ground: Pixels, x: int = 0, y: int = 0, gain: float = 1.0) -> Pixels:
    """320x240 of it, with the noise of a camera."""
    part = ground[y : y + 240, x : x + 320] * gain
    noise = np.random.default_rng(x + y).normal(0, 3, part.shape)
    return (part + noise).clip(0, 255).astype(np.uint8)


def numbers(pictures: list[Pixels], step: float = 0.04) -> list[int]:
    shots = ShotDetector()
    return [shots.update(picture, k * step) for k, picture in enumerate(pictures)]


HERE, THERE = place(0), place(1)
CLOSE = (
    Person("ann", 0, (320, 240), (330, 240), side=200, seen=(0, 0.5)),
    Person("bob", 3, (320, 245), (330, 245), side=200, seen=(0.5, 1)),
)


def test_a_cut_begins_a_shot_however_frames_are_taken() -> None:
    assert (
        numbers([seen(HERE, k) for k in range(4)] + [seen(THERE, k) for k in range(4)]) == [0] * 4 + [1] * 4
    )
    assert numbers([seen(HERE), seen(THERE), seen(HERE, 40)], step=2.0) == [0, 1, 0], (
        "back in the very next frame"
    )
    away = [seen(HERE)] + [seen(THERE, k) for k in range(20)] + [seen(HERE)]
    assert numbers(away) == [0] + [1] * 20 + [2], "away for longer than a flash"


def test_grey_pictures_and_any_size() -> None:
    grey = [seen(ground).mean(axis=2).astype(np.uint8) for ground in (HERE, HERE, THERE)]
    assert numbers(grey) == [0, 0, 1]
    tall = [
        cv2.resize(seen(ground), size)
        for ground, size in ((HERE, (90, 160)), (HERE, (90, 160)), (THERE, (1, 1)))
    ]
    assert numbers(tall) == [0, 0, 0], "of one pixel nothing can be said"


@pytest.mark.parametrize("step", [(4, 0), (30, 5), (0, 10)])
def test_a_moving_camera_is_no_cut(step: tuple[int, int]) -> None:
    across, down = step
    assert numbers([seen(HERE, across * k, down * k) for k in range(5)]) == [0] * 5


def test_light_is_no_cut() -> None:
    assert numbers([seen(HERE, gain=gain) for gain in (1, 1.8, 2.4, 1.8, 1, 0.6, 0.4)]) == [0] * 7


def test_white_and_black_frames_are_nothing_in_between() -> None:
    white, black = np.full((480, 640, 3), 255, np.uint8), np.zeros((480, 640, 3), np.uint8)
    assert numbers([black, seen(HERE), white, black, seen(HERE, 9), black, seen(THERE), black]) == [
        0,
        0,
        0,
        0,
        0,
        0,
        1,
        1,
    ]


def test_a_flash_that_hides_the_picture_ends_no_shot() -> None:
    burnt = seen(THERE, 100, 50)
    assert numbers([seen(HERE), seen(HERE), burnt, burnt, seen(HERE), seen(HERE)]) == [0, 0, 1, 1, 0, 0]
    assert numbers([seen(HERE), burnt, seen(place(2)), burnt]) == [0, 1, 2, 1], "only the shot before goes on"


def test_two_people_at_one_place_get_two_ids_at_a_cut_and_one_keeps_hers_through_a_flash() -> None:
    """Drawn faces alike in structure, on grounds that differ in colour alone; one frame is burnt out."""
    shots, tracker, ids = ShotDetector(), Tracker(), []
    for time in np.arange(0, 1, 0.04):
        picture = draw(CLOSE, time, 1.0, ground=int(time >= 0.5))
        if 0.2 <= time < 0.24:
            picture = np.clip(picture * 2.2 + 60.0, 0, 255).astype(np.uint8)
        faces = [Face(box) for _, box in present(CLOSE, time, 1.0)]
        ids.append(tracker.update(faces, time, shots.update(picture, time))[0].track)
    assert ids[4] == ids[6] == 0
    assert set(ids[:5] + ids[6:13]) == {0}
    assert len(set(ids[13:])) == 1
    assert 0 not in ids[13:]
