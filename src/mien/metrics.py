"""Metrics over a whole set, each with its direction and the kinds of head it fits.

Outputs are what a model answers (probabilities, tag probabilities or values), targets what is true, both (N, K) floats: one-hot
rows or vote shares for CLASS, probability rows for DISTRIBUTION, 0/1 for TAGS, numbers for VALUES, NaN where nobody annotated.
`score` and `evaluate_head` drop what is missing; the functions below them expect whole arrays: (N, K) for CLASS and
DISTRIBUTION, one column (N,) at a time for TAGS and VALUES. Logarithms are natural; what is undefined is NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import ConfigError, lookup
from .extras import require
from .tasks import Head, Kind

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
_TINY = 1e-12
_SOFTMAX = (Kind.CLASS, Kind.DISTRIBUTION)
_TAGS, _VALUES = (Kind.TAGS,), (Kind.VALUES,)


def confusion(output: Array, target: Array) -> Counts:
    """Counts (K, K) of top labels, rows true and columns predicted. Of labels that tie, the first one is the top."""
    size = target.shape[1]
    cells = target.argmax(axis=1) * size + output.argmax(axis=1)
    return np.bincount(cells, minlength=size * size).reshape(size, size)


def accuracy(output: Array, target: Array) -> float:
    """Share of rows whose top label is the true one."""
    return float(np.mean(output.argmax(axis=1) == target.argmax(axis=1)))


def balanced_accuracy(output: Array, target: Array) -> float:
    """Mean recall over the classes that occur in the targets."""
    return float(np.nanmean(_rates(*_counts(output, target))[1]))


def macro_f1(output: Array, target: Array) -> float:
    """Mean F1 over the classes that occur in the targets or the predictions (as scikit-learn has it)."""
    return float(np.nanmean(_rates(*_counts(output, target))[2]))


def kappa(output: Array, target: Array) -> float:
    """Cohen's kappa: agreement beyond chance, -1…1."""
    table = confusion(output, target)
    total = table.sum()
    expected = float((table.sum(axis=0) * table.sum(axis=1)).sum() / total**2)
    return _ratio(float(np.trace(table) / total) - expected, 1 - expected)


def log_loss(output: Array, target: Array) -> float:
    """Mean -ln of the probability given to the true (top) label, clipped at 1e-12."""
    chosen = np.take_along_axis(output, target.argmax(axis=1)[:, None], axis=1)
    return float(-np.log(np.maximum(chosen, _TINY)).mean())


def kl(output: Array, target: Array) -> float:
    """Kullback-Leibler divergence Σ q ln(q / p) of prediction p from target q, p clipped at 1e-12."""
    return float(_kl_rows(target, output).mean())


def js(output: Array, target: Array) -> float:
    """Jensen-Shannon divergence: mean divergence of both from their middle, 0…ln 2."""
    middle = (output + target) / 2
    return float((_kl_rows(target, middle) + _kl_rows(output, middle)).mean() / 2)


def tvd(output: Array, target: Array) -> float:
    """Total variation distance ½ Σ |p - q|, 0…1."""
    return float(np.abs(output - target).sum(axis=1).mean() / 2)


def mse(output: Array, target: Array) -> float:
    """Mean over rows and labels of (p - q)²; times K it is the Brier score."""
    return float(np.square(output - target).mean())


def chebyshev(output: Array, target: Array) -> float:
    """Largest |p - q| of a row, 0…1."""
    return float(np.abs(output - target).max(axis=1).mean())


def cosine(output: Array, target: Array) -> float:
    """Cosine similarity p·q / (‖p‖ ‖q‖), 0…1."""
    lengths = np.linalg.norm(output, axis=1) * np.linalg.norm(target, axis=1)
    return float(((output * target).sum(axis=1) / lengths).mean())


def intersection(output: Array, target: Array) -> float:
    """Shared mass Σ min(p, q) = 1 - TVD, 0…1."""
    return float(np.minimum(output, target).sum(axis=1).mean())


def emd(output: Array, target: Array, head: Head) -> float:
    """Earth mover's distance: exact W1 over distances in valence and arousal; a linear programme per row."""
    emd2, distances = require("ot", "evaluate").emd2, np.array(head.space.distances(axes=2))
    p, q = (rows / rows.sum(axis=1, keepdims=True) for rows in (output, target))
    return float(np.mean([emd2(a, b, distances) for a, b in zip(p, q, strict=True)]))


