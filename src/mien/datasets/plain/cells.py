"""The cells of one row of a user's table as targets, split and box; a DataError names the cell."""

from pathlib import Path

from ...errors import DataError
from ...records import Box, Sample, Target
from ...tasks import Head, Kind
from .. import file_checks
from ..labelling import SPLITS
from .columns import AXES, BOX, Meaning
from .table_file import TableFile


def sample(meaning: Meaning, cells: list[str]) -> Sample:
    """Return a row as a sample; its picture is a path. Raises DataError."""
    if len(cells) != len(meaning.table.columns):
        raise DataError(f"{len(cells)} fields, the header has {len(meaning.table.columns)}")
    folder = meaning.table.path.parent
    picture, box = _picture(folder, text(meaning, cells, "picture")), _box(meaning, cells)
    source = (picture.relative_to(folder) if picture.is_relative_to(folder) else picture).as_posix()
    return Sample.of_image(
        picture,
        _targets(meaning, cells),
        _split(text(meaning, cells, "split")),
        f"{source}#{','.join(map(str, box))}" if box else source,
        box,
        group=text(meaning, cells, "group"),
        attributes={name: cells[place].strip() for name, place in meaning.attributes.items()},
    )


def text(meaning: Meaning, cells: list[str], role: str) -> str:
    """Return the cell of a role, '' where the table has no such column."""
    return " ".join(cells[meaning.roles[role]].split()) if role in meaning.roles else ""


def _picture(folder: Path, name: str) -> Path:
    if not name:
        raise DataError("no picture is named")
    path = folder / name.replace("\\", "/")
    if not path.is_file():
        raise DataError(f"no picture {file_checks.quoted(name, 80)} below {folder}")
    return path


def _split(name: str) -> str:
    if name and name.lower() not in SPLITS:
        raise DataError(f"split is {file_checks.quoted(name)}, allowed are {', '.join(SPLITS)} or nothing")
    return SPLITS[name.lower()] if name else ""


def _box(meaning: Meaning, cells: list[str]) -> Box | None:
    if not all(text(meaning, cells, part) for part in BOX):
        return None
    x, y, width, height = (round(_needed(meaning.table, cells, meaning.roles[part])) for part in BOX)
    if width <= 0 or height <= 0:
        raise DataError(f"box {x},{y},{width},{height}: width and height must be above 0")
    return Box(x, y, width, height)


def _targets(meaning: Meaning, cells: list[str]) -> dict[str, Target]:
    targets: dict[str, Target] = {}
    if meaning.label:
        targets |= meaning.label.targets(_label(meaning, cells))
    if meaning.shares:
        targets[meaning.shares.name] = _shares(meaning, meaning.shares, cells)
    if meaning.values and (values := _values(meaning, meaning.values, cells)):
        targets[meaning.values.name] = values
    return targets


def _label(meaning: Meaning, cells: list[str]) -> str:
    if not meaning.classes:
        if label := text(meaning, cells, "label"):
            return label
        raise DataError("label is empty")
    for name, number in _numbers(meaning, cells).items():
        if number:
            return name
    raise DataError("no class has a 1")


def _shares(meaning: Meaning, head: Head, cells: list[str]) -> Target:
    numbers = _numbers(meaning, cells)
    if head.kind is Kind.TAGS:
        return tuple(name for name, number in numbers.items() if number)
    for name, number in numbers.items():
        if number < 0:
            raise DataError(f"{name} is {number:g}, a share or a count of votes is 0 or more")
    if not any(numbers.values()):
        raise DataError("all shares are 0")
    return numbers


def _numbers(meaning: Meaning, cells: list[str]) -> dict[str, float]:
    return {meaning.table.columns[place]: _needed(meaning.table, cells, place) for place in meaning.classes}


def _needed(table: TableFile, cells: list[str], place: int) -> float:
    number = table.number(cells, place)
    if number is None:
        raise DataError(f"{table.columns[place]} is empty, a number is needed")
    return number


def _values(meaning: Meaning, head: Head, cells: list[str]) -> dict[str, float]:
    low, high = head.bounds
    values: dict[str, float] = {}
    for axis in filter(meaning.reads, AXES):
        number = meaning.table.number(cells, meaning.roles[axis])
        if number is not None and not low <= number <= high:
            hint = "" if head.name == "vad" else " (from 1 to 10 where a table has dominance too)"
            raise DataError(f"{axis} is {number:g}, allowed are numbers from {low:g} to {high:g}{hint}")
        if number is not None:
            values[axis] = number
    return values
