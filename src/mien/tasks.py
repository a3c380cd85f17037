"""Tasks: a tuple of heads, from which data, losses, metrics and reports follow."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Any

from .errors import ConfigError, DataError, lookup
from .labels import (
    COMPOUND11,
    EMOTIC26,
    EMOTION13,
    EXPRESSION7,
    EXPRESSION8,
    SPACES,
    VAD,
    VALENCE_AROUSAL,
    LabelSpace,
)
from .tables import Bounds, Reader


class Kind(StrEnum):
    """What a head answers with; decides activation, target, loss and metrics."""

    CLASS = "class"
    DISTRIBUTION = "distribution"
    TAGS = "tags"
    VALUES = "values"

    @property
    def is_exclusive(self) -> bool:
        """Whether outputs are probabilities that sum to 1 (softmax), so that one label is the likeliest."""
        return self in (Kind.CLASS, Kind.DISTRIBUTION)


#: Loss terms (name, weight) and metrics (the first one is watched) that a kind has unless a head says
#: otherwise.
DEFAULT_LOSS: dict[Kind, tuple[tuple[str, float], ...]] = {
    Kind.CLASS: (("cross_entropy", 1.0),),
    Kind.DISTRIBUTION: (("cross_entropy", 1.0),),
    Kind.TAGS: (("bce", 1.0),),
    Kind.VALUES: (("ccc", 1.0), ("mse", 1.0)),
}
DEFAULT_METRICS: dict[Kind, tuple[str, ...]] = {
    Kind.CLASS: ("accuracy", "balanced_accuracy", "macro_f1", "kappa", "log_loss"),
    Kind.DISTRIBUTION: ("kl", "tvd", "mse", "chebyshev", "cosine", "intersection", "top_label_accuracy"),
    Kind.TAGS: ("average_precision",),
    Kind.VALUES: ("ccc", "rmse", "pearson", "sagr"),
}
#: Metrics that evaluation adds to those a head asks for. Some take too long for every epoch.
FURTHER_METRICS: dict[Kind, tuple[str, ...]] = {
    Kind.CLASS: (
        "top_3_accuracy", "macro_precision", "weighted_precision", "weighted_f1", "mcc", "macro_roc_auc",
        "macro_pr_auc", "brier", "ece", "aurc",
    ),
    Kind.DISTRIBUTION: (
        "js", "emd", "emd_vad", "emd_votes", "clark", "canberra", "brier", "entropy_error", "macro_f1", "ece",
        "vote_ece", "aurc",
    ),
    Kind.TAGS: ("roc_auc", "ranking_loss"),
    Kind.VALUES: ("mae", "icc"),
}  # fmt: skip


#: What a configuration may change of a shipped task's heads.
CHANGEABLE = ("loss", "weight", "metrics", "class_weights")


@dataclass(frozen=True)
class Head:
    """One answer of a model. `bounds` (low, high) applies to VALUES; `loss` is a weighted sum of named
    losses; `class_weights` (label, weight) are those set by hand, for losses that weigh classes."""

    name: str
    kind: Kind
    space: LabelSpace
    bounds: tuple[float, float] = (-1.0, 1.0)
    loss: tuple[tuple[str, float], ...] = ()
    weight: float = 1.0
    metrics: tuple[str, ...] = ()
    class_weights: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "loss", self.loss or DEFAULT_LOSS[self.kind])
        object.__setattr__(self, "metrics", self.metrics or DEFAULT_METRICS[self.kind])
        if not re.fullmatch(r"[\w-]+", self.name):  # it names columns, graph outputs and layers
            raise ConfigError(f"head '{self.name}': a name is made of letters, digits, _ and -")
        if self.bounds[0] >= self.bounds[1]:
            bounds = f"bounds {list(self.bounds)}"
            raise ConfigError(f"head '{self.name}': {bounds} must be [low, high] with low < high")

    def __len__(self) -> int:
        return len(self.space)

    @property
    def reported(self) -> tuple[str, ...]:
        """The metrics of an evaluation: those the head asks for, then those of its kind that it does not."""
        return tuple(dict.fromkeys((*self.metrics, *FURTHER_METRICS[self.kind])))

    def to_dict(self) -> dict[str, Any]:
        """The head as JSON can hold it; `Head.from_dict` reads it back."""
        return {
            "name": self.name,
            "kind": str(self.kind),
            "space": self.space.name,
            "labels": list(self.space.labels),
            "bounds": list(self.bounds),
            "loss": dict(self.loss),
            "weight": self.weight,
            "metrics": list(self.metrics),
            "class_weights": dict(self.class_weights),
        }

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Head:
        """Read a head declared in TOML or JSON. Raises ConfigError."""
        name = table.get("name", "") if isinstance(table, Mapping) else ""
        given: _HeadTable = Reader(f"head '{name}'").read(table, _HeadTable)
        kind = lookup({str(kind): kind for kind in Kind}, given.kind, f"kind of head '{name}'")
        if len(given.bounds) != 2 and (given.bounds or kind is Kind.VALUES):
            needs = "needs bounds = [low, high], such as [-1.0, 1.0]"
            raise ConfigError(f"head '{name}': {needs}, given {list(given.bounds)}")
        (low, high), space = given.bounds or (-1.0, 1.0), given.label_space()
        weights = _class_weights(name, space, given.class_weights)
        loss = loss_terms(given.loss)
        return cls(name, kind, space, (low, high), loss, given.weight, given.metrics, weights)


@dataclass(frozen=True)
class _HeadTable:
    """A head as a person writes it: `labels` of its own, or a shipped `space` by name."""

    name: str
    kind: str
    space: str = ""
    labels: tuple[str, ...] = ()
    bounds: tuple[Annotated[float, Bounds(-math.inf)], ...] = ()
    loss: str | dict[str, float] = field(default_factory=dict)
    weight: float = 1.0
    metrics: tuple[str, ...] = ()
    class_weights: dict[str, float] = field(default_factory=dict)

    def label_space(self) -> LabelSpace:
        """The labels this head speaks in. Raises ConfigError."""
        if not self.labels and not self.space:
            choices = ", ".join(SPACES)
            needs = f"needs 'labels' (a list of names) or 'space' (one of: {choices})"
            raise ConfigError(f"head '{self.name}': {needs}")
        if not self.labels:
            return lookup(SPACES, self.space, f"label space of head '{self.name}'")
        try:
            return LabelSpace(self.space or self.name, self.labels)
        except ValueError as error:
            raise ConfigError(f"head '{self.name}': {error}") from None


def _class_weights(head: str, space: LabelSpace, given: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """Weights under the names that the space itself uses. Raises ConfigError for a label it lacks."""
    try:
        return tuple((space.labels[space.index(label)], weight) for label, weight in given.items())
    except DataError as error:
        raise ConfigError(f"head '{head}': class_weights: {error}") from None


def loss_terms(given: str | Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """Read a loss: a name, or a table {name = weight}."""
    return ((given, 1.0),) if isinstance(given, str) else tuple(given.items())


@dataclass(frozen=True)
class Task:
    """What a model answers: its heads, in order. The first head is the one that runs are judged by."""

    name: str
    heads: tuple[Head, ...]

    def __post_init__(self) -> None:
        names = [head.name for head in self.heads]
        if not names or len(set(names)) < len(names):
            rule = "heads must be there and have different names"
            raise ConfigError(f"task '{self.name}': {rule}, given {names}")

    def __iter__(self) -> Iterator[Head]:
        return iter(self.heads)

    @property
    def main_head(self) -> Head | None:
        """The first head that answers with one label, of classes or a distribution; None without one."""
        return next((head for head in self.heads if head.kind.is_exclusive), None)

    def head(self, name: str) -> Head:
        """The head of that name. Raises ConfigError naming the choices."""
        return lookup({head.name: head for head in self.heads}, name, f"head of task {self.name}")

    def to_dict(self) -> dict[str, Any]:
        """The task as JSON can hold it; `Task.from_dict` reads it back."""
        return {"name": self.name, "heads": [head.to_dict() for head in self.heads]}

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Task:
        """Read a task declared in TOML or JSON. Raises ConfigError."""
        given: _TaskTable = Reader("task").read(table, _TaskTable)
        return cls(given.name, tuple(map(Head.from_dict, given.heads)))

    def changed(self, changes: Mapping[str, Mapping[str, Any]]) -> Task:
        """The task with heads changed: {head: {key: value}}, keys of CHANGEABLE. Raises ConfigError."""
        for name in changes:
            self.head(name)
        return replace(self, heads=tuple(_changed(head, changes.get(head.name, {})) for head in self.heads))


@dataclass(frozen=True)
class _TaskTable:
    name: str = "custom"
    heads: tuple[Any, ...] = ()


def _changed(head: Head, changes: Mapping[str, Any]) -> Head:
    for key in changes:
        lookup(dict.fromkeys(CHANGEABLE), key, f"setting of head '{head.name}'")
    return Head.from_dict({**head.to_dict(), **changes}) if changes else head


_EXPRESSION8 = Head("expression8", Kind.CLASS, EXPRESSION8)

TASKS: dict[str, Task] = {
    "expression7": Task("expression7", (Head("expression7", Kind.CLASS, EXPRESSION7),)),
    "expression8": Task("expression8", (_EXPRESSION8,)),
    "distribution8": Task("distribution8", (Head("distribution8", Kind.DISTRIBUTION, EXPRESSION8),)),
    "distribution13": Task("distribution13", (Head("distribution13", Kind.DISTRIBUTION, EMOTION13),)),
    "compound11": Task("compound11", (Head("compound11", Kind.CLASS, COMPOUND11),)),
    # Weights 2/1/1: a VALUES loss is the mean over its two columns, so 2 gives valence and arousal 1 each.
    "affect": Task(
        "affect",
        (
            replace(_EXPRESSION8, weight=2.0),
            Head("valence_arousal", Kind.VALUES, VALENCE_AROUSAL, weight=2.0),
        ),
    ),
    "emotic": Task(
        "emotic",
        (Head("tags", Kind.TAGS, EMOTIC26), Head("vad", Kind.VALUES, VAD, bounds=(1.0, 10.0))),
    ),
}