def rmse(output: Array, target: Array) -> float:
    """Root of the mean squared error of one column, in its own unit."""
    return float(np.sqrt(np.square(output - target).mean()))


def mae(output: Array, target: Array) -> float:
    """Mean absolute error of one column, in its own unit."""
    return float(np.abs(output - target).mean())


def pearson(output: Array, target: Array) -> float:
    """Pearson's correlation of one column, -1…1; undefined where either side is constant."""
    if np.ptp(output) == 0 or np.ptp(target) == 0:
        return float("nan")
    return _ratio(_covariance(output, target), float(output.std() * target.std()))


def ccc(output: Array, target: Array) -> float:
    """Lin's concordance 2 cov / (var x + var y + (mean x - mean y)²) of one column, -1…1, with population moments."""
    spread = output.var() + target.var() + (output.mean() - target.mean()) ** 2
    return _ratio(2 * _covariance(output, target), float(spread))


def sagr(output: Array, target: Array, head: Head) -> float:
    """Sign agreement: share of one column on the same side of the middle of the head's bounds (0 for -1…1)."""
    middle = sum(head.bounds) / 2
    return float(np.mean(np.sign(output - middle) == np.sign(target - middle)))


def average_precision(output: Array, target: Array) -> float:
    """Area under precision against recall of one tag, a step at each threshold; undefined without a positive."""
    average = require("sklearn.metrics", "evaluate").average_precision_score
    return float(average(target, output)) if target.any() else float("nan")


@dataclass(frozen=True)
class Metric:
    """A number that says how good a set of outputs is.

    `function(output, target)` takes whole arrays; with `needs_head` the head is its third argument.
    """

    name: str
    function: Callable[..., float]
    higher_is_better: bool
    kinds: tuple[Kind, ...]
    needs_head: bool = False


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", accuracy, True, _SOFTMAX),
        Metric("balanced_accuracy", balanced_accuracy, True, _SOFTMAX),
        Metric("macro_f1", macro_f1, True, _SOFTMAX),
        Metric("kappa", kappa, True, _SOFTMAX),
        Metric("log_loss", log_loss, False, _SOFTMAX),
        Metric("kl", kl, False, _SOFTMAX),
        Metric("js", js, False, _SOFTMAX),
        Metric("tvd", tvd, False, _SOFTMAX),
        Metric("mse", mse, False, _SOFTMAX),
        Metric("emd", emd, False, _SOFTMAX, needs_head=True),
        Metric("chebyshev", chebyshev, False, _SOFTMAX),
        Metric("cosine", cosine, True, _SOFTMAX),
        Metric("intersection", intersection, True, _SOFTMAX),
        Metric("top_label_accuracy", accuracy, True, _SOFTMAX),
        Metric("average_precision", average_precision, True, _TAGS),
        Metric("rmse", rmse, False, _VALUES),
        Metric("mae", mae, False, _VALUES),
        Metric("pearson", pearson, True, _VALUES),
        Metric("ccc", ccc, True, _VALUES),
        Metric("sagr", sagr, True, _VALUES, needs_head=True),
    )
}


def metric_for(name: str, head: Head) -> Metric:
    """The metric of that name. Raises ConfigError where there is none or it does not fit the head."""
    metric = lookup(METRICS, name, "metric")
    if head.kind not in metric.kinds:
        fitting = ", ".join(sorted(other.name for other in METRICS.values() if head.kind in other.kinds))
        raise ConfigError(f"metric '{name}' does not fit head '{head.name}' of kind {head.kind} (these do: {fitting})")
    return metric


def score(name: str, output: ArrayLike, target: ArrayLike, head: Head) -> float:
    """One metric of one head over what was annotated; NaN where nothing was, or where the network answers NaN.

    TAGS, VALUES: the mean over the tags with a positive, over the columns with a number.
    """
    if head.kind in _SOFTMAX:
        return _apply(metric_for(name, head), *present(output, target, head), head)
    targets = np.asarray(target, np.float64)
    counted = (targets > 0.5 if head.kind is Kind.TAGS else ~np.isnan(targets)).any(axis=0)
    values = np.array(score_columns(name, output, target, head))[counted]
    return float(values.mean()) if len(values) else float("nan")


