"""Checks of the pictures themselves: unreadable, blank, faint, repeated, in more than one split, of unusual size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from .context import Facts
from .duplicates import Numbers, together
from .record import Finding


def unreadable(facts: Facts) -> Iterator[Finding]:
    """Pictures that no decoder here reads."""
    faults = facts.measures.faults
    if faults:
        yield Finding("unreadable", f"{len(faults)} pictures cannot be decoded", sorted(faults), reasons=faults)


def constant(facts: Facts) -> Iterator[Finding]:
    """Pictures of one grey level, the all-black ones counted apart."""
    rows = np.flatnonzero(facts.blank)
    if len(rows):
        black = rows[facts.measures.high[rows] == 0]
        reasons = {int(row): f"grey level {facts.measures.low[row]}" for row in rows}
        figures = {"black": len(black), "black by split": facts.by_split(black)}
        yield Finding(
            "constant",
            f"{len(rows)} pictures of one grey level, {len(black)} of them all black",
            rows,
            reasons=reasons,
            figures=figures,
        )


def near_constant(facts: Facts) -> Iterator[Finding]:
    """Pictures with next to no contrast."""
    rows = np.flatnonzero(facts.faint)
    if len(rows):
        reasons = {int(row): f"standard deviation {facts.measures.std[row]:.2f}" for row in rows}
        says = f"{len(rows)} pictures with a standard deviation of grey levels below {facts.limits.near_constant:g}"
        yield Finding("near-constant", says, rows, reasons=reasons)


def duplicate(facts: Facts) -> Iterator[Finding]:
    """Rows with the same picture and box."""
    groups = facts.repeated
    if not groups:
        return
    blank = np.flatnonzero(facts.blank)
    more = list(together(facts.measures.picture[blank]))
    counted = _counted(groups)
    figures = counted | {"with constant ones": _counted([*groups, *more])}
    says = "{pictures} pictures in {groups} groups, {redundant} redundant".format(**counted)
    yield Finding("duplicate", says, _all(groups), groups=groups, figures=figures)


def near_duplicate(facts: Facts) -> Iterator[Finding]:
    """Rows whose pictures resemble each other."""
    if facts.near:
        counted = _counted(facts.near)
        says = "{pictures} pictures in {groups} groups".format(**counted)
        yield Finding("near-duplicate", says, _all(facts.near), groups=facts.near, figures=counted)


def leak(facts: Facts) -> Iterator[Finding]:
    """Pictures that are in more than one split."""
    groups = facts.spread(facts.same)
    blank = [group for group in together(facts.measures.picture) if facts.blank[group[0]]]
    figures: dict[str, Any] = {"groups": len(groups)} | facts.shared(groups)
    figures["with constant ones"] = facts.shared([*groups, *facts.spread(blank)])
    if groups:
        yield Finding("leak", _told(facts.shared(groups), "are also"), _all(groups), groups=groups, figures=figures)


def near_leak(facts: Facts) -> Iterator[Finding]:
    """Pictures that resemble one of another split, where no identical one is there already."""
    known = {int(row) for group in facts.spread(facts.same) for row in group}
    groups = [group for group in facts.spread(facts.similar) if not known.issuperset(group.tolist())]
    shared = facts.shared(groups, known)
    if shared:
        says = _told(shared, "resemble one") + ", those with an identical one not counted"
        yield Finding("near-leak", says, _all(groups), groups=groups, figures={"groups": len(groups)} | shared)


def group_leak(facts: Facts) -> Iterator[Finding]:
    """Groups that are in more than one split."""
    texts = np.array(facts.store.texts("group", facts.store.rows()))
    named = np.flatnonzero(texts != "")
    groups = facts.spread(named[group] for group in together(texts[named]))
    if groups:
        reasons = {int(row): f"group {texts[row]}" for group in groups for row in group}
        figures = {"groups": len(groups)} | facts.shared(groups)
        says = f"{len(groups)} groups: {_told(facts.shared(groups), 'have their group also')}"
        yield Finding("group-leak", says, _all(groups), groups=groups, reasons=reasons, figures=figures)


def size(facts: Facts) -> Iterator[Finding]:
    """Pictures that are very small, very long or very heavy, where sizes are mixed."""
    if facts.store.image_shape:
        return
    limits, sides, weight = facts.limits, facts.measures.sides, facts.measures.bytes
    short, long = sides.min(axis=1), sides.max(axis=1)
    heavy = weight > limits.heavy * np.median(weight)
    odd = facts.measures.readable & ((short < limits.small) | (long > limits.aspect * short) | heavy)
    rows = np.flatnonzero(odd)
    if len(rows):
        told = f"{len(rows)} pictures have a side below {limits.small}, are longer than {limits.aspect:g} to 1, or files of over "
        told += f"{limits.heavy:g} times the median"
        reasons = {int(row): f"{sides[row, 1]}x{sides[row, 0]}, {weight[row]} bytes" for row in rows}
        yield Finding("size", told, rows, reasons=reasons)


def box(facts: Facts) -> Iterator[Finding]:
    """Boxes that are empty or leave their picture; four zeros stand for no box."""
    left, top, width, height = facts.box.T.astype(np.int64)
    empty = (width <= 0) | (height <= 0)
    tall, wide = facts.measures.sides.T
    outside = (left < 0) | (top < 0) | (left + width > wide) | (top + height > tall)
    rows = np.flatnonzero(facts.box.any(axis=1) & (empty | outside) & facts.measures.readable)
    if len(rows):
        says = f"boxes: {int(empty[rows].sum())} empty, {int((outside & ~empty)[rows].sum())} beyond their picture"
        reasons = {
            int(row): f"{'empty' if empty[row] else 'beyond'}: {facts.box[row].tolist()} in {wide[row]}x{tall[row]}"
            for row in rows
        }
        yield Finding("box", says, rows, reasons=reasons)


def _counted(groups: list[Numbers]) -> dict[str, int]:
    pictures = sum(map(len, groups))
    return {"groups": len(groups), "pictures": pictures, "redundant": pictures - len(groups)}


def _all(groups: Iterable[Numbers]) -> Numbers:
    return np.sort(np.concatenate(list(groups)))


def _told(shared: dict[str, int], are: str) -> str:
    return ", ".join(f"{count} of {name.replace(' in ', f' {are} in ')}" for name, count in shared.items())
