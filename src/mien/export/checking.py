"""Whether the files answer alike: ONNX as torch does, int8 as float does, on real faces."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from .. import matching, metrics
from ..config import load
from ..evaluate import predict
from ..evaluate.predictions import items_of
from ..models import input_set
from ..models.saved import load_network
from ..predict.engine import Engine
from ..records import Floats
from ..store import Store
from ..tasks import Head
from .graph import Activated

FACES = 1000
_BATCH = 64


@dataclass(frozen=True)
class Likeness:
    """Two outputs of a head: largest difference, and share of equal top labels (None: it has none)."""

    head: str
    faces: int
    largest: float
    agreement: float | None


@dataclass(frozen=True)
class Loss:
    """A metric of a head before and after."""

    head: str
    metric: str
    before: float
    after: float


def against_torch(run: Path, store: Path | None = None, count: int = FACES) -> list[Likeness]:
    """Compare a run's `model.onnx` with its network in torch on the first `count` validation rows."""
    config, engine = load(run / "config.toml"), Engine(run, calibrated=False)
    samples = Store(store or config.data.store)
    inputs = input_set(config.model)
    rows = samples.rows_with(inputs.sources, samples.rows(config.data.validation))[:count]
    network = Activated(load_network(run), engine.task, inputs).eval()
    answers = predict(engine, samples, rows)
    parts = []
    for start in range(0, len(rows), _BATCH):
        feed = inputs.feed(*inputs.fit(items_of(inputs, samples, rows[start : start + _BATCH])))
        with torch.inference_mode():
            parts.append([scores.numpy() for scores in network(*map(torch.from_numpy, feed.values()))])
    wanted = map(np.concatenate, zip(*parts, strict=True))
    return [likeness(head, answers[head.name], mine) for head, mine in zip(engine.task, wanted, strict=True)]


def against_float(run: Path, twin: Path, store: Path | None = None) -> tuple[list[Likeness], list[Loss]]:
    """Compare an int8 model with the run's `model.onnx` on the whole validation split: how alike outputs
    are, and what each metric of the run's heads (and the ECE) loses."""
    config, engines = load(run / "config.toml"), (Engine(run), Engine(twin))
    faces = Store(store or config.data.store)
    rows = faces.rows_with(engines[0].inputs.sources, faces.rows(config.data.validation))
    before, after = (predict(engine, faces, rows) for engine in engines)
    losses = []
    for mapping in matching.match(engines[0].task, faces, {}, other=False):
        head, target = mapping.compared, mapping.targets(faces, rows)
        for name in (*head.metrics, *(("ece",) if head.kind.is_exclusive else ())):
            outputs = (mapping.answers(answers[head.name]) for answers in (before, after))
            scores = (metrics.score(name, output, target, head) for output in outputs)
            losses.append(Loss(head.name, name, *scores))
    return [likeness(head, before[head.name], after[head.name]) for head in engines[0].task], losses


def likeness(head: Head, output: Floats, other: Floats) -> Likeness:
    """Compare two outputs of a head, both (N, K)."""
    same = float((output.argmax(axis=1) == other.argmax(axis=1)).mean()) if head.kind.is_exclusive else None
    return Likeness(head.name, len(output), float(np.abs(output - other).max(initial=0)), same)
