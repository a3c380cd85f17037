"""What is killed: commands on a tiny store, what they must have in the end, and what they may never lose on
the way."""

from __future__ import annotations

import csv
import json
import sqlite3
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mien import config as configs
from mien.files import sha256
from tests import tiny_run

STORE, RUN, STUDY = "faces.h5", "run", "study"
SPACE = """
[data]
store = "faces.h5"
[model]
size = 24
[model.options]
widths = [4, 8]
depth = {low = 1, high = 2}
[train]
batch_size = 16
threads = 1
[[train.phases]]
epochs = 2
lr = {low = 1e-3, high = 1e-1, log = true}
"""
PHASES = [{"epochs": 2, "lr": 0.01, "frozen": True}, {"epochs": 4, "lr": 0.005, "patience": 2}]


@dataclass(frozen=True)
class Job:
    """A command. `needs`: what must be there, of the files `prepare` makes and the other jobs leave.

    `outcome` is what must be the same however often it was killed; `finished` how much is done, which never
    falls.
    """

    name: str
    words: tuple[str, ...]
    needs: tuple[str, ...]
    outcome: Callable[[Path], Any]
    finished: Callable[[Path], int]


def prepare(folder: Path) -> None:
    """Make a store, a configuration, a search space and a folder of pictures."""
    tiny_run.write(folder / STORE)
    table = tiny_run.config(STORE, ema=0.9, phases=PHASES, augment={"mixup": 0.4})
    (folder / "tiny.toml").write_text(configs.dumps(table))
    (folder / "space.toml").write_text(SPACE)
    draw = np.random.default_rng(0)
    for label in ("happy", "sad"):
        (folder / "photos" / label).mkdir(parents=True)
        for number in range(120):
            face = draw.integers(0, 255, (24, 24), np.uint8)
            cv2.imwrite(str(folder / "photos" / label / f"{number}.png"), face)


def imported(folder: Path) -> Any:
    """The bytes of the store."""
    return sha256(folder / "new.h5")


def parts(folder: Path) -> int:
    """Parts of an import, all where the store is there."""
    whole = (folder / "new.h5").exists()
    return 1000 if whole else len(list(folder.glob(".new.h5.import/[0-9]*.json")))


def trained(folder: Path) -> Any:
    """The weights, and the history but for its clock."""
    lines = rows(folder / RUN / "history.csv")
    timeless = [{key: value for key, value in row.items() if "second" not in key} for row in lines]
    return [sha256(folder / RUN / "model.safetensors"), timeless]


def epochs(folder: Path) -> int:
    """Finished epochs of a training, by its newest usable checkpoint."""
    from mien.errors import ModelError
    from mien.train import checkpoints

    found, config = 0, configs.load(folder / "tiny.toml")
    for number in range(1, len(PHASES) + 1):
        for name in (checkpoints.LAST, checkpoints.PREVIOUS, checkpoints.BEST):
            path = folder / RUN / "checkpoints" / str(number) / name
            if path.exists():
                try:
                    held = checkpoints.read(path, checkpoints.fingerprint(config, number))
                except ModelError as error:
                    raise AssertionError(str(error)) from None
                found = max(found, 100 * number + (99 if name == checkpoints.BEST else held["epoch"]))
    return found


def tuned(folder: Path) -> Any:
    """What each trial drew and reached, and the best configuration."""
    best = sha256(folder / STUDY / "best" / "model.safetensors")
    return [_trials(folder), (folder / STUDY / "best.toml").read_text(), best]


def trials(folder: Path) -> int:
    """Finished trials."""
    return len(_trials(folder)) if (folder / STUDY / "study.db").exists() else 0


