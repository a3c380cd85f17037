"""Which target of a store answers which head of a model, and which of their labels can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ConfigError, StoreError
from .labels import LabelSpace
from .records import Floats
from .store import Rows, Store
from .tasks import Head, Kind, Task

#: How a target was found: what `compared.matched_by` in results.json says.
NAME, USER, LABELS = "name", "--match", "most shared labels"
_LEAST = {Kind.CLASS: 2, Kind.DISTRIBUTION: 2, Kind.TAGS: 1, Kind.VALUES: 1}
_TINY = 1e-12


@dataclass(frozen=True)
class LabelMapping:
    """A head of a model, the target of a store for it, and positions of the head's labels compared."""

    head: Head
    target: Head
    shared: tuple[int, ...]
    matched_by: str = NAME

    @property
    def alike(self) -> bool:
        """Whether both sides have the same name, kind, labels and bounds."""
        same = self.head.name == self.target.name and self.head.kind is self.target.kind
        return same and self.is_complete and len(self.head) == len(self.target) and not self._rescales

    @property
    def is_complete(self) -> bool:
        """Whether every label of the head is compared."""
        return len(self.shared) == len(self.head)

    @cached_property
    def compared(self) -> Head:
        """The head with the labels compared alone."""
        if self.is_complete:
            return self.head
        space = self.head.space
        return replace(self.head, space=LabelSpace(space.name, tuple(space.labels[k] for k in self.shared)))

    @property
    def of_labels(self) -> bool:
        """Whether a distribution is compared with single labels: by chances, not shares of votes."""
        return self.head.kind is Kind.DISTRIBUTION and self.target.kind is Kind.CLASS

    @property
    def model_only(self) -> list[str]:
        """Labels of the model that the data lack."""
        return [label for k, label in enumerate(self.head.space.labels) if k not in self.shared]

    @property
    def data_only(self) -> list[str]:
        """Labels of the data that the model does not know."""
        return [label for label in self.target.space.labels if label not in self.head.space]

    @property
    def rule(self) -> str:
        """How the two are compared, in words."""
        return "; ".join(self._rules())

    def _rules(self) -> Iterator[str]:
        yield "labels are compared by name"
        if self.data_only and self.target.kind is Kind.CLASS:
            yield "faces of a class that the model does not know are left out"
        if self.data_only and self.target.kind is Kind.DISTRIBUTION:
            outside = "more than half of their mass, or their top label, outside"
            yield f"faces with {outside} are left out; others are renormalised"
        if self.model_only and self.head.kind.is_exclusive:
            yield "the model's answers are restricted to the labels compared and renormalised"
        if self.head.kind is not self.target.kind:
            soft = self.target.kind is Kind.DISTRIBUTION
            yield "a distribution counts by its top label" if soft else "a class is all mass on one label"
        if self._rescales:
            (low, high), (bottom, top) = self.target.bounds, self.head.bounds
            scales = f"{low:g} to {high:g} of the data is rescaled linearly to {bottom:g} to {top:g}"
            yield f"{scales}, the model's units"

    def answers(self, output: Floats) -> Floats:
        """Take the outputs for the labels compared: (n, K) to (n, shared); probabilities are renormalised."""
        return output if self.is_complete else renormalised(output[:, self.shared], self.head.kind)

    def targets(self, store: Store, rows: Rows) -> Floats:
        """Targets (n, shared) of the labels compared, in the model's units; NaN: none, or left out."""
        taken = self.annotations(store, rows)
        if self.head.kind.is_exclusive:
            with np.errstate(invalid="ignore"):
                taken = taken / taken.sum(axis=1, keepdims=True)
        if self._rescales:
            (low, high), (bottom, top) = self.target.bounds, self.head.bounds
            taken = (taken - low) * ((top - bottom) / (high - low)) + bottom
        return np.asarray(taken, np.float32)

    def annotations(self, store: Store, rows: Rows) -> Floats:
        """What annotators gave for the labels compared, (n, shared); NaN: nothing, or left out."""
        values = store.annotations(self.target.name, rows)
        taken = values[:, self._columns]
        if self.head.kind.is_exclusive:
            taken[self._excluding(values) >= 0] = np.nan
        return taken

    def labels(self, store: Store, rows: Rows) -> Floats | None:
        """The one label that each row's votes amount to, one-hot (n, K); NaN where there is none.

        That of the store's own target of classes with the same labels if it has one, else the one with more
        than half of the votes. None where the target is no votes or lacks labels of the head.
        """
        if not (self.head.kind is self.target.kind is Kind.DISTRIBUTION and self.is_complete):
            return None
        for other in store.heads:
            if other.kind is Kind.CLASS and other.space.labels == self.head.space.labels:
                found = store.annotations(other.name, rows)
                if not np.isnan(found).all():
                    return found
        shares = self.targets(store, rows)
        named = np.eye(len(self.head), dtype=np.float32)[shares.argmax(axis=1)]
        return np.where(shares.max(axis=1, keepdims=True) > 0.5, named, np.float32(np.nan))

    def left_out(self, store: Store, rows: Rows) -> dict[str, int]:
        """Count for each label that the model does not know the rows that are left out because of it."""
        out = self._excluding(store.annotations(self.target.name, rows))
        return {label: int((out == self.target.space.index(label)).sum()) for label in self.data_only}

    def expand(self, targets: Floats) -> Floats:
        """Put targets (n, shared) into columns of all the model's labels (n, K), others NaN."""
        full = np.full((len(targets), len(self.head)), np.nan, np.float32)
        full[:, self.shared] = targets
        return full

    def describe(self, store: Store, rows: Rows, output: Floats, targets: Floats) -> dict[str, Any]:
        """Describe the comparison as `results.json` holds it."""
        record = {
            "target": self.target.name,
            "matched_by": self.matched_by,
            "labels": list(self.compared.space.labels),
            "model_only": self.model_only,
            "data_only": self.left_out(store, rows),
            "rule": self.rule,
        }
        return record | (self._accuracies(output, targets) if self.head.kind.is_exclusive else {})

    def _accuracies(self, output: Floats, targets: Floats) -> dict[str, float]:
        """Accuracy among the labels compared, and where every label of the model may be answered."""
        kept = ~np.isnan(targets).any(axis=1)
        if not kept.any():
            return {}
        true = targets[kept].argmax(axis=1)
        restricted, free = self.answers(output)[kept].argmax(axis=1), output[kept].argmax(axis=1)
        hits, free_hits = restricted == true, free == np.asarray(self.shared)[true]
        return {"accuracy": float(hits.mean()), "accuracy_unrestricted": float(free_hits.mean())}

    @property
    def _rescales(self) -> bool:
        return self.head.kind is Kind.VALUES and self.head.bounds != self.target.bounds

    @cached_property
    def _columns(self) -> list[int]:
        """Columns of the target, for the labels compared."""
        return [self.target.space.index(self.head.space.labels[k]) for k in self.shared]

    def _excluding(self, values: Floats) -> NDArray[np.intp]:
        """For each row the target's column because of which it is left out; -1 where it stays."""
        columns = np.array([self.target.space.index(label) for label in self.data_only], np.intp)
        if not len(columns) or not self.head.kind.is_exclusive:
            return np.full(len(values), -1, np.intp)
        outside, inside = values[:, columns], values[:, self._columns]
        out = (outside.sum(axis=1) > inside.sum(axis=1)) | (outside.max(axis=1) > inside.max(axis=1))
        return np.where(out, columns[outside.argmax(axis=1)], -1)


