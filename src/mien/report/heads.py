"""What is shown of each kind of head: figures, confusion, labels, distributions and values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..labels import POSITIONS
from ..matching import sentences
from ..metrics.tags import sentence
from ..tasks import Head, Kind
from . import gallery, plots, words
from .learning import Plot
from .palette import STAND_IN, colours
from .record import HeadRecord, Outputs, RunRecord
from .scores import divergence
from .section import Section
from .summary import ANSWERS

_NO_PREDICTIONS = "The run holds no predictions for this head (predictions.parquet; mien evaluate writes it)."


def sections(record: RunRecord) -> tuple[Section, ...]:
    """The sections of all heads; a task of one head has no level of its own."""
    trees = [
        (one, (*(part(one) for part in PARTS[one.head.kind]), gallery.section(record, one))) for one in record.heads
    ]
    if len(trees) == 1:
        return trees[0][1]
    return tuple(Section(_title(one), children=parts) for one, parts in trees)


def _title(one: HeadRecord) -> str:
    return f"{one.head.name}: {ANSWERS[one.head.kind].format(len(one.head))}"


def measures(one: HeadRecord) -> Section:
    """Every metric beside chance."""
    if not one.measures:
        return Section("Measures", note="No figures for this head: the run has not been evaluated on it.")
    told = sentences(one.head.name, one.compared) if one.compared else []
    return Section("Measures", "measures", {"measures": one.measures, "rows": one.rows, "compared": told})


def confusion(one: HeadRecord) -> Section:
    """Counts and row shares as a heat map, and the commonest mix-ups in words."""
    counts = one.confusion
    if counts is None or not counts.sum():
        return Section("Confusion", note="The run holds no confusion matrix for this head.")
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    labels = one.head.space.labels
    off = shares * ~np.eye(len(labels), dtype=bool)
    worst = [divmod(int(place), len(labels)) for place in np.argsort(-off, axis=None, kind="stable")[:3]]
    data = {
        "labels": labels,
        "counts": counts.tolist(),
        "shares": shares.tolist(),
        "mixed": [(labels[i], labels[j], float(off[i, j]), int(counts[i, j])) for i, j in worst if off[i, j] > 0],
        "by_top": one.head.kind is Kind.DISTRIBUTION,
    }
    return Section("Confusion", "confusion", data)


def per_label(one: HeadRecord) -> Section:
    """Support, precision, recall and F1 of each label, and average precision where the run gives it."""
    if not one.per_class:
        return Section("Labels", note="The run holds no figures per label for this head.")
    known = ("threshold", "precision", "recall", "f1", "average_precision")
    columns = [name for name in known if any(line.get(name) is not None for line in one.per_class)]
    at, said = one.at_thresholds, ""
    if at:
        figures = [
            f"{words.title(name)} {words.figure(at[name], name)}" for name in ("macro_f1", "micro_f1", "jaccard")
        ]
        said = f"{', '.join(figures)}. {sentence(at['chosen'], at['same'])}"
    data = {"lines": one.per_class, "columns": columns, "colours": colours(one.head.space), "said": said}
    return Section("Labels", "per_label", data)


def distribution(one: HeadRecord) -> Section:
    """How far each face's prediction is from the raters, and the two mean distributions."""
    if one.outputs is None:
        return Section("Distributions", note=_NO_PREDICTIONS)
    true, predicted = one.outputs.true, one.outputs.predicted
    far = divergence(true, predicted)
    chance = next((measure.chance for measure in one.measures if measure.name == "kl"), None)
    median = float(np.median(far))
    alt = f"Histogram of the KL divergence per face: half of the faces lie below {median:.3f}."
    pairs = zip(colours(one.head.space).items(), true.mean(axis=0), predicted.mean(axis=0), strict=True)
    data = {
        "plot": Plot(plots.svg(f"kl-{one.head.name}", _histogram(far, chance)), alt),
        "mean": [(label, colour, float(t), float(p)) for (label, colour), t, p in pairs],
        "top": 1.05 * float(max(true.mean(axis=0).max(), predicted.mean(axis=0).max())),
        "faces": len(far),
    }
    return Section("Distributions", "distribution", data)


