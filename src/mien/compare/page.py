"""The comparison as one self-contained page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..render import text as words
from ..render.blocks import Block, Cell, Plots, Points, key, text
from ..render.blocks import Column as Head
from ..render.blocks import Table as Grid
from ..render.page import page
from ..render.section import Section
from . import figures
from .comparison import Comparison
from .differences import Difference
from .table import DASH, Column, Table, Value, spread


def render(found: Comparison) -> str:
    """The whole page as HTML. Raises MissingExtraError without the extra `report`."""
    sections = [_summary(found), _speed(found), _differences(found), _curves(found), _every(found), _setup(found)]
    names = [entry.name for entry in found.entries]
    name = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return page(name, tuple(section for section in sections if section), "comparison")


def _summary(found: Comparison) -> Section:
    good, *cost = found.summary.halves()
    blocks: list[Block] = [_grid("How good", good)]
    if legend := found.summary.legend():
        blocks.append(key(legend + "."))
    blocks += [_grid("At what cost", table) for table in cost]
    if said := found.verdicts():
        blocks.append(Points(tuple((sentence,) for sentence in said)))
    return Section("Runs", blocks=tuple(blocks), note=" ".join(found.notes))


def _grid(name: str, table: Table) -> Grid:
    """The table with rows as rows."""
    heads = (Head("run"), *(Head(column.head, "n") for column in table.columns))
    rows = []
    for place, row in enumerate(table.rows):
        first = Cell(row.name, dot=figures.look(place).colour, under=f"{row.seeds} seeds" if row.seeds > 1 else "")
        rows.append((first, *_cells(table, row.values)))
    return Grid(name, heads, tuple(rows))


def _cells(table: Table, values: Sequence[Value]) -> Iterator[Cell]:
    for place, (column, value) in enumerate(zip(table.columns, values, strict=True)):
        star = "\N{NO-BREAK SPACE}*" if value.clear else ""
        best = value.value is not None and value.value == table.best(place)
        yield Cell(column.text(value.value) + star, strong=best, under=spread(column, value))


def _speed(found: Comparison) -> Section | None:
    across = ("faces_per_second", "macs", "training_seconds")
    drawn = [figures.pareto(found.table, cost, found.watched.key) for cost in across]
    there = tuple(plot for plot in drawn if plot)
    if not there:
        return None
    words_ = "The broken line joins the runs that no other one beats in both. Upright strokes: 95 % intervals, or one standard "
    return Section("Good and fast", blocks=(Plots(there), key(words_ + "deviation over seeds.")))


def _differences(found: Comparison) -> Section | None:
    if len(found.entries) < 2:
        return None
    first = found.entries[0]
    heads = (Head("measure"), *(Head(entry.name, "n") for entry in found.entries[1:]))
    columns = {column.key: column for column in found.table.columns}
    rows = tuple(
        (Cell(columns[one.key].head), *(_apart(columns[one.key], d) for d in found.differences[one.key][1:]))
        for one in found.measured
    )
    lead = text(
        f"What lies between each run and {first.title}, its value minus that of {first.name}, on the very same faces "
        "(paired bootstrap). Bold: more than noise. Grey: inside the noise, so another set of faces could turn it."
    )
    small = key(
        "Under each figure its 95 % interval; p is McNemar's for the share of right top labels. Where there are several seeds "
        "the noise between seeds counts too. Each interval stands for itself: of twenty differences without any cause, about "
        "one looks like more than noise."
    )
    return Section(f"Against {first.name}", blocks=(lead, Grid("Differences", heads, rows), small))


def _apart(column: Column, apart: Difference | None) -> Cell:
    if apart is None or apart.faces is None:
        return Cell(DASH, soft=True)
    low, high = (_signed(column, side) for side in apart.faces)
    p = "" if apart.p is None else f", p\N{NO-BREAK SPACE}{'< 0.001' if apart.p < 0.001 else f'= {apart.p:.3f}'}"
    return Cell(_signed(column, apart.value), strong=apart.clear, soft=not apart.clear, under=f"[{low}, {high}]{p}")


def _signed(column: Column, value: float) -> str:
    return f"{'+' if value > 0 else ''}{column.text(value)}"


def _curves(found: Comparison) -> Section | None:
    firsts = {one.head.name: one for one in reversed(found.measured)}
    chosen = list(dict.fromkeys([found.watched, *reversed(firsts.values())]))[:3]
    titles = {
        f"validation_{one.head.name}_{one.metric}": f"{words.title(one.metric)}, {one.head.name}" for one in chosen
    }
    if len({tuple(head.loss for head in run.record.task) for entry in found.entries for run in entry.runs}) == 1:
        titles["validation_loss"] = "Validation loss"
    drawn = [figures.curves(found.entries, column, title) for column, title in titles.items()]
    there = tuple(plot for plot in drawn if plot)
    small = key("On the validation faces, after each epoch. Every seed is a line of its own.")
    return Section("Learning curves", blocks=(Plots(there), small)) if there else None


def _every(found: Comparison) -> Section:
    """The whole table with rows and columns exchanged."""
    table = found.table
    heads = (Head("quantity"), *(Head(entry.title, "n") for entry in found.entries))
    cells = [list(_cells(table, row.values)) for row in table.rows]
    rows = tuple((Cell(column.head), *(line[place] for line in cells)) for place, column in enumerate(table.columns))
    return Section("Every figure", blocks=(Grid("Every figure", heads, rows),))


def _setup(found: Comparison) -> Section:
    record = found.entries[0].runs[0].record
    said = record.intervals
    points = (
        f"Faces: {len(record.rows):,} of the split {record.data.get('split', '')} of {record.data.get('store', '')}, the same "
        f"for all (SHA-256 {str(record.data.get('sha256', ''))[:12]}).",
        f"Intervals: 95 %, bootstrap with {said.get('draws', 1000):,} draws by {said.get('unit', 'row')}; differences are drawn "
        "on the same faces for both.",
        "MACs: multiply-accumulates of convolutions, linear layers and matrix products for one face, from the ONNX graph. Size: "
        "bytes of model.onnx.",
        found.timing.words() if found.timing else "Speed: not measured.",
    )
    return Section("How it was measured", blocks=(Points(tuple((point,) for point in points)),))
