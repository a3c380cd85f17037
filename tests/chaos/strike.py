"""A command run in a child forked from a process that has imported everything, and killed at a moment of
one's choosing."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

#: What a process does to files that Python tells of before it happens.
_CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.truncate"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class End(NamedTuple):
    """How a command ended: its status as `Popen.returncode` has it, seconds, what it did to files until
    then."""

    status: int
    seconds: float
    changes: list[str]


def run(
    words: Sequence[str], folder: Path, log: Path, *, after: float = 3600.0, change: int = -1, kind: int = 9
) -> End:
    """Run `mien` in a folder and send it a signal `after` seconds, or right before the so-many-th change to a
    file.

    It has whatever it writes to the terminal in `log`.
    """
    told = log.with_suffix(".changes")
    told.write_bytes(b"")
    start = time.monotonic()
    if not (child := os.fork()):
        _command(words, folder, log, _Teller(told, change, kind))
    handle = os.pidfd_open(child)
    if not select.select([handle], [], [], after)[0]:
        os.kill(child, kind)
    os.close(handle)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return End(status, time.monotonic() - start, told.read_text().splitlines())


def apart(work: Callable[[], Any]) -> Any:
    """What a piece of work gives, done in a child: this process stays without threads and open files. JSON
    can hold it."""
    ours, theirs = os.pipe()
    if not (child := os.fork()):
        os.close(ours)
        with os.fdopen(theirs, "w") as out:
            try:
                json.dump({"found": work()}, out)
            except BaseException as error:
                json.dump({"fault": repr(error)}, out)
        _leave(0)
    os.close(theirs)
    with os.fdopen(ours) as told:
        found = json.load(told)
    os.waitpid(child, 0)
    if "fault" in found:
        raise AssertionError(found["fault"])
    return found["found"]


class _Teller:
    """Counts the changes of the process to files below its folder, tells of them, and ends it at one of
    them."""

    def __init__(self, told: Path, end: int, kind: int) -> None:
        self.end, self.kind, self.count = end, kind, 0
        self.out = os.open(told, os.O_WRONLY | os.O_APPEND)
        self.root = ""

    def __call__(self, event: str, given: tuple[Any, ...]) -> None:
        if event not in _CHANGES and not (event == "open" and _counts(given)):
            return
        path = os.path.join(self.root, os.fsdecode(given[0]))  # noqa: PTH118  (pathlib would be heard in here)
        if not path.startswith(self.root):
            return
        os.write(self.out, f"{event} {path[len(self.root) + 1 :]}\n".encode())
        if self.count == self.end:
            os.kill(os.getpid(), self.kind)
        self.count += 1


def _counts(given: tuple[Any, ...]) -> bool:
    """Whether a file is opened to be written, or to have what was written flushed."""
    path, _, flags = given
    return isinstance(path, str | bytes) and (bool((flags or 0) & _WRITES) or ".part-" in os.fsdecode(path))


def _command(words: Sequence[str], folder: Path, log: Path, teller: _Teller) -> NoReturn:
    status = 70
    try:
        os.chdir(folder)
        teller.root = str(folder)
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(out, stream)
        sys.stdout = sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.addaudithook(teller)
        from mien import cli

        cli.main(words)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    _leave(status)


def _leave(status: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
