"""EMOTIC as `mat2py.py` converts it: `train|val|test.csv` with lists in cells, pictures as `.npy`."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ...errors import DataError
from .. import file_checks
from ..base import Importer, ImportLog, PendingSample
from .cells import Cells, listed, numbers, table
from .npy import Arrays
from .people import HEADS, SPLITS, PersonRecord, items, known, photo, photo_folder, picture_name, targets

COLUMNS = ("Folder", "Filename", "Image Size", "BBox", "Categorical_Labels", "Continuous_Labels", "Gender",
           "Age")  # fmt: skip


def recognises(root: Path) -> bool:
    """Recognise a folder with such a table, or with a folder `emotic_pre` that has them."""
    return bool(_tables(root))


def _tables(root: Path) -> list[Path]:
    found = [base / f"{split}.csv" for base in (root, root / "emotic_pre") for split in SPLITS]
    return [path for path in found if path.is_file() and _ours(path)][: len(SPLITS)]


def _ours(path: Path) -> bool:
    try:
        named = path.with_name(f"{path.stem}_cat_arr.npy").exists()
        return named or {name.lower() for name in COLUMNS} <= {*file_checks.column_names(path)}
    except DataError:
        return False


def read(root: Path, log: ImportLog) -> Iterator[PendingSample]:
    """Yield people by split and picture, with the original pictures if they exist, else the resized ones."""
    tables = _tables(root)
    if not tables:
        names = ", ".join(f"{split}.csv" for split in SPLITS)
        raise DataError(f"{root}: none of {names} with the columns of mat2py.py")
    base = tables[0].absolute().parent
    folder = photo_folder(base, base.parent / "emotic", base.parent / "cvpr_emotic")
    resized = "the resized ones of *_context_arr.npy, boxes scaled with them; the body crops are not kept"
    log.notes.append(f"pictures: {f'the originals in {folder.name}/' if folder else resized}")
    yield from items([person for path in tables for person in _people(path, folder, log)], log)


def _people(path: Path, folder: Path | None, log: ImportLog) -> Iterator[PersonRecord]:
    rows = table(path, COLUMNS, log)
    arrays = Arrays(path.parent, path.stem, len(rows))
    if folder is None and not arrays.has_pictures:
        wanted = f"{path.stem}_context_arr.npy nor the original pictures"
        raise DataError(f"{path}: neither {wanted} are beside it")
    for number, cells in enumerate(rows):
        with log.rejecting(f"{path}, row {number}"):
            if cells:
                yield _person(cells, arrays, number, folder)


def _person(cells: Cells, arrays: Arrays, row: int, folder: Path | None) -> PersonRecord:
    picture = picture_name(cells["folder"], cells["filename"])
    corners = numbers(cells, "BBox", 4)
    answers = targets(listed(cells, "Categorical_Labels"), numbers(cells, "Continuous_Labels", 3))
    arrays.check(row, answers)
    if not folder:
        corners = arrays.scaled(corners, numbers(cells, "Image Size", 2))
    load = partial(photo, folder / picture) if folder else partial(arrays.picture, row)
    attributes = known(gender=cells["gender"], age=cells["age"], database=picture.partition("/")[0])
    return PersonRecord(picture, SPLITS[arrays.split], corners, answers, attributes, load)


_LOOKS_FOR = "a folder with train.csv, val.csv or test.csv as mat2py.py writes them"
EMOTIC_CSV = Importer("emotic-csv", _LOOKS_FOR, HEADS, recognises, read)
