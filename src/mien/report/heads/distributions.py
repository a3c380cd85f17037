"""How predicted distributions lie beside the raters': distance, mean, entropy, valence and arousal."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...labels import VAD_MEANS, VALENCE_AROUSAL
from ...palette import colours
from ...render import blocks, plots
from ...render.blocks import BarList, Block, Plot, Plots, Section, SideBySide
from ...render.plots import STAND_IN
from ...render.text import number
from ...tasks import Head, Kind
from ..results import HeadOutputs, HeadRecord
from .scores import divergence, entropy

NO_PREDICTIONS = "The run holds no predictions for this head (mien evaluate writes them)."


def distribution(result: HeadRecord) -> Section:
    """Distance of each prediction from the raters, the two mean distributions, entropy, and the plane."""
    if result.outputs is None:
        return Section("Distributions", note=NO_PREDICTIONS)
    true, predicted, head = result.outputs.true, result.outputs.predicted, result.head
    far = divergence(true, predicted)
    chance = next((measure.chance for measure in result.measures if measure.name == "kl"), None)
    alt = f"Histogram of the KL divergence per face: half of the faces lie below {np.median(far):.3f}."
    histogram = Plot(plots.svg(f"kl-{head.name}", _histogram(far, chance)), alt)
    means = true.mean(axis=0).tolist(), predicted.mean(axis=0).tolist()
    bars = tuple(zip(head.space.labels, colours(head.space).values(), *means, strict=True))
    mean = BarList(f"Mean over {number(len(far))} faces", bars, 1.05 * max(map(max, means)))
    return Section("Distributions", blocks=(SideBySide((histogram,), mean), *_scatter(head, result.outputs)))


def _histogram(far: Any, chance: float | None) -> Callable[[Any], None]:
    top = max(float(np.quantile(far, 0.99)), (chance or 0.0) * 1.15, 1e-3)
    marks = [("median", float(np.median(far)), "ink", "-"), ("mean", float(far.mean()), "ink", "--")]
    marks += [] if chance is None else [("chance", chance, "second", ":")]

    def draw(axes: Any) -> None:
        axes.hist(np.minimum(far, top), bins=40, range=(0, top), color=STAND_IN["accent"], alpha=0.75)
        for label, value, colour, line in marks:
            axes.axvline(
                value, color=STAND_IN[colour], linestyle=line, linewidth=1.4, label=f"{label} {value:.3f}"
            )
        axes.legend()
        axes.set(xlabel="KL divergence from the raters (last bar: all above)", ylabel="faces", xlim=(0, top))
        axes.grid(axis="x", visible=False)

    return draw


def _scatter(head: Head, outputs: HeadOutputs) -> list[Block]:
    """True against predicted entropy, and where the means of both lie in valence and arousal."""
    drawn = [_entropy(head, outputs)]
    intro = "The stronger the colour, the more faces. Above the broken line the model is less decided "
    intro += "than the raters."
    if head.space.positions:
        spots = np.array(head.space.positions)
        plane = Head(head.name, Kind.VALUES, VALENCE_AROUSAL)
        means = {"raters": outputs.true @ spots, "model": outputs.predicted @ spots}
        drawn += [plane_of(plane, points, who) for who, points in means.items()]
        intro += " In the planes each face lies at the mean of its emotions' valence and arousal."
    return [blocks.text(intro), Plots(tuple(drawn), look="square")]


def _entropy(head: Head, outputs: HeadOutputs) -> Plot:
    true, predicted = entropy(outputs.true), entropy(outputs.predicted)
    constant = np.ptp(true) == 0 or np.ptp(predicted) == 0
    related = "" if constant else f", correlation {np.corrcoef(true, predicted)[0, 1]:.2f}"
    means = f"mean {true.mean():.2f} nats by raters, {predicted.mean():.2f} by the model"
    alt = f"Predicted against true entropy of {number(len(true))} faces: {means}{related}."
    bounds = 0.0, float(np.log(len(head)))
    return Plot(plots.agreement(f"entropy-{head.name}", "entropy in nats", true, predicted, bounds), alt)


def plane_of(head: Head, points: Any, who: str) -> Plot:
    """How many faces lie where in the first two values of a head; points (n, 2 or more), NaN where not
    annotated."""
    low, high = head.bounds
    x, y = points[:, 0], points[:, 1]
    known = np.isfinite(x) & np.isfinite(y)
    names = head.space.labels[:2]

    def draw(axes: Any) -> None:
        plots.density(axes, x[known], y[known], (low, high, low, high))
        axes.set(title=f"{names[0]} and {names[1]}: {who}", xlabel=names[0], ylabel=names[1], aspect="equal")
        if names == ("valence", "arousal") and head.bounds == (-1.0, 1.0):
            for name, spot in list(VAD_MEANS.items())[:8]:
                _name(axes, name, *spot[:2])

    means = f"mean {np.nanmean(x):.2f} and {np.nanmean(y):.2f}" if known.any() else "no face"
    alt = f"Where the faces lie in {names[0]} and {names[1]} as the {who} see them, {means}."
    return Plot(plots.svg(f"plane-{head.name}-{who}", draw, plots.SQUARE), alt)


def _name(axes: Any, name: str, x: float, y: float) -> None:
    left = not -0.6 < x < 0.7
    axes.plot(x, y, "+", color=STAND_IN["ink"], markersize=5)
    shift, side = (-0.04, "right") if left else (0.04, "left")
    axes.text(x + shift, y, name, ha=side, va="center", fontsize=9)
