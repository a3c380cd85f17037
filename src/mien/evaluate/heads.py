"""One head's part of `results.json`: its metrics, and the baselines that each is held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
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
class Resampling:
    """How rows are drawn and grouped: `clusters` (N,) as in `intervals.sample`, a text per row and attribute.

    Without draws of the `bootstrap` there are neither intervals nor subgroups.
    """

    clusters: NDArray[np.intp]
    bootstrap: intervals.BootstrapSettings
    attributes: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class HeadData:
    """A head with the labels compared, and its data on the rows scored, (N, K), NaN where nobody annotated.

    `votes` as they were cast · `training`: targets for baselines, of the split `training_split` · `metadata`:
    the model's description, {} where only some of its labels are compared · `same`: calibrated on these rows
    · `predicted`: shares of votes, also where `output` holds chances · `labels`: what votes amount to.
    """

    head: Head
    output: Floats
    target: Floats
    votes: Floats
    training: Floats
    training_split: str
    thresholds: Mapping[str, float] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    same: bool = False
    predicted: Floats | None = None
    labels: Floats | None = None

    @cached_property
    def ground(self) -> Distances:
        """The distances between labels by the training votes, for `emd_votes`; () without votes."""
        return vote_distances(self.training) if self.head.kind is Kind.DISTRIBUTION else ()

    @property
    def limits(self) -> NDArray[np.float64]:
        """From which probability (K,) on each tag applies."""
        return tags.in_order(self.head, self.thresholds or {})


def results(data: HeadData, sampling: Resampling) -> dict[str, Any]:
    """Score one head: its record in `results.json`."""
    whole = replace(data, head=replace(data.head, metrics=data.head.reported))
    head, output, target = whole.head, whole.output, whole.target
    record = {
        "rows": len(metrics.present(output, target, head)[1]),
        "metrics": _metrics(whole, sampling),
        "references": baselines.for_head(head, target, data.training, data.votes, ground=data.ground),
        "references_from": data.training_split,
    }
    return record | _PARTS[head.kind](whole, sampling) | _subgroups(data, sampling)


def _metrics(data: HeadData, sampling: Resampling) -> dict[str, Any]:
    """Value, direction and interval of each metric; each is prepared once, since some are slow."""
    head, rows = data.head, len(data.target)
    prepare = partial(metrics.statistic, ground=data.ground)
    statistics = {name: prepare(name, data.output, data.target, head) for name in head.metrics}
    found, bootstrap = {}, sampling.bootstrap
    if bootstrap.draws:
        found = intervals.of_metrics(statistics, sampling.clusters, bootstrap)
    return {
        name: {
            "value": plain(statistic, rows),
            "higher_is_better": metrics.METRICS[name].higher_is_better,
            "interval": found.get(name),
        }
        for name, statistic in statistics.items()
    }


def _classes(data: HeadData, sampling: Resampling) -> dict[str, Any]:
    head = data.head
    output, target = metrics.present(data.output, data.target, head)
    return {
        "per_class": _per_class(data, sampling),
        "confusion": metrics.confusion(output, target).tolist(),
        **({"ground": [list(row) for row in data.ground]} if data.ground else {}),
        **_certainty(data),
    }


def _certainty(data: HeadData) -> dict[str, Any]:
    """How far probabilities can be trusted; for votes also the confidence in the label they amount to."""
    head = data.head
    output, target = _exact(data.output), _exact(data.target)
    sets_of = None if data.predicted is None else _exact(data.predicted)
    record = calibration_record(head, output, target, data.metadata, same=data.same, sets_of=sets_of)
    temperature = data.metadata.get("label_temperature", {}).get(head.name)
    if temperature is not None and record:
        record["calibration"]["label_temperature"] = temperature
        record["calibration"] |= _label(data, temperature)
    return record


def _label(data: HeadData, temperature: float) -> dict[str, Any]:
    """Errors and reliability of the confidence in the label, where votes were scored."""
    if data.labels is None:
        return {}
    as_class = replace(data.head, kind=Kind.CLASS)
    chances = scaling.temperature_scaling(temperature, len(as_class)).apply(data.output)
    labels = np.where(np.isnan(data.target), data.target, data.labels)
    errors = calibration_record(as_class, _exact(chances), _exact(labels), {}).get("calibration", {})
    kept = {name: errors[name] for name in _LABEL_ERRORS if name in errors}
    return {"label": kept | {"rows": sum(found["rows"] for found in kept["bins"])}} if kept else {}


def _exact(rows: Floats) -> NDArray[np.float64]:
    return np.asarray(rows, np.float64)


def _tags(data: HeadData, sampling: Resampling) -> dict[str, Any]:
    output, target, limits = data.output, data.target, data.limits
    return {
        "at_thresholds": {"chosen": data.thresholds is not None, **tags.agreement(output, target, limits)},
        "per_class": _per_class(data, sampling),
        "cooccurrence": {
            "true": _together(target > 0.5),
            "predicted": _together((output >= limits) & ~np.isnan(target)),
        },
    }


def _per_class(data: HeadData, sampling: Resampling) -> list[dict[str, Any]]:
    """The table of labels, with an interval of each one's recall."""
    head, output, target = data.head, data.output, data.target
    rows = metrics.per_class(head, output, target, data.limits)
    found: list[list[float] | None] = [None] * len(head)
    if sampling.bootstrap.draws:
        options: Any = {"thresholds": data.limits, "settings": sampling.bootstrap}
        found = intervals.recalls(head, output, target, sampling.clusters, **options)
    return [row | {"recall_interval": interval} for row, interval in zip(rows, found, strict=True)]


def _subgroups(data: HeadData, sampling: Resampling) -> dict[str, Any]:
    """Figures by attribute; left out without draws, since a gap without its interval says nothing."""
    if not sampling.bootstrap.draws:
        return {}
    rows = data.head, data.output, data.target, sampling.attributes, sampling.clusters
    found = subgroups.for_head(*rows, thresholds=data.limits, settings=sampling.bootstrap, ground=data.ground)
    return {"subgroups": found} if found else {}


def _together(tagged: Any) -> list[list[int]]:
    """For each pair of tags how many rows have both; on the diagonal how many have the tag."""
    counts: list[list[int]] = (tagged.T.astype(np.float64) @ tagged).astype(int).tolist()
    return counts


def _values(data: HeadData, _: Resampling) -> dict[str, Any]:
    head, output, target = data.head, data.output, data.target
    scores = {name: metrics.score_columns(name, output, target, head) for name in head.metrics}
    support = (~np.isnan(target)).sum(axis=0).tolist()
    labels = enumerate(head.space.labels)
    rows = [
        {"label": label, "support": support[k]} | {name: found[k] for name, found in scores.items()}
        for k, label in labels
    ]
    return {"per_column": rows}


_PARTS = {Kind.CLASS: _classes, Kind.DISTRIBUTION: _classes, Kind.TAGS: _tags, Kind.VALUES: _values}
