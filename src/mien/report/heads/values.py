"""Heads of values: figures of each value, true against predicted, and the plane of the first two."""

import numpy as np

from ...render import blocks, plots
from ...render.blocks import Block, Cell, Plot, Plots, Section, Table
from ...render.text import format_metric, number, title
from ...tasks import Head
from ..results import HeadOutputs, HeadRecord
from .distributions import NO_PREDICTIONS, plane_of


def values(result: HeadRecord) -> Section:
    """The table of values, and plots where the run holds predictions."""
    table = _table(result)
    if result.outputs is None:
        return Section("Values", note=NO_PREDICTIONS, blocks=table)
    head, outputs = result.head, result.outputs
    drawn = [Plots(tuple(_against(head, outputs, column) for column in range(len(head))), look="square")]
    if len(head) > 1:
        planes = (plane_of(head, outputs.true, "raters"), plane_of(head, outputs.predicted, "model"))
        drawn.append(Plots(planes, look="square"))
    intro = blocks.text(
        f"{number(len(outputs.places))} annotated faces; the stronger the colour, the more of them. "
        "On the broken line model and raters agree."
    )
    return Section("Values", blocks=(*table, intro, *drawn))


def _table(result: HeadRecord) -> tuple[Block, ...]:
    if not result.per_column:
        return ()
    names = [name for name in result.per_column[0] if name not in ("label", "support")]
    rows = []
    for line in result.per_column:
        figures = (Cell(format_metric(line.get(name), name)) for name in names)
        rows.append((Cell(str(line["label"])), Cell(number(line["support"]), soft=True), *figures))
    return (Table("Figures per value", blocks.columns("Value", "Faces", *map(title, names)), tuple(rows)),)


def _against(head: Head, outputs: HeadOutputs, column: int) -> Plot:
    label, known = head.space.labels[column], np.isfinite(outputs.true[:, column])
    true, predicted = outputs.true[known, column], outputs.predicted[known, column]
    alt = f"{label}: predicted against true for {number(len(true))} faces; the broken line is agreement."
    return Plot(plots.agreement(f"against-{head.name}-{column}", label, true, predicted, head.bounds), alt)
