"""What the results and predictions of a split say of one head, as plain records."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..labels import LabelSpace
from ..matching import renormalised
from ..records import Floats
from ..tasks import Head

Rows = NDArray[np.int64]
Interval = tuple[float, float]


@dataclass(frozen=True)
class MetricResult:
    """One metric of one head: its value, its direction, its interval, and what those reach who never look at
    a face.

    `references`: uniform, marginal, oracle, noise_floor; those that are known.
    """

    name: str
    value: float
    higher_is_better: bool
    interval: Interval | None = None
    references: Mapping[str, float] = field(default_factory=dict)

    @property
    def chance(self) -> float | None:
        """What the mean of the training answers, given to every face, would reach."""
        return self.references.get("marginal")

    @property
    def beats_chance(self) -> bool | None:
        """Whether the value is better than chance; None where either is not known."""
        if self.chance is None or not math.isfinite(self.value):
            return None
        return self.value > self.chance if self.higher_is_better else self.value < self.chance


@dataclass(frozen=True)
class HeadOutputs:
    """Predictions of one head for the annotated faces: place in the predictions file (n,), true and predicted
    (n, K)."""

    places: Rows
    true: Floats
    predicted: Floats


@dataclass(frozen=True)
class HeadRecord:
    """What was measured of one head; parts that the run lacks are empty or None.

    Where the data speak of other labels than the model, `compared` says so and `head` has only the labels
    that were compared. `found` is the head's part of the results as it stands, `fitted` what the model says
    of its calibration.
    """

    head: Head
    rows: int = 0
    measures: tuple[MetricResult, ...] = ()
    per_class: tuple[Mapping[str, Any], ...] = ()
    per_column: tuple[Mapping[str, Any], ...] = ()
    at_thresholds: Mapping[str, Any] = field(default_factory=dict)
    confusion: NDArray[np.int64] | None = None
    compared: Mapping[str, Any] = field(default_factory=dict)
    outputs: HeadOutputs | None = None
    found: Mapping[str, Any] = field(default_factory=dict)
    fitted: Mapping[str, Any] = field(default_factory=dict)

    def part(self, name: str) -> Mapping[str, Any]:
        """A part of the head's results; empty where the run lacks it."""
        return self.found.get(name) or {}


def head_record(
    head: Head, results: Mapping[str, Any], model: Mapping[str, Any], table: Mapping[str, Any]
) -> HeadRecord:
    """One head, from the results, model.json and the columns of the predictions."""
    found = (results.get("heads") or {}).get(head.name) or {}
    compared = found.get("compared") or {}
    if compared:
        head = replace(head, space=LabelSpace(head.space.name, tuple(compared["labels"])))
    confusion = np.asarray(found.get("confusion") or (), np.int64)
    return HeadRecord(
        head=head,
        rows=int(found.get("rows") or 0),
        measures=_measures(found),
        per_class=_lines(found.get("per_class")),
        per_column=_lines(found.get("per_column")),
        at_thresholds=_at_thresholds(found, results.get("data") or {}),
        confusion=confusion if confusion.shape == (len(head), len(head)) else None,
        compared=compared,
        outputs=_outputs(head, table),
        found=found,
        fitted=(model.get("calibration") or {}).get(head.name) or {},
    )


def _measures(found: Mapping[str, Any]) -> tuple[MetricResult, ...]:
    measures = []
    for name, item in (found.get("metrics") or {}).items():
        values = {key: (row or {}).get(name) for key, row in (found.get("references") or {}).items()}
        known = {key: float(value) for key, value in values.items() if value is not None}
        up, ends = bool(item["higher_is_better"]), interval(item.get("interval"))
        measures.append(MetricResult(name, number(item["value"]), up, ends, known))
    return tuple(measures)


def interval(ends: Any) -> Interval | None:
    """(low, high), or None where there is none or a side is undefined."""
    if not ends or any(side is None for side in ends):
        return None
    low, high = map(float, ends)
    return low, high


def number(value: Any) -> float:
    """A number; NaN for None."""
    return math.nan if value is None else float(value)


def _at_thresholds(found: Mapping[str, Any], data: Mapping[str, Any]) -> Mapping[str, Any]:
    at = found.get("at_thresholds") or {}
    return at and {**at, "same": bool(data.get("chosen_on"))}


def _lines(table: Any) -> tuple[Mapping[str, Any], ...]:
    """Lines of a table, with None for a number that is undefined."""
    return tuple(
        {
            key: None if isinstance(value, float) and math.isnan(value) else value
            for key, value in line.items()
        }
        for line in table or ()
    )


def _outputs(head: Head, table: Mapping[str, Any]) -> HeadOutputs | None:
    names = [f"{head.name}.{label}" for label in head.space.labels]
    if any(name not in table or f"{name}.true" not in table for name in names):
        return None
    predicted = renormalised(np.stack([table[name] for name in names], axis=1).astype(np.float32), head.kind)
    true = np.stack([table[f"{name}.true"] for name in names], axis=1).astype(np.float32)
    annotated = np.flatnonzero(np.isfinite(true).any(axis=1) & np.isfinite(predicted).all(axis=1))
    return HeadOutputs(annotated, true[annotated], predicted[annotated]) if len(annotated) else None
