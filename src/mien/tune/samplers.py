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
    numbers = any(
        not isinstance(kind, CategoricalDistribution)
        for one in earlier
        for kind in one.distributions.values()
    )
    return CmaEsSampler(
        seed=seed,
        independent_sampler=TPESampler(seed=seed),
        warn_independent_sampling=False,
        source_trials=earlier if numbers else None,
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
    "hyperband": lambda settings: HyperbandPruner(
        min_resource=max(1, settings.epochs // 9), max_resource=settings.epochs
    ),
    "none": lambda _: NopPruner(),
}


class Seeded(BaseSampler):
    """A sampler seeded anew for each trial by (seed, number of the trial), so that a study which was stopped
    goes on as an undisturbed one, and workers that start together do not draw the same."""

    def __init__(self, settings: StudyConfig, mark: str) -> None:
        self.settings, self.mark = settings, mark
        self.inner: BaseSampler = RandomSampler(seed=settings.seed)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Make the sampler of this trial."""
        trials = study.get_trials(deepcopy=False)
        earlier = [one for one in trials if one.state is TrialState.COMPLETE and self.mark in one.user_attrs]
        self.inner = SAMPLERS[self.settings.sampler](
            1_000_003 * self.settings.seed + draw_number(trial, trials), earlier
        )
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
