"""The comparison as one self-contained page."""

from collections.abc import Iterator, Sequence

from ..render.blocks import Block, Cell, Plots, Points, Section, Table, columns, key, text
from ..render.page import page
from ..render.text import title as metric_title
from . import figures
from .comparison import Comparison
from .differences import Difference
from .table import DASH, ComparisonTable, Quantity, Value, spread


def render(found: Comparison) -> str:
    """The whole page as HTML. Raises MissingExtraError without the extra `report`."""
    sections = [
        _summary(found),
        _speed(found),
        _differences(found),
        _curves(found),
        _every(found),
        _setup(found),
    ]
    names = [group.name for group in found.groups]
    name = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return page(name, tuple(section for section in sections if section), "comparison")


def _summary(found: Comparison) -> Section:
    good, *cost = found.summary.split_by_role()
    blocks: list[Block] = [_grid("How good", good)]
    if legend := found.summary.legend():
        blocks.append(key(legend + "."))
    blocks += [_grid("At what cost", table) for table in cost]
    if verdicts := found.verdicts():
        blocks.append(Points(tuple((sentence,) for sentence in verdicts)))
    return Section("Runs", blocks=tuple(blocks), note=" ".join(found.notes))


def _grid(name: str, table: ComparisonTable) -> Table:
    """The table with rows as rows."""
    rows = []
    for place, row in enumerate(table.rows):
        seeds = f"{row.seeds} seeds" if row.seeds > 1 else ""
        rows.append(
            (Cell(row.name, dot=figures.style(place).colour, under=seeds), *_cells(table, row.values))
        )
    return Table(name, columns("run", *(column.head for column in table.columns)), tuple(rows))


def _cells(table: ComparisonTable, values: Sequence[Value]) -> Iterator[Cell]:
    for place, (column, value) in enumerate(zip(table.columns, values, strict=True)):
        star = "\N{NO-BREAK SPACE}*" if value.clear else ""
        strong, under = table.is_best(place, value), spread(column, value)
        yield Cell(column.text(value.value) + star, strong=strong, under=under)


def _speed(found: Comparison) -> Section | None:
    across = ("faces_per_second", "macs", "training_seconds")
    drawn = [figures.pareto(found.table, cost, found.watched.key) for cost in across]
    small = key(
        "The broken line joins the runs that no other one beats in both. Upright strokes: 95 % intervals, or "
        "one standard deviation over seeds."
    )
    plots = tuple(plot for plot in drawn if plot)
    return Section("Good and fast", blocks=(Plots(plots), small)) if plots else None


def _differences(found: Comparison) -> Section | None:
    if len(found.groups) < 2:
        return None
    first, *others = found.groups
    quantities = {column.key: column for column in found.table.columns}
    rows = []
    for metric in found.metrics:
        quantity = quantities[metric.key]
        rows.append((Cell(quantity.head), *(_apart(quantity, d) for d in found.differences[metric.key][1:])))
    lead = text(
        f"The value of each run minus that of {first.title}, on the same faces (paired bootstrap). Bold: a "
        "difference of more than noise. Grey: within the noise, so another set of faces could reverse it."
    )
    small = key(
        "Under each figure its 95 % interval; p is McNemar's for the share of right top labels. Where there "
        "are several seeds the noise between seeds counts too. Each interval stands for itself: of twenty "
        "differences without any cause, about one looks like more than noise."
    )
    table = Table("Differences", columns("measure", *(group.name for group in others)), tuple(rows))
    return Section(f"Against {first.name}", blocks=(lead, table, small))


def _apart(column: Quantity, apart: Difference | None) -> Cell:
    if apart is None or apart.faces is None:
        return Cell(DASH, soft=True)
    value, low, high = (
        f"{'+' if side > 0 else ''}{column.text(side)}" for side in (apart.value, *apart.faces)
    )
    p = f", {apart.p_text}".replace("p ", "p\N{NO-BREAK SPACE}") if apart.p_text else ""
    return Cell(value, strong=apart.clear, soft=not apart.clear, under=f"[{low}, {high}]{p}")


def _curves(found: Comparison) -> Section | None:
    heads = {metric.head.name: metric for metric in reversed(found.metrics)}
    chosen = list(dict.fromkeys([found.watched, *reversed(heads.values())]))[:3]
    titles = {
        f"validation_{metric.head.name}_{metric.name}": f"{metric_title(metric.name)}, {metric.head.name}"
        for metric in chosen
    }
    if (
        len({tuple(head.loss for head in run.record.task) for group in found.groups for run in group.runs})
        == 1
    ):
        titles["validation_loss"] = "Validation loss"
    drawn = [figures.curves(found.groups, column, title) for column, title in titles.items()]
    plots = tuple(plot for plot in drawn if plot)
    small = key("On the validation faces, after each epoch. Every seed is a line of its own.")
    return Section("Learning curves", blocks=(Plots(plots), small)) if plots else None


def _every(found: Comparison) -> Section:
    """The whole table with rows and columns exchanged."""
    heads = columns("quantity", *(group.title for group in found.groups))
    lines = zip(*(_cells(found.table, row.values) for row in found.table.rows), strict=True)
    rows = ((Cell(column.head), *line) for column, line in zip(found.table.columns, lines, strict=True))
    return Section("Every figure", blocks=(Table("Every figure", heads, tuple(rows)),))


def _setup(found: Comparison) -> Section:
    record = found.groups[0].runs[0].record
    intervals, data = record.intervals, record.data
    points = (
        f"Faces: {len(record.rows):,} of the split {data.get('split', '')} of {data.get('store', '')}, the "
        f"same for all (SHA-256 {str(data.get('sha256', ''))[:12]}).",
        f"Intervals: 95 %, bootstrap with {intervals.get('draws', 1000):,} draws by "
        f"{intervals.get('unit', 'row')}; differences are drawn on the same faces for both.",
        "MACs: multiply-accumulates of convolutions, linear layers and matrix products for one face, from "
        "the ONNX graph. Size: bytes of model.onnx.",
        found.timing.describe() if found.timing else "Speed: not measured.",
    )
    return Section("How it was measured", blocks=(Points(tuple((point,) for point in points)),))
