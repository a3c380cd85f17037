"""Figures of each label: support, precision, recall, F1, and average precision where the run gives it."""

from collections.abc import Mapping
from typing import Any

from ...palette import colours
from ...render import blocks, text
from ...render.blocks import Cell, Column, Section, Table
from .. import sentences
from ..results import HeadRecord, interval

_AGREEMENT = {"macro_f1": "Macro F1", "micro_f1": "Micro F1", "jaccard": "Jaccard"}
_SHOWN = ("threshold", "precision", "recall", "f1", "average_precision")


def per_label(result: HeadRecord) -> Section:
    """The table, or a note that there is none."""
    if not result.per_class:
        return Section("Labels", note="The run holds no figures per label for this head.")
    names = [name for name in _SHOWN if any(line.get(name) is not None for line in result.per_class)]
    titles = ["F1" if name == "f1" else name.replace("_", " ").capitalize() for name in names]
    columns = (*blocks.columns("Label", "Faces"), *(Column(title, "meter") for title in titles))
    look = colours(result.head.space)
    rows = tuple(_row(line, names, look.get(line["label"], "var(--muted)")) for line in result.per_class)
    key = (
        "In per cent. Precision: of the faces given this label, the share that has it. Recall: of the faces "
        "that have it, the share found."
    )
    if any(line.get("recall_interval") for line in result.per_class):
        key += " Below recall stands its interval."
    table = Table("Figures per label", columns, rows)
    return Section("Labels", blocks=(*_thresholds(result), table, blocks.key(key)))


def _row(line: Mapping[str, Any], names: list[str], dot: str) -> tuple[Cell, ...]:
    figures = (_meter(line.get(name), line.get(f"{name}_interval"), dot) for name in names)
    return (Cell(str(line["label"]), dot=dot), Cell(text.number(line["support"]), soft=True), *figures)


def _meter(value: float | None, ends: Any, dot: str) -> Cell:
    if value is None:
        return Cell("–")
    return Cell(f"{100 * value:.1f}", dot=dot, meter=float(value), under=text.points(interval(ends)))


def _thresholds(result: HeadRecord) -> list[blocks.Block]:
    """What is reached at the thresholds of the tags, and where these come from."""
    at = result.at_thresholds
    if not at:
        return []
    figures = [
        f"{name} {text.percent(at[key], 1)}" for key, name in _AGREEMENT.items() if at.get(key) is not None
    ]
    return [blocks.text(f"{', '.join(figures)}. {sentences.thresholds(at['chosen'], at['same'])}")]