def _histogram(far: Any, chance: float | None) -> Callable[[Any], None]:
    top = max(float(np.quantile(far, 0.99)), (chance or 0.0) * 1.15, 1e-3)
    marks = [("median", float(np.median(far)), "ink", "-"), ("mean", float(far.mean()), "ink", "--")]
    marks += [] if chance is None else [("chance", chance, "second", ":")]

    def draw(axes: Any) -> None:
        axes.hist(np.minimum(far, top), bins=40, range=(0, top), color=STAND_IN["accent"], alpha=0.75)
        for label, value, colour, line in marks:
            axes.axvline(value, color=STAND_IN[colour], linestyle=line, linewidth=1.4, label=f"{label} {value:.3f}")
        axes.legend()
        axes.set(xlabel="KL divergence from the raters (the last bar holds all above)", ylabel="faces", xlim=(0, top))
        axes.grid(axis="x", visible=False)

    return draw


def values(one: HeadRecord) -> Section:
    """Figures of each value, true against predicted, and the plane of the first two."""
    names = [name for name in (one.per_column[0] if one.per_column else ()) if name not in ("label", "support")]
    data = {"lines": one.per_column, "names": names, "plots": [], "planes": [], "faces": 0}
    if one.outputs is None:
        return Section("Values", "values", data, _NO_PREDICTIONS)
    head, outputs = one.head, one.outputs
    drawn = [_against(head, outputs, column) for column in range(len(head))]
    planes = [_plane(head, outputs.true, "raters"), _plane(head, outputs.predicted, "model")] if len(head) > 1 else []
    return Section("Values", "values", {**data, "plots": drawn, "planes": planes, "faces": len(outputs.places)})


def _against(head: Head, outputs: Outputs, column: int) -> Plot:
    label, (low, high) = head.space.labels[column], head.bounds
    known = np.isfinite(outputs.true[:, column])
    true, predicted = outputs.true[known, column], outputs.predicted[known, column]

    def draw(axes: Any) -> None:
        plots.density(axes, true, predicted, (low, high, low, high))
        axes.plot([low, high], [low, high], color=STAND_IN["muted"], linewidth=1, linestyle=(0, (4, 3)))
        axes.set(title=label, xlabel="raters", ylabel="model", aspect="equal")

    alt = f"{label}: predicted against true for {words.number(int(known.sum()))} faces; the broken line is agreement."
    return Plot(plots.svg(f"against-{head.name}-{column}", draw, (3.6, 3.6)), alt)


def _plane(head: Head, points: Any, who: str) -> Plot:
    low, high = head.bounds
    x, y = points[:, 0], points[:, 1]
    known = np.isfinite(x) & np.isfinite(y)
    names = head.space.labels[:2]

    def draw(axes: Any) -> None:
        plots.density(axes, x[known], y[known], (low, high, low, high))
        axes.set(title=f"{names[0]} and {names[1]}: {who}", xlabel=names[0], ylabel=names[1], aspect="equal")
        if names == ("valence", "arousal") and head.bounds == (-1.0, 1.0):
            for name, spot in list(POSITIONS.items())[:8]:
                left = not -0.6 < spot[0] < 0.7
                axes.plot(*spot[:2], "+", color=STAND_IN["ink"], markersize=5)
                axes.text(
                    spot[0] + (-0.04 if left else 0.04),
                    spot[1],
                    name,
                    ha="right" if left else "left",
                    va="center",
                    fontsize=9,
                )

    alt = f"Where the faces lie in {names[0]} and {names[1]} as the {who} see them, mean {_mean(x)} and {_mean(y)}."
    return Plot(plots.svg(f"plane-{head.name}-{who}", draw, (3.6, 3.6)), alt)


def _mean(column: Any) -> str:
    return f"{np.nanmean(column):.2f}"


#: The sections of each kind of head, in order; a gallery follows.
PARTS: dict[Kind, tuple[Callable[[HeadRecord], Section], ...]] = {
    Kind.CLASS: (measures, confusion, per_label),
    Kind.DISTRIBUTION: (measures, distribution, confusion, per_label),
    Kind.TAGS: (measures, per_label),
    Kind.VALUES: (measures, values),
}
