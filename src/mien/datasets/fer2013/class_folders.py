"""FER-2013 as pictures in class folders: `train|validation|test/<class>/<picture>`, as both Kaggle releases have it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError, InputError
from ...labels import EXPRESSION7, EXPRESSION8
from ...records import Sample
from ..base import Importer, Journal
from ..picture_files import SPLIT_FOLDERS, Picture, listed, subfolders
from .counts import compared
from .csv_release import HEAD
from .face_files import face, is_face_sized
from .splits import official


def recognises(root: Path) -> bool:
    """A folder with a split inside that has classes of FER-2013 and no contempt inside, with a first picture of its size."""
    classes = [folder for split in _splits(root) for folder in subfolders(split) if folder.name in EXPRESSION8]
    if not classes or any(folder.name not in EXPRESSION7 for folder in classes):
        return False
    return all(map(is_face_sized, next(filter(None, map(listed, classes)), [])[:1]))


def _splits(root: Path) -> list[Path]:
    return [path for path in subfolders(root) if path.name.lower() in SPLIT_FOLDERS]


def read(root: Path, journal: Journal) -> Iterator[Sample]:
    """Samples by split, class and number; their source is the path below `root`. Names that tell the official split win."""
    found = official(_listed(root, journal), journal)
    yield from compared(_samples(root, found, journal), journal)


def _samples(root: Path, found: list[Picture], journal: Journal) -> Iterator[Sample]:
    digest = hashlib.sha256()
    for done, (path, split, label) in enumerate(found, 1):
        source = path.relative_to(root).as_posix()
        journal.advance(done, len(found))
        try:
            data = path.read_bytes()
            digest.update(source.encode("utf-8", "surrogateescape") + b"\0" + data)
            image = face(data, str(path))
        except (InputError, OSError) as error:
            journal.bad(str(error))
        else:
            yield Sample(image, {"expression7": label}, split, source)
    journal.inputs[f"{root.resolve().name}/ ({len(found)} pictures)"] = digest.hexdigest()


def _listed(root: Path, journal: Journal) -> list[Picture]:
    """Every picture in the class folders, in natural order."""
    found: list[Picture] = []
    for inner in [folder for split in _splits(root) for folder in subfolders(split)]:
        files = listed(inner)
        if inner.name in EXPRESSION7:
            label = EXPRESSION7.labels[EXPRESSION7.index(inner.name)]
            found += [Picture(path, SPLIT_FOLDERS[inner.parent.name.lower()], label) for path in files]
        else:
            classes = ", ".join(EXPRESSION7.labels)
            journal.bad(f"{inner}: no class of FER-2013 ({classes}), {len(files)} pictures inside")
    if not found:
        raise DataError(f"{root}: no pictures in class folders such as {root / 'train' / 'happy'}")
    return found


FER2013_FOLDERS = Importer(
    "fer2013-folders", "a folder with train|validation|test/<class>/<picture>", (HEAD,), recognises, read
)  # fmt: skip
