"""The report: what a run left on disk, as one self-contained page, and as a PDF of the same sections."""

from pathlib import Path

from .. import files
from ..errors import ModelError
from ..render import pdf
from ..render.blocks import Section
from ..render.page import page
from . import data_card, learning, model_card, reproduce, summary
from .heads import by_kind
from .record import RunRecord, read


def write_report(
    run: Path, store: Path | None = None, out: Path | None = None, *, split: str = "", pdf_too: bool = False
) -> Path:
    """Write `report.html` into the run folder, or to `out`, and return its path; `pdf_too` writes a PDF
    beside it.

    Figures are shown of every split that was scored, details of `split` (default: validation, else the first
    scored). `store` holds the evaluated samples (default: where the run says). Raises ModelError for no run
    folder, damaged results or a split that was not scored, StoreError for a `store` that does not hold those
    samples. What the run lacks is left out of the page, with a note.
    """
    record = read(run, store, split)
    tree = sections(record)
    path = out or run / "report.html"
    files.write_text(path, page(record.name, tree, shares=summary.shares(record)))
    if pdf_too:
        pdf.write(path.with_suffix(".pdf"), record.name, tree, summary.shares(record))
    return path


def sections(record: RunRecord) -> tuple[Section, ...]:
    """The whole report as a tree. Raises ModelError for results that do not hold what they should."""
    try:
        return (
            summary.section(record),
            data_card.section(record),
            learning.section(record),
            *by_kind.sections(record),
            model_card.section(record),
            reproduce.section(record),
        )
    # Figures are read where they are shown.
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ModelError(f"{record.file}: damaged: {error!r}") from error
