"""The work of one worker on a study: trials until as many as wanted are finished by all workers together."""

import time
from dataclasses import dataclass

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ..errors import lookup
from ..extras import require
from . import study as studies
from .outcome import Outcome, ending, finished, format_value
from .space import StudyConfig
from .trials import OBJECTIVES, ImpossibleError, InterruptedTrialError, Runner, Score, Tell, TimeUpError
from .workers import StaleTrials, first_number, queue_again

_POLL = 1.0  # seconds between looks at what other workers do


def tune(settings: StudyConfig, tell: Tell = lambda *_: None) -> Outcome:
    """Work on a study until `settings.trials` are finished or its time is up, and return what is known then.

    Whatever another worker has finished, now or before, counts. Raises ConfigError, StoreError,
    MissingExtraError, and what the very first trial fails with.
    """
    require("torch", "train")
    for name in settings.objectives:
        lookup(OBJECTIVES, name, "objective")
    score = _score(settings)
    higher = [score.higher if name == "score" else False for name in settings.objectives]
    names = [score.name if name == "score" else f"{name}, ms" for name in settings.objectives]
    with studies.quiet(), studies.naming(settings):
        study = studies.begin(settings, higher, names)
        _Worker(settings, study, score, tell).work()
        return Outcome(settings, study, tuple(names), tuple(higher))


def _score(settings: StudyConfig) -> Score:
    from ..train.module import monitored_metric

    config = settings.space.config(settings.space.defaults)
    monitor = monitored_metric(config, config.resolved_task())
    return Score(monitor.key, f"{monitor.head}.{monitor.metric}", monitor.higher)


@dataclass
class _Worker:
    """One worker on a study."""

    settings: StudyConfig
    study: Study
    score: Score
    tell: Tell

    def __post_init__(self) -> None:
        self.start = time.monotonic()
        self.before = len(self._finished())
        self.best: float | None = None

    def work(self) -> None:
        deadline = self.start + self.settings.timeout if self.settings.timeout else float("inf")
        runner = Runner(self.settings, self.score, self._epoch, deadline)
        stale = StaleTrials(self.study, 3 * self.settings.heartbeat)
        while (missing := self.settings.trials - len(self._finished())) > 0:
            if time.monotonic() > deadline:
                return self.tell("time is up; the same command goes on", True)
            stale.requeue()
            running = len(self._trials(TrialState.RUNNING))
            if running >= missing:
                self.tell(f"waiting for {running} trial{'s' * (running > 1)} of other workers", False)
                time.sleep(_POLL)
                continue
            self._run(runner)
        return None

    def _run(self, runner: Runner) -> None:
        """Run one trial; one that is stopped from outside is queued again."""
        self.best = self._best()
        try:
            self.study.optimize(runner, n_trials=1, callbacks=[self._report], catch=(ImpossibleError,))
        except InterruptedTrialError as stop:
            queue_again(self.study, self.study.get_trials()[stop.args[0]], None)
            if stop.__cause__ and not isinstance(stop.__cause__, TimeUpError):
                raise stop.__cause__ from None

    def _trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=states)

    def _finished(self) -> list[FrozenTrial]:
        return finished(self.study.get_trials(deepcopy=False))

    def _best(self) -> float | None:
        values = [trial.values[0] for trial in self._trials(TrialState.COMPLETE)]
        up = self.study.directions[0].name == "MAXIMIZE"
        return (max if up else min)(values, default=None)

    def _epoch(self, number: int, epoch: int, value: float) -> None:
        best = "" if self.best is None else f" · best {self.best:.4f}"
        done = f"{len(self._finished())}/{self.settings.trials} trials{best}{self._left()}"
        now = f"trial {number} epoch {epoch}/{self.settings.epochs} {self.score.name} {value:.4f}"
        self.tell(f"{done} · {now}", False)

    def _report(self, _: Study, trial: FrozenTrial) -> None:
        parameters = self.settings.space.parameters
        drawn = (f"{item.name} {format_value(trial.params.get(item.key))}" for item in parameters)
        self.tell(f"trial {first_number(trial)}: {_ended(trial)}  ({'  '.join(drawn)})", True)

    def _left(self) -> str:
        done = len(self._finished()) - self.before
        if done < 1:
            return ""
        left = (time.monotonic() - self.start) / done * (self.settings.trials - self.before - done)
        return f" · {left / 60:.1f} min left"


def _ended(trial: FrozenTrial) -> str:
    if trial.state is TrialState.COMPLETE:
        return ", ".join(f"{value:.4f}" for value in trial.values)
    return ending(trial) or "stopped"
