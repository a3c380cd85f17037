"""The official numbers of faces in FER-2013, by split and class, and a reader's own numbers held against them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ...labels import EXPRESSION7
from ...records import Sample
from ..base import Journal

#: In the order of EXPRESSION7, which is that of the data set's own codes.
_TABLE = {
    "train": (3995, 436, 4097, 7215, 4830, 3171, 4965),
    "validation": (467, 56, 496, 895, 653, 415, 607),
    "test": (491, 55, 528, 879, 594, 416, 626),
}
_USAGE = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}

#: OFFICIAL[split][class]
OFFICIAL: dict[str, dict[str, int]] = {
    split: dict(zip(EXPRESSION7.labels, counts, strict=True)) for split, counts in _TABLE.items()
}


def compared(samples: Iterable[Sample], journal: Journal) -> Iterator[Sample]:
    """Pass samples on, and note at the end which splits have the official counts."""
    seen = []
    for sample in samples:
        seen.append((sample.split, str(sample.targets.get("expression7"))))
        yield sample
    counts = Counter(seen)
    journal.notes.extend(_verdict(split, counts) for split in OFFICIAL)


def _verdict(split: str, counts: Counter[tuple[str, str]]) -> str:
    mine = {label: counts[split, label] for label in EXPRESSION7.labels}
    name, total, wanted = f"{split} ({_USAGE[split]})", sum(mine.values()), sum(OFFICIAL[split].values())
    if mine == OFFICIAL[split]:
        return f"{name}: {total} faces, the official counts in every class"
    if not total:
        return f"{name}: no labelled faces"
    return f"{name}: {total} faces, the official set has {wanted}"
