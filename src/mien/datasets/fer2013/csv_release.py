"""FER-2013 as CSV: `fer2013.csv`, `icml_face_data.csv`, `train.csv`, and `test.csv` without labels."""

from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from ...labels import EXPRESSION7
from ...records import Item, Sample
from ...tasks import Head, Kind
from ..base import Importer, ImportLog
from .faces import FaceTable
from .official import note_counts

HEAD = Head("expression7", Kind.CLASS, EXPRESSION7)
EMOTIONS = {
    b"0": "angry", b"1": "disgust", b"2": "fear", b"3": "happy", b"4": "sad", b"5": "surprise",
    b"6": "neutral",
}  # fmt: skip
USAGES = {b"Training": "train", b"PublicTest": "validation", b"PrivateTest": "test"}
WHOLE = ("fer2013.csv", "icml_face_data.csv")
PARTS = ("train.csv", "test_with_emotions.csv", "test.csv")


def known_files(root: Path) -> dict[str, Path]:
    """Return the CSV files of FER-2013 in a folder, or in `fer2013` inside it, by their usual names."""
    found: dict[str, Path] = {}
    for folder in (root / "fer2013", root):
        if folder.is_dir():
            found |= {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_file()}
    return {name: found[name] for name in (*WHOLE, *PARTS) if name in found}


def recognises(root: Path) -> bool:
    """Recognise a CSV file, or a folder with one of the usual names inside."""
    return root.suffix.lower() == ".csv" if root.is_file() else bool(known_files(root))


def chosen(root: Path, log: ImportLog) -> list[Path]:
    """Return the files to read: one with all splits, else the parts; notes which. Raises DataError."""
    if not root.is_dir():
        return [root]
    found = known_files(root)
    taken = [name for name in WHOLE if name in found][:1]
    if not taken:
        tests = [name for name in PARTS[1:] if name in found][:1]
        taken = [name for name in PARTS[:1] if name in found] + tests
    if not taken:
        raise DataError(f"{root}: none of {', '.join(WHOLE + PARTS)} is in this folder")
    aside = [name for name in found if name not in taken]
    log.notes.append(f"taken: {', '.join(taken)}" + (f"; left aside: {', '.join(aside)}" if aside else ""))
    return [found[name] for name in taken]


def table(path: Path, log: ImportLog) -> FaceTable:
    """Return the faces of one file. Raises DataError without labels, but for a file of pixels alone."""
    faces = FaceTable(path, log, {"emotion": EMOTIONS, "usage": USAGES})
    if "emotion" not in faces.columns and faces.columns != ["pixels"]:
        raise DataError(f"{path}: no column 'emotion' (it has: {', '.join(faces.columns)})")
    return faces


def read(root: Path, log: ImportLog) -> Iterator[Sample]:
    """Yield samples in the order of the rows; their source is `file:row`, with rows counted from 0."""
    yield from note_counts((sample for path in chosen(root, log) for sample in _samples(path, log)), log)


def _samples(path: Path, log: ImportLog) -> Iterator[Sample]:
    faces = table(path, log)
    split = "test" if faces.columns == ["pixels"] or path.name.lower().startswith("test") else "train"
    if "usage" not in faces.columns:
        labels = "" if "emotion" in faces.columns else ", and no labels"
        log.notes.append(f"{path.name} has no column Usage{labels}: all its rows go to the split '{split}'")
    name = path.name
    for number, image, emotion, usage in faces:
        targets = {"expression7": emotion} if emotion else {}
        yield Sample({"image": Item(image)}, targets, usage or split, f"{name}:{number}")


_LOOKS_FOR = f"a CSV file, or a folder with {', '.join(WHOLE + PARTS)}"
FER2013 = Importer("fer2013", _LOOKS_FOR, (HEAD,), recognises, read)
