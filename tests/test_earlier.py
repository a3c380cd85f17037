"""Stores, runs and models of the version before there were inputs (`tests/earlier`, drawn noise) are read as
they were."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from mien import config as configs
from mien import export
from mien import store as stores
from mien.export.checking import against_torch
from mien.media.cropping import crop, roll
from mien.media.image import recolour, resize
from mien.models import input_set
from mien.predict.engine import Engine
from mien.records import Box
from mien.store import Store, check
from mien.store.layout import EARLIER

EARLIER_RUNS = Path(__file__).with_name("earlier")
RUNS = ("faces", "scenes")


@pytest.fixture(params=RUNS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_store_is_read_checked_and_written_anew(name: str, tmp_path: Path) -> None:
    before = Store(EARLIER_RUNS / f"{name}.h5")
    check(before)
    assert (before.schema, list(before.inputs)) == (EARLIER, ["image"])
    after = stores.write(
        tmp_path / "new.h5", before.samples(before.rows()), before.heads, stores.same_origin(before)
    )
    check(after)
    assert after.schema == stores.SCHEMA
    for old, new in zip(before.samples(before.rows()), after.samples(after.rows()), strict=True):
        assert (old.targets, old.split, old.source, old.group, old.attributes) == (
            new.targets, new.split, new.source, new.group, new.attributes,
        )  # fmt: skip
        np.testing.assert_array_equal(old.inputs["image"].data, new.inputs["image"].data)
        assert old.inputs["image"][1:] == new.inputs["image"][1:]


def test_a_store_is_split_into_shards_of_today(name: str, tmp_path: Path) -> None:
    before = Store(EARLIER_RUNS / f"{name}.h5")
    split = stores.write_shards(tmp_path / "s.h5", before, 2)
    check(split)
    assert (split.boxes(split.rows()) == before.boxes(before.rows())).all()
    assert len(split.images(split.rows())) == len(before)


def as_it_was(name: str, store: Store) -> list[np.ndarray]:
    """What the version before gave: views of the crop and the picture, channel behind channel, into the
    graph's one input."""
    rows = store.rows()
    pictures, boxes, points = store.images(rows), store.boxes(rows), store.landmarks(rows)
    both, size, colour, margin = (
        name == "scenes",
        16 if name == "scenes" else 24,
        "rgb" if name == "scenes" else "grey",
        0.1,
    )
    shown = []
    for k, picture in enumerate(pictures):
        whole = Box(0, 0, picture.shape[1], picture.shape[0])
        box = Box(*boxes[k].tolist()) if boxes[k, 2:].min() > 0 else whole
        degrees = roll(points[k]) if both and points is not None else 0.0
        views = [crop(picture, box, margin if both else 0.0, degrees), *([picture] if both else [])]
        shown.append(np.dstack([resize(recolour(view, colour), size) for view in views]))
    batch = (np.stack(shown) / np.float32(255) - np.float32(0.5)) / np.float32(0.25)
    session = onnxruntime.InferenceSession(
        str(EARLIER_RUNS / name / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"pixels": np.ascontiguousarray(batch.transpose(0, 3, 1, 2), np.float32)})


def test_a_model_gives_the_same_probabilities_bit_for_bit(name: str) -> None:
    store, engine = Store(EARLIER_RUNS / f"{name}.h5"), Engine(EARLIER_RUNS / name, 1)
    rows = store.rows()
    found = engine.probabilities(store.images(rows), store.boxes(rows), store.landmarks(rows))
    raw = Engine(EARLIER_RUNS / name, 1, calibrated=False)
    plain = raw.probabilities(store.images(rows), store.boxes(rows), store.landmarks(rows))
    for expected, head in zip(as_it_was(name, store), engine.task, strict=True):
        np.testing.assert_array_equal(plain[head.name], expected)
    recorded = np.load(EARLIER_RUNS / f"{name}.npz")  # on another machine the last bits may differ
    for head in engine.task:
        np.testing.assert_allclose(found[head.name], recorded[head.name], atol=2e-6)


def test_a_run_is_rebuilt_in_torch_from_its_weights(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EARLIER_RUNS)
    for likeness in against_torch(EARLIER_RUNS / name):
        assert likeness.largest < 1e-5


@pytest.mark.parametrize("calibration", ["", "temperature"])
def test_an_exported_run_opens_and_answers_as_before(
    name: str, calibration: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(EARLIER_RUNS)
    run = shutil.copytree(EARLIER_RUNS / name, tmp_path / name)
    export.export(run, calibration=calibration)
    twin = export.quantise(run)
    before, after, store = (
        Engine(EARLIER_RUNS / name, calibrated=False),
        Engine(run, calibrated=False),
        Store(f"{name}.h5"),
    )
    assert after.metadata == json.loads((run / "model.json").read_text())
    assert not after.inputs.stacked
    assert not Engine(twin).inputs.stacked
    if not calibration:
        assert (after.scaling, after.conformal, after.thresholds) == (
            before.scaling, before.conformal, before.thresholds,
        )  # fmt: skip
    pictures, boxes, points = (
        store.images(store.rows()),
        store.boxes(store.rows()),
        store.landmarks(store.rows()),
    )
    expected = before.probabilities(pictures, boxes, points)
    for head, found in after.probabilities(pictures, boxes, points).items():
        np.testing.assert_allclose(found, expected[head], atol=1e-5)


def test_a_configuration_becomes_inputs(name: str) -> None:
    config = configs.load(EARLIER_RUNS / name / "config.toml")
    inputs = input_set(config.model)
    expected = {"faces": [("face", "region")], "scenes": [("face", "region"), ("scene", "whole")]}[name]
    assert [(each.name, each.region) for each in inputs.inputs] == expected
    assert {each.encoder for each in inputs.inputs} == {"compact"}
    assert configs.from_dict(config.to_dict(), "again") == config
