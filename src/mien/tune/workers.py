"""Workers that die: their trials are marked failed and tried again."""

from __future__ import annotations

import contextlib
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import optuna
from optuna.storages import RetryHeartbeatStaleTrialCallback, fail_stale_trials
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

#: What a trial carries: the worker that runs it, and why its settings cannot be.
WORKER, FAULT = "worker", "fault"
#: How often the same trial is tried again after its worker died: its settings may be what kills it.
RETRIES = 3
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_SPACE = Path("/proc/self/ns/pid")


def again(study: Study, trial: FrozenTrial, retries: int | None = RETRIES) -> None:
    """Queue a trial to be run once more with the same values, under its first number; so many times at most (None: ever)."""
    trial.user_attrs.pop(WORKER, None)
    RetryHeartbeatStaleTrialCallback(max_retry=retries)(study, trial)


def first_number(trial: FrozenTrial) -> int:
    """The number that a trial had when it was first run; its folder keeps it."""
    return int(trial.system_attrs.get("failed_trial", trial.number))


def here() -> str:
    """This process: machine since it was started, space of processes, and number. Empty where that cannot be said."""
    try:
        return f"{platform.node()} {_BOOT.read_text().strip()} {_SPACE.readlink()} {os.getpid()}"
    except OSError:
        return ""


class Undertaker:
    """Finds the trials whose worker is dead: at once where it ran on this machine, else when its heartbeat has stopped."""

    def __init__(self, study: Study, grace: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.study, self.grace, self.clock = study, grace, clock
        self._silent: dict[int, float] = {}

    def bury(self) -> None:
        """Mark them failed and queue them again."""
        fail_stale_trials(self.study)
        now = self.clock()
        running = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        for trial in running:
            if WORKER in trial.user_attrs:
                dead = _gone(trial.user_attrs[WORKER])
            else:  # its worker has not got round to its first heartbeat, or never will
                dead = now - self._silent.setdefault(trial.number, now) > self.grace
            if dead:
                self._fail(trial.number)

    def _fail(self, number: int) -> None:
        with contextlib.suppress(ValueError, optuna.exceptions.UpdateFinishedTrialError):  # another worker was first
            again(self.study, self.study.tell(number, state=TrialState.FAIL))


def _gone(worker: str) -> bool:
    """Whether a worker ran on this machine and runs no more."""
    place, _, process = worker.rpartition(" ")
    if not place or place != here().rpartition(" ")[0]:
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # somebody else's process, so there is one
        pass
    return False
