"""EMOTIC as tables of 40 columns in `annots_arrs` and whole pictures as arrays in `img_arrs`."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ...errors import DataError
from ...labels import EMOTIC26, VAD
from ..base import Importer, ImportLog, PendingSample
from .cells import Cells, flag, number, table
from .npy import load_picture
from .people import HEADS, SPLITS, PersonRecord, items, known, picture_name, targets

TABLES = {f"annot_arrs_{name}.csv": SPLITS[name.removeprefix("extra_")] for name in (*SPLITS, "extra_train")}
_CORNERS = ("X_min", "Y_min", "X_max", "Y_max")
#: The 26 names stand in another order than in the original: only the header says which column is which.
COLUMNS = ("Filename", "Age", "Gender", *VAD.labels, *EMOTIC26.labels, *_CORNERS, "Arr_name")


def recognises(root: Path) -> bool:
    """Recognise a folder with one of the tables in `annots_arrs`, or in `archive/annots_arrs`."""
    return bool(_tables(root))


def _tables(root: Path) -> list[Path]:
    folder = (root / "archive" if (root / "archive").is_dir() else root) / "annots_arrs"
    return [folder / name for name in TABLES if (folder / name).is_file()]


def read(root: Path, log: ImportLog) -> Iterator[PendingSample]:
    """Yield people by picture; their source is the picture's array; its size counts: the tables swap some."""
    tables = _tables(root)
    if not tables:
        raise DataError(f"{root}: none of {', '.join(TABLES)} is in annots_arrs/")
    arrays = "the arrays in img_arrs/, packed as JPEG of quality 95"
    log.notes.append(f"pictures: {arrays}; the body crops are not kept")
    people: list[PersonRecord] = []
    for path in tables:
        known = {_key(person) for person in people}
        found = list(_people(path, log))
        people += (new := [person for person in found if _key(person) not in known])
        if len(new) < len(found):
            aside = len(found) - len(new)
            log.notes.append(f"{path.name}: {aside} people left aside, an earlier table has them")
    yield from items(people, log)


def _key(person: PersonRecord) -> tuple[object, ...]:
    return person.split, person.picture, *person.corners


def _people(path: Path, log: ImportLog) -> Iterator[PersonRecord]:
    for row, cells in enumerate(table(path, COLUMNS, log)):
        with log.rejecting(f"{path}, row {row}"):
            if cells:
                yield _person(cells, path)


def _person(cells: Cells, path: Path) -> PersonRecord:
    picture = picture_name("img_arrs", cells["arr name"])
    tags = [label for label in EMOTIC26.labels if flag(cells, label)]
    answers = targets(tags, [number(cells, name) for name in VAD.labels])
    corners = [number(cells, name) for name in _CORNERS]
    attributes = known(gender=cells["gender"], age=cells["age"], file=cells["filename"])
    load = partial(load_picture, path.parents[1] / picture)
    return PersonRecord(picture, TABLES[path.name], corners, answers, attributes, load)


_LOOKS_FOR = f"a folder with annots_arrs/{'|'.join(TABLES)} and img_arrs/"
EMOTIC_ARRAYS = Importer("emotic-arrays", _LOOKS_FOR, HEADS, recognises, read)
