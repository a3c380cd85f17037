"""A gallery of faces with what raters said and what the model said: the best, the worst, the doubtful and some at random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..tasks import Head, Kind
from .faces import portraits
from .palette import colours
from .record import HeadRecord, Outputs, Rows, RunRecord
from .scores import distance, entropy
from .section import Section
from .words import percent, signed

_FACES = 8
_LEAST = 4
_BARS = 8
_ALL_BARS = 13
_SEED = 0
_PROBABILITIES = (Kind.CLASS, Kind.DISTRIBUTION)


@dataclass(frozen=True)
class Group:
    """A choice of faces: its title, why these, and places in the head's outputs, first shown first."""

    title: str
    why: str
    places: Rows


@dataclass(frozen=True)
class Card:
    """One face: its picture, where it comes from, and (label, colour, true, predicted) per bar or value."""

    picture: str
    small: bool
    source: str
    alt: str
    verdict: tuple[str, str]
    bars: list[tuple[str, str, float, float]] = field(default_factory=list)
    scale: list[tuple[str, float | None, float, str]] = field(default_factory=list)
    plane: bool = False


def section(record: RunRecord, one: HeadRecord) -> Section:
    """The gallery of a head, or why there is none."""
    if one.outputs is None:
        return Section("Faces", note="No gallery: the run holds no predictions for this head (predictions.parquet).")
    if record.store is None:
        return Section("Faces", note=f"No gallery: {record.store_note}.")
    many = max(_FACES // len(record.heads), _LEAST)
    groups = [group for group in choose(one.head, one.outputs, many) if len(group.places)]
    shown = [(group, _cards(record, one.head, one.outputs, group)) for group in groups]
    data = {"groups": shown, "values": one.head.kind is Kind.VALUES, "verdicts": one.head.kind in _PROBABILITIES}
    return Section("Faces", "gallery", data)


def choose(head: Head, outputs: Outputs, many: int) -> list[Group]:
    """The groups of a head's gallery, `many` faces each."""
    drawn = np.random.default_rng(_SEED).permutation(len(outputs.places))[:many]
    chance = Group("Drawn at random", "a fair look, chosen by a fixed seed", drawn)
    if head.kind in _PROBABILITIES:
        return [*_by_label(head, outputs, many), chance]
    far = distance(head, outputs.true, outputs.predicted)
    return [
        Group("Closest", "where the model is nearest to the raters", _first(far, many)),
        Group("Furthest", "where the model is furthest from the raters", _first(-far, many)),
        chance,
    ]


def _first(order: Any, many: int) -> Rows:
    return np.argsort(order, kind="stable")[:many]


def _by_label(head: Head, outputs: Outputs, many: int) -> list[Group]:
    true, predicted = outputs.true, outputs.predicted
    right = true.argmax(axis=1) == predicted.argmax(axis=1)
    confidence = predicted.max(axis=1)
    wrong = np.flatnonzero(~right)
    doubt = (
        Group("Most doubtful", "where the model hesitates most between labels", _first(-entropy(predicted), many))
        if head.kind is Kind.CLASS
        else Group(
            "Furthest", "the largest KL divergence from the raters", _first(-distance(head, true, predicted), many)
        )
    )
    return [
        Group(
            "Surest and right", "the most confident hits, labels in turn", _in_turn(outputs, right, confidence, many)
        ),
        Group("Surest and wrong", "the most confident misses", wrong[_first(-confidence[wrong], many)]),
        doubt,
    ]


def _in_turn(outputs: Outputs, right: Any, confidence: Any, many: int) -> Rows:
    """The surest hit of each label, then the second of each, until there are `many`; shown in the labels' order."""
    top = outputs.true.argmax(axis=1)
    ranked = [
        (rank, label, place)
        for label in range(outputs.true.shape[1])
        for hits in [np.flatnonzero(right & (top == label))]
        for rank, place in enumerate(hits[_first(-confidence[hits], many)])
    ]
    chosen = sorted(ranked)[:many]
    return np.array([place for _, _, place in sorted(chosen, key=lambda item: (item[1], item[0]))], np.int64)


def _cards(record: RunRecord, head: Head, outputs: Outputs, group: Group) -> list[Card]:
    assert record.store
    places = outputs.places[group.places]
    pictures = portraits(record.store, [int(record.rows[place]) for place in places])
    return [
        CARDS[head.kind](head, outputs.true[at], outputs.predicted[at], picture, record.sources[place])
        for at, place, picture in zip(group.places, places, pictures, strict=True)
    ]


def _label_card(head: Head, true: Any, predicted: Any, picture: tuple[str, bool], source: str) -> Card:
    labels = head.space.labels
    shown = range(len(labels)) if len(labels) <= _ALL_BARS else sorted(_first(-np.maximum(true, predicted), _BARS))
    look = colours(head.space)
    bars = [(labels[k], look[labels[k]], float(true[k]), float(predicted[k])) for k in shown]
    verdict = (labels[int(true.argmax())], labels[int(predicted.argmax())])
    alt = f"Face. Raters: {_said(labels, true)}. Model: {_said(labels, predicted)}."
    return Card(*picture, source, alt, verdict, bars)


def _said(labels: tuple[str, ...], row: Any) -> str:
    return ", ".join(f"{labels[k]} {percent(float(row[k]))}" for k in _first(-row, 2) if row[k] >= 0.005)


def _tag_card(head: Head, true: Any, predicted: Any, picture: tuple[str, bool], source: str) -> Card:
    labels = head.space.labels
    shown = sorted(_first(-(true + predicted), _BARS), key=lambda k: -predicted[k])
    look = colours(head.space)
    bars = [(labels[k], look[labels[k]], float(true[k]), float(predicted[k])) for k in shown]
    said = [labels[k] for k in np.flatnonzero(true > 0.5)]
    guess = [labels[k] for k in np.flatnonzero(predicted > 0.5)]
    alt = f"Face. Raters: {', '.join(said) or 'no tag'}. Model: {', '.join(guess) or 'no tag'}."
    return Card(*picture, source, alt, ("", ""), bars)


def _value_card(head: Head, true: Any, predicted: Any, picture: tuple[str, bool], source: str) -> Card:
    low, high = head.bounds
    labels = head.space.labels

    def share(value: float) -> float:
        return float(np.clip((value - low) / (high - low), 0, 1))

    scale = [
        (label, share(t) if np.isfinite(t) else None, share(p), f"{_value(t)} → {_value(p)}")
        for label, t, p in zip(labels, true, predicted, strict=True)
    ]
    said = ", ".join(f"{label} {_value(t)}" for label, t in zip(labels, true, strict=True))
    guess = ", ".join(f"{label} {_value(p)}" for label, p in zip(labels, predicted, strict=True))
    alt = f"Face. Raters: {said}. Model: {guess}."
    return Card(*picture, source, alt, ("", ""), scale=scale, plane=len(labels) > 1)


def _value(value: float) -> str:
    return signed(float(value), 2) if np.isfinite(value) else "–"


CARDS: dict[Kind, Callable[[Head, Any, Any, tuple[str, bool], str], Card]] = {
    Kind.CLASS: _label_card,
    Kind.DISTRIBUTION: _label_card,
    Kind.TAGS: _tag_card,
    Kind.VALUES: _value_card,
}
