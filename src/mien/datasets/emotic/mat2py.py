"""EMOTIC as `mat2py.py` converts it: `train|val|test.csv` with lists in their cells, and pictures as `.npy` arrays."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ...errors import DataError
from .. import file_checks
from ..base import Importer, Item, Journal
from .cells import Cells, listed, numbers, table
from .npy import Arrays
from .people import HEADS, SPLITS, Person, items, photo, photos, picture_name, targets, told

COLUMNS = ("Folder", "Filename", "Image Size", "BBox", "Categorical_Labels", "Continuous_Labels", "Gender", "Age")


def recognises(root: Path) -> bool:
    """A folder with such a table, or with a folder `emotic_pre` that has them."""
    return bool(_tables(root))


def _tables(root: Path) -> list[Path]:
    found = [base / f"{split}.csv" for base in (root, root / "emotic_pre") for split in SPLITS]
    return [path for path in found if path.is_file() and _ours(path)][: len(SPLITS)]


def _ours(path: Path) -> bool:
    try:
        named = path.with_name(f"{path.stem}_cat_arr.npy").exists()
        return named or {name.lower() for name in COLUMNS} <= {*file_checks.columns(path)}
    except DataError:
        return False


def read(root: Path, journal: Journal) -> Iterator[Item]:
    """People by split and picture. The original pictures are kept where they are there, else the resized ones."""
    tables = _tables(root)
    if not tables:
        raise DataError(
            f"{root}: none of {', '.join(f'{split}.csv' for split in SPLITS)} with the columns of mat2py.py"
        )
    base = tables[0].absolute().parent
    folder = photos(base, base.parent / "emotic", base.parent / "cvpr_emotic")
    journal.notes.append(
        f"pictures: the originals in {folder.name}/" if folder
        else "pictures: the resized ones of *_context_arr.npy, boxes scaled with them; the body crops are not kept"
    )  # fmt: skip
    yield from items([person for path in tables for person in _people(path, folder, journal)], journal)


def _people(path: Path, folder: Path | None, journal: Journal) -> Iterator[Person]:
    rows = table(path, COLUMNS, journal)
    arrays = Arrays(path.parent, path.stem, len(rows))
    if folder is None and not arrays.has_pictures:
        raise DataError(f"{path}: neither {path.stem}_context_arr.npy nor the original pictures are beside it")
    for number, cells in enumerate(rows):
        try:
            if cells:
                yield _person(cells, arrays, number, folder)
        except DataError as error:
            journal.bad(f"{path}, row {number}: {error}")


def _person(cells: Cells, arrays: Arrays, row: int, folder: Path | None) -> Person:
    picture = picture_name(cells["folder"], cells["filename"])
    corners = numbers(cells, "BBox", 4)
    said = targets(listed(cells, "Categorical_Labels"), numbers(cells, "Continuous_Labels", 3))
    arrays.check(row, said)
    if not folder:
        corners = arrays.scaled(corners, numbers(cells, "Image Size", 2))
    frame = partial(photo, folder / picture) if folder else partial(arrays.frame, row)
    attributes = told(gender=cells["gender"], age=cells["age"], database=picture.partition("/")[0])
    return Person(picture, SPLITS[arrays.split], corners, said, attributes, frame)


EMOTIC_CSV = Importer(
    "emotic-csv", "a folder with train.csv, val.csv or test.csv as mat2py.py writes them", HEADS, recognises, read
)  # fmt: skip
