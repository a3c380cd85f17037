"""A modality of its own: sequences of numbers, of which a span may be meant. Everything it needs is here
and in the registries."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from mien import store
from mien.errors import InputError
from mien.media import Modality
from mien.records import Floats, Item, Items, Pixels, Sample, Span
from mien.tables import Bounds
from mien.tasks import TASKS

TASK = TASKS["expression7"]
NAMES = ("happy", "sad")


@dataclass(frozen=True)
class NumbersTransform:
    """`length` numbers of a sequence's span, drawn between its own."""

    length: Annotated[int, Bounds(2)] = 8
    spread: float = 2.0

    unit = 1.0
    axes = (0, 1)
    dtype = np.dtype(np.float32)
    uses_points = False

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.length,)

    @property
    def statistics(self) -> tuple[Floats, Floats]:
        return np.zeros(1, np.float32), np.full(1, self.spread, np.float32)

    def fit(self, items: Items) -> Floats:
        rows = [np.asarray(row, np.float32) for row in items.data]
        spans = [None] * len(rows) if items.regions is None else items.regions
        fitted = [self._fitted(row, span) for row, span in zip(rows, spans, strict=True)]
        return np.stack(fitted) if fitted else np.zeros((0, self.length), np.float32)

    def _fitted(self, row: Floats, span: Any) -> Floats:
        if span is not None and np.isfinite(span).all():
            row = row[int(span[0]) : int(span[1])]
        places = np.linspace(0, len(row) - 1, self.length)
        return np.asarray(np.interp(places, np.arange(len(row)), row), np.float32)

    def normalise(self, fitted: Floats) -> Floats:
        return fitted / np.float32(self.spread)

    def example(self, count: int) -> Items:
        return Items(np.random.default_rng(0).normal(size=(count, self.length)).astype(np.float32))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def decode(data: bytes, source: str) -> Floats:
    try:
        return np.array([float(part) for part in data.split()], np.float32)
    except ValueError:
        raise InputError(f"{source}: not a sequence of numbers") from None


def check(rows: Any) -> None:
    for place, row in enumerate(rows):
        if np.ndim(row) != 1:
            raise InputError(f"sequence {place} has shape {np.shape(row)}, needed is (N,)")


def exhibit(row: Floats, region: Any) -> Pixels:
    """A bar for each number, dark on light."""
    heights = np.clip(np.asarray(row) * 8 + 16, 0, 32).astype(int)
    return np.where(np.arange(32)[::-1, None] < heights, 60, 240).astype(np.uint8)


NUMBERS = Modality(
    transform=NumbersTransform,
    encoder="linear",
    region=Span,
    decode=decode,
    verify=lambda data, source: [decode(data, source)].clear(),
    encode=lambda row: b" ".join(b"%.9g" % number for number in row),
    check=check,
    exhibit=exhibit,
)


def linear(given: Any, transform: Any) -> Any:
    import torch

    class Linear(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = 6
            self.layer = torch.nn.Linear(transform.length, 6)

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return torch.relu(self.layer(rows))

    return Linear()


def sequence(k: int) -> NDArray[np.float32]:
    """Rising where the answer is happy, falling where it is sad; only the span tells, the rest is noise."""
    draw = np.random.default_rng(k)
    row = draw.normal(size=24)
    row[6:18] = draw.normal(0, 0.2, 12) + np.linspace(-2, 2, 12) * (1 if k % 2 == 0 else -1)
    return row.astype(np.float32)


def samples(count: int, *, pictures: bool = False, encoded: bool = False) -> list[Sample]:
    """Sequences of numbers, with `pictures` also noise pictures; then every third has no numbers, every
    fourth no picture."""
    found = []
    for k in range(count):
        row = sequence(k)
        data: Any = NUMBERS.encode(row) if encoded else row
        inputs = {"numbers": Item(data, Span(6, 18))}
        if pictures:
            level = 190 if k % 2 == 0 else 60
            noise = np.random.default_rng(k).normal(level, 30, (24, 24))
            both = inputs | {"image": Item(np.clip(noise, 0, 255).astype(np.uint8))}
            inputs = {
                name: item
                for name, item in both.items()
                if k % {"numbers": 3, "image": 4}[name] or k % 12 == 0
            }
        split = "train" if k % 4 else "validation"
        found.append(
            Sample(inputs, {"expression7": NAMES[k % 2]}, split if k % 8 else "validation", f"row {k}")
        )
    return found


def write(path: Any, count: int = 96, **kinds: bool) -> store.Store:
    """A store of these samples."""
    return store.write(path, samples(count, **kinds), TASK.heads, store.Origin("test", "1"))


def config(path: Any, inputs: dict[str, Any], **model: Any) -> dict[str, Any]:
    """A configuration that learns in a moment."""
    return {
        "task": "expression7",
        "data": {"store": str(path)},
        "model": {"dropout": 0.0, **model, "inputs": inputs},
        "train": {"batch_size": 16, "threads": 1, "phases": [{"epochs": 6, "lr": 0.05}]},
    }
