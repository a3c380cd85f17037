"""The runs that are compared: read from their folders, held against each other, and gathered by their
seeds."""

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import config
from ..errors import ConfigError, ModelError
from ..report.history import history
from ..report.record import RunRecord, read
from ..report.results import HeadOutputs, HeadRecord, MetricResult
from ..run_folder import command, not_scored, scored_splits
from ..tasks import Head

#: Settings that do not change what is learnt.
_ASIDE = {"": ("name", "licence"), "data": ("store", "memory_gb"), "train": ("seed", "threads", "workers")}


@dataclass(frozen=True)
class Run:
    """One run: the folder of its evaluation, its `home` with model and history, and what both say."""

    folder: Path
    home: Path
    record: RunRecord

    @property
    def model(self) -> Path | None:
        """The model file, where there is one."""
        path = self.home / self.record.model
        return path if path.is_file() else None

    @property
    def seed(self) -> Any:
        """The seed it was trained with; None where that is not known."""
        return self.record.training.get("seed")

    def head(self, name: str) -> HeadRecord:
        """What was measured of a head."""
        return next(scored for scored in self.record.heads if scored.head.name == name)

    def outputs(self, name: str) -> HeadOutputs:
        """The predictions of a head that was scored."""
        found = self.head(name).outputs
        assert found
        return found

    def measure(self, head: str, metric: str) -> MetricResult | None:
        """One metric of a head; None where it was not measured."""
        return next((measure for measure in self.head(head).measures if measure.name == metric), None)


@dataclass(frozen=True)
class RunGroup:
    """A row of the comparison: one run, or the runs of one configuration with different seeds."""

    name: str
    runs: tuple[Run, ...]

    @property
    def title(self) -> str:
        """The name, with the number of seeds where there are several."""
        return f"{self.name} ({len(self.runs)} seeds)" if len(self.runs) > 1 else self.name

    def mean(self, key: str) -> float | None:
        """The mean of a number of their training (`parameters`, `seconds`, `epochs`); None where one lacks
        it."""
        values = [run.record.training.get(key) for run in self.runs]
        return (
            None
            if None in values
            else statistics.fmean(float(value) for value in values if value is not None)
        )


def load(folder: Path, split: str = "validation") -> Run:
    """Read the evaluation on a split from a run folder, or from a folder inside one. Raises ModelError."""
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder")
    home = folder if (folder / "config.toml").is_file() else folder.resolve().parent
    if not scored_splits(folder):
        raise ModelError(not_scored(folder, split))
    record = read(folder, split=split)
    if not len(record.rows):
        raise ModelError(f"{folder}: has no predictions of the split '{split}' ({command(folder, split)})")
    if home != folder:
        settings = _text(home / "config.toml")
        record = replace(
            record, config=settings, history=history(_text(home / "history.csv"), settings, record.task)
        )
    return Run(folder, home, record)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def check(runs: Sequence[Run]) -> None:
    """Raise ModelError unless all were evaluated on the same samples, ConfigError for fewer than two."""
    if len(runs) < 2:
        raise ConfigError(f"a comparison needs two runs or more, given: {len(runs)}")
    folders = [run.folder.resolve() for run in runs]
    if again := [run.folder for run, folder in zip(runs, folders, strict=True) if folders.count(folder) > 1]:
        raise ConfigError(f"{again[0]}: given twice")
    for other in runs[1:]:
        if why := _unlike(runs[0].record, other.record):
            raise ModelError(f"{other.folder} cannot be compared with {runs[0].folder}: {why}")


def _unlike(first: RunRecord, other: RunRecord) -> str:
    """Why two runs are not comparable; '' where they are."""
    again = f"evaluate both on the same (mien evaluate RUN --data FILE --split {first.split})"
    if (mine := _store(first)) != (theirs := _store(other)):
        return f"other data, {theirs} instead of {mine}; {again}"
    if not np.array_equal(first.rows, other.rows) or first.sources != other.sources:
        return f"other rows, {len(other.rows)} faces instead of {len(first.rows)} or other ones; {again}"
    return ""


def _store(record: RunRecord) -> str:
    """The store of an evaluation in words; the checksum tells it from another one of the same name."""
    store, sha256 = str(record.data.get("store", "")), str(record.data.get("sha256", ""))
    return f"{Path(store).name} (SHA-256 {sha256[:12]})"


def shared(runs: Sequence[Run]) -> tuple[Head, ...]:
    """The heads that every run was scored on, in the first run's order.

    Raises ModelError where there is none, or where a head was held against other targets.
    """
    heads = [scored.head for scored in runs[0].record.heads if scored.outputs and scored.measures]
    common = tuple(head for head in heads if all(_has(run, head) for run in runs))
    if not common:
        answers = [
            (run.record.name, ", ".join(scored.head.name for scored in run.record.heads)) for run in runs
        ]
        names = "; ".join(f"{name}: {labels}" for name, labels in answers)
        raise ModelError(f"the runs have no head with the same labels in common ({names})")
    for head in common:
        first, *others = ((run.folder, run.outputs(head.name)) for run in runs)
        for folder, outputs in others:
            if not _same_truth(first[1], outputs):
                why = f"other targets of head '{head.name}'"
                raise ModelError(f"{folder} cannot be compared with {first[0]}: {why}")
    return common


def _has(run: Run, head: Head) -> bool:
    return any(
        scored.head.name == head.name
        and scored.head.kind is head.kind
        and scored.head.space.labels == head.space.labels
        and bool(scored.outputs and scored.measures)
        for scored in run.record.heads
    )


def _same_truth(first: HeadOutputs, other: HeadOutputs) -> bool:
    return np.array_equal(first.places, other.places) and np.array_equal(
        first.true, other.true, equal_nan=True
    )


def group_runs(runs: Sequence[Run], seeds: bool = True) -> tuple[RunGroup, ...]:
    """The rows of the comparison; with `seeds`, runs that differ only in the seed make one row."""
    groups: dict[str, list[Run]] = {}
    for number, run in enumerate(runs):
        groups.setdefault(_configuration(run) if seeds else str(number), []).append(run)
    names = _names(runs)
    found = []
    for group in groups.values():
        distinct = len({run.seed for run in group}) == len(group)
        found += [group] if distinct else [[run] for run in group]
    return tuple(RunGroup(_common([names[run.folder] for run in group]), tuple(group)) for group in found)


def _configuration(run: Run) -> str:
    """What is the same for all seeds of one configuration, as text; the run's own folder where it holds no
    configuration."""
    path = run.home / "config.toml"
    if not path.is_file():
        return str(run.folder)
    table = config.load(path).to_dict()
    for part, names in _ASIDE.items():
        for name in names:
            (table[part] if part else table).pop(name)
    return repr(table)


def _names(runs: Sequence[Run]) -> dict[Path, str]:
    """The name of each run; its folder where two have the same."""
    names = [run.record.name for run in runs]
    named = zip(runs, names, strict=True)
    return {run.folder: str(run.folder) if names.count(name) > 1 else name for run, name in named}


def _common(names: Sequence[str]) -> str:
    """The name of several seeds: that of each without its seed at the end, where that is the same; else the
    first."""
    bare = {re.sub(r"[-_. ]+(s|seed)?[-_. ]*\d+$", "", name, flags=re.IGNORECASE) for name in names}
    return bare.pop() if len(names) > 1 and len(bare) == 1 else names[0]
