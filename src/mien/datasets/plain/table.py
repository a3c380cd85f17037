"""A user's table: a CSV file with a column of pictures, and labels, class shares or affect."""

from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from ...files import sha256
from ...records import Sample
from ...tasks import Head
from .. import file_checks
from ..base import Importer, ImportLog
from . import cells, table_file
from .columns import meaning, roles

_SUFFIXES = (".csv", ".tsv")


def recognises(root: Path) -> bool:
    """Recognise a CSV file, or a folder with just one, that names pictures and is not FER-2013 or FER+."""
    path = _file(root)
    if not path:
        return False
    try:
        found = file_checks.column_names(path, table_file.SEPARATORS)
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
        suffixes = " or ".join(_SUFFIXES)
        raise DataError(f"{root}: a table is one file with the ending {suffixes}, or a folder with just one")
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


_LOOKS_FOR = "a CSV file with a column image and a column label, or one column for each class"
TABLE = Importer("table", _LOOKS_FOR, heads, recognises, read)
