"""What the checks look at: measures of the pictures, splits, boxes and answers of all rows of a store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..records import Floats
from ..store import SPLITS, Store
from ..tasks import Head, Kind
from .duplicates import Numbers, alike, together
from .measures import Measures, measure
from .record import Limits, Rows


@dataclass(frozen=True)
class Facts:
    """A store, measured. Answers are float (N, K) by head, NaN where nobody annotated; distributions as given."""

    store: Store
    limits: Limits
    measures: Measures
    split: NDArray[np.uint8]
    box: NDArray[np.int32]
    answers: dict[str, Floats]

    @classmethod
    def of(cls, store: Store, limits: Limits, progress: Callable[[int, int], None] | None = None) -> Facts:
        """Read and measure a store."""
        split = np.zeros(len(store), np.uint8)
        for name in store.splits:
            split[store.rows(name)] = SPLITS.index(name)
        rows = store.rows()
        answers = {
            head.name: store.annotations(head.name, rows)
            if head.kind is Kind.DISTRIBUTION
            else store.target(head, rows)
            for head in store.heads
        }
        return cls(store, limits, measure(store, progress), split, store.boxes(rows), answers)

    @cached_property
    def blank(self) -> NDArray[np.bool_]:
        """Whether a picture is of one grey level."""
        return np.asarray(self.measures.readable & (self.measures.low == self.measures.high))

    @cached_property
    def faint(self) -> NDArray[np.bool_]:
        """Whether a picture has next to no contrast, but some."""
        return np.asarray(self.measures.readable & ~self.blank & (self.measures.std < self.limits.near_constant))

    @cached_property
    def same(self) -> list[Numbers]:
        """Groups of rows that have the same picture, blank ones left out."""
        return [group for group in together(self.measures.picture) if not self.blank[group[0]]]

    @cached_property
    def repeated(self) -> list[Numbers]:
        """Groups of rows that have the same picture and the same box in it, blank ones left out."""
        return [group for group in together(self.measures.picture, self.box) if not self.blank[group[0]]]

    @cached_property
    def _alike(self) -> Numbers:
        return alike(self.measures, self.measures.readable & ~self.blank & ~self.faint, self.limits)

    @cached_property
    def similar(self) -> list[Numbers]:
        """Groups of rows whose pictures resemble each other, without those that have one picture only."""
        return self._several(together(self._alike))

    @cached_property
    def near(self) -> list[Numbers]:
        """The same, within one box: persons of one picture are kept apart."""
        return self._several(together(self._alike, self.box))

    def _several(self, groups: Iterable[Numbers]) -> list[Numbers]:
        return [group for group in groups if len(set(self.measures.picture[group].tolist())) > 1]

    def by_split(self, rows: Rows) -> dict[str, int]:
        """How many of these rows lie in each split the store has."""
        counts = np.bincount(self.split[np.asarray(rows, np.int64)], minlength=len(SPLITS))
        return {name: int(counts[SPLITS.index(name)]) for name in self.store.splits}

    def by_label(self, rows: Rows, head: str = "") -> dict[str, int]:
        """How many of these rows have each label of the head, or else of the first that has labels."""
        chosen = self.store.head(head) if head else labelled(self.store)
        if chosen is None or chosen.kind is Kind.VALUES:
            return {}
        counts = Counter(name for row in rows for name in names(chosen, self.answers[chosen.name][row]))
        return {label: counts[label] for label in chosen.space.labels if counts[label]}

    def spread(self, groups: Iterable[Numbers]) -> list[Numbers]:
        """Those groups that reach over splits."""
        return [group for group in groups if len(set(self.split[group].tolist())) > 1]

    def shared(self, groups: Iterable[Numbers], known: Collection[int] = ()) -> dict[str, int]:
        """For each pair of splits, how many rows of the later one, but the known, are in a group with a row of the earlier."""
        found: Counter[tuple[int, int]] = Counter()
        for group in groups:
            fresh = Counter(int(self.split[row]) for row in group if int(row) not in known)
            there = set(self.split[group].tolist())
            found.update({pair: fresh[pair[1]] for pair in combinations(range(len(SPLITS)), 2) if pair[0] in there})
        return {f"{SPLITS[late]} in {SPLITS[early]}": count for (early, late), count in found.items() if count}


def labelled(store: Store) -> Head | None:
    """The first head that gives a face one label, or else the first that has labels."""
    kinds = (Kind.CLASS, Kind.DISTRIBUTION, Kind.TAGS)
    return next((head for kind in kinds for head in store.heads if head.kind is kind), None)


def names(head: Head, answer: Floats) -> list[str]:
    """The labels an answer amounts to: the class, the likeliest label of a distribution, the tags; none where there is none."""
    if head.kind is Kind.VALUES or np.isnan(answer).all():
        return []
    if head.kind is Kind.TAGS:
        return [head.space.labels[place] for place in np.flatnonzero(answer > 0)]
    return [head.space.labels[int(answer.argmax())]] if answer.max() > 0 else []


def said(head: Head, answer: Floats) -> str:
    """An answer in a few words; '' where nobody gave one."""
    if np.isnan(answer).all():
        return ""
    if head.kind is Kind.VALUES:
        pairs = zip(head.space.labels, answer.tolist(), strict=True)
        return ", ".join(f"{label} {value:.2f}" for label, value in pairs if not np.isnan(value))
    if head.kind is not Kind.DISTRIBUTION:
        return ", ".join(names(head, answer)) or "no tag"
    total = answer.sum() or 1
    best = np.argsort(-answer, kind="stable")[:2]
    return ", ".join(f"{head.space.labels[k]} {answer[k] / total:.0%}" for k in best if answer[k] > 0) or "no vote"
