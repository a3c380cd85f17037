"""Score a trained model on a split of a store: `results/<split>.json` and `predictions/<split>.parquet`."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from .. import config, files, intervals, matching
from ..errors import ConfigError, StoreError
from ..matching import LabelMapping
from ..predict import scaling
from ..predict.engine import Engine
from ..progress import Progress, silent
from ..records import Floats
from ..run_folder import SplitFiles, split_files
from ..store import Rows, Store
from ..version import __version__
from . import heads, predictions
from .heads import HeadData, Resampling
from .predictions import predict

SCHEMA = 2
_MODEL = "model.onnx"
_LIBRARIES = ("numpy", "onnxruntime", "scikit-learn")


def evaluate(
    run: Path,
    store: Path | None = None,
    split: str = "",
    out: Path | None = None,
    progress: Progress = silent,
    *,
    match: Mapping[str, str] | None = None,
    draws: int = intervals.COUNT,
    by: Sequence[str] = (),
) -> dict[str, Any]:
    """Score a run folder (or a `model.onnx`) on a split of a store; return what `results/<split>.json` holds.

    `store` and `split` default to the run's `data.store` and `data.validation`. Files replace those of the
    split in the folder `out` (`destination`). `progress` is called after each block of rows. `match` names
    targets for heads (`matching.match`). `draws` of the bootstrap give intervals; 0 leaves out them and the
    subgroups of the attributes in `by` (default: all). Raises ModelError, StoreError, ConfigError.
    """
    engine = Engine(run)
    folder, data = _run(run)
    store_path, split = str(store or data.store), split or data.validation
    if not store_path:
        raise ConfigError(f"{run}: names no store to evaluate on; give one with --data FILE")
    if draws < 0:
        raise ConfigError(f"--draws {draws}: must be 0 (no intervals) or more")
    samples = Store(store_path)
    bootstrap = intervals.BootstrapSettings(draws)
    evaluation = _Evaluation(engine, samples, split, data.train, bootstrap, tuple(by))
    other = matching.is_other(store, data.store)
    matches = {one.head.name: one for one in matching.match(engine.task, samples, match or {}, other)}
    pairs, targets = matches.items(), evaluation.targets(matches)
    settings = evaluation.intervals()  # a wrong name in `by` shows before the work
    outputs = predict(engine, samples, evaluation.rows, progress)
    record = _plain(
        {
            "schema": SCHEMA,
            "run": folder.resolve().name,
            "model": _model(run),
            "task": engine.task.to_dict(),
            "data": evaluation.data() | {"store": store_path, "rows": len(evaluation.rows)},
            "intervals": settings,
            "heads": {name: evaluation.head(one, outputs[name], targets[name]) for name, one in pairs},
            "training": _training(engine.metadata, folder / "history.csv"),
            "versions": {"mien": __version__} | {name: version(name) for name in _LIBRARIES},
        }
    )
    paths = split_files(out or destination(run, store, match), split)
    _write(paths, record, evaluation, evaluation.columns(matches, outputs, targets))
    return dict(record)


def _write(
    paths: SplitFiles, record: Mapping[str, Any], evaluation: _Evaluation, columns: dict[str, Floats]
) -> None:
    """Write both files; at no moment do new predictions lie beside old results."""
    with files.atomic_write(paths.results) as results, files.atomic_write(paths.predictions) as table:
        with files.with_filename(paths.results):
            results.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        predictions.write(table, columns, evaluation.store, evaluation.rows)
        paths.results.unlink(missing_ok=True)


def destination(run: Path, store: Path | None = None, match: Mapping[str, str] | None = None) -> Path:
    """The folder that files go to by default: the run folder for the run's own model, store and targets.

    Other results have folders of their own in it: `on-<store>` for another store or other targets (`match`),
    `<model>-on-<store>` for another file than `model.onnx`, such as its int8 twin.
    """
    folder, data = _run(run)
    model = "" if _model(run) == _MODEL else f"{run.stem}-"
    aside = model or match or matching.is_other(store, data.store)
    return folder / f"{model}on-{Path(store or data.store).stem}" if aside else folder


def _model(run: Path) -> str:
    return _MODEL if run.is_dir() else run.name


def _run(run: Path) -> tuple[Path, config.DataConfig]:
    """The folder of a run or model file, and which data it says it was trained on."""
    folder = run if run.is_dir() else run.parent
    file = folder / "config.toml"
    return folder, config.load(file).data if file.is_file() else config.DataConfig()


@dataclass(frozen=True)
class _Evaluation:
    """A model and the split of a store it is scored on.

    `train`: the split of the reference targets · `by`: the attributes for subgroups, none for all.
    """

    engine: Engine
    store: Store
    split: str
    train: str
    bootstrap: intervals.BootstrapSettings
    by: tuple[str, ...]

    @cached_property
    def rows(self) -> Rows:
        return self.store.rows_with(self.engine.inputs.sources, self.store.rows(self.split))

    @cached_property
    def sampling(self) -> Resampling:
        names = self.by or self.store.attributes
        attributes = {name: self.store.attribute(name, self.rows) for name in names}
        return Resampling(intervals.by_group(self.groups), self.bootstrap, attributes)

    @cached_property
    def groups(self) -> list[str]:
        return self.store.texts("group", self.rows)

    def intervals(self) -> dict[str, Any]:
        """How the intervals are drawn."""
        return self.sampling.bootstrap._asdict() | {"unit": "group" if any(self.groups) else "row"}

    def targets(self, matches: Mapping[str, LabelMapping]) -> dict[str, Floats]:
        """Targets of the labels compared, by the model's head. Raises StoreError if nothing can be scored."""
        targets = {name: one.targets(self.store, self.rows) for name, one in matches.items()}
        if all(np.isnan(target).all() for target in targets.values()):
            names = ", ".join(dict.fromkeys(one.target.name for one in matches.values()))
            split = f"{self.store.path}: split '{self.split}'"
            raise StoreError(f"{split} has no annotated {names}, so nothing can be scored")
        return targets

    def head(self, one: LabelMapping, output: Floats, target: Floats) -> dict[str, Any]:
        """The part of a head in the results."""
        data = HeadData(
            one.compared,
            one.answers(self.outputs_for(one, output)),
            target,
            one.annotations(self.store, self.rows),
            *self.baseline_targets(one),
            self.engine.thresholds.get(one.head.name),
            self.engine.metadata if one.is_complete else {},
            self.provenance["chosen_on"],
            one.answers(output),
            one.labels(self.store, self.rows),
        )
        return heads.results(data, self.sampling) | self.compared(one, output, target)

    def compared(self, one: LabelMapping, output: Floats, target: Floats) -> dict[str, Any]:
        """How the model's labels and the store's were brought together, where they differ."""
        if one.alike:
            return {}
        record = one.describe(self.store, self.rows, output, target)
        if one.of_labels and one.head.name in self.engine.label_temperature:
            chances = "chances of being the label by its label temperature"
            record["rule"] += f"; the model's shares of votes are made {chances}"
        return {"compared": record}

    def columns(
        self, matches: Mapping[str, LabelMapping], outputs: dict[str, Floats], targets: Mapping[str, Floats]
    ) -> dict[str, Floats]:
        """The columns of the predictions: outputs and targets of every label."""
        true = {name: one.expand(targets[name]) for name, one in matches.items()}
        predicted = outputs | {name: self.outputs_for(one, outputs[name]) for name, one in matches.items()}
        return predictions.columns(self.engine.task, predicted, true)

    def outputs_for(self, one: LabelMapping, output: Floats) -> Floats:
        """A head's outputs as its target asks for them: chances of the label where that is one label."""
        temperature = self.engine.label_temperature.get(one.head.name, 1.0) if one.of_labels else 1.0
        return scaling.temperature_scaling(temperature, len(one.head)).apply(output)

    def baseline_targets(self, one: LabelMapping) -> tuple[Floats, str]:
        """The targets that the references are taken from, and their split: training, else the one scored."""
        if self.train in self.store.splits:
            training = one.targets(self.store, self.store.rows(self.train))
            if not np.isnan(training).all():
                return training, self.train
        return one.targets(self.store, self.rows), self.split

    @cached_property
    def provenance(self) -> dict[str, bool]:
        """Whether the model was trained on this very data, or calibrated and its best epoch chosen on it."""
        known = self.engine.metadata.get("data", {})
        same = self.sha256 == known.get("sha256")
        return {
            "trained_on": same and self.split == self.train,
            "chosen_on": same and self.split == known.get("validation"),
        }

    @cached_property
    def sha256(self) -> str:
        return files.sha256(self.store.path)

    def data(self) -> dict[str, Any]:
        """Which data was scored."""
        importer = self.store.meta["importer"]
        return {"sha256": self.sha256, "importer": importer, "split": self.split, **self.provenance}


def _training(metadata: dict[str, Any], history: Path) -> dict[str, Any]:
    """What is known of the training: from the model's own description and the run's history."""
    record = {name: metadata.get(name) for name in ("seed", "parameters", "machine", "versions")}
    record["train_rows"] = metadata.get("data", {}).get("train_rows")
    if history.is_file():
        with history.open(encoding="utf-8", newline="") as file:
            seconds = [float(row["seconds"]) for row in csv.DictReader(file)]
        record |= {"epochs": len(seconds), "seconds": sum(seconds)}
    return record


def _plain(value: Any) -> Any:
    """The value as JSON can hold it: what is undefined becomes null."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
