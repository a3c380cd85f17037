"""The official splits of FER-2013 where a folder copy hides them: in the names of its files, or in their order."""

from __future__ import annotations

import re
from collections import Counter

from ..base import Journal
from ..picture_files import Picture
from .counts import OFFICIAL

PREFIXES = {"Training_": "train", "PublicTest_": "validation", "PrivateTest_": "test"}
_COUNTED = re.compile(r"im\d+\.png")


def official(found: list[Picture], journal: Journal) -> list[Picture]:
    """Pictures, in natural order of each class, with PublicTest and PrivateTest told apart where that can be done.

    Names `PublicTest_…` tell it themselves. `im<k>.png` were counted through the CSV class by class, PublicTest first, so
    with the official number of files in every class the order tells it. What was decided is noted.
    """
    named = [
        next((split for prefix, split in PREFIXES.items() if path.name.startswith(prefix)), "") for path, *_ in found
    ]
    if any(named):
        journal.notes.append("splits by the file names (Training_, PublicTest_, PrivateTest_), not by the folders")
        return [picture._replace(split=split or picture.split) for picture, split in zip(found, named, strict=True)]
    test = [picture for picture in found if picture.split == "test"]
    if not test or not all(_COUNTED.fullmatch(picture.path.name) for picture in test):
        return found
    counts, public = Counter(picture.label for picture in test), OFFICIAL["validation"]
    if counts != public and counts != {label: public[label] + OFFICIAL["test"][label] for label in public}:
        journal.notes.append(
            "test/im<k>.png: not the official counts, so PublicTest and PrivateTest cannot be told apart"
        )
        return found
    journal.notes.append(
        "test/im<k>.png: the first of each class are PublicTest (now validation), by its official counts"
    )
    return _recovered(found, public)


def _recovered(found: list[Picture], public: dict[str, int]) -> list[Picture]:
    seen: Counter[str] = Counter()
    recovered = []
    for picture in found:
        seen[picture.label] += picture.split == "test"
        first = picture.split == "test" and seen[picture.label] <= public[picture.label]
        recovered.append(picture._replace(split="validation") if first else picture)
    return recovered
