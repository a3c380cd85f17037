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
    """Counts and row shares as a heat map, and the commonest mix-ups in words."""
    counts = result.confusion
    if counts is None or not counts.sum():
        return Section("Confusion", note="The run holds no confusion matrix for this head.")
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    by_top = "By the likeliest label. " if result.head.kind is Kind.DISTRIBUTION else ""
    intro = f"{by_top}Each row is one label of the raters and adds up to 100 %; the diagonal is right. "
    return Section(
        "Confusion", blocks=(blocks.text(intro, *_mixed(result, counts, shares)), *_matrix(result, counts, shares))
    )


def mixed(counts: Any) -> list[tuple[int, int]]:
    """(true, predicted) of the pairs most often mixed up, by share of the true label's faces."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    off = shares * ~np.eye(len(counts), dtype=bool)
    worst = [divmod(int(place), len(counts)) for place in np.argsort(-off, axis=None, kind="stable")[:_MIXED]]
    return [pair for pair in worst if off[pair] > 0]


def _mixed(result: HeadRecord, counts: Any, shares: Any) -> list[str | Strong]:
    runs: list[str | Strong] = []
    for true, predicted in mixed(counts):
        runs += ["; " if runs else "Most often mixed up: "]
        count = int(counts[true, predicted])
        faces = f" ({percent(shares[true, predicted])}, {number(count)} face{'s' if count != 1 else ''})"
        runs += [
            Strong(result.head.space.labels[true]),
            " taken for ",
            Strong(result.head.space.labels[predicted]),
            faces,
        ]
    return [*runs, "."] if runs else []


def _matrix(result: HeadRecord, counts: Any, shares: Any) -> list[Block]:
    labels = result.head.space.labels
    if len(labels) > _CELLS:
        return [
            Plots((_heat(f"confusion-{result.head.name}", "Confusion", labels, shares, "model", "raters"),), "large")
        ]
    cells = [tuple(tuple(row) for row in table.tolist()) for table in (counts, shares)]
    name = f"Confusion matrix of {len(labels)} labels, rows as raters said, columns as the model said"
    return [Matrix(name, labels, *cells), blocks.key("Large: share of the row in per cent. Small: faces.")]


def cooccurrence(result: HeadRecord) -> Section | None:
    """Which tags go together, by raters and by the model at its thresholds; None where the run does not say."""
    part = result.part("cooccurrence")
    if not part:
        return None
    true, predicted = (together(np.asarray(part[who], np.float64)) for who in ("true", "predicted"))
    labels = result.head.space.labels
    drawn = tuple(
        _heat(f"together-{result.head.name}-{who}", who, labels, shares, "also", "of those with")
        for who, shares in (("raters", true), ("model", predicted))
    )
    off = np.abs(predicted - true) * ~np.eye(len(labels), dtype=bool)
    rows, columns = np.unravel_index(np.argsort(-off, axis=None, kind="stable")[:_MIXED], off.shape)
    runs: list[str | Strong] = ["Of the faces with the tag of the row, the share that has the tag of the column too. "]
    for i, j in zip(rows.tolist(), columns.tolist(), strict=True):
        if off[i, j] > 0:
            runs += ["; " if len(runs) > 1 else "Furthest apart: ", Strong(labels[j]), " among "]
            runs += [Strong(labels[i]), f" ({percent(true[i, j])} by raters, {percent(predicted[i, j])} by the model)"]
    return Section("Tags together", blocks=(blocks.text(*runs, "." if len(runs) > 1 else ""), Plots(drawn, "large")))


def together(counts: Any) -> Any:
    """Shares (K, K) of the faces with tag i that have tag j too, from counts; 0 for a tag nobody has."""
    return counts / np.maximum(np.diag(counts)[:, None], 1)


def _heat(name: str, title: str, labels: tuple[str, ...], shares: Any, *axis: str) -> Plot:
    side = max(3.6, 0.19 * len(labels) + 1.6)

    def draw(axes: Any) -> None:
        plots.heat(axes, shares, labels)
        axes.set(title=title, xlabel=axis[0], ylabel=axis[1])

    top = np.argwhere(shares * ~np.eye(len(labels), dtype=bool) >= 0.5)[:5]
    pairs = "; ".join(f"{labels[i]} and {labels[j]} {percent(float(shares[i, j]))}" for i, j in top.tolist())
    return Plot(
        plots.svg(name, draw, (side, side)), f"{title}, {len(labels)} labels. {pairs or 'No pair above one half'}."
    )
