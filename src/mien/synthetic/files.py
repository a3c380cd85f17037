"""Drawn faces on disk: as a store, or as a folder in the layout of a real data set."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .. import store
from ..errors import ConfigError, lookup
from ..files import part_path
from ..records import Sample
from .faces import samples
from .layouts import affectnet, emotic, small_sets
from .scene import scenes
from .truth import HEADS

#: Changes whenever the same seed draws other pixels or has another truth.
VERSION = "2"
#: The side of a picture in the real data sets, by how a layout's name begins; scenes are this high.
SIZES = {"fer": 48, "affectnet": 224, "emotic": 240, "raf": 100, "ck": 48, "jaffe": 256}
_USUAL = 224

#: Writes drawn samples (uint8 RGB, with targets for HEADS) into an empty folder, as a data set has them.
Writer = Callable[[Path, Iterable[Sample]], None]

#: The layouts that are written, by the name of the importer that reads them.
LAYOUTS: dict[str, Writer] = {
    "emotic": emotic.write_mat, "emotic-csv": emotic.write_csv, "emotic-arrays": emotic.write_arrays,
    "emotic-folders": emotic.write_folders, "prob-rank": affectnet.prob_rank,
    "affectnet": affectnet.affectnet, "affectnet-csv": affectnet.affectnet_csv,
    "rafdb": small_sets.rafdb, "rafdb-compound": small_sets.rafdb_compound,
    "rafdb-folders": small_sets.rafdb_folders, "ck48": small_sets.ck48, "jaffe": small_sets.jaffe,
    "fer2013": small_sets.fer2013, "table": small_sets.table, "folders": small_sets.folders,
}  # fmt: skip


def write_store(
    out: Path, count: int, size: int = 48, seed: int = 0, colour: str = "grey", *, candid: bool = False
) -> store.Store:
    """Draw `count` faces into a store with all of HEADS. Raises ConfigError."""
    options = {"count": count, "size": size, "seed": seed, "colour": colour, "candid": candid}
    origin = store.Origin("sketch", VERSION, options=options)
    return store.write(out, samples(count, size, seed, colour, candid=candid), HEADS, origin)


def write_scenes(
    out: Path, count: int, size: int = 240, seed: int = 0, *, candid: bool = False
) -> store.Store:  # fmt: skip
    """Draw `count` pictures of several people into a store, one row a person. Raises ConfigError."""
    options = {"count": count, "size": size, "seed": seed, "candid": candid}
    origin = store.Origin("sketch-scenes", VERSION, options=options)
    return store.write(out, scenes(count, size, seed, candid=candid), HEADS, origin)


def write_folder(out: Path, layout: str, count: int, size: int | None = None, seed: int = 0) -> None:
    """Draw `count` pictures as a data set of that layout on disk, whole or not at all; scenes for `emotic`.

    `size` is by default that of the real pictures. Raises ConfigError, also where `out` is not empty.
    """
    write = lookup(LAYOUTS, layout, "layout to draw")
    beginning = next((name for name in SIZES if layout.startswith(name)), "")
    size = size or SIZES.get(beginning, _USUAL)
    drawn = scenes(count, size, seed) if beginning == "emotic" else samples(count, size, seed, "rgb")
    with _new_folder(out) as part:
        write(part, drawn)


@contextmanager
def _new_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder that replaces `path` when the block ends well and vanishes when it does not."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ConfigError(f"{path}: is there already; give a new or an empty folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_path(path)
    part.mkdir()
    try:
        yield part
        if path.exists():
            path.rmdir()
        part.rename(path)
    finally:
        shutil.rmtree(part, ignore_errors=True)
