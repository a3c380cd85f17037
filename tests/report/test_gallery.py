"""Which faces are shown, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien.labels import VAD, LabelSpace
from mien.render.blocks import FaceCard, FaceCards, Section, Subhead
from mien.report.heads import gallery
from mien.report.record import read
from mien.report.results import HeadOutputs
from mien.tasks import TASKS, Head, Kind

THREE = LabelSpace("three", ("a", "b", "c"))
CLASS, SPREAD = Head("h", Kind.CLASS, THREE), Head("h", Kind.DISTRIBUTION, THREE)
TRUE = np.eye(3, dtype=np.float32)[[0, 0, 1, 2, 1]]
SAID = np.array(
    [[0.9, 0.1, 0], [0.8, 0.1, 0.1], [0.1, 0.7, 0.2], [0.95, 0.05, 0], [0.3, 0.3, 0.4]], np.float32
)
OUTPUTS = HeadOutputs(np.arange(5), TRUE, SAID)
PICTURE = ("data:image/png;base64,", True)


def places(head: Head, many: int) -> dict[str, list[int]]:
    return {group.title: group.places.tolist() for group in gallery.choose(head, OUTPUTS, many)}


def test_the_surest_right_take_labels_in_turn() -> None:
    assert places(CLASS, 2)["Best"] == [0, 2]
    assert places(CLASS, 3)["Best"] == [0, 1, 2]


def test_the_surest_wrong_and_the_doubtful() -> None:
    found = places(CLASS, 2)
    assert found["Worst"] == [3, 4]
    assert found["Most ambiguous"][0] == 4
    assert places(SPREAD, 1)["Furthest"] == [3]


def test_chance_draws_the_same_faces_again_without_repeats() -> None:
    drawn = places(CLASS, 4)["Drawn at random"]
    assert drawn == places(CLASS, 4)["Drawn at random"]
    assert len(set(drawn)) == 4


def test_values_and_tags_go_by_distance() -> None:
    outputs = HeadOutputs(
        np.arange(3), np.array([[1.0], [5.0], [2.0]], np.float32), np.array([[1.5], [1.0], [2.0]], np.float32)
    )
    head = Head("v", Kind.VALUES, LabelSpace("v", ("v",)), (0.0, 10.0))
    typical, close, far, _ = gallery.choose(head, outputs, 2)
    assert typical.places.tolist() == [0, 2]
    assert close.places.tolist() == [2, 0]
    assert far.places.tolist() == [1, 0]


def test_a_card_of_labels() -> None:
    card = gallery.CARDS[Kind.CLASS](CLASS, TRUE[3], SAID[3], PICTURE, "x/3.png")
    assert card.verdict == ("c", "a")
    assert card.source == "x/3.png"
    assert [(label, true, round(said, 2)) for label, _, true, said in card.bars] == [
        ("a", 0, 0.95),
        ("b", 0, 0.05),
        ("c", 1, 0),
    ]
    assert card.alt.replace("\N{NO-BREAK SPACE}", " ") == "Face. Raters: c 100 %. Model: a 95 %, b 5 %."


def test_many_labels_show_the_ones_that_matter() -> None:
    space = LabelSpace("many", tuple(f"l{k}" for k in range(20)))
    true, said = np.zeros(20, np.float32), np.zeros(20, np.float32)
    true[18], said[7] = 1, 1
    shown = [
        bar[0]
        for bar in gallery.CARDS[Kind.CLASS](Head("h", Kind.CLASS, space), true, said, PICTURE, "x").bars
    ]
    assert len(shown) == 8
    assert {"l18", "l7"} <= set(shown)


def test_a_card_of_tags() -> None:
    head = TASKS["emotic"].heads[0]
    true, said = np.zeros(26, np.float32), np.full(26, 0.1, np.float32)
    true[[3, 5]], said[3] = 1, 0.9
    card = gallery.CARDS[Kind.TAGS](head, true, said, PICTURE, "x")
    assert card.bars[0][0] == "Anticipation"
    assert {bar[0] for bar in card.bars} >= {"Anticipation", "Confidence"}
    assert card.alt == "Face. Raters: Anticipation, Confidence. Model: Anticipation."
    assert "Raters: no tag" in gallery.CARDS[Kind.TAGS](head, 0 * true, said, PICTURE, "x").alt


def test_a_card_of_values() -> None:
    head = Head("vad", Kind.VALUES, VAD, (1.0, 10.0))
    true, said = np.array([1.0, np.nan, 5.5], np.float32), np.array([10.0, 12.0, 5.5], np.float32)
    card = gallery.CARDS[Kind.VALUES](head, true, said, PICTURE, "x")
    assert card.plane
    assert [item[1:3] for item in card.scale] == [(0.0, 1.0), (None, 1.0), (0.5, 0.5)]
    assert card.scale[1][3] == "– → 12.00"
    assert "arousal –" in card.alt


def test_the_ambiguous_are_those_the_raters_disagree_on_where_they_may() -> None:
    true = np.array([[1, 0, 0], [0.4, 0.3, 0.3], [0.9, 0.1, 0]], np.float32)
    outputs = HeadOutputs(np.arange(3), true, np.full((3, 3), 1 / 3, np.float32))
    found = {group.title: group.places.tolist() for group in gallery.choose(SPREAD, outputs, 2)}
    assert found["Most ambiguous"] == [1, 2]


def test_pairs_most_often_mixed_up_show_their_surest_faces() -> None:
    true = np.eye(3, dtype=np.float32)[[0, 0, 0, 1, 1, 1]]
    said = np.array(
        [[0.2, 0.7, 0.1], [0.1, 0.9, 0], [0.9, 0.1, 0], [0.1, 0.9, 0], [0, 1, 0], [0.3, 0.1, 0.6]], np.float32
    )
    found = gallery.choose(CLASS, HeadOutputs(np.arange(6), true, said), 4)
    assert next(group for group in found if group.title == "Most confused pairs").places.tolist() == [1, 0, 5]
    right = gallery.choose(CLASS, HeadOutputs(np.arange(6), true, true), 4)
    assert "Most confused pairs" not in [group.title for group in right]


def groups(section: Section) -> list[tuple[str, tuple[FaceCard, ...]]]:
    """Title and faces of each group of a gallery."""
    heads = [block.title for block in section.blocks if isinstance(block, Subhead)]
    return list(
        zip(heads, [block.faces for block in section.blocks if isinstance(block, FaceCards)], strict=True)
    )


@pytest.mark.parametrize(("name", "many"), [("expression7", 8), ("affect", 4)])
def test_a_gallery_shows_the_faces_of_the_store(runs: dict[str, Path], name: str, many: int) -> None:
    record = read(runs[name])
    found = dict(groups(gallery.section(record, record.heads[0])))
    assert list(found) == [
        "Typical",
        "Best",
        "Worst",
        "Most ambiguous",
        "Most confused pairs",
        "Drawn at random",
    ]
    assert 2 <= len(found.pop("Most confused pairs")) <= many
    assert {len(group) for group in found.values()} == {many}
    cards = [card for group in found.values() for card in group]
    assert all(card.small and card.picture.startswith("data:image/png") for card in cards)


def test_each_card_shows_the_face_it_speaks_of(runs: dict[str, Path]) -> None:
    record = read(runs["expression7"])
    assert record.store is not None
    rows = {
        source: row for row, source in enumerate(record.store.texts("source", np.arange(len(record.store))))
    }
    worst = dict(groups(gallery.section(record, record.heads[0])))["Worst"]
    assert worst
    for card in worst:
        row = np.array([rows[card.source]])
        assert gallery.portraits(record.store, row.tolist())[0][0] == card.picture
        target = record.store.target(record.heads[0].head, row)[0]
        assert card.verdict[0] == record.heads[0].head.space.labels[int(target.argmax())]
