"""Where a card goes: beside its face, over no other face or card where that can be had."""

from __future__ import annotations

from collections.abc import Sequence

from .drawing import Area


def spread(
    boxes: Sequence[Area], sizes: Sequence[tuple[int, int]], canvas: tuple[int, int], gap: int
) -> tuple[list[Area], int]:
    """A place for a card of each size beside each box, where it hides least, and how many pixels are hidden in all."""
    taken, found, hidden = list(boxes), [], 0
    for box, size in zip(boxes, sizes, strict=True):
        spots = around(box, size, canvas, gap)
        costs = [sum(overlap(spot, other) for other in taken) for spot in spots]
        hidden += min(costs)
        found.append(spots[costs.index(min(costs))])
        taken.append(found[-1])
    return found, hidden


def around(box: Area, size: tuple[int, int], canvas: tuple[int, int], gap: int) -> list[Area]:
    """Places for a card of `size` round a box, all inside the canvas, the likeable first."""
    (left, top, right, bottom), (width, height) = box, size
    corners = [
        (right + gap, top), (left - gap - width, top), (left, bottom + gap), (left, top - gap - height),
        (right + gap, bottom - height), (left - gap - width, bottom - height), (right - width, bottom + gap),
        (right - width, top - gap - height),
    ]  # fmt: skip
    inside = [(max(0, min(x, canvas[0] - width)), max(0, min(y, canvas[1] - height))) for x, y in corners]
    return [(x, y, x + width - 1, y + height - 1) for x, y in inside]


def overlap(one: Area, other: Area) -> int:
    """How many pixels two areas share."""
    width = min(one[2], other[2]) - max(one[0], other[0]) + 1
    height = min(one[3], other[3]) - max(one[1], other[1]) + 1
    return max(0, width) * max(0, height)
