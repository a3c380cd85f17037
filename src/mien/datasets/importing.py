"""The importers by name, how one is found, and `import_dataset`."""

from pathlib import Path

from .. import store
from ..errors import DataError, lookup
from ..progress import Progress, silent
from .affectnet.csv_release import AFFECTNET_CSV
from .affectnet.prob_rank import PROB_RANK
from .affectnet.release import AFFECTNET
from .base import Importer, ImportLog
from .ckplus import CK48
from .emotic.arrays import EMOTIC_ARRAYS
from .emotic.class_folders import EMOTIC_FOLDERS
from .emotic.mat2py import EMOTIC_CSV
from .emotic.release import EMOTIC
from .fer2013.class_folders import FER2013_FOLDERS
from .fer2013.csv_release import FER2013
from .fer2013.ferplus import FERPLUS
from .fer2013.ferplus_folders import FERPLUS_FOLDERS
from .fer2013.ferplus_rules import RULES
from .jaffe import JAFFE
from .loading import write_items
from .plain.class_folders import FOLDERS
from .plain.table import TABLE
from .rafdb.class_folders import RAFDB_FOLDERS
from .rafdb.release import RAFDB, RAFDB_COMPOUND

#: Layouts by name. `--layout auto` takes the first that recognises its source.
IMPORTERS: dict[str, Importer] = {
    "emotic": EMOTIC,
    "emotic-csv": EMOTIC_CSV,
    "emotic-arrays": EMOTIC_ARRAYS,
    "emotic-folders": EMOTIC_FOLDERS,
    "prob-rank": PROB_RANK,  # before affectnet, whose files lie beside its own
    "affectnet": AFFECTNET,
    "affectnet-csv": AFFECTNET_CSV,
    "rafdb": RAFDB,
    "rafdb-compound": RAFDB_COMPOUND,
    "rafdb-folders": RAFDB_FOLDERS,
    "ck48": CK48,
    "jaffe": JAFFE,
    "ferplus": FERPLUS,
    "ferplus-folders": FERPLUS_FOLDERS,
    "table": TABLE,  # before fer2013, which takes any other CSV file
    "fer2013": FER2013,
    "fer2013-folders": FER2013_FOLDERS,
    "folders": FOLDERS,
}


def detect(source: Path) -> Importer:
    """Find the importer that recognises a file or folder. Raises DataError that lists what was looked for."""
    if not source.exists():
        raise DataError(f"{source}: no such file or folder")
    for importer in IMPORTERS.values():
        if importer.recognises(source):
            return importer
    layouts = "; ".join(f"{importer.name}: {importer.looks_for}" for importer in IMPORTERS.values())
    raise DataError(f"{source}: no layout that is known here. Looked for {layouts}")


def import_dataset(
    source: Path,
    out: Path,
    layout: str = "auto",
    *,
    votes: str = "raw",
    labels: str = "",
    splitting: store.Splitting | None = None,
    skip_bad: bool = False,
    progress: Progress = silent,
) -> store.Store:
    """Read a data set in any known layout into a store, whole or not at all.

    `votes` names the rule that makes FER+ votes a distribution; `labels` declares the classes where the files
    do not (names with commas between, or a label space's name); `splitting` is how splits that the data set
    lacks are chosen; `progress(done, total)` is called while reading. Raises DataError naming file and row at
    the first fault, or with `skip_bad` leaves it out and lists it in `meta["left_out"]`.
    """
    importer = detect(source) if layout == "auto" else lookup(IMPORTERS, layout, "layout")
    lookup(RULES, votes, "rule for --votes")
    if not source.exists():
        raise DataError(f"{source}: no such file or folder")
    if source.resolve() == out.resolve():
        raise DataError(f"{out}: is the data set itself; give another file for the store")
    options = {"votes": votes} | ({"labels": labels} if labels else {})
    log = ImportLog(str(source.resolve()), skip_bad, options, progress)
    heads = importer.heads_of(source, log)
    if "distribution8" not in {head.name for head in heads}:
        options = {key: value for key, value in options.items() if key != "votes"}
    origin = store.Origin(
        importer.name, importer.version, log.inputs, options, log.left_out, log.notes,
        splitting or store.Splitting(),
    )  # fmt: skip
    return write_items(out, importer.read(source, log), heads, origin, log)
