"""One trial: a run folder trained with what was drawn, ended early where it is no good, and measured."""

import csv
import functools
import math
import shutil
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import Trial

from ..config import Config, dumps
from ..errors import ConfigError, ModelError
from ..predict.engine import Engine
from .space import Parameter, Range, StudyConfig, encode_value
from .workers import FAULT, NUMBER, WORKER, draw_number, is_duplicate, this_process

#: Takes what goes on; True for what should stay to be read, False for the line that is written over.
Tell = Callable[[str, bool], None]
_WARM, _TIMES = 3, 31


class ImpossibleError(Exception):
    """Settings that cannot be trained with; the next trial is drawn."""


class InterruptedTrialError(Exception):
    """A trial, by its number, that was stopped from outside and is to be run again; `__cause__` says by
    what."""


class TimeUpError(Exception):
    """The time budget is spent."""


@dataclass(frozen=True)
class Score:
    """The column of history.csv that is tuned, what it is called, and whether higher is better."""

    column: str
    name: str
    higher: bool

    def best(self, run: Path) -> float:
        """The metric of the epoch whose weights are kept: the best of the last phase; NaN without any."""
        lines = rows(run)
        values = [float(row[self.column]) for row in lines if row["phase"] == lines[-1]["phase"]]
        defined = [value for value in values if math.isfinite(value)]
        return (max if self.higher else min)(defined, default=math.nan)


@dataclass
class TrialMonitor:
    """Takes each epoch of a trial: reports it, and ends the trial where that is called for."""

    trial: Trial
    score: Score
    prunes: bool
    deadline: float
    tell: Callable[[int, float], None]
    seen: set[int] = field(default_factory=set)

    def __call__(self, epoch: int, value: float) -> None:
        """Take an epoch's metric. Raises TrialPruned, TimeUpError."""
        self.tell(epoch, value)
        if self.prunes and epoch not in self.seen and math.isfinite(value):
            self.seen.add(epoch)
            self.trial.report(value, epoch)
            if self.trial.should_prune():
                raise optuna.TrialPruned
        if time.monotonic() > self.deadline:
            raise TimeUpError

    def replay(self, run: Path) -> None:
        """Take the epochs that were trained before the trial was stopped."""
        for row in rows(run):
            self(int(row["epoch"]), float(row[self.score.column]))


@dataclass(frozen=True)
class Runner:
    """Runs trials, each until it is finished, pruned, or `deadline` (on the monotonic clock) has come."""

    settings: StudyConfig
    score: Score
    tell: Callable[[int, int, float], None]
    deadline: float = math.inf

    def __call__(self, trial: Trial) -> tuple[float, ...]:
        """Train and measure. Raises TrialPruned, ImpossibleError, InterruptedTrialError."""
        trial.set_user_attr(WORKER, this_process())
        try:
            return self._run(trial)
        except (ConfigError, ModelError, RuntimeError, ValueError) as error:
            if not any(
                old.state.name in ("COMPLETE", "PRUNED") for old in trial.study.get_trials(deepcopy=False)
            ):
                raise InterruptedTrialError(
                    trial.number
                ) from error  # the defaults do not work: no trial would
            reason = str(error).strip().partition("\n")[0][:300]
            trial.set_user_attr(FAULT, reason or repr(error))
            raise ImpossibleError from error
        except (optuna.TrialPruned, ImpossibleError):
            raise
        except BaseException as error:
            raise InterruptedTrialError(trial.number) from error

    def _run(self, trial: Trial) -> tuple[float, ...]:
        frozen = (trials := trial.study.get_trials(deepcopy=False))[trial.number]
        if is_duplicate(frozen, trials):
            raise ImpossibleError
        space = self.settings.space
        config = space.config({parameter.key: drawn(trial, parameter) for parameter in space.parameters})
        trial.set_user_attr(NUMBER, number := draw_number(frozen, trials))
        run = folder(self.settings, number)
        if (run / "config.toml").exists() and (run / "config.toml").read_text(encoding="utf-8") != dumps(
            config
        ):
            shutil.rmtree(run)
        prunes = len(self.settings.objectives) == 1
        tell = functools.partial(self.tell, number)
        watch = TrialMonitor(trial, self.score, prunes, self.deadline, tell)
        start = time.monotonic()
        try:
            watch.replay(run)
            network = trained(config, run, watch)
        except optuna.TrialPruned:
            shutil.rmtree(run / "checkpoints", ignore_errors=True)
            raise
        finally:
            trial.set_user_attr("seconds", round(time.monotonic() - start, 2))
        values = tuple(OBJECTIVES[name](run, network, self.score) for name in self.settings.objectives)
        if not all(map(math.isfinite, values)):
            raise ValueError(f"{self.score.name} is never defined")
        for old in run.glob("checkpoints/*/*.ckpt*"):  # the best epoch is kept
            if old.name != "best.ckpt":
                old.unlink()
        return values


def trained(config: Config, run: Path, watch: TrialMonitor) -> Any:
    """Train in a run folder, from where it was left, and return the network."""
    from ..train import train

    return train(config, run, True, watch)


def folder(settings: StudyConfig, number: int) -> Path:
    """Where the run of a trial lies, by its first number."""
    return settings.folder / "trials" / f"{number:04d}"


def rows(run: Path) -> list[dict[str, str]]:
    """The epochs in a run's history; none where there is no history."""
    try:
        with (run / "history.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError:
        return []


def drawn(trial: Trial, parameter: Parameter) -> Any:
    """What the trial draws for a hyperparameter."""
    key, domain = parameter.key, parameter.domain
    if not isinstance(domain, Range):
        return trial.suggest_categorical(key, [encode_value(choice) for choice in domain.choices])
    low, high, log = domain.low, domain.high, domain.log
    if domain.whole:
        return trial.suggest_int(key, int(low), int(high), step=int(domain.step) or 1, log=log)
    return trial.suggest_float(key, low, high, step=domain.step or None, log=log)


def latency(run: Path, network: Any, _: Score) -> float:
    """Milliseconds for one face on one core of this machine, with ONNX Runtime: the median of 31 times."""
    from ..export import export

    engine = Engine(export(run, network), 1)
    sample = engine.inputs.example(1)
    times = []
    for _turn in range(_WARM + _TIMES):
        start = time.perf_counter()
        engine.outputs(sample)
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times[_WARM:])


#: What a trial is measured by, from its run folder and network; `score` picks the best epoch.
OBJECTIVES: dict[str, Callable[[Path, Any, Score], float]] = {
    "score": lambda run, _, score: score.best(run),
    "latency": latency,
}
