"""`mien report`: one page on a run, and a PDF of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from .terminal import say


@dataclass
class Report:
    """Write a run's report: one HTML file with metrics, learning curves, confusion and sample faces; it needs
    no network."""

    run_folder: Positional[Path]
    """The run folder."""
    split: str = ""
    """The split to show in detail: train, validation or test (default: validation, else the first that was
    scored)."""
    data: Path | None = None
    """The store whose faces were evaluated (default: where the run says)."""
    out: Path | None = None
    """Where to write (default: report.html in the run folder)."""
    pdf: bool = False
    """Write a PDF of the same content beside the page too."""

    def run(self) -> None:
        """Write the report and say where it is."""
        from ..report import write_report

        path = write_report(self.run_folder, self.data, self.out, split=self.split, pdf_too=self.pdf)
        for written in (path, *([path.with_suffix(".pdf")] if self.pdf else [])):
            say(f"report: {written} ({written.stat().st_size / 1e6:.2f} MB)")
