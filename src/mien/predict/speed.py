"""Time models on the processor: in one go, in turn and repeated, so that all meet the same noise."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import machine
from ..progress import Progress, silent
from .engine import Engine

BATCH, ROUNDS, SINGLES, BATCHES, LEAST = 64, 11, 15, 3, 3
Clock = Callable[[], float]


@dataclass(frozen=True)
class Speed:
    """Medians: seconds for one face alone, faces a second in batches of 64."""

    latency: float
    rate: float


@dataclass(frozen=True)
class Timing:
    """The speed of each model, and how it was measured."""

    speeds: tuple[Speed, ...]
    threads: int
    rounds: int
    machine: str

    def describe(self) -> str:
        """How it was measured, in words."""
        threads = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        return (
            f"Speed: ONNX Runtime on {threads} of {self.machine}; all models in one go, in turn, "
            f"{self.rounds} rounds, medians. Latency: one face; faces/s: batches of {BATCH}; ready crops of "
            "the model's own size, with normalising, without finding faces."
        )


def measure(
    models: Sequence[Path], threads: int = 0, budget: float = 120.0, *,
    clock: Clock = time.perf_counter, progress: Progress = silent,
) -> Timing:  # fmt: skip
    """Time each model on ready crops of its own size, with normalising, on `threads` cores (0: all it may).

    11 rounds, each with every model in turn, starting at another one: 15 times one face, three times 64.
    Fewer, but at least 3, once `budget` seconds are over. Raises ModelError for a file that is no model.
    """
    cores = threads or machine.usable_cores()
    engines = [Engine(path, cores) for path in models]
    for engine in engines:
        engine.outputs(engine.inputs.example(BATCH))
        engine.outputs(engine.inputs.example(1))
    start, rounds = clock(), list[dict[int, list[float]]]()
    while len(rounds) < ROUNDS and (len(rounds) < LEAST or clock() - start < budget):
        turns = [(len(rounds) + place) % len(engines) for place in range(len(engines))]
        rounds.append({place: _seconds(engines[place], clock) for place in turns})
        progress(len(rounds), ROUNDS)
    speeds = []
    for place in range(len(engines)):
        singles, batches = zip(*(turn[place] for turn in rounds), strict=True)
        speeds.append(Speed(statistics.median(singles), BATCH / statistics.median(batches)))
    return Timing(tuple(speeds), cores, len(rounds), machine.describe())


def _seconds(engine: Engine, clock: Clock) -> list[float]:
    """Seconds for one face and for a batch, each the median of a few times."""
    medians = []
    for count, times in ((1, SINGLES), (BATCH, BATCHES)):
        samples, found = engine.inputs.example(count), []
        for _ in range(times):
            start = clock()
            engine.outputs(samples)
            found.append(clock() - start)
        medians.append(statistics.median(found))
    return medians
