"""Checks of what annotators said: conflicts, impossible and improbable answers, missing ones, rare labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ..labels import VAD_MEANS, canonical
from ..records import Floats
from ..tasks import Head, Kind
from .context import Facts, said
from .duplicates import Numbers
from .record import Balance, Finding, Limits

_SLACK = 1e-3  # of sums, bounds and the unit circle
_CLEAR = 0.5  # a class has a clear sign where its own valence is beyond this


def conflict(facts: Facts) -> Iterator[Finding]:
    """Identical pictures, with the same box, whose answers differ."""
    for head in facts.store.heads:
        yield from _conflicts(facts, head, "conflict", "identical pictures", facts.repeated)


def near_conflict(facts: Facts) -> Iterator[Finding]:
    """Near duplicates, with the same box, whose answers differ; those that conflict as identical pictures are told there."""
    for head in facts.store.heads:
        known = {int(row) for group in facts.repeated if _differ(facts, head, group) for row in group}
        groups = [group for group in facts.near if known.isdisjoint(group.tolist())]
        yield from _conflicts(facts, head, "near-conflict", "near duplicates", groups)


def _conflicts(facts: Facts, head: Head, code: str, what: str, groups: list[Numbers]) -> Iterator[Finding]:
    found = [group for group in groups if _differ(facts, head, group)]
    if found:
        rows = np.sort(np.concatenate(found))
        answers = facts.answers[head.name]
        figures = {"groups": len(found), "pictures": len(rows)}
        reasons = {int(row): said(head, answers[row]) for row in rows}
        says = f"{len(found)} of {len(groups)} groups of {what} have different labels: {len(rows)} pictures"
        yield Finding(code, says, rows, head.name, found, reasons, figures)


def _differ(facts: Facts, head: Head, group: Numbers) -> bool:
    answers = facts.answers[head.name][group]
    answers = answers[~np.isnan(answers).all(axis=1)]
    return len(answers) > 1 and _DIFFER[head.kind](head, answers, facts.limits)


def _by_name(_head: Head, answers: Floats, _limits: Limits) -> bool:
    return bool((answers != answers[0]).any())


def _by_variation(_head: Head, answers: Floats, limits: Limits) -> bool:
    """Whether any two are further apart than the limit in total variation."""
    shares = answers / np.maximum(answers.sum(axis=1, keepdims=True), 1e-9)
    return any(np.abs(shares - one).sum(axis=1).max() / 2 > limits.variation for one in shares)


def _by_value(head: Head, answers: Floats, limits: Limits) -> bool:
    low, high = (
        np.where(np.isnan(answers), np.inf, answers).min(0),
        np.where(np.isnan(answers), -np.inf, answers).max(0),
    )
    return bool(((high - low) > limits.value_share * (head.bounds[1] - head.bounds[0]) + _SLACK).any())


_DIFFER: dict[Kind, Callable[[Head, Floats, Limits], bool]] = {
    Kind.CLASS: _by_name,
    Kind.DISTRIBUTION: _by_variation,
    Kind.TAGS: _by_name,
    Kind.VALUES: _by_value,
}


def invalid(facts: Facts) -> Iterator[Finding]:
    """Values beyond the bounds; distributions without a vote, or that are neither votes nor sum to 1."""
    for head in facts.store.heads:
        yield from _reasoned("invalid", head, _impossible(facts, head))


def improbable(facts: Facts) -> Iterator[Finding]:
    """Uniform distributions, no tag at all, valence-arousal beyond the unit circle, valence against the class."""
    for head in facts.store.heads:
        yield from _reasoned("improbable", head, _doubtful(facts, head))


def _reasoned(code: str, head: Head, reasons: dict[int, str]) -> Iterator[Finding]:
    if reasons:
        kinds = sorted({reason.partition(":")[0] for reason in reasons.values()})
        counts = {kind: sum(reason.partition(":")[0] == kind for reason in reasons.values()) for kind in kinds}
        says = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        yield Finding(code, says, sorted(reasons), head.name, reasons=reasons, figures=counts)


def _impossible(facts: Facts, head: Head) -> dict[int, str]:
    answers = facts.answers[head.name]
    if head.kind is Kind.VALUES:
        low, high = head.bounds
        rows = np.flatnonzero(((answers < low) | (answers > high)).any(axis=1))
        return {int(row): f"outside {low:g} to {high:g}: {said(head, answers[row])}" for row in rows}
    if head.kind is not Kind.DISTRIBUTION:
        return {}
    total = answers.sum(axis=1)
    votes = (answers == np.rint(answers)).all(axis=1)
    wrong = (total == 0) | ~votes & (np.abs(total - 1) > _SLACK)
    return {
        int(row): "without a vote" if total[row] == 0 else f"not summing to 1: {total[row]:.4g}"
        for row in np.flatnonzero(wrong & ~np.isnan(total))
    }


def _doubtful(facts: Facts, head: Head) -> dict[int, str]:
    answers = facts.answers[head.name]
    known = ~np.isnan(answers).all(axis=1)
    if head.kind is Kind.DISTRIBUTION:
        even = (np.ptp(answers, axis=1) < _SLACK * answers.sum(axis=1)) & known
        return dict.fromkeys(np.flatnonzero(even).tolist(), "uniform")
    if head.kind is Kind.TAGS:
        return dict.fromkeys(np.flatnonzero(known & ~(answers > 0).any(axis=1)).tolist(), "without a tag")
    if head.kind is Kind.VALUES:
        return _contradicted(facts, head) | _off_circle(head, answers)
    return {}


def _off_circle(head: Head, answers: Floats) -> dict[int, str]:
    if "valence" not in head.space or "arousal" not in head.space or head.bounds != (-1.0, 1.0):
        return {}
    spot = answers[:, [head.space.index("valence"), head.space.index("arousal")]]
    radius = np.linalg.norm(spot, axis=1)
    beyond = (radius > 1 + _SLACK) & (np.abs(spot) <= 1).all(axis=1)  # else invalid already
    return {int(row): f"beyond the unit circle: {said(head, answers[row])}" for row in np.flatnonzero(beyond)}


def _contradicted(facts: Facts, head: Head) -> dict[int, str]:
    """Rows whose valence lies clearly on the other side of zero than their class."""
    if "valence" not in head.space:
        return {}
    middle, half = sum(head.bounds) / 2, (head.bounds[1] - head.bounds[0]) / 2
    valence = (facts.answers[head.name][:, head.space.index("valence")] - middle) / half
    found: dict[int, str] = {}
    for other in facts.store.heads:
        if other.kind is Kind.CLASS:
            answers = facts.answers[other.name]
            sign = _signs(other)[np.nan_to_num(answers).argmax(axis=1)]
            against = ~np.isnan(answers[:, 0]) & (sign * valence < -facts.limits.contradiction)
            for row in np.flatnonzero(against).tolist():
                found[row] = f"against its class: {said(other, answers[row])} with valence {valence[row]:.2f}"
    return found


def _signs(head: Head) -> NDArray[np.float64]:
    own = [(VAD_MEANS.get(canonical(label)) or (0.0,))[0] for label in head.space.labels]
    return np.array([np.sign(valence) if abs(valence) >= _CLEAR else 0.0 for valence in own])


def missing(facts: Facts) -> Iterator[Finding]:
    """Rows without an annotation for a head, or with a part of it only."""
    for head in facts.store.heads:
        absent = np.isnan(facts.answers[head.name])
        rows = np.flatnonzero(absent.any(axis=1))
        if len(rows):
            partly = int((absent.any(axis=1) & ~absent.all(axis=1)).sum())
            says = f"{len(rows)} of {len(facts.store)} rows are not annotated" + (
                f", {partly} of them in part" if partly else ""
            )
            yield Finding("missing", says, rows, head.name, figures={"rows": len(rows), "in part": partly})


def unlabelled(facts: Facts) -> Iterator[Finding]:
    """Rows that nobody annotated for any head."""
    bare = np.all([np.isnan(answers).all(axis=1) for answers in facts.answers.values()], axis=0)
    rows = np.flatnonzero(bare)
    if len(rows):
        yield Finding("unlabelled", f"{len(rows)} rows have no annotation", rows)


def imbalance(facts: Facts) -> Iterator[Finding]:
    """Labels of a head that are rare beside others in the first split there is, training as a rule."""
    for one in balance(facts):
        if one.split == facts.store.splits[0] and any(one.counts.values()):
            yield from _unbalanced(one, facts.limits)


def _unbalanced(one: Balance, limits: Limits) -> Iterator[Finding]:
    there = {label: count for label, count in one.counts.items() if count}
    absent = [label for label in one.counts if label not in there]
    few = {label: count for label, count in there.items() if count < limits.few}
    least, most = (pick(there, key=lambda label: there[label]) for pick in (min, max))
    times = there[most] / there[least]
    if absent or few or times > limits.ratio:
        says = f"{one.split}: {most} {there[most]:g}, {least} {there[least]:g} ({times:.1f} to 1)"
        says += f"; below {limits.few}: {', '.join(few)}" if few else ""
        says += f"; none: {', '.join(absent)}" if absent else ""
        figures = {"ratio": one.ratio, "effective labels": one.effective, "few": few, "none": absent}
        yield Finding("imbalance", says, (), one.head, figures=figures)


def balance(facts: Facts) -> list[Balance]:
    """Counts of the labels, head by head and split by split; of a distribution, the sum of its shares."""
    return [
        _balance(head, split, facts.answers[head.name][facts.store.rows(split)])
        for head in facts.store.heads
        if head.kind is not Kind.VALUES
        for split in facts.store.splits
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
