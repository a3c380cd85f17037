"""Whether confidence can be trusted: reliability, abstaining, and sets of labels with a promised coverage."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...palette import colours
from ...render import blocks, plots
from ...render.blocks import Block, Card, Cards, Cell, Column, Plot, Plots, Section, Strong, Table
from ...render.plots import BROKEN, STAND_IN
from ...render.text import number, percent, signed, title
from ..results import HeadRecord

#: Calibration errors, and how each differs from the first.
_ERRORS: dict[str, str] = {
    "ece": "bins of equal numbers of faces",
    "ece_equal_width": "bins of equal width",
    "classwise_ece": "every label, not the likeliest alone",
    "vote_ece": "against the share of raters who said the label",
}
_FITS = {"before": "Before", "after": "After", "cross_fitted": "Across folds"}


def calibration(result: HeadRecord) -> Section | None:
    """Reliability diagram, calibration errors and temperature; None where the run lacks them."""
    part = result.part("calibration")
    if not part:
        return None
    label = part.get("label") or {}
    shown = {**part, **label}
    cards = tuple(
        Card(title(error), signed(float(shown[error]), 3), (what,), up=False, lead=error == "ece")
        for error, what in _ERRORS.items()
        if shown.get(error) is not None
    )
    summary = blocks.text(
        "Of the faces where the model is 70 % sure, 70 % should be right. Expected calibration error (ECE): "
        "how far that fails, on average. ",
        *_scaling(part),
        *_sharpened(part, label),
    )
    drawn: list[Block] = (
        [Plots((_reliability(result, shown["bins"]),), "square")] if shown.get("bins") else []
    )
    by_label = {"split": result.fitted.get("split"), **(result.fitted.get("label") or {})}
    fits = [*_fitted(result.fitted, "Before and after"), *_fitted(by_label, "Confidence in the label")]
    return Section(
        "Calibration", blocks=(summary, Cards(cards), *drawn, *_brier(part.get("brier") or {}), *fits)
    )


def _scaling(part: Mapping[str, Any]) -> Iterator[str | Strong]:
    """How the network's probabilities were changed, and by what faces."""
    where = f", fitted on the {part['chosen_on']} split" if part.get("chosen_on") else ""
    if part.get("method") == "none":
        yield "The network's probabilities are left as they are."
    elif part.get("method") == "vector":
        yield f"The network's probabilities are scaled label by label (vector scaling{where})."
    elif part.get("temperature") is not None:
        yield "The network's probabilities are scaled by temperature "
        yield Strong(f"{part['temperature']:.3g}")
        yield f"{where}; 1 leaves them as they are."


def _sharpened(part: Mapping[str, Any], label: Mapping[str, Any]) -> Iterator[str | Strong]:
    """How shares of votes became a confidence in the label, and on which faces it is held against it here."""
    if part.get("label_temperature") is None:
        return
    yield " They are shares of raters; confidence is the chance that the label is right, "
    yield "from them by label temperature "
    yield Strong(f"{part['label_temperature']:.3g}")
    yield f": here on the {number(label['rows'])} faces that have a label." if label else "."
    yield " The vote ECE is of the shares." if part.get("vote_ece") is not None else ""


def _brier(part: Mapping[str, Any]) -> list[Block]:
    """The decomposition of the Brier score, whose parts add up to it."""
    figures = [part.get(name) for name in ("reliability", "resolution", "uncertainty", "within")]
    if None in figures:
        return []
    reliability, resolution, uncertainty, within = (float(figure or 0) for figure in figures)
    total = signed(reliability - resolution + uncertainty + within, 3)
    parts = (
        f"{signed(reliability, 3)} reliability − {signed(resolution, 3)} resolution + "
        f"{signed(uncertainty, 3)} uncertainty {'+' if within >= 0 else '−'} {signed(abs(within), 3)} within "
        "bins"
    )
    return [blocks.key(f"Brier score {total} = {parts}. Calibration can remove the first alone.")]


def _reliability(result: HeadRecord, bins: list[Mapping[str, Any]]) -> Plot:
    filled = [line for line in bins if line["rows"]]
    confidence, right = (
        np.array([line[name] for line in filled], float) for name in ("confidence", "accuracy")
    )
    worst = int(np.abs(confidence - right).argmax()) if filled else 0

    def draw(axes: Any) -> None:
        plots.equality(axes, 0, 1)
        axes.vlines(confidence, confidence, right, color=STAND_IN["second"], linewidth=1.4)
        axes.plot(confidence, right, "o-", color=STAND_IN["accent"], markersize=4.5, linewidth=1.2)
        axes.set(title="reliability", xlabel="confidence", ylabel="share right", aspect="equal")
        axes.set(xlim=(0, 1), ylim=(0, 1))

    far = (
        f" Furthest apart: {percent(confidence[worst])} sure, {percent(right[worst])} right."
        if filled
        else ""
    )
    alt = f"Share right against confidence in {len(filled)} bins; on the broken line they agree.{far}"
    return Plot(plots.svg(f"reliability-{result.head.name}", draw, plots.SQUARE), alt)


