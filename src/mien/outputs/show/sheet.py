"""The contact sheet: every face of many pictures as a grid of crops with what they show, sorted, paged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ...errors import lookup
from ...files import atomic_write, natural
from ...media.cropping import crop
from ...media.image import decode, encode, recolour, resize
from ...palette import EMOTIONS, PAGE, colours
from ...predict.results import Result
from ...prediction import Prediction
from ...records import Moment
from .card import UNSURE, scored
from .sink import check_suffix

COLUMNS, ROWS = 7, 6
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
_SIDE, _GAP, _EDGE, _TOP = 148, 12, 24, 56  # of a crop, between two, at the border, for the title
_UNDER = 46  # height of what is written under a crop
_MARGIN = 0.15  # of the picture round a face's box


class Answer(NamedTuple):
    """What a face shows: the label's order and name, its bar's length (0…1), number and colour."""

    place: int
    label: str
    value: float
    number: str
    colour: str


class SheetCell(NamedTuple):
    """One face: what it shows, its crop as JPEG, and where from."""

    answer: Answer
    crop: bytes
    source: str


class Sheet:
    """Writes pages of `path`, numbered from the second on; of a video, each track's surest frame."""

    def __init__(self, path: Path, order: str = "emotion") -> None:
        """`order`: 'emotion' (then the surest first) or 'source'. Raises ConfigError, also for a suffix."""
        check_suffix(path, FORMATS, "a contact sheet")
        self.written: list[Path] = []
        self._path, self._key, self._order = path, lookup(ORDERS, order, "order of a contact sheet"), order
        self._cells: list[SheetCell] = []
        self._tracks: dict[tuple[str, int], SheetCell] = {}

    def add(self, result: Result) -> None:
        """Take the faces of one frame."""
        for place, prediction in enumerate(result.predictions):
            if result.time is None:
                self._cells.append(_cell(result.moment, prediction))
                continue
            track = prediction.face.track
            key = result.source, -1 - place if track is None else track
            known = self._tracks.get(key)
            if known is None or _answer(prediction).value > known.answer.value:
                self._tracks[key] = _cell(result.moment, prediction)

    def close(self) -> None:
        """Write all pages."""
        cells = sorted([*self._cells, *self._tracks.values()], key=self._key)
        self.discard()
        most = COLUMNS * ROWS
        pages = -(-len(cells) // most)
        title = f"{len(cells)} faces by {self._order}" if len(cells) != 1 else "1 face"
        for page in range(pages):
            number = f", page {page + 1} of {pages}" if pages > 1 else ""
            path = self._path if page == 0 else self._path.with_stem(f"{self._path.stem}-{page + 1}")
            with atomic_write(path) as part:
                drawn = draw(cells[page * most : (page + 1) * most], title + number)
                drawn.save(part, format=FORMATS[path.suffix.lower()], quality=90)
            self.written.append(path)

    def discard(self) -> None:
        """Forget the faces."""
        self._cells, self._tracks = [], {}


def draw(cells: Sequence[SheetCell], title: str) -> Image.Image:
    """One page, on light paper."""
    columns = min(COLUMNS, max(len(cells), 3))
    rows = -(-len(cells) // columns)
    size = 2 * _EDGE + columns * (_SIDE + _GAP) - _GAP, _TOP + rows * (_SIDE + _UNDER + _GAP) + _EDGE - _GAP
    sheet = Image.new("RGB", size, PAGE["paper"][0])
    brush = ImageDraw.Draw(sheet)
    brush.text((_EDGE, _TOP / 2), title, PAGE["ink"][0], ImageFont.load_default(18), anchor="lm")
    for at, cell in enumerate(cells):
        corner = _EDGE + at % columns * (_SIDE + _GAP), _TOP + at // columns * (_SIDE + _UNDER + _GAP)
        _draw(sheet, brush, cell, corner)
    return sheet


def _draw(sheet: Image.Image, brush: ImageDraw.ImageDraw, cell: SheetCell, corner: tuple[int, int]) -> None:
    (left, top), right = corner, corner[0] + _SIDE
    sheet.paste(Image.fromarray(decode(cell.crop, "crop")), corner)
    y = top + _SIDE + 11
    font, small = ImageFont.load_default(14), ImageFont.load_default(11)
    _, label, value, number, colour = cell.answer
    room = _SIDE - font.getlength(number) - 6
    brush.text((left, y), _short(label, font, room), PAGE["ink"][0], font, anchor="lm")
    brush.text((right, y), number, PAGE["ink"][0], font, anchor="rm")
    brush.rectangle((left, y + 10, right - 1, y + 14), PAGE["line"][0])
    brush.rectangle((left, y + 10, left + max(0, round(value * _SIDE) - 1), y + 14), colour)
    brush.text((left, y + 26), _short(cell.source, small, _SIDE), PAGE["muted"][0], small, anchor="lm")


def _short(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: float) -> str:
    """The text, its middle left out where it is too long: names differ in their beginning and their end."""
    kept = text
    while font.getlength(kept) > room and len(kept) > 5:
        half = (len(kept) - 4) // 2
        kept = f"{text[:half]}...{text[-half:]}" if half else text[:2]
    return kept


def _cell(moment: Moment, prediction: Prediction) -> SheetCell:
    face = crop(recolour(moment.pixels, "rgb"), prediction.face.box, _MARGIN)
    name = Path(moment.source).name
    if moment.time is not None:
        track = prediction.face.track
        name = f"{name} {'' if track is None else f'#{track} '}{moment.time:.1f} s"
    return SheetCell(_answer(prediction), encode(resize(np.asarray(face), _SIDE), "JPEG", 90), name)


def _answer(prediction: Prediction) -> Answer:
    """The likeliest label, else the first value; where the model abstains last in order and in grey."""
    head = scored(prediction.task)
    if head is None:
        head = prediction.task.heads[0]
        low, high = head.bounds
        label, value = next(iter(prediction.outputs[head.name].items()))
        return Answer(0, label, (value - low) / (high - low), f"{value:.2f}", EMOTIONS["sad"])
    values = prediction.outputs[head.name]
    label = max(values, key=lambda name: values[name])
    number = f"{values[label]:.0%}"
    if prediction.abstained:
        return Answer(len(head), f"{UNSURE} ({label})", values[label], number, EMOTIONS["neutral"])
    return Answer(head.space.index(label), label, values[label], number, colours(head.space)[label])


ORDERS: dict[str, Callable[[SheetCell], Any]] = {
    "emotion": lambda cell: (cell.answer.place, -cell.answer.value),
    "source": lambda cell: natural(Path(cell.source)),
}
