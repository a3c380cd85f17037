"""The study: where trials are kept, who draws the next one, and what becomes of a trial whose worker died."""

import errno
import json
import re
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from ..errors import ConfigError, lookup
from ..extras import require
from .samplers import PRUNERS, SAMPLERS, Seeded
from .space import Choices, Range, Space, StudyConfig, encode_value
from .workers import queue_again

DATABASE = "study.db"
#: The mark of a trial that comes from an earlier study.
EARLIER = "earlier"
#: Keys in which workers on one study may differ.
_LOCAL = ("data.store", "data.memory_gb", "train.threads", "train.workers", "name", "licence")
_OPENINGS = 5


@contextmanager
def quiet() -> Iterator[None]:
    """Silence Optuna's log, and its warnings about what is used on purpose."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


@contextmanager
def naming(settings: StudyConfig) -> Iterator[None]:
    """Name the database that fails: disk full, folder read-only, server gone. Raises OSError."""
    try:
        yield
    except (StorageInternalError, SQLAlchemyError) as error:
        cause = error.__cause__ or error
        reason = str(getattr(cause, "orig", cause)).strip().partition("\n")[0]
        raise OSError(errno.EIO, reason, _shown(_place(settings))) from None


def begin(settings: StudyConfig, higher: list[bool], names: list[str]) -> Study:
    """Open the study of a plan, or create it with the defaults as its first trial. Raises ConfigError."""
    check(settings)
    settings.folder.mkdir(parents=True, exist_ok=True)
    storage = _storage(_place(settings), settings.heartbeat)
    name = settings.folder.resolve().name
    directions = [StudyDirection.MAXIMIZE if up else StudyDirection.MINIMIZE for up in higher]
    study = optuna.create_study(storage=storage, study_name=name, directions=directions, load_if_exists=True)
    study.sampler = Seeded(settings, EARLIER)
    study.pruner = lookup(PRUNERS, settings.pruner or "none", "pruner")(settings)
    record = {"table": settings.space.table, "objectives": names}
    if (before := study.user_attrs.get("record")) is not None:
        _check_same(before, json.loads(json.dumps(record)), settings.folder)
        return study
    taken, trials = _taken(settings) if settings.earlier else [], study.get_trials(deepcopy=False)
    if not trials:
        study.enqueue_trial(settings.space.defaults)
    held = {trial.user_attrs.get(EARLIER) for trial in trials}  # by one that was killed in here
    study.add_trials([trial for trial in taken if trial.user_attrs[EARLIER] not in held])
    study.set_user_attr("record", record)
    return study


def _place(settings: StudyConfig) -> str:
    return settings.storage or str(settings.folder / DATABASE)


def _shown(where: str) -> str:
    """A place for people: without the password."""
    return re.sub(r"(?<=//)([^/@:]+):[^/@]*@", r"\1:***@", where)


def check(settings: StudyConfig) -> None:
    """Raise ConfigError for a plan that cannot be."""
    lookup(SAMPLERS, settings.sampler, "sampler")
    lookup(PRUNERS, settings.pruner or "none", "pruner")
    several = len(settings.objectives) > 1
    if several and settings.pruner not in ("", "none"):
        why = "with several objectives no trial can be pruned, set it to none"
        raise ConfigError(f"--pruner {settings.pruner}: {why}")
    if several and settings.sampler == "cmaes":
        raise ConfigError("--sampler cmaes: takes one objective; with several tpe or random")
    if settings.trials < 1 or settings.heartbeat < 1 or settings.timeout < 0:
        raise ConfigError("--trials and --heartbeat must be 1 or more, --timeout 0 or more")


def _storage(where: str, heartbeat: int = 0) -> RDBStorage:
    """A database: a file of SQLite, or an address. Tried again: workers that start together may collide."""
    url = where.replace("postgresql://", "postgresql+psycopg://") if "://" in where else f"sqlite:///{where}"
    if url.startswith("postgresql+psycopg:"):
        require("psycopg", "tune")
    beats: dict[str, Any] = {}
    options: dict[str, Any] = {"pool_size": 2, "pool_pre_ping": True}
    if url.startswith("sqlite"):
        options = {"connect_args": {"timeout": 100}}
    if heartbeat:
        beats.update(heartbeat_interval=heartbeat, grace_period=3 * heartbeat)
    for left in reversed(range(_OPENINGS)):
        try:
            return RDBStorage(url, options, heartbeat_stale_trial_callback=queue_again, **beats)
        except (SQLAlchemyError, ImportError, RuntimeError) as error:
            if not left:
                reason = str(error).strip().partition("\n")[0]
                raise ConfigError(f"{_shown(where)}: cannot be opened as a study: {reason}") from None
            time.sleep(0.2 * (_OPENINGS - left))
    raise AssertionError


def _check_same(before: dict[str, Any], now: dict[str, Any], folder: Path) -> None:
    """Raise ConfigError where a study was begun with other settings."""
    old, new = dict(_flat(before)), dict(_flat(now))
    for key in {**old, **new}:
        plain = key.removeprefix("table.")
        if old.get(key) != new.get(key) and plain not in _LOCAL:
            change = f"{plain} = {old.get(key)!r}, now {new.get(key)!r}"
            raise ConfigError(f"{folder}: holds a study with {change}; take another folder with --out")


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict) or not value:
        yield key, value
        return
    for name, inner in value.items():
        yield from _flat(inner, f"{key}.{name}" if key else name)


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Each hyperparameter as Optuna draws it, by key."""
    return {parameter.key: _distribution(parameter.domain) for parameter in space.parameters}


def _distribution(domain: Range | Choices) -> BaseDistribution:
    if isinstance(domain, Choices):
        return CategoricalDistribution([encode_value(choice) for choice in domain.choices])
    if domain.whole:
        return IntDistribution(int(domain.low), int(domain.high), domain.log, int(domain.step) or 1)
    return FloatDistribution(domain.low, domain.high, domain.log, domain.step or None)


def _taken(settings: StudyConfig) -> list[FrozenTrial]:
    """The trials of an earlier study that this one could have drawn, marked as such. Raises ConfigError."""
    path = Path(settings.earlier)
    where = str(path / DATABASE) if path.is_dir() else settings.earlier
    if "://" not in where and not Path(where).is_file():
        raise ConfigError(f"--from {settings.earlier}: no such study")
    storage = _storage(where)
    wanted, found = distributions(settings.space), []
    for summary in optuna.get_all_study_summaries(storage, include_best_trial=False):
        study = optuna.load_study(study_name=summary.study_name, storage=storage)
        found += [trial for trial in study.get_trials() if _fits(trial, wanted, len(settings.objectives))]
    if not found:
        what = f"all of {', '.join(wanted)} within these ranges, with as many objectives"
        raise ConfigError(f"--from {settings.earlier}: no finished trial has {what}")
    return [
        optuna.trial.create_trial(
            params={key: trial.params[key] for key in wanted},
            distributions=wanted,
            values=trial.values,
            user_attrs={EARLIER: f"{settings.earlier}, trial {trial.number}"},
        )
        for trial in found
    ]


def _fits(trial: FrozenTrial, wanted: dict[str, BaseDistribution], objectives: int) -> bool:
    if trial.state is not TrialState.COMPLETE or len(trial.values or ()) != objectives:
        return False
    if not wanted.keys() <= trial.params.keys():
        return False
    return all(
        type(trial.distributions[key]) is type(kind) and _holds(kind, trial.params[key])
        for key, kind in wanted.items()
    )


def _holds(kind: BaseDistribution, value: Any) -> bool:
    try:
        return kind._contains(kind.to_internal_repr(value))
    except ValueError:
        return False
