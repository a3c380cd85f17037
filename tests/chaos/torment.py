"""Jobs killed again and again until they get through, and what is held against an undisturbed one."""

from __future__ import annotations

import contextlib
import importlib
import random
import shutil
import signal
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos import strike
from tests.chaos.jobs import JOBS, RUN, TRAIN, Job, check, prepare

#: What the jobs import on their way; a fork then has it already.
_ALL = ("mien.cli", "mien.datasets", "mien.datasets.summary", "mien.store", "cv2")
_LEARNING = (
    "mien.train", "mien.export", "mien.export.checking", "mien.evaluate", "mien.report", "mien.workflow",
    "torch._dynamo", "torch._inductor", "torch.onnx._internal.exporter._core", "onnxscript", "onnx.checker",
    "pyarrow.parquet", "sklearn.metrics", "scipy.stats", "ot", "matplotlib.figure",
    "matplotlib.backends.backend_svg", "jinja2", "lightning.pytorch.loggers", "torch.utils.tensorboard",
)  # fmt: skip
_WARM = {
    "import": (),
    "train": _LEARNING,
    "tune": (*_LEARNING, "mien.tune", "optuna.storages._rdb.storage", "optuna.importance",
             "optuna.samplers._tpe.sampler", "sqlalchemy.dialects.sqlite", "alembic.command",
             "sklearn.ensemble"),
    "evaluate": _LEARNING,
    "export": (*_LEARNING, "onnxruntime.quantization"),
}  # fmt: skip
#: How often one job is killed before it is let through.
_PATIENCE = 5


@dataclass
class Record:
    """What came of a job's kills: at changes to files, while a part of a file lay there, jobs that ended, and
    ended alike."""

    name: str
    kills: int = 0
    at_changes: int = 0
    writing: int = 0
    ended: int = 0
    same: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass
class Place:
    """A folder for everything: what jobs need, and their references."""

    root: Path
    fresh: int = 0
    references: dict[str, tuple[strike.End, Any]] = field(default_factory=dict)

    def prepare(self) -> None:
        """Make what jobs begin with."""
        (self.root / "base").mkdir()
        strike.apart(lambda: prepare(self.root / "base"))

    def begun(self, job: Job) -> Path:
        """A new folder with what a job needs."""
        self.fresh += 1
        folder = self.root / f"{job.name}{self.fresh}"
        folder.mkdir()
        for need in job.needs:
            if need == RUN:
                self.reference(TRAIN)
            path = self.root / "base" / need
            if path.is_dir():
                shutil.copytree(path, folder / need)
            else:
                shutil.copy(path, folder / need)
        return folder

    def reference(self, job: Job) -> tuple[strike.End, Any]:
        """How a job ends that nobody disturbs, and what it then has."""
        if job.name not in self.references:
            folder = self.begun(job)
            end = strike.run(job.words, folder, self.log)
            assert end.status == 0, self.log.read_text()
            self.references[job.name] = end, strike.apart(lambda: job.outcome(folder))
            if job is TRAIN:
                shutil.copytree(folder / RUN, self.root / "base" / RUN)
            shutil.rmtree(folder)
        return self.references[job.name]

    @property
    def log(self) -> Path:
        """Where a command's words go."""
        return self.root / "said.txt"


def warm(names: list[str]) -> None:
    """Import what the jobs will; no thread may come of it, a fork would lose it."""
    for name in (*_ALL, *dict.fromkeys(module for job in JOBS if job in names for module in _WARM[job])):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    assert threading.active_count() == 1


def torment(job: Job, place: Place, kills: int, seed: int, kind: signal.Signals, changes: bool) -> Record:
    """Kill a job so many times, and see after each that nothing is lost, and in the end that all is as it
    should be."""
    record, draw = Record(job.name), random.Random(f"{job.name} {seed}")
    (_, seconds, changes_seen), wanted = place.reference(job)
    while record.kills < kills and not record.faults:
        folder, done, killed = place.begun(job), 0, 0
        while not record.faults:
            place.log.unlink(missing_ok=True)
            how: dict[str, Any] = {}
            if killed < _PATIENCE and record.kills < kills:
                share, clock = draw.random(), not (changes or record.kills % 2)
                how = {"after": share * seconds} if clock else {"change": int(share * len(changes_seen))}
            end = strike.run(job.words, folder, place.log, kind=kind, **how)
            if end.status == 0:
                seconds = seconds if killed else min(seconds, end.seconds)  # the machine was busier then
                break
            killed += 1
            record.kills += 1
            record.at_changes += "change" in how
            parts = list(folder.rglob(".*.part-*"))
            left = [
                path.name for path in parts if not path.parent.name.startswith(".")
            ]  # else it waits for the next command
            record.writing += bool(parts)
            where = f"kill {record.kills} ({how}, last {end.changes[-1:]})"
            record.faults += [f"{where}: {fault}" for fault in _wrong(end, kind, place.log.read_text(), left)]
            try:
                before, done = done, strike.apart(lambda: (check(folder), job.finished(folder)))[1]  # noqa: B023
                if done < before:
                    record.faults.append(f"{where}: {done} finished where there were {before}")
            except AssertionError as fault:
                record.faults.append(f"{where}: {fault}")
        else:
            break
        record.ended += 1
        record.faults += _ended(job, folder, wanted)
        record.same += not record.faults
        sys.stderr.write(
            f"{job.name}: {record.kills} kills, {record.ended} ended, {record.same} as undisturbed\n"
        )
        shutil.rmtree(folder)
    return record


def _wrong(end: strike.End, kind: signal.Signals, said: str, left: list[str]) -> list[str]:
    """What is wrong with how a killed command ended."""
    last = said.strip().rpartition("\n")[2]
    if kind == signal.SIGKILL or (end.status == -kind and not end.changes):
        return [] if end.status == -kind else [f"status {end.status}: {last}"]
    faults = [] if end.status == 128 + kind else [f"status {end.status}"]
    faults += (
        [] if last.startswith("mien: stopped; ") and "Traceback" not in said else [f"said: {said[-1500:]}"]
    )
    clearing = (
        end.changes[-1].removeprefix("os.remove ") if end.changes else ""
    )  # stopped right before it was cleared away
    return faults + [f"{name} is left" for name in left if Path(clearing).name != name]


def _ended(job: Job, folder: Path, wanted: Any) -> list[str]:
    """What is wrong with a job that got through."""
    try:
        strike.apart(lambda: check(folder))
        found = strike.apart(lambda: job.outcome(folder))
    except AssertionError as fault:
        return [str(fault)]
    faults = [] if found == wanted else [f"the end differs: {str(found)[:300]} for {str(wanted)[:300]}"]
    return faults + [f"{path.relative_to(folder)} is left" for path in folder.rglob(".*.part-*")]
