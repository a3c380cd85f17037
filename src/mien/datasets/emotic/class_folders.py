"""EMOTIC as one folder per emotion: a picture that lies in several of them becomes one sample."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from ...files import sha256
from ...labels import EMOTIC26, EXPRESSION8
from ...records import Sample
from ..base import Importer, ImportLog
from ..picture_files import SPLIT_FOLDERS, LabelledPicture, listed, subfolders
from .people import TAGS, targets

#: A picture in folders of several splits goes to the first of these, so that what is scored on stays whole.
_PRECEDENCE = ("test", "validation", "train", "")


def recognises(root: Path) -> bool:
    """Recognise a folder with at least three emotions of EMOTIC alone (`Peace` …), also inside its splits."""
    names = {folder.name for _, folder in _classes(root)}
    return sum(name in EMOTIC26 and name not in EXPRESSION8 for name in names) >= 3


def _classes(root: Path) -> list[tuple[str, Path]]:
    """Return class folders with their split, '' where they lie in none."""
    found = [(SPLIT_FOLDERS.get(folder.name.lower(), ""), folder) for folder in subfolders(root)]
    inside = [(split, inner) for split, folder in found if split for inner in subfolders(folder)]
    return [(split, folder) for split, folder in found if not split] + inside


def read(root: Path, log: ImportLog) -> Iterator[Sample]:
    """Yield pictures of different content with all their emotions; their source is their first path."""
    files = _files(root, log)
    if not files:
        example = root / "Affection"
        raise DataError(f"{root}: no pictures in folders named after EMOTIC's emotions, such as {example}")
    copies = _by_content(files)
    shared = sum(len({file.split for file in group}) > 1 for group in copies)
    found = f"{len(files)} files are {len(copies)} pictures"
    log.notes.append(f"{found}: the same content is one, with all its tags")
    if shared:
        kept = "kept in test, else in validation"
        log.notes.append(f"{shared} pictures lie in folders of several splits; {kept}")
    log.total = len(copies)
    for group in copies:
        split = min((file.split for file in group), key=_PRECEDENCE.index)
        answers = targets([file.label for file in group], (None, None, None))
        source = group[0].path.relative_to(root).as_posix()
        yield Sample.of_image(group[0].path, answers, split, source, attributes={"files": str(len(group))})


def _by_content(files: list[LabelledPicture]) -> list[list[LabelledPicture]]:
    lengths = [file.path.stat().st_size for file in files]
    times = Counter(lengths)
    copies: defaultdict[str, list[LabelledPicture]] = defaultdict(list)
    for file, length in zip(files, lengths, strict=True):  # a file of a length of its own is no copy
        copies[sha256(file.path) if times[length] > 1 else str(file.path)].append(file)
    return list(copies.values())


def _files(root: Path, log: ImportLog) -> list[LabelledPicture]:
    found = []
    for split, folder in _classes(root):
        if folder.name in EMOTIC26:
            found += [LabelledPicture(path, split, folder.name) for path in listed(folder)]
        else:
            log.reject(f"{folder}: none of EMOTIC's 26 emotions, {len(listed(folder))} pictures inside")
    return found


LOOKS_FOR = "a folder for each emotion (Affection, Anger, …)"
EMOTIC_FOLDERS = Importer("emotic-folders", LOOKS_FOR, (TAGS,), recognises, read)
