"""Words and figures for people: what a metric is called and means, and how a number is written."""

from __future__ import annotations

import math
from typing import Any

_PERCENT = "\N{NO-BREAK SPACE}%"
#: Metric: its title, what it says in a few words, and whether it is a share that is read in per cent.
METRICS: dict[str, tuple[str, str, bool]] = {
    "accuracy": ("Accuracy", "faces whose likeliest label is the raters' label", True),
    "balanced_accuracy": ("Balanced accuracy", "mean share found per label, each label counting alike", True),
    "top_3_accuracy": ("Top-3 accuracy", "faces whose label is among the three likeliest", True),
    "macro_precision": ("Macro precision", "mean over labels of the share of those so called that are right", True),
    "weighted_precision": ("Weighted precision", "precision of each label, weighted by its faces", True),
    "macro_f1": ("Macro F1", "mean over labels of the harmonic mean of precision and recall", True),
    "weighted_f1": ("Weighted F1", "F1 of each label, weighted by its faces", True),
    "micro_f1": ("Micro F1", "harmonic mean of precision and recall of all labels counted together", True),
    "jaccard": ("Jaccard", "mean over faces of the share of tags both said and true among those either", True),
    "kappa": ("Cohen's kappa", "agreement beyond what the label shares alone would give", False),
    "mcc": ("Matthews correlation", "correlation of true and predicted labels, all cells counting", False),
    "macro_roc_auc": (
        "Macro ROC-AUC",
        "how well each label is told from the rest, at any threshold; mean over labels",
        False,
    ),
    "macro_pr_auc": (
        "Macro PR-AUC",
        "area under precision over recall, each label against the rest; mean over labels",
        False,
    ),
    "log_loss": ("Log loss", "mean surprise at the raters' label, in nats", False),
    "kl": ("KL divergence", "information lost when the prediction stands for the raters, in nats", False),
    "js": ("Jensen-Shannon", "symmetric divergence between prediction and raters, in nats", False),
    "l1": ("L1 distance", "sum of the differences over all labels; twice the total variation", False),
    "tvd": ("Total variation", "share of probability that lies on the wrong label", False),
    "mse": ("Mean squared error", "mean squared difference", False),
    "brier": ("Brier score", "sum of squared differences over all labels", False),
    "emd": ("Earth mover's distance", "probability moved times the distance between emotions", False),
    "emd_vad": ("Earth mover's, VAD", "the same with dominance as a third direction", False),
    "emd_votes": ("Earth mover's, votes", "the same with labels as near as raters mix them up", False),
    "emd_index": (
        "Earth mover's, index",
        "the same as if labels lay in a row in their order, which means nothing",
        False,
    ),
    "chebyshev": ("Chebyshev", "largest difference on any one label", False),
    "clark": ("Clark", "differences relative to their size, squared and summed", False),
    "canberra": ("Canberra", "differences relative to their size, summed over labels", False),
    "cosine": ("Cosine similarity", "angle between the two distributions", False),
    "intersection": ("Intersection", "probability that both distributions share", False),
    "rps": ("Ranked probability score", "squared differences of sums up to each label, in their order", False),
    "entropy_error": ("Entropy error", "how far the model's doubt is from the raters' disagreement, in nats", False),
    "top_label_accuracy": ("Top-label accuracy", "faces whose likeliest label is the raters' likeliest", True),
    "average_precision": ("Mean average precision", "area under precision over recall, mean over labels", True),
    "roc_auc": ("ROC-AUC", "how well each tag is told from its absence, at any threshold; mean over tags", False),
    "ranking_loss": ("Ranking loss", "pairs of tags in the wrong order: an absent one above a present one", True),
    "ece": ("ECE", "how far confidence is from the share that is right, over bins of equal numbers of faces", False),
    "ece_equal_width": ("ECE, equal width", "the same over bins of equal width", False),
    "classwise_ece": ("Class-wise ECE", "the same for every label, not the likeliest alone", False),
    "vote_ece": ("Vote ECE", "the same against the share of raters who said the label", False),
    "brier_reliability": ("Brier reliability", "the part of the Brier score that recalibration could remove", False),
    "brier_resolution": ("Brier resolution", "by how much the bin of a face tells more than the base rates", False),
    "aurc": ("AURC", "area under risk over coverage: errors if the model may stay silent where it is unsure", False),
    "ccc": ("Concordance (CCC)", "agreement in order, scale and level; 1 is perfect", False),
    "icc": ("Intraclass correlation", "agreement of model and raters as two judges of equal rank", False),
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


def between(interval: tuple[float, float] | None, metric: str = "") -> str:
    """An interval in the metric's own notation: '64.1 to 67.0 %'; '' for none."""
    if interval is None or not all(map(math.isfinite, interval)):
        return ""
    low, high = (figure(side, metric) for side in interval)
    return f"{low.removesuffix(_PERCENT)} to {high}"


def signed(value: float, decimals: int) -> str:
    """A number with a true minus sign, and no minus before zero."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "−")


def percent(share: float, decimals: int = 0) -> str:
    """A share 0…1 in per cent, with a blank that no line breaks at."""
    return f"{signed(100 * share, decimals)}{_PERCENT}" if math.isfinite(share) else "–"


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
