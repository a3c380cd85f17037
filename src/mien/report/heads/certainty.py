"""Whether the model's confidence can be trusted: reliability, abstaining, and sets of labels with a promised coverage."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...palette import colours
from ...render import blocks, plots
from ...render.blocks import Block, Card, Cards, Cell, Column, Plot, Plots, Section, Strong, Table
from ...render.plots import STAND_IN
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
    """Reliability diagram, calibration errors and temperature; None where the run does not say."""
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
        "Of the faces where the model is 70 % sure, 70 % should be right. Expected calibration error (ECE): how far that "
        "fails, on average. ",
        *_scaling(part),
        *_sharpened(part, label),
    )
    drawn: list[Block] = [Plots((_reliability(result, shown["bins"]),), look="square")] if shown.get("bins") else []
    fits = [
        *_fitted(result.fitted),
        *_fitted(result.fitted.get("label") or {}, "Confidence in the label", result.fitted.get("split")),
    ]
    return Section("Calibration", blocks=(summary, Cards(cards), *drawn, *_brier(part.get("brier") or {}), *fits))


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
    yield " They are shares of raters; confidence is the chance that the label is right, from them by label temperature "
    yield Strong(f"{part['label_temperature']:.3g}")
    faces = f": here on the {number(label['rows'])} faces that have a label" if label else ""
    yield f"{faces}. The vote ECE is of the shares." if part.get("vote_ece") is not None else f"{faces}."


def _brier(part: Mapping[str, Any]) -> list[Block]:
    """The decomposition of the Brier score, whose parts add up to it."""
    names = ("reliability", "resolution", "uncertainty", "within")
    figures = [part.get(name) for name in names]
    if any(figure is None for figure in figures):
        return []
    reliability, resolution, uncertainty, within = (float(figure or 0) for figure in figures)
    sign = "+" if within >= 0 else "−"
    parts = f"{signed(reliability, 3)} reliability − {signed(resolution, 3)} resolution + {signed(uncertainty, 3)} uncertainty"
    total = signed(reliability - resolution + uncertainty + within, 3)
    return [
        blocks.key(
            f"Brier score {total} = {parts} {sign} {signed(abs(within), 3)} within bins. Calibration can remove the first alone."
        )
    ]


def _reliability(result: HeadRecord, bins: list[Mapping[str, Any]]) -> Plot:
    filled = [line for line in bins if line["rows"]]
    confidence, right = (np.array([line[name] for line in filled], np.float64) for name in ("confidence", "accuracy"))
    worst = int(np.abs(confidence - right).argmax()) if filled else 0

    def draw(axes: Any) -> None:
        axes.plot([0, 1], [0, 1], color=STAND_IN["muted"], linewidth=1, linestyle=(0, (4, 3)))
        axes.vlines(confidence, confidence, right, color=STAND_IN["second"], linewidth=1.4)
        axes.plot(confidence, right, "o-", color=STAND_IN["accent"], markersize=4.5, linewidth=1.2)
        axes.set(
            title="reliability", xlabel="confidence", ylabel="share right", xlim=(0, 1), ylim=(0, 1), aspect="equal"
        )

    far = f" Furthest apart: {percent(confidence[worst])} sure, {percent(right[worst])} right." if filled else ""
    alt = f"Share right against confidence in {len(filled)} bins; on the broken line they agree.{far}"
    return Plot(plots.svg(f"reliability-{result.head.name}", draw, (3.6, 3.6)), alt)


def _fitted(fitted: Mapping[str, Any], heading: str = "Before and after", split: str | None = None) -> list[Block]:
    """Calibration before and after, as the model itself tells of the split it was calibrated on."""
    summary = {title: fitted[name] for name, title in _FITS.items() if fitted.get(name)}
    names = list(dict.fromkeys(name for figures in summary.values() for name in figures))
    if not names:
        return []
    rows = tuple(
        (Cell(title(name)), *(Cell(_three(figures.get(name))) for figures in summary.values())) for name in names
    )
    split = fitted.get("split") or split
    where = f"On the {split} split" if split else "On the faces it was fitted on"
    found: list[Block] = [Table(heading, (Column(where), *(Column(name, "n") for name in summary)), rows)]
    if "Across folds" in summary:
        found.append(
            blocks.key("Across folds: each face is scored by what the other faces chose, which flatters nobody.")
        )
    return found


def _three(value: Any) -> str:
    return "–" if value is None else signed(float(value), 3)


def abstaining(result: HeadRecord) -> Section | None:
    """Risk against coverage, with AURC; None where the run does not say."""
    part = result.part("risk_coverage")
    if not part or not part.get("coverage"):
        return None
    coverage, risk = (np.asarray(part[name], np.float64) for name in ("coverage", "risk"))
    errors = float(risk[coverage.argmax()])

    def draw(axes: Any) -> None:
        axes.plot(coverage, risk, color=STAND_IN["accent"])
        axes.axhline(errors, color=STAND_IN["muted"], linewidth=1, linestyle=(0, (4, 3)))
        axes.set(
            title="errors among the faces answered", xlabel="share of faces answered", ylabel="share wrong", xlim=(0, 1)
        )
        axes.set_ylim(bottom=0)

    order = np.argsort(coverage)
    half = float(np.interp(0.5, coverage[order], risk[order]))
    alt = f"Share wrong against the share answered: {percent(errors, 1)} of all, {percent(half, 1)} of the surer half."
    summary: list[str | Strong] = ["If the model may stay silent where it is unsure, it errs in "]
    summary += [Strong(percent(half, 1)), f" of the surer half, against {percent(errors, 1)} of all (broken line). "]
    if part.get("aurc") is not None:
        summary.append(f"Area under the curve (AURC): {signed(float(part['aurc']), 3)}; 0 is perfect.")
    return Section(
        "Abstaining", blocks=(blocks.text(*summary), Plots((Plot(plots.svg(f"risk-{result.head.name}", draw), alt),)))
    )


def prediction_sets(result: HeadRecord) -> Section | None:
    """Conformal sets: promised and measured coverage, and how many labels they hold; None where the model has no threshold."""
    part = result.part("conformal")
    if not part:
        return None
    where = f" The threshold was chosen on the {part['chosen_on']} split." if part.get("chosen_on") else ""
    where += " That is this very split, so coverage is measured across folds." if part.get("cross_fitted") else ""
    summary = blocks.text(
        "Instead of one label the model can answer a set that holds the raters' label in ",
        Strong(percent(float(part["level"]))),
        f" of faces like those the threshold was chosen on.{where}",
    )
    cards = (
        Card(
            "Measured coverage",
            percent(float(part["coverage"]), 1),
            (f"promised {percent(float(part['level']))}",),
            lead=True,
        ),
        Card("Labels in a set", f"{part['mean_size']:.2f}", (f"mean, of {len(result.head)}",), up=False),
    )
    return Section(
        "Prediction sets", blocks=(summary, Cards(cards), *_sizes(part.get("sizes") or {}), *_held(result, part))
    )


def _sizes(given: Mapping[str, Any]) -> Iterator[Block]:
    """How many sets hold one label, two, …"""
    sizes = {str(size): int(count) for size, count in given.items()}
    total = max(sum(sizes.values()), 1)
    rows = tuple(
        (Cell(size), Cell(number(count), soft=True), _share(count / total, "var(--accent)"))
        for size, count in sorted(sizes.items(), key=lambda item: int(item[0]))
    )
    if rows:
        columns = (Column("Labels in the set"), Column("Faces", "n"), Column("Share, per cent", "meter"))
        yield Table("Sizes of sets", columns, rows)


def _held(result: HeadRecord, part: Mapping[str, Any]) -> Iterator[Block]:
    """Coverage of each label that some face bears."""
    faces, look = {line["label"]: line["support"] for line in result.per_class}, colours(result.head.space)
    held = {label: float(share) for label, share in (part.get("by_label") or {}).items() if share is not None}
    if not held:
        return
    rows = tuple(
        (
            Cell(label, dot=look.get(label, "var(--muted)")),
            Cell(number(faces.get(label, "–")), soft=True),
            _share(share, look.get(label, "var(--muted)")),
        )
        for label, share in held.items()
    )
    columns = (Column("Raters' label"), Column("Faces", "n"), Column("In the set, per cent", "meter"))
    yield Table("Coverage by label", columns, rows)
    promise = percent(float(part["level"]))
    yield blocks.key(
        f"The promise of {promise} holds over all faces, not for each label: rare ones are often left out."
    )


def _share(share: float, colour: str) -> Cell:
    return Cell(f"{100 * share:.1f}", meter=share, dot=colour)
