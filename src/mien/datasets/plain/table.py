"""A table that a user made: a CSV file with a column of pictures, and of labels, class shares or valence and arousal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from ...files import sha256
from ...records import Sample
from ...tasks import Head
from ..base import Importer, ImportLog
from . import cells, table_file
from .columns import meaning, roles

_SUFFIXES = (".csv", ".tsv")


def recognises(root: Path) -> bool:
    """Recognise a CSV file, or a folder with just one, that names pictures and is not one of FER-2013 or FER+."""
    path = _file(root)
    if not path:
        return False
    try:
        found = table_file.header(path)
    except DataError:
        return False
    return "picture" in roles(found) and "pixels" not in found and not {"usage", "nf"} <= set(found)


def _file(root: Path) -> Path | None:
    if root.is_file():
        return root if root.suffix.lower() in _SUFFIXES else None
    found = [path for path in root.iterdir() if path.suffix.lower() in _SUFFIXES] if root.is_dir() else []
    return found[0] if len(found) == 1 else None


def _table(root: Path) -> table_file.TableFile:
    path = root if root.is_file() else _file(root)
    if not path:
        raise DataError(
            f"{root}: a table is one file with the ending {' or '.join(_SUFFIXES)}, or a folder with just one"
        )
    return table_file.load(path)


def heads(root: Path, log: ImportLog) -> tuple[Head, ...]:
    """Return the targets that the columns give; what was decided is noted. Raises DataError."""
    understood = meaning(_table(root), log.options)
    log.notes.extend(understood.notes)
    return understood.heads


def read(root: Path, log: ImportLog) -> Iterator[Sample]:
    """Yield samples in the order of the rows; their source is the picture's path below the table's folder."""
    table = _table(root)
    understood = meaning(table, log.options)
    log.inputs[table.path.name], log.total = sha256(table.path), len(table.rows)
    seen: dict[str, int] = {}
    for row in table.rows:
        with log.rejecting(table.where(row)):
            sample = cells.sample(understood, row.cells)
            if seen.setdefault(sample.source, row.number) != row.number:
                raise DataError(f"{sample.source} again, first in row {seen[sample.source]}")
            yield sample


TABLE = Importer(
    "table", "a CSV file with a column image and a column label, or one column for each class", heads, recognises, read
)  # fmt: skip
