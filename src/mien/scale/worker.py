"""What each worker does: open the model once, then send shard after shard through the pipeline."""

from __future__ import annotations

import os
import pickle
import platform
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import cv2

from ..errors import ModelError
from ..predict import Settings, load
from ..predict.job import PredictionJob
from ..sources import Source
from .folders import Folder
from .parts import Count, name_of, part_of


@dataclass(frozen=True)
class Shard:
    """Some of the inputs, in order."""

    number: int
    sources: Sequence[Source]

    def to_row(self) -> dict[str, Any]:
        """As Ray hands it on."""
        return {"number": self.number, "sources": pickle.dumps(list(self.sources))}


@dataclass(frozen=True)
class Order:
    """What all workers must know: model and SHA-256, settings, where parts go, the current folder."""

    model: str | None
    settings: Settings
    sha256: str
    folder: Folder
    home: str


class Worker:
    """One process of `cores` cores. It never raises: the `error` of its answer ends the job."""

    def __init__(self, order: Order, cores: int) -> None:
        self._order, self._error = order, ""
        try:
            self._planned = _opened(order, cores)
        except Exception as error:
            self._error = _one_line(error)

    def __call__(self, rows: dict[str, Any]) -> dict[str, Any]:
        """Predict on the shards of a batch, each into its part; the answer is their counts as JSON."""
        counts, errors = [], []
        for number, sources in zip(rows["number"], rows["sources"], strict=True):
            count, reason = "", self._error
            if not reason:
                try:
                    count = self.work(Shard(int(number), pickle.loads(sources))).to_json()
                except Exception as error:
                    reason = _one_line(error)
            counts.append(count)
            errors.append(reason)
        return {"count": counts, "error": errors}

    def work(self, shard: Shard) -> Count:
        """Predict on one shard. Raises OSError, InputError where its part cannot be written."""
        planned = replace(self._planned, sources=shard.sources)
        with closing(planned.results()) as results:
            data, count = part_of(shard.number, results, planned.origin)
        self._order.folder.write(name_of(shard.number), data)
        return count


def _opened(order: Order, cores: int) -> PredictionJob:
    os.chdir(order.home)
    cv2.setNumThreads(cores)
    planned = load(order.model, threads=cores).read((), order.settings)
    if planned.origin.sha256 != order.sha256:
        raise ModelError(f"{order.model}: another model than where the job was started")
    return planned


def _one_line(error: Exception) -> str:
    """One line; an exception that is not this package's comes with its class."""
    known = isinstance(error, OSError) or type(error).__module__.startswith("mien.")
    reason = " ".join(str(error).split())
    return f"{platform.node()}: {reason if known and reason else f'{type(error).__name__}: {reason}'}"
