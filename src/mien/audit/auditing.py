"""The audit: runs every check on a store and collects what they find."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from .. import files
from ..progress import Progress, silent
from ..store import Store
from . import image_checks, label_checks
from .context import AuditContext
from .record import CHECKS, Audit, AuditLimits, Finding

_FIND: dict[str, Callable[[AuditContext], Iterator[Finding]]] = {
    "unreadable": image_checks.unreadable, "constant": image_checks.constant, "leak": image_checks.leak,
    "group-leak": image_checks.group_leak, "conflict": label_checks.conflict, "invalid": label_checks.invalid,
    "box": image_checks.box, "near-constant": image_checks.near_constant,
    "near-leak": image_checks.near_leak, "near-conflict": label_checks.near_conflict,
    "improbable": label_checks.improbable, "unlabelled": label_checks.unlabelled, "size": image_checks.size,
    "imbalance": label_checks.imbalance, "duplicate": image_checks.duplicate,
    "near-duplicate": image_checks.near_duplicate, "missing": label_checks.missing,
}  # fmt: skip


def audit(store: Store, limits: AuditLimits | None = None, progress: Progress = silent) -> Audit:
    """Look for every known fault. Pictures are read once, in blocks; `progress(done, total)` is called."""
    context = AuditContext.of(store, limits or AuditLimits(), progress)
    findings = tuple(_counted(context, finding) for code in CHECKS for finding in _FIND[code](context))
    named = sorted({row for finding in findings for row in finding.rows})
    sources = store.texts("source", store.rows()[named]) if named else []
    return Audit(
        store=str(store.path),
        sha256=files.sha256(store.path),
        faces=len(store),
        splits={split: len(store.rows(split)) for split in store.splits},
        limits=context.limits,
        findings=findings,
        balance=tuple(label_checks.balance(context)),
        sources=dict(zip(named, sources, strict=True)),
    )


def _counted(context: AuditContext, finding: Finding) -> Finding:
    """Return the finding with plain numbers, and its rows counted by split and label."""
    rows = [int(row) for row in finding.rows]
    groups = [[int(row) for row in group] for group in finding.groups]
    splits, labels = context.by_split(rows), context.by_label(rows, finding.head)
    return replace(finding, rows=rows, groups=groups, by_split=splits, by_label=labels)
