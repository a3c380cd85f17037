"""Predictions drawn on a picture: a frame round each face, its labels as bars, its values as a dot."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ...files import atomic_write
from ...media.image import recolour
from ...predict.results import Result
from ...prediction import Prediction
from ...records import Pixels
from .card import OverlayCard, card_of
from .drawing import FINE, GROUND, Area, Paint, Pen, area_of, draw_card, patch, spread

SMALLEST, LARGEST = 640, 2048  # long side of what is drawn on, in pixels: others are resized


class SourceNames(dict[str, str]):
    """A name for each source's results: a known one, else the file's, numbered where two share it."""

    def __init__(self, sources: Iterable[str] = (), names: Mapping[str, str] | None = None) -> None:
        super().__init__(names or {})
        self._taken = {name.casefold() for name in self.values()}
        for source in sources:
            _ = self[source]

    def __missing__(self, source: str) -> str:
        stem = Path(source).stem or "picture"
        number, name = 1, stem
        while name.casefold() in self._taken:
            number, name = number + 1, f"{stem}-{number + 1}"
        self._taken.add(name.casefold())
        self[source] = name
        return name


class Pictures:
    """Writes `<name>.mien.png` into a folder: of each picture; of a video, each frame, with its number."""

    def __init__(self, folder: Path, names: Mapping[str, str] | None = None) -> None:
        """`names`: what each source's pictures are called (default: after their files)."""
        self.written: list[Path] = []
        self._folder, self._names = folder, SourceNames(names=names)

    def add(self, result: Result) -> None:
        """Write one annotated picture."""
        number = "" if result.time is None else f"-{result.index:06}"
        path = self._folder / f"{self._names[result.source]}{number}.mien.png"
        save(path, result.moment.pixels, result.predictions)
        self.written.append(path)

    def close(self) -> None:
        """Each picture is in place already."""

    def discard(self) -> None:
        """No picture is there in part."""


def annotate(pixels: Pixels, predictions: Sequence[Prediction]) -> Pixels:
    """Draw predictions on a picture, uint8 (H, W, 3) RGB, its long side SMALLEST…LARGEST pixels."""
    picture, scale = _scaled(pixels)
    boxes = [area_of(prediction, scale * FINE) for prediction in predictions]
    pen = Pen(_letter(max(picture.size), boxes) * FINE)
    cards = list(map(card_of, predictions))
    room = picture.width * FINE  # a card wider than the picture has no plane
    cards = [card if pen.size(card)[0] <= room else replace(card, spot=None) for card in cards]
    size = _canvas(picture, boxes, [pen.size(card) for card in cards])
    canvas = Image.new("RGB", size, GROUND[:3])
    canvas.paste(picture, (0, 0))
    for box, card in zip(boxes, cards, strict=True):
        _lay(canvas, box, partial(_frame, pen=pen, card=card))
    for card, spot in _arranged(pen, cards, boxes, (size[0] * FINE, size[1] * FINE)):
        _lay(canvas, spot, partial(draw_card, pen=pen, card=card))
    return np.asarray(canvas)


def save(path: Path, pixels: Pixels, predictions: Sequence[Prediction]) -> None:
    """Write the annotated picture as PNG, whole or not at all."""
    with atomic_write(path) as part:
        Image.fromarray(annotate(pixels, predictions)).save(part, format="PNG", compress_level=3)


def _lay(canvas: Image.Image, area: Area, paint: Paint) -> None:
    drawn, corner = patch(area, paint)
    canvas.paste(drawn, corner, drawn)


def _frame(brush: ImageDraw.ImageDraw, box: Area, pen: Pen, card: OverlayCard) -> None:
    brush.rounded_rectangle(box, pen.gap, outline=(*card.colour, 255), width=max(4, pen.unit // 7))


def _scaled(pixels: Pixels) -> tuple[Image.Image, float]:
    image = Image.fromarray(recolour(pixels, "rgb"))
    longest = max(image.size)
    scale = min(max(longest, SMALLEST), LARGEST) / longest
    if scale == 1:
        return image, 1.0
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.BICUBIC), scale


def _letter(longest: int, boxes: Sequence[Area]) -> int:
    """Height of a letter in picture pixels: after the picture, smaller where the faces are many and small."""
    widths = sorted(right - left for left, _, right, _ in boxes)
    typical = widths[len(widths) // 2] // FINE if len(widths) > 2 else longest
    return max(15, longest // 90, min(longest // 46, typical // 7))


def _canvas(picture: Image.Image, boxes: Sequence[Area], cards: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The picture's size, with a strip at the right if a lone face fills it; never smaller than a card."""
    wide = math.ceil(max((size[0] for size in cards), default=0) / FINE)
    high = math.ceil(max((size[1] for size in cards), default=0) / FINE)
    width, height = picture.size
    if len(boxes) == 1:
        left, top, right, bottom = (side / FINE for side in boxes[0])
        beside, above = max(left, width - right), max(top, height - bottom)
        width += wide if beside < wide * 1.1 and above < high * 1.2 else 0
    return max(width, wide), max(height, high)


def _arranged(
    pen: Pen, cards: Sequence[OverlayCard], boxes: Sequence[Area], canvas: tuple[int, int]
) -> list[tuple[OverlayCard, Area]]:
    """Cards that hide nothing; if that cannot be had, without their values, then titles alone."""
    shorter = [replace(card, note="", spot=None) if card.bars else card for card in cards]
    titles = [OverlayCard(card.title, card.colour) for card in cards]
    for some in (cards, shorter, titles):
        spots, hidden = spread(boxes, [pen.size(card) for card in some], canvas, pen.gap // 2)
        if not hidden:
            break
    return list(zip(some, spots, strict=True))
