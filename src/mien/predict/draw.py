"""Draw predictions on a picture: a frame round each face, its likeliest labels as bars, valence and arousal as a dot."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..files import replacing
from ..labels import canonical
from ..palette import EMOTIONS, bright
from ..pictures import recolour
from ..records import Pixels, Prediction
from ..tasks import Kind

Area = tuple[int, int, int, int]  # left, top, right, bottom
Colour = tuple[int, int, int]

SMALLEST, LARGEST = 640, 2048  # long side of what is drawn on, in pixels: smaller pictures grow, larger ones shrink
_FINE = 2  # the overlay is drawn this much larger, then shrunk: smooth edges
_INK, _PALE, _GROUND = (255, 255, 255, 255), (70, 74, 84, 255), (18, 20, 26, 222)


@dataclass(frozen=True)
class Card:
    """What is written beside a face. `spot`: valence and arousal, each brought to -1…1."""

    title: str
    colour: Colour
    bars: Sequence[tuple[str, float]] = ()
    note: str = ""
    spot: tuple[float, float] | None = None


class Pen:
    """Sizes that follow from the height of a letter, in overlay pixels."""

    def __init__(self, unit: int) -> None:
        self.unit = unit
        self.gap, self.row = round(unit * 0.55), round(unit * 1.4)
        self.big, self.small = (ImageFont.load_default(size) for size in (unit * 1.2, unit * 0.95))

    def text(self, card: Card) -> tuple[int, int]:
        """Width of the label and the number column."""
        labels = [math.ceil(self.small.getlength(label)) for label, _ in card.bars]
        return max(labels, default=0), math.ceil(self.small.getlength("100%"))

    def size(self, card: Card) -> tuple[int, int]:
        """Width and height of a card."""
        width = math.ceil(self.big.getlength(card.title))
        if card.bars:
            width = max(width, sum(self.text(card)) + 2 * self.gap + 5 * self.unit)
        width = max(width, math.ceil(self.small.getlength(card.note)))
        height = round(self.unit * 1.7) + self.row * (len(card.bars) + bool(card.note))
        if card.spot:
            width += height + self.gap
        return width + 2 * self.gap, height + (self.gap if card.bars or card.note else self.gap // 3)


def annotate(pixels: Pixels, predictions: Sequence[Prediction]) -> Pixels:
    """The picture with its predictions drawn on it, uint8 (H, W, 3) RGB.

    Its long side is brought to SMALLEST…LARGEST pixels; where a face leaves no room beside it, a strip is added.
    """
    picture, scale = _scaled(pixels)
    boxes = [_area(prediction, scale * _FINE) for prediction in predictions]
    pen = Pen(_letter(max(picture.size), boxes) * _FINE)
    cards = [_fitting(pen, card_of(prediction), picture.width * _FINE) for prediction in predictions]
    size = _canvas(picture, boxes, [pen.size(card) for card in cards])
    overlay = Image.new("RGBA", (size[0] * _FINE, size[1] * _FINE))
    brush = ImageDraw.Draw(overlay)
    for box, card in zip(boxes, cards, strict=True):
        brush.rounded_rectangle(box, pen.gap, outline=(*card.colour, 255), width=max(4, pen.unit // 7))
    for card, spot in _arranged(pen, cards, boxes, overlay.size):
        _draw(brush, pen, card, spot)
    canvas = Image.new("RGBA", size, _GROUND[:3])
    canvas.paste(picture, (0, 0))
    canvas.alpha_composite(overlay.resize(size, Image.Resampling.BOX))
    return np.asarray(canvas.convert("RGB"))


def save(path: Path, pixels: Pixels, predictions: Sequence[Prediction]) -> None:
    """Write the annotated picture as PNG, whole or not at all."""
    with replacing(path) as part:
        Image.fromarray(annotate(pixels, predictions)).save(part, format="PNG")


def colour_of(label: str) -> Colour:
    """A label's colour, for dark ground: that of its emotion, else one by its letters."""
    name = canonical(label)
    if name in EMOTIONS:
        return bright(EMOTIONS[name])
    red, green, blue = colorsys.hsv_to_rgb(sum(name.encode()) * 0.618 % 1, 0.55, 1.0)
    return round(red * 255), round(green * 255), round(blue * 255)


