"""What is known of a study: its trials in order, the best, the front, and what mattered."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ..config import Config
from .space import StudyConfig
from .study import EARLIER
from .workers import FAULT, first_number


def finished(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The trials of this study that count: measured, pruned, or impossible. Not those to be run again."""
    ended, own = (TrialState.COMPLETE, TrialState.PRUNED), [t for t in trials if EARLIER not in t.user_attrs]
    return [trial for trial in own if trial.state in ended or FAULT in trial.user_attrs]


@dataclass(frozen=True)
class Outcome:
    """A study as it stands. `names` and `higher`: each objective, and whether more of it is better."""

    settings: StudyConfig
    study: Study
    names: tuple[str, ...]
    higher: tuple[bool, ...]

    @cached_property
    def trials(self) -> list[FrozenTrial]:
        """All that count, in the order in which they were begun."""
        return finished(self.study.get_trials(deepcopy=False))

    @cached_property
    def measured(self) -> list[FrozenTrial]:
        """Those with values, best first by the first objective."""
        complete = [trial for trial in self.trials if trial.state is TrialState.COMPLETE]
        return sorted(complete, key=lambda trial: -self.gain(trial)[0])

    @property
    def best(self) -> FrozenTrial | None:
        """The best by the first objective."""
        return next(iter(self.measured), None)

    @cached_property
    def front(self) -> list[FrozenTrial]:
        """Those that no other one beats in every objective, best first by the first one."""
        return [
            trial for trial in self.measured if not any(self._beats(other, trial) for other in self.measured)
        ]

    def gain(self, trial: FrozenTrial) -> tuple[float, ...]:
        """A trial's values, turned so that more is better."""
        return tuple(value if up else -value for value, up in zip(trial.values, self.higher, strict=True))

    def _beats(self, trial: FrozenTrial, other: FrozenTrial) -> bool:
        pairs = list(zip(self.gain(trial), self.gain(other), strict=True))
        return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)

    def config(self, trial: FrozenTrial) -> Config:
        """The configuration that a trial was trained with."""
        return self.settings.space.config(trial.params)

    @cached_property
    def importances(self) -> tuple[dict[str, float], ...]:
        """For each objective the share of the variation of each hyperparameter (fANOVA, Hutter et al.
        2014)."""
        return tuple(self._importances(place) for place in range(len(self.names)))

    def _importances(self, place: int) -> dict[str, float]:
        values = {trial.values[place] for trial in self.measured}
        if len(values) < 4:
            return {}
        evaluator = FanovaImportanceEvaluator(seed=0)
        try:
            found = get_param_importances(
                self.study, evaluator=evaluator, target=lambda trial: trial.values[place]
            )
        except (RuntimeError, ValueError):
            return {}
        return {key: share for key, share in found.items() if math.isfinite(share)}

    def as_dict(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        best = self.best
        return {
            "folder": str(self.settings.folder),
            "objectives": [
                {"name": name, "higher_is_better": up}
                for name, up in zip(self.names, self.higher, strict=True)
            ],
            "space": {
                parameter.key: parameter.domain.describe() for parameter in self.settings.space.parameters
            },
            "wanted": self.settings.trials,
            "finished": len(self.trials),
            "best": None if best is None else first_number(best),
            "front": [first_number(trial) for trial in self.front],
            "importances": {
                name: found for name, found in zip(self.names, self.importances, strict=True) if found
            },
            "trials": [_row(trial) for trial in self.trials],
        }


def _row(trial: FrozenTrial) -> dict[str, Any]:
    return {
        "number": first_number(trial),
        "state": "impossible" if FAULT in trial.user_attrs else trial.state.name.lower(),
        "values": trial.values,
        "drawn": trial.params,
        "epochs": trial.last_step,
        "seconds": trial.user_attrs.get("seconds"),
        "fault": trial.user_attrs.get(FAULT),
    }


def ending(trial: FrozenTrial) -> str:
    """How a trial ended that was not measured."""
    if FAULT in trial.user_attrs:
        return str(trial.user_attrs[FAULT])
    return f"pruned after epoch {trial.last_step}" if trial.state is TrialState.PRUNED else ""


def format_value(value: object) -> str:
    """A drawn value for people."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
