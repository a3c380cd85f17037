"""Heads of values: figures of each value, true against predicted, and the plane of the first two."""

from typing import Any

import numpy as np

from ...render import blocks, plots
from ...render.blocks import Block, Cell, Column, Plot, Plots, Section, Table
from ...render.plots import STAND_IN
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
    columns = (Column("Value"), Column("Faces", "n"), *(Column(title(name), "n") for name in names))
    rows = tuple(
        (
            Cell(str(line["label"])),
            Cell(number(line["support"]), soft=True),
            *(Cell(format_metric(line.get(name), name)) for name in names),
        )
        for line in result.per_column
    )
    return (Table("Figures per value", columns, rows),)


def _against(head: Head, outputs: HeadOutputs, column: int) -> Plot:
    label, (low, high) = head.space.labels[column], head.bounds
    known = np.isfinite(outputs.true[:, column])
    true, predicted = outputs.true[known, column], outputs.predicted[known, column]

    def draw(axes: Any) -> None:
        plots.density(axes, true, predicted, (low, high, low, high))
        axes.plot([low, high], [low, high], color=STAND_IN["muted"], linewidth=1, linestyle=(0, (4, 3)))
        axes.set(title=label, xlabel="raters", ylabel="model", aspect="equal")

    alt = f"{label}: predicted against true for {number(int(known.sum()))} faces; the broken line is agreement."
    return Plot(plots.svg(f"against-{head.name}-{column}", draw, (3.6, 3.6)), alt)
