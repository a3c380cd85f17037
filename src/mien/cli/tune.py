"""`mien tune`: search the values that a TOML file leaves open."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from .. import extras
from ..choices import Objective, Pruner, Sampler
from ..errors import ConfigError
from .terminal import exit_when_interrupted, new_table, print_json, say, show

if TYPE_CHECKING:
    from ..tune import Outcome

_ROWS = 10
_CELL = 14  # columns of a terminal that a hyperparameter takes


@dataclass
class Tune:
    """Search hyperparameters: what a TOML file leaves open, such as `lr = {low = 1e-4, high = 1e-2, log =
    true}`.

    Stopped, the same command goes on; started again elsewhere at the same time, both work on one study.
    `--section.key value` fixes one of the file's values.
    """

    config: Positional[Path]
    """The TOML file with ranges and choices."""
    trials: int = 50
    """Trials to finish in all, by all workers, now and before."""
    out: Path | None = None
    """Folder of the study (default: runs/tune-<name of the file>)."""
    objectives: tuple[Objective, ...] = ("score",)
    """What is optimised: the validation metric, or also the latency for one face."""
    sampler: Sampler = "tpe"
    """Who draws the trials; cmaes is for numbers, choices are then drawn by tpe."""
    pruner: Pruner | None = None
    """Who ends hopeless trials early (default: median; with several objectives none can be)."""
    seed: int = 0
    """Seed of the sampler; that of training stands in the file."""
    timeout: float = 0.0
    """Stop after so many seconds, 0 for never; the trial under way is kept."""
    storage: str = ""
    """A database for workers on several machines, postgresql://… (default: study.db in the folder)."""
    from_: str = ""
    """An earlier study (its folder, its study.db or its database) to learn from."""
    heartbeat: int = 30
    """Seconds between signs of life; a worker silent for three times as long is dead, its trial is run
    again."""
    best: bool = True
    """Make the best trial a whole run with model, figures and report in best/; --no-best leaves it out."""
    json: bool = False
    """Print the study as one JSON object on stdout."""

    def run(self, overrides: list[str]) -> None:
        """Search, write what was found, and show it."""
        extras.require("optuna", "tune")
        from .. import tune
        from ..tune.space import load

        space, folder = load(self.config, overrides), self.out or Path("runs") / f"tune-{self.config.stem}"
        pruner = self.pruner or ("none" if len(self.objectives) > 1 else "median")
        settings = tune.StudyConfig(
            space, folder, self.trials, self.objectives, self.sampler, pruner, self.seed, self.storage,
            self.from_, self.timeout, self.heartbeat,
        )  # fmt: skip
        line = StatusLine()
        with exit_when_interrupted(f"{folder} keeps what is finished, the same command goes on"), line:
            found = tune.tune(settings, line)
            line.clear()
            paths = tune.write(found)
            whole = tune.complete(found) if self.best and len(found.trials) >= self.trials else None
        if found.best is None and found.trials:
            raise ConfigError(f"{settings.folder}: no trial could be measured; study.html says why")
        if self.json:
            return print_json(found.as_dict())
        _show(found)
        return say("\n".join(map(str, [*paths, *filter(None, [whole])])))


class StatusLine:
    """What goes on, on stderr: lines that stay, and on a terminal one that is written over."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()

    def __call__(self, text: str, stays: bool) -> None:
        """Say something; what does not stay is for a terminal alone."""
        if stays:
            self.clear()
            say(text)
        elif self.live:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r\x1b[2K{text[:width]}")
            sys.stderr.flush()

    def __enter__(self) -> None:
        """Nothing is shown yet."""

    def __exit__(self, *_: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the line away."""
        if self.live:
            sys.stderr.write("\r\x1b[2K")


def _show(found: Outcome) -> None:
    """The best trials, and what mattered."""
    from rich.console import Console

    from ..tune.outcome import format_value
    from ..tune.workers import first_number

    shares = found.importances[0]
    ranked = sorted(found.settings.space.parameters, key=lambda parameter: -shares.get(parameter.key, 0.0))
    parameters = ranked[: max(1, Console(stderr=True).width // _CELL - 2)]
    grid = new_table()
    for head in ("trial", *found.names, *(parameter.name for parameter in parameters)):
        grid.add_column(head, justify="right", overflow="fold")
    for trial in (found.front if len(found.names) > 1 else found.measured)[:_ROWS]:
        values = (f"{value:.4f}" for value in trial.values)
        chosen = (format_value(trial.params[parameter.key]) for parameter in parameters)
        grid.add_row(str(first_number(trial)), *values, *chosen)
    show(grid)
    counts = f"{len(found.trials)} trials finished, {len(found.measured)} measured"
    named = {parameter.name: shares.get(parameter.key) for parameter in parameters}
    important = ", ".join(f"{name} {share:.0%}" for name, share in named.items() if share)
    say(counts + (f"; what mattered: {important}" if important else ""))
