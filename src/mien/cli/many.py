"""`mien predict --engine ray`: how far the workers are, and what came of it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from ..signals import interruptible
from .run_summary import Tally
from .show import bar, say

if TYPE_CHECKING:
    from ..scale import Job


def finish(job: Job, workers: int) -> None:
    """Let the workers do what is left of a job. Raises InputError at the end if something could not be read."""
    tally = Tally(total=job.total)
    for fault in job.faults:
        tally.add(fault)
    if job.done:
        say(f"{len(job.done):,} of {len(job.shards):,} parts are there already")
    with bar("Predicting") as progress, interruptible() as stop, closing(job.run(workers)) as counts:
        for done, count in enumerate(counts, 1):
            tally.take(count)
            if progress:
                progress(done, len(job.shards))
            tally.stopped = stop.asked
            if stop.asked:
                break
    say(f"{tally}")
    say(f"wrote {job.order.folder.given}")
    tally.leave(going_on=True)
