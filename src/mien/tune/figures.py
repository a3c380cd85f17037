"""Plots of a study: history, importances, slices, parallel coordinates, epochs, Pareto front."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from ..palette import EMOTIONS
from ..render import plots
from ..render.blocks import Plot
from ..render.plots import STAND_IN
from .outcome import Outcome
from .space import Choices, Parameter, Range, encode_value
from .workers import first_number

_DOT, _LEFT_OUT = EMOTIONS["sad"], EMOTIONS["neutral"]
_BEST = STAND_IN["second"]
_LONG = 18  # letters of a choice that fit beside an axis


def history(found: Outcome, place: int = 0) -> Plot:
    """An objective over the trials, with the best so far."""
    ordered = sorted(found.measured, key=first_number)
    numbers = [first_number(trial) for trial in ordered]
    values = np.array([trial.values[place] for trial in ordered])
    best = (np.maximum if found.higher[place] else np.minimum).accumulate(values)
    lost = [first_number(trial) for trial in found.trials if trial.state is not TrialState.COMPLETE]
    name, label = found.names[place], "pruned or impossible"

    def draw(axes: Any) -> None:
        axes.step(numbers, best, where="post", color=_BEST, label="best so far")
        axes.plot(numbers, values, "o", color=_DOT, markersize=5, label="trial")
        if lost:
            bottom = [axes.get_ylim()[0]] * len(lost)
            axes.plot(lost, bottom, "x", color=_LEFT_OUT, markersize=5, label=label, clip_on=False)
        axes.set(title=name, xlabel="trial")
        axes.legend(fontsize=8)

    alt = (
        f"{name} of {len(ordered)} trials; the best of all is {best[-1]:.4f}, the first was {values[0]:.4f}."
    )
    return Plot(plots.svg(f"history-{place}", draw, (6.4, 3.0)), alt)


def importances(found: Outcome, place: int) -> Plot | None:
    """How much of an objective's variation goes with each hyperparameter."""
    shares = found.importances[place]
    names = {parameter.key: parameter.name for parameter in found.settings.space.parameters}
    ordered = sorted(shares, key=lambda key: shares[key])
    if not ordered:
        return None

    def draw(axes: Any) -> None:
        axes.barh([names[key] for key in ordered], [shares[key] for key in ordered], color=_DOT, height=0.6)
        axes.set(title=f"Importance for {found.names[place]}", xlabel="share of the variation", xlim=(0, 1))
        axes.grid(visible=False, axis="y")

    listed = ", ".join(f"{names[key]} {shares[key]:.2f}" for key in reversed(ordered))
    return Plot(
        plots.svg(f"importances-{place}", draw, (5.2, 1.2 + 0.3 * len(ordered))), f"Importance: {listed}."
    )


def slices(found: Outcome) -> tuple[Plot, ...]:
    """The first objective over each hyperparameter."""
    return tuple(
        _slice(found, parameter, place) for place, parameter in enumerate(found.settings.space.parameters)
    )


def _slice(found: Outcome, parameter: Parameter, place: int) -> Plot:
    values = [trial.values[0] for trial in found.measured]
    across = [_position(parameter, trial.params[parameter.key]) for trial in found.measured]
    domain = parameter.domain

    def draw(axes: Any) -> None:
        axes.scatter(across, values, s=22, color=_DOT, alpha=0.7, linewidths=0)
        axes.plot(across[0], values[0], "o", color=_BEST, markersize=7)
        axes.set(title=parameter.name, ylabel=found.names[0])
        if isinstance(domain, Range):
            _scale(axes, domain)
        else:
            axes.set_xticks(range(len(domain.choices)), _choices(domain), rotation=20, fontsize=8)
            axes.set_xlim(-0.5, len(domain.choices) - 0.5)

    best = found.measured[0].params[parameter.key]
    alt = f"{found.names[0]} over {parameter.name} for {len(values)} trials; the best one has {best}."
    return Plot(plots.svg(f"slice-{place}", draw, (4.0, 2.7)), alt)


def _scale(axes: Any, domain: Range) -> None:
    """The axis of a range: whole numbers for those, plain numbers also by logarithm."""
    if not domain.log:
        axes.xaxis.get_major_locator().set_params(integer=domain.whole)
        return
    from matplotlib.ticker import LogLocator, NullLocator

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1,) if domain.high / domain.low > 30 else (1, 2, 5)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_locator(NullLocator())


def _position(parameter: Parameter, value: Any) -> float:
    if isinstance(parameter.domain, Range):
        return float(value)
    return float([encode_value(choice) for choice in parameter.domain.choices].index(value))


def _choices(domain: Choices, long: int = _LONG) -> list[str]:
    texts = [str(encode_value(choice)) for choice in domain.choices]
    return [text if len(text) <= long else text[: long - 1] + "…" for text in texts]


