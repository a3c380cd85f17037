"""RAF-DB as its authors give it out: `basic/` with seven expressions and `compound/` with eleven."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...errors import DataError
from ...files import sha256
from ...labels import COMPOUND11
from ...records import Sample
from ...tasks import TASKS, Head
from .. import file_checks
from ..base import Importer, ImportLog
from ..labelling import BASIC
from . import files

LISTS = ("list_patition_label.txt", "list_partition_label.txt")  # the first is the official spelling
CODES = dict(zip("1234567", ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral"), strict=True))
COMPOUND_CODES = {str(code): label for code, label in enumerate(COMPOUND11.labels, 1)}


@dataclass(frozen=True)
class RafSubset:
    """Half of RAF-DB: its folder, the names in its list, its codes and heads, and the size of each split."""

    folder: str
    names: str
    codes: Mapping[str, str]
    heads: tuple[Head, ...]
    published: Mapping[str, int]

    def listed(self, root: Path) -> Path | None:
        """Return the list of this half in `root` or in its folder there, recognised by its first name."""
        return next((path for path in _lists(root, self.folder) if self.row(files.lines(path)[0])), None)

    def row(self, line: str) -> re.Match[str] | None:
        """Return a line of the list taken apart: name and code."""
        return re.fullmatch(rf"({self.names})(?:_aligned)?\.jpg\s+(\d+)", line.strip())

    def read(self, root: Path, log: ImportLog) -> Iterator[Callable[[], Sample]]:
        """Yield samples in the order of the list; the split is in their names. Raises DataError."""
        if not (path := self.listed(root)):
            for other in _lists(root, self.folder)[:1]:
                file_checks.read_start(other)
            needed = f"{self.folder}/EmoLabel/{LISTS[0]} with names of RAF-DB {self.folder}"
            raise DataError(f"{root}: no {needed}")
        base, lines = path.parent.parent, files.lines(path)
        log.inputs[path.relative_to(root).as_posix()], log.total = sha256(path), len(lines)
        log.notes.append(f"pictures from Image/{files.form(base)}")
        log.compare_counts([line.strip().partition("_")[0] for line in lines], self.published)
        seen: dict[str, int] = {}
        for number, line in enumerate(lines):
            where, found = f"{path}, row {number} (line {number + 1})", self.row(line)
            if not found or found[2] not in self.codes:
                needed = f"needed are a name and a label from 1 to {len(self.codes)}"
                log.reject(f"{where}: {file_checks.quoted(line)}, {needed}")
            elif seen.setdefault(found[1], number) != number:
                log.reject(f"{where}: {found[1]} again, first in row {seen[found[1]]}")
            else:
                targets = {head.name: self.codes[found[2]] for head in self.heads}
                yield partial(files.sample, root, base / found[1], targets, where)


def _lists(root: Path, folder: str) -> list[Path]:
    paths = [base / "EmoLabel" / name for base in (root / folder, root) for name in LISTS]
    return [path for path in paths if path.is_file()]


def _importer(name: str, part: RafSubset) -> Importer:
    looks_for = f"a folder with {part.folder}/EmoLabel/{LISTS[0]} and {part.folder}/Image"
    return Importer(name, looks_for, part.heads, lambda root: part.listed(root) is not None, part.read)


_BASIC = RafSubset("basic", r"train_\d{5}|test_\d{4}", CODES, BASIC, {"train": 12271, "test": 3068})
_COMPOUND_HEADS = TASKS["compound11"].heads
_COMPOUND = RafSubset("compound", r"train_\d{4}|test_\d{3}", COMPOUND_CODES, _COMPOUND_HEADS, {"test": 792})
RAFDB, RAFDB_COMPOUND = _importer("rafdb", _BASIC), _importer("rafdb-compound", _COMPOUND)
