"""Whether probabilities mean what they say: outputs and targets (N, K), one-hot or vote shares.

Bins are drawn once, on the faces that a statistic is prepared for; weights change what lies in them, not
where they end. Faces with the same probability always share a bin, so that the order of the rows does not
matter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..tasks import Head
from . import conformal
from .statistic import Array, Statistic, Weights, plain, ratio

BINS = 15
_POINTS = 101
Bins = NDArray[np.intp]


def ece(output: Array, target: Array) -> Statistic:
    """Expected calibration error of the top label: Σ bin share · |mean confidence - accuracy|."""
    confidence, right = _top(output, target)
    return _gap(confidence, right, equal_mass(confidence))


def ece_equal_width(output: Array, target: Array) -> Statistic:
    """The same with bins of equal width, ((m - 1) / 15, m / 15] (Guo et al. 2017, arXiv 1706.04599)."""
    confidence, right = _top(output, target)
    return _gap(confidence, right, np.clip(np.ceil(confidence * BINS).astype(np.intp) - 1, 0, BINS - 1))


def classwise_ece(output: Array, target: Array) -> Statistic:
    """The mean over labels of each one's calibration error (Kull et al. 2019, arXiv 1910.12656)."""
    true = np.eye(target.shape[1])[target.argmax(axis=1)]
    return _gap(output, true, equal_mass(output))


def vote_ece(output: Array, target: Array) -> Statistic:
    """ECE against the raters: the share of votes for the predicted label in place of right or wrong."""
    confidence, share = output.max(axis=1), np.take_along_axis(target, output.argmax(axis=1)[:, None], axis=1)
    return _gap(confidence[:, None], share, equal_mass(confidence[:, None]))


def brier_reliability(output: Array, target: Array) -> Statistic:
    """The part of the Brier score that recalibration could remove; see `brier_parts`."""
    parts = brier_parts(output, target)
    return lambda weights: parts(weights)["reliability"]


def brier_resolution(output: Array, target: Array) -> Statistic:
    """By how much knowing the bin of a face improves on the base rates; see `brier_parts`."""
    parts = brier_parts(output, target)
    return lambda weights: parts(weights)["resolution"]


def brier_parts(output: Array, target: Array) -> Callable[[Weights], dict[str, Array]]:
    """Brier score = reliability - resolution + uncertainty + within, each (B,) and summed over labels: an
    identity.

    In equal-mass bins of each label's probability p, against its share q: reliability E (E_b p - E_b q)²,
    resolution Var (E_b q), uncertainty Var q, and what binning hides, within E (Var_b p - 2 Cov_b(p, q))
    (Murphy 1973; Stephenson, Coelho & Jolliffe 2008).
    """
    bins = equal_mass(output)
    binned = [_spread(column, bins) for column in (np.ones_like(output), output, target)]
    whole = (target, output**2, output * target, target**2)

    def parts(weights: Weights) -> dict[str, Array]:
        total = weights.sum(axis=1, dtype=np.float64)[:, None]
        share, p, q = (ratio(weights @ column, total) for column in binned)
        base, pp, pq, qq = (ratio(weights @ column, total) for column in whole)

        def over_bins(products: Array) -> Array:
            return np.asarray(np.where(share == 0, 0.0, ratio(products, share)).sum(axis=1))

        return {
            "reliability": over_bins((p - q) ** 2),
            "resolution": over_bins(q**2) - (base**2).sum(axis=1),
            "uncertainty": (qq - base**2).sum(axis=1),
            "within": pp.sum(axis=1) - over_bins(p**2) - 2 * (pq.sum(axis=1) - over_bins(p * q)),
        }

    return parts


def aurc(output: Array, target: Array) -> Statistic:
    """Area under risk against coverage, 0…1: the share wrong among the most confident rows, averaged over how
    many are answered.

    Rows with the same confidence are answered together (Geifman & El-Yaniv 2017, arXiv 1705.08500).
    """

    def statistic(weights: Weights) -> Array:
        answered, wrong = _answered(output, target, weights)
        steps = np.diff(answered, axis=1, prepend=0)
        return ratio((steps * np.nan_to_num(ratio(wrong, answered))).sum(axis=1), answered[:, -1])

    return statistic


def risk_coverage(output: Array, target: Array, points: int = _POINTS) -> dict[str, Any]:
    """The curve as lists `coverage` (rising to 1) and `risk` of at most `points`, and its area `aurc`."""
    answered, wrong = (sums[0] for sums in _answered(output, target, np.ones((1, len(output)))))
    taken = np.unique(np.linspace(0, len(answered) - 1, points).round().astype(np.intp))
    return {
        "coverage": (answered[taken] / answered[-1]).tolist(),
        "risk": (wrong[taken] / answered[taken]).tolist(),
        "aurc": plain(aurc(output, target), len(output)),
    }


