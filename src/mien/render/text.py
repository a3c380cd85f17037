"""Text for people: what a metric is called and means, and how numbers are written."""

import math
from typing import Any

from ..metrics import METRICS

_PERCENT = "\N{NO-BREAK SPACE}%"


def title(metric: str) -> str:
    """Name a metric as its table does, or from its key where it is not known here."""
    return METRICS[metric].title if metric in METRICS else metric.replace("_", " ").capitalize()


def meaning(metric: str) -> str:
    """Say what a metric measures, in a few words; '' where it is not known here."""
    return METRICS[metric].meaning if metric in METRICS else ""


def is_share(metric: str) -> bool:
    """Whether a metric is a share 0…1 that is read in per cent."""
    return metric in METRICS and METRICS[metric].unit == "%"


def format_metric(value: float | None, metric: str = "") -> str:
    """Write a metric's value: per cent for shares, else three decimals; a dash for no value."""
    if value is None or not math.isfinite(value):
        return "–"
    return percent(value, 1) if is_share(metric) else signed(value, 3)


def between(interval: tuple[float, float] | None, metric: str = "") -> str:
    """Write an interval in the metric's own notation: '64.1 to 67.0 %'; '' for none."""
    if interval is None or not all(map(math.isfinite, interval)):
        return ""
    low, high = (format_metric(end, metric) for end in interval)
    return f"{low.removesuffix(_PERCENT)} to {high}"


def points(interval: tuple[float, float] | None) -> str:
    """Write an interval of shares 0…1 in points of a hundred: '64.1 to 67.0'; '' for none."""
    return between(interval, "accuracy").removesuffix(_PERCENT)


def signed(value: float, decimals: int) -> str:
    """Write a number with a true minus sign, and no minus before zero."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−")


def percent(share: float, decimals: int = 0) -> str:
    """Write a share 0…1 in per cent, with a blank that no line breaks at."""
    return f"{signed(100 * share, decimals)}{_PERCENT}" if math.isfinite(share) else "–"


def number(value: Any) -> str:
    """Write a whole number with its thousands apart, or any other value as text."""
    return f"{value:,}" if isinstance(value, int) else str(value)


def duration(seconds: Any) -> str:
    """Write a time in seconds for people: 48 s, 12 min, 1 h 05 min."""
    if not isinstance(seconds, (int, float)) or not math.isfinite(seconds):
        return "–"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
