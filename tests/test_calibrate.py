"""What is chosen on the validation split."""

from pathlib import Path

import numpy as np

from mien.calibrate import calibrate
from mien.metrics import tags
from mien.predict.engine import Engine
from mien.store import Store
from mien.tasks import TASKS
from tests.tiny_model import write_model


def test_thresholds_are_those_of_the_models_answers_on_the_split(tmp_path: Path, faces: Path) -> None:
    model, store = write_model(tmp_path / "model.onnx", TASKS["emotic"]), Store(faces)
    rows, head = store.rows("validation"), TASKS["emotic"].heads[0]
    chosen = calibrate(model, store, "validation")["thresholds"]
    assert list(chosen) == ["tags"]
    assert list(chosen["tags"]) == list(head.space.labels)
    outputs = Engine(model).probabilities(store.images(rows))["tags"]
    assert list(chosen["tags"].values()) == tags.best_thresholds(outputs, store.target(head, rows)).tolist()
    assert chosen["tags"]["Happiness"] != 0.5
    assert chosen["tags"]["Yearning"] == 0.5
    assert calibrate(model, store, "train") != {"thresholds": chosen}


def test_a_task_without_tags_has_nothing_to_choose(tmp_path: Path, faces: Path) -> None:
    assert calibrate(write_model(tmp_path / "model.onnx", TASKS["affect"]), Store(faces), "validation") == {}


def test_tags_that_nobody_annotated_choose_nothing(tmp_path: Path, faces: Path) -> None:
    class Unlabelled(Store):
        def target(self, head, rows):  # type: ignore[no-untyped-def]
            return np.full((len(rows), len(head)), np.nan, np.float32)

    assert calibrate(write_model(tmp_path / "model.onnx", TASKS["emotic"]), Unlabelled(faces), "validation") == {}
