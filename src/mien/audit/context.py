"""What all checks work on: measures of the pictures, splits, boxes and answers of all rows of a store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..progress import Progress, silent
from ..records import Floats
from ..store import SPLITS, Store
from ..tasks import Head, Kind
from .duplicates import Numbers, group_equal, near_duplicates
from .measures import StoreMeasures, measure
from .record import AuditLimits, Rows


@dataclass(frozen=True)
class AuditContext:
    """A store and its measures. Answers are float (N, K) by head, NaN: none; distributions as stored."""

    store: Store
    limits: AuditLimits
    measures: StoreMeasures
    split: NDArray[np.uint8]
    box: NDArray[np.int32]
    answers: dict[str, Floats]

    @classmethod
    def of(cls, store: Store, limits: AuditLimits, progress: Progress = silent) -> AuditContext:
        """Read and measure a store."""
        split = np.zeros(len(store), np.uint8)
        for name in store.splits:
            split[store.rows(name)] = SPLITS.index(name)
        rows = store.rows()
        counts = {head.name for head in store.heads if head.kind is Kind.DISTRIBUTION}
        answers = {
            head.name: store.annotations(head.name, rows) if head.name in counts else store.target(head, rows)
            for head in store.heads
        }
        return cls(store, limits, measure(store, progress), split, store.boxes(rows), answers)

    @cached_property
    def blank(self) -> NDArray[np.bool_]:
        """Which rows have a picture of one grey level, bool (N,)."""
        return np.asarray(self.measures.readable & (self.measures.low == self.measures.high))

    @cached_property
    def faint(self) -> NDArray[np.bool_]:
        """Which rows have a picture with almost no contrast, but some, bool (N,)."""
        low = self.measures.std < self.limits.near_constant
        return np.asarray(self.measures.readable & ~self.blank & low)

    @cached_property
    def identical(self) -> list[Numbers]:
        """Groups of rows that have the same picture, blank ones left out."""
        return [group for group in group_equal(self.measures.picture) if not self.blank[group[0]]]

    @cached_property
    def identical_boxed(self) -> list[Numbers]:
        """Groups of rows that have the same picture and the same box in it, blank ones left out."""
        return [group for group in group_equal(self.measures.picture, self.box) if not self.blank[group[0]]]

    @cached_property
    def _near_duplicates(self) -> Numbers:
        return near_duplicates(self.measures, self.measures.readable & ~self.blank & ~self.faint, self.limits)

    @cached_property
    def resembling(self) -> list[Numbers]:
        """Groups of rows whose pictures resemble each other, without the groups of only one picture."""
        return self._of_several_pictures(group_equal(self._near_duplicates))

    @cached_property
    def resembling_boxed(self) -> list[Numbers]:
        """The groups of `resembling` with the same box: persons of one picture are kept apart."""
        return self._of_several_pictures(group_equal(self._near_duplicates, self.box))

    def _of_several_pictures(self, groups: Iterable[Numbers]) -> list[Numbers]:
        return [group for group in groups if len(set(self.measures.picture[group].tolist())) > 1]

    def by_split(self, rows: Rows) -> dict[str, int]:
        """Count these rows in each split of the store."""
        counts = np.bincount(self.split[np.asarray(rows, np.int64)], minlength=len(SPLITS))
        return {name: int(counts[SPLITS.index(name)]) for name in self.store.splits}

    def by_label(self, rows: Rows, head: str = "") -> dict[str, int]:
        """Count these rows by label of the head, by default of `labelled_head`."""
        chosen = self.store.head(head) if head else labelled_head(self.store)
        if chosen is None or chosen.kind is Kind.VALUES:
            return {}
        counts = Counter(name for row in rows for name in labels_of(chosen, self.answers[chosen.name][row]))
        return {label: counts[label] for label in chosen.space.labels if counts[label]}

    def across_splits(self, groups: Iterable[Numbers]) -> list[Numbers]:
        """Return the groups with rows in more than one split."""
        return [group for group in groups if len(set(self.split[group].tolist())) > 1]

    def shared_rows(self, groups: Iterable[Numbers], known: Collection[int] = ()) -> dict[str, int]:
        """Count for each pair of splits the rows of the later one, not `known`, grouped with an earlier."""
        found: Counter[tuple[int, int]] = Counter()
        for group in groups:
            fresh = Counter(int(self.split[row]) for row in group if int(row) not in known)
            splits = set(self.split[group].tolist())
            pairs = combinations(range(len(SPLITS)), 2)
            found.update({(early, late): fresh[late] for early, late in pairs if early in splits})
        counts = ((SPLITS[early], SPLITS[late], count) for (early, late), count in found.items())
        return {f"{late} in {early}": count for early, late, count in counts if count}


def labelled_head(store: Store) -> Head | None:
    """Return the first head that gives a face one label, or else the first that has labels."""
    kinds = (Kind.CLASS, Kind.DISTRIBUTION, Kind.TAGS)
    return next((head for kind in kinds for head in store.heads if head.kind is kind), None)


def labels_of(head: Head, answer: Floats) -> list[str]:
    """Return the labels of an answer: the class, a distribution's likeliest label, or the tags; or none."""
    if head.kind is Kind.VALUES or np.isnan(answer).all():
        return []
    if head.kind is Kind.TAGS:
        return [head.space.labels[place] for place in np.flatnonzero(answer > 0)]
    return [head.space.labels[int(answer.argmax())]] if answer.max() > 0 else []


def describe(head: Head, answer: Floats) -> str:
    """Describe an answer in a few words; '' where nothing is annotated."""
    if np.isnan(answer).all():
        return ""
    if head.kind is Kind.VALUES:
        pairs = zip(head.space.labels, answer.tolist(), strict=True)
        return ", ".join(f"{label} {value:.2f}" for label, value in pairs if not np.isnan(value))
    if head.kind is not Kind.DISTRIBUTION:
        return ", ".join(labels_of(head, answer)) or "no tag"
    total = answer.sum() or 1
    best = [place for place in np.argsort(-answer, kind="stable")[:2] if answer[place] > 0]
    return ", ".join(f"{head.space.labels[k]} {answer[k] / total:.0%}" for k in best) or "no vote"
