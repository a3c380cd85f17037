"""A gallery of faces with the answers of raters and model: typical, best, worst, ambiguous, mixed up."""

import base64
import io
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from ...palette import colours
from ...records import Pixels
from ...render.blocks import Bar, Block, FaceCard, FaceCards, Legend, Section, Subhead
from ...render.text import percent, signed
from ...store import Store
from ...tasks import Head, Kind
from ..record import RunRecord
from ..results import HeadOutputs, HeadRecord, Rows
from .confusion import mixed
from .distributions import NO_PREDICTIONS
from .scores import distance, entropy

_FACES = 8
_LEAST = 4
_BARS = 8
_ALL_BARS = 13
_SEED = 0
_WHOLE, _REDUCED = 64, 128  # pixels up to which a picture is kept whole, and that larger ones are reduced to
Portrait = tuple[str, bool]  # a data URI, and whether so small that its pixels are shown as squares


@dataclass(frozen=True)
class Group:
    """A choice of faces: its title, why these, and places in the head's outputs, first shown first."""

    title: str
    why: str
    places: Rows


def section(record: RunRecord, result: HeadRecord) -> Section:
    """The gallery of a head, or why there is none."""
    if result.outputs is None:
        return Section("Faces", note=f"No gallery. {NO_PREDICTIONS}")
    if record.store is None:
        return Section("Faces", note=f"No gallery: {record.store_note}.")
    kind, count = result.head.kind, max(_FACES // len(record.heads), _LEAST)
    shown: list[Block] = [Legend("scales" if kind is Kind.VALUES else "bars", kind.is_exclusive)]
    for group in choose(result.head, result.outputs, count):
        if len(group.places):
            shown += [Subhead(group.title, group.why), FaceCards(tuple(cards(record, result, group.places)))]
    return Section("Faces", blocks=tuple(shown))


def choose(head: Head, outputs: HeadOutputs, count: int) -> list[Group]:
    """The groups of a head's gallery, `count` faces each."""
    drawn = np.random.default_rng(_SEED).permutation(len(outputs.places))[:count]
    far = distance(head, outputs.true, outputs.predicted)
    typical = _first(np.abs(far - np.median(far)), count)
    best = Group("Best", "where the model is nearest to the raters", _first(far, count))
    worst = Group("Worst", "where the model is furthest from the raters", _first(-far, count))
    return [
        Group("Typical", "as far from the raters as the median face", typical),
        *(_by_label(head, outputs, far, count) if head.kind.is_exclusive else (best, worst)),
        Group("Drawn at random", "a fair look, chosen by a fixed seed", drawn),
    ]


def _first(order: Any, count: int) -> Rows:
    return np.argsort(order, kind="stable")[:count]


def _by_label(head: Head, outputs: HeadOutputs, far: Any, count: int) -> Iterator[Group]:
    true, predicted = outputs.true, outputs.predicted
    right = true.argmax(axis=1) == predicted.argmax(axis=1)
    confidence, wrong = predicted.max(axis=1), np.flatnonzero(~right)
    yield Group("Best", "the surest hits, labels in turn", _in_turn(outputs, right, confidence, count))
    yield Group("Worst", "the surest misses", wrong[_first(-confidence[wrong], count)])
    unsure, why = predicted, "where the model hesitates most between labels"
    if head.kind is Kind.DISTRIBUTION:
        yield Group("Furthest", "the largest KL divergence from the raters", _first(-far, count))
        unsure, why = true, "where the raters agree least"
    yield Group("Most ambiguous", why, _first(-entropy(unsure), count))
    yield from _mixed(head, outputs, wrong, count)


def _mixed(head: Head, outputs: HeadOutputs, wrong: Rows, count: int) -> Iterator[Group]:
    """The surest faces of the pairs of labels most often mixed up, by share of the true label's faces."""
    true, predicted = outputs.true.argmax(axis=1), outputs.predicted.argmax(axis=1)
    counts = np.zeros((len(head), len(head)), np.int64)
    np.add.at(counts, (true, predicted), 1)
    shown = []
    for i, j in mixed(counts)[:2]:
        pair = wrong[(true[wrong] == i) & (predicted[wrong] == j)]
        shown.append(pair[_first(-outputs.predicted[pair, j], count // 2)])
    if shown:
        yield Group("Most confused pairs", "the labels most often mixed up", np.concatenate(shown))


def _in_turn(outputs: HeadOutputs, right: Any, confidence: Any, count: int) -> Rows:
    """The surest hit of each label, then the second of each, up to `count`; shown in the labels' order."""
    top, ranked = outputs.true.argmax(axis=1), []
    for label in range(outputs.true.shape[1]):
        hits = np.flatnonzero(right & (top == label))
        ranked += [(rank, label, hits[at]) for rank, at in enumerate(_first(-confidence[hits], count))]
    chosen = sorted((label, rank, place) for rank, label, place in sorted(ranked)[:count])
    return np.array([place for _, _, place in chosen], np.int64)


def cards(record: RunRecord, result: HeadRecord, chosen: Rows) -> list[FaceCard]:
    """Faces of some places in a head's outputs, with the answers of raters and model."""
    assert record.store
    assert result.outputs
    outputs, places = result.outputs, result.outputs.places[chosen]
    pictures = portraits(record.store, [int(record.rows[place]) for place in places])
    card = CARDS[result.head.kind]
    return [
        card(result.head, outputs.true[at], outputs.predicted[at], picture, record.sources[place])
        for at, place, picture in zip(chosen, places, pictures, strict=True)
    ]


def _label_card(head: Head, true: Any, predicted: Any, picture: Portrait, source: str) -> FaceCard:
    labels = head.space.labels
    shown = (
        range(len(labels))
        if len(labels) <= _ALL_BARS
        else sorted(_first(-np.maximum(true, predicted), _BARS))
    )
    verdict = (labels[int(true.argmax())], labels[int(predicted.argmax())])
    alt = f"Face. Raters: {_top_two(labels, true)}. Model: {_top_two(labels, predicted)}."
    return FaceCard(*picture, source, alt, verdict, _bars(head, true, predicted, shown))


def _bars(head: Head, true: Any, predicted: Any, shown: Iterable[int]) -> tuple[Bar, ...]:
    labels, look = head.space.labels, colours(head.space)
    return tuple((labels[k], look[labels[k]], float(true[k]), float(predicted[k])) for k in shown)


def _top_two(labels: tuple[str, ...], row: Any) -> str:
    return ", ".join(f"{labels[k]} {percent(float(row[k]))}" for k in _first(-row, 2) if row[k] >= 0.005)


def _tag_card(head: Head, true: Any, predicted: Any, picture: Portrait, source: str) -> FaceCard:
    shown = sorted(_first(-(true + predicted), _BARS), key=lambda k: -predicted[k])
    tags = [
        ", ".join(head.space.labels[k] for k in np.flatnonzero(row > 0.5)) or "no tag"
        for row in (true, predicted)
    ]
    alt = "Face. Raters: {}. Model: {}.".format(*tags)
    return FaceCard(*picture, source, alt, bars=_bars(head, true, predicted, shown))


def _value_card(head: Head, true: Any, predicted: Any, picture: Portrait, source: str) -> FaceCard:
    low, high = head.bounds
    labels = head.space.labels
    shares = [np.clip((row - low) / (high - low), 0, 1).tolist() for row in (true, predicted)]
    values = [[_value(value) for value in row] for row in (true, predicted)]
    scale = tuple(
        (label, None if math.isnan(t) else t, p, f"{raters} → {model}")
        for label, t, p, raters, model in zip(labels, *shares, *values, strict=True)
    )
    texts = [", ".join(map(" ".join, zip(labels, row, strict=True))) for row in values]
    alt = "Face. Raters: {}. Model: {}.".format(*texts)
    return FaceCard(*picture, source, alt, scale=scale, plane=len(labels) > 1)


def _value(value: float) -> str:
    return signed(float(value), 2) if math.isfinite(value) else "–"


CARDS: dict[Kind, Callable[[Head, Any, Any, Portrait, str], FaceCard]] = {
    Kind.CLASS: _label_card,
    Kind.DISTRIBUTION: _label_card,
    Kind.TAGS: _tag_card,
    Kind.VALUES: _value_card,
}


def portraits(store: Store, rows: list[int]) -> list[Portrait]:
    """For each row what its first input looks like: blank where the sample lacks it."""
    stored = next(iter(store.inputs.values()))
    items, blank = stored.items(np.asarray(rows, np.int64)), np.full((8, 8), 255, np.uint8)
    regions = [None] * len(rows) if items.regions is None else items.regions
    present = [True] * len(rows) if items.present is None else items.present
    return [
        portrait(stored.modality.exhibit(item, region) if is_present else blank)
        for item, region, is_present in zip(items.data, regions, present, strict=True)
    ]


def portrait(pixels: Pixels) -> Portrait:
    """Encode uint8 (H, W) or (H, W, 3) as a data URI: whole as PNG where small, else reduced as JPEG."""
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
