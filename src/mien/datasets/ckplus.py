"""CK+48: the last three frames of 327 sequences, `CK+48/<class>/S<subject>_<sequence>_<frame>.png`."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import DataError
from ..labels import EXPRESSION8
from ..records import Sample
from .base import Importer, ImportLog
from .labelling import BASIC, sample_of_subject
from .picture_files import listed

PUBLISHED = {
    "angry": 135, "contempt": 54, "disgust": 177, "fear": 75, "happy": 207, "sad": 84, "surprise": 249,
}  # fmt: skip
_NAME = re.compile(r"(S\d{3})_\d{3}_\d{8}", re.IGNORECASE)


def recognises(root: Path) -> bool:
    """Recognise a folder, or CK+48 inside it, with class folders whose first picture has a name of CK+."""
    folders = [folder for folder in _folders(root) if folder.name in EXPRESSION8]
    return any(_NAME.fullmatch(path.stem) for folder in folders for path in listed(folder)[:1])


def _folders(root: Path) -> list[Path]:
    base = root / "CK+48" if (root / "CK+48").is_dir() else root
    return sorted(path for path in base.iterdir() if path.is_dir()) if base.is_dir() else []


def read(root: Path, log: ImportLog) -> Iterator[Sample]:
    """Yield samples by class, subject and frame, in no split; a subject is a group. Raises DataError."""
    found = [(path, label) for folder in _folders(root) for path, label in _listed(folder, log)]
    if not found:
        raise DataError(f"{root}: no pictures such as {root / 'CK+48' / 'anger' / 'S010_004_00000017.png'}")
    log.compare_counts([label for _, label in found], PUBLISHED)
    log.total = len(found)
    for path, label in found:
        if name := _NAME.fullmatch(path.stem):
            yield sample_of_subject(root, path, label, name[1].upper())
        else:
            log.reject(f"{path}: the name tells no subject, needed are names such as S010_004_00000017.png")


def _listed(folder: Path, log: ImportLog) -> list[tuple[Path, str]]:
    files = listed(folder)
    if folder.name in EXPRESSION8:
        return [(path, EXPRESSION8.labels[EXPRESSION8.index(folder.name)]) for path in files]
    if files:
        classes = ", ".join(PUBLISHED)
        log.reject(f"{folder}: no class of CK+ ({classes}), {len(files)} pictures inside")
    return []


_LOOKS_FOR = "a folder with CK+48/<class>/S<subject>_<sequence>_<frame>.png"
CK48 = Importer("ck48", _LOOKS_FOR, BASIC, recognises, read)
