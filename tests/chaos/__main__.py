"""Kill commands at drawn moments, start them again, and see that nothing was lost: `python -m tests.chaos
--kills 50`.

Every other kill is at a moment of the undisturbed duration, the rest right before a change to a file (a
rename, a deletion, a flush): there a moment by the clock would hardly ever fall. Each job is killed until it
gets through, and at most five times.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

for name in (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
):  # before numpy and torch are imported: a fork must find one thread
    os.environ.setdefault(name, "1")

from tests.chaos.jobs import JOBS  # noqa: E402
from tests.chaos.torment import Place, Record, torment, warm  # noqa: E402


def main() -> None:
    """Kill as the command line says, and show a table; status 1 where anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="how often each job is killed")
    parser.add_argument("--seed", type=int, default=0, help="draws the moments")
    parser.add_argument("--only", nargs="+", choices=list(JOBS), default=list(JOBS), help="which jobs")
    parser.add_argument(
        "--signal", choices=("KILL", "TERM", "INT"), default="KILL", help="what they are killed with"
    )
    parser.add_argument(
        "--changes", action="store_true", help="kill at changes to files alone: the same each time"
    )
    given = parser.parse_args()
    warm(given.only)
    records = []
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        place.prepare()
        for job in (JOBS[name] for name in JOBS if name in given.only):
            start = time.monotonic()
            record = torment(
                job, place, given.kills, given.seed, getattr(signal, f"SIG{given.signal}"), given.changes
            )
            records.append(record)
            sys.stderr.write(f"{job.name}: {time.monotonic() - start:.0f} s\n")
    sys.stdout.write(table(records) + "\n")
    for record in records:
        for fault in record.faults:
            sys.stdout.write(f"{record.name}: {fault}\n")
    raise SystemExit(1 if any(record.faults for record in records) else 0)


def table(records: list[Record]) -> str:
    """What came of it, in Markdown."""
    lines = [
        "| job | kills | by the clock | at a change to a file | while a file was written "
        "| ended | as undisturbed | lost |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in records:
        figures = (
            one.kills,
            one.kills - one.at_changes,
            one.at_changes,
            one.writing,
            one.ended,
            one.same,
            len(one.faults),
        )
        lines.append(f"| {one.name} | " + " | ".join(map(str, figures)) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
