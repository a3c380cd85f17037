"""Words and figures for people: what a metric is called and means, and how a number is written."""

from __future__ import annotations

import math
from typing import Any

#: Metric: its title, what it says in a few words, and whether it is a share that is read in per cent.
METRICS: dict[str, tuple[str, str, bool]] = {
    "accuracy": ("Accuracy", "faces whose likeliest label is the raters' label", True),
    "balanced_accuracy": ("Balanced accuracy", "mean share found per label, each label counting alike", True),
    "macro_f1": ("Macro F1", "mean over labels of the harmonic mean of precision and recall", True),
    "micro_f1": ("Micro F1", "harmonic mean of precision and recall of all labels counted together", True),
    "jaccard": ("Jaccard", "mean over faces of the share of tags both said and true among those either", True),
    "kappa": ("Cohen's kappa", "agreement beyond what the label shares alone would give", False),
    "log_loss": ("Log loss", "mean surprise at the raters' label, in nats", False),
    "kl": ("KL divergence", "information lost when the prediction stands for the raters, in nats", False),
    "js": ("Jensen-Shannon", "symmetric divergence between prediction and raters, in nats", False),
    "tvd": ("Total variation", "share of probability that lies on the wrong label", False),
    "mse": ("Mean squared error", "mean squared difference", False),
    "emd": ("Earth mover's distance", "probability moved times the distance between emotions", False),
    "chebyshev": ("Chebyshev", "largest difference on any one label", False),
    "cosine": ("Cosine similarity", "angle between the two distributions", False),
    "intersection": ("Intersection", "probability that both distributions share", False),
    "top_label_accuracy": ("Top-label accuracy", "faces whose likeliest label is the raters' likeliest", True),
    "average_precision": ("Mean average precision", "area under precision over recall, mean over labels", True),
    "ccc": ("Concordance (CCC)", "agreement in order, scale and level; 1 is perfect", False),
    "rmse": ("RMSE", "typical error, in the units of the scale", False),
    "mae": ("Mean absolute error", "mean error, in the units of the scale", False),
    "pearson": ("Pearson correlation", "agreement in order and shape, whatever the scale", False),
    "sagr": ("Sign agreement", "faces whose value has the raters' sign", True),
}


def title(metric: str) -> str:
    """What a metric is called."""
    return METRICS[metric][0] if metric in METRICS else metric.replace("_", " ").capitalize()


def meaning(metric: str) -> str:
    """What a metric says, in a few words; '' for one that is not known here."""
    return METRICS[metric][1] if metric in METRICS else ""


def figure(value: float | None, metric: str = "") -> str:
    """A metric's value: per cent for shares, else three decimals; a dash for no value."""
    if value is None or not math.isfinite(value):
        return "–"
    return percent(value, 1) if metric in METRICS and METRICS[metric][2] else signed(value, 3)


def signed(value: float, decimals: int) -> str:
    """A number with a true minus sign, and no minus before zero."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−")


def percent(share: float, decimals: int = 0) -> str:
    """A share 0…1 in per cent, with a blank that no line breaks at."""
    return f"{100 * share:.{decimals}f}\N{NO-BREAK SPACE}%" if math.isfinite(share) else "–"


def number(value: Any) -> str:
    """A whole number with thousands set apart, or the value as text."""
    return f"{value:,}" if isinstance(value, int) else str(value)


def duration(seconds: Any) -> str:
    """A time as people say it: 48 s, 12 min, 1 h 05 min."""
    if not isinstance(seconds, (int, float)) or not math.isfinite(seconds):
        return "–"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
