"""RAF-DB basic as a Kaggle copy has it: `DATASET/train|test/1…7/*_aligned.jpg`, with or without its lists."""

from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from ...files import sha256
from ...records import Sample
from .. import file_checks
from ..base import Importer, ImportLog
from ..labelling import BASIC
from ..picture_files import listed
from .release import CODES

SPLITS = ("train", "test")
_COUNTS = {"train": 12271, "test": 3068}


def recognises(root: Path) -> bool:
    """Recognise a folder with `train` or `test` (also in DATASET) whose folders 1 to 7 hold aligned faces."""
    first = (path for _, _, folder in _folders(root) for path in listed(folder)[:1])
    return any(path.stem.endswith("_aligned") for path in first)


def _folders(root: Path) -> list[tuple[str, str, Path]]:
    base = root / "DATASET" if (root / "DATASET").is_dir() else root
    found = [(split, code, base / split / code) for split in SPLITS for code in CODES]
    return [(split, code, folder) for split, code, folder in found if folder.is_dir()]


def read(root: Path, log: ImportLog) -> Iterator[Sample]:
    """Yield samples by split, class and number; lists, if any, must agree. Raises DataError."""
    found = [(split, code, path) for split, code, folder in _folders(root) for path in listed(folder)]
    if not found:
        raise DataError(f"{root}: no pictures in folders such as {root / 'DATASET' / 'train' / '1'}")
    for split in SPLITS:
        _agree(root, split, {path.name: code for part, code, path in found if part == split}, log)
    log.compare_counts([split for split, _, _ in found], _COUNTS)
    log.total = len(found)
    for split, code, path in found:
        targets = {head.name: CODES[code] for head in BASIC}
        yield Sample.of_image(path, targets, split, path.relative_to(root).as_posix())


def _agree(root: Path, split: str, codes: dict[str, str], log: ImportLog) -> None:
    """Reject the rows of a split's list, if it exists, that differ from the folders."""
    paths = [folder / f"{split}_labels.csv" for folder in (root, root / "DATASET", root.parent)]
    path = next((path for path in paths if path.is_file()), None)
    if not path:
        return
    log.inputs[path.name] = sha256(path)
    listed_codes = [(row[0].strip(), row[-1].strip()) for row in file_checks.csv_rows(path)[1:]]
    for row, (name, code) in enumerate(listed_codes):
        where = f"{path}, row {row} (line {row + 2})"
        if name not in codes:
            log.reject(f"{where}: {file_checks.quoted(name)} is in no folder of {split}")
        elif codes[name] != code:
            label = file_checks.quoted(code)
            log.reject(f"{where}: {name} has label {label}, but lies in folder {codes[name]}")
    if missing := sorted(set(codes) - {name for name, _ in listed_codes}):
        log.reject(f"{path}: {len(missing)} pictures of the folders are not in it, such as {missing[0]}")


_LOOKS_FOR = "a folder with DATASET/train|test/1…7/<name>_aligned.jpg"
RAFDB_FOLDERS = Importer("rafdb-folders", _LOOKS_FOR, BASIC, recognises, read)
