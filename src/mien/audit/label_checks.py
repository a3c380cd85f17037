"""Checks of the annotations: conflicting, impossible, improbable and missing answers, rare labels."""

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ..labels import VAD_MEANS, canonical
from ..records import Floats
from ..tasks import Head, Kind
from .context import AuditContext, describe
from .duplicates import Numbers
from .record import AuditLimits, Balance, Finding

Findings = Iterator[Finding]
_SLACK = 1e-3  # of sums, bounds and the unit circle
_CLEAR = 0.5  # a class has a clear sign where its own valence is beyond this


def conflict(context: AuditContext) -> Findings:
    """Find identical pictures, with the same box, whose answers differ."""
    for head in context.store.heads:
        yield from _conflicts(context, head, "conflict", "identical pictures", context.identical_boxed)


def near_conflict(context: AuditContext) -> Findings:
    """Find near duplicates, with the same box, whose answers differ, but not groups of `conflict`."""
    for head in context.store.heads:
        found = [group for group in context.identical_boxed if _disagree(context, head, group)]
        known = {int(row) for group in found for row in group}
        groups = [group for group in context.resembling_boxed if known.isdisjoint(group.tolist())]
        yield from _conflicts(context, head, "near-conflict", "near duplicates", groups)


def _conflicts(context: AuditContext, head: Head, code: str, kind: str, groups: list[Numbers]) -> Findings:
    found = [group for group in groups if _disagree(context, head, group)]
    if found:
        rows = np.sort(np.concatenate(found))
        answers = context.answers[head.name]
        figures = {"groups": len(found), "pictures": len(rows)}
        reasons = {int(row): describe(head, answers[row]) for row in rows}
        says = f"{len(found)} of {len(groups)} groups of {kind} have different labels: {len(rows)} pictures"
        yield Finding(code, says, rows, head.name, found, reasons, figures)


def _disagree(context: AuditContext, head: Head, group: Numbers) -> bool:
    answers = context.answers[head.name][group]
    answers = answers[~np.isnan(answers).all(axis=1)]
    return len(answers) > 1 and _DISAGREE[head.kind](head, answers, context.limits)


def _by_name(_head: Head, answers: Floats, _limits: AuditLimits) -> bool:
    return bool((answers != answers[0]).any())


def _by_variation(_head: Head, answers: Floats, limits: AuditLimits) -> bool:
    """Return whether any two are further apart than the limit in total variation."""
    shares = answers / np.maximum(answers.sum(axis=1, keepdims=True), 1e-9)
    return any(np.abs(shares - share).sum(axis=1).max() / 2 > limits.variation for share in shares)


def _by_value(head: Head, answers: Floats, limits: AuditLimits) -> bool:
    low, high = np.fmin.reduce(answers), np.fmax.reduce(answers)
    return bool(((high - low) > limits.value_share * (head.bounds[1] - head.bounds[0]) + _SLACK).any())


_DISAGREE: dict[Kind, Callable[[Head, Floats, AuditLimits], bool]] = {
    Kind.CLASS: _by_name, Kind.DISTRIBUTION: _by_variation, Kind.TAGS: _by_name, Kind.VALUES: _by_value,
}  # fmt: skip


def invalid(context: AuditContext) -> Findings:
    """Find values beyond the bounds; distributions without a vote, or that are neither votes nor sum to 1."""
    for head in context.store.heads:
        yield from _with_reasons("invalid", head, _impossible(context, head))


def improbable(context: AuditContext) -> Findings:
    """Find uniform distributions, no tag at all, affect beyond the unit circle, valence against the class."""
    for head in context.store.heads:
        yield from _with_reasons("improbable", head, _doubtful(context, head))


def _with_reasons(code: str, head: Head, reasons: dict[int, str]) -> Findings:
    if reasons:
        counts = dict(sorted(Counter(reason.partition(":")[0] for reason in reasons.values()).items()))
        says = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        yield Finding(code, says, sorted(reasons), head.name, reasons=reasons, figures=counts)


def _impossible(context: AuditContext, head: Head) -> dict[int, str]:
    answers = context.answers[head.name]
    if head.kind is Kind.VALUES:
        low, high = head.bounds
        rows = np.flatnonzero(((answers < low) | (answers > high)).any(axis=1))
        return {int(row): f"outside {low:g} to {high:g}: {describe(head, answers[row])}" for row in rows}
    if head.kind is not Kind.DISTRIBUTION:
        return {}
    total = answers.sum(axis=1)
    votes = (answers == np.rint(answers)).all(axis=1)
    wrong = (total == 0) | ~votes & (np.abs(total - 1) > _SLACK)
    return {
        int(row): "without a vote" if total[row] == 0 else f"not summing to 1: {total[row]:.4g}"
        for row in np.flatnonzero(wrong & ~np.isnan(total))
    }


def _doubtful(context: AuditContext, head: Head) -> dict[int, str]:
    answers = context.answers[head.name]
    known = ~np.isnan(answers).all(axis=1)
    if head.kind is Kind.DISTRIBUTION:
        even = (np.ptp(answers, axis=1) < _SLACK * answers.sum(axis=1)) & known
        return dict.fromkeys(np.flatnonzero(even).tolist(), "uniform")
    if head.kind is Kind.TAGS:
        return dict.fromkeys(np.flatnonzero(known & ~(answers > 0).any(axis=1)).tolist(), "without a tag")
    if head.kind is Kind.VALUES:
        return _contradicted(context, head) | _off_circle(head, answers)
    return {}


