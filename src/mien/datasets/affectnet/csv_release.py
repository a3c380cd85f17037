"""AffectNet as first released: three CSV lists over folders of pictures."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ...errors import DataError
from ...files import sha256
from ...records import Sample
from ..base import Importer, ImportLog, PendingSample
from .files import HEADS, NO_TEST, within
from .rows import ListRow, image_folder, is_list, rows

AUTOMATIC = "automatically_annotated.csv"
TABLES = {"training.csv": "train", "validation.csv": "validation", AUTOMATIC: "train"}


def recognises(root: Path) -> bool:
    """Recognise a folder with one of the three lists, at most two folders down."""
    return any(path.parent.name.lower().endswith("_file_lists") or is_list(path) for path in tables(root))


def tables(root: Path) -> list[Path]:
    """Return the lists in a folder or in those below; of each name the first."""
    folders = list(within(root))
    by_name = [[path for folder in folders if (path := Path(folder, name)).is_file()] for name in TABLES]
    return [paths[0] for paths in by_name if paths]


def read(root: Path, log: ImportLog) -> Iterator[PendingSample]:
    """Yield samples by row; their source is the path below `root`, or `file:row` for a repeated picture."""
    found = tables(root)
    if not found:
        raise DataError(f"{root}: none of {', '.join(TABLES)} is here")
    log.notes.append(f"{NO_TEST}; validation.csv is the split 'validation'")
    for path in found:
        log.inputs[path.relative_to(root).as_posix()] = sha256(path)
        with path.open("rb") as file:
            log.total += sum(1 for _ in file)
    seen: set[int] = set()
    for path in found:
        yield from _items(path, root, seen, log)


def _items(path: Path, root: Path, seen: set[int], log: ImportLog) -> Iterator[PendingSample]:
    try:
        folder, below = image_folder(path, root)
    except DataError as error:
        log.reject(str(error))
        return
    count: Counter[str] = Counter()
    for row in rows(path, log):
        source = Path(below, row.picture).as_posix()
        again = hash(source) in seen
        seen.add(hash(source))
        count["say nothing usable (no class, no affect): left out"] += not row.targets
        count["have a box without an area: box left out"] += not row.box and bool(row.targets)
        count["name a picture again: known by file:row"] += again
        yield partial(_sample, row, folder, path.name, f"{path.name}:{row.number}" if again else source)
    log.notes.extend(f"{path.name}: {rows} rows {what}" for what, rows in count.items() if rows)


def _sample(row: ListRow, folder: Path, table: str, source: str) -> Sample | None:
    if not row.targets:
        return None
    path = folder / row.picture
    spelled = (path, *(path.with_suffix(suffix) for suffix in (path.suffix.lower(), path.suffix.upper())))
    image = next(filter(Path.is_file, spelled), None)
    if not image:
        raise DataError(f"{row.where}: no picture {path}")
    by = {"annotation": "automatic"} if table == AUTOMATIC else {}
    split, points = TABLES[table], row.points()
    return Sample.of_image(image, row.targets, split, source, row.box, landmarks=points, attributes=by)


_LOOKS_FOR = f"a folder with {', '.join(TABLES)} and the pictures"
AFFECTNET_CSV = Importer("affectnet-csv", _LOOKS_FOR, HEADS, recognises, read)
