"""The rows of AffectNet's CSV lists, with or without a header; semicolons or commas between landmarks."""

import csv
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ...errors import DataError
from ...records import Box, Target
from .. import file_checks
from ..base import ImportLog
from .files import POINTS, points, targets, within

COLUMNS = ("subDirectory_filePath", "face_x", "face_y", "face_width", "face_height", "facial_landmarks",
           "expression", "valence", "arousal")  # fmt: skip
_NAMES = tuple(name.lower() for name in COLUMNS)
_PICTURE, *_BOX, _LANDMARKS, _EXPRESSION, _VALENCE, _AROUSAL = _NAMES
_MOST, _FEW = 1e6, 20


class ListRow(NamedTuple):
    """One face: its number, from 0, and where that is in words; its picture below the folder of images;
    targets (may be empty), a box (None where it has no area), and landmarks as text."""

    number: int
    where: str
    picture: str
    targets: dict[str, Target]
    box: Box | None
    landmarks: str

    def points(self) -> tuple[tuple[float, float], ...]:
        """Return the 68 landmarks. Raises DataError."""
        cells = self.landmarks.replace(",", ";").strip("; ").split(";")
        return points(self.where, [_number(self.where, _LANDMARKS, cell) for cell in cells])


def is_list(path: Path) -> bool:
    """Return whether a file begins as such a list does. Never raises."""
    try:
        first = file_checks.column_names(path)
    except DataError:
        return False
    return {_PICTURE, _EXPRESSION} <= set(first) or ",".join(first).replace(";", ",").count(",") >= 2 * POINTS


def rows(path: Path, log: ImportLog) -> Iterator[ListRow]:
    """Yield all rows that can be read; others are rejected. Raises DataError for another kind of file."""
    first = file_checks.column_names(path)
    names = tuple(first) if _PICTURE in first else _NAMES
    if missing := set(_NAMES).difference(names):
        raise DataError(f"{path}: no column {', '.join(sorted(missing))} (needed: {','.join(COLUMNS)})")
    for number, (line, cells) in enumerate(_cells(path, header=_PICTURE in first)):
        with log.rejecting():
            yield _row(number, f"{path}, row {number} (line {line})", cells, names)


def image_folder(path: Path, root: Path) -> tuple[Path, str]:
    """Find the folder with the pictures of a list's first rows, and its name in sources. Raises DataError."""
    quiet = ImportLog(skip_bad=True)
    first = [row.picture for row in islice(rows(path, quiet), _FEW)]
    if not first:
        raise DataError(quiet.left_out[0] if quiet.left_out else f"{path}: no rows")
    for folder in map(Path, chain(within(path.parent), within(root), within(path.parent.parent))):
        if any((folder / picture).is_file() for picture in first):
            return folder, folder.relative_to(root).as_posix() if folder.is_relative_to(root) else folder.name
    missing = f"the pictures it names, such as {first[0]}"
    raise DataError(f"{path}: {missing}, lie neither below {root} nor beside the list")


def _cells(path: Path, header: bool) -> Iterator[tuple[int, list[str]]]:
    """Yield the line and the fields of each row that is not empty."""
    with file_checks.reading(path), path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        reader = csv.reader(file)
        yield from islice(((reader.line_num, cells) for cells in reader if cells), int(header), None)


def _row(number: int, where: str, fields: Sequence[str], names: Sequence[str]) -> ListRow:
    surplus, at = len(fields) - len(names), names.index(_LANDMARKS)
    if surplus < 0:
        raise DataError(f"{where}: {len(fields)} fields, needed are {len(names)} ({','.join(COLUMNS)})")
    # Surplus fields are landmarks that were split by commas.
    landmarks = ";".join(fields[at : at + surplus + 1])
    cells = dict(zip(names, [*fields[:at], landmarks, *fields[at + surplus + 1 :]], strict=True))
    picture = cells[_PICTURE].strip().replace("\\", "/")
    if not picture or picture.startswith("/") or ".." in PurePosixPath(picture).parts:
        picture = file_checks.quoted(picture)
        raise DataError(f"{where}: picture is {picture}, needed is a path below the folder of images")
    numbers = (_number(where, name, cells[name]) for name in (_EXPRESSION, _VALENCE, _AROUSAL))
    answers = targets(where, *numbers)
    box = Box(*(round(_number(where, name, cells[name])) for name in _BOX))
    return ListRow(number, where, picture, answers, box if min(box[2:]) > 0 else None, landmarks)


def _number(where: str, name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = _MOST
    if not abs(value) < _MOST:  # a NaN fails too
        raise DataError(f"{where}: {name} is {file_checks.quoted(text)}, needed is a number")
    return value