def match(
    task: Task, store: Store, wanted: Mapping[str, str], other: bool = True
) -> tuple[LabelMapping, ...]:
    """Map each head to a target: the one `wanted` names, else that of its name, else most shared labels.

    A class is a distribution with all mass on one label, so these two kinds are comparable; otherwise the
    kinds must be the same. With `other` (the model was trained on another store) labels that no row of the
    store has count as lacking. Raises ConfigError for a name in `wanted` that does not fit, StoreError where
    nothing, or too little, can be compared.
    """
    for name in wanted:
        task.head(name)
    found = [(head, _answer(head, store, wanted.get(head.name, ""))) for head in task]
    matches = tuple(_matched(head, *answer, store, other) for head, answer in found if answer)
    if not matches:
        raise _nothing(task, store)
    return matches


def is_other(store: Path | None, own: str) -> bool:
    """Whether a store is given and is another file than the run's own."""
    return store is not None and not (own and store.resolve() == Path(own).resolve())


def parse_match(words: tuple[str, ...]) -> dict[str, str]:
    """Parse `HEAD=TARGET` words into {head: target}. Raises ConfigError."""
    pairs = [word.partition("=") for word in words]
    for word, (head, _, target) in zip(words, pairs, strict=True):
        if not head or not target:
            raise ConfigError(f"--match '{word}': needs HEAD=TARGET, such as expression7=expression8")
    return {head: target for head, _, target in pairs}


