"""What is to be tuned, and how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .space import Space


@dataclass(frozen=True)
class Plan:
    """What is to be tuned, where it is kept, and how. `trials` counts those finished by all workers together; `timeout` (0: none)
    and `heartbeat` are in seconds; `storage` is a database's address (empty: `study.db` in the folder), `earlier` another
    study's."""

    space: Space
    folder: Path
    trials: int
    objectives: tuple[str, ...] = ("score",)
    sampler: str = "tpe"
    pruner: str = ""
    seed: int = 0
    storage: str = ""
    earlier: str = ""
    timeout: float = 0.0
    heartbeat: int = 30

    @property
    def epochs(self) -> int:
        """The most epochs that a trial may take."""
        phases = self.space.table["train"]["phases"]
        return sum(value if isinstance(value := phase["epochs"], int) else _most(value) for phase in phases)


def _most(raw: Any) -> int:
    return int(raw["high"] if "high" in raw else max(raw["choices"]))
