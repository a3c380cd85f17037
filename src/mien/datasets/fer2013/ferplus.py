"""FER+ (github.com/microsoft/FERPlus): ten votes a face, joined to FER-2013 by the order of the rows."""

from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from ...files import sha256
from ...labels import FERPLUS10, canonical
from ...records import Sample
from .. import file_checks
from ..base import Importer, ImportLog
from . import csv_release
from .ferplus_rules import HEADS, Votes, counted, targets
from .official import note_counts

FILE = "fer2013new.csv"
_USAGES = {code.decode(): split for code, split in csv_release.USAGES.items()}


def recognises(root: Path) -> bool:
    """Recognise a folder with `fer2013new.csv` and FER-2013 as CSV."""
    return (root / FILE).is_file() and bool({*csv_release.WHOLE} & csv_release.known_files(root).keys())


def read(root: Path, log: ImportLog) -> Iterator[Sample]:
    """Yield the samples of FER-2013 with the votes of the same row. Raises DataError where they disagree."""
    if not recognises(root):
        raise DataError(f"{root}: FER+ needs a folder with {FILE} and one of {', '.join(csv_release.WHOLE)}")
    yield from note_counts(_joined(root, log), log)


def _joined(root: Path, log: ImportLog) -> Iterator[Sample]:
    path = root / FILE
    usages, votes = _votes(path, log)
    answers = targets(votes, log.options.get("votes", "raw"))
    file = csv_release.chosen(root, log)[0]
    faces = csv_release.table(file, log)
    for number, image, emotion, split in faces:
        if number >= len(usages):
            raise DataError(f"{path}: {len(usages)} rows, {file.name} has more; they are joined row by row")
        if split != _USAGES.get(usages[number]):
            usage, other = file_checks.quoted(usages[number]), f"{file.name} has a face of '{split}' there"
            raise DataError(f"{path}, row {number}: Usage is {usage}, but {other}")
        targets_of_row = {"expression7": emotion, **answers[number]}
        yield Sample.of_image(image, targets_of_row, split, f"{file.name}:{number}")
    if faces.rows < len(usages):
        counts = f"{len(usages)} rows, {file.name} has {faces.rows}"
        raise DataError(f"{path}: {counts}; they are joined row by row")
    log.notes.append(f"votes from {FILE}, joined by the order of the rows (not by image name)")


def _votes(path: Path, log: ImportLog) -> tuple[list[str], Votes]:
    """Return the Usage and the votes of each row."""
    names = file_checks.column_names(path)
    labels = list(map(canonical, names))
    if not {"usage", *FERPLUS10.labels} <= set(labels):
        needed = ", ".join(FERPLUS10.labels)
        raise DataError(f"{path}: needs the columns Usage, {needed} (it has: {', '.join(names)})")
    order = [labels.index(label) for label in FERPLUS10.labels]
    rows = file_checks.csv_rows(path)[1:]
    log.inputs[path.name] = sha256(path)
    cells = [[row[column] for column in order] if len(row) == len(names) else row for row in rows]
    usages = [row[names.index("usage")].strip() if len(row) == len(names) else "" for row in rows]
    return usages, counted(cells, path, log, 2)


_LOOKS_FOR = f"a folder with {FILE} beside {' or '.join(csv_release.WHOLE)}"
FERPLUS = Importer("ferplus", _LOOKS_FOR, (csv_release.HEAD, *HEADS), recognises, read)
