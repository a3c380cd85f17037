"""Learning curves: loss, the metrics of the validation faces and the learning rate over epochs."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..render import blocks, plots, text
from ..render.blocks import Block, Plot, Plots, Section, Strong
from ..render.plots import STAND_IN
from .history import RunHistory
from .record import RunRecord

_METRICS = 2


def section(record: RunRecord) -> Section:
    """Curves from history.csv, or a note that there is none."""
    history = record.history
    if history is None:
        return Section("Learning curves", note="The run holds no history.csv.")
    watched = _title(history.watched, record)
    drawn = [
        _loss(history),
        *(_loss(history, head.name) for head in record.task),
        *(_metric(history, column, record) for column in _columns(history, record)),
        _weights(history, record),
        _rate(history),
    ]
    shown = tuple(plot for plot in drawn if plot)
    return Section("Learning curves", blocks=(_summary(history, watched), Plots(shown)))


def _summary(history: RunHistory, watched: str) -> Block:
    epochs, phases = _epochs(history), len(_borders(history)) + 1
    runs: list[str | Strong] = [f"{len(epochs)} epoch{'s' if len(epochs) != 1 else ''}"]
    runs += [f" in {phases} phases (dotted lines). " if phases > 1 else ". "]
    if history.best is not None:
        last = " of the last phase" if phases > 1 else ""
        runs += ["The broken line marks epoch ", Strong(str(int(epochs[history.best])))]
        runs += [
            f", the best{last} by {watched if watched[1:2].isupper() else watched[0].lower() + watched[1:]}."
        ]
    return blocks.text(*runs)


def _columns(history: RunHistory, record: RunRecord) -> list[str]:
    """Metric columns worth a plot: the one watched first, then the first metric of each head, then others."""
    firsts = [f"validation_{head.name}_{metric}" for head in record.task for metric in head.metrics[:1]]
    others = [f"validation_{head.name}_{metric}" for head in record.task for metric in head.metrics[1:]]
    order = dict.fromkeys([history.watched, *firsts, *others])
    drawn_columns = [column for column in order if column != "validation_loss" and _drawn(history, column)]
    return drawn_columns[: max(_METRICS, len(record.task.heads))]


def _drawn(history: RunHistory, column: str) -> bool:
    return bool(np.isfinite(history.columns.get(column, np.empty(0))).any())


def _title(column: str, record: RunRecord) -> str:
    """A column of history.csv in words: `validation_expression7_macro_f1` is Macro F1."""
    for head in record.task:
        prefix = f"validation_{head.name}_"
        if column.startswith(prefix):
            name = text.title(column.removeprefix(prefix))
            return f"{name}, {head.name}" if len(record.task.heads) > 1 else name
    return column.replace("_", " ").capitalize()


def _epochs(history: RunHistory) -> NDArray[np.float64]:
    length = len(next(iter(history.columns.values())))
    return history.columns.get("epoch", np.arange(1.0, length + 1))


def _borders(history: RunHistory) -> list[float]:
    """Between which epochs a new phase begins."""
    phase, epochs = history.columns.get("phase", np.empty(0)), _epochs(history)
    return [float(epochs[at + 1]) - 0.5 for at in np.flatnonzero(np.diff(phase))]


def _loss(history: RunHistory, head: str = "") -> Plot | None:
    """Training and validation loss of all heads together, by their declared weights, or of one."""
    end, title = (f".{head}", f"Loss, {head}") if head else ("", "Loss")
    looks = {
        "train_loss": ("training", STAND_IN["second"]),
        "validation_loss": ("validation", STAND_IN["accent"]),
    }
    lines = {f"{column}{end}": look for column, look in looks.items()}
    drawn_columns = {column: look for column, look in lines.items() if _drawn(history, column)}
    if not drawn_columns:
        return None

    def draw(axes: Any) -> None:
        for column, (label, colour) in drawn_columns.items():
            axes.plot(_epochs(history), history.columns[column], color=colour, label=label)
        axes.legend()

    ends = ", ".join(
        f"{look[0]} ends at {history.columns[column][-1]:.3f}" for column, look in drawn_columns.items()
    )
    return Plot(_curve(history, f"loss{end}", title, draw), f"{title} over epochs: {ends}.")


def _metric(history: RunHistory, column: str, record: RunRecord) -> Plot:
    values, title = history.columns[column], _title(column, record)

    def draw(axes: Any) -> None:
        axes.plot(_epochs(history), values, color=STAND_IN["accent"])
        if column == history.watched and history.best is not None:
            axes.plot(
                _epochs(history)[history.best],
                values[history.best],
                "o",
                color=STAND_IN["accent"],
                markersize=6,
            )

    return Plot(_curve(history, column, title, draw), f"{title} over epochs: ends at {values[-1]:.3f}.")


def _weights(history: RunHistory, record: RunRecord) -> Plot | None:
    """The weights that the heads' losses have learned."""
    drawn_columns = {
        head.name: f"weight.{head.name}" for head in record.task if _drawn(history, f"weight.{head.name}")
    }
    if not drawn_columns:
        return None
    looks = [(STAND_IN[colour], dash) for dash in ("-", "--", ":") for colour in ("accent", "second", "ink")]

    def draw(axes: Any) -> None:
        for (head, column), (colour, dash) in zip(
            drawn_columns.items(), itertools.cycle(looks), strict=False
        ):
            axes.plot(_epochs(history), history.columns[column], color=colour, linestyle=dash, label=head)
        axes.legend()

    ends = ", ".join(
        f"{head} ends at {history.columns[column][-1]:.2g}" for head, column in drawn_columns.items()
    )
    return Plot(_curve(history, "weights", "Learned weights", draw), f"Learned weights over epochs: {ends}.")


def _rate(history: RunHistory) -> Plot | None:
    if not _drawn(history, "lr"):
        return None
    values = history.columns["lr"]

    def draw(axes: Any) -> None:
        axes.plot(_epochs(history), values, color=STAND_IN["muted"])
        axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3), useMathText=False)

    return Plot(
        _curve(history, "lr", "Learning rate", draw),
        f"Learning rate over epochs, {values.max():.2g} at most.",
    )


def _curve(history: RunHistory, name: str, title: str, draw: Callable[[Any], None]) -> str:
    """The frame all curves share: title, whole epochs, the borders of phases and the best epoch."""
    from matplotlib.ticker import MaxNLocator

    def framed(axes: Any) -> None:
        draw(axes)
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        for border in _borders(history):
            axes.axvline(border, color=STAND_IN["muted"], linewidth=1, linestyle=(0, (1, 2)))
        if history.best is not None:
            axes.axvline(
                _epochs(history)[history.best], color=STAND_IN["ink"], linewidth=0.9, linestyle=(0, (4, 3))
            )

    return plots.svg(f"curve-{name.replace(' ', '-').replace('.', '-')}", framed)
