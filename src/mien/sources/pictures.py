"""Picture files and bytes as sources: one frame, every page, or an animation with its own times."""

from __future__ import annotations

import io
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from PIL import Image, UnidentifiedImageError

from ..errors import InputError
from ..media import image as pictures
from ..media.limits import LIMITS, Limits
from ..records import Moment, Pixels, ReadError
from .base import ALL, Flow, Picker, Sampling, read_error

#: Formats that may hold more than one picture, and suffixes that may be theirs ('': no file).
_ANIMATED, _PAGED = {"GIF", "PNG", "WEBP", "AVIF"}, {"TIFF"}
_MANY = {".gif", ".png", ".apng", ".webp", ".avif", ".tif", ".tiff", ""}
#: How long a frame is shown that says nothing of it, in seconds: what browsers do.
_UNTIMED = 0.1
#: TIFF: what kind of page this is, and the bit that marks a smaller copy of another.
_SUBFILE, _REDUCED = 254, 1


#: An encoded picture, or its file.
Data: TypeAlias = Path | bytes


class PictureSource:
    """A still picture, an animated one (GIF, APNG, WebP, AVIF), or the pages of a TIFF (without times)."""

    def __init__(self, name: str, data: Data, sampling: Sampling = ALL, limits: Limits = LIMITS) -> None:
        self.name = name
        self._data, self._sampling, self._limits = data, sampling, limits

    @property
    def moving(self) -> bool:
        """Whether it is animated."""
        return self._header[0]

    @property
    def count(self) -> int | None:
        """Its frames or pages; those of an animation before sampling."""
        return self._header[1]

    def __iter__(self) -> Flow:
        """Decode one frame after the other."""
        try:
            data = self._data
            data = data if isinstance(data, bytes) else pictures.read_bytes(data, self._limits)
            with pictures.opened(data, self.name, self._limits) as image:
                yield from self._frames(image)
        except InputError as error:
            yield read_error(self.name, error)

    @cached_property
    def _header(self) -> tuple[bool, int]:
        """Whether it is animated and how many frames it has; (False, 1) where that cannot be read."""
        if isinstance(self._data, Path) and self._data.suffix.lower() not in _MANY:
            return False, 1
        file = io.BytesIO(self._data) if isinstance(self._data, bytes) else self._data
        try:
            with pictures.guarded(self.name), Image.open(file, formats=pictures.FORMATS) as image:
                return _animated(image), _last(image) - _first(image)
        except (InputError, UnidentifiedImageError):
            return False, 1

    def _frames(self, image: Image.Image) -> Flow:
        with pictures.guarded(self.name):
            animated, first, last = _animated(image), _first(image), _last(image)
        if not animated and last == 1:
            yield Moment({"image": self._pixels(image)}, self.name)
            return
        try:
            yield from self._animation(image, first, last) if animated else self._pages(image, last)
        except InputError as error:
            place = image.tell()
            yield ReadError(self.name, f"{error} (frame {place} of {last - first})", place - first)

    def _pixels(self, image: Image.Image) -> Pixels:
        return pictures.pixels_of(image, self.name, self._limits)

    def _pages(self, image: Image.Image, last: int) -> Flow:
        wanted = 0
        for index in range(last):
            with pictures.guarded(self.name):
                image.seek(index)
            reduced = image.tag_v2.get(_SUBFILE, 0) & _REDUCED  # type: ignore[attr-defined]
            if reduced or wanted == self._sampling.limit:
                continue
            wanted += 1
            yield Moment({"image": self._pixels(image)}, self.name, index)

    def _animation(self, image: Image.Image, first: int, last: int) -> Flow:
        picker, time = Picker(self._sampling), 0.0
        for index in range(first, last):
            if picker.over(time):
                return
            with pictures.guarded(self.name):
                image.seek(index)
            pixels = self._pixels(image)
            if picker.takes(time):
                yield Moment({"image": pixels}, self.name, index - first, time)
            time = round(time + (float(image.info.get("duration") or 0) / 1000 or _UNTIMED), 6)
        if fault := picker.verdict(self.name, time):
            yield fault


def _animated(image: Image.Image) -> bool:
    return image.format in _ANIMATED and _last(image) > 1


def _first(image: Image.Image) -> int:
    """The first frame: an APNG may begin with a picture for those who cannot play it."""
    return int(bool(getattr(image, "default_image", False)))


def _last(image: Image.Image) -> int:
    """One past the last frame. Phones hide depth maps and small copies behind a JPEG: those are no frames."""
    return int(getattr(image, "n_frames", 1)) if image.format in _ANIMATED | _PAGED else 1
