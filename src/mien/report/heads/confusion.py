"""What is taken for what: confusion of labels, and tags that go together."""

from typing import Any

import numpy as np

from ...render import blocks, plots
from ...render.blocks import Block, Matrix, Plot, Plots, Section, Strong
from ...render.text import number, percent
from ...tasks import Kind
from ..results import HeadRecord

_CELLS = 14  # labels up to which each cell has its figures
_MIXED = 3


def confusion(result: HeadRecord) -> Section:
    """Counts and row shares as a matrix, and the commonest mix-ups in words."""
    counts = result.confusion
    if counts is None or not counts.sum():
        return Section("Confusion", note="The run holds no confusion matrix for this head.")
    by_top = "By the likeliest label. " if result.head.kind is Kind.DISTRIBUTION else ""
    intro = f"{by_top}Each row is one label of the raters and adds up to 100 %; the diagonal is right. "
    shares = row_shares(counts)
    text = blocks.text(intro, *_mixed(result.head.space.labels, counts, shares))
    return Section("Confusion", blocks=(text, *_matrix(result, counts, shares)))


def row_shares(counts: Any) -> Any:
    """Shares (K, K) of each row of counts, 0 in a row without any."""
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def mixed(counts: Any) -> list[tuple[int, int]]:
    """(true, predicted) of the pairs most often mixed up, by share of the true label's faces."""
    return _largest(row_shares(counts))


def _largest(values: Any) -> list[tuple[int, int]]:
    """Row and column of the largest values beside the diagonal, as far as they are above 0."""
    off = values * ~np.eye(len(values), dtype=bool)
    order = np.argsort(-off, axis=None, kind="stable")[:_MIXED].tolist()
    return [pair for place in order if off[pair := divmod(place, len(values))] > 0]


def _mixed(labels: tuple[str, ...], counts: Any, shares: Any) -> list[str | Strong]:
    runs: list[str | Strong] = []
    for i, j in mixed(counts):
        count = int(counts[i, j])
        faces = f" ({percent(shares[i, j])}, {number(count)} face{'s' if count != 1 else ''})"
        start = "; " if runs else "Most often mixed up: "
        runs += [start, Strong(labels[i]), " taken for ", Strong(labels[j]), faces]
    return [*runs, "."] if runs else []


def _matrix(result: HeadRecord, counts: Any, shares: Any) -> list[Block]:
    labels = result.head.space.labels
    if len(labels) > _CELLS:
        plot = _plot(f"confusion-{result.head.name}", "Confusion", labels, shares, ("model", "raters"))
        return [Plots((plot,), "large")]
    cells = [tuple(map(tuple, table.tolist())) for table in (counts, shares)]
    name = f"Confusion matrix of {len(labels)} labels, rows as raters said, columns as the model said"
    return [Matrix(name, labels, *cells), blocks.key("Large: share of the row in per cent. Small: faces.")]


def cooccurrence(result: HeadRecord) -> Section | None:
    """Which tags go together, by raters and by the model at its thresholds; None where the run lacks it."""
    part = result.part("cooccurrence")
    if not part:
        return None
    true, predicted = (together(np.asarray(part[who], np.float64)) for who in ("true", "predicted"))
    labels, name = result.head.space.labels, f"together-{result.head.name}"
    drawn = tuple(
        _plot(f"{name}-{who}", who, labels, shares, ("also", "of those with"))
        for who, shares in (("raters", true), ("model", predicted))
    )
    runs: list[str | Strong] = [
        "Of the faces with the tag of the row, the share that has the tag of the column too. "
    ]
    for i, j in _largest(np.abs(predicted - true)):
        runs += [
            "; " if len(runs) > 1 else "Furthest apart: ",
            Strong(labels[j]),
            " among ",
            Strong(labels[i]),
        ]
        runs.append(f" ({percent(true[i, j])} by raters, {percent(predicted[i, j])} by the model)")
    return Section(
        "Tags together", blocks=(blocks.text(*runs, "." if len(runs) > 1 else ""), Plots(drawn, "large"))
    )


def together(counts: Any) -> Any:
    """Shares (K, K) of the faces with tag i that have tag j too, from counts; 0 for a tag nobody has."""
    return counts / np.maximum(np.diag(counts)[:, None], 1)


def _plot(name: str, title: str, labels: tuple[str, ...], shares: Any, axis: tuple[str, str]) -> Plot:
    side = max(3.6, 0.19 * len(labels) + 1.6)

    def draw(axes: Any) -> None:
        plots.matrix(axes, shares, labels)
        axes.set(title=title, xlabel=axis[0], ylabel=axis[1])

    top = np.argwhere(shares * ~np.eye(len(labels), dtype=bool) >= 0.5)[:5].tolist()
    pairs = "; ".join(f"{labels[i]} and {labels[j]} {percent(float(shares[i, j]))}" for i, j in top)
    alt = f"{title}, {len(labels)} labels. {pairs or 'No pair above one half'}."
    return Plot(plots.svg(name, draw, (side, side)), alt)
