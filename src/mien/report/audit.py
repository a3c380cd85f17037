"""The page of an audit: every finding with its pictures side by side, above their labels and splits."""

from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from .. import files
from ..audit import Audit, Finding
from ..audit.context import describe, labelled_head
from ..errors import InputError
from ..palette import colours
from ..render.blocks import Section
from ..render.page import page
from ..store import Store
from ..tasks import Kind
from .heads.gallery import portraits

_GROUPS, _IN_GROUP, _SINGLE = 12, 6, 24
_BUDGET = 4_000_000  # characters of all pictures


@dataclass(frozen=True)
class AuditPicture:
    """A picture and what stands under it; `picture` is '' where it cannot be decoded or the page is full."""

    picture: str
    small: bool
    row: int
    split: str
    label: str
    reason: str
    source: str


def write_audit(audit: Audit, store: Store, path: Path) -> Path:
    """Write the page of an audit of this store: one file that opens without a network, below 5 MB."""
    album = _Album(audit, store)
    sections = (
        _summary(audit),
        *(_finding(finding, album) for finding in audit.findings),
        *_balances(audit, store),
        Section(
            "Limits", "audit_limits", {"limits": asdict(audit.limits)}, "From where on each check reports."
        ),
    )
    files.write_text(path, page(PurePath(audit.store).name, sections, "audit", shares=_shares(audit, store)))
    return path


class _Album:
    """Pictures of rows with their captions, as long as they fit on the page."""

    def __init__(self, audit: Audit, store: Store) -> None:
        self.audit, self.store, self.left = audit, store, _BUDGET
        self.split = {int(row): name for name in store.splits for row in store.rows(name)}

    def show(self, row: int, finding: Finding) -> AuditPicture:
        """A row of a finding, as it is shown."""
        picture, small = self._picture(row)
        reason = finding.reasons.get(row, "")
        label = self._label(row, finding.head)
        source = self.audit.sources.get(row, "")
        return AuditPicture(
            picture, small, row, self.split[row], label, "" if reason == label else reason, source
        )

    def _picture(self, row: int) -> tuple[str, bool]:
        if self.left <= 0:
            return "", False
        try:
            picture, small = portraits(self.store, [row])[0]
        except InputError:
            return "", False
        self.left -= len(picture)
        return picture, small

    def _label(self, row: int, name: str) -> str:
        head = self.store.head(name) if name else labelled_head(self.store)
        if head is None:
            return ""
        rows = np.array([row])
        exact = head.kind is Kind.DISTRIBUTION
        return describe(
            head, (self.store.annotations(head.name, rows) if exact else self.store.target(head, rows))[0]
        )


def _summary(audit: Audit) -> Section:
    counts = ", ".join(f"{split} {count:,}" for split, count in audit.splits.items())
    facts = {"Faces": f"{audit.faces:,}", "Splits": counts, "SHA-256": audit.sha256[:12]}
    data = {"audit": audit, "facts": facts, "nothing": audit.nothing}
    return Section("Findings", "audit_summary", data, "" if audit.findings else "Nothing was found.")


def _finding(finding: Finding, album: _Album) -> Section:
    rows = [group[:_IN_GROUP] for group in finding.groups[:_GROUPS]] or [
        [row] for row in finding.rows[:_SINGLE]
    ]
    groups = [[album.show(int(row), finding) for row in group] for group in rows]
    beyond = [max(0, len(group) - _IN_GROUP) for group in finding.groups[:_GROUPS]] or [0] * len(groups)
    unseen = len(finding.groups) - _GROUPS if finding.groups else len(finding.rows) - _SINGLE
    data = {
        "finding": finding,
        "groups": list(zip(groups, beyond, strict=True)),
        "unseen": f"{unseen:,} more {'groups' if finding.groups else 'pictures'}" if unseen > 0 else "",
    }
    return Section(finding.name.replace(":", ": "), "audit_finding", data)


def _balances(audit: Audit, store: Store) -> list[Section]:
    sections = []
    for head in store.heads:
        found = [balance for balance in audit.balance if balance.head == head.name]
        if found:
            data: dict[str, Any] = {"labels": head.space.labels, "splits": found}
            sections.append(Section(f"Balance of {head.name}", "audit_balance", data))
    return sections


def _shares(audit: Audit, store: Store) -> list[tuple[str, str, float]]:
    """(label, colour, share) of the first head with labels, in the first split."""
    head = labelled_head(store)
    first = next((balance for balance in audit.balance if head and balance.head == head.name), None)
    total = sum(first.counts.values()) if first else 0
    if head is None or first is None or not total or head.kind is Kind.TAGS:
        return []
    colour = colours(head.space)
    return [(label, colour[label], count / total) for label, count in first.counts.items()]
