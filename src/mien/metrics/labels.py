"""Figures of top labels and of class probabilities: outputs and targets (N, K), one-hot or vote shares."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import ranking
from .statistic import TINY, Array, Statistic, mean, of_tables, ratio


def accuracy(output: Array, target: Array) -> Statistic:
    """Share of rows whose top label is the true one."""
    return mean((output.argmax(axis=1) == target.argmax(axis=1)).astype(np.float64))


def top_3(output: Array, target: Array) -> Statistic:
    """Share of rows whose true top label is among the three likeliest; of ties the first ones count."""
    best = np.argsort(-output, axis=1, kind="stable")[:, :3]
    return mean((best == target.argmax(axis=1)[:, None]).any(axis=1).astype(np.float64))


def balanced_accuracy(output: Array, target: Array) -> Statistic:
    """Mean recall over the classes that occur in the targets."""
    return of_tables(output, target, lambda tables: _mean(rates(tables)[1]))


def macro_precision(output: Array, target: Array) -> Statistic:
    """Mean precision over the classes in targets or predictions; 0 for one that is never predicted."""
    return of_tables(output, target, lambda tables: _mean(_known(tables, rates(tables)[0])))


def weighted_precision(output: Array, target: Array) -> Statistic:
    """Mean precision of the classes weighted by support; 0 for one that is never predicted."""
    return of_tables(output, target, lambda tables: _by_support(tables, rates(tables)[0]))


def macro_f1(output: Array, target: Array) -> Statistic:
    """Mean F1 over the classes that occur in the targets or the predictions (as scikit-learn has it)."""
    return of_tables(output, target, lambda tables: _mean(rates(tables)[2]))


def weighted_f1(output: Array, target: Array) -> Statistic:
    """Mean F1 of the classes, each weighted by how often it is true."""
    return of_tables(output, target, lambda tables: _by_support(tables, rates(tables)[2]))


def kappa(output: Array, target: Array) -> Statistic:
    """Cohen's kappa: agreement beyond chance, -1…1."""

    def figure(tables: Array) -> Array:
        total = tables.sum(axis=(1, 2))
        expected = ratio((tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1), total**2)
        return ratio(ratio(np.trace(tables, axis1=1, axis2=2), total) - expected, 1 - expected)

    return of_tables(output, target, figure)


def mcc(output: Array, target: Array) -> Statistic:
    """Matthews correlation of several classes (Gorodkin 2004), -1…1; 0 where one side is constant."""

    def figure(tables: Array) -> Array:
        total, predicted, true = tables.sum(axis=(1, 2)), tables.sum(axis=1), tables.sum(axis=2)
        shared = np.trace(tables, axis1=1, axis2=2) * total - (predicted * true).sum(axis=1)
        spread = np.sqrt(_variety(predicted) * _variety(true))
        return np.where((spread == 0) & (total > 0), 0.0, ratio(shared, spread))

    return of_tables(output, target, figure)


def log_loss(output: Array, target: Array) -> Statistic:
    """Mean -ln of the probability given to the true (top) label, clipped at 1e-12."""
    chosen = np.take_along_axis(output, target.argmax(axis=1)[:, None], axis=1)[:, 0]
    return mean(-np.log(np.maximum(chosen, TINY)))


def roc_auc(output: Array, target: Array) -> Statistic:
    """Area under the ROC curve, each class against the rest by top label, mean over the defined ones."""
    return _one_against_rest(output, target, ranking.roc_auc)


def pr_auc(output: Array, target: Array) -> Statistic:
    """Average precision, each class against the rest by top label, mean over the classes that occur."""
    return _one_against_rest(output, target, ranking.average_precision)


def _one_against_rest(output: Array, target: Array, figure: Callable[[Array, Array], Statistic]) -> Statistic:
    true = target.argmax(axis=1)
    parts = [figure(column, (true == k).astype(np.float64)) for k, column in enumerate(output.T)]
    return lambda weights: _mean(np.stack([part(weights) for part in parts], axis=1))


def rates(tables: Array) -> tuple[Array, Array, Array]:
    """Precision, recall and F1 (B, K) of confusion matrices (B, K, K); NaN where a class does not occur."""
    hits, true, predicted = np.diagonal(tables, axis1=1, axis2=2), tables.sum(axis=2), tables.sum(axis=1)
    return ratio(hits, predicted), ratio(hits, true), ratio(2 * hits, true + predicted)


def _variety(counts: Array) -> Array:
    """(Σ n)² - Σ n² of class counts (B, K): 0 where all rows are of one class."""
    return np.asarray(np.maximum(counts.sum(axis=1) ** 2 - (counts**2).sum(axis=1), 0))


def _known(tables: Array, values: Array) -> Array:
    """Values of the classes that occur on either side, 0 where undefined; NaN for the others."""
    occurs = (tables.sum(axis=1) + tables.sum(axis=2)) > 0
    return np.where(occurs, np.nan_to_num(values), np.nan)


def _by_support(tables: Array, values: Array) -> Array:
    return ratio((np.nan_to_num(values) * tables.sum(axis=2)).sum(axis=1), tables.sum(axis=(1, 2)))


def _mean(values: Array) -> Array:
    """The mean of what is defined (B,); NaN where nothing is."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=1), defined.sum(axis=1).astype(np.float64))