def _fitted(fitted: Mapping[str, Any], heading: str) -> Iterator[Block]:
    """Calibration before and after, on the split that the model was calibrated on."""
    summary = {heading: fitted[name] for name, heading in _FITS.items() if fitted.get(name)}
    names = list(dict.fromkeys(name for figures in summary.values() for name in figures))
    if not names:
        return
    rows = tuple(
        (Cell(title(name)), *(_three(figures.get(name)) for figures in summary.values())) for name in names
    )
    split = fitted.get("split")
    where = f"On the {split} split" if split else "On the faces it was fitted on"
    yield Table(heading, blocks.columns(where, *summary), rows)
    if "Across folds" in summary:
        yield blocks.key(
            "Across folds: each face is scored by what the other faces chose, which flatters nobody."
        )


def _three(value: Any) -> Cell:
    return Cell("–" if value is None else signed(float(value), 3))


def abstaining(result: HeadRecord) -> Section | None:
    """Risk against coverage, with AURC; None where the run lacks them."""
    part = result.part("risk_coverage")
    if not part.get("coverage"):
        return None
    coverage, risk = (np.asarray(part[name], np.float64) for name in ("coverage", "risk"))
    errors = float(risk[coverage.argmax()])

    def draw(axes: Any) -> None:
        axes.plot(coverage, risk, color=STAND_IN["accent"])
        axes.axhline(errors, color=STAND_IN["muted"], linewidth=1, linestyle=BROKEN)
        axes.set(
            title="errors among the faces answered", xlabel="share of faces answered", ylabel="share wrong"
        )
        axes.set_xlim(0, 1)
        axes.set_ylim(bottom=0)

    order = np.argsort(coverage)
    half = percent(float(np.interp(0.5, coverage[order], risk[order])), 1)
    alt = f"Share wrong against the share answered: {percent(errors, 1)} of all, {half} of the surer half."
    summary: list[str | Strong] = ["If the model may stay silent where it is unsure, it errs in "]
    summary += [Strong(half), f" of the surer half, against {percent(errors, 1)} of all (broken line). "]
    if part.get("aurc") is not None:
        summary.append(f"Area under the curve (AURC): {signed(float(part['aurc']), 3)}; 0 is perfect.")
    plot = Plot(plots.svg(f"risk-{result.head.name}", draw), alt)
    return Section("Abstaining", blocks=(blocks.text(*summary), Plots((plot,))))


def prediction_sets(result: HeadRecord) -> Section | None:
    """Conformal sets: promised and measured coverage, and their sizes; None where the model has no
    threshold."""
    part = result.part("conformal")
    if not part:
        return None
    where = f" The threshold was chosen on the {part['chosen_on']} split." if part.get("chosen_on") else ""
    where += (
        " That is this very split, so coverage is measured across folds." if part.get("cross_fitted") else ""
    )
    level, coverage = percent(float(part["level"])), percent(float(part["coverage"]), 1)
    summary = blocks.text(
        "Instead of one label the model can answer a set that holds the raters' label in ",
        Strong(level),
        f" of faces like those the threshold was chosen on.{where}",
    )
    cards = (
        Card("Measured coverage", coverage, (f"promised {level}",), lead=True),
        Card("Labels in a set", f"{part['mean_size']:.2f}", (f"mean, of {len(result.head)}",), up=False),
    )
    tables = (*_sizes(part.get("sizes") or {}), *_by_label(result, part, level))
    return Section("Prediction sets", blocks=(summary, Cards(cards), *tables))


def _sizes(sizes: Mapping[str, Any]) -> Iterator[Block]:
    """How many sets hold one label, two, …"""
    counts = sorted((int(size), int(count)) for size, count in sizes.items())
    total = max(sum(count for _, count in counts), 1)
    rows = [_row(str(size), count, count / total, "") for size, count in counts]
    if rows:
        yield _table("Sizes of sets", "Labels in the set", "Share, per cent", rows)


def _by_label(result: HeadRecord, part: Mapping[str, Any], level: str) -> Iterator[Block]:
    """Coverage of each label that some face bears."""
    faces = {line["label"]: line["support"] for line in result.per_class}
    look = colours(result.head.space)
    rows = [
        _row(label, faces.get(label, "–"), float(share), look.get(label, "var(--muted)"))
        for label, share in (part.get("by_label") or {}).items()
        if share is not None
    ]
    if rows:
        yield _table("Coverage by label", "Raters' label", "In the set, per cent", rows)
        yield blocks.key(
            f"The promise of {level} holds over all faces, not for each label: rare ones are often left out."
        )


def _row(name: str, faces: Any, share: float, colour: str) -> tuple[Cell, ...]:
    meter = Cell(f"{100 * share:.1f}", meter=share, dot=colour or "var(--accent)")
    return Cell(name, dot=colour), Cell(number(faces), soft=True), meter


def _table(name: str, first: str, last: str, rows: list[tuple[Cell, ...]]) -> Table:
    return Table(name, (*blocks.columns(first, "Faces"), Column(last, "meter")), tuple(rows))
