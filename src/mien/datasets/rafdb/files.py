"""The files beside RAF-DB's lists: pictures, and annotations of age, gender, race and landmarks."""

from collections.abc import Mapping
from pathlib import Path

from ...errors import DataError
from ...records import Sample, Target

_GENDERS = ("male", "female", "unsure")
_RACES = ("Caucasian", "African-American", "Asian")
_AGES = ("0-3", "4-19", "20-39", "40-69", "70+")
_POINTS = 5


def lines(path: Path) -> list[str]:
    """Return the lines of a list, at least one."""
    return path.read_text(encoding="utf-8-sig", errors="replace").rstrip().splitlines() or [""]


def form(base: Path) -> str:
    """Return which pictures are read: 'aligned' where that folder exists, else 'original'."""
    return "aligned" if (base / "Image" / "aligned").is_dir() else "original"


def sample(root: Path, name: Path, targets: Mapping[str, Target], where: str) -> Sample:
    """Return the picture of a name (a path without folders and ending), annotated. Raises DataError."""
    base, kind = name.parent, form(name.parent)
    aligned = kind == "aligned"
    picture = base / "Image" / kind / f"{name.name}{'_aligned' * aligned}.jpg"
    if not picture.is_file():
        raise DataError(f"{where}: no picture {picture}")
    attributes, points = manual(base / "Annotation" / "manual" / f"{name.name}_manu_attri.txt")
    split, source = name.name.partition("_")[0], picture.relative_to(root).as_posix()
    points = [] if aligned else points  # they lie in the original picture
    return Sample.of_image(picture, targets, split, source, landmarks=points, attributes=attributes)


def manual(path: Path) -> tuple[dict[str, str], list[tuple[float, float]]]:
    """Return gender, race and age by name, and five points (x, y); empty without a file. Raises DataError."""
    if not path.is_file():
        return {}, []
    words = path.read_text(encoding="utf-8-sig", errors="replace").split()
    try:
        numbers = [float(word) for word in words[: 2 * _POINTS]]
        gender, race, age = map(int, words[2 * _POINTS :])
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        if min(gender, race, age) < 0:
            raise ValueError
        return {"gender": _GENDERS[gender], "race": _RACES[race], "age": _AGES[age]}, points
    except (ValueError, IndexError):
        needed = f"{_POINTS} points x y, then gender 0-2, race 0-2 and age 0-4"
        raise DataError(f"{path}: needed are {needed}") from None