def _off_circle(head: Head, answers: Floats) -> dict[int, str]:
    if "valence" not in head.space or "arousal" not in head.space or head.bounds != (-1.0, 1.0):
        return {}
    spot = answers[:, [head.space.index("valence"), head.space.index("arousal")]]
    radius = np.linalg.norm(spot, axis=1)
    beyond = (radius > 1 + _SLACK) & (np.abs(spot) <= 1).all(axis=1)  # else invalid already
    rows = np.flatnonzero(beyond)
    return {int(row): f"beyond the unit circle: {describe(head, answers[row])}" for row in rows}


def _contradicted(context: AuditContext, head: Head) -> dict[int, str]:
    """Return rows whose valence lies clearly on the other side of zero than their class."""
    if "valence" not in head.space:
        return {}
    middle, half = sum(head.bounds) / 2, (head.bounds[1] - head.bounds[0]) / 2
    valence = (context.answers[head.name][:, head.space.index("valence")] - middle) / half
    found: dict[int, str] = {}
    for other in context.store.heads:
        if other.kind is Kind.CLASS:
            answers = context.answers[other.name]
            sign = _signs(other)[np.nan_to_num(answers).argmax(axis=1)]
            against = ~np.isnan(answers[:, 0]) & (sign * valence < -context.limits.contradiction)
            for row in np.flatnonzero(against).tolist():
                label = describe(other, answers[row])
                found[row] = f"against its class: {label} with valence {valence[row]:.2f}"
    return found


def _signs(head: Head) -> NDArray[np.float64]:
    own = [(VAD_MEANS.get(canonical(label)) or (0.0,))[0] for label in head.space.labels]
    return np.array([np.sign(valence) if abs(valence) >= _CLEAR else 0.0 for valence in own])


def missing(context: AuditContext) -> Findings:
    """Find rows without an annotation for a head, or with a part of it only."""
    for head in context.store.heads:
        absent = np.isnan(context.answers[head.name])
        rows = np.flatnonzero(absent.any(axis=1))
        if len(rows):
            partly = int((absent.any(axis=1) & ~absent.all(axis=1)).sum())
            says = f"{len(rows)} of {len(context.store)} rows are not annotated"
            says += f", {partly} of them in part" if partly else ""
            yield Finding("missing", says, rows, head.name, figures={"rows": len(rows), "in part": partly})


def unlabelled(context: AuditContext) -> Findings:
    """Find rows that nobody annotated for any head."""
    bare = np.all([np.isnan(answers).all(axis=1) for answers in context.answers.values()], axis=0)
    rows = np.flatnonzero(bare)
    if len(rows):
        yield Finding("unlabelled", f"{len(rows)} rows have no annotation", rows)


def imbalance(context: AuditContext) -> Findings:
    """Find labels of a head that are rare beside others in the first split there is, training as a rule."""
    for counted in balance(context):
        if counted.split == context.store.splits[0] and any(counted.counts.values()):
            yield from _unbalanced(counted, context.limits)


def _unbalanced(counted: Balance, limits: AuditLimits) -> Findings:
    present = {label: count for label, count in counted.counts.items() if count}
    absent = [label for label in counted.counts if label not in present]
    few = {label: count for label, count in present.items() if count < limits.few}
    least, most = (pick(present, key=lambda label: present[label]) for pick in (min, max))
    times = present[most] / present[least]
    if absent or few or times > limits.ratio:
        says = f"{counted.split}: {most} {present[most]:g}, {least} {present[least]:g} ({times:.1f} to 1)"
        says += f"; below {limits.few}: {', '.join(few)}" if few else ""
        says += f"; none: {', '.join(absent)}" if absent else ""
        figures = {"ratio": counted.ratio, "effective labels": counted.effective, "few": few, "none": absent}
        yield Finding("imbalance", says, (), counted.head, figures=figures)


def balance(context: AuditContext) -> list[Balance]:
    """Return counts of the labels by head and split; of a distribution, the sum of its shares."""
    return [
        _balance(head, split, context.answers[head.name][context.store.rows(split)])
        for head in context.store.heads
        if head.kind is not Kind.VALUES
        for split in context.store.splits
    ]


def _balance(head: Head, split: str, answers: Floats) -> Balance:
    answers = answers[~np.isnan(answers).any(axis=1)].astype(np.float64)
    if head.kind is Kind.DISTRIBUTION:
        answers = answers / np.maximum(answers.sum(axis=1, keepdims=True), 1e-9)
    counts = answers.sum(axis=0)
    shares = counts[counts > 0] / max(counts.sum(), 1e-9)
    ratio = round(float(counts.max() / counts.min()), 2) if counts.min() > 0 else None
    effective = round(float(np.exp(-(shares * np.log(shares)).sum())), 2) if len(shares) else 0.0
    numbers = dict(zip(head.space.labels, np.round(counts, 1).tolist(), strict=True))
    return Balance(head.name, split, numbers, ratio, effective)
