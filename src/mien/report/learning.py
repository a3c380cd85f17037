"""Learning curves: loss, the metrics of the validation faces and the learning rate over epochs."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..render import blocks, plots, text
from ..render.blocks import Block, Plot, Plots, Section, Strong
from ..render.plots import BROKEN, STAND_IN
from .history import RunHistory
from .record import RunRecord

_METRICS = 2


def section(record: RunRecord) -> Section:
    """Curves from history.csv, or a note that there is none."""
    history = record.history
    if history is None:
        return Section("Learning curves", note="The run holds no history.csv.")
    drawn = [
        _loss(history),
        *(_loss(history, head.name) for head in record.task),
        *(_metric(history, column, record) for column in _columns(history, record)),
        _weights(history, record),
        _rate(history),
    ]
    shown = Plots(tuple(plot for plot in drawn if plot))
    return Section("Learning curves", blocks=(_summary(history, _title(history.watched, record)), shown))


def _summary(history: RunHistory, watched: str) -> Block:
    count, phases = len(history.epochs), len(_borders(history)) + 1
    runs: list[str | Strong] = [f"{count} epoch{'s' if count != 1 else ''}"]
    runs += [f" in {phases} phases (dotted lines). " if phases > 1 else ". "]
    if history.best is not None:
        last = " of the last phase" if phases > 1 else ""
        name = watched if watched[1:2].isupper() else watched[0].lower() + watched[1:]
        runs += ["The broken line marks epoch ", Strong(str(int(history.epochs[history.best])))]
        runs += [f", the best{last} by {name}."]
    return blocks.text(*runs)


def _columns(history: RunHistory, record: RunRecord) -> list[str]:
    """Metric columns worth a plot: the one watched first, then the first metric of each head, then others."""
    firsts = [f"validation_{head.name}_{metric}" for head in record.task for metric in head.metrics[:1]]
    others = [f"validation_{head.name}_{metric}" for head in record.task for metric in head.metrics[1:]]
    order = dict.fromkeys([history.watched, *firsts, *others])
    known = [column for column in order if column != "validation_loss" and history.has(column)]
    return known[: max(_METRICS, len(record.task.heads))]


def _title(column: str, record: RunRecord) -> str:
    """A column of history.csv in words: `validation_expression7_macro_f1` is Macro F1."""
    for head in record.task:
        prefix = f"validation_{head.name}_"
        if column.startswith(prefix):
            name = text.title(column.removeprefix(prefix))
            return f"{name}, {head.name}" if len(record.task.heads) > 1 else name
    return column.replace("_", " ").capitalize()


def _borders(history: RunHistory) -> list[float]:
    """Between which epochs a new phase begins."""
    phase = history.columns.get("phase", np.empty(0))
    return [float(history.epochs[at + 1]) - 0.5 for at in np.flatnonzero(np.diff(phase))]


def _loss(history: RunHistory, head: str = "") -> Plot | None:
    """Training and validation loss of all heads together, by their declared weights, or of one."""
    end, title = (f".{head}", f"Loss, {head}") if head else ("", "Loss")
    looks = {
        "train_loss": ("training", STAND_IN["second"]),
        "validation_loss": ("validation", STAND_IN["accent"]),
    }
    lines = {f"{name}{end}": look for name, look in looks.items() if history.has(f"{name}{end}")}
    if not lines:
        return None

    def draw(axes: Any) -> None:
        for column, (label, colour) in lines.items():
            axes.plot(history.epochs, history.columns[column], color=colour, label=label)
        axes.legend()

    ends = ", ".join(
        f"{label} ends at {history.columns[column][-1]:.3f}" for column, (label, _) in lines.items()
    )
    return Plot(_curve(history, f"loss{end}", title, draw), f"{title} over epochs: {ends}.")


def _metric(history: RunHistory, column: str, record: RunRecord) -> Plot:
    values, title, best = history.columns[column], _title(column, record), history.best

    def draw(axes: Any) -> None:
        axes.plot(history.epochs, values, color=STAND_IN["accent"])
        if column == history.watched and best is not None:
            axes.plot(history.epochs[best], values[best], "o", color=STAND_IN["accent"], markersize=6)

    return Plot(_curve(history, column, title, draw), f"{title} over epochs: ends at {values[-1]:.3f}.")


def _weights(history: RunHistory, record: RunRecord) -> Plot | None:
    """The weights that the heads' losses have learned."""
    names = {head.name: f"weight.{head.name}" for head in record.task}
    lines = {head: history.columns[column] for head, column in names.items() if history.has(column)}
    if not lines:
        return None
    looks = [(STAND_IN[colour], dash) for dash in ("-", "--", ":") for colour in ("accent", "second", "ink")]

    def draw(axes: Any) -> None:
        for (head, values), (colour, dash) in zip(lines.items(), itertools.cycle(looks), strict=False):
            axes.plot(history.epochs, values, color=colour, linestyle=dash, label=head)
        axes.legend()

    ends = ", ".join(f"{head} ends at {values[-1]:.2g}" for head, values in lines.items())
    return Plot(_curve(history, "weights", "Learned weights", draw), f"Learned weights over epochs: {ends}.")


def _rate(history: RunHistory) -> Plot | None:
    if not history.has("lr"):
        return None
    values = history.columns["lr"]

    def draw(axes: Any) -> None:
        axes.plot(history.epochs, values, color=STAND_IN["muted"])
        axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3), useMathText=False)

    alt = f"Learning rate over epochs, {values.max():.2g} at most."
    return Plot(_curve(history, "lr", "Learning rate", draw), alt)


def _curve(history: RunHistory, name: str, title: str, draw: Callable[[Any], None]) -> str:
    """The frame all curves share: title, whole epochs, the borders of phases and the best epoch."""

    def framed(axes: Any) -> None:
        draw(axes)
        plots.axes_of_epochs(axes, title)
        for border in _borders(history):
            axes.axvline(border, color=STAND_IN["muted"], linewidth=1, linestyle=(0, (1, 2)))
        if history.best is not None:
            axes.axvline(history.epochs[history.best], color=STAND_IN["ink"], linewidth=0.9, linestyle=BROKEN)

    return plots.svg(f"curve-{name}", framed)
