"""Metrics over a whole set, each with its direction and the kinds of head it fits.

Outputs are what a model answers (probabilities, tag probabilities or values), targets what is true, both (N, K) floats: one-hot
rows or vote shares for CLASS, probability rows for DISTRIBUTION, 0/1 for TAGS, numbers for VALUES, NaN where nobody annotated.
Every metric is a statistic of weighted rows (`statistic.py`), so figures, intervals and subgroups share one definition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError, lookup
from ..tasks import Head, Kind
from . import calibration, distributions, labels, ranking, values
from .statistic import Array, Statistic, Weights, plain, ratio

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Metric:
    """A number that says how good a set of outputs is.

    `prepare(output, target)` takes annotated rows, for TAGS and VALUES one column (N,) at a time unless `whole`; with
    `needs_head` the head is its third argument. `noise`: which power of the metric
    noise alone adds to, since it cannot be negative; 2 for a mean of sizes of differences, 1 for one of squares, else 0.
    """

    name: str
    prepare: Callable[..., Statistic]
    higher_is_better: bool
    kinds: tuple[Kind, ...] = (Kind.CLASS, Kind.DISTRIBUTION)
    needs_head: bool = False
    whole: bool = False
    noise: int = 0


def _emd(output: Array, target: Array, head: Head, axes: int = 2) -> Statistic:
    return distributions.emd(output, target, head.space.distances(axes))


def _emd_votes(output: Array, target: Array, head: Head) -> Statistic:
    return distributions.emd(output, target, head.ground) if head.ground else _undefined


def _emd_index(output: Array, target: Array) -> Statistic:
    places = range(target.shape[1])
    return distributions.emd(output, target, tuple(tuple(float(abs(i - j)) for j in places) for i in places))


_TAGS, _VALUES = (Kind.TAGS,), (Kind.VALUES,)
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", labels.accuracy, True),
        Metric("balanced_accuracy", labels.balanced_accuracy, True),
        Metric("top_3_accuracy", labels.top_3, True),
        Metric("macro_precision", labels.macro_precision, True),
        Metric("weighted_precision", labels.weighted_precision, True),
        Metric("macro_f1", labels.macro_f1, True),
        Metric("weighted_f1", labels.weighted_f1, True),
        Metric("kappa", labels.kappa, True),
        Metric("mcc", labels.mcc, True),
        Metric("macro_roc_auc", labels.roc_auc, True),
        Metric("macro_pr_auc", labels.pr_auc, True),
        Metric("log_loss", labels.log_loss, False),
        Metric("top_label_accuracy", labels.accuracy, True),
        Metric("kl", distributions.kl, False),
        Metric("js", distributions.js, False),
        Metric("l1", distributions.l1, False),
        Metric("tvd", distributions.tvd, False),
        Metric("mse", distributions.mse, False),
        Metric("brier", distributions.brier, False),
        Metric("emd", _emd, False, needs_head=True),
        Metric("emd_vad", partial(_emd, axes=3), False, needs_head=True),
        Metric("emd_votes", _emd_votes, False, needs_head=True),
        Metric("emd_index", _emd_index, False),
        Metric("chebyshev", distributions.chebyshev, False),
        Metric("clark", distributions.clark, False),
        Metric("canberra", distributions.canberra, False),
        Metric("cosine", distributions.cosine, True),
        Metric("intersection", distributions.intersection, True),
        Metric("rps", distributions.rps, False),
        Metric("entropy_error", distributions.entropy_error, False),
        Metric("ece", calibration.ece, False, noise=2),
        Metric("ece_equal_width", calibration.ece_equal_width, False, noise=2),
        Metric("classwise_ece", calibration.classwise_ece, False, noise=2),
        Metric("vote_ece", calibration.vote_ece, False, noise=2),
        Metric("brier_reliability", calibration.brier_reliability, False, noise=1),
        Metric("brier_resolution", calibration.brier_resolution, True, noise=1),
        Metric("aurc", calibration.aurc, False),
        Metric("average_precision", ranking.average_precision, True, _TAGS),
        Metric("roc_auc", ranking.roc_auc, True, _TAGS),
        Metric("ranking_loss", ranking.ranking_loss, False, _TAGS, whole=True),
        Metric("rmse", values.rmse, False, _VALUES),
        Metric("mae", values.mae, False, _VALUES),
        Metric("pearson", values.pearson, True, _VALUES),
        Metric("ccc", values.ccc, True, _VALUES),
        Metric("icc", values.icc, True, _VALUES),
        Metric("sagr", values.sagr, True, _VALUES, needs_head=True),
    )
}


def metric_for(name: str, head: Head) -> Metric:
    """The metric of that name. Raises ConfigError where there is none or it does not fit the head."""
    metric = lookup(METRICS, name, "metric")
    if head.kind not in metric.kinds:
        fitting = ", ".join(sorted(other.name for other in METRICS.values() if head.kind in other.kinds))
        raise ConfigError(f"metric '{name}' does not fit head '{head.name}' of kind {head.kind} (these do: {fitting})")
    return metric


def statistic(name: str, output: ArrayLike, target: ArrayLike, head: Head) -> Statistic:
    """A metric of weighted rows: weights (B, N) over all rows given -> (B,); rows nobody annotated count nowhere.

    TAGS: the mean over the tags for which it is defined, such as those with a positive. VALUES: over the columns with a number.
    NaN where nothing was annotated, or where the network answers NaN.
    """
    metric, (outputs, targets) = metric_for(name, head), _paired(output, target, head)
    if head.kind.is_exclusive or metric.whole:
        return _over(metric, outputs, targets, _kept(targets, head), head)
    known = ~np.isnan(targets)
    if not np.isfinite(outputs[known]).all():
        return _undefined
    columns, annotated = _columns(metric, outputs, targets, head), known.astype(np.float32)

    def mean(weights: Weights) -> Array:
        found = np.stack([column(weights) for column in columns], axis=1)
        counted = (
            ~np.isnan(found) if head.kind is Kind.TAGS else weights @ annotated > 0
        )  # as these rows alone would have it
        return ratio(np.where(counted, found, 0.0).sum(axis=1), counted.sum(axis=1).astype(np.float64))

    return mean


def score(name: str, output: ArrayLike, target: ArrayLike, head: Head) -> float:
    """One metric of one head over what was annotated, each row counted once."""
    return plain(statistic(name, output, target, head), len(np.asarray(target)))


def score_columns(name: str, output: ArrayLike, target: ArrayLike, head: Head) -> list[float]:
    """One metric of each column of a head of tags or values, in the order of its labels."""
    metric, (outputs, targets) = metric_for(name, head), _paired(output, target, head)
    return [plain(column, len(targets)) for column in _columns(metric, outputs, targets, head)]


def evaluate_head(head: Head, output: ArrayLike, target: ArrayLike) -> dict[str, float]:
    """Every metric the head asks for, by name, over what was annotated. Raises ConfigError for one that does not fit."""
    return {name: score(name, output, target, head) for name in head.metrics}


def present(output: ArrayLike, target: ArrayLike, head: Head) -> tuple[Array, Array]:
    """Outputs and targets of the rows that were annotated, as float64; TAGS, VALUES: where at least one column was."""
    outputs, targets = _paired(output, target, head)
    kept = _kept(targets, head)
    return outputs[kept], targets[kept]


def confusion(output: Array, target: Array) -> Counts:
    """Counts (K, K) of top labels, rows true and columns predicted. Of labels that tie, the first one is the top."""
    size = target.shape[1]
    cells = target.argmax(axis=1) * size + output.argmax(axis=1)
    return np.bincount(cells, minlength=size * size).reshape(size, size)


def per_class(head: Head, output: ArrayLike, target: ArrayLike, thresholds: ArrayLike = 0.5) -> list[dict[str, Any]]:
    """For each label: support, precision, recall, f1, average_precision and roc_auc against the rest, all by top label; TAGS at
    their thresholds (one, or (K,)), which are said too. NaN: undefined."""
    outputs, targets = present(output, target, head)
    names = ["label", "support", "precision", "recall", "f1", "average_precision", "roc_auc"]
    if head.kind is Kind.TAGS:
        ranked, true, said = targets, targets > 0.5, (outputs >= np.asarray(thresholds)) & ~np.isnan(targets)
        counts = (true & said).sum(axis=0), true.sum(axis=0), said.sum(axis=0)
    else:
        ranked, table = np.eye(len(head))[targets.argmax(axis=1)], confusion(outputs, targets)
        counts = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    hits, true_rows, said_rows = (count.astype(np.float64) for count in counts)
    rates = ratio(hits, said_rows), ratio(hits, true_rows), ratio(2 * hits, true_rows + said_rows)
    columns = [counts[1].tolist(), *(column.tolist() for column in rates)]
    areas = [_columns(METRICS[name], outputs, ranked, head) for name in names[-2:]]
    columns += [[plain(one, len(targets)) for one in area] for area in areas]
    if head.kind is Kind.TAGS:
        names.append("threshold")
        columns.append(np.broadcast_to(np.asarray(thresholds, np.float64), (len(head),)).tolist())
    return [dict(zip(names, row, strict=True)) for row in zip(head.space.labels, *columns, strict=True)]


def entropy(target: ArrayLike) -> float:
    """Mean entropy of probability rows in nats: the least soft cross-entropy any prediction can reach (KL plus this)."""
    return float(distributions.entropies(target).mean())


def _kept(targets: Array, head: Head) -> NDArray[np.bool_]:
    missing = np.isnan(targets)
    return np.asarray(~(missing.any(axis=1) if head.kind.is_exclusive else missing.all(axis=1)))


def _columns(metric: Metric, outputs: Array, targets: Array, head: Head) -> list[Statistic]:
    known = ~np.isnan(targets)
    return [_over(metric, outputs[:, k], targets[:, k], known[:, k], head) for k in range(targets.shape[1])]


def _over(metric: Metric, output: Array, target: Array, kept: NDArray[np.bool_], head: Head) -> Statistic:
    """The statistic of the rows that are kept, as one of all rows."""
    if not kept.any() or not np.isfinite(output[kept]).all():
        return _undefined
    inner = metric.prepare(output[kept], target[kept], *((head,) if metric.needs_head else ()))
    return inner if kept.all() else lambda weights: inner(weights[:, kept])


def _undefined(weights: Weights) -> Array:
    return np.full(len(weights), np.nan)


def _paired(output: ArrayLike, target: ArrayLike, head: Head) -> tuple[Array, Array]:
    outputs, targets = np.asarray(output, np.float64), np.asarray(target, np.float64)
    if outputs.shape != targets.shape or outputs.shape[1:] != (len(head),):
        raise ValueError(
            f"head '{head.name}': outputs {outputs.shape} and targets {targets.shape}, must be (N, {len(head)})"
        )
    return outputs, targets