def score_columns(name: str, output: ArrayLike, target: ArrayLike, head: Head) -> list[float]:
    """One metric of each column of a head of tags or values, in the order of its labels."""
    metric, (outputs, targets) = metric_for(name, head), _paired(output, target, head)
    known = ~np.isnan(targets)
    return [_apply(metric, outputs[known[:, k], k], targets[known[:, k], k], head) for k in range(len(head))]


def evaluate_head(head: Head, output: ArrayLike, target: ArrayLike) -> dict[str, float]:
    """Every metric the head asks for, by name, over what was annotated. Raises ConfigError for one that does not fit."""
    return {name: score(name, output, target, head) for name in head.metrics}


def present(output: ArrayLike, target: ArrayLike, head: Head) -> tuple[Array, Array]:
    """Outputs and targets of the rows that were annotated, as float64; TAGS, VALUES: where at least one column was."""
    outputs, targets = _paired(output, target, head)
    missing = np.isnan(targets)
    kept = ~(missing.any(axis=1) if head.kind in _SOFTMAX else missing.all(axis=1))
    return outputs[kept], targets[kept]


def per_class(head: Head, output: ArrayLike, target: ArrayLike, thresholds: ArrayLike = 0.5) -> list[dict[str, Any]]:
    """For each label: support, precision, recall, f1, by top label; TAGS at their thresholds (one, or (K,)), which are said
    too, with average_precision. NaN: undefined."""
    outputs, targets = present(output, target, head)
    names = ["label", "support", "precision", "recall", "f1"]
    if head.kind is Kind.TAGS:
        true, said = targets > 0.5, (outputs >= np.asarray(thresholds)) & ~np.isnan(targets)
        counts = (true & said).sum(axis=0), true.sum(axis=0), said.sum(axis=0)
    else:
        counts = _counts(outputs, targets)
    columns = [column.tolist() for column in (counts[1], *_rates(*counts))]
    if head.kind is Kind.TAGS:
        names += ["average_precision", "threshold"]
        columns.append(score_columns("average_precision", outputs, targets, head))
        columns.append(np.broadcast_to(np.asarray(thresholds, np.float64), (len(head),)).tolist())
    return [dict(zip(names, row, strict=True)) for row in zip(head.space.labels, *columns, strict=True)]


def entropy(target: ArrayLike) -> float:
    """Mean entropy of probability rows in nats: the least soft cross-entropy any prediction can reach (KL plus this)."""
    rows = np.asarray(target, np.float64)
    return float(-_xlogy(rows, rows).sum(axis=1).mean())


def _paired(output: ArrayLike, target: ArrayLike, head: Head) -> tuple[Array, Array]:
    outputs, targets = np.asarray(output, np.float64), np.asarray(target, np.float64)
    if outputs.shape != targets.shape or outputs.shape[1:] != (len(head),):
        raise ValueError(
            f"head '{head.name}': outputs {outputs.shape} and targets {targets.shape}, must be (N, {len(head)})"
        )
    return outputs, targets


def _apply(metric: Metric, output: Array, target: Array, head: Head) -> float:
    if not len(target) or not np.isfinite(output).all():
        return float("nan")
    return metric.function(output, target, *((head,) if metric.needs_head else ()))


def _counts(output: Array, target: Array) -> tuple[Counts, Counts, Counts]:
    """For each class the rows that were hit, that are truly of it and that were said to be."""
    table = confusion(output, target)
    return np.diag(table), table.sum(axis=1), table.sum(axis=0)


def _rates(hits: Counts, true: Counts, said: Counts) -> tuple[Array, Array, Array]:
    """Precision, recall and F1 of each class; NaN where a class does not occur."""
    with np.errstate(invalid="ignore"):
        return hits / said, hits / true, 2 * hits / (true + said)


def _kl_rows(q: Array, p: Array) -> Array:
    return np.asarray((_xlogy(q, q) - _xlogy(q, p)).sum(axis=1))


def _xlogy(x: Array, y: Array) -> Array:
    """x ln y with y clipped at 1e-12, and 0 where x is 0."""
    return x * np.log(np.maximum(y, _TINY))


def _covariance(x: Array, y: Array) -> float:
    return float(((x - x.mean()) * (y - y.mean())).mean())


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
