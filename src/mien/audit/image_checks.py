"""Checks of the pictures: unreadable, blank, faint, repeated, in more than one split, of unusual size."""

from collections.abc import Iterable, Iterator

import numpy as np

from .context import AuditContext
from .duplicates import Numbers, group_equal
from .record import Finding


def unreadable(context: AuditContext) -> Iterator[Finding]:
    """Find pictures that no decoder here reads."""
    if faults := context.measures.faults:
        says = f"{len(faults)} pictures cannot be decoded"
        yield Finding("unreadable", says, sorted(faults), reasons=faults)


def constant(context: AuditContext) -> Iterator[Finding]:
    """Find pictures of one grey level, the all-black ones counted apart."""
    rows = np.flatnonzero(context.blank)
    if len(rows):
        black = rows[context.measures.high[rows] == 0]
        reasons = {int(row): f"grey level {context.measures.low[row]}" for row in rows}
        figures = {"black": len(black), "black by split": context.by_split(black)}
        says = f"{len(rows)} pictures of one grey level, {len(black)} of them all black"
        yield Finding("constant", says, rows, reasons=reasons, figures=figures)


def near_constant(context: AuditContext) -> Iterator[Finding]:
    """Find pictures with next to no contrast."""
    rows = np.flatnonzero(context.faint)
    if len(rows):
        reasons = {int(row): f"standard deviation {context.measures.std[row]:.2f}" for row in rows}
        limit = f"{context.limits.near_constant:g}"
        says = f"{len(rows)} pictures with a standard deviation of grey levels below {limit}"
        yield Finding("near-constant", says, rows, reasons=reasons)


def duplicate(context: AuditContext) -> Iterator[Finding]:
    """Find rows with the same picture and box."""
    groups = context.identical_boxed
    if not groups:
        return
    blank = np.flatnonzero(context.blank)
    more = list(group_equal(context.measures.picture[blank]))
    counted = _counted(groups)
    figures = counted | {"with constant ones": _counted([*groups, *more])}
    says = "{pictures} pictures in {groups} groups, {redundant} redundant".format(**counted)
    yield Finding("duplicate", says, _all(groups), groups=groups, figures=figures)


def near_duplicate(context: AuditContext) -> Iterator[Finding]:
    """Find rows whose pictures resemble each other."""
    if groups := context.resembling_boxed:
        counted = _counted(groups)
        says = "{pictures} pictures in {groups} groups".format(**counted)
        yield Finding("near-duplicate", says, _all(groups), groups=groups, figures=counted)


def leak(context: AuditContext) -> Iterator[Finding]:
    """Find pictures that are in more than one split."""
    groups = context.across_splits(context.identical)
    blank = [group for group in group_equal(context.measures.picture) if context.blank[group[0]]]
    shared = context.shared_rows(groups)
    more = {"with constant ones": context.shared_rows([*groups, *context.across_splits(blank)])}
    if groups:
        figures = {"groups": len(groups)} | shared | more
        yield Finding("leak", _in_words(shared, "are also"), _all(groups), groups=groups, figures=figures)


def near_leak(context: AuditContext) -> Iterator[Finding]:
    """Find pictures that resemble one of another split, unless an identical one is in it."""
    known = {int(row) for group in context.across_splits(context.identical) for row in group}
    groups = context.across_splits(context.resembling)
    groups = [group for group in groups if not known.issuperset(group.tolist())]
    shared = context.shared_rows(groups, known)
    if shared:
        says = _in_words(shared, "resemble one") + ", those with an identical one not counted"
        figures = {"groups": len(groups)} | shared
        yield Finding("near-leak", says, _all(groups), groups=groups, figures=figures)


def group_leak(context: AuditContext) -> Iterator[Finding]:
    """Find groups that are in more than one split."""
    texts = np.array(context.store.texts("group", context.store.rows()))
    named = np.flatnonzero(texts != "")
    groups = context.across_splits(named[group] for group in group_equal(texts[named]))
    if groups:
        reasons = {int(row): f"group {texts[row]}" for group in groups for row in group}
        shared = context.shared_rows(groups)
        figures = {"groups": len(groups)} | shared
        says = f"{len(groups)} groups: {_in_words(shared, 'have their group also')}"
        yield Finding("group-leak", says, _all(groups), groups=groups, reasons=reasons, figures=figures)


def size(context: AuditContext) -> Iterator[Finding]:
    """Find pictures that are very small, very long or very heavy, where sizes are mixed."""
    if context.store.image_shape:
        return
    limits, sides, weight = context.limits, context.measures.sides, context.measures.bytes
    short, long = sides.min(axis=1), sides.max(axis=1)
    heavy = weight > limits.heavy * np.median(weight)
    odd = context.measures.readable & ((short < limits.small) | (long > limits.aspect * short) | heavy)
    rows = np.flatnonzero(odd)
    if len(rows):
        says = f"{len(rows)} pictures have a side below {limits.small}, are longer than {limits.aspect:g} to "
        says += f"1, or files of over {limits.heavy:g} times the median"
        reasons = {int(row): f"{sides[row, 1]}x{sides[row, 0]}, {weight[row]} bytes" for row in rows}
        yield Finding("size", says, rows, reasons=reasons)


def box(context: AuditContext) -> Iterator[Finding]:
    """Find boxes that are empty or leave their picture; four zeros stand for no box."""
    left, top, width, height = context.box.T.astype(np.int64)
    empty = (width <= 0) | (height <= 0)
    tall, wide = context.measures.sides.T
    outside = (left < 0) | (top < 0) | (left + width > wide) | (top + height > tall)
    rows = np.flatnonzero(context.box.any(axis=1) & (empty | outside) & context.measures.readable)
    if len(rows):
        says = f"boxes: {empty[rows].sum()} empty, {(~empty[rows]).sum()} beyond their picture"
        fault = np.where(empty, "empty", "beyond")
        boxes = context.box.tolist()
        reasons = {int(row): f"{fault[row]}: {boxes[row]} in {wide[row]}x{tall[row]}" for row in rows}
        yield Finding("box", says, rows, reasons=reasons)


def _counted(groups: list[Numbers]) -> dict[str, int]:
    pictures = sum(map(len, groups))
    return {"groups": len(groups), "pictures": pictures, "redundant": pictures - len(groups)}


def _all(groups: Iterable[Numbers]) -> Numbers:
    return np.sort(np.concatenate(list(groups)))


def _in_words(shared: dict[str, int], are: str) -> str:
    return ", ".join(f"{count} of {name.replace(' in ', f' {are} in ')}" for name, count in shared.items())
