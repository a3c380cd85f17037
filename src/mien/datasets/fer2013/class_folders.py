"""FER-2013 as class folders: `train|validation|test/<class>/<picture>`, as both Kaggle releases have it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from ...labels import EXPRESSION7, EXPRESSION8
from ...records import Sample
from ..base import Importer, ImportLog
from ..picture_files import SPLIT_FOLDERS, LabelledPicture, listed, subfolders
from .csv_release import HEAD
from .faces import decode_face, is_face_sized
from .official import note_counts, official_splits


def recognises(root: Path) -> bool:
    """Recognise splits that hold classes of FER-2013, no contempt, and a first picture of its size."""
    inner = [folder for split in _splits(root) for folder in subfolders(split)]
    classes = [folder for folder in inner if folder.name in EXPRESSION8]
    if not classes or any(folder.name not in EXPRESSION7 for folder in classes):
        return False
    return all(map(is_face_sized, next(filter(None, map(listed, classes)), [])[:1]))


def _splits(root: Path) -> list[Path]:
    return [path for path in subfolders(root) if path.name.lower() in SPLIT_FOLDERS]


def read(root: Path, log: ImportLog) -> Iterator[Sample]:
    """Yield samples by split, class and number; their source is the path below `root`."""
    found = official_splits(_listed(root, log), log)
    yield from note_counts(_samples(root, found, log), log)


def _samples(root: Path, found: list[LabelledPicture], log: ImportLog) -> Iterator[Sample]:
    digest = hashlib.sha256()
    for done, (path, split, label) in enumerate(found, 1):
        source = path.relative_to(root).as_posix()
        log.progress(done, len(found))
        with log.rejecting():
            data = path.read_bytes()
            digest.update(source.encode("utf-8", "surrogateescape") + b"\0" + data)
            yield Sample.of_image(decode_face(data, str(path)), {"expression7": label}, split, source)
    log.inputs[f"{root.resolve().name}/ ({len(found)} pictures)"] = digest.hexdigest()


def _listed(root: Path, log: ImportLog) -> list[LabelledPicture]:
    """Return every picture in the class folders, in natural order."""
    found: list[LabelledPicture] = []
    for inner in [folder for split in _splits(root) for folder in subfolders(split)]:
        files = listed(inner)
        if inner.name in EXPRESSION7:
            label = EXPRESSION7.labels[EXPRESSION7.index(inner.name)]
            split = SPLIT_FOLDERS[inner.parent.name.lower()]
            found += [LabelledPicture(path, split, label) for path in files]
        else:
            classes = ", ".join(EXPRESSION7.labels)
            log.reject(f"{inner}: no class of FER-2013 ({classes}), {len(files)} pictures inside")
    if not found:
        raise DataError(f"{root}: no pictures in class folders such as {root / 'train' / 'happy'}")
    return found


_LOOKS_FOR = "a folder with train|validation|test/<class>/<picture>"
FER2013_FOLDERS = Importer("fer2013-folders", _LOOKS_FOR, (HEAD,), recognises, read)
