"""Predictions drawn on the frames of a video: cards that keep their place, change calmly, and cost little."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from ...media.image import recolour
from ...prediction import Prediction
from ...records import Pixels
from .card import Colour, OverlayCard, card_of, scored
from .drawing import FINE, GROUND, Area, Pen, area_of, around, draw_card, overlap, patch, spread

HOLD = 0.25  # seconds for which a card's words stay
STAY = 1.0  # seconds for which a card keeps its side of the face, and a lost face is remembered
_FOLLOW, _MOVE = 0.06, 0.2  # seconds for 63 % of a card's way, after its face and to the other side of it
_STILL = 3  # pixels by which a place may move before its card follows
_CROWDED = 0.3  # share of the picture that cards may cover before only their titles are shown
_HIDDEN = 0.03  # share of the cards that may lie over a face or another card
_DARK: Colour = GROUND[:3]

Size = tuple[int, int]  # width, height
Array = NDArray[np.uint16]
Patch = tuple[Array, Array]  # colour times cover, and how much shows through, 0…256


@dataclass
class ShownCard:
    """A face's card and its place; when its words were written, its face last seen, its side last changed."""

    card: OverlayCard
    written: float
    seen: float
    sided: float
    side: int = -1
    place: tuple[float, float] = (0.0, 0.0)


