"""FER+ as Microsoft's tools lay it out: `FER2013{Train,Valid,Test}/label.csv` with the pictures beside it."""

from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from ...files import sha256
from ...records import Sample
from .. import file_checks
from ..base import Importer, ImportLog
from .faces import decode_face
from .ferplus_rules import HEADS, counted, targets

FOLDERS = {"FER2013Train": "train", "FER2013Valid": "validation", "FER2013Test": "test"}
FILE = "label.csv"


def recognises(root: Path) -> bool:
    """Recognise a folder with at least one of the three, or with a folder `data` that has them."""
    return any((_base(root) / folder / FILE).is_file() for folder in FOLDERS)


def _base(root: Path) -> Path:
    return root / "data" if (root / "data").is_dir() else root


def read(root: Path, log: ImportLog) -> Iterator[Sample]:
    """Yield samples by row, without FER-2013's own labels; their source is the path below `root`."""
    if not recognises(root):
        raise DataError(f"{root}: none of {', '.join(f'{folder}/{FILE}' for folder in FOLDERS)} is here")
    log.notes.append(f"votes from {FILE}, which differ from fer2013new.csv in about one row of 22")
    for folder, split in FOLDERS.items():
        if (_base(root) / folder / FILE).is_file():
            yield from _samples(root, _base(root) / folder, split, log)


def _samples(root: Path, folder: Path, split: str, log: ImportLog) -> Iterator[Sample]:
    path = folder / FILE
    if not any(folder.glob("*.png")):
        hint = "make them with generate_training_data.py of FERPlus"
        raise DataError(f"{folder}: {FILE} but no pictures; {hint}")
    rows = file_checks.csv_rows(path)
    log.inputs[path.relative_to(root).as_posix()] = sha256(path)
    votes = targets(counted([row[2:] for row in rows], path, log, 1), log.options.get("votes", "raw"))
    # A name that occurs twice has one picture, that of its last row.
    last = {row[0]: number for number, row in enumerate(rows)}
    for number, row in enumerate(rows):
        picture = folder / row[0]
        log.progress(number + 1, len(rows))
        if last[row[0]] != number:
            other = f"row {last[row[0]]} has the same picture {row[0]}"
            log.notes.append(f"{path}, row {number}: left aside, {other}")
            continue
        with log.rejecting(f"{path}, row {number}"):
            image = decode_face(picture.read_bytes(), str(picture))
            yield Sample.of_image(image, votes[number], split, picture.relative_to(root).as_posix())


_LOOKS_FOR = f"a folder with {'|'.join(FOLDERS)}/{FILE} and pictures"
FERPLUS_FOLDERS = Importer("ferplus-folders", _LOOKS_FOR, HEADS, recognises, read)
