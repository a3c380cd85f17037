"""A model is a tuple of inputs: a modality that is nowhere in the package trains, exports, evaluates,
predicts and is reported; two inputs of which samples lack one or the other do too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mien
from mien.config import from_dict
from mien.datasets.summary import summary
from mien.errors import ConfigError, InputError, StoreError
from mien.evaluate import evaluate
from mien.export.checking import against_torch
from mien.inputs import Input
from mien.predict.engine import Engine
from mien.records import Items, Moment, Span, Subject
from mien.report import write_report
from mien.store import check, write_shards
from tests import toy_modality
from tests.toy_modality import sequence

NUMBERS = {"numbers": {"modality": "numbers", "length": 10}}
BOTH: dict[str, Any] = {
    "numbers": {"modality": "numbers", "length": 10},
    "face": {"modality": "image", "size": 24, "options": {"widths": [4, 8], "depth": 1}},
}


def test_an_input_survives_its_table() -> None:
    given = Input.from_dict(
        "scene", {"region": "whole", "size": 224, "encoder": "resnet18", "options": {"a": 1}}
    )
    assert (given.of, given.transform) == ("image", {"size": 224})
    assert Input.from_dict("scene", given.to_dict()) == given


@pytest.mark.parametrize(
    ("name", "table", "says"),
    [
        ("a b", {}, "letters, digits"),
        ("present", {}, "and not present"),
        ("face", {"region": "half"}, "region = 'half': must be one of region, whole"),
        ("face", {"pretrained": 1}, "must be true or false"),
    ],
)
def test_impossible_inputs_are_refused(name: str, table: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Input.from_dict(name, table)


@pytest.mark.usefixtures("numbers")
@pytest.mark.parametrize("encoded", [False, True], ids=["arrays", "files"])
def test_a_new_modality_trains_exports_evaluates_predicts_and_is_reported(
    tmp_path: Path, encoded: bool
) -> None:
    store = toy_modality.write(tmp_path / "rows.h5", encoded=encoded)
    check(store)
    results = mien.train_model(toy_modality.config(store.path, NUMBERS), tmp_path / "run")
    assert results["heads"]["expression7"]["metrics"]["accuracy"]["value"] == 1.0

    model = mien.load(tmp_path / "run")
    assert [found.largest < 1e-5 for found in against_torch(tmp_path / "run")] == [True]
    moments = [Moment({"numbers": sequence(k)}, f"row {k}") for k in (100, 101)]
    predictions = model.recognise(moments, [[Subject(Span(6, 18))]] * 2)
    assert [found.dominant for (found,) in predictions] == ["happy", "sad"]
    result = model.session().update(Moment({"numbers": sequence(102)[6:18]}, "a source"))
    assert result.predictions[0].dominant == "happy"
    assert result.rows()[0]["box_x"] is None

    evaluate(tmp_path / "run", split="train")
    page = write_report(tmp_path / "run").read_text(encoding="utf-8")
    assert page.count("data:image/png") >= 4
    assert summary(store)["items"]["numbers"] == {
        "modality": "numbers", "shape": None if encoded else [24], "regions": 96, "points": 0, "missing": 0,
    }  # fmt: skip


@pytest.mark.usefixtures("numbers")
def test_what_is_missing_is_masked_all_the_way(tmp_path: Path) -> None:
    store = toy_modality.write(tmp_path / "both.h5", pictures=True)
    check(store)
    present = {name: stored.present(store.rows()) for name, stored in store.inputs.items()}
    assert {name: int(there.sum()) for name, there in present.items() if there is not None} == {
        "numbers": 72,
        "image": 80,
    }

    mien.train_model(toy_modality.config(store.path, BOTH), tmp_path / "run")
    engine = Engine(tmp_path / "run")
    assert engine.inputs.graph_inputs == ["input.numbers", "input.face", "input.present"]
    assert max(found.largest for found in against_torch(tmp_path / "run")) < 1e-5
    rows, pictures = (
        [sequence(k) for k in (100, 101)],
        [np.full((24, 24), level, np.uint8) for level in (190, 60)],
    )
    given = {"numbers": Items(rows, [Span(6, 18)] * 2), "image": Items(pictures)}
    whole = engine.outputs(given)["expression7"]
    halves = [engine.outputs({name: items})["expression7"] for name, items in given.items()]
    for found in (whole, *halves):
        assert found.argmax(1).tolist() == [TOP["happy"], TOP["sad"]]
    assert np.abs(whole - halves[0]).max() > 1e-3
    some = {"numbers": Items([rows[0], None], present=np.array([True, False])), "image": given["image"]}
    np.testing.assert_allclose(engine.outputs(some)["expression7"][1], halves[1][1], rtol=1e-5)


@pytest.mark.usefixtures("numbers")
def test_a_model_says_what_it_must_be_given(tmp_path: Path) -> None:
    store = toy_modality.write(tmp_path / "rows.h5")
    table = toy_modality.config(store.path, NUMBERS)
    mien.train_model(table, tmp_path / "run", {"train.phases.0.epochs": 1})
    engine = Engine(tmp_path / "run")
    with pytest.raises(InputError, match="the model looks at numbers; given: image"):
        engine.probabilities(np.zeros((2, 8, 8), np.uint8))
    with pytest.raises(InputError, match=r"sequence 0 has shape \(2, 3\)"):
        engine.outputs({"numbers": Items([np.zeros((2, 3))])})
    with pytest.raises(InputError, match="1 regions for 2 items of 'numbers'"):
        engine.outputs({"numbers": Items([np.zeros(3), np.zeros(3)], [Span(0, 2)])})
    with pytest.raises(StoreError, match=r"has no input 'image' \(it has: numbers\)"):
        mien.train_model(toy_modality.config(store.path, {"face": {}}), tmp_path / "other")
    assert not (tmp_path / "other").exists()


@pytest.mark.usefixtures("numbers")
def test_a_store_of_several_inputs_is_split_and_copied(tmp_path: Path) -> None:
    whole = toy_modality.write(tmp_path / "both.h5", pictures=True)
    split = write_shards(tmp_path / "shards.h5", whole, 3)
    check(split)
    for before, after in zip(whole.samples(whole.rows()), split.samples(split.rows()), strict=True):
        assert list(before.inputs) == list(after.inputs)
        for name, item in before.inputs.items():
            np.testing.assert_array_equal(item.data, after.inputs[name].data)
            assert item.region == after.inputs[name].region


@pytest.mark.usefixtures("numbers")
def test_mixing_is_for_what_can_be_mixed(tmp_path: Path) -> None:
    store = toy_modality.write(tmp_path / "rows.h5")
    table = toy_modality.config(store.path, NUMBERS)
    table["train"]["augment"] = {"mixup": 0.2}
    with pytest.raises(ConfigError, match="input 'numbers' cannot be mixed, only pictures can"):
        mien.train_model(table, tmp_path / "run")


@pytest.mark.usefixtures("numbers")
def test_shared_keys_and_those_of_one_input() -> None:
    model = from_dict(
        {"model": {"dropout": 0.1, "inputs": BOTH | {"scene": {"region": "whole", "modality": "image"}}}}, "t"
    ).model
    sizes = {each.name: each.transform.get("size", each.transform.get("length")) for each in model.all_inputs}
    assert sizes == {"numbers": 10, "face": 24, "scene": 48}
    assert model.all_inputs[0].encoder == "linear"
    with pytest.raises(ConfigError, match=r"t: unknown key 'model.inputs.numbers.size'"):
        from_dict({"model": {"inputs": {"numbers": {"modality": "numbers", "size": 3}}}}, "t")
    with pytest.raises(ConfigError, match="unknown modality 'smell'"):
        from_dict({"model": {"inputs": {"nose": {"modality": "smell"}}}}, "t")


TOP = {name: place for place, name in enumerate(toy_modality.TASK.heads[0].space.labels)}