def renormalised(taken: Floats, kind: Kind) -> Floats:
    """Outputs for some of a head's labels (n, k): exclusive probabilities sum to 1 again."""
    if not kind.is_exclusive:
        return taken
    taken = np.maximum(taken, _TINY)
    return np.asarray(taken / taken.sum(axis=1, keepdims=True), np.float32)


def _comparable(head: Head, target: Head) -> bool:
    return head.kind is target.kind or (head.kind.is_exclusive and target.kind.is_exclusive)


def _common(head: Head, target: Head) -> tuple[int, ...]:
    """Positions of the head's labels that the target has too."""
    return tuple(k for k, label in enumerate(head.space.labels) if label in target.space)


def _answer(head: Head, store: Store, wanted: str) -> tuple[Head, str] | None:
    """The target that answers a head, and how it was found; None where none fits."""
    fitting = {target.name: target for target in store.heads if _comparable(head, target)}
    if wanted:
        if wanted not in fitting:
            choices = f"one of: {', '.join(fitting)}" if fitting else "it has none of that kind"
            lacks = f"{store.path} has no target '{wanted}' that fits a head of kind {head.kind} ({choices})"
            raise ConfigError(f"--match {head.name}={wanted}: {lacks}")
        return fitting[wanted], USER
    if head.name in fitting:
        return fitting[head.name], NAME
    enough = [target for target in fitting.values() if len(_common(head, target)) >= _LEAST[head.kind]]
    if not enough:
        return None
    return min(enough, key=lambda t: (-len(_common(head, t)), t.kind is not head.kind, len(t))), LABELS


def _matched(head: Head, target: Head, matched_by: str, store: Store, other: bool) -> LabelMapping:
    shared = _common(head, target)
    if len(shared) < _LEAST[head.kind]:
        raise _too_few(head, target, store)
    if other and head.kind.is_exclusive:
        values = store.annotations(target.name, store.rows())
        occurs = np.nansum(values, axis=0) > 0
        occurring = tuple(k for k in shared if occurs[target.space.index(head.space.labels[k])])
        shared = occurring if len(occurring) >= _LEAST[head.kind] else shared
    return LabelMapping(head, target, shared, matched_by)


def _too_few(head: Head, target: Head, store: Store) -> StoreError:
    few = "fewer than two labels" if head.kind.is_exclusive else "no label"
    theirs, ours = ", ".join(target.space.labels), ", ".join(head.space.labels)
    pair = f"'{target.name}' ({theirs}) shares {few} with the model's '{head.name}' ({ours})"
    return StoreError(f"{store.path}: {pair}; nothing to compare")


def _nothing(task: Task, store: Store) -> StoreError:
    """Why no head of the model can be scored."""
    pairs = [(head, target) for head in task for target in store.heads if _comparable(head, target)]
    if pairs:
        return _too_few(*pairs[0], store)
    sides: Any = (task, store.heads)
    wanted, found = (", ".join(f"{head.name}: {head.kind}" for head in heads) for heads in sides)
    return StoreError(f"{store.path}: has no target that the model answers with ({wanted}); it has: {found}")
