"""Results as files, written frame by frame. `docs/reference/prediction-format.md`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...errors import ConfigError, lookup
from ...predict.results import ModelOrigin
from .compat import DeepFace, Fer, OpenFace, PyFeat
from .document import Document
from .parquet import Parquet
from .text_rows import json_lines, table
from .writer import Writer

FORMATS: dict[str, Callable[[Path, ModelOrigin], Writer]] = {
    "json": Document,
    "jsonl": json_lines,
    "csv": table,
    "parquet": Parquet,
    "deepface": DeepFace,
    "fer": Fer,
    "openface": OpenFace,
    "pyfeat": PyFeat,
}
#: The formats that go on where an earlier run stopped.
RESUMED = ("jsonl", "csv", "parquet")


def named(path: Path, form: str | None = None) -> str:
    """Return the format's name: `form`, else the path's suffix. Raises ConfigError, also for a folder."""
    if path.is_dir():
        raise ConfigError(f"{path}: a folder, results go into a file")
    name = form or path.suffix.lower().removeprefix(".")
    known = FORMATS if form else {own: FORMATS[own] for own in ("json", *RESUMED)}
    lookup(known, name, "format of results" if form else f"format of results in {path}:")
    return name


def open_writer(path: Path, origin: ModelOrigin, form: str | None = None, overwrite: bool = False) -> Writer:
    """Open a writer that continues an earlier run's file unless `overwrite`. Raises ConfigError, OSError."""
    name = named(path, form)
    if overwrite and name in RESUMED:
        path.unlink(missing_ok=True)
    return FORMATS[name](path, origin)
