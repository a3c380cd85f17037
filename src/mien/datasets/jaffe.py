"""JAFFE: ten women posing seven expressions, `KA.AN1.39.tiff` = subject, expression and take, number."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import DataError
from ..records import Sample
from .base import Importer, ImportLog
from .labelling import BASIC, sample_of_subject
from .picture_files import listed, subfolders

CODES = {
    "AN": "angry", "DI": "disgust", "FE": "fear", "HA": "happy", "NE": "neutral", "SA": "sad",
    "SU": "surprise",
}  # fmt: skip
SUBJECTS = ("KA", "KL", "KM", "KR", "MK", "NA", "NM", "TM", "UY", "YM")
_NAME = re.compile(rf"({'|'.join(SUBJECTS)})\.?({'|'.join(CODES)})\d*\.?\d*")


def recognises(root: Path) -> bool:
    """Recognise a folder, or one inside it, where half of the pictures or more have names of JAFFE."""
    files = _pictures(root)
    return 2 * sum(bool(_parts(path)) for path in files) > len(files)


def _pictures(root: Path) -> list[Path]:
    """Return the pictures of the folder, or of the first folder inside that has any."""
    return next(filter(None, map(listed, [root, *subfolders(root)])), []) if root.is_dir() else []


def _parts(path: Path) -> re.Match[str] | None:
    """Subject and expression of a name, whatever blanks and other strange characters stand in it."""
    return _NAME.fullmatch(re.sub(r"[^A-Z\d.]", "", path.stem.upper()))


def read(root: Path, log: ImportLog) -> Iterator[Sample]:
    """Yield samples by name, in no split; a subject is a group. Raises DataError."""
    found = _pictures(root)
    if not found:
        raise DataError(f"{root}: no pictures such as {root / 'KA.AN1.39.tiff'}")
    log.compare_counts(["pictures" for path in found if _parts(path)], {"pictures": 213})
    log.total = len(found)
    for path in found:
        if parts := _parts(path):
            yield sample_of_subject(root, path, CODES[parts[2]], parts[1])
        else:
            choices = f"one of {', '.join(SUBJECTS)}, then one of {', '.join(CODES)}"
            log.reject(f"{path}: no name of JAFFE such as KA.AN1.39.tiff ({choices})")


JAFFE = Importer("jaffe", "a folder with KA.AN1.39.tiff and the like", BASIC, recognises, read)
