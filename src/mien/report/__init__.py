"""The report: what a run left on disk, as one self-contained page."""

from __future__ import annotations

from pathlib import Path

from .. import files
from . import heads, learning, setup, summary
from .page import render
from .record import read


def write_report(run: Path, store: Path | None = None, out: Path | None = None) -> Path:
    """Write `report.html` into the run folder, or to `out`, and return its path.

    `store` holds the evaluated faces (default: where the run says). Raises ModelError for no run folder, StoreError for a
    `store` that does not hold those faces. What the run lacks is left out of the page, with a note.
    """
    record = read(run, store)
    sections = (summary.section(record), learning.section(record), *heads.sections(record), setup.section(record))
    path = out or run / "report.html"
    files.write_text(path, render(record, sections))
    return path
