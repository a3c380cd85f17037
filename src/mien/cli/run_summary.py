"""What a prediction has come to: frames and faces, what could not be read, what is shown and written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from .terminal import say

if TYPE_CHECKING:
    from ..outputs.per_source import RunOutputs
    from ..predict.results import Result
    from ..predict.smoothing import People
    from ..records import ReadError
    from ..scale import Count

#: So many rows are printed as a table, or the first result whole; of the rest the sums.
TABLE = 10


@dataclass
class RunSummary:
    """What was read so far. `first`: results of up to TABLE rows, for the table; `people`: those followed.

    `unturned`: what to say at the first face whose eyes nobody found. `stopped`: the signal that asked for
    it.
    """

    total: int = 0
    frames: int = 0
    faces: int = 0
    empty: int = 0
    cuts: int = 0
    stopped: int = 0
    unturned: str = ""
    first: list[Result] = field(default_factory=list)
    people: People | None = None
    failed: dict[str, int] = field(default_factory=dict)
    written: list[Path] = field(default_factory=list)
    shot: tuple[str, int] = ("", 0)

    def add(self, item: Result | ReadError) -> None:
        """Count one result; say a fault."""
        from ..media.cropping import EYES
        from ..records import ReadError

        if isinstance(item, ReadError):
            say(f"mien: {item.reason}")
            self.failed[item.source] = self.failed.get(item.source, 0) + 1
            return
        self.frames += 1
        if self.unturned and any(len(found.face.landmarks) not in EYES for found in item.predictions):
            say(self.unturned)
            self.unturned = ""
        self.faces += len(item.predictions)
        self.empty += not item.predictions
        self._count_cuts(item)
        if self.people is not None:
            self.people.add(item)
        if sum(max(1, len(shown.predictions)) for shown in self.first) < TABLE:
            self.first.append(replace(item, moment=item.moment.without_media()))

    def _count_cuts(self, item: Result) -> None:
        last = self.shot[1] if self.shot[0] == item.source else 0
        latest = max(item.shot or 0, last)
        self.cuts += latest - last
        self.shot = item.source, latest

    def leave(self, *, resumable: bool) -> None:
        """Leave with 128 and the signal if stopped. Raises InputError if something could not be read."""
        if self.stopped:
            say(f"stopped after {self}" + ("; run the same again to go on" if resumable else ""))
            raise SystemExit(128 + self.stopped)
        if self.failed:
            raise InputError(f"{len(self.failed)} of {self.total} inputs could not be read")

    def close(self, outputs: RunOutputs) -> None:
        """Finish the outputs, and note what they wrote."""
        outputs.close()
        self.written = outputs.written

    def take(self, count: Count) -> None:
        """Add what a part holds; say its faults."""
        self.frames += count.frames
        self.faces += count.faces
        self.empty += count.empty
        for fault in count.faults:
            self.add(fault)

    def __str__(self) -> str:
        cuts = f", {self.cuts:,} cuts" if self.cuts else ""
        faces = f"{self.faces:,} faces, {self.empty:,} without a face"
        return f"{self.frames:,} pictures or frames, {faces}{cuts}"
