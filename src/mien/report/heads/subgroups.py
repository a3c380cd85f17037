"""The same metrics for each group of faces, and the gaps between groups."""

from collections.abc import Iterator, Mapping
from typing import Any

from ...render import blocks
from ...render.blocks import Block, Cell, Column, Section, Subhead, Table
from ...render.text import between, format_metric, percent, points, title
from ...render.text import number as count
from ..results import HeadRecord, interval, number

_GROUPS = 24
_METRICS = 5
#: Differences between groups in how labels are given; what each compares.
_PARITY: dict[str, tuple[str, str]] = {
    "statistical_parity": ("Said", "the share of faces given the label"),
    "equal_opportunity": ("Recall", "the share found of those that have it"),
    "equalised_odds": ("Recall or false alarms", "the wider of the two"),
}


def subgroups(result: HeadRecord) -> Section | None:
    """A table of groups for each attribute, of gaps and of labels; None where the data name no attribute."""
    found = result.part("subgroups")
    if not found:
        return None
    intro = blocks.text(
        "Small groups have wide intervals or none: a gap whose interval holds 0 may be chance. A group that "
        "is not listed was not measured."
    )
    shown = [block for name, part in found.items() for block in _attribute(name, part)]
    return Section("Subgroups", blocks=(intro, *shown))


def _attribute(name: str, part: Mapping[str, Any]) -> Iterator[Block]:
    groups = part.get("groups") or []
    yield Subhead(name)
    every = list(dict.fromkeys(metric for group in groups for metric in group["metrics"]))
    metrics = every[:_METRICS]
    rows = tuple(_group(group, metrics) for group in groups)
    yield Table(f"Groups by {name}", blocks.columns("Group", "Faces", *map(title, metrics)), rows[:_GROUPS])
    left = [f"{len(rows) - _GROUPS} more groups"] if len(rows) > _GROUPS else []
    left += [f"{len(every) - _METRICS} more measures"] if len(every) > _METRICS else []
    if left:
        yield blocks.key(f"In the results file: {' and '.join(left)}.")
    if part.get("gaps"):
        yield _gaps(name, part["gaps"])
    yield from _parity(name, part.get("parity") or {})


def _group(group: Mapping[str, Any], metrics: list[str]) -> tuple[Cell, ...]:
    first = Cell(str(group["name"]) or "not said", under="too small to compare" if group.get("small") else "")
    figures = (_figure(group["metrics"].get(metric) or {}, "value", metric) for metric in metrics)
    return first, Cell(count(group["rows"]), soft=True), *figures


def _figure(item: Mapping[str, Any], key: str, metric: str, strong: bool = False) -> Cell:
    under = between(interval(item.get("interval")), metric)
    return Cell(format_metric(number(item.get(key)), metric), strong=strong, under=under)


def _gaps(name: str, gaps: Mapping[str, Any]) -> Table:
    tested = ["As wide by chance"] if any(gap.get("p") is not None for gap in gaps.values()) else []
    rows = []
    for metric, gap in gaps.items():
        best, worst = Cell(str(gap["best"])), Cell(str(gap["worst"]))
        chance = [Cell(_chance(gap))] if tested else []
        rows.append((Cell(title(metric)), best, worst, _figure(gap, "gap", metric, strong=True), *chance))
    numbers = [Column(heading, "n") for heading in ("Difference", *tested)]
    heads = (*blocks.columns("Gap", "Best", "Worst", look=""), *numbers)
    return Table(f"Gaps by {name}", heads, tuple(rows))


def _chance(gap: Mapping[str, Any]) -> str:
    """How often groups dealt at random lie as far apart."""
    p = number(gap.get("p"))
    return "below 0.1\N{NO-BREAK SPACE}%" if p < 0.001 else percent(p, 1)


def _parity(name: str, parity: Mapping[str, Any]) -> Iterator[Block]:
    """For each label the difference between the highest and the lowest group."""
    measured = [kind for kind in _PARITY if parity.get(kind)]
    if not measured:
        return
    ranges = parity.get("intervals") or {}
    rows = tuple(
        (
            Cell(label),
            *(_points(parity[kind].get(label), (ranges.get(kind) or {}).get(label)) for kind in measured),
        )
        for label in dict.fromkeys(label for kind in measured for label in parity[kind])
    )
    yield Table(f"Labels by {name}", blocks.columns("Label", *(_PARITY[kind][0] for kind in measured)), rows)
    legend = "; ".join(f"{_PARITY[kind][0].lower()}, {_PARITY[kind][1]}" for kind in measured)
    yield blocks.key(
        f"The difference between the highest and the lowest group, in points of a hundred: {legend}."
    )


def _points(value: Any, ends: Any) -> Cell:
    return Cell("–") if value is None else Cell(f"{100 * value:.1f}", under=points(interval(ends)))
