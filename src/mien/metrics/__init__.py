"""Metrics over a whole set, each with its direction and the kinds of head it fits.

Outputs are what a model answers (probabilities, tag probabilities or values), targets what is true, both (N,
K) floats: one-hot rows or vote shares for CLASS, probability rows for DISTRIBUTION, 0/1 for TAGS, numbers for
VALUES, NaN where nobody annotated. Every metric is a statistic of weighted rows (`statistic.py`), so figures,
intervals and subgroups share one definition.
"""

from .registry import METRICS, Metric, MetricContext, metric_for
from .scoring import annotated, confusion, evaluate_head, per_class, present, score, score_columns, statistic
from .statistic import Array, Statistic, Weights, plain

__all__ = [
    "METRICS",
    "Array",
    "Metric",
    "MetricContext",
    "Statistic",
    "Weights",
    "annotated",
    "confusion",
    "evaluate_head",
    "metric_for",
    "per_class",
    "plain",
    "present",
    "score",
    "score_columns",
    "statistic",
]
