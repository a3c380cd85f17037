"""Tasks: a tuple of heads, from which data, losses, metrics and reports follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from .errors import ConfigError, lookup
from .labels import (
    EMOTIC26,
    EMOTION13,
    EXPRESSION7,
    EXPRESSION8,
    SPACES,
    VAD,
    VALENCE_AROUSAL,
    LabelSpace,
)


class Kind(StrEnum):
    """What a head answers with; decides activation, target, loss and metrics."""

    CLASS = "class"
    DISTRIBUTION = "distribution"
    TAGS = "tags"
    VALUES = "values"


#: Loss terms (name, weight) and metrics (the first one is watched) that a kind has unless a head says otherwise.
DEFAULT_LOSS: dict[Kind, tuple[tuple[str, float], ...]] = {
    Kind.CLASS: (("cross_entropy", 1.0),),
    Kind.DISTRIBUTION: (("cross_entropy", 1.0),),
    Kind.TAGS: (("bce", 1.0),),
    Kind.VALUES: (("ccc", 1.0), ("mse", 1.0)),
}
DEFAULT_METRICS: dict[Kind, tuple[str, ...]] = {
    Kind.CLASS: ("accuracy", "balanced_accuracy", "macro_f1", "kappa", "log_loss"),
    Kind.DISTRIBUTION: ("kl", "tvd", "mse", "emd", "chebyshev", "cosine", "intersection", "top_label_accuracy"),
    Kind.TAGS: ("average_precision",),
    Kind.VALUES: ("ccc", "rmse", "pearson", "sagr"),
}


@dataclass(frozen=True)
class Head:
    """One answer of a model. `bounds` (low, high) applies to VALUES; `loss` is a weighted sum of named losses."""

    name: str
    kind: Kind
    space: LabelSpace
    bounds: tuple[float, float] = (-1.0, 1.0)
    loss: tuple[tuple[str, float], ...] = ()
    weight: float = 1.0
    metrics: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "loss", self.loss or DEFAULT_LOSS[self.kind])
        object.__setattr__(self, "metrics", self.metrics or DEFAULT_METRICS[self.kind])
        if self.bounds[0] >= self.bounds[1]:
            raise ConfigError(f"head '{self.name}': bounds {list(self.bounds)} must be [low, high] with low < high")

    def __len__(self) -> int:
        return len(self.space)

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
        }

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Head:
        """Read a head declared in TOML or JSON. Raises ConfigError."""
        known = {"name", "kind", "space", "labels", "bounds", "loss", "weight", "metrics"}
        name = str(table.get("name", ""))
        where = f"head '{name}'"
        if unknown := set(table) - known:
            raise ConfigError(f"{where}: unknown key '{min(unknown)}' (one of: {', '.join(sorted(known))})")
        if not name or "kind" not in table:
            raise ConfigError(f"{where}: a head needs 'name' and 'kind'")
        kind = lookup({str(kind): kind for kind in Kind}, str(table["kind"]), "kind of head")
        if kind is Kind.VALUES and "bounds" not in table:
            raise ConfigError(f"{where}: a head of values needs 'bounds', such as bounds = [-1.0, 1.0]")
        low, high = table.get("bounds", (-1.0, 1.0))
        return cls(
            name, kind, _space(table, where), (float(low), float(high)), loss_terms(table.get("loss", ())),
            float(table.get("weight", 1.0)), tuple(table.get("metrics", ())),
        )  # fmt: skip


def loss_terms(given: Any) -> tuple[tuple[str, float], ...]:
    """Read a loss: a name, or a table {name = weight}."""
    if isinstance(given, str):
        return ((given, 1.0),)
    return tuple((str(name), float(weight)) for name, weight in dict(given).items())


def _space(table: Mapping[str, Any], where: str) -> LabelSpace:
    if "labels" in table:
        try:
            return LabelSpace(str(table.get("space", table["name"])), tuple(map(str, table["labels"])))
        except ValueError as error:
            raise ConfigError(f"{where}: {error}") from None
    if "space" not in table:
        raise ConfigError(f"{where}: needs 'labels' (a list of names) or 'space' (one of: {', '.join(SPACES)})")
    return lookup(SPACES, str(table["space"]), "label space")


@dataclass(frozen=True)
class Task:
    """What a model answers: its heads, in order. The first head is the one that runs are judged by."""

    name: str
    heads: tuple[Head, ...]

    def __post_init__(self) -> None:
        names = [head.name for head in self.heads]
        if not names or len(set(names)) < len(names):
            raise ConfigError(f"task '{self.name}': heads must be there and have different names, given {names}")

    def __iter__(self) -> Iterator[Head]:
        return iter(self.heads)

    def head(self, name: str) -> Head:
        """The head of that name. Raises ConfigError naming the choices."""
        return lookup({head.name: head for head in self.heads}, name, f"head of task {self.name}")

    def to_dict(self) -> dict[str, Any]:
        """The task as JSON can hold it; `Task.from_dict` reads it back."""
        return {"name": self.name, "heads": [head.to_dict() for head in self.heads]}

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Task:
        """Read a task declared in TOML or JSON. Raises ConfigError."""
        return cls(str(table.get("name", "custom")), tuple(Head.from_dict(head) for head in table.get("heads", ())))

    def changed(self, changes: Mapping[str, Mapping[str, Any]]) -> Task:
        """The task with `loss`, `weight` or `metrics` of some heads changed: {head: {key: value}}. Raises ConfigError."""
        for name in changes:
            self.head(name)
        return replace(self, heads=tuple(_changed(head, changes.get(head.name, {})) for head in self.heads))


def _changed(head: Head, changes: Mapping[str, Any]) -> Head:
    readers: dict[str, Callable[[Any], Any]] = {"loss": loss_terms, "weight": float, "metrics": tuple}
    return replace(head, **{key: lookup(readers, key, f"setting of head {head.name}")(changes[key]) for key in changes})


_EXPRESSION8 = Head("expression8", Kind.CLASS, EXPRESSION8)

TASKS: dict[str, Task] = {
    "expression7": Task("expression7", (Head("expression7", Kind.CLASS, EXPRESSION7),)),
    "expression8": Task("expression8", (_EXPRESSION8,)),
    "distribution8": Task("distribution8", (Head("distribution8", Kind.DISTRIBUTION, EXPRESSION8),)),
    "distribution13": Task("distribution13", (Head("distribution13", Kind.DISTRIBUTION, EMOTION13),)),
    # Weights 2/1/1: a VALUES loss is the mean over its two columns, so 2 gives valence and arousal 1 each.
    "affect": Task(
        "affect",
        (replace(_EXPRESSION8, weight=2.0), Head("valence_arousal", Kind.VALUES, VALENCE_AROUSAL, weight=2.0)),
    ),
    "emotic": Task(
        "emotic",
        (Head("tags", Kind.TAGS, EMOTIC26), Head("vad", Kind.VALUES, VAD, bounds=(1.0, 10.0))),
    ),
}
