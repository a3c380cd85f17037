"""The audit: what is wrong with a data set, told before it costs a week."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from ... import files
from ...store import Store
from . import about_answers, about_pictures
from .facts import Facts
from .record import CHECKS, SEVERITIES, Audit, Balance, Finding, Limits

__all__ = ["CHECKS", "SEVERITIES", "Audit", "Balance", "Finding", "Limits", "audit"]

_LOOK: dict[str, Callable[[Facts], Iterator[Finding]]] = {
    "unreadable": about_pictures.unreadable,
    "constant": about_pictures.constant,
    "leak": about_pictures.leak,
    "group-leak": about_pictures.group_leak,
    "conflict": about_answers.conflict,
    "invalid": about_answers.invalid,
    "box": about_pictures.box,
    "near-constant": about_pictures.near_constant,
    "near-leak": about_pictures.near_leak,
    "near-conflict": about_answers.near_conflict,
    "improbable": about_answers.improbable,
    "unlabelled": about_answers.unlabelled,
    "size": about_pictures.size,
    "imbalance": about_answers.imbalance,
    "duplicate": about_pictures.duplicate,
    "near-duplicate": about_pictures.near_duplicate,
    "missing": about_answers.missing,
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
        balance=tuple(about_answers.balance(facts)),
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
