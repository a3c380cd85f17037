"""What all AffectNet layouts share: codes, folders of pictures and annotations, numbers in `.npy` files."""

import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...errors import DataError
from ...labels import AFFECTNET8, VALENCE_AROUSAL
from ...media.image import SUFFIXES
from ...records import Sample, Target
from ...tasks import TASKS
from .. import file_checks, safe_literals
from ..base import ImportLog
from ..labelling import BASIC, SPLITS

HEADS = (*TASKS["expression8"], *TASKS["expression7"], TASKS["affect"].head("valence_arousal"))
#: Codes of a picture without a class: none, uncertain, no face; 255 where another set was mixed in.
NO_CLASS = (8, 9, 10, 255)
INVALID = -2.0
POINTS = 68
TOLERANCE = 1e-3  # of what probabilities sum to
NO_TEST, HELD_OUT = "AffectNet has no public test set", "val_set is the split 'validation'"
#: What is missing where these layouts are asked for in vain; the suffix follows.
WHERE = "no folders images and annotations (in train_set and val_set, or alone) with files <id>"
_ANNOTATION = re.compile(r"(.+?)_(?:prob_rank_universal|prob_rank|rank|terms?|exp|val|aro|lnd)\.(?:txt|npy)")
_MAGIC, _MOST_BYTES = b"\x93NUMPY", 1 << 16
_MOST_ENTRIES, _MOST_FOLDERS, _FEW = 1000, 20, 50


class ImageFolder(NamedTuple):
    """A folder of pictures, the folder of their annotations, and their split ('' where none is named)."""

    split: str
    images: str
    annotations: str


class AnnotatedPicture(NamedTuple):
    """A picture's file, how its annotations' paths start (`…/annotations/17`), split, path below the root."""

    image: str
    beside: str
    split: str
    source: str


def names(folder: str) -> Iterator[str]:
    """Yield what lies in a folder, hidden files aside; nothing where it cannot be read."""
    with suppress(OSError), os.scandir(folder) as entries:
        yield from (entry.name for entry in entries if not entry.name.startswith("."))


def subfolders(folder: str) -> dict[str, str]:
    """Return the folders in a folder by lower-case name, among 1000 entries: it may hold a million files."""
    with suppress(OSError), os.scandir(folder) as entries:
        found = [entry for entry in islice(entries, _MOST_ENTRIES) if entry.is_dir()]
        ordered = sorted((entry.name.lower(), entry.name, entry.path) for entry in found)
        return {lower: path for lower, _, path in ordered}
    return {}


def within(root: Path, depth: int = 2) -> Iterator[str]:
    """Yield a folder, the folders in it, then those in them; of each the first 20."""
    level = [str(root)]
    for _ in range(depth + 1):
        yield from level
        level = [inner for folder in level for inner in islice(subfolders(folder).values(), _MOST_FOLDERS)]


def parts(root: Path, *suffixes: str) -> list[ImageFolder]:
    """Return folders with annotations `<id><suffix>`, in the first folder below `root` that has any."""
    for base in within(root):
        splits = [(split, path) for path in subfolders(base).values() if (split := _split(path))]
        inner = [(split, subfolders(path)) for split, path in [*splits, (_split(base), base)]]
        whole = [(split, two) for split, two in inner if {"images", "annotations"} <= {*two}]
        found = [ImageFolder(split, two["images"], two["annotations"]) for split, two in whole]
        if any(_holds(part.annotations, suffixes) for part in found):
            return found
    return []


def _split(folder: str) -> str:
    return SPLITS.get(Path(folder).absolute().name.lower().removesuffix("_set"), "")


def _holds(folder: str, suffixes: Iterable[str]) -> bool:
    """Return whether one of the first annotations, of whatever kind, has one of these beside it."""
    ids = {match[1] for name in islice(names(folder), _FEW) if (match := _ANNOTATION.fullmatch(name))}
    return any(Path(f"{folder}/{name}{suffix}").is_file() for name in ids for suffix in suffixes)


def files(root: Path, suffix: str) -> Iterator[str]:
    """Yield the annotations `<id><suffix>`, in natural order."""
    for part in parts(root, suffix):
        yield from (f"{part.annotations}/{name}{suffix}" for name in ordered(_annotated(part, suffix)))


def _annotated(part: ImageFolder, suffix: str) -> set[str]:
    return {name.removesuffix(suffix) for name in names(part.annotations) if name.endswith(suffix)}


def ordered(texts: Iterable[str]) -> list[str]:
    """Return names in natural order: 2 before 10. Needs little memory for a million of them."""

    def padded(run: re.Match[str]) -> str:
        digits = run[0].lstrip("0")
        return f"{len(digits):03}{digits}"

    return sorted(sorted(texts), key=lambda text: re.sub("[0-9]+", padded, text.casefold()))


