"""What a study leaves: the best configuration, the page, and the best trial as a whole run."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from optuna.trial import FrozenTrial

from .. import files
from ..config import dumps
from ..workflow import train_model
from .outcome import Outcome
from .page import render
from .trials import folder
from .workers import first_number

BEST, PAGE, FRONT, RUN = "best.toml", "study.html", "front", "best"


def write(found: Outcome) -> list[Path]:
    """Write `best.toml`, a file for each trial of a front, and `study.html`; return their paths."""
    into, paths = found.settings.folder, []
    if found.best is not None:
        paths.append(into / BEST)
        files.write_text(into / BEST, _toml(found, found.best))
    if len(found.names) > 1:
        paths += [into / FRONT / f"{first_number(trial):04d}.toml" for trial in found.front]
        for trial, path in zip(found.front, paths[1:], strict=True):
            files.write_text(path, _toml(found, trial))
        for old in set((into / FRONT).glob("*.toml")) - set(paths):
            old.unlink()
    paths.append(into / PAGE)
    files.write_text(into / PAGE, render(found))
    return paths


def _toml(found: Outcome, trial: FrozenTrial) -> str:
    values = ", ".join(f"{name} {value:.4f}" for name, value in zip(found.names, trial.values, strict=True))
    head = f"# Trial {first_number(trial)} of a study of {len(found.trials)} trials: {values}\n"
    return head + dumps(found.config(trial))


def complete(found: Outcome) -> Path | None:
    """Make the best trial a whole run under `best`: exported, evaluated, with its report.

    It is trained anew only where its run folder is on another machine. None where nothing was measured, or
    another worker is at it.
    """
    into, best = found.settings.folder, found.best
    if best is None:
        return None
    config, target = found.config(best), into / RUN
    aside = into / ".best"
    if _is_whole(target, dumps(config)):
        shutil.rmtree(aside, ignore_errors=True)  # left by a worker that was killed after its last step
        return target
    with _alone(into / ".best.lock") as mine:
        if not mine:
            return None
        shutil.rmtree(aside, ignore_errors=True)
        trained = folder(found.settings, first_number(best))
        if (trained / "config.toml").is_file():
            shutil.copytree(trained, aside / RUN)
        train_model(config, aside / RUN, resume=True)
        shutil.rmtree(target, ignore_errors=True)
        (aside / RUN).rename(target)
        shutil.rmtree(aside)
    return target


def _is_whole(run: Path, config: str) -> bool:
    file = run / "config.toml"
    return (run / "report.html").is_file() and file.is_file() and file.read_text(encoding="utf-8") == config


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Whether no other process on this machine is within; one that dies is within no more."""
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield True
        return
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
