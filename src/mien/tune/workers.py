"""Workers that die: their trials are marked failed and tried again."""

import contextlib
import copy
import os
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import optuna
from optuna.storages import RetryHeartbeatStaleTrialCallback, fail_stale_trials
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ..files import is_running

#: What a trial carries: its worker, why its settings cannot be, and its number in a study nobody disturbs.
WORKER, FAULT, NUMBER = "worker", "fault", "number"
#: How often the same trial is tried again after its worker died: its settings may be what kills it.
RETRIES = 5
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_SPACE = Path("/proc/self/ns/pid")
_FIRST, _HISTORY = "failed_trial", "retry_history"  # what Optuna writes into the repeat of a trial
_HEIR = "heir"  # the worker that marks it failed and is to queue it again


def queue_again(study: Study, trial: FrozenTrial, retries: int | None = RETRIES) -> None:
    """Queue a failed trial to be run once more with the same values; so many times at most (None: ever).

    One that is queued already, or whose settings cannot be, is left alone.
    """
    if FAULT in trial.user_attrs or trial.number in _repeated(study.get_trials(deepcopy=False)):
        return
    trial = copy.deepcopy(trial)
    for owner in (WORKER, _HEIR):
        trial.user_attrs.pop(owner, None)
    if NUMBER not in trial.user_attrs:  # draws that begin in the middle would not be the same
        trial.params, trial.distributions = {}, {}
    RetryHeartbeatStaleTrialCallback(max_retry=retries)(study, trial)


def first_number(trial: FrozenTrial) -> int:
    """The number that a trial has in a study that nobody disturbs; its folder keeps it."""
    return int(trial.user_attrs.get(NUMBER, trial.system_attrs.get(_FIRST, trial.number)))


def draw_number(trial: FrozenTrial, trials: Sequence[FrozenTrial]) -> int:
    """The same, from all trials of the study, for one that does not carry it yet: repeats take numbers
    too."""
    first = int(trial.system_attrs.get(_FIRST, trial.number))
    return first - sum(_FIRST in earlier.system_attrs for earlier in trials[:first])


def is_duplicate(trial: FrozenTrial, trials: Sequence[FrozenTrial]) -> bool:
    """Whether two workers queued the same repeat at once, and this is the later one."""
    history = trial.system_attrs.get(_HISTORY)
    return history is not None and history in [
        old.system_attrs.get(_HISTORY) for old in trials[: trial.number]
    ]


def _repeated(trials: Sequence[FrozenTrial]) -> set[int]:
    return {number for trial in trials for number in trial.system_attrs.get(_HISTORY, ())}


def this_process() -> str:
    """This process: machine since it was started, space of processes, number; '' where not known."""
    try:
        return f"{platform.node()} {_BOOT.read_text().strip()} {_SPACE.readlink()} {os.getpid()}"
    except OSError:
        return ""


class StaleTrials:
    """Finds the trials whose worker is dead: at once on this machine, else when its heartbeat has stopped."""

    def __init__(self, study: Study, grace: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.study, self.grace, self.clock = study, grace, clock
        self._silent: dict[int, float] = {}

    def requeue(self) -> None:
        """Mark them failed and queue them again; also those that a worker marked and did not live to
        queue."""
        fail_stale_trials(self.study)
        trials = self.study.get_trials(deepcopy=False)
        repeated = _repeated(trials)
        for trial in trials:
            left = trial.number not in repeated and _left(trial, trials)
            if (trial.state is TrialState.RUNNING or left) and self._dead(trial):
                self._repeat(trial)

    def _dead(self, trial: FrozenTrial) -> bool:
        running, now = trial.state is TrialState.RUNNING, self.clock()
        worker = trial.user_attrs.get(WORKER, "")
        if _gone(worker if running else trial.user_attrs.get(_HEIR, worker)):
            return True
        if running and worker:
            return False  # on another machine its heartbeat tells
        # It has not got round to its first heartbeat, or to queueing, or never will.
        return now - self._silent.setdefault(trial.number, now) > self.grace

    def _repeat(self, trial: FrozenTrial) -> None:
        with contextlib.suppress(
            ValueError, optuna.exceptions.UpdateFinishedTrialError
        ):  # another worker was first
            if trial.state is TrialState.RUNNING:
                self.study._storage.set_trial_user_attr(trial._trial_id, _HEIR, this_process())
                trial = self.study.tell(trial.number, state=TrialState.FAIL)
            queue_again(self.study, trial)


def _left(trial: FrozenTrial, trials: Sequence[FrozenTrial]) -> bool:
    """Whether a trial failed for no fault of its settings, and is not a repeat that stands twice."""
    return (
        trial.state is TrialState.FAIL and FAULT not in trial.user_attrs and not is_duplicate(trial, trials)
    )


def _gone(worker: str) -> bool:
    """Whether a worker ran on this machine and runs no more."""
    machine, _, process = worker.rpartition(" ")
    if not machine or machine != this_process().rpartition(" ")[0]:
        return False
    return not is_running(int(process))
