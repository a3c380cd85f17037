"""FER+ (github.com/microsoft/FERPlus): ten votes a face, joined to FER-2013 by the order of the rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..errors import DataError
from ..files import sha256
from ..labels import FERPLUS10, canonical
from ..records import Sample
from . import fer2013, sniff
from .base import Importer, Journal
from .fer2013_counts import compared
from .ferplus_rules import Votes
from .ferplus_votes import HEADS, counted, targets

FILE = "fer2013new.csv"
_USAGES = {code.decode(): split for code, split in fer2013.USAGES.items()}


def recognises(root: Path) -> bool:
    """A folder with `fer2013new.csv` and FER-2013 as CSV."""
    return (
        root.is_dir() and (root / FILE).is_file() and any(name in fer2013.known_files(root) for name in fer2013.WHOLE)
    )


def read(root: Path, journal: Journal) -> Iterator[Sample]:
    """Samples as FER-2013 gives them, with the votes of the same row. Raises DataError where the two files part ways."""
    if not recognises(root):
        raise DataError(f"{root}: FER+ needs a folder with {FILE} and one of {', '.join(fer2013.WHOLE)}")
    yield from compared(_joined(root, journal), journal)


def _joined(root: Path, journal: Journal) -> Iterator[Sample]:
    path = root / FILE
    usages, votes = _votes(path, journal)
    said = targets(votes, journal.options.get("votes", "raw"))
    file = fer2013.chosen(root, journal)[0]
    faces = fer2013.table(file, journal)
    for number, image, emotion, split in faces:
        if number >= len(usages):
            raise DataError(f"{path}: {len(usages)} rows, {file.name} has more; they are joined row by row")
        if split != _USAGES.get(usages[number]):
            usage = sniff.shown(usages[number])
            raise DataError(f"{path}, row {number}: Usage is {usage}, but {file.name} has a face of '{split}' there")
        yield Sample(image, {"expression7": emotion, **said[number]}, split, f"{file.name}:{number}")
    if faces.rows < len(usages):
        raise DataError(f"{path}: {len(usages)} rows, {file.name} has {faces.rows}; they are joined row by row")
    journal.notes.append(f"votes from {FILE}, joined by the order of the rows (not by image name)")


def _votes(path: Path, journal: Journal) -> tuple[list[str], Votes]:
    """The Usage and the votes of each row."""
    names = sniff.columns(path)
    if "usage" not in names or not all(label in map(canonical, names) for label in FERPLUS10.labels):
        raise DataError(f"{path}: needs the columns Usage, {', '.join(FERPLUS10.labels)} (it has: {', '.join(names)})")
    order = [list(map(canonical, names)).index(label) for label in FERPLUS10.labels]
    rows = sniff.rows(path)[1:]
    journal.inputs[path.name] = sha256(path)
    cells = [[row[column] for column in order] if len(row) == len(names) else row for row in rows]
    usages = [row[names.index("usage")].strip() if len(row) == len(names) else "" for row in rows]
    return usages, counted(cells, path, journal, 2)


FERPLUS = Importer(
    "ferplus", f"a folder with {FILE} beside {' or '.join(fer2013.WHOLE)}", (fer2013.HEAD, *HEADS), recognises, read
)  # fmt: skip