def _scaled(pixels: Pixels) -> tuple[Image.Image, float]:
    image = Image.fromarray(recolour(pixels, "rgb"))
    longest = max(image.size)
    scale = min(max(longest, SMALLEST), LARGEST) / longest
    if scale == 1:
        return image, 1.0
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.BICUBIC), scale


def _area(prediction: Prediction, scale: float) -> Area:
    x, y, width, height = prediction.face.box
    return round(x * scale), round(y * scale), round((x + width) * scale) - 1, round((y + height) * scale) - 1


def _letter(longest: int, boxes: Sequence[Area]) -> int:
    """Height of a letter in picture pixels: after the picture, smaller where the faces are many and small."""
    widths = sorted(right - left for left, _, right, _ in boxes)
    typical = widths[len(widths) // 2] // _FINE if len(widths) > 2 else longest
    return max(15, longest // 90, min(longest // 46, typical // 7))


def _fitting(pen: Pen, card: Card, width: int) -> Card:
    """The card, without its plane where it is wider than the picture."""
    return card if pen.size(card)[0] <= width else replace(card, spot=None)


def _canvas(picture: Image.Image, boxes: Sequence[Area], cards: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The picture's size, with a strip at the right if a lone face fills it, and never smaller than a card."""
    wide, high = (
        math.ceil(max(sizes, default=0) / _FINE) for sizes in (zip(*cards, strict=True) if cards else ((), ()))
    )
    width, height = picture.size
    if len(boxes) == 1:
        left, top, right, bottom = (side / _FINE for side in boxes[0])
        beside, above = max(left, width - right), max(top, height - bottom)
        width += wide if beside < wide * 1.1 and above < high * 1.2 else 0
    return max(width, wide), max(height, high)


def card_of(prediction: Prediction) -> Card:
    """What to show of a prediction where room is short: its likeliest labels and its first head of values."""
    bars = prediction.top(3) or _tags(prediction)
    values = next((head for head in prediction.task if head.kind is Kind.VALUES), None)
    note, spot = "", None
    if values:
        low, high = values.bounds
        numbers = prediction.outputs[values.name]
        note = "  ".join(f"{name} {number:{'+.2f' if low < 0 else '.1f'}}" for name, number in numbers.items())
        middle = {name: (2 * number - low - high) / (high - low) for name, number in numbers.items()}
        if {"valence", "arousal"} <= set(middle):
            spot = middle["valence"], middle["arousal"]
    if not bars:
        return Card(note, colour_of("neutral"), spot=spot)
    return Card(f"{bars[0][0]} {bars[0][1]:.0%}", colour_of(bars[0][0]), bars, note, spot)


def _tags(prediction: Prediction) -> list[tuple[str, float]]:
    for head in prediction.task:
        if head.kind is Kind.TAGS:
            return sorted(prediction.outputs[head.name].items(), key=lambda item: -item[1])[:3]
    return []


def _arranged(
    pen: Pen, cards: Sequence[Card], boxes: Sequence[Area], canvas: tuple[int, int]
) -> list[tuple[Card, Area]]:
    """Cards where they hide no face and no other card; where they cannot, titles alone, where they hide least."""
    found, hidden = _spread(pen, cards, boxes, canvas)
    if not hidden:
        return found
    return _spread(pen, [Card(card.title, card.colour) for card in cards], boxes, canvas)[0]


def _spread(
    pen: Pen, cards: Sequence[Card], boxes: Sequence[Area], canvas: tuple[int, int]
) -> tuple[list[tuple[Card, Area]], int]:
    taken, found, hidden = list(boxes), [], 0
    for card, box in zip(cards, boxes, strict=True):
        spots = _around(box, pen.size(card), canvas, pen.gap // 2)
        costs = [sum(_overlap(spot, other) for other in taken) for spot in spots]
        hidden += min(costs)
        taken.append(spots[costs.index(min(costs))])
        found.append((card, taken[-1]))
    return found, hidden


def _around(box: Area, size: tuple[int, int], canvas: tuple[int, int], gap: int) -> list[Area]:
    """Places for a card of `size` round a box, all inside the canvas."""
    (left, top, right, bottom), (width, height) = box, size
    corners = [
        (right + gap, top), (left - gap - width, top), (left, bottom + gap), (left, top - gap - height),
        (right + gap, bottom - height), (left - gap - width, bottom - height), (right - width, bottom + gap),
        (right - width, top - gap - height),
    ]  # fmt: skip
    inside = [(max(0, min(x, canvas[0] - width)), max(0, min(y, canvas[1] - height))) for x, y in corners]
    return [(x, y, x + width - 1, y + height - 1) for x, y in inside]


def _overlap(one: Area, other: Area) -> int:
    width = min(one[2], other[2]) - max(one[0], other[0]) + 1
    height = min(one[3], other[3]) - max(one[1], other[1]) + 1
    return max(0, width) * max(0, height)


def _draw(brush: ImageDraw.ImageDraw, pen: Pen, card: Card, spot: Area) -> None:
    left, top, right, bottom = spot
    brush.rounded_rectangle(spot, pen.gap, fill=_GROUND)
    x, y = left + pen.gap, top + round(pen.unit * 0.85) + (0 if card.bars else pen.gap // 6)
    brush.text((x, y), card.title, fill=(*card.colour, 255), font=pen.big, anchor="lm")
    y += round(pen.unit * 1.55)
    labels, _ = pen.text(card)
    for label, value in card.bars:
        start = x + labels + pen.gap
        brush.text((x, y), label, fill=_INK, font=pen.small, anchor="lm")
        _bar(brush, (start, y - pen.unit // 4, start + 5 * pen.unit, y + pen.unit // 4), value, colour_of(label))
        brush.text((start + 5 * pen.unit + pen.gap, y), f"{value:.0%}", fill=_INK, font=pen.small, anchor="lm")
        y += pen.row
    if card.bars and card.note:
        brush.text((x, y), card.note, fill=_INK, font=pen.small, anchor="lm")
    if card.spot:
        side = bottom - top - 2 * pen.gap
        _plane(
            brush, (right - pen.gap - side, top + pen.gap, right - pen.gap, top + pen.gap + side), card, pen.unit // 3
        )


def _bar(brush: ImageDraw.ImageDraw, area: Area, value: float, colour: Colour) -> None:
    left, top, right, bottom = area
    radius = (bottom - top) // 2
    brush.rounded_rectangle(area, radius, fill=_PALE)
    brush.rounded_rectangle(
        (left, top, max(left + 2 * radius, round(left + value * (right - left))), bottom), radius, fill=colour
    )


def _plane(brush: ImageDraw.ImageDraw, area: Area, card: Card, radius: int) -> None:
    """The valence-arousal plane (valence to the right, arousal up) with the prediction's dot."""
    left, top, right, bottom = area
    half = (right - left) / 2
    x, y = left + half, top + half
    brush.ellipse(area, outline=_PALE, width=max(2, radius // 3))
    brush.line((left, y, right, y), fill=_PALE, width=max(2, radius // 4))
    brush.line((x, top, x, bottom), fill=_PALE, width=max(2, radius // 4))
    valence, arousal = card.spot or (0.0, 0.0)
    shrink = (half - radius) / half / max(1.0, math.hypot(valence, arousal))
    x, y = x + valence * half * shrink, y - arousal * half * shrink
    brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*card.colour, 255), outline=_INK, width=2)