def pictures(root: Path, suffix: str, log: ImportLog) -> Iterator[AnnotatedPicture]:
    """Yield all pictures with an annotation `<id><suffix>`, in natural order; reject either alone."""
    found = [(part, _paired(part, suffix, log)) for part in parts(root, suffix)]
    if not any(listed for _, listed in found):
        raise DataError(f"{root}: {WHERE}{suffix}")
    log.total = sum(len(listed) for _, listed in found)
    splits = {part.split for part, _ in found}
    if "test" not in splits:
        log.notes.append(f"{NO_TEST}; {HELD_OUT if 'validation' in splits else 'nor is there val_set'}")
    for part, listed in found:
        below = Path(part.images).relative_to(root).as_posix()
        for file in listed:
            beside = f"{part.annotations}/{_id(file)}"
            yield AnnotatedPicture(f"{part.images}/{file}", beside, part.split, f"{below}/{file}")


def _id(file: str) -> str:
    return file.rpartition(".")[0]


def _paired(part: ImageFolder, suffix: str, log: ImportLog) -> list[str]:
    annotations = _annotated(part, suffix)
    images = ordered(name for name in names(part.images) if f".{name.rpartition('.')[2].lower()}" in SUFFIXES)
    for file in images:
        if _id(file) not in annotations:
            log.reject(f"{part.images}/{file}: no annotation {_id(file)}{suffix} in {part.annotations}")
    for name in ordered(annotations.difference(map(_id, images))):
        log.reject(f"{part.annotations}/{name}{suffix}: no picture {name}.jpg in {part.images}")
    return [file for file in images if _id(file) in annotations]


def numbers(path: str) -> list[float] | None:
    """Return the numbers of a `.npy` file, also of text; None without such a file. Raises DataError."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MOST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    if not data.startswith(_MAGIC):
        if b"\0" not in data:
            file_checks.read_start(Path(path))
        raise DataError(f"{path}: not a .npy file (starts with {data[:12]!r})")
    try:
        return safe_literals.array(BytesIO(data)).astype(np.float64).ravel().tolist()
    except Exception as error:  # a reader of foreign bytes may raise anything
        raise DataError(f"{path}: no numbers: {file_checks.quoted(str(error), 90)}") from None


def probabilities(path: str) -> list[float]:
    """Return the numbers in a file, made to sum to 1 where they do within 0.001. Raises DataError."""
    text = file_checks.read_start(Path(path)).decode("utf-8", "replace").strip()
    try:
        found = [float(cell) for cell in text.split(",")]
    except ValueError:
        text = file_checks.quoted(text)
        raise DataError(f"{path}: {text}, needed is one line of numbers with commas between") from None
    if not all(value >= 0 for value in found):
        raise DataError(f"{path}: a probability is {min(found):g}, allowed are numbers from 0")
    total = sum(found)
    if not abs(total - 1) <= TOLERANCE:
        raise DataError(f"{path}: the {len(found)} values sum to {total:g}, allowed is 1 ± {TOLERANCE}")
    return [value / total for value in found]


def scalar(path: str) -> float | None:
    """Return the one number in a `.npy` file; None where there is no such file. Raises DataError."""
    found = numbers(path)
    if found is not None and len(found) != 1:
        raise DataError(f"{path}: {len(found)} numbers, needed is one")
    return found[0] if found else None


def annotated(picture: AnnotatedPicture) -> dict[str, Target]:
    """Return the targets in `_exp`, `_val` and `_aro.npy`, as far as they are there. Raises DataError."""
    numbers = (scalar(f"{picture.beside}_{what}.npy") for what in ("exp", "val", "aro"))
    return targets(picture.beside, *numbers)


def sample(picture: AnnotatedPicture, targets: dict[str, Target]) -> Sample:
    """Return a picture with the 68 points in `_lnd.npy`, if that exists. Raises DataError."""
    path = f"{picture.beside}_lnd.npy"
    found = numbers(path)
    landmarks = () if found is None else points(path, found)
    return Sample.of_image(Path(picture.image), targets, picture.split, picture.source, landmarks=landmarks)


def points(where: str, values: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """Return 68 points from x0, y0, x1, y1 … Raises DataError naming `where`."""
    if len(values) != 2 * POINTS:
        needed = f"needed are {2 * POINTS}, x and y of {POINTS} points"
        raise DataError(f"{where}: {len(values)} numbers of landmarks, {needed}")
    if not all(map(math.isfinite, values)):
        raise DataError(f"{where}: a landmark that is no finite number")
    return tuple(zip(values[::2], values[1::2], strict=True))


def targets(
    where: str, code: float | None, valence: float | None = None, arousal: float | None = None
) -> dict[str, Target]:
    """Return targets of an expression code and affect in -1…1 (None, NaN, -2: none). Raises DataError."""
    found: dict[str, Target] = {}
    if code is not None and code not in NO_CLASS:
        if code not in range(len(AFFECTNET8)):
            allowed = "0 to 7, and 8, 9, 10 or 255 for no class"
            raise DataError(f"{where}: expression is {code:g}, allowed are {allowed}")
        label = AFFECTNET8.labels[int(code)]
        found = {head.name: label for head in BASIC if label in head.space}
    pairs = zip(VALENCE_AROUSAL.labels, (valence, arousal), strict=True)
    known = {name: value for name, value in pairs if value is not None and not math.isnan(value)}
    affect = {name: value for name, value in known.items() if value != INVALID}
    for name, value in affect.items():
        if abs(value) > 1:
            raise DataError(f"{where}: {name} is {value:g}, allowed are -1 to 1, and -2 for invalid")
    return found | ({"valence_arousal": affect} if affect else {})
