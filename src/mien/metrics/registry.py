"""The registry of metrics: what each is called and means, its unit, its direction, and the kinds of head it
fits.

Which of them a kind of head has by default stands in `tasks.DEFAULT_METRICS` and `tasks.FURTHER_METRICS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..errors import ConfigError, lookup
from ..tasks import Head, Kind
from . import calibration, distributions, labels, ranking, values
from .distributions import Distances
from .statistic import Array, Statistic, Weights


@dataclass(frozen=True)
class MetricContext:
    """What a metric may need besides: the head, and distances (K, K) between its labels (`emd_votes`)."""

    head: Head
    ground: Distances = ()


@dataclass(frozen=True)
class Metric:
    """A number that says how good a set of outputs is.

    `prepare(output, target)` takes annotated rows, for TAGS and VALUES one column (N,) at a time unless
    `whole`; with `needs_context` a MetricContext is its third argument. `title` and `meaning` are for people;
    `unit` is "%" for a share 0…1 that is read in per cent, else "". `noise`: which power of the metric noise
    alone adds to, since it cannot be negative; 2 for a mean of sizes of differences, 1 for one of squares,
    else 0.
    """

    name: str
    prepare: Callable[..., Statistic]
    higher_is_better: bool
    title: str
    meaning: str
    unit: str = ""
    kinds: tuple[Kind, ...] = tuple(kind for kind in Kind if kind.is_exclusive)
    needs_context: bool = False
    whole: bool = False
    noise: int = 0


def undefined(weights: Weights) -> Array:
    """The statistic of what cannot be computed: NaN (B,) for every draw."""
    return np.full(len(weights), np.nan)


def _emd(output: Array, target: Array, context: MetricContext, axes: int = 2) -> Statistic:
    return distributions.emd(output, target, context.head.space.distances(axes))


def _emd_votes(output: Array, target: Array, context: MetricContext) -> Statistic:
    return distributions.emd(output, target, context.ground) if context.ground else undefined


def _emd_index(output: Array, target: Array) -> Statistic:
    places = range(target.shape[1])
    return distributions.emd(output, target, tuple(tuple(float(abs(i - j)) for j in places) for i in places))


def _sagr(output: Array, target: Array, context: MetricContext) -> Statistic:
    return values.sagr(output, target, context.head.bounds)


_TAGS, _VALUES = (Kind.TAGS,), (Kind.VALUES,)
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", labels.accuracy, True, "Accuracy",
            "faces whose likeliest label is the raters' label", unit="%"),
        Metric("balanced_accuracy", labels.balanced_accuracy, True, "Balanced accuracy",
            "share of each label's faces that is found; mean over labels", unit="%"),
        Metric("top_3_accuracy", labels.top_3, True, "Top-3 accuracy",
            "faces whose label is among the three likeliest", unit="%"),
        Metric("macro_precision", labels.macro_precision, True, "Macro precision",
            "of the faces given a label, the share that is right; mean over labels", unit="%"),
        Metric("weighted_precision", labels.weighted_precision, True, "Weighted precision",
            "precision of each label, weighted by its faces", unit="%"),
        Metric("macro_f1", labels.macro_f1, True, "Macro F1",
            "harmonic mean of precision and recall of each label; mean over labels", unit="%"),
        Metric("weighted_f1", labels.weighted_f1, True, "Weighted F1",
            "F1 of each label, weighted by its faces", unit="%"),
        Metric("kappa", labels.kappa, True, "Cohen's kappa",
            "agreement beyond what the label shares alone would give"),
        Metric("mcc", labels.mcc, True, "Matthews correlation",
            "correlation of true and predicted labels, all cells counting"),
        Metric("macro_roc_auc", labels.roc_auc, True, "Macro ROC-AUC",
            "how well each label is told from the rest, at any threshold; mean over labels"),
        Metric("macro_pr_auc", labels.pr_auc, True, "Macro PR-AUC",
            "area under precision over recall, each label against the rest; mean over labels"),
        Metric("log_loss", labels.log_loss, False, "Log loss", "mean surprise at the raters' label, in nats"),
        Metric("top_label_accuracy", labels.accuracy, True, "Top-label accuracy",
            "faces whose likeliest label is the raters' likeliest", unit="%"),
        Metric("kl", distributions.kl, False, "KL divergence",
            "information lost when the prediction stands for the raters, in nats"),
        Metric("js", distributions.js, False, "Jensen-Shannon",
            "symmetric divergence between prediction and raters, in nats"),
        Metric("l1", distributions.l1, False, "L1 distance",
            "sum of the differences over all labels; twice the total variation"),
        Metric("tvd", distributions.tvd, False, "Total variation",
            "share of probability that lies on the wrong label"),
        Metric("mse", distributions.mse, False, "Mean squared error", "mean squared difference"),
        Metric("brier", distributions.brier, False, "Brier score",
            "sum of squared differences over all labels"),
        Metric("emd", _emd, False, "Earth mover's distance",
            "probability moved times the distance between emotions", needs_context=True),
        Metric("emd_vad", partial(_emd, axes=3), False, "Earth mover's, VAD",
            "the same with dominance as a third direction", needs_context=True),
        Metric("emd_votes", _emd_votes, False, "Earth mover's, votes",
            "the same with labels as near as raters mix them up", needs_context=True),
        Metric("emd_index", _emd_index, False, "Earth mover's, index",
            "the same as if labels lay in a row in their order, which has no meaning"),
        Metric("chebyshev", distributions.chebyshev, False, "Chebyshev",
            "largest difference on any one label"),
        Metric("clark", distributions.clark, False, "Clark",
            "differences relative to their size, squared and summed"),
        Metric("canberra", distributions.canberra, False, "Canberra",
            "differences relative to their size, summed over labels"),
        Metric("cosine", distributions.cosine, True, "Cosine similarity",
            "angle between the two distributions"),
        Metric("intersection", distributions.intersection, True, "Intersection",
            "probability that both distributions share"),
        Metric("rps", distributions.rps, False, "Ranked probability score",
            "squared differences of sums up to each label, in their order"),
        Metric("entropy_error", distributions.entropy_error, False, "Entropy error",
            "how far the model's doubt is from the raters' disagreement, in nats"),
        Metric("ece", calibration.ece, False, "ECE",
            "how far confidence is from the share that is right, over bins of equally many faces", noise=2),
        Metric("ece_equal_width", calibration.ece_equal_width, False, "ECE, equal width",
            "the same over bins of equal width", noise=2),
        Metric("classwise_ece", calibration.classwise_ece, False, "Class-wise ECE",
            "the same for every label, not the likeliest alone", noise=2),
        Metric("vote_ece", calibration.vote_ece, False, "Vote ECE",
            "the same against the share of raters who chose the label", noise=2),
        Metric("brier_reliability", calibration.brier_reliability, False, "Brier reliability",
            "the part of the Brier score that recalibration could remove", noise=1),
        Metric("brier_resolution", calibration.brier_resolution, True, "Brier resolution",
            "by how much the bin of a face tells more than the base rates", noise=1),
        Metric("aurc", calibration.aurc, False, "AURC",
            "area under risk over coverage: errors if the model may abstain where it is unsure"),
        Metric("average_precision", ranking.average_precision, True, "Mean average precision",
            "area under precision over recall, mean over labels", unit="%", kinds=_TAGS),
        Metric("roc_auc", ranking.roc_auc, True, "ROC-AUC",
            "how well each tag is told from its absence, at any threshold; mean over tags", kinds=_TAGS),
        Metric("ranking_loss", ranking.ranking_loss, False, "Ranking loss",
            "pairs of tags in the wrong order, an absent one first", unit="%", kinds=_TAGS, whole=True),
        Metric("rmse", values.rmse, False, "RMSE", "typical error, in the units of the scale", kinds=_VALUES),
        Metric("mae", values.mae, False, "Mean absolute error",
            "mean error, in the units of the scale", kinds=_VALUES),
        Metric("pearson", values.pearson, True, "Pearson correlation",
            "agreement in order and shape, whatever the scale", kinds=_VALUES),
        Metric("ccc", values.ccc, True, "Concordance (CCC)",
            "agreement in order, scale and level; 1 is perfect", kinds=_VALUES),
        Metric("icc", values.icc, True, "Intraclass correlation",
            "agreement of model and raters as two judges of equal rank", kinds=_VALUES),
        Metric("sagr", _sagr, True, "Sign agreement",
            "faces whose value has the raters' sign", unit="%", kinds=_VALUES, needs_context=True),
    )
}  # fmt: skip


def metric_for(name: str, head: Head) -> Metric:
    """Look up a metric. Raises ConfigError where there is none of that name or it does not fit the head."""
    metric = lookup(METRICS, name, "metric")
    if head.kind not in metric.kinds:
        fitting = ", ".join(sorted(other.name for other in METRICS.values() if head.kind in other.kinds))
        unfit = f"metric '{name}' does not fit head '{head.name}' of kind {head.kind}"
        raise ConfigError(f"{unfit} (these do: {fitting})")
    return metric
