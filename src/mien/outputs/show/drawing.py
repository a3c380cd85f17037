"""Draw a card with Pillow, its sizes in heights of a letter, and place it where it hides least."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PIL import Image, ImageDraw, ImageFont

from ...prediction import Prediction
from .card import Colour, OverlayCard

Area = tuple[int, int, int, int]  # left, top, right, bottom
Paint = Callable[[ImageDraw.ImageDraw, Area], object]

FINE = 2  # what is drawn is drawn this much larger, then shrunk: smooth edges
INK, PALE, GROUND = (255, 255, 255, 255), (70, 74, 84, 255), (18, 20, 26, 222)


class Pen:
    """Sizes in overlay pixels. `least`: width of the labels' column, so that a video's cards are alike."""

    def __init__(self, unit: int) -> None:
        self.unit, self.least = unit, 0
        self.gap, self.row = round(unit * 0.55), round(unit * 1.4)
        self.big, self.small = (ImageFont.load_default(size) for size in (unit * 1.2, unit * 0.95))

    def text(self, card: OverlayCard) -> tuple[int, int]:
        """Width of the label and the number column."""
        labels = [math.ceil(self.small.getlength(bar.label)) for bar in card.bars]
        return max([self.least, *labels]), math.ceil(self.small.getlength("100%"))

    def size(self, card: OverlayCard) -> tuple[int, int]:
        """Width and height of a card."""
        width = math.ceil(self.big.getlength(card.title))
        if card.bars:
            width = max(width, sum(self.text(card)) + 2 * self.gap + 5 * self.unit)
        width = max(width, math.ceil(self.small.getlength(card.note)))
        height = round(self.unit * 1.7) + self.row * (len(card.bars) + bool(card.note and card.bars))
        if card.spot:
            width += height + self.gap
        return width + 2 * self.gap, height + (self.gap if card.bars else self.gap // 3)


def area_of(prediction: Prediction, scale: float = 1) -> Area:
    """Return the area of a face's box in a picture enlarged by `scale`."""
    x, y, width, height = prediction.face.box
    return round(x * scale), round(y * scale), round((x + width) * scale) - 1, round((y + height) * scale) - 1


def patch(area: Area, paint: Paint) -> tuple[Image.Image, tuple[int, int]]:
    """Return what `paint` draws, RGBA at the picture's own size, and where it begins there."""
    left, top = area[0] // FINE, area[1] // FINE
    x, y = left * FINE, top * FINE
    size = (area[2] - x) // FINE * FINE + FINE, (area[3] - y) // FINE * FINE + FINE
    image = Image.new("RGBA", size)
    paint(ImageDraw.Draw(image), (area[0] - x, area[1] - y, area[2] - x, area[3] - y))
    return image.reduce(FINE), (left, top)


def draw_card(brush: ImageDraw.ImageDraw, spot: Area, pen: Pen, card: OverlayCard) -> None:
    """Draw a card into the area it was given."""
    left, top, right, bottom = spot
    brush.rounded_rectangle(spot, pen.gap, fill=GROUND)
    x, y = left + pen.gap, top + round(pen.unit * 0.85) + (0 if card.bars else pen.gap // 6)
    brush.text((x, y), card.title, fill=(*card.colour, 255), font=pen.big, anchor="lm")
    y += round(pen.unit * 1.55)
    labels, _ = pen.text(card)
    for label, value, colour in card.bars:
        start = x + labels + pen.gap
        brush.text((x, y), label, fill=INK, font=pen.small, anchor="lm")
        draw_bar(brush, (start, y - pen.unit // 4, start + 5 * pen.unit, y + pen.unit // 4), value, colour)
        brush.text((start + 5 * pen.unit + pen.gap, y), f"{value:.0%}", fill=INK, font=pen.small, anchor="lm")
        y += pen.row
    if card.bars and card.note:
        brush.text((x, y), card.note, fill=INK, font=pen.small, anchor="lm")
    if card.spot:
        top, right, bottom = top + pen.gap, right - pen.gap, bottom - pen.gap
        _plane(brush, (right - (bottom - top), top, right, bottom), card, pen.unit // 3)


def draw_bar(brush: ImageDraw.ImageDraw, area: Area, value: float, colour: Colour) -> None:
    """A bar filled to `value` (0…1)."""
    left, top, right, bottom = area
    radius = (bottom - top) // 2
    brush.rounded_rectangle(area, radius, fill=PALE)
    end = max(left + 2 * radius, round(left + value * (right - left)))
    brush.rounded_rectangle((left, top, end, bottom), radius, fill=colour)


def _plane(brush: ImageDraw.ImageDraw, area: Area, card: OverlayCard, radius: int) -> None:
    """The valence-arousal plane (valence to the right, arousal up) with the prediction's dot."""
    left, top, right, bottom = area
    half = (right - left) / 2
    x, y = left + half, top + half
    brush.ellipse(area, outline=PALE, width=max(2, radius // 3))
    brush.line((left, y, right, y), fill=PALE, width=max(2, radius // 4))
    brush.line((x, top, x, bottom), fill=PALE, width=max(2, radius // 4))
    valence, arousal = card.spot or (0.0, 0.0)
    shrink = (half - radius) / half / max(1.0, math.hypot(valence, arousal))
    x, y = x + valence * half * shrink, y - arousal * half * shrink
    dot = x - radius, y - radius, x + radius, y + radius
    brush.ellipse(dot, fill=(*card.colour, 255), outline=INK, width=2)


def spread(
    boxes: Sequence[Area], sizes: Sequence[tuple[int, int]], canvas: tuple[int, int], gap: int
) -> tuple[list[Area], int]:
    """Place a card of each size beside each box, where it hides least; also return the pixels hidden."""
    taken, found, hidden = list(boxes), [], 0
    for box, size in zip(boxes, sizes, strict=True):
        spots = around(box, size, canvas, gap)
        costs = [sum(overlap(spot, other) for other in taken) for spot in spots]
        hidden += min(costs)
        found.append(spots[costs.index(min(costs))])
        taken.append(found[-1])
    return found, hidden


def around(box: Area, size: tuple[int, int], canvas: tuple[int, int], gap: int) -> list[Area]:
    """Places for a card of `size` round a box, all inside the canvas, the preferred first."""
    (left, top, right, bottom), (width, height) = box, size
    corners = [
        (right + gap, top), (left - gap - width, top), (left, bottom + gap), (left, top - gap - height),
        (right + gap, bottom - height), (left - gap - width, bottom - height), (right - width, bottom + gap),
        (right - width, top - gap - height),
    ]  # fmt: skip
    inside = [(max(0, min(x, canvas[0] - width)), max(0, min(y, canvas[1] - height))) for x, y in corners]
    return [(x, y, x + width - 1, y + height - 1) for x, y in inside]


def overlap(area: Area, other: Area) -> int:
    """How many pixels two areas share."""
    width = min(area[2], other[2]) - max(area[0], other[0]) + 1
    height = min(area[3], other[3]) - max(area[1], other[1]) + 1
    return max(0, width) * max(0, height)
