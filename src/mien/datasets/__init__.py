"""Data sets as people have them on disk, and the one way from there into a store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .. import store
from ..errors import DataError, lookup
from .base import Importer, Journal
from .fer2013 import FER2013
from .fer2013_folders import FER2013_FOLDERS
from .ferplus import FERPLUS
from .ferplus_folders import FERPLUS_FOLDERS
from .ferplus_rules import RULES

__all__ = ["IMPORTERS", "Importer", "Journal", "detect", "import_dataset"]

#: Layouts by name. `--layout auto` takes the first that recognises its source.
IMPORTERS: dict[str, Importer] = {
    "ferplus": FERPLUS,
    "ferplus-folders": FERPLUS_FOLDERS,
    "fer2013": FER2013,
    "fer2013-folders": FER2013_FOLDERS,
}


def detect(source: Path) -> Importer:
    """The importer of a file or folder, by looking. Raises DataError that lists what was looked for."""
    if not source.exists():
        raise DataError(f"{source}: no such file or folder")
    for importer in IMPORTERS.values():
        if importer.recognises(source):
            return importer
    wanted = "; ".join(f"{importer.name}: {importer.looks_for}" for importer in IMPORTERS.values())
    raise DataError(f"{source}: no layout that is known here. Looked for {wanted}")


def import_dataset(
    source: Path,
    out: Path,
    layout: str = "auto",
    *,
    votes: str = "raw",
    skip_bad: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> store.Store:
    """Read a data set in any known layout into a store, whole or not at all.

    `votes` names the rule that makes FER+ votes a distribution; `progress(done, total)` is called while reading. Raises
    DataError naming file and row at the first fault, or with `skip_bad` leaves it out and lists it in `meta["left_out"]`.
    """
    importer = detect(source) if layout == "auto" else lookup(IMPORTERS, layout, "layout")
    lookup(RULES, votes, "rule for --votes")
    if not source.exists():
        raise DataError(f"{source}: no such file or folder")
    if source.resolve() == out.resolve():
        raise DataError(f"{out}: is the data set itself; give another file for the store")
    journal = Journal(skip_bad, {"votes": votes}, progress)
    heads = importer.heads_of(source, journal)
    options = {"votes": votes} if "distribution8" in {head.name for head in heads} else {}
    origin = store.Origin(importer.name, importer.version, journal.inputs, options, journal.left_out, journal.notes)
    return store.write(out, importer.read(source, journal), heads, origin)
