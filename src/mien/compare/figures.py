"""Plots of a comparison: how good over how costly, and the learning curves of all runs together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..palette import EMOTIONS
from ..render import plots
from ..render.blocks import Plot
from ..render.plots import STAND_IN
from .runs import RunGroup
from .table import ComparisonTable, Quantity, Value

_HUES = ("sad", "angry", "disgust", "fear", "happy", "contempt", "surprise", "quiet", "neutral")
_DASHES = ("-", "--", ":", "-.")
_MARKS = ("o", "s", "^", "D", "v", "P", "X")
_GAP = 0.062  # between labels, as a share of the height


@dataclass(frozen=True)
class Style:
    """How a row is drawn; no two of the first 36 are alike in colour and dash."""

    colour: str
    dash: str
    mark: str


def style(place: int) -> Style:
    """The look of a row by its place in the table."""
    around = place // len(_HUES)
    return Style(
        EMOTIONS[_HUES[place % len(_HUES)]], _DASHES[around % len(_DASHES)], _MARKS[place % len(_MARKS)]
    )


@dataclass(frozen=True)
class PlottedRun:
    """A row in a plot: where it lies, how far up and down its noise goes, and its place in the table."""

    name: str
    x: float
    y: float
    low: float
    high: float
    place: int


def points(table: ComparisonTable, across: str, up: str) -> list[PlottedRun]:
    """The rows that have both quantities, as people read them."""
    places = {column.key: place for place, column in enumerate(table.columns)}
    if not {across, up} <= places.keys():
        return []
    x, y = table.columns[places[across]], table.columns[places[up]]
    found = []
    for place, row in enumerate(table.rows):
        cost, middle, low, high = row.values[places[across]].value, *_ends(y, row.values[places[up]])
        if cost and math.isfinite(middle):
            found.append(PlottedRun(row.name, cost * x.scale, middle, low, high, place))
    return found


def _ends(column: Quantity, value: Value) -> tuple[float, float, float]:
    """A value with the ends of its interval or one standard deviation around it, scaled; NaN for none."""
    middle = math.nan if value.value is None else value.value
    low, high = value.interval or (middle - (value.sd or 0), middle + (value.sd or 0))
    return middle * column.scale, low * column.scale, high * column.scale


def front(found: Sequence[PlottedRun], more: bool, up: bool) -> list[PlottedRun]:
    """The points that no other beats in both, from left to right: `more` where a larger x is better, `up`
    y."""
    ordered = sorted(found, key=lambda point: (-point.x if more else point.x, -point.y if up else point.y))
    kept: list[PlottedRun] = []
    for point in ordered:
        if not kept or (point.y > kept[-1].y if up else point.y < kept[-1].y):
            kept.append(point)
    return sorted(kept, key=lambda point: point.x)


def pareto(table: ComparisonTable, across: str, up: str) -> Plot | None:
    """One metric over one cost, with noise and the front; None with fewer than two points."""
    found = points(table, across, up)
    if len(found) < 2:
        return None
    x, y = (next(column for column in table.columns if column.key == key) for key in (across, up))
    cost = x.title.partition(",")[0]
    best = front(found, bool(x.up), bool(y.up))

    def draw(axes: Any) -> None:
        ends = [point.x for point in best], [point.y for point in best]
        axes.plot(*ends, color=STAND_IN["muted"], linewidth=1, dashes=(4, 3))
        for point in found:
            look = style(point.place)
            axes.plot([point.x, point.x], [point.low, point.high], color=look.colour, linewidth=1.2)
            axes.plot(point.x, point.y, look.mark, color=look.colour, markersize=7)
        axes.set(title=f"{y.head} over {cost}", xlabel=x.title, ylabel=y.title)
        _scale(axes, [point.x for point in found])
        _names(axes, found)

    names = ", ".join(point.name for point in best)
    alt = f"{y.title} over {cost} of {len(found)} runs; none beats {names} in both."
    return Plot(plots.svg(f"pareto-{across}", draw, (5.2, 3.6)), alt)


def _scale(axes: Any, across: Sequence[float]) -> None:
    """Room for names on the right; a logarithmic axis with plain numbers where the costs lie far apart."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = min(across), max(across)
    if high < 4 * low:
        wide = max(high - low, 0.1 * high)
        axes.set_xlim(low - 0.12 * wide, high + 0.45 * wide)
        return
    wide = high / low
    axes.set_xscale("log")
    axes.set_xlim(low / wide**0.12, high * wide**0.45)
    axes.xaxis.set_major_locator(LogLocator(10, (1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _names(axes: Any, found: Sequence[PlottedRun]) -> None:
    """The name of each point beside it, moved up or down where two would lie on each other."""
    low, high = axes.get_ylim()
    heights = spread([(point.y - low) / (high - low) for point in found])
    options = {"textcoords": "offset points", "va": "center", "fontsize": 9, "color": STAND_IN["ink"]}
    for point, height in zip(found, heights, strict=True):
        shift = (height - (point.y - low) / (high - low)) * axes.bbox.height * 72 / axes.figure.dpi
        axes.annotate(point.name, (point.x, point.y), xytext=(8, shift), **options)


def spread(heights: Sequence[float]) -> list[float]:
    """Heights (shares of the axis) moved apart until neighbours keep their distance, in the order given."""
    order = np.argsort(heights, kind="stable")
    moved = np.asarray(heights, np.float64)[order]
    for _ in range(100):
        gaps = np.maximum(_GAP - np.diff(moved), 0) / 2
        if not (gaps > 1e-6).any():
            break
        moved[1:] += gaps
        moved[:-1] -= gaps
    back = np.empty(len(moved))
    back[order] = moved
    return [float(point) for point in back]


def curves(groups: Sequence[RunGroup], column: str, title: str) -> Plot | None:
    """One column of history.csv over epochs, every seed a line; None where fewer than two runs have it."""
    lines = [
        (place, history.epochs, history.columns[column])
        for place, group in enumerate(groups)
        for run in group.runs
        if (history := run.record.history) and history.has(column)
    ]
    if len(lines) < 2:
        return None

    def draw(axes: Any) -> None:
        for place, epochs, values in lines:
            look, mark = style(place), "o" if len(epochs) == 1 else ""
            axes.plot(epochs, values, color=look.colour, linestyle=look.dash, marker=mark, linewidth=1.5)
        for place, group in enumerate(groups):
            axes.plot([], [], color=style(place).colour, linestyle=style(place).dash, label=group.title)
        plots.axes_of_epochs(axes, title)
        axes.legend(fontsize=8.5)

    ends = ", ".join(f"{groups[place].name} ends at {values[-1]:.3g}" for place, _, values in lines)
    return Plot(plots.svg(f"curves-{column}", draw, (5.2, 3.6)), f"{title} over epochs: {ends}.")