def reliability(output: Array, target: Array) -> list[dict[str, Any]]:
    """The bins of `ece` that hold rows: mean `confidence`, `accuracy`, and how many `rows`."""
    confidence, right = _top(output, target)
    bins = equal_mass(confidence)[:, 0]
    return [
        {"confidence": float(confidence[k].mean()), "accuracy": float(right[k].mean()), "rows": int(k.sum())}
        for k in (bins == number for number in np.unique(bins))
    ]


def calibration_record(
    head: Head,
    output: Array,
    target: Array,
    metadata: Mapping[str, Any],
    *,
    same: bool = False,
    sets_of: Array | None = None,
) -> dict[str, Any]:
    """A head's `calibration`, `risk_coverage` and `conformal` sets in results.json; {} where undefined.

    `metadata`: the model's description, {} where only some of its labels are compared, since its threshold
    was not chosen for those. `same`: the rows are those it was chosen on, so coverage is measured across
    folds. `sets_of`: the probabilities that sets are made of, if not `output`.
    """
    outputs, targets = np.asarray(output, np.float64), np.asarray(target, np.float64)
    known = ~np.isnan(targets).any(axis=1)
    outputs, targets = outputs[known], targets[known]
    if not head.kind.is_exclusive or not len(targets) or not np.isfinite(outputs).all():
        return {}
    fitted = metadata.get("calibration", {}).get(head.name, {})
    record = {
        "calibration": _errors(outputs, targets)
        | {
            "method": fitted.get("method", "none"),
            "temperature": metadata.get("temperature", {}).get(head.name),
            "chosen_on": fitted.get("split"),
        },
        "risk_coverage": risk_coverage(outputs, targets),
    }
    chosen = metadata.get("conformal", {}).get(head.name)
    if not chosen:
        return record
    inside = outputs if sets_of is None else np.asarray(sets_of, np.float64)[known]
    return record | {"conformal": _sets(head, inside, targets, chosen, same)}


def _errors(output: Array, target: Array) -> dict[str, Any]:
    figures = {"ece": ece, "ece_equal_width": ece_equal_width, "classwise_ece": classwise_ece}
    if votes(target):
        figures["vote_ece"] = vote_ece
    parts = brier_parts(output, target)(np.ones((1, len(output))))
    return {
        "bins": reliability(output, target),
        **{name: plain(figure(output, target), len(output)) for name, figure in figures.items()},
        "brier": {name: float(part[0]) for name, part in parts.items()},
    }


def _sets(head: Head, output: Array, target: Array, chosen: Mapping[str, Any], same: bool) -> dict[str, Any]:
    level, limit = float(chosen["level"]), float(chosen["threshold"])
    inside = conformal.cross_fitted(output, target, level) if same else conformal.sets(output, limit)
    record = {"level": level, "threshold": limit, "chosen_on": chosen.get("split"), "cross_fitted": same}
    covered = conformal.by_label(inside, target).tolist()
    by_label = dict(zip(head.space.labels, covered, strict=True))
    return record | conformal.measured(inside, target) | {"by_label": by_label}


def votes(target: Array) -> bool:
    """Whether targets (N, K) hold more than one label of some sample."""
    return bool((target.max(axis=1) < 1 - 1e-6).any())


def equal_mass(confidence: Array) -> Bins:
    """Sort each column of (N, C) into bins 0…14 of equal numbers of rows; ties share a bin."""
    first = [np.searchsorted(np.sort(column), column) for column in confidence.T]
    return np.asarray(np.stack(first, axis=1) * BINS // len(confidence), np.intp)


def _top(output: Array, target: Array) -> tuple[Array, Array]:
    """Confidence in the likeliest label, and whether it is right, each (N, 1)."""
    right = output.argmax(axis=1) == target.argmax(axis=1)
    return output.max(axis=1)[:, None], right[:, None].astype(np.float64)


def _gap(confidence: Array, true: Array, bins: Bins) -> Statistic:
    """Mean over columns (N, C) of Σ over bins |Σ w (confidence - true)| / Σ w."""
    gaps = _spread(confidence - true, bins)

    def statistic(weights: Weights) -> Array:
        far = np.abs(weights @ gaps).sum(axis=1) / confidence.shape[1]
        return ratio(far, weights.sum(axis=1, dtype=np.float64))

    return statistic


def _spread(values: Array, bins: Bins) -> Array:
    """Values (N, C), each in the column of its bin: (N, C · 15)."""
    cells = np.zeros((*values.shape, BINS))
    np.put_along_axis(cells, bins[:, :, None], values[:, :, None], axis=2)
    return cells.reshape(len(values), -1)


def _answered(output: Array, target: Array, weights: Weights) -> tuple[Array, Array]:
    """Weight (B, T) of the rows answered, and of those wrong, at each different confidence, highest first."""
    confidence, right = (column[:, 0] for column in _top(output, target))
    order = np.argsort(-confidence, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(confidence[order])), len(order) - 1)
    answered = np.cumsum(weights[:, order], axis=1, dtype=np.float64)
    wrong = np.cumsum(weights[:, order] * (1 - right[order]), axis=1, dtype=np.float64)
    return answered[:, ends], wrong[:, ends]
