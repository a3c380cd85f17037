"""What a card says."""

from __future__ import annotations

import pytest

from mien.labels import SPACES
from mien.outputs.show.card import GREY, card_of, scored
from mien.palette import bright, colours
from mien.prediction import Prediction
from mien.tasks import TASKS, Head, Kind, Task
from tests.outputs.show.streams import face


def test_the_track_stands_before_the_label() -> None:
    assert card_of(face((0, 0, 9, 9), "sad", track=7)).title == "#7 sad 70%"
    assert card_of(face((0, 0, 9, 9), "sad", track=0)).title == "#0 sad 70%"
    assert card_of(face((0, 0, 9, 9), "sad")).title == "sad 70%"


def test_who_abstains_says_unsure_in_grey_and_still_shows_what_was_seen() -> None:
    card = card_of(face((0, 0, 9, 9), "angry", 0.4, track=2, abstain=0.5))
    assert (card.title, card.colour) == ("#2 unsure", GREY)
    assert card.bars[0][:2] == ("angry", 0.4)
    assert card_of(face((0, 0, 9, 9), "angry", 0.6, abstain=0.5)).title == "angry 60%"


def test_a_card_has_as_many_bars_as_asked_for() -> None:
    assert len(card_of(face((0, 0, 9, 9)), 5).bars) == 5


@pytest.mark.parametrize("name", SPACES)
def test_pictures_and_reports_have_one_palette(name: str) -> None:
    space = SPACES[name]
    task = Task("own", (Head("own", Kind.CLASS, space),))
    outputs = {"own": {label: 1 / (place + 1) for place, label in enumerate(space.labels)}}
    bars = card_of(Prediction(face((0, 0, 9, 9)).face, outputs, task), len(space)).bars
    assert {bar.label: bar.colour for bar in bars} == {
        label: bright(tone) for label, tone in colours(space).items()
    }


def test_tags_are_scored_where_there_are_no_classes() -> None:
    assert scored(TASKS["affect"]) == TASKS["affect"].heads[0]
    assert scored(TASKS["emotic"]).kind is Kind.TAGS
    assert scored(Task("only", (TASKS["affect"].head("valence_arousal"),))) is None