def _trials(folder: Path) -> list[Any]:
    with sqlite3.connect(folder / STUDY / "study.db") as database:
        try:
            number = dict(database.execute(
                "select trial_id, value_json from trial_user_attributes where key = 'number'"
            ))  # fmt: skip
            found = list(database.execute(
                "select trials.trial_id, value from trials join trial_values using (trial_id) "
                "where state = 'COMPLETE'"
            ))  # fmt: skip
            drawn = {
                trial: sorted(
                    database.execute(
                        "select param_name, param_value from trial_params where trial_id = ?", (trial,)
                    )
                )
                for trial, _ in found
            }
        except sqlite3.OperationalError:  # killed before there were tables
            return []
    firsts = sorted([int(number[trial]), drawn[trial], value] for trial, value in found)
    assert len({first[0] for first in firsts}) == len(firsts), "a trial was finished twice"
    return firsts


def evaluated(folder: Path) -> Any:
    """The figures."""
    return json.loads((folder / RUN / "results" / "train.json").read_text())


def exported(folder: Path) -> Any:
    """The bytes of the models."""
    return [sha256(folder / RUN / name) for name in ("model.onnx", "model-int8.onnx")]


def models(folder: Path) -> int:
    """Models that are there; the one that was there before must stay."""
    return sum((folder / RUN / name).exists() for name in ("model.onnx", "model-int8.onnx"))


IMPORT = Job("import", ("data", "import", "photos", "--out", "new.h5"), ("photos",), imported, parts)
TRAIN = Job("train", ("train", "tiny.toml", "--out", RUN, "--resume"), (STORE, "tiny.toml"), trained, epochs)
TUNE = Job("tune", ("tune", "space.toml", "--trials", "3", "--out", STUDY, "--heartbeat", "1"),
           (STORE, "space.toml"), tuned, trials)  # fmt: skip
EVALUATE = Job(
    "evaluate", ("evaluate", RUN, "--split", "train", "--draws", "20"), (STORE, RUN), evaluated, lambda _: 0
)
EXPORT = Job("export", ("export", RUN, "--int8"), (STORE, RUN), exported, models)
JOBS = {job.name: job for job in (IMPORT, TRAIN, TUNE, EVALUATE, EXPORT)}


def rows(path: Path) -> list[dict[str, str]]:
    """The lines of a CSV file, each as long as the head."""
    with path.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert all(None not in row and None not in row.values() for row in found), path
    return found


def check(folder: Path) -> int:
    """Hold every file that a person sees to be whole; how many there are. Raises AssertionError that names
    it."""
    count = 0
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden and path.suffix in READERS:
            try:
                READERS[path.suffix](path)
            except Exception as error:
                raise AssertionError(f"{path.relative_to(folder)} is not whole: {error!r}") from error
            count += 1
    for results in folder.rglob("results/*.json"):
        _pair(results)
    return count


def _pair(results: Path) -> None:
    import pyarrow.parquet

    table = results.parents[1] / "predictions" / f"{results.stem}.parquet"
    told = json.loads(results.read_text())["data"]["rows"]
    assert pyarrow.parquet.read_metadata(table).num_rows == told, "the results are of other predictions"


def _store(path: Path) -> None:
    from mien.store import Store
    from mien.store import check as check_store

    check_store(Store(path))


def _weights(path: Path) -> None:
    import safetensors.numpy

    safetensors.numpy.load_file(path)


def _graph(path: Path) -> None:
    import onnx

    model = onnx.load(path)
    onnx.checker.check_model(model)
    json.loads({item.key: item.value for item in model.metadata_props}["mien"])


def _table(path: Path) -> None:
    import pyarrow.parquet

    pyarrow.parquet.read_table(path)


def _page(path: Path) -> None:
    assert path.read_text().rstrip().endswith("</html>")


def _archive(path: Path) -> None:
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None


def _database(path: Path) -> None:
    with sqlite3.connect(path) as database:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)


READERS: dict[str, Callable[[Path], object]] = {
    ".h5": _store,
    ".safetensors": _weights,
    ".onnx": _graph,
    ".parquet": _table,
    ".json": lambda path: json.loads(path.read_text()),
    ".csv": rows,
    ".toml": lambda path: tomllib.loads(path.read_text()),
    ".html": _page,
    ".ckpt": _archive,
    ".db": _database,
}
