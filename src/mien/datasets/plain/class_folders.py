"""Class folders that a user made: `<class>/…` or `train|validation|test/<class>/…`, pictures at any depth."""

from collections.abc import Iterator
from pathlib import Path

from ...errors import DataError
from ...files import natural
from ...labels import canonical
from ...records import Sample
from ...tasks import Head
from ..base import Importer, ImportLog
from ..labelling import SPLITS, Labelling, is_known, labelling
from ..picture_files import listed, subfolders, within


def recognises(root: Path) -> bool:
    """Recognise at least two class folders named after emotions; others need --layout folders."""
    named = [folder for _, folder in _classes(root) if is_known(folder.name)]
    return len({canonical(folder.name) for folder in named if any(within(folder))}) > 1


def _classes(root: Path) -> list[tuple[str, Path]]:
    """Return the class folders, each with the name of its split ('' where there are none)."""
    inner = subfolders(root)
    splits = [folder for folder in inner if folder.name.lower() in SPLITS]
    if not splits:
        return [("", folder) for folder in inner]
    return [(SPLITS[split.name.lower()], folder) for split in splits for folder in subfolders(split)]


def _labelling(root: Path, log: ImportLog) -> Labelling:
    names = sorted({folder.name for _, folder in _classes(root) if any(within(folder))})
    return labelling(names, log.options, root)


def heads(root: Path, log: ImportLog) -> tuple[Head, ...]:
    """Return the heads for the names of the class folders; notes what was decided. Raises ConfigError."""
    understood = _labelling(root, log)
    log.notes += [understood.note] * bool(understood.note)
    return understood.heads


def read(root: Path, log: ImportLog) -> Iterator[Sample]:
    """Yield samples by split, class and name; their source is the path below `root`. Raises DataError."""
    understood = _labelling(root, log)
    found = [(split, folder, sorted(within(folder), key=natural)) for split, folder in _classes(root)]
    if not any(files for *_, files in found):
        examples = f"{root / 'happy'} or {root / 'train' / 'happy'}"
        raise DataError(f"{root}: no pictures in class folders such as {examples}")
    _outside(root, log)
    log.total = sum(len(files) for *_, files in found)
    for split, folder, files in found:
        try:
            targets = understood.targets(folder.name) if files else {}
        except DataError as error:
            log.reject(f"{folder}: {error} ({len(files)} pictures inside)")
            continue
        for path in files:
            yield Sample.of_image(path, targets, split, path.relative_to(root).as_posix())


def _outside(root: Path, log: ImportLog) -> None:
    splits = {folder.parent for split, folder in _classes(root) if split}
    for folder in sorted({root, *splits}):
        if files := listed(folder):
            log.reject(f"{folder}: {len(files)} pictures in no class folder, such as {files[0].name}")
    for folder in subfolders(root) if splits else []:
        if folder.name.lower() not in SPLITS and (files := sorted(within(folder), key=natural)):
            log.reject(f"{folder}: {len(files)} pictures in no split (allowed are {', '.join(SPLITS)})")


_LOOKS_FOR = "[train|validation|test/]<class>/… named after emotions (other names: --layout folders)"
FOLDERS = Importer("folders", _LOOKS_FOR, heads, recognises, read)
