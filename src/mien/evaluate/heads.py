"""One head's part of `results.json`: its figures, and what each is measured against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import baselines, intervals, metrics, subgroups
from ..metrics import tags
from ..metrics.calibration import calibration_record
from ..metrics.distributions import Distances, vote_distances
from ..metrics.statistic import plain
from ..predict import scaling
from ..records import Floats
from ..tasks import Head, Kind

_LABEL_ERRORS = ("bins", "ece", "ece_equal_width", "classwise_ece")


@dataclass(frozen=True)
class Sampling:
    """How intervals are drawn, none where the drawing has no draws: `units` (N,) of the rows, as in `intervals.draws`, and
    `attributes` that figures are told apart by, each a text of each row."""

    units: NDArray[np.intp]
    drawing: intervals.Drawing
    attributes: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Answers:
    """A head of the labels compared, and what is known of it on the rows scored: outputs and targets (N, K), NaN where nobody
    annotated, and the votes as they were cast.

    `training` are the targets that chance is taken from, `training_split` where they stand. `said` is what the model says of
    itself, {} where only some of its labels are compared; `same`: it was calibrated on these very rows. `predicted` is what the
    model predicts, shares of votes, also where `output` holds the chances of labels; `labels` are those that votes amount to.
    """

    head: Head
    output: Floats
    target: Floats
    votes: Floats
    training: Floats
    training_split: str
    thresholds: Mapping[str, float] | None = None
    said: Mapping[str, Any] = field(default_factory=dict)
    same: bool = False
    predicted: Floats | None = None
    labels: Floats | None = None

    @cached_property
    def ground(self) -> Distances:
        """The distances between labels that the training votes tell, for `emd_votes`; () where there are no votes."""
        return vote_distances(self.training) if self.head.kind is Kind.DISTRIBUTION else ()

    @property
    def limits(self) -> NDArray[np.float64]:
        """From which probability (K,) each tag is said."""
        return tags.in_order(self.head, self.thresholds or {})


def results(answers: Answers, sampling: Sampling) -> dict[str, Any]:
    """The record of one head."""
    whole = replace(answers, head=replace(answers.head, metrics=answers.head.reported))
    head, output, target = whole.head, whole.output, whole.target
    record = {
        "rows": len(metrics.present(output, target, head)[1]),
        "metrics": _metrics(whole, sampling),
        "references": baselines.for_head(head, target, answers.training, answers.votes, ground=answers.ground),
        "references_from": answers.training_split,
    }
    return record | _PARTS[head.kind](whole, sampling) | _subgroups(answers, sampling)


def _metrics(answers: Answers, sampling: Sampling) -> dict[str, Any]:
    """Value, direction and interval of each metric; each is prepared once, since some solve a problem for every row."""
    head, rows = answers.head, len(answers.target)
    statistics = {
        name: metrics.statistic(name, answers.output, answers.target, head, ground=answers.ground)
        for name in head.metrics
    }
    found = intervals.of_metrics(statistics, sampling.units, sampling.drawing) if sampling.drawing.draws else {}
    return {
        name: {
            "value": plain(statistic, rows),
            "higher_is_better": metrics.METRICS[name].higher_is_better,
            "interval": found.get(name),
        }
        for name, statistic in statistics.items()
    }


def _classes(answers: Answers, sampling: Sampling) -> dict[str, Any]:
    head = answers.head
    output, target = metrics.present(answers.output, answers.target, head)
    return {
        "per_class": _per_class(answers, sampling),
        "confusion": metrics.confusion(output, target).tolist(),
        **({"ground": [list(row) for row in answers.ground]} if answers.ground else {}),
        **_certainty(answers),
    }


def _certainty(answers: Answers) -> dict[str, Any]:
    """How far probabilities can be trusted, and of votes the confidence in the label that they amount to too."""
    head, said = answers.head, answers.said
    output, target = _exact(answers.output), _exact(answers.target)
    sets_of = None if answers.predicted is None else _exact(answers.predicted)
    record = calibration_record(head, output, target, said, same=answers.same, sets_of=sets_of)
    heat = said.get("label_temperature", {}).get(head.name)
    if heat is not None and record:
        record["calibration"]["label_temperature"] = heat
        record["calibration"] |= _label(answers, heat)
    return record


def _label(answers: Answers, heat: float) -> dict[str, Any]:
    """Errors and reliability of the confidence in the label, where votes were scored."""
    if answers.labels is None:
        return {}
    as_class = replace(answers.head, kind=Kind.CLASS)
    said = scaling.temperature(heat, len(as_class)).apply(answers.output)
    labels = np.where(np.isnan(answers.target), answers.target, answers.labels)
    errors = calibration_record(as_class, _exact(said), _exact(labels), {}).get("calibration", {})
    kept = {name: errors[name] for name in _LABEL_ERRORS if name in errors}
    return {"label": kept | {"rows": sum(one["rows"] for one in kept["bins"])}} if kept else {}


def _exact(rows: Floats) -> NDArray[np.float64]:
    return np.asarray(rows, np.float64)


def _tags(answers: Answers, sampling: Sampling) -> dict[str, Any]:
    output, target, limits = answers.output, answers.target, answers.limits
    return {
        "at_thresholds": {"chosen": answers.thresholds is not None, **tags.agreement(output, target, limits)},
        "per_class": _per_class(answers, sampling),
        "cooccurrence": {
            "true": _together(target > 0.5),
            "predicted": _together((output >= limits) & ~np.isnan(target)),
        },
    }


def _per_class(answers: Answers, sampling: Sampling) -> list[dict[str, Any]]:
    """The table of labels, with an interval of each one's recall."""
    head, output, target = answers.head, answers.output, answers.target
    rows = metrics.per_class(head, output, target, answers.limits)
    found: list[list[float] | None] = [None] * len(head)
    if sampling.drawing.draws:
        limits, drawing = answers.limits, sampling.drawing
        found = intervals.recalls(head, output, target, sampling.units, thresholds=limits, drawing=drawing)
    return [row | {"recall_interval": interval} for row, interval in zip(rows, found, strict=True)]


def _subgroups(answers: Answers, sampling: Sampling) -> dict[str, Any]:
    """Figures by attribute; left out without draws, since a gap without its interval says nothing."""
    if not sampling.drawing.draws:
        return {}
    given = answers.head, answers.output, answers.target, sampling.attributes, sampling.units
    found = subgroups.for_head(*given, thresholds=answers.limits, drawing=sampling.drawing, ground=answers.ground)
    return {"subgroups": found} if found else {}


def _together(said: Any) -> list[list[int]]:
    """For each pair of tags how many rows have both; on the diagonal how many have the tag."""
    counts: list[list[int]] = (said.T.astype(np.float64) @ said).astype(int).tolist()
    return counts


def _values(answers: Answers, _: Sampling) -> dict[str, Any]:
    head, output, target = answers.head, answers.output, answers.target
    scores = {name: metrics.score_columns(name, output, target, head) for name in head.metrics}
    support = (~np.isnan(target)).sum(axis=0).tolist()
    labels = enumerate(head.space.labels)
    rows = [
        {"label": label, "support": support[k]} | {name: found[k] for name, found in scores.items()}
        for k, label in labels
    ]
    return {"per_column": rows}


_PARTS = {Kind.CLASS: _classes, Kind.DISTRIBUTION: _classes, Kind.TAGS: _tags, Kind.VALUES: _values}