class Overlay:
    """Draws on one video's frames, in order."""

    def __init__(self, size: tuple[int, int]) -> None:
        """`size`: width and height of the frames in pixels."""
        self._size = size
        self._unit = max(13, max(size) // 60)
        self._pen = Pen(self._unit * FINE)
        self._shown: dict[Hashable, ShownCard] = {}
        self._level, self._leveled, self._last = 0, -math.inf, 0.0
        self._patch = lru_cache(maxsize=256)(self._rendered)
        self._measure = lru_cache(maxsize=256)(self._pen.size)

    def draw(self, pixels: Pixels, predictions: Sequence[Prediction], time: float) -> Pixels:
        """A copy of the frame with its predictions drawn on it, uint8 (H, W, 3) RGB; `time` in seconds."""
        picture = np.array(recolour(pixels, "rgb"))
        boxes = [area_of(prediction) for prediction in predictions]
        keyed = zip(_keys(predictions), predictions, strict=True)
        faces = [self._card(key, prediction, time) for key, prediction in keyed]
        cards = self._roomy([shown.card for shown in faces], boxes, time)
        for box, card in zip(boxes, cards, strict=True):
            _frame(picture, box, card.colour, max(2, self._unit // 7))
        taken = list(boxes)
        for box, shown, card in zip(boxes, faces, cards, strict=True):
            patch = self._patch(card)
            taken.append(self._place(shown, box, (patch[1].shape[1], patch[1].shape[0]), taken, time))
            _blend(picture, patch, taken[-1])
        self._shown = {key: shown for key, shown in self._shown.items() if time - shown.seen <= STAY}
        self._last = time
        return picture

    def _card(self, key: Hashable, prediction: Prediction, time: float) -> ShownCard:
        """The face's card, its words no more often renewed than every HOLD seconds."""
        shown = self._shown.get(key)
        if shown is None:
            if (widest := _widest(prediction, self._pen)) > self._pen.least:
                self._pen.least = widest
                self._measure.cache_clear()
                self._patch.cache_clear()
            shown = self._shown[key] = ShownCard(card_of(prediction), time, time, time)
        elif time - shown.written >= HOLD - 1e-6:
            shown.card, shown.written = card_of(prediction), time
        shown.seen = time
        return shown

    def _roomy(self, cards: list[OverlayCard], boxes: Sequence[Area], time: float) -> list[OverlayCard]:
        """The cards, without plane or as titles while they would hide a face or much of the picture."""
        levels = [
            cards,
            [replace(card, spot=None) for card in cards],
            [OverlayCard(card.title, card.colour) for card in cards],
        ]
        level = next((at for at, some in enumerate(levels[:2]) if self._fits(some, boxes)), 2)
        if level >= self._level or time - self._leveled > STAY:
            self._level, self._leveled = level, time
        return levels[self._level]

    def _fits(self, cards: list[OverlayCard], boxes: Sequence[Area]) -> bool:
        sizes = [(-(-width // FINE), -(-height // FINE)) for width, height in map(self._measure, cards)]
        covered = sum(map(math.prod, sizes))
        widest = max((width for width, _ in sizes), default=0)
        if covered > _CROWDED * math.prod(self._size) or widest > 0.6 * self._size[0]:
            return False
        return spread(boxes, sizes, self._size, self._unit // 2)[1] <= _HIDDEN * covered

    def _place(self, shown: ShownCard, box: Area, size: Size, taken: Sequence[Area], time: float) -> Area:
        """Where the card goes: on its side of the face as long as it hides little, gliding after it."""
        spots = around(box, size, self._size, self._unit // 2)
        costs = [sum(overlap(spot, other) for other in taken) for spot in spots]
        best = costs.index(min(costs))
        if shown.side < 0:
            shown.side, shown.place = best, spots[best][:2]
        elif costs[shown.side] > 2 * costs[best] and (
            time - shown.sided >= STAY or costs[shown.side] > math.prod(size) / 8
        ):
            shown.side, shown.sided = best, time
        aim = spots[shown.side][:2]
        slow = _MOVE if math.dist(shown.place, aim) > 4 * self._unit else _FOLLOW
        share = 1 - math.exp(min(0.0, self._last - time) / slow)
        x, y = (_glided(at, to, share) for at, to in zip(shown.place, aim, strict=True))
        shown.place = x, y
        left, top = round(x), round(y)
        return left, top, left + size[0] - 1, top + size[1] - 1

    def _rendered(self, card: OverlayCard) -> Patch:
        width, height = self._pen.size(card)
        drawn, _ = patch((0, 0, width - 1, height - 1), partial(draw_card, pen=self._pen, card=card))
        small = np.asarray(drawn.convert("RGBa")).astype(np.uint16)
        cover = small[:, :, 3:]
        return small[:, :, :3] * np.uint16(256), np.uint16(256) - cover - cover // np.uint16(128)


def _keys(predictions: Sequence[Prediction]) -> list[Hashable]:
    """The key of each face: its track, else its position."""
    tracks = [prediction.face.track for prediction in predictions]
    return [("at", at) if track is None else track for at, track in enumerate(tracks)]


def _widest(prediction: Prediction, pen: Pen) -> int:
    head = scored(prediction.task)
    labels = head.space.labels if head else ()
    return max((math.ceil(pen.small.getlength(label)) for label in labels), default=0)


def _glided(at: float, to: float, share: float) -> float:
    return at if abs(to - at) <= _STILL else at + share * (to - at)


def _frame(picture: Pixels, box: Area, colour: Colour, thick: int) -> None:
    """Outline a box, `thick` pixels inside its border, between dark hairlines."""
    left, top, right, bottom = box
    for inset, width, shade in ((-1, thick + 2, _DARK), (0, thick, colour)):
        x0, y0, x1, y1 = left + inset, top + inset, right + 1 - inset, bottom + 1 - inset
        for rows, columns in (
            ((y0, y0 + width), (x0, x1)), ((y1 - width, y1), (x0, x1)),
            ((y0, y1), (x0, x0 + width)), ((y0, y1), (x1 - width, x1)),
        ):  # fmt: skip
            picture[_within(*rows), _within(*columns)] = shade


def _within(start: int, stop: int) -> slice:
    """A slice that means what it says where it begins before the picture."""
    return slice(max(0, start), max(0, stop))


def _blend(picture: Pixels, patch: Patch, area: Area) -> None:
    """Lay a card over the picture, cut at its border."""
    height, width = picture.shape[:2]
    left, top = max(0, area[0]), max(0, area[1])
    rows, columns = slice(top, min(height, area[3] + 1)), slice(left, min(width, area[2] + 1))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    inner = slice(top - area[1], rows.stop - area[1]), slice(left - area[0], columns.stop - area[0])
    colour, through = (part[inner] for part in patch)
    picture[rows, columns] = (picture[rows, columns] * through + colour) >> 8