def parallel(found: Outcome) -> Plot:
    """Each trial as a line over all hyperparameters, the better the stronger."""
    parameters = found.settings.space.parameters
    names, ends = [parameter.name for parameter in parameters], [_ends(parameter) for parameter in parameters]
    ordered = found.measured[::-1]
    heights = [
        [_height(parameter, trial.params[parameter.key]) for parameter in parameters] for trial in ordered
    ]
    across = range(len(parameters))

    def draw(axes: Any) -> None:
        for rank, line in enumerate(heights, 1):
            share = rank / len(heights)
            axes.plot(across, line, color=_DOT, alpha=0.08 + 0.7 * share**3, linewidth=0.8 + share)
        axes.plot(across, heights[-1], color=_BEST, linewidth=2.4, label="best")
        axes.set_xticks(across, names, rotation=25, ha="right", fontsize=9)
        axes.set_yticks([])
        for place, (low, high) in enumerate(ends):
            look = {"ha": "center", "fontsize": 8.5, "color": STAND_IN["muted"]}
            axes.text(place, 1.03, high, va="bottom", **look)
            axes.text(place, -0.03, low, va="top", **look)
        axes.set(ylim=(-0.12, 1.12), xlim=(-0.3, len(parameters) - 0.7))
        axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(0, 1.12))

    alt = f"Each of {len(ordered)} trials as a line over {', '.join(names)}; the best one stands out."
    return Plot(plots.svg("parallel", draw, (max(6.4, 0.8 * len(parameters)), 3.8)), alt)


def _height(parameter: Parameter, value: Any) -> float:
    """Where a value lies on its axis, 0…1."""
    domain = parameter.domain
    if isinstance(domain, Choices):
        return _position(parameter, value) / (len(domain.choices) - 1)
    turn = np.log if domain.log else float
    return float((turn(value) - turn(domain.low)) / (turn(domain.high) - turn(domain.low)))


def _ends(parameter: Parameter) -> tuple[str, str]:
    if isinstance(parameter.domain, Range):
        return f"{parameter.domain.low:g}", f"{parameter.domain.high:g}"
    first, *_, last = _choices(parameter.domain, 11)
    return first, last


def epochs(found: Outcome) -> Plot | None:
    """The metric after each epoch of every trial, those that were pruned broken off."""
    lines = [trial for trial in found.trials if trial.intermediate_values]
    if all(len(trial.intermediate_values) < 2 for trial in lines):
        return None

    def draw(axes: Any) -> None:
        for trial in lines:
            _epochs(axes, trial, trial is found.best)
        axes.set(title=f"{found.names[0]} after each epoch", xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)

    pruned = sum(trial.state is TrialState.PRUNED for trial in lines)
    alt = f"{found.names[0]} of {len(lines)} trials after each epoch; {pruned} were ended early."
    return Plot(plots.svg("epochs", draw, (6.4, 3.2)), alt)


def _epochs(axes: Any, trial: FrozenTrial, best: bool) -> None:
    steps, values = zip(*sorted(trial.intermediate_values.items()), strict=True)
    if trial.state is TrialState.PRUNED:
        axes.plot(steps, values, color=_LEFT_OUT, linewidth=0.9, alpha=0.7)
        axes.plot(steps[-1], values[-1], "x", color=_LEFT_OUT, markersize=5)
    elif best:
        axes.plot(steps, values, color=_BEST, linewidth=2.2, zorder=3)
    else:
        axes.plot(steps, values, color=_DOT, linewidth=1, zorder=2)


def front(found: Outcome) -> Plot | None:
    """The first objective over the second, and the line of those trials that no other one beats in both."""
    if len(found.names) < 2 or not found.measured:
        return None
    up, across = found.names[:2]
    best: Sequence[FrozenTrial] = sorted(found.front, key=lambda trial: trial.values[1])
    points, ends = (np.array([trial.values[:2] for trial in trials]) for trials in (found.measured, best))

    def draw(axes: Any) -> None:
        axes.scatter(points[:, 1], points[:, 0], s=22, color=_DOT, alpha=0.7, linewidths=0)
        axes.plot(ends[:, 1], ends[:, 0], "o--", color=_BEST, markersize=6, linewidth=1)
        look = {"textcoords": "offset points", "xytext": (-6, 5), "fontsize": 8, "ha": "right"}
        for trial in _apart(best, points):
            axes.annotate(str(first_number(trial)), (trial.values[1], trial.values[0]), **look)
        axes.set(xlabel=across, ylabel=up)

    listed = ", ".join(str(first_number(trial)) for trial in best)
    alt = f"{up} over {across}; on the front: trials {listed}."
    return Plot(plots.svg("front", draw, (6.4, 3.6)), alt)


def _apart(front: Sequence[FrozenTrial], points: Any) -> list[FrozenTrial]:
    """Those of the front whose numbers do not cover each other, from its ends inwards."""
    spans = np.maximum(np.ptp(points, axis=0), 1e-12)
    kept: list[FrozenTrial] = []
    for trial in [*front[:1], *front[:0:-1]]:
        gaps = [np.abs(np.subtract(trial.values[:2], shown.values[:2]) / spans) for shown in kept]
        if all(up > 0.07 or across > 0.06 for up, across in gaps):
            kept.append(trial)
    return kept
