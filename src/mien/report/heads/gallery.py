"""A gallery of faces with what raters said and what the model said: typical, best, worst, ambiguous, and
mixed up."""

import base64
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from ...palette import colours
from ...records import Pixels
from ...render.blocks import Block, FaceCard, FaceCards, Legend, Section, Subhead
from ...render.text import percent, signed
from ...store import Store
from ...tasks import Head, Kind
from ..record import RunRecord
from ..results import HeadOutputs, HeadRecord, Rows
from .confusion import mixed
from .scores import distance, entropy

_FACES = 8
_LEAST = 4
_BARS = 8
_ALL_BARS = 13
_SEED = 0
_WHOLE, _REDUCED = 64, 128  # pixels up to which a picture is kept whole, and that larger ones are reduced to
_PROBABILITIES = (Kind.CLASS, Kind.DISTRIBUTION)


@dataclass(frozen=True)
class Group:
    """A choice of faces: its title, why these, and places in the head's outputs, first shown first."""

    title: str
    why: str
    places: Rows


def section(record: RunRecord, result: HeadRecord) -> Section:
    """The gallery of a head, or why there is none."""
    if result.outputs is None:
        return Section(
            "Faces",
            note="No gallery: the run holds no predictions for this head (mien evaluate writes them).",
        )
    if record.store is None:
        return Section("Faces", note=f"No gallery: {record.store_note}.")
    many = max(_FACES // len(record.heads), _LEAST)
    legend = Legend(
        "scales" if result.head.kind is Kind.VALUES else "bars", result.head.kind in _PROBABILITIES
    )
    shown: list[Block] = [legend]
    for group in choose(result.head, result.outputs, many):
        if len(group.places):
            shown += [Subhead(group.title, group.why), FaceCards(tuple(cards(record, result, group.places)))]
    return Section("Faces", blocks=tuple(shown))


def choose(head: Head, outputs: HeadOutputs, many: int) -> list[Group]:
    """The groups of a head's gallery, `many` faces each."""
    drawn = np.random.default_rng(_SEED).permutation(len(outputs.places))[:many]
    far = distance(head, outputs.true, outputs.predicted)
    typical = Group(
        "Typical", "as far from the raters as the median face", _first(np.abs(far - np.median(far)), many)
    )
    chance = Group("Drawn at random", "a fair look, chosen by a fixed seed", drawn)
    if head.kind.is_exclusive:
        return [typical, *_by_label(head, outputs, far, many), chance]
    return [
        typical,
        Group("Best", "where the model is nearest to the raters", _first(far, many)),
        Group("Worst", "where the model is furthest from the raters", _first(-far, many)),
        chance,
    ]


def _first(order: Any, many: int) -> Rows:
    return np.argsort(order, kind="stable")[:many]


def _by_label(head: Head, outputs: HeadOutputs, far: Any, many: int) -> Iterator[Group]:
    true, predicted = outputs.true, outputs.predicted
    right = true.argmax(axis=1) == predicted.argmax(axis=1)
    confidence, wrong = predicted.max(axis=1), np.flatnonzero(~right)
    yield Group("Best", "the surest hits, labels in turn", _in_turn(outputs, right, confidence, many))
    yield Group("Worst", "the surest misses", wrong[_first(-confidence[wrong], many)])
    if head.kind is Kind.DISTRIBUTION:
        yield Group("Furthest", "the largest KL divergence from the raters", _first(-far, many))
        yield Group("Most ambiguous", "where the raters agree least", _first(-entropy(true), many))
    else:
        yield Group(
            "Most ambiguous",
            "where the model hesitates most between labels",
            _first(-entropy(predicted), many),
        )
    yield from _mixed(head, outputs, wrong, many)


def _mixed(head: Head, outputs: HeadOutputs, wrong: Rows, many: int) -> Iterator[Group]:
    """The surest faces of the pairs of labels most often mixed up, by share of the true label's faces."""
    true, said = outputs.true.argmax(axis=1), outputs.predicted.argmax(axis=1)
    counts = np.zeros((len(head), len(head)), np.int64)
    np.add.at(counts, (true, said), 1)
    shown = []
    for i, j in mixed(counts)[:2]:
        pair = wrong[(true[wrong] == i) & (said[wrong] == j)]
        shown.append(pair[_first(-outputs.predicted[pair, j], many // 2)])
    if shown:
        yield Group("Most confused pairs", "the labels most often mixed up", np.concatenate(shown))


def _in_turn(outputs: HeadOutputs, right: Any, confidence: Any, many: int) -> Rows:
    """The surest hit of each label, then the second of each, until there are `many`; shown in the labels'
    order."""
    top = outputs.true.argmax(axis=1)
    ranked = [
        (rank, label, place)
        for label in range(outputs.true.shape[1])
        for hits in [np.flatnonzero(right & (top == label))]
        for rank, place in enumerate(hits[_first(-confidence[hits], many)])
    ]
    chosen = sorted(ranked)[:many]
    return np.array([place for _, _, place in sorted(chosen, key=lambda item: (item[1], item[0]))], np.int64)


def cards(record: RunRecord, result: HeadRecord, chosen: Rows) -> list[FaceCard]:
    """Faces of some places in a head's outputs, with what raters and model said of them."""
    assert record.store
    assert result.outputs
    outputs, places = result.outputs, result.outputs.places[chosen]
    pictures = portraits(record.store, [int(record.rows[place]) for place in places])
    return [
        CARDS[result.head.kind](
            result.head, outputs.true[at], outputs.predicted[at], picture, record.sources[place]
        )
        for at, place, picture in zip(chosen, places, pictures, strict=True)
    ]


def _label_card(head: Head, true: Any, predicted: Any, picture: tuple[str, bool], source: str) -> FaceCard:
    labels = head.space.labels
    shown = (
        range(len(labels))
        if len(labels) <= _ALL_BARS
        else sorted(_first(-np.maximum(true, predicted), _BARS))
    )
    look = colours(head.space)
    bars = tuple((labels[k], look[labels[k]], float(true[k]), float(predicted[k])) for k in shown)
    verdict = (labels[int(true.argmax())], labels[int(predicted.argmax())])
    alt = f"Face. Raters: {_said(labels, true)}. Model: {_said(labels, predicted)}."
    return FaceCard(*picture, source, alt, verdict, bars)


def _said(labels: tuple[str, ...], row: Any) -> str:
    return ", ".join(f"{labels[k]} {percent(float(row[k]))}" for k in _first(-row, 2) if row[k] >= 0.005)


def _tag_card(head: Head, true: Any, predicted: Any, picture: tuple[str, bool], source: str) -> FaceCard:
    labels = head.space.labels
    shown = sorted(_first(-(true + predicted), _BARS), key=lambda k: -predicted[k])
    look = colours(head.space)
    bars = tuple((labels[k], look[labels[k]], float(true[k]), float(predicted[k])) for k in shown)
    said = [labels[k] for k in np.flatnonzero(true > 0.5)]
    guess = [labels[k] for k in np.flatnonzero(predicted > 0.5)]
    alt = f"Face. Raters: {', '.join(said) or 'no tag'}. Model: {', '.join(guess) or 'no tag'}."
    return FaceCard(*picture, source, alt, bars=bars)


def _value_card(head: Head, true: Any, predicted: Any, picture: tuple[str, bool], source: str) -> FaceCard:
    low, high = head.bounds
    labels = head.space.labels

    def share(value: float) -> float:
        return float(np.clip((value - low) / (high - low), 0, 1))

    scale = tuple(
        (label, share(t) if np.isfinite(t) else None, share(p), f"{_value(t)} → {_value(p)}")
        for label, t, p in zip(labels, true, predicted, strict=True)
    )
    said = ", ".join(f"{label} {_value(t)}" for label, t in zip(labels, true, strict=True))
    guess = ", ".join(f"{label} {_value(p)}" for label, p in zip(labels, predicted, strict=True))
    return FaceCard(
        *picture, source, f"Face. Raters: {said}. Model: {guess}.", scale=scale, plane=len(labels) > 1
    )


def _value(value: float) -> str:
    return signed(float(value), 2) if np.isfinite(value) else "–"


CARDS: dict[Kind, Callable[[Head, Any, Any, tuple[str, bool], str], FaceCard]] = {
    Kind.CLASS: _label_card,
    Kind.DISTRIBUTION: _label_card,
    Kind.TAGS: _tag_card,
    Kind.VALUES: _value_card,
}


def portraits(store: Store, rows: list[int]) -> list[tuple[str, bool]]:
    """For each row a data URI of what its first input looks like, and whether its pixels are so few that
    they are to be shown as squares."""
    stored = next(iter(store.inputs.values()))
    items, blank = stored.items(np.asarray(rows, np.int64)), np.full((8, 8), 255, np.uint8)
    regions = [None] * len(rows) if items.regions is None else items.regions
    return [
        portrait(
            blank
            if items.present is not None and not items.present[k]
            else stored.modality.exhibit(item, regions[k])
        )
        for k, item in enumerate(items.data)
    ]


def portrait(pixels: Pixels) -> tuple[str, bool]:
    """A data URI of uint8 (H, W) or (H, W, 3), and whether it is small: whole as PNG then, else reduced as
    JPEG."""
    image = Image.fromarray(pixels)
    small = max(image.size) <= _WHOLE
    sheet = io.BytesIO()
    if small:
        image.save(sheet, "PNG", optimize=True)
    else:
        image.thumbnail((_REDUCED, _REDUCED))
        image.save(sheet, "JPEG", quality=82)
    code = base64.b64encode(sheet.getvalue()).decode()
    return f"data:image/{'png' if small else 'jpeg'};base64,{code}", small
