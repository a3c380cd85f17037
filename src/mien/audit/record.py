"""What an audit looks for, with which limits, and what it found."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from numpy.typing import NDArray

SCHEMA = 1
Rows = Sequence[int] | NDArray[Any]
SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class AuditLimits:
    """The limits from which a check reports. `docs/reference/audit.md` says how each was chosen."""

    near_constant: float = 5.0  # standard deviation of grey levels 0…255
    hamming: int = 8  # bits of 63 in which the hashes of near duplicates may differ
    likeness: float = 0.95  # least correlation of their thumbnails
    variation: float = 0.5  # total variation between two distributions of one picture
    value_share: float = 0.2  # difference between two values of one picture, as a share of the head's bounds
    ratio: float = 10.0  # largest over smallest class
    few: int = 100  # faces of a class in the training split
    contradiction: float = 0.3  # valence (-1…1) on the wrong side of zero for its class
    small: int = 32  # shorter side in pixels
    aspect: float = 3.0  # longer side over shorter side
    heavy: float = 20.0  # bytes of a picture file over the median


class Check(NamedTuple):
    """A kind of fault: its severity, what it is, and what to do about it."""

    severity: str
    what: str
    advice: str


#: The checks in the order of the report. The names are stable: `mien data clean --drop` takes them.
CHECKS: dict[str, Check] = {
    "unreadable": Check("error", "pictures that cannot be decoded",
        "Drop them, or import again from good files."),
    "constant": Check("error", "pictures of one grey level", "Drop them: nothing can be read from them."),
    "leak": Check("error", "pictures that are in more than one split",
        "Drop the training copies, so that official test sets stay whole; figures measured "
        "with them are too good."),
    "group-leak": Check("error", "groups (persons, repeated pictures) that are in more than one split",
        "Split again by group, or drop their training rows."),
    "conflict": Check("error", "identical pictures with different labels",
        "Look at them; drop them, or settle on one label."),
    "invalid": Check("error", "annotations that cannot be", "Correct them or drop the rows."),
    "box": Check("error", "boxes that are empty or leave their picture", "Correct them or drop the rows."),
    "near-constant": Check("warning", "pictures with next to no contrast",
        "Look at them; drop those without a face."),
    "near-leak": Check("warning", "pictures that resemble one in another split",
        "Look at them; drop the training copies."),
    "near-conflict": Check("warning", "near duplicates with different labels",
        "Look at them: frames of one scene may differ in expression, copies of one photograph do not."),
    "improbable": Check("warning", "annotations that are hard to believe",
        "Look at them; correct or drop the wrong ones."),
    "unlabelled": Check("warning", "rows without any annotation",
        "Drop them unless they are there to be predicted."),
    "size": Check("warning", "pictures of unusual size or shape",
        "Look at them; drop those that show no usable face."),
    "imbalance": Check("warning", "labels with few faces, or with few beside others",
        "Weigh the classes, sample them evenly, or collect more."),
    "duplicate": Check("note", "identical pictures", "Keep one of each: copies give a face more weight."),
    "near-duplicate": Check("note", "pictures that resemble each other",
        "Keep one of each group, or keep a group in one split."),
    "missing": Check("note", "rows without an annotation for a head",
        "Nothing: losses and metrics pass over them."),
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """What one check found: rows, `groups` of them that belong together, and the `reasons` of each."""

    code: str
    says: str
    rows: Rows = ()
    head: str = ""
    groups: Sequence[Rows] = ()
    reasons: Mapping[int, str] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    by_split: Mapping[str, int] = field(default_factory=dict)
    by_label: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The code, with the head where the check is made head by head: `conflict:expression7`."""
        return f"{self.code}:{self.head}" if self.head else self.code

    @property
    def check(self) -> Check:
        """The check that made the finding."""
        return CHECKS[self.code]

    def to_dict(self) -> dict[str, Any]:
        """Return a record that JSON can hold."""
        return {
            **vars(self),
            **self.check._asdict(),
            "rows": list(self.rows),
            "groups": [list(group) for group in self.groups],
            "reasons": {str(row): reason for row, reason in self.reasons.items()},
        }


@dataclass(frozen=True)
class Balance:
    """How many faces (or how much probability) each label of a head has in a split. `ratio` is the largest
    over the smallest count (None where a label has none), `effective` the exponential of the entropy."""

    head: str
    split: str
    counts: Mapping[str, float]
    ratio: float | None
    effective: float


@dataclass(frozen=True)
class Audit:
    """All findings, worst first, with the sources of their rows, the splits and the limits."""

    store: str
    sha256: str
    faces: int
    splits: Mapping[str, int]
    limits: AuditLimits
    findings: tuple[Finding, ...]
    balance: tuple[Balance, ...]
    sources: Mapping[int, str]

    @property
    def nothing(self) -> list[str]:
        """The codes of checks that found nothing."""
        found = {finding.code for finding in self.findings}
        return [code for code in CHECKS if code not in found]

    def find(self, name: str) -> Finding | None:
        """Return the finding with that code or name, None if there is none."""
        return next((finding for finding in self.findings if name in (finding.name, finding.code)), None)

    def to_dict(self) -> dict[str, Any]:
        """Return a record that JSON can hold."""
        return {
            "schema": SCHEMA,
            **vars(self),
            "limits": asdict(self.limits),
            "findings": [finding.to_dict() for finding in self.findings],
            "nothing_found": self.nothing,
            "balance": [asdict(balance) for balance in self.balance],
            "sources": {str(row): source for row, source in self.sources.items()},
        }
