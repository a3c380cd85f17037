"""The official counts of FER-2013 by split and class, and its official splits in copies that hide them."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from ...labels import EXPRESSION7
from ...records import Sample
from ..base import ImportLog
from ..picture_files import LabelledPicture

#: In the order of EXPRESSION7, which is that of the data set's own codes.
_TABLE = {
    "train": (3995, 436, 4097, 7215, 4830, 3171, 4965),
    "validation": (467, 56, 496, 895, 653, 415, 607),
    "test": (491, 55, 528, 879, 594, 416, 626),
}
_USAGE = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
#: The number of faces: OFFICIAL[split][class]
OFFICIAL: dict[str, dict[str, int]] = {
    split: dict(zip(EXPRESSION7.labels, counts, strict=True)) for split, counts in _TABLE.items()
}
_COUNTED = re.compile(r"im\d+\.png")


def note_counts(samples: Iterable[Sample], log: ImportLog) -> Iterator[Sample]:
    """Pass samples on, and note at the end which splits have the official counts."""
    seen = []
    for sample in samples:
        seen.append((sample.split, str(sample.targets.get("expression7"))))
        yield sample
    counts = Counter(seen)
    log.notes.extend(_verdict(split, counts) for split in OFFICIAL)


def _verdict(split: str, counts: Counter[tuple[str, str]]) -> str:
    mine = {label: counts[split, label] for label in EXPRESSION7.labels}
    name, total, wanted = f"{split} ({_USAGE[split]})", sum(mine.values()), sum(OFFICIAL[split].values())
    if mine == OFFICIAL[split]:
        return f"{name}: {total} faces, the official counts in every class"
    if not total:
        return f"{name}: no labelled faces"
    return f"{name}: {total} faces, the official set has {wanted}"


def official_splits(found: list[LabelledPicture], log: ImportLog) -> list[LabelledPicture]:
    """Separate PublicTest and PrivateTest where that can be done, of pictures in natural order of each class.

    Names `PublicTest_…` say it. `im<k>.png` were counted through the CSV class by class, PublicTest first, so
    with the official number of files in every class the order says it. What was decided is noted.
    """
    split_of = {usage: split for split, usage in _USAGE.items()}
    named = [split_of.get(path.name.partition("_")[0], "") if "_" in path.name else "" for path, *_ in found]
    if any(named):
        prefixes = ", ".join(f"{usage}_" for usage in split_of)
        log.notes.append(f"splits by the file names ({prefixes}), not by the folders")
        pairs = zip(found, named, strict=True)
        return [picture._replace(split=split or picture.split) for picture, split in pairs]
    test = [picture for picture in found if picture.split == "test"]
    if not test or not all(_COUNTED.fullmatch(picture.path.name) for picture in test):
        return found
    counts, public = Counter(picture.label for picture in test), OFFICIAL["validation"]
    if counts != public and counts != {label: public[label] + OFFICIAL["test"][label] for label in public}:
        mixed = "PublicTest and PrivateTest cannot be told apart"
        log.notes.append(f"test/im<k>.png: not the official counts, so {mixed}")
        return found
    first_of_class = "the first of each class are PublicTest (now validation)"
    log.notes.append(f"test/im<k>.png: {first_of_class}, by its official counts")
    seen: Counter[str] = Counter()
    recovered = []
    for picture in found:
        seen[picture.label] += picture.split == "test"
        first = picture.split == "test" and seen[picture.label] <= public[picture.label]
        recovered.append(picture._replace(split="validation") if first else picture)
    return recovered
