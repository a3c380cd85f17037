"""Who draws the next trial and who ends one early, by name."""

from collections.abc import Callable, Sequence
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, CmaEsSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from ..extras import require
from .space import StudyConfig
from .workers import draw_number

_START = 10  # trials drawn at random before TPE believes what it has seen
_LEAST = 5  # finished trials that a median is taken of


def _cmaes(seed: int, earlier: list[FrozenTrial]) -> BaseSampler:
    """Choices are no numbers: TPE draws those."""
    require("cmaes", "tune")
    kinds = [kind for trial in earlier for kind in trial.distributions.values()]
    numbers = not all(isinstance(kind, CategoricalDistribution) for kind in kinds)
    tpe, source = TPESampler(seed=seed), earlier if numbers else None
    return CmaEsSampler(
        seed=seed, independent_sampler=tpe, warn_independent_sampling=False, source_trials=source
    )


#: A sampler from a seed and the trials taken from an earlier study.
SAMPLERS: dict[str, Callable[[int, list[FrozenTrial]], BaseSampler]] = {
    "tpe": lambda seed, _: TPESampler(seed=seed, n_startup_trials=_START, multivariate=True),
    "cmaes": _cmaes,
    "random": lambda seed, _: RandomSampler(seed=seed),
}

PRUNERS: dict[str, Callable[[StudyConfig], BasePruner]] = {
    "median": lambda settings: MedianPruner(
        n_startup_trials=_LEAST, n_warmup_steps=max(1, settings.epochs // 5)
    ),
    "hyperband": lambda settings: HyperbandPruner(max(1, settings.epochs // 9), settings.epochs),
    "none": lambda _: NopPruner(),
}


class Seeded(BaseSampler):
    """A sampler seeded anew for each trial by (seed, number of the trial).

    A study that was stopped goes on as an undisturbed one, and workers that start together draw differently.
    """

    def __init__(self, settings: StudyConfig, mark: str) -> None:
        self.settings, self.mark = settings, mark
        self.inner: BaseSampler = RandomSampler(seed=settings.seed)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Make the sampler of this trial."""
        trials = study.get_trials(deepcopy=False)
        earlier = [old for old in trials if old.state is TrialState.COMPLETE and self.mark in old.user_attrs]
        seed = 1_000_003 * self.settings.seed + draw_number(trial, trials)
        self.inner = SAMPLERS[self.settings.sampler](seed, earlier)
        self.inner.before_trial(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """As the sampler of this trial says; so in all that follows."""
        return self.inner.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draw the hyperparameters that are sampled jointly."""
        return self.inner.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draw a hyperparameter by itself."""
        return self.inner.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """Pass a finished trial on to the sampler of this trial."""
        self.inner.after_trial(study, trial, state, values)
