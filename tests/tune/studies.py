"""Studies in a moment: a search space, and trials that are computed instead of trained."""

import csv
import functools
import math

from sqlalchemy import event

from mien.config import dumps
from mien.files import write_text
from mien.tune import samplers, space, study, trials, work

TOML = """
[data]
store = "nowhere.h5"
[model.options]
widths = {choices = [[4, 8], [8, 16]]}
depth = {low = 1, high = 3}
[train]
batch_size = {low = 16, high = 64, step = 16, default = 32}
label_smoothing = {low = 0, high = 1}
[[train.phases]]
epochs = 3
lr = {low = 1e-5, high = 1e-1, log = true, default = 1e-4}
"""
SCORE = trials.Score("validation_expression7_accuracy", "expression7.accuracy", True)


def computed(config, run, watch):
    """In place of training: the nearer the learning rate to 1e-2, the better; each epoch adds a tenth."""
    write_text(run / "config.toml", dumps(config))
    for epoch in range(1, config.train.phases[0].epochs + 1):
        value = 0.1 * epoch - abs(math.log10(config.train.phases[0].lr) + 2) / 10
        before = trials.rows(run)[: epoch - 1]
        with (run / "history.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, ["phase", "epoch", SCORE.column])
            writer.writeheader()
            writer.writerows([*before, {"phase": 1, "epoch": epoch, SCORE.column: value}])
        watch(epoch, value)


def study_config(folder, count=6, text=TOML, **rest):
    """A plan of so many trials."""
    path = folder / "space.toml"
    path.write_text(text)
    return work.StudyConfig(space.load(path), folder / "study", count, **{"pruner": "none", **rest})


def without_training(patch):
    """Let `work.tune` compute its trials, and need no torch."""
    patch.setattr(trials, "trained", computed)
    patch.setattr(work, "_score", lambda _: SCORE)
    patch.setattr(work, "require", lambda *_: None)
    patch.setattr(work, "_POLL", 0.05)
    patch.setattr(samplers, "_START", 3)
    patch.setattr(study, "_storage", functools.partial(_unsynced, study._storage))


def _unsynced(storage, *where):
    """A database that does not wait for the disk: these tests kill processes, not machines."""
    opened = storage(*where)
    if opened.engine.name == "sqlite":
        event.listen(
            opened.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF")
        )
        opened.engine.dispose()
    return opened
