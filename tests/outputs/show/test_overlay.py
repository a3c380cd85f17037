"""Cards on the frames of a video: legible, calm, where they belong."""

from __future__ import annotations

import numpy as np
import pytest

from mien.outputs.show.card import card_of
from mien.outputs.show.overlay import HOLD, STAY, Overlay
from mien.records import Pixels
from tests.outputs.show.streams import face

GREY = np.full((480, 640, 3), 128, np.uint8)


def changed(before: Pixels, after: Pixels) -> tuple[int, int, int, int]:
    """The rectangle in which two pictures differ: left, top, right, bottom."""
    rows, columns = np.nonzero((before != after).any(axis=2))
    return columns.min(), rows.min(), columns.max(), rows.max()


def test_the_frame_is_not_changed_but_copied_and_grey_becomes_colour() -> None:
    drawn = Overlay((640, 480)).draw(GREY[:, :, 0], [face((50, 50, 100, 100))], 0.0)
    assert drawn.shape == (480, 640, 3)
    assert (GREY == 128).all()
    assert (drawn != GREY).any()


def test_a_box_has_the_colour_of_its_label_and_its_inside_is_free() -> None:
    found = face((200, 100, 150, 150), "fear")
    drawn = Overlay((640, 480)).draw(GREY, [found], 0.0)
    assert (drawn[150, 200] == card_of(found).colour).all()
    np.testing.assert_array_equal(drawn[110:240, 210:340], GREY[110:240, 210:340])


def test_words_change_only_every_quarter_of_a_second() -> None:
    overlay = Overlay((640, 480))
    first = overlay.draw(GREY, [face((200, 100, 150, 150), "fear", track=1)], 0.0)
    soon = overlay.draw(GREY, [face((200, 100, 150, 150), "happy", track=1)], HOLD / 2)
    later = overlay.draw(GREY, [face((200, 100, 150, 150), "happy", track=1)], HOLD)
    np.testing.assert_array_equal(first, soon)
    assert (first != later).any()


def test_a_trembling_box_leaves_its_card_where_it_is() -> None:
    overlay, places = Overlay((640, 480)), []
    for frame in range(20):
        box = (200 + frame % 2 * 2, 100 + frame // 2 % 2 * 2, 150, 150)
        drawn = overlay.draw(GREY, [face(box, track=1)], frame / 25)
        places.append(changed(GREY[:, 360:], drawn[:, 360:]))
    assert len(set(places)) == 1


def test_a_card_follows_its_face_and_does_not_jump_to_its_other_side() -> None:
    overlay, places = Overlay((640, 480)), []
    for frame in range(60):
        box = (20 + 6 * frame, 200, 100, 100)
        overlay.draw(GREY, [face(box, track=1)], frame / 25)
        places.append(next(iter(overlay._shown.values())).place)
    steps = np.abs(np.diff(np.array(places), axis=0))
    assert steps.max() < 60, "at most a glide"
    assert steps.max(axis=1)[:40].max() <= 12
    assert places[30][0] > places[0][0] + 150


@pytest.mark.parametrize(
    "box", [(-60, -40, 100, 100), (600, 440, 100, 100), (700, 500, 50, 50), (0, 0, 640, 480)]
)
def test_a_face_at_the_border_is_drawn_as_far_as_it_is_there(box: tuple[int, int, int, int]) -> None:
    drawn = Overlay((640, 480)).draw(GREY, [face(box)], 0.0)
    assert drawn.shape == GREY.shape
    assert (drawn < 60).all(axis=2).sum() > 1000, "its card is in the picture"


@pytest.mark.parametrize("size", [(8, 8), (60, 40), (160, 120)])
def test_small_videos_are_no_fault(size: tuple[int, int]) -> None:
    pixels = np.full((size[1], size[0], 3), 200, np.uint8)
    assert Overlay(size).draw(pixels, [face((0, 0, size[0], size[1]))], 0.0).shape == pixels.shape


def test_a_crowd_gets_titles_alone_and_keeps_them_for_a_while() -> None:
    overlay = Overlay((640, 480))
    crowd = [face((x, y, 60, 60), track=x * 100 + y) for x in range(5, 600, 90) for y in range(5, 400, 90)]
    crowded = overlay.draw(GREY, crowd, 0.0)
    assert (crowded < 60).all(axis=2).mean() < 0.3
    few = overlay.draw(GREY, crowd[:1], STAY / 2)
    full = overlay.draw(GREY, crowd[:1], 3 * STAY)
    assert 2 * (few < 60).all(axis=2).sum() < (full < 60).all(axis=2).sum()


def test_faces_that_left_are_forgotten() -> None:
    overlay = Overlay((640, 480))
    for track in range(50):
        overlay.draw(GREY, [face((100, 100, 100, 100), track=track)], track * 1.0)
    assert len(overlay._shown) <= 2


def test_cards_of_two_faces_lie_apart_and_off_the_faces() -> None:
    boxes = [(100, 100, 120, 120), (240, 100, 120, 120)]
    drawn = Overlay((640, 480)).draw(GREY, [face(box, track=at) for at, box in enumerate(boxes)], 0.0)
    for x, y, wide, high in boxes:
        assert (drawn[y + 6 : y + high - 6, x + 6 : x + wide - 6] == 128).all()
