"""Counts that a data set is published with, held against what is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from .base import Journal


def compare(found: Iterable[str], published: Mapping[str, int], journal: Journal) -> None:
    """Note whether each name was found as often as published, and which were not."""
    counts = Counter(found)
    other = [
        f"{name} {counts[name]} (official {number})" for name, number in published.items() if counts[name] != number
    ]
    total = counts.total()
    journal.notes.append(
        f"{total} pictures, not the official counts: {', '.join(other)}" if other else f"{total} pictures, as published"
    )
