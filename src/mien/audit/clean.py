"""A store without what an audit found: which rows to drop, and the record of that in the new store."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .. import store
from ..errors import DataError, lookup
from ..store import SPLITS, Store
from .record import CHECKS, Audit, Finding, Rows

DROPPABLE = tuple(code for code in CHECKS if code != "imbalance")  # whose findings name no rows
_KEEPS_ONE = ("duplicate", "near-duplicate")
_KEEPS_LATEST = ("leak", "near-leak", "group-leak")


@dataclass(frozen=True)
class CleaningPlan:
    """Rows to drop with the reason of each, and by the name of a finding how many rows go, and how many stay
    because their split is to stay whole."""

    reasons: Mapping[int, str] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, int] = field(default_factory=dict)


def plan(
    audit: Audit, found: Store, drop: Sequence[str], splits: Sequence[str], rows: Iterable[int] = ()
) -> CleaningPlan:
    """Decide which rows go: `rows` from any split, and those of the findings in `drop` from `splits`.

    `drop` holds codes, or code:head. Of duplicates one row of the latest split stays (test, else validation);
    of leaks the rows of the latest split stay; of everything else all go. Raises ConfigError or StoreError.
    """
    check_names(drop, found)
    split = np.zeros(len(found), np.int64)
    for name in found.splits:
        split[found.rows(name)] = SPLITS.index(name)
    known = {name: number for number, name in enumerate(SPLITS)}
    open_ = {lookup(known, name, "split") for name in splits}
    reasons = dict.fromkeys(rows, "named by hand")
    dropped, kept = Counter({"rows": len(reasons)} if reasons else {}), Counter[str]()
    chosen = [finding for finding in audit.findings if {finding.code, finding.name} & set(drop)]
    for finding in sorted(chosen, key=lambda finding: finding.code in _KEEPS_ONE):
        gone = frozenset(reasons)
        for row, reason in _to_drop(finding, split.tolist(), gone):
            if row in gone:
                continue
            if split[row] in open_:
                reasons.setdefault(row, f"{finding.name}: {reason}" if reason else finding.name)
                dropped[finding.name] += 1
            else:
                kept[finding.name] += 1
    return CleaningPlan(reasons, dropped, kept)


def clean(audit: Audit, found: Store, out: Path, decided: CleaningPlan, options: Mapping[str, str]) -> Store:
    """Write the store anew without the rows of the plan; its record has what was dropped, why, and `options`.

    Raises DataError where nothing would be left, or `out` is the store itself.
    """
    check_out(out, found.path)
    rows = np.setdiff1d(found.rows(), np.array(sorted(decided.reasons), np.int64))
    if not len(rows):
        raise DataError(f"{found.path}: nothing would be left of its {len(found)} faces")
    meta = found.meta
    sources = found.texts("source", np.array(list(decided.reasons), np.int64))
    left_out = zip(sources, decided.reasons.values(), strict=True)
    counts = ", ".join(f"{count} {name}" for name, count in decided.dropped.items()) or "nothing"
    origin = store.Origin(
        meta["importer"],
        meta["version"],
        {**meta["inputs"], found.path.name: audit.sha256},
        {**meta["options"], **options},
        [*meta["left_out"], *(f"{source}: {reason}" for source, reason in left_out)],
        [*meta["notes"], f"cleaned from {found.path.name} (sha256 {audit.sha256}): dropped {counts}"],
    )
    return store.write(out, found.samples(rows), found.heads, origin, found.modalities)


def check_names(drop: Sequence[str], found: Store) -> None:
    """Raise ConfigError for an unknown code, StoreError for a head that the store lacks."""
    for name in drop:
        code, _, head = name.partition(":")
        lookup(dict.fromkeys(DROPPABLE), code, "finding to drop")
        if head:
            found.head(head)


def check_out(out: Path, parent: Path) -> None:
    """Raise DataError where the clean store would take the place of its parent."""
    if out.resolve() == parent.resolve() or (out.exists() and parent.exists() and out.samefile(parent)):
        raise DataError(f"{out}: is the store itself; give another file for the clean one")


def read_rows(path: Path, found: Store) -> list[int]:
    """Read rows from a text file: a source or row number on each line; empty lines and comments are ignored.

    Raises DataError naming the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    place = {source: row for row, source in enumerate(found.texts("source", found.rows()))}
    place = {str(row): row for row in range(len(found))} | place
    wanted = [(number, line.strip()) for number, line in enumerate(lines, 1)]
    wanted = [(number, line) for number, line in wanted if line and not line.startswith("#")]
    for number, line in wanted:
        if line not in place:
            known = f"no source and no row (0 to {len(found) - 1})"
            raise DataError(f"{path}, line {number}: '{line}' is {known}")
    return [place[line] for _, line in wanted]


def _to_drop(finding: Finding, split: list[int], gone: frozenset[int]) -> Iterator[tuple[int, str]]:
    """Yield the rows that a finding would drop, each with its reason, from whatever split."""
    if finding.code in _KEEPS_ONE:
        for group in finding.groups:
            yield from _all_but_one(group, split, gone)
    elif finding.code in _KEEPS_LATEST:
        for group in finding.groups:
            latest = max(split[row] for row in group)
            yield from ((row, f"also in {SPLITS[latest]}") for row in group if split[row] < latest)
    else:
        for row in finding.rows:
            yield int(row), finding.reasons.get(row, "")


def _all_but_one(group: Rows, split: list[int], gone: frozenset[int]) -> Iterator[tuple[int, str]]:
    left = sorted((row for row in group if row not in gone), key=lambda row: (-split[row], row))
    return ((row, f"row {left[0]} stays") for row in left[1:])
