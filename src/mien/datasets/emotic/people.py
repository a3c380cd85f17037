"""People in pictures, as all releases of EMOTIC describe them: body box, tags and affect."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from PIL import Image

from ...errors import DataError
from ...labels import EMOTIC26, VAD
from ...media import image as images
from ...records import Box, Pixels, Sample, Target
from ...tasks import TASKS
from ..base import ImportLog, PendingSample
from ..file_checks import quoted

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
SizedPicture = tuple[Pixels | bytes | Path, Size]


@dataclass(frozen=True)
class PersonRecord:
    """One person. `corners` are the body's left, top, right, bottom; `load` reads the picture."""

    picture: str
    split: str
    corners: Sequence[float]
    targets: Mapping[str, Target]
    attributes: Mapping[str, str]
    load: Callable[[], SizedPicture]


def items(people: Iterable[PersonRecord], log: ImportLog) -> Iterator[PendingSample]:
    """Yield a sample for each annotated person, those of one picture together."""
    by_picture: dict[str, list[PersonRecord]] = {}
    for person in people:
        by_picture.setdefault(person.picture, []).append(person)
    groups = by_picture.items()
    found = [(f"{name}#{i}", person) for name, group in groups for i, person in enumerate(group)]
    annotated = [(source, person) for source, person in found if person.targets]
    note(log, [source for source, person in found if not person.targets], "not annotated, left out")
    log.notes.append("boxes are clipped to the picture; where nothing of one is left, the person has no box")
    log.total = len(annotated)
    yield from (partial(sample, source, person) for source, person in annotated)


def sample(source: str, person: PersonRecord) -> Sample:
    """Return the sample of one person, with the whole picture. Raises InputError or DataError."""
    image, size = person.load()
    box, name, more = boxed(person.corners, size), person.picture, person.attributes
    return Sample.of_image(image, person.targets, person.split, source, box, group=name, attributes=more)


def note(log: ImportLog, sources: Sequence[str], what: str) -> None:
    """Note how many people `what` is true of, and name the first ones."""
    if sources:
        more = ", …" if len(sources) > _LISTED else ""
        log.notes.append(f"{what}: {len(sources)} people ({', '.join(sources[:_LISTED])}{more})")


def targets(tags: Iterable[str], vad: Sequence[float | None]) -> dict[str, Target]:
    """Return targets of tags and of three values (1…10; NaN, None: not rated). Raises DataError."""
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
    """Return the box of left, top, right, bottom clipped to the picture; None where nothing is left."""
    if not all(map(math.isfinite, corners)):
        return None
    pairs = zip(corners, (*size, *size), strict=True)
    left, top, right, bottom = (min(max(int(value), 0), limit) for value, limit in pairs)
    return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None


def known(**attributes: str) -> dict[str, str]:
    """Return the attributes that are not empty."""
    return {name: text for name, text in attributes.items() if text}


def picture_name(*parts: str) -> str:
    """Return a picture's path from its parts. Raises DataError if it is empty or leads out of the folder."""
    path = PurePosixPath(*(part.replace("\\", "/") for part in parts))
    if path.is_absolute() or ".." in path.parts or not parts[-1].strip():
        raise DataError(f"the picture is {quoted('/'.join(parts))}, allowed is a path inside the data set")
    return path.as_posix()


def photo_folder(*places: Path) -> Path | None:
    """Return the first folder in or below these places that holds a database such as `mscoco/images`."""
    folders = (place / inside for place in places for inside in _INSIDE)
    known = ((path, path / name / "images") for path in folders for name in DATABASES)
    return next((path for path, images in known if images.is_dir()), None)


def photo(path: Path) -> SizedPicture:
    """Return a picture file, to be kept as it is, with the size its header gives. Raises InputError."""
    try:
        with images.quiet(), Image.open(path, formats=images.FORMATS) as image:
            turned = image.getexif().get(_ORIENTATION) in _TURNED
            return path, (image.height, image.width) if turned else image.size
    except Exception:  # a decoder of foreign bytes may raise anything; the full reading says what is wrong
        height, width = images.read(path).shape[:2]
        return path, (width, height)
