"""The audit: what is wrong with a data set, told before it costs a week."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from .. import files
from ..store import Store
from . import image_checks, label_checks
from .context import Facts
from .record import CHECKS, Audit, Finding, Limits

_LOOK: dict[str, Callable[[Facts], Iterator[Finding]]] = {
    "unreadable": image_checks.unreadable,
    "constant": image_checks.constant,
    "leak": image_checks.leak,
    "group-leak": image_checks.group_leak,
    "conflict": label_checks.conflict,
    "invalid": label_checks.invalid,
    "box": image_checks.box,
    "near-constant": image_checks.near_constant,
    "near-leak": image_checks.near_leak,
    "near-conflict": label_checks.near_conflict,
    "improbable": label_checks.improbable,
    "unlabelled": label_checks.unlabelled,
    "size": image_checks.size,
    "imbalance": label_checks.imbalance,
    "duplicate": image_checks.duplicate,
    "near-duplicate": image_checks.near_duplicate,
    "missing": label_checks.missing,
}


def audit(store: Store, limits: Limits | None = None, progress: Callable[[int, int], None] | None = None) -> Audit:
    """Look for every known fault. The pictures are read once, in blocks; `progress(done, total)` is called while reading."""
    facts = Facts.of(store, limits or Limits(), progress)
    findings = tuple(_counted(facts, finding) for code in CHECKS for finding in _LOOK[code](facts))
    named = sorted({row for finding in findings for row in finding.rows})
    sources = store.texts("source", store.rows()[named]) if named else []
    return Audit(
        store=str(store.path),
        sha256=files.sha256(store.path),
        faces=len(store),
        splits={split: len(store.rows(split)) for split in store.splits},
        limits=facts.limits,
        findings=findings,
        balance=tuple(label_checks.balance(facts)),
        sources=dict(zip(named, sources, strict=True)),
    )


def _counted(facts: Facts, finding: Finding) -> Finding:
    """The finding with plain numbers, and its rows counted by split and label."""
    rows = [int(row) for row in finding.rows]
    return replace(
        finding,
        rows=rows,
        groups=[[int(row) for row in group] for group in finding.groups],
        by_split=facts.by_split(rows),
        by_label=facts.by_label(rows, finding.head),
    )
