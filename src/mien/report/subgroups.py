"""The same metrics for each group of faces, and the gaps between groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from . import blocks
from .blocks import Block, Cell, Column, Subhead, Table
from .results import HeadRecord, interval, number
from .section import Section
from .words import between, figure, signed, title
from .words import number as count

_GROUPS = 24


def subgroups(one: HeadRecord) -> Section | None:
    """A table of groups for each attribute, and one of gaps; None where the data name no attribute."""
    found = one.part("subgroups")
    if not found:
        return None
    told = blocks.text(
        "Small groups have wide intervals: a gap whose interval holds 0 may be chance. A group that is not listed was not "
        "measured."
    )
    shown = [block for name, part in found.items() for block in _attribute(name, part)]
    return Section("Subgroups", blocks=(told, *shown))


def _attribute(name: str, part: Mapping[str, Any]) -> Iterator[Block]:
    groups = part.get("groups") or []
    yield Subhead(name)
    metrics = list(dict.fromkeys(metric for group in groups for metric in group["metrics"]))
    columns = (Column("Group"), Column("Faces", "n"), *(Column(title(metric), "n") for metric in metrics))
    rows = tuple(
        (
            Cell(str(group["name"]) or "not said"),
            Cell(count(group["rows"]), soft=True),
            *_figures(group["metrics"], metrics),
        )
        for group in groups[:_GROUPS]
    )
    yield Table(f"Groups by {name}", columns, rows)
    if len(groups) > _GROUPS:
        yield blocks.key(f"{len(groups) - _GROUPS} more groups are in results.json.")
    if part.get("gaps"):
        yield _gaps(name, part["gaps"])
    yield from _parity(part.get("parity") or {})


def _figures(found: Mapping[str, Any], metrics: list[str]) -> Iterator[Cell]:
    for metric in metrics:
        item = found.get(metric) or {}
        yield Cell(figure(number(item.get("value")), metric), under=between(interval(item.get("interval")), metric))


def _gaps(name: str, gaps: Mapping[str, Any]) -> Table:
    columns = (Column("Gap"), Column("Best"), Column("Worst"), Column("Difference", "n"))
    rows = tuple(
        (
            Cell(title(metric)),
            Cell(str(gap["best"])),
            Cell(str(gap["worst"])),
            Cell(figure(number(gap["gap"]), metric), strong=True, under=between(interval(gap.get("interval")), metric)),
        )
        for metric, gap in gaps.items()
    )
    return Table(f"Gaps by {name}", columns, rows)


def _parity(parity: Mapping[str, Any]) -> Iterator[Block]:
    """Differences in how often groups are given a label, or found right: numbers, or a number for each label."""
    for name, given in parity.items():
        words = name.replace("_", " ")
        if isinstance(given, int | float):
            yield blocks.key(f"{words.capitalize()}: {signed(float(given), 3)}.")
        elif isinstance(given, Mapping):
            parts = [
                f"{label} {signed(float(value), 3)}" for label, value in given.items() if isinstance(value, int | float)
            ]
            if parts:
                yield blocks.key(f"{words.capitalize()}: {', '.join(parts)}.")
