"""Metrics of a head over a whole set: outputs and targets (N, K) in, figures and tables of labels out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..tasks import Head, Kind
from .distributions import Distances
from .registry import METRICS, Metric, MetricContext, metric_for, undefined
from .statistic import Array, Statistic, Weights, plain, ratio

Counts = NDArray[np.int64]


def statistic(
    name: str, output: ArrayLike, target: ArrayLike, head: Head, *, ground: Distances = ()
) -> Statistic:
    """Prepare a metric of weighted rows: weights (B, N) over all rows -> (B,); rows nobody annotated do not
    count.

    TAGS: the mean over the tags for which it is defined, such as those with a positive. VALUES: over the
    columns with a number. NaN where nothing was annotated, or where the network answers NaN. `ground` (K, K):
    distances between labels, for `emd_votes`.
    """
    metric, (outputs, targets) = metric_for(name, head), _paired(output, target, head)
    context = MetricContext(head, ground)
    if head.kind.is_exclusive or metric.whole:
        return _over(metric, outputs, targets, annotated(targets, head), context)
    known = ~np.isnan(targets)
    if not np.isfinite(outputs[known]).all():
        return undefined
    columns, weighed = _columns(metric, outputs, targets, context), known.astype(np.float32)

    def mean(weights: Weights) -> Array:
        found = np.stack([column(weights) for column in columns], axis=1)
        # as if there were no other rows
        counted = ~np.isnan(found) if head.kind is Kind.TAGS else weights @ weighed > 0
        return ratio(np.where(counted, found, 0.0).sum(axis=1), counted.sum(axis=1).astype(np.float64))

    return mean


def score(name: str, output: ArrayLike, target: ArrayLike, head: Head, *, ground: Distances = ()) -> float:
    """Compute one metric of a head over the annotated rows, each counted once; NaN: undefined."""
    return plain(statistic(name, output, target, head, ground=ground), len(np.asarray(target)))


def score_columns(name: str, output: ArrayLike, target: ArrayLike, head: Head) -> list[float]:
    """Compute one metric of each column of a head of tags or values, in the order of its labels."""
    metric, (outputs, targets) = metric_for(name, head), _paired(output, target, head)
    return [plain(column, len(targets)) for column in _columns(metric, outputs, targets, MetricContext(head))]


def evaluate_head(
    head: Head, output: ArrayLike, target: ArrayLike, *, ground: Distances = ()
) -> dict[str, float]:
    """Compute every metric that the head asks for, by name. Raises ConfigError for one that does not fit."""
    return {name: score(name, output, target, head, ground=ground) for name in head.metrics}


def present(output: ArrayLike, target: ArrayLike, head: Head) -> tuple[Array, Array]:
    """Keep the annotated rows, as float64; of TAGS, VALUES those annotated in one column at least."""
    outputs, targets = _paired(output, target, head)
    kept = annotated(targets, head)
    return outputs[kept], targets[kept]


def confusion(output: Array, target: Array) -> Counts:
    """Count top labels (K, K), rows true and columns predicted; of ties the first label is the top."""
    size = target.shape[1]
    cells = target.argmax(axis=1) * size + output.argmax(axis=1)
    return np.bincount(cells, minlength=size * size).reshape(size, size)


def per_class(
    head: Head, output: ArrayLike, target: ArrayLike, thresholds: ArrayLike = 0.5
) -> list[dict[str, Any]]:
    """Describe each label: support, precision, recall, f1, average_precision and roc_auc against the rest,
    all by top label; TAGS at their thresholds (one, or (K,)), which are listed too. NaN: undefined."""
    outputs, targets = present(output, target, head)
    names = ["label", "support", "precision", "recall", "f1", "average_precision", "roc_auc"]
    if head.kind is Kind.TAGS:
        ranked, true = targets, targets > 0.5
        predicted = (outputs >= np.asarray(thresholds)) & ~np.isnan(targets)
        counts = (true & predicted).sum(axis=0), true.sum(axis=0), predicted.sum(axis=0)
    else:
        ranked, table = np.eye(len(head))[targets.argmax(axis=1)], confusion(outputs, targets)
        counts = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    hits, true_rows, predicted_rows = (count.astype(np.float64) for count in counts)
    rates = ratio(hits, predicted_rows), ratio(hits, true_rows), ratio(2 * hits, true_rows + predicted_rows)
    columns = [counts[1].tolist(), *(column.tolist() for column in rates)]
    areas = [_columns(METRICS[name], outputs, ranked, MetricContext(head)) for name in names[-2:]]
    columns += [[plain(label, len(targets)) for label in area] for area in areas]
    if head.kind is Kind.TAGS:
        names.append("threshold")
        columns.append(np.broadcast_to(np.asarray(thresholds, np.float64), (len(head),)).tolist())
    return [dict(zip(names, row, strict=True)) for row in zip(head.space.labels, *columns, strict=True)]


def annotated(targets: Array, head: Head) -> NDArray[np.bool_]:
    """Which rows (N,) count for a head: annotated in every column, for TAGS and VALUES in one at least."""
    missing = np.isnan(targets)
    return np.asarray(~(missing.any(axis=1) if head.kind.is_exclusive else missing.all(axis=1)))


def _columns(metric: Metric, outputs: Array, targets: Array, context: MetricContext) -> list[Statistic]:
    columns = zip(outputs.T, targets.T, ~np.isnan(targets).T, strict=True)
    return [_over(metric, output, target, known, context) for output, target, known in columns]


def _over(
    metric: Metric, output: Array, target: Array, kept: NDArray[np.bool_], context: MetricContext
) -> Statistic:
    """The statistic of the rows that are kept, as one of all rows."""
    if not kept.any() or not np.isfinite(output[kept]).all():
        return undefined
    inner = metric.prepare(output[kept], target[kept], *((context,) if metric.needs_context else ()))
    return inner if kept.all() else lambda weights: inner(weights[:, kept])


def _paired(output: ArrayLike, target: ArrayLike, head: Head) -> tuple[Array, Array]:
    outputs, targets = np.asarray(output, np.float64), np.asarray(target, np.float64)
    if outputs.shape != targets.shape or outputs.shape[1:] != (len(head),):
        shapes = f"outputs {outputs.shape} and targets {targets.shape}"
        raise ValueError(f"head '{head.name}': {shapes}, must be (N, {len(head)})")
    return outputs, targets
