"""`mien compare`: runs side by side."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

from ..choices import TableFormat
from .terminal import new_table, print_json, progress_bar, say

if TYPE_CHECKING:
    from ..compare import Comparison
    from ..compare.table import ComparisonTable, Value

_FOLDER = Path("comparison")
_WIDE = 120  # columns from which one table is readable


@dataclass
class Compare:
    """Compare runs evaluated on the same samples: metrics with intervals, cost, speed, and which differences
    are significant.

    The first run is the baseline of the others. Writes comparison.html, .csv, .md, .tex and .json into one
    folder.
    """

    runs: Positional[tuple[Path, ...]]
    """The run folders, or folders of evaluations on other data (on-STORE) in them."""
    split: str = "validation"
    """The split whose evaluations are compared: train, validation or test."""
    out: Path | None = None
    """The folder for the files (default: comparison here; none with --json or --format)."""
    metrics: tuple[str, ...] = ()
    """METRIC or HEAD.METRIC: what the narrow tables show, or all (default: the one watched and the first two
    of each head)."""
    seeds: bool = True
    """Put runs that differ only in the seed into one row, mean and standard deviation; --no-seeds shows each
    by itself."""
    speed: bool = True
    """Time the models on this machine; --no-speed skips it."""
    threads: int = 0
    """Cores that the models are timed on (0: all)."""
    format: TableFormat | None = None
    """Print the table in this form on stdout."""
    json: bool = False
    """Print one JSON object on stdout."""

    def run(self) -> None:
        """Compare, show the table, and write the files."""
        from ..compare import as_dict, compare, write
        from ..compare.table import FORMATS
        from ..metrics.distributions import spare_backends

        spare_backends()
        with progress_bar("timing the models") as progress:
            found = compare(
                self.runs, self.metrics, split=self.split, seeds=self.seeds, speed=self.speed,
                threads=self.threads, progress=progress,
            )  # fmt: skip
        folder = self.out or (None if self.json or self.format else _FOLDER)
        paths = write(found, folder) if folder else ()
        if self.json:
            return print_json(as_dict(found))
        if self.format:
            sys.stdout.write(FORMATS[self.format](found.table if self.format == "csv" else found.summary))
            return None
        _show(found)
        return say("\n".join(map(str, paths)))


def _show(found: Comparison) -> None:
    """The narrow table, what its marks mean, a verdict on each run, and what to be careful of."""
    from rich.console import Console

    console = Console(stderr=True)
    for table in (found.summary,) if console.width >= _WIDE else found.summary.split_by_role():
        console.print(_grid(table))
    for line in (found.summary.legend(), *found.verdicts(), *found.notes):
        say(line)
    if found.timing:
        say(found.timing.describe())


def _grid(table: ComparisonTable) -> Any:
    """Values with their intervals below them, which no column is too narrow for."""
    from rich.text import Text

    cells = [[_cell(table, row.values, place) for place in range(len(table.columns))] for row in table.rows]
    grid = new_table()
    grid.add_column("run")
    for column, own in zip(table.columns, zip(*cells, strict=True), strict=True):
        widest = max(cell.cell_len for text in own for cell in text.split())
        grid.add_column(column.head, justify="right", min_width=widest)
    for row, line in zip(table.rows, cells, strict=True):
        grid.add_row(Text(row.title), *line)
    return grid


def _cell(table: ComparisonTable, values: Sequence[Value], place: int) -> Any:
    from rich.text import Text

    from ..compare.table import spread

    column, value = table.columns[place], values[place]
    best = value.value is not None and value.value == table.best(place)
    cell = Text(column.text(value.value) + ("*" if value.clear else ""), "bold" if best else "")
    around = spread(column, value)
    return cell.append(f"\n{around}", "dim not bold") if around else cell
