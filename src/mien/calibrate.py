"""What is chosen on the validation split once a model is trained, and then kept in its description.

For tags the threshold of each; for classes and distributions a temperature, or a scale and bias for each
label, and the threshold of conformal sets; for distributions a second temperature too, at which shares of
votes become the chance of each label to be the label. `docs/concepts/calibration.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import matching, metrics
from .errors import lookup
from .evaluate import predict
from .extras import require
from .metrics import conformal, tags
from .metrics.calibration import votes
from .predict import scaling
from .predict.engine import Engine
from .predict.scaling import Scaling
from .records import Floats
from .store import Store
from .tasks import Head, Kind

Array = NDArray[np.float64]
Fit = Callable[[Array, Array], Scaling]
#: Least and greatest temperature.
BOUNDS = (0.05, 20.0)
_FLAT = 1e-9
_HALVINGS = 60


class Calibrated(NamedTuple):
    """What is stored of one head: a temperature, a scaling beside it (vector), the temperature that makes
    shares of votes the chance of each label, how well they did, and the threshold of sets."""

    temperature: float
    scaling: dict[str, dict[str, float]] | None
    label_temperature: float | None
    calibration: dict[str, Any]
    conformal: dict[str, Any] | None


def calibrate(model: Path, store: Store, split: str, method: str = "temperature") -> dict[str, Any]:
    """Choose on a split what a model's description should hold, by key and head.

    `thresholds` of tags for the best F1; of classes and distributions `temperature`, `scaling` (vector),
    `label_temperature`, `calibration` and `conformal`. `method`: temperature, vector or none. Targets are
    matched as in evaluation; where one lacks labels of the head, the others are calibrated among themselves,
    without sets. Heads without annotations keep what the model held; {} if there are no others. Raises
    ConfigError for another method, StoreError where no target of the store fits.
    """
    lookup(METHODS, method, "calibration")
    engine = Engine(model, calibrated=False)
    rows = store.rows_with(engine.inputs.sources, store.rows(split))
    mappings = matching.match(engine.task, store, {}, other=False)
    found = ((mapping, mapping.targets(store, rows)) for mapping in mappings)
    targets = {mapping: target for mapping, target in found if not np.isnan(target).all()}
    if all(mapping.head.kind is Kind.VALUES for mapping in targets):
        return {}
    outputs = predict(engine, store, rows)
    thresholds, heads = {}, {}
    for mapping, target in targets.items():
        head, output = mapping.head, outputs[mapping.head.name]
        if head.kind is Kind.TAGS:
            chosen = tags.best_thresholds(output, mapping.expand(target))
            thresholds[head.name] = dict(zip(head.space.labels, chosen.tolist(), strict=True))
        elif head.kind.is_exclusive:
            labels, compared = mapping.labels(store, rows), mapping.answers(output)
            fitted = calibrate_head(mapping.compared, compared, target, split, method, labels=labels)
            heads[head.name] = fitted if mapping.is_complete else _of_some_labels(fitted, head)
    record = {"thresholds": thresholds} if thresholds else {}
    return _kept(record | _by_key(heads), engine)


def _of_some_labels(found: Calibrated, head: Head) -> Calibrated:
    """Extend the scaling of a head calibrated on some labels: others are scaled by the average."""
    sides = found.scaling or {}
    wider = {
        side: dict.fromkeys(head.space.labels, float(np.mean([*values.values()]))) | values
        for side, values in sides.items()
    }
    return found._replace(scaling=wider or None, conformal=None)


def _by_key(heads: dict[str, Calibrated]) -> dict[str, Any]:
    return {
        key: {name: value for name, found in heads.items() if (value := getattr(found, key)) is not None}
        for key in (Calibrated._fields if heads else ())
    }


def _kept(record: dict[str, Any], engine: Engine) -> dict[str, Any]:
    """The record with what the model held of heads that were not calibrated anew."""
    new = {name for values in record.values() for name in values}
    old = {head.name for head in engine.task if head.kind is not Kind.VALUES} - new
    return {
        key: {name: value for name, value in engine.metadata.get(key, {}).items() if name in old} | values
        for key, values in record.items()
    }


def calibrate_head(
    head: Head,
    output: Floats,
    target: Floats,
    split: str,
    method: str = "temperature",
    *,
    labels: Floats | None = None,
) -> Calibrated:
    """Fit one head's probabilities to its targets, both (N, K), and score that on the same rows and by folds.

    By folds each row has a scaling and a set that the other folds chose. `labels` (N, K), one-hot or NaN, are
    what a distribution's label temperature is fitted to.
    """
    kept = ~np.isnan(target).any(axis=1)
    raw, true = np.asarray(output, np.float64)[kept], np.asarray(target, np.float64)[kept]
    fit, aim = METHODS[method], aimed_at(head, true)
    chosen = fit(raw, aim)
    fitted = np.asarray(chosen.apply(raw), np.float64)
    folds = _cross_fitted(fit, raw, aim)
    record: dict[str, Any] = {
        "method": method,
        "temperature": 1 / float(chosen.scale[0]) if method == "temperature" else 1.0,
        "before": _figures(head, raw, true),
        "after": _figures(head, fitted, true),
        "cross_fitted": _figures(head, folds.output, true),
        "split": split,
        "rows": len(raw),
    }
    sets = {
        "level": conformal.LEVEL,
        "threshold": conformal.threshold(fitted, true),
        "method": conformal.METHOD,
        "split": split,
        "rows": len(raw),
        "cross_fitted": conformal.measured(folds.inside, true),
    }
    if labels is not None and method != "none":
        record["label"] = _label(head, fitted, folds, np.asarray(labels, np.float64)[kept])
    by_label = chosen.to_dict(head) if method == "vector" else None
    label_temperature = (record.get("label") or {}).get("temperature")
    return Calibrated(record["temperature"], by_label, label_temperature, record, sets)


class _Folds(NamedTuple):
    """Probabilities and conformal sets (N, K) of rows that had no part in what was chosen for them; for each
    fold which rows are its own, and probabilities of all rows as the others chose."""

    output: Array
    inside: NDArray[np.bool_]
    each: list[tuple[NDArray[np.bool_], Array]]


def _cross_fitted(fit: Fit, raw: Array, aim: Array) -> _Folds:
    found, fold = _Folds(raw.copy(), np.ones(raw.shape, bool), []), conformal.folds(len(raw))
    for k in np.unique(fold) if len(raw) > 1 else ():
        mine = fold == k
        fitted = np.asarray(fit(raw[~mine], aim[~mine]).apply(raw), np.float64)
        found.output[mine] = fitted[mine]
        found.inside[mine] = conformal.sets(fitted[mine], conformal.threshold(fitted[~mine], aim[~mine]))
        found.each.append((mine, fitted))
    return found


def _label(head: Head, fitted: Array, folds: _Folds, labels: Array) -> dict[str, Any]:
    """Fit the temperature at which shares of votes tell the label, and score it; {} without labels."""
    known, as_class = ~np.isnan(labels).any(axis=1), replace(head, kind=Kind.CLASS)
    if not known.any():
        return {}
    chosen, crossed = fit_temperature(fitted[known], labels[known]), fitted.copy()
    for mine, others in folds.each:
        if (rest := known & ~mine).any():
            crossed[mine] = fit_temperature(others[rest], labels[rest]).apply(others[mine])
    after = np.asarray(chosen.apply(fitted), np.float64)
    outputs = {"before": fitted, "after": after, "cross_fitted": crossed}
    figures = {when: _figures(as_class, output[known], labels[known]) for when, output in outputs.items()}
    return {"temperature": 1 / float(chosen.scale[0]), **figures, "rows": int(known.sum())}


def _figures(head: Head, output: Array, target: Array) -> dict[str, float]:
    names = ["log_loss", "brier", "ece", "ece_equal_width", "classwise_ece"]
    names += ["kl"] * (head.kind is Kind.DISTRIBUTION) + ["vote_ece"] * votes(target)
    return {name: metrics.score(name, output, target, head) for name in names}


def aimed_at(head: Head, target: Array) -> Array:
    """What probabilities are fitted to: the votes of a distribution, the top label of a class."""
    return target if head.kind is Kind.DISTRIBUTION else np.eye(target.shape[1])[target.argmax(axis=1)]


def fit_temperature(output: Array, target: Array) -> Scaling:
    """The temperature of least cross-entropy (convex in 1 / T), 0.05 to 20; 1 where it is of no effect."""
    logs, labels = scaling.logarithms(output), output.shape[1]
    wanted = float((target * logs).sum(axis=1).mean())

    def slope(inverse: float) -> float:
        return float((scaling.softmax(inverse * logs) * logs).sum(axis=1).mean()) - wanted

    if abs(slope(1.0)) < _FLAT:
        return scaling.temperature_scaling(1.0, labels)
    low, high = np.log(1 / BOUNDS[1]), np.log(1 / BOUNDS[0])
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(float(np.exp(middle))) < 0 else (low, middle)
    return scaling.temperature_scaling(float(np.exp(-(low + high) / 2)), labels)


def fit_vector(output: Array, target: Array) -> Scaling:
    """A scale (0.05 to 20) and a bias (-20 to 20, of sum 0) for each label, of least cross-entropy (convex).

    It starts at the temperature, so it is never worse.
    """
    logs, labels = scaling.logarithms(output), output.shape[1]
    start = fit_temperature(output, target)

    def loss(parameters: Array) -> tuple[float, Array]:
        powers = parameters[:labels] * logs + parameters[labels:]
        powers -= powers.max(axis=1, keepdims=True)
        rest = np.log(np.exp(powers).sum(axis=1, keepdims=True))
        wrong = (np.exp(powers - rest) - target) / len(logs)
        slopes = np.append((wrong * logs).sum(axis=0), wrong.sum(axis=0))
        return float((target * (rest - powers)).sum() / len(logs)), slopes

    limits = [(1 / BOUNDS[1], 1 / BOUNDS[0])] * labels + [(-20.0, 20.0)] * labels
    first = np.append(start.scale, start.bias)
    minimize = require("scipy.optimize", "evaluate").minimize
    found = minimize(loss, first, jac=True, method="L-BFGS-B", bounds=limits)
    scale, bias = found.x[:labels], found.x[labels:]
    return Scaling(scale, bias - bias.mean())


def _unchanged(_: Array, target: Array) -> Scaling:
    return scaling.temperature_scaling(1.0, target.shape[1])


#: How probabilities may be calibrated: `train.calibration` in a configuration.
METHODS: dict[str, Fit] = {"temperature": fit_temperature, "vector": fit_vector, "none": _unchanged}
