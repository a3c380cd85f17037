"""What stands beside a face where room is short: a title, its likeliest labels, its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ...palette import EMOTIONS, bright, colours
from ...prediction import Prediction
from ...tasks import Head, Kind, Task

Colour = tuple[int, int, int]

#: What stands instead of a label where the model abstains.
UNSURE = "unsure"
GREY: Colour = bright(EMOTIONS["neutral"])


class LabelBar(NamedTuple):
    """One label with its probability 0…1 and its colour, for dark ground."""

    label: str
    value: float
    colour: Colour


@dataclass(frozen=True)
class OverlayCard:
    """What is written beside a face. `spot`: valence and arousal, each brought to -1…1."""

    title: str
    colour: Colour
    bars: tuple[LabelBar, ...] = ()
    note: str = ""
    spot: tuple[float, float] | None = None


def card_of(prediction: Prediction, most: int = 3) -> OverlayCard:
    """Show the track, the `most` likeliest labels (else tags) and the first values; grey if unsure."""
    bars = _bars(prediction, most)
    note, spot = _values(prediction)
    number = "" if prediction.face.track is None else f"#{prediction.face.track} "
    if prediction.abstained:
        return OverlayCard(number + UNSURE, GREY, bars, note, spot)
    if bars:
        return OverlayCard(f"{number}{bars[0].label} {bars[0].value:.0%}", bars[0].colour, bars, note, spot)
    return OverlayCard(number + note, GREY, spot=spot)


def scored(task: Task) -> Head | None:
    """The head whose labels are shown: the first of classes or a distribution, else the first of tags."""
    return task.main_head or next((head for head in task if head.kind is Kind.TAGS), None)


def _bars(prediction: Prediction, most: int) -> tuple[LabelBar, ...]:
    head = scored(prediction.task)
    if head is None:
        return ()
    palette = colours(head.space)
    ranked = sorted(prediction.outputs[head.name].items(), key=lambda item: -item[1])[:most]
    return tuple(LabelBar(label, value, bright(palette[label])) for label, value in ranked)


def _values(prediction: Prediction) -> tuple[str, tuple[float, float] | None]:
    head = next((head for head in prediction.task if head.kind is Kind.VALUES), None)
    if head is None:
        return "", None
    low, high = head.bounds
    numbers = prediction.outputs[head.name]
    note = "  ".join(f"{name} {number:{'+.2f' if low < 0 else '.1f'}}" for name, number in numbers.items())
    middle = {name: (2 * number - low - high) / (high - low) for name, number in numbers.items()}
    return note, (middle["valence"], middle["arousal"]) if {"valence", "arousal"} <= set(middle) else None
