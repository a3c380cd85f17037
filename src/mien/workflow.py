"""From a configuration to a run folder with model, results and report: `mien train` as one call."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import config as configs
from . import machine
from .config import Config
from .extras import require

#: A TOML file, a table as such a file holds it, or a loaded configuration.
Settings = str | Path | Mapping[str, Any] | Config


def train_model(
    config: Settings, run: str | Path, changes: Mapping[str, Any] | None = None, *, resume: bool = False
) -> dict[str, Any]:
    """Train, export, evaluate on the validation split and report into a run folder; return the results of
    that split.

    `changes` replace values of `config` by dotted keys, such as {"train.phases.0.lr": 3e-4}. With `resume` a
    run that was stopped goes on. Of several processes (torchrun, srun) rank 0 alone does what follows
    training, the others return {}. Raises ConfigError, StoreError, ModelError, and MissingExtraError without
    torch.
    """
    settings, folder = configs.changed(_loaded(config), changes or {}), Path(run)
    require("torch", "train")
    from . import evaluate, export, report, train

    network = train.train(settings, folder, resume)
    if not machine.is_main():
        return {}
    export.export(folder, network)
    results = evaluate.evaluate(folder)
    report.write_report(folder)
    return results


def _loaded(config: Settings) -> Config:
    if isinstance(config, Config):
        return config
    return configs.from_dict(config, "config") if isinstance(config, Mapping) else configs.load(Path(config))
