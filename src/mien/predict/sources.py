"""Where pictures come from: files, folders and patterns, in the order a person would list them."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from ..errors import InputError
from ..files import natural
from ..pictures import SUFFIXES

#: What `mien predict` writes beside others' pictures; a folder's own results are not predicted on again.
RESULT = ".mien"


def expand(inputs: Iterable[str | Path]) -> tuple[list[Path], list[InputError]]:
    """The picture files that `inputs` (files, folders, patterns like 'a/*.jpg') name, each once, and what named none.

    Folders are searched through all their levels; hidden files and earlier results (`*.mien.png`) are passed over.
    """
    found: dict[Path, None] = {}
    missing: list[InputError] = []
    for given in inputs:
        try:
            found.update(dict.fromkeys(_files(str(given))))
        except InputError as error:
            missing.append(error)
    return list(found), missing


def _files(given: str) -> list[Path]:
    path = Path(given)
    if path.is_dir():
        inside = sorted(filter(_wanted, path.rglob("*")), key=natural)
        if not inside:
            raise InputError(f"{given}: a folder without pictures (looked for {', '.join(sorted(SUFFIXES))})")
        return inside
    if path.exists() or not glob.has_magic(given):
        return [path]
    names = glob.glob(given, recursive=True)  # noqa: PTH207  (Path.glob refuses absolute patterns)
    matching = sorted((Path(name) for name in names if Path(name).is_file()), key=natural)
    if not matching:
        raise InputError(f"{given}: no file matches")
    return matching


def _wanted(path: Path) -> bool:
    hidden = path.name.startswith(".")
    return path.suffix.lower() in SUFFIXES and not hidden and not path.stem.endswith(RESULT) and path.is_file()
