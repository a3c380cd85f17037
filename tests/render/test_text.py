"""Numbers and names as people read them."""

from __future__ import annotations

import math

import pytest

from mien.metrics import METRICS
from mien.render import text


@pytest.mark.parametrize(
    ("value", "metric", "written"),
    [
        (0.6564, "accuracy", "65.6\N{NO-BREAK SPACE}%"),
        (0.33149, "kl", "0.331"),
        (-0.5, "ccc", "−0.500"),
        (-0.0001, "ccc", "0.000"),
        (2.0, "own_metric", "2.000"),
        (None, "kl", "–"),
        (math.nan, "accuracy", "–"),
    ],
)
def test_a_metrics_value(value: float | None, metric: str, written: str) -> None:
    assert text.format_metric(value, metric) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (48.2, "48 s"),
        (754, "13 min"),
        (3600, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (None, "–"),
        (math.inf, "–"),
    ],
)
def test_duration(seconds: float | None, written: str) -> None:
    assert text.duration(seconds) == written


@pytest.mark.parametrize(
    ("interval", "metric", "written"),
    [
        ((0.641, 0.67), "accuracy", "64.1 to 67.0\N{NO-BREAK SPACE}%"),
        ((-0.1, 0.25), "ccc", "−0.100 to 0.250"),
        ((0.1, math.nan), "ccc", ""),
        (None, "kl", ""),
    ],
)
def test_intervals(interval: tuple[float, float] | None, metric: str, written: str) -> None:
    assert text.between(interval, metric) == written


def test_numbers() -> None:
    assert text.number(28709) == "28,709"
    assert text.number("some") == "some"
    assert text.percent(0.125) == "12\N{NO-BREAK SPACE}%"
    assert text.percent(-0.125) == "−12\N{NO-BREAK SPACE}%"
    assert text.percent(math.nan) == "–"


def test_every_metric_has_a_name_and_a_meaning() -> None:
    assert all(metric.title and metric.meaning and metric.unit in ("", "%") for metric in METRICS.values())
    assert len({metric.title for metric in METRICS.values()}) == len(METRICS)
    assert text.title("macro_f1") == "Macro F1"
    assert text.title("my_metric") == "My metric"
    assert text.meaning("kl")
    assert text.meaning("my_metric") == ""
