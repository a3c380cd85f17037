"""People in pictures, as every release of EMOTIC tells of them: body box, tags, valence-arousal-dominance."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from PIL import Image

from ...errors import DataError
from ...labels import EMOTIC26, VAD
from ...media import image as pictures
from ...records import Box, Pixels, Sample, Target
from ...tasks import TASKS
from ..base import Item, Journal
from ..file_checks import shown

TAGS, VALUES = HEADS = TASKS["emotic"].heads
SPLITS = {"train": "train", "val": "validation", "test": "test"}
#: The sets that the pictures were taken from; each is a folder with `images` inside.
DATABASES = ("ade20k", "emodb_small", "framesdb", "mscoco")
_INSIDE = ("", "emotic", "cvpr_emotic", "emotic/emotic")
_TURNED = range(5, 9)  # EXIF orientations that swap width and height
_ORIENTATION = 0x0112
_LISTED = 3

Size = tuple[int, int]
#: A picture to keep, and the (width, height) that its people's boxes are given in.
Frame = tuple[Pixels | bytes | Path, Size]


@dataclass(frozen=True)
class Person:
    """Someone in a picture. `corners` are the body's left, top, right, bottom; `frame` opens the picture, on any core."""

    picture: str
    split: str
    corners: Sequence[float]
    targets: Mapping[str, Target]
    attributes: Mapping[str, str]
    frame: Callable[[], Frame]


def items(people: Iterable[Person], journal: Journal) -> Iterator[Item]:
    """The people's samples, those of one picture one after another; people of whom nothing is said are left out."""
    by_picture: dict[str, list[Person]] = {}
    for person in people:
        by_picture.setdefault(person.picture, []).append(person)
    found = [(f"{picture}#{i}", person) for picture, group in by_picture.items() for i, person in enumerate(group)]
    annotated = [(source, person) for source, person in found if person.targets]
    note(journal, [source for source, person in found if not person.targets], "not annotated, left out")
    journal.notes.append("boxes are clipped to the picture; where nothing of one is left, the person has no box")
    journal.total = len(annotated)
    yield from (partial(sample, source, person) for source, person in annotated)


def sample(source: str, person: Person) -> Sample:
    """One person and the whole picture. Raises InputError or DataError where the picture cannot be read."""
    image, size = person.frame()
    box = boxed(person.corners, size)
    return Sample(image, person.targets, person.split, source, box, person.picture, attributes=person.attributes)


def note(journal: Journal, sources: Sequence[str], what: str) -> None:
    """Say how many people something holds for, and name the first ones."""
    if sources:
        more = ", …" if len(sources) > _LISTED else ""
        journal.notes.append(f"{what}: {len(sources)} people ({', '.join(sources[:_LISTED])}{more})")


def targets(tags: Iterable[str], vad: Sequence[float | None]) -> dict[str, Target]:
    """Targets from any spelling of the tags and from valence, arousal, dominance (1…10; NaN or None: not rated).

    Raises DataError.
    """
    names = [EMOTIC26.labels[place] for place in sorted({EMOTIC26.index(str(tag)) for tag in tags})]
    rated = {name: float(value) for name, value in zip(VAD.labels, vad, strict=True) if value is not None}
    rated = {name: value for name, value in rated.items() if not math.isnan(value)}
    low, high = VALUES.bounds
    for name, value in rated.items():
        if not low <= value <= high:
            raise DataError(f"{name} is {value:g}, allowed are {low:g} to {high:g}")
    found: dict[str, Target] = {TAGS.name: names, VALUES.name: rated}
    return {head: target for head, target in found.items() if target}


def boxed(corners: Sequence[float], size: Size) -> Box | None:
    """The box of left, top, right, bottom as far as it lies inside the picture; None where nothing is left."""
    if not all(map(math.isfinite, corners)):
        return None
    left, top, right, bottom = (
        min(max(int(value), 0), limit) for value, limit in zip(corners, (*size, *size), strict=True)
    )
    return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None


def told(**attributes: str) -> dict[str, str]:
    """Attributes that say something."""
    return {name: text for name, text in attributes.items() if text}


def picture_name(*parts: str) -> str:
    """A picture's path from the parts a table gives. Raises DataError for one that is empty or leads elsewhere."""
    path = PurePosixPath(*(part.replace("\\", "/") for part in parts))
    if path.is_absolute() or ".." in path.parts or not parts[-1].strip():
        raise DataError(f"the picture is {shown('/'.join(parts))}, allowed is a path inside the data set")
    return path.as_posix()


def photos(*places: Path) -> Path | None:
    """The first folder in or below these places that holds the pictures, such as `mscoco/images`."""
    folders = (place / inside for place in places for inside in _INSIDE)
    return next((path for path in folders if any((path / name / "images").is_dir() for name in DATABASES)), None)


def photo(path: Path) -> Frame:
    """A picture file that is kept as it is, with its size by its own header. Raises InputError."""
    try:
        with pictures.quiet(), Image.open(path, formats=pictures.FORMATS) as image:
            turned = image.getexif().get(_ORIENTATION) in _TURNED
            return path, (image.height, image.width) if turned else image.size
    except Exception:  # a decoder of foreign bytes may raise anything; reading it in earnest says what is wrong
        height, width = pictures.read(path).shape[:2]
        return path, (width, height)
